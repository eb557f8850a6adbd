"""heel_archive: libheel.a, one object with everything in it that a program needs besides libc and libstdc++.

Only the functions of the public header are global in it: what libheel is made of (gRPC, protobuf-c, the
generated code) can't get into the way of what the program itself links.
"""

def _libraries(dep):
    files = []
    flags = []
    for linker_input in dep[CcInfo].linking_context.linker_inputs.to_list():
        for library in linker_input.libraries:
            files.append(library.pic_static_library or library.static_library)
        flags.extend(linker_input.user_link_flags)
    return files, flags

def _impl(ctx):
    own, flags = _libraries(ctx.attr.library)

    # Archives by name and how they are grouped; -pthread and the like are for the program's own link.
    system = [flag for flag in flags if flag.startswith("-l:") or flag.endswith("-group")]
    ctx.actions.run_shell(
        outputs = [ctx.outputs.archive],
        inputs = own + [ctx.file.header],
        arguments = [
            ctx.outputs.archive.path,
            ctx.file.header.path,
            " ".join([file.path for file in own]),
            " ".join(system),
        ],
        command = """
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -oE 'heel_[a-z_0-9]+\\(' "$2" | tr -d '(' | sort -u >"$work/public"
sed 's/^/-u /' "$work/public" >"$work/wanted"
c++ -nostdlib -r -o "$work/heel.o" $(cat "$work/wanted") -Wl,--start-group $3 $4 -Wl,--end-group
objcopy --keep-global-symbols="$work/public" "$work/heel.o"
# What C++ wants to be unique in a process can't be made local; by another name it is nobody else's.
nm -g --defined-only "$work/heel.o" | awk '$2 == "u" { print $3, "heel_private_" $3 }' >"$work/unique"
objcopy --redefine-syms="$work/unique" --strip-debug "$work/heel.o"
rm -f "$1"
ar rcsD "$1" "$work/heel.o"
""",
        mnemonic = "HeelArchive",
        progress_message = "Making %s" % ctx.outputs.archive.short_path,
        use_default_shell_env = True,
    )

heel_archive = rule(
    implementation = _impl,
    attrs = {
        "archive": attr.output(),
        "header": attr.label(allow_single_file = True),
        "library": attr.label(providers = [CcInfo]),
    },
)

"""grpc_c_library: C messages, client stubs and service tables from .proto files.

    grpc_c_library(
        name = "sandbox_c",
        protos = ["sandbox.proto"],
        deps = ["//bazel/deps:well_known_types"],
    )

makes a cc_library for `#include "heel/v1/sandbox.pb-c.h"` (messages, by protoc-c) and
`#include "heel/v1/sandbox.grpc-c.h"` (stubs and tables, by //proto/generator).
"""

_ProtoFilesInfo = provider(fields = {
    "protos": "depset of the .proto files of a library and of all that it imports",
})

def _headers(proto, services):
    stem = proto[:-len(".proto")]
    return [stem + ".pb-c.h"] + ([stem + ".grpc-c.h"] if services else [])

def _sources(proto, services):
    return [header[:-1] + "c" for header in _headers(proto, services)]

def _imports(deps):
    return [dep[_ProtoFilesInfo].protos for dep in deps if _ProtoFilesInfo in dep]

def _generate_impl(ctx):
    inputs = depset(ctx.files.protos, transitive = _imports(ctx.attr.deps))
    out = "/".join([ctx.bin_dir.path, ctx.attr.root])

    args = ctx.actions.args()
    args.add("--proto_path=" + ctx.attr.root)
    args.add("--c_out=" + out)
    if ctx.executable.plugin:
        args.add(ctx.executable.plugin, format = "--plugin=protoc-gen-grpc-c=%s")
        args.add("--grpc-c_out=" + out)
    args.add_all(ctx.files.protos)

    ctx.actions.run(
        executable = "/usr/bin/protoc",
        arguments = [args],
        inputs = inputs,
        tools = [ctx.executable.plugin] if ctx.executable.plugin else [],
        outputs = ctx.outputs.headers + ctx.outputs.sources,
        mnemonic = "GrpcC",
        progress_message = "Generating C from %{label}",
        use_default_shell_env = True,  # protoc finds protoc-gen-c by PATH
    )

    # The include path of what was generated; a system one, so that its users' warnings spare it.
    context = cc_common.create_compilation_context(system_includes = depset([out]))
    return [CcInfo(compilation_context = context)]

_generate = rule(
    implementation = _generate_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "headers": attr.output_list(),
        "plugin": attr.label(executable = True, cfg = "exec"),
        "protos": attr.label_list(allow_files = [".proto"]),
        "root": attr.string(),
        "sources": attr.output_list(),
    },
)

def _library_impl(ctx):
    protos = depset(ctx.files.protos, transitive = _imports(ctx.attr.deps))
    return [
        ctx.attr.library[CcInfo],
        ctx.attr.library[DefaultInfo],
        _ProtoFilesInfo(protos = protos),
    ]

_library = rule(
    implementation = _library_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "library": attr.label(providers = [CcInfo]),
        "protos": attr.label_list(allow_files = [".proto"]),
    },
    provides = [CcInfo],
)

def _proto_files_impl(ctx):
    files = depset(transitive = _imports(ctx.attr.deps))
    return [DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files))]

proto_files = rule(
    implementation = _proto_files_impl,
    attrs = {"deps": attr.label_list(providers = [_ProtoFilesInfo])},
    doc = "The .proto files of grpc_c_library targets, and those that they import.",
)

def grpc_c_library(
        name,
        protos,
        deps = [],
        services = True,
        root = "proto",
        visibility = None,
        testonly = False):
    """A C library for .proto files.

    Args:
      name: of the library; other cc rules name it in their deps.
      protos: .proto files of this package. Either all of them declare services or none does.
      deps: libraries for what the .proto files import.
      services: False where the .proto files declare messages only.
      root: the folder, a parent of this package, that import paths start from.
      visibility: who may use the library.
      testonly: as in every rule.
    """
    package = native.package_name() + "/"
    if not package.startswith(root + "/"):
        fail("package //%s is not under the root //%s" % (package, root))

    headers = [header for proto in protos for header in _headers(proto, services)]
    sources = [source for proto in protos for source in _sources(proto, services)]
    _generate(
        name = name + "_generate",
        deps = deps,
        headers = headers,
        plugin = "//proto/generator:protoc-gen-grpc-c" if services else None,
        protos = protos,
        root = root,
        sources = sources,
        testonly = testonly,
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name + "_cc",
        srcs = sources,
        hdrs = headers,
        copts = ["-std=gnu11"],
        deps = deps + [
            name + "_generate",
            "//bazel/deps:protobuf_c",
        ] + (["//proto/runtime:grpcc"] if services else []),
        testonly = testonly,
        visibility = ["//visibility:private"],
    )
    _library(
        name = name,
        deps = deps,
        library = name + "_cc",
        protos = protos,
        testonly = testonly,
        visibility = visibility,
    )

# Sourced by bazel/test after ../setup.sh: the tools that come from PyPI and npm rather than Debian.
#
# They lie in $cache/tools-HASH, the hash being that of the pinned versions. Sets `tool_flags`, which
# tell tests where to find them: HEEL_TEST_VENV, a Python virtual environment with gRPC and Node, and
# HEEL_TEST_BUF, the program buf. A tool that cannot be had is not set, and its tests are skipped.

make_venv() {
    rm -rf "$tools/venv"
    python3 -m venv "$tools/venv" &&
        "$tools/venv/bin/pip" install --quiet --disable-pip-version-check --retries 2 --timeout 15 \
            -r "$top/bazel/tools/requirements.txt"
}

# Not `npm ci`: a registry may lack buf for other platforms, which the lock file then has to name.
install_node_modules() {
    cp "$top"/bazel/tools/{package.json,package-lock.json,.npmrc} "$tools/" &&
        PATH=$tools/venv/bin:$PATH npm install --prefix "$tools" --no-save --ignore-scripts --loglevel=error
}

# once NAME COMMAND: makes $tools/NAME unless that has succeeded before.
once() {
    [ -e "$tools/$1.done" ] && return
    say "installing tools for the tests: $tools/$1"
    if ! "$2" >"$tools/$1.log" 2>&1; then
        tail -n 5 "$tools/$1.log" >&2
        say "without $1: the tests that need it will be skipped (see $tools/$1.log)"
        return 1
    fi
    touch "$tools/$1.done"
}

install_tools() {
    local hash buf
    hash=$(cat "$top"/bazel/tools/{requirements.txt,package-lock.json} | sha256sum)
    tools=$cache/tools-${hash:0:12}
    mkdir -p "$tools" || die "cannot make $tools"

    tool_flags=()
    once venv make_venv && tool_flags+=("--test_env=HEEL_TEST_VENV=$tools/venv")
    once node_modules install_node_modules
    for buf in "$tools"/node_modules/@bufbuild/buf-*/bin/buf; do
        [ -x "$buf" ] && tool_flags+=("--test_env=HEEL_TEST_BUF=$buf")
    done
}

install_tools

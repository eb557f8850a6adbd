# Sourced by bazel/test after ../setup.sh: what only tests need, and nobody else should have to install.
#
# What comes from PyPI and npm lies in $cache/tools-HASH, the hash being that of the pinned versions;
# QEMU and the kernels for tests/kernels in $cache/guests-HASH. Sets `tool_flags`, which tell tests
# where to find them: HEEL_TEST_VENV, a Python virtual environment with gRPC and Node; HEEL_TEST_BUF,
# the program buf; HEEL_TEST_GUESTS. A tool that cannot be had is not set, and its tests are skipped.

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

# The packages of guests.txt by the names of what has to be fetched.
guest_packages() {
    local programs kernels kernel
    programs=$(grep -v '^\(#\|linux-image\)' "$top/bazel/tools/guests.txt")
    kernels=$(grep '^linux-image' "$top/bazel/tools/guests.txt")
    # shellcheck disable=SC2086
    apt-get install --simulate --no-install-recommends $programs | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
    for kernel in $kernels; do
        apt-cache depends --important "$kernel" | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p'
    done
}

download_guest_packages() {
    local packages
    mapfile -t packages < <(guest_packages)
    apt-get download "${packages[@]}"
}

# apt's lists of packages can be missing, or too old to name what is still to be had.
update_lists() {
    if [ "$UID" = 0 ]; then apt-get update; else sudo -n apt-get update; fi
}

# Unpacked rather than installed, so it takes no root and leaves the system as it is.
fetch_guests() {
    local package
    rm -rf "$guests" && mkdir -p "$guests/packages" && cd "$guests/packages" || return
    download_guest_packages || { update_lists && download_guest_packages; } || return
    for package in *.deb; do
        case $package in
            linux-image-*) dpkg-deb --fsys-tarfile "$package" | tar -x -C "$guests" --wildcards './boot/vmlinuz-*' ;;
            *) dpkg-deb --extract "$package" "$guests" ;;
        esac || return
    done
    rm -r "$guests/packages"
}

# once PATH COMMAND: makes PATH unless that has succeeded before.
once() {
    [ -e "$1.done" ] && return
    say "installing tools for the tests: $1"
    if ! ("$2") >"$1.log" 2>&1; then
        tail -n 5 "$1.log" >&2
        say "without ${1##*/}: the tests that need it will be skipped (see $1.log)"
        return 1
    fi
    touch "$1.done"
}

install_tools() {
    local hash buf
    hash=$(cat "$top"/bazel/tools/{requirements.txt,package-lock.json} | sha256sum)
    tools=$cache/tools-${hash:0:12}
    mkdir -p "$tools" || die "cannot make $tools"

    tool_flags=()
    once "$tools/venv" make_venv && tool_flags+=("--test_env=HEEL_TEST_VENV=$tools/venv")
    once "$tools/node_modules" install_node_modules
    for buf in "$tools"/node_modules/@bufbuild/buf-*/bin/buf; do
        [ -x "$buf" ] && tool_flags+=("--test_env=HEEL_TEST_BUF=$buf")
    done

    hash=$(sha256sum <"$top/bazel/tools/guests.txt")
    guests=$cache/guests-${hash:0:12}
    once "$guests" fetch_guests && tool_flags+=("--test_env=HEEL_TEST_GUESTS=$guests")
}

install_tools

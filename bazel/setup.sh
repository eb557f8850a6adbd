# Sourced by bazel/heel and bazel/test: makes this machine able to build.
#
# The caller sets `failed`, the exit status for "cannot be set up". Sets `top`, the checkout, and
# `cache`, a folder of this user's for what is kept between runs. Says everything on stderr.

top=$(cd -- "${BASH_SOURCE[0]%/*}/.." && pwd -P)

say() { echo "heel: $*" >&2; }
die() { say "$@"; exit "$failed"; }

# Bazel wants to know who runs it and where that user's cache is; a container may tell neither.
find_user() {
    local home
    if [ -z "${USER:-}" ]; then
        USER=$(id -un 2>/dev/null) || USER=uid$UID
        export USER
    fi
    if [ -z "${HOME:-}" ]; then
        home=$(getent passwd "$UID" | cut -d: -f6)
        export HOME=${home:-/nonexistent}
    fi
}

writable() { mkdir -p "$1" 2>/dev/null && [ -w "$1" ]; }

find_cache() {
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/heel
    writable "$cache" || use_temporary_cache
    # Bazel's own default, which plain bazel shares, if that will do.
    bazel_root=()
    writable "$HOME/.cache/bazel" || bazel_root=("--output_user_root=$cache/bazel")
}

use_temporary_cache() {
    local unusable=$cache
    cache=/var/tmp/heel-$UID
    if [ ! -d "$cache" ]; then
        say "$unusable cannot be written; using $cache (set XDG_CACHE_HOME to choose another folder)"
        mkdir -m 700 "$cache" || die "set XDG_CACHE_HOME to a folder that can be written"
    fi
    # Anyone can make folders in /var/tmp, and what lies in this one is run.
    [ -O "$cache" ] && [ ! -L "$cache" ] ||
        die "$cache is not yours: set XDG_CACHE_HOME to a folder that is"
}

bazel() { command bazel "${bazel_root[@]}" "$@"; }

missing_packages() {
    local wanted installed package
    wanted=$(grep -v '^#' "$top/bazel/packages.txt")
    # shellcheck disable=SC2086
    installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $wanted 2>/dev/null)
    for package in $wanted; do
        [[ $'\n'$installed$'\n' == *$'\n'"ii $package"$'\n'* ]] || echo "$package"
    done
}

apt() {
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 && return
    tail -n 20 "$log" >&2
    die "apt-get failed (see above); the whole output is in $log"
}

install_packages() {
    command -v dpkg-query >/dev/null ||
        die "this is not a Debian system: install what bazel/packages.txt names, and put Bazel 4.2 on PATH"
    local missing log=$cache/apt.log as_root=()
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} = 0 ] && return

    if [ "$UID" != 0 ]; then
        as_root=(sudo)
        [ -t 0 ] || as_root=(sudo -n)
        if ! command -v sudo >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
            say "Debian packages are missing, and installing them needs root. Run this, then try again:"
            echo "apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
            exit "$failed"
        fi
    fi
    say "installing Debian packages: ${missing[*]}"
    apt update
    apt install -y --no-install-recommends "${missing[@]}"
}

find_user
find_cache
install_packages

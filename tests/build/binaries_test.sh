#!/bin/bash
# Our programs run on a machine with libc and libm only, and are hardened: binaries_test.sh PROGRAM…
set -u

failures=0
fail() {
    echo "$program: $*"
    failures=$((failures + 1))
}

check_libraries() {
    local libraries
    libraries=$(ldd "$program" | awk '{print $1}' | grep -vE '^(linux-vdso\.so\.1|libc\.so\.6|libm\.so\.6|/lib.*/ld-linux.*\.so\.[0-9])$')
    [ -z "$libraries" ] || fail "needs more than libc and libm: $libraries"
}

check_hardening() {
    local header segments dynamic
    header=$(readelf -hW "$program")
    segments=$(readelf -lW "$program")
    dynamic=$(readelf -dW "$program")
    [[ $header == *"Type:"*"DYN "* && $dynamic == *"FLAGS_1"*" PIE"* ]] || fail "is not position-independent"
    [[ $segments == *GNU_RELRO* ]] || fail "has no GNU_RELRO segment"
    [[ $dynamic == *BIND_NOW* ]] || fail "binds symbols lazily"
    [[ $dynamic != *TEXTREL* ]] || fail "relocates its code"
    [[ $dynamic != *RPATH* && $dynamic != *RUNPATH* ]] || fail "has a library path built in"
    grep -q 'GNU_STACK.* RW ' <<<"$segments" || fail "has an executable stack"
    ! grep 'LOAD' <<<"$segments" | grep -q 'RWE' || fail "has memory that is writable and executable"
}

for program in "$@"; do
    check_libraries
    check_hardening
done
[ $# -gt 0 ] && [ $failures = 0 ]

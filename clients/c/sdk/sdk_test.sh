#!/bin/bash
# libheel as others use it: a header, an archive and heel.pc, a C or C++ compiler, and nothing of
# this tree. The example in the README is one of those that are compiled, and they run.
set -u
heeld=$PWD/$1 example=$2 processes=$3 readme=$4 sdk=clients/c/sdk
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

check() {
    local what=$1
    shift
    if ! "$@" >"$work/output" 2>&1; then
        echo "FAILED: $what"
        cat "$work/output"
        failed=1
    fi
}

# What it takes to build one, run it and compare what it says with standard input.
check_example() {
    local source=$1 name
    name=$(basename "$1" .c)
    cat >"$work/expected"
    check "$name compiles" cc -std=c11 -Wall -Wextra -Werror "$source" $flags -o "$work/$name"
    HEEL_HEELD=$heeld check "$name runs" bash -c "'$work/$name' >'$work/said'"
    check "$name works" diff "$work/said" "$work/expected"
}

# Runfiles are links; a copy shows that the folder can be moved.
cp -rL "$sdk" "$work/prefix"
export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
cflags=$(pkg-config --cflags heel) || exit 1
flags=$(pkg-config --cflags --libs heel)
echo '#include <heel/heel.h>' >"$work/header.c"
cp "$work/header.c" "$work/header.cc"

check "the header alone, in C" cc -std=c11 -pedantic -Wall -Wextra -Werror $cflags -c "$work/header.c" -o /dev/null
check "the header alone, in C++11" c++ -std=c++11 -pedantic -Wall -Wextra -Werror $cflags -c "$work/header.cc" -o /dev/null
check "every symbol but the public ones is private" \
    awk '$1 !~ /^heel_/ { print; bad = 1 } END { exit bad }' <(nm -g --defined-only "$work/prefix/lib/libheel.a" | awk 'NF == 3 { print $3 }')

check_example "$example" <<END
exit code 0, output 3
it says: hello, world
END
check_example "$processes" <<END
from byte 0: begun
from byte 6: hello
EXITED with code 3
event: the sandbox is CREATED
event: worker started
event: worker ended: EXITED
END

# Every line of C in the README stands in the example, in this order.
sed -n '/^```c$/,/^```$/p' "$readme" | grep -v '^```' >"$work/quoted"
check "the README quotes something" test -s "$work/quoted"
check "the README quotes the example" awk '
    NR == FNR { quoted[++count] = $0; next }
    $0 == quoted[at + 1] { at++ }
    END { if (at < count) { print "not in the example, or not there: " quoted[at + 1]; exit 1 } }' "$work/quoted" "$example"
exit $failed

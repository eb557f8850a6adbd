#!/bin/bash
# The contract keeps buf's rules: buf_test.sh lint | format.
set -eu

if [ -z "${HEEL_TEST_BUF:-}" ]; then
    echo "SKIP: buf is not installed (bazel/test installs it)"
    exit 77
fi

# Runfiles are links, which buf does not follow out of its module.
work=$(mktemp -d /tmp/buf_test.XXXXXX)
trap 'rm -rf "$work"' EXIT
cp -rL proto "$work/"
cd "$work/proto"
export HOME=$work

[ "$(find heel -name '*.proto' | wc -l)" -ge 2 ] || { echo "no .proto files to look at"; exit 1; }
case $1 in
lint) "$HEEL_TEST_BUF" lint ;;
format) "$HEEL_TEST_BUF" format --diff --exit-code --path heel ;;
esac

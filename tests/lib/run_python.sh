#!/bin/bash
# run_python.sh TEST.py [ARGUMENT...]: a test in Python, with the interpreter and packages that
# bazel/test has installed.
if [ -z "${HEEL_TEST_VENV:-}" ]; then
    echo "SKIP: HEEL_TEST_VENV is not set; run bazel/test, which installs Python's gRPC"
    exit 77
fi
test=$1
shift
PYTHONPATH=tests/lib exec "$HEEL_TEST_VENV/bin/python3" -B "$test" "$@"

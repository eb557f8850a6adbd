"""C rules for heel's own code: cc_library, cc_binary and cc_test with warnings as errors.

Hardening flags are in .bazelrc and hold for generated code too.
"""

_COPTS = [
    "-std=gnu11",
    "-D_GNU_SOURCE=",  # empty, as in the #define of a file that says it itself
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wconversion",
    "-Werror",
]

def heel_cc_library(copts = [], **kwargs):
    native.cc_library(copts = _COPTS + copts, **kwargs)

def heel_cc_binary(copts = [], **kwargs):
    native.cc_binary(copts = _COPTS + copts, **kwargs)

def heel_cc_test(copts = [], size = "small", tags = [], **kwargs):
    """A test program: exit status 0 passed, 77 skipped (it prints why), else failed.

    bazel/test runs it a second time with sanitizers. Tag it "no-sanitize" where that cannot work.
    """
    if "no-sanitize" not in tags:
        tags = tags + ["sanitize"]
    native.cc_test(copts = _COPTS + copts, size = size, tags = tags, **kwargs)

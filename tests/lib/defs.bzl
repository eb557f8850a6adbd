"""heel_python_test: a black-box test in Python against real programs of ours."""

def heel_python_test(name, srcs, programs = [], data = [], args = [], tags = [], **kwargs):
    """Runs srcs[0]. It gets //server:heeld, the .proto files and tests/lib; exit status 77 skips.

    "local": outside Bazel's own sandbox, in which root is root of one uid only, and heeld as root
    needs many.
    """
    native.sh_test(
        name = name,
        srcs = ["//tests/lib:run_python.sh"],
        args = ["$(rootpath %s)" % srcs[0]] + args,
        data = srcs + data + programs + [
            "//proto/heel/v1:error.proto",
            "//proto/heel/v1:event.proto",
            "//proto/heel/v1:process.proto",
            "//proto/heel/v1:sandbox.proto",
            "//server:heeld",
            "//tests/lib:heeltest",
        ],
        tags = tags + ["local"],
        **kwargs
    )

def heel_bare_test(name, **kwargs):
    """The same test as NAME without its "_bare", with sandboxes that have no namespaces."""
    heel_python_test(name = name, args = ["--without-namespaces"], **kwargs)

"""c_sources: the C files of ours that a program is made of, for tests that read them."""

_Sources = provider(doc = "C files.", fields = {"files": "depset of File"})

def _collect_impl(target, ctx):
    own = [
        file
        for source in getattr(ctx.rule.attr, "srcs", [])
        for file in source.files.to_list()
        if file.is_source and file.extension == "c" and not target.label.workspace_name
    ]
    below = [dep[_Sources].files for dep in getattr(ctx.rule.attr, "deps", []) if _Sources in dep]
    if type(getattr(ctx.rule.attr, "actual", None)) == "Target" and _Sources in ctx.rule.attr.actual:
        below.append(ctx.rule.attr.actual[_Sources].files)
    return [_Sources(files = depset(own, transitive = below))]

_collect = aspect(implementation = _collect_impl, attr_aspects = ["actual", "deps"])

def _c_sources_impl(ctx):
    files = ctx.attr.of[_Sources].files
    return [DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files))]

c_sources = rule(
    implementation = _c_sources_impl,
    attrs = {"of": attr.label(aspects = [_collect], mandatory = True)},
)

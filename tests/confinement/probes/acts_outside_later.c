/* Writes files that somebody's tools act on later, in the folder ACTING of a working directory. */
#include "tests/confinement/probes/probe.h"

#include <sys/stat.h>

static void try(const char *path)
{
    probe_fd(path, open(path, O_WRONLY | O_CREAT, 0755));
}

int main(void)
{
    static const char *const files[] = {
        "repo/.git/hooks/pre-commit",
        "repo/.git/config",
        "repo/.git/config.worktree",
        "repo/.git/commondir",
        "repo/nested/.git/hooks/x",
        "module/.git",
        ".vscode/tasks.json",
        ".bashrc",
        ".envrc",
        ".mcp.json",
        ".npmrc",
        ".yarnrc.yml",
        ".bazelrc",
        ".gdbinit",
        "mise.toml",
        ".selected_editor",
        ".ssh/config",
    };
    static const char *const folders[] = {
        "repo",        "repo/.git",        "repo/.git/hooks",
        "repo/nested", "repo/nested/.git", "repo/nested/.git/hooks",
        "module",      ".vscode",          ".ssh",
    };

    if (chdir(probe_env("ACTING")) != 0)
        return 3;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        mkdir(folders[i], 0700);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        try(files[i]);
    if (probe_call("rename .git", rename("repo/.git", "repo/git")) == 0)
        rename("repo/git", "repo/.git");
    if (probe_call("rename its folder", rename("repo", "moved")) == 0)
        rename("moved", "repo");
    return probe_end();
}

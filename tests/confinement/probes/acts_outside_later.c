/* Writes files that somebody's tools act on later, in a working directory that holds a repository.
 */
#include "tests/confinement/probes/probe.h"

#include <sys/stat.h>

static void try(const char *way, const char *path)
{
    probe_fd(way, open(path, O_WRONLY | O_CREAT, 0755));
}

int main(void)
{
    static const char *const files[] = {
        ".bashrc",     ".envrc",   ".mcp.json", ".npmrc",
        ".yarnrc.yml", ".bazelrc", ".gdbinit",  "mise.toml",
    };

    try("a hook", "repo/.git/hooks/pre-commit");
    try("config", "repo/.git/config");
    try("config.worktree", "repo/.git/config.worktree");
    try("commondir", "repo/.git/commondir");
    try("a nested repository's hook", "repo/nested/.git/hooks/pre-commit");
    if (probe_call("rename .git", rename("repo/.git", "repo/git")) == 0)
        rename("repo/git", "repo/.git");
    mkdir(".vscode", 0700);
    try(".vscode/tasks.json", ".vscode/tasks.json");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        try(files[i], files[i]);
    return probe_end();
}

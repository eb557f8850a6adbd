/* Moves protected files and folders away, or others to where they are: ACTING/.bashrc, a repository
 * below it, and OUTSIDE/plain. */
#include "tests/confinement/probes/probe.h"

#include <sys/stat.h>

#define EXCHANGE 2U
#define WHITEOUT 4U

static void try(const char *way, const char *from, const char *to, unsigned flags)
{
    if (probe_call(way, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags)) == 0)
        syscall(SYS_renameat2, AT_FDCWD, to, AT_FDCWD, from, flags & EXCHANGE);
}

int main(void)
{
    const char *acting = probe_path("ACTING", ".bashrc"), *outside = probe_path("OUTSIDE", "plain");

    close(open("mine", O_WRONLY | O_CREAT, 0600));
    mkdir("folder", 0700);
    try("exchange a file", "mine", acting, EXCHANGE);
    try("exchange a repository's folder", "folder", probe_path("ACTING", "repo"), EXCHANGE);
    try("exchange .git", "folder", probe_path("ACTING", "repo/.git"), EXCHANGE);
    try("exchange with outside", "mine", outside, EXCHANGE);
    try("move away", acting, "moved", 0);
    try("move away, leaving a whiteout", acting, "whited", WHITEOUT);
    try("put in place", "mine", acting, 0);
    close(open(acting, O_WRONLY | O_CREAT, 0600));
    probe_call("unlink", unlink(acting));
    return probe_end();
}

/* Changes what lies in the folder OUTSIDE, which is granted to nobody. */
#include "tests/confinement/probes/probe.h"

#include <sys/stat.h>

int main(void)
{
    const char *made = probe_path("OUTSIDE", "made"), *file = probe_path("OUTSIDE", "plain");
    const char *other = probe_path("OUTSIDE", "other");

    probe_fd("create", open(made, O_WRONLY | O_CREAT | O_EXCL, 0600));
    unlink(made);
    probe_fd("write", open(file, O_WRONLY));
    probe_fd("append", open(file, O_RDWR | O_APPEND));
    probe_call("truncate", truncate(file, 6));
    probe_fd("O_TMPFILE", open(probe_env("OUTSIDE"), O_TMPFILE | O_RDWR, 0600));
    if (probe_call("mkdir", mkdir(made, 0700)) == 0)
        rmdir(made);
    if (probe_call("mkfifo", mkfifo(made, 0600)) == 0)
        unlink(made);
    if (probe_call("socket node", mknod(made, S_IFSOCK | 0600, 0)) == 0)
        unlink(made);
    if (probe_call("symlink", symlink("x", made)) == 0)
        unlink(made);
    if (probe_call("link", link(file, made)) == 0)
        unlink(made);
    if (probe_call("rename", rename(file, other)) == 0 && rename(other, file) != 0)
        return 3;
    close(open("mine", O_WRONLY | O_CREAT, 0600));
    probe_call("rename into", rename("mine", made));
    if (probe_call("unlink", unlink(probe_path("OUTSIDE", "spare"))) == 0)
        close(open(probe_path("OUTSIDE", "spare"), O_WRONLY | O_CREAT, 0644));
    unlink(made);
    return probe_end();
}

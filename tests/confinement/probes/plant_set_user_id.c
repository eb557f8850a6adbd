/* Makes a set-user-ID or set-group-ID file in the working directory, for whoever runs it outside.
 */
#include "tests/confinement/probes/probe.h"

#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define FCHMODAT2 452
#define NAME "planted"

/* Judged by what lies there, as a call that drops the bits is as good as one that fails. */
static void look(const char *way)
{
    struct stat status;

    if (lstat(NAME, &status) != 0)
        probe_shut(way, "not made: %s", strerrorname_np(errno));
    else if (status.st_mode & (S_ISUID | S_ISGID))
        probe_open(way, "mode %o", (unsigned)status.st_mode);
    else
        probe_shut(way, "mode %o", (unsigned)status.st_mode);
    unlink(NAME);
    rmdir(NAME);
}

static int fresh(void)
{
    return open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0755);
}

static void by_tmpfile(mode_t mode)
{
    int fd = open(".", O_TMPFILE | O_RDWR, mode);
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd < 0 || linkat(AT_FDCWD, path, AT_FDCWD, NAME, AT_SYMLINK_FOLLOW) != 0)
        errno = EPERM;
    look("O_TMPFILE");
    close(fd);
}

static void by_socket(void)
{
    struct sockaddr_un address = {AF_UNIX, NAME};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    fchmod(fd, 06755);
    umask(0);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        errno = EPERM;
    look("a socket's node");
    close(fd);
}

int main(void)
{
    /* cap_setuid=ep, revision 2 */
    static const unsigned char capability[20] = {1, 0, 0, 2, 0x80, 0, 0, 0, 0, 0};
    struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = 06755};
    int fd;

    umask(0);
    close(fresh());
    chmod(NAME, 06755);
    look("chmod");
    fd = fresh();
    fchmod(fd, 04755);
    look("fchmod");
    close(fresh());
    errno = fchmodat(AT_FDCWD, NAME, 02755, 0) == 0 ? 0 : errno;
    look("fchmodat");
    close(fresh());
    syscall(FCHMODAT2, AT_FDCWD, NAME, 06755, 0);
    look("fchmodat2");
    close(fresh());
    syscall(SYS_chmod, NAME, 06755UL | 1UL << 32);
    look("chmod, high bits");
    close(open(NAME, O_WRONLY | O_CREAT, 06755));
    look("open");
    close(creat(NAME, 04755));
    look("creat");
    syscall(SYS_openat2, AT_FDCWD, NAME, &how, sizeof how);
    look("openat2");
    mknod(NAME, S_IFREG | 06755, 0);
    look("mknod");
    by_tmpfile(04755);
    by_socket();
    close(fresh());
    probe_call("security.capability",
               setxattr(NAME, "security.capability", capability, sizeof capability, 0));
    unlink(NAME);
    mkdir(NAME, 0755);
    chmod(NAME, 02755);
    look("chmod of a folder");
    return probe_end();
}

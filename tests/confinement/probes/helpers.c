/* Takes hold of every process of heel's in the sandbox (their names begin so; init is one, and the
 * hand that makes connects), and of what it has open. There is none outside. */
#include "tests/confinement/probes/probe.h"

#include <dirent.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static bool is_heels(int pid)
{
    char path[64], name[32] = "";
    int fd;

    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    fd = open(path, O_RDONLY);
    if (fd < 0 || read(fd, name, sizeof name - 1) < 0)
        return false;
    close(fd);
    return strncmp(name, "heel-", 5) == 0;
}

/* "NAME of PID"; static. */
static const char *way(const char *name, int pid)
{
    static char text[64];

    snprintf(text, sizeof text, "%s of %d", name, pid);
    return text;
}

static void try_open(int pid, const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    probe_fd(way(name, pid), open(path, flags));
}

static void attack(int pid)
{
    static const char *const links[] = {"fd/0", "cwd", "root"};
    char text[8];
    struct iovec here = {text, sizeof text}, there = {(void *)(uintptr_t)0x1000, sizeof text};
    struct rlimit limit;
    ssize_t got;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        try_open(pid, links[i], O_RDONLY);
    try_open(pid, "mem", O_RDWR);
    try_open(pid, "environ", O_RDONLY);
    for (int fd = 0; fd < 16; fd++)
        probe_fd(way("a descriptor", pid), (int)syscall(438, pidfd, fd, 0));
    got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    if (got == 0 || errno != ESRCH) /* or it was another sandbox's, and has ended */
        probe_permission(way("memory", pid), got);
    probe_call(way("PTRACE_SEIZE", pid), ptrace(PTRACE_SEIZE, pid, 0, 0));
    probe_call(way("limits", pid), prlimit(pid, RLIMIT_NOFILE, NULL, &limit));
    close(pidfd);
}

/* Makes a connect that heel decides on, so that there is who makes it. */
static void call_for_help(void)
{
    struct sockaddr_un address = {AF_UNIX, "help"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    if (bind(listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
        listen(listener, 1) == 0 &&
        connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&address,
                sizeof address) != 0)
        printf("connect: %s\n", strerrorname_np(errno));
    unlink("help");
}

int main(void)
{
    const struct dirent *entry;
    DIR *processes;
    int count = 0;

    call_for_help();
    processes = opendir("/proc");
    while (processes && (entry = readdir(processes))) {
        int pid = atoi(entry->d_name);

        if (pid > 0 && is_heels(pid)) {
            attack(pid);
            count++;
        }
    }
    if (count == 0)
        probe_absent("any", "none is seen");
    return probe_end();
}

/* The kernel does what the filters say, and asks the listener where they do. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/seccomp/seccomp.h"
#include "base/cleanup.h"
#include "base/test.h"

/* ---- the kernel ---- */

/* A call that succeeds, or fails in another way, without the filter. */
static const struct probe {
    const char *name;
    long number;
    unsigned long arguments[6];
    int refused;
} probes[] = {
    {"unshare of nothing", SYS_unshare, {0}, EPERM},
    {"setns", SYS_setns, {(unsigned long)-1}, EPERM},
    {"clone of a user namespace", SYS_clone, {CLONE_NEWUSER | CLONE_FS | CLONE_THREAD}, EPERM},
    {"clone3", SYS_clone3, {0, 0}, ENOSYS},
    {"openat2", SYS_openat2, {(unsigned long)-1, 0, 0, 0}, ENOSYS},
    {"mount", SYS_mount, {1, 1, 1}, EPERM},
    {"fsopen", SYS_fsopen, {1}, EPERM},
    {"open_tree", SYS_open_tree, {(unsigned long)-1, 1}, EPERM},
    {"move_mount", SYS_move_mount, {(unsigned long)-1, 1, (unsigned long)-1, 1, 0xffff}, EPERM},
    {"pivot_root", SYS_pivot_root, {1, 1}, EPERM},
    {"chroot", SYS_chroot, {1}, EPERM},
    {"bpf", SYS_bpf, {9999}, EPERM},
    {"perf_event_open", SYS_perf_event_open, {1}, EPERM},
    {"userfaultfd", SYS_userfaultfd, {0xffff0000}, EPERM},
    {"io_uring_setup", SYS_io_uring_setup, {0, 0}, EPERM},
    {"keyctl", SYS_keyctl, {9999}, EPERM},
    {"add_key", SYS_add_key, {1}, EPERM},
    {"request_key", SYS_request_key, {1}, EPERM},
    {"fanotify_init", SYS_fanotify_init, {0xffff0000}, EPERM},
    {"name_to_handle_at", SYS_name_to_handle_at, {(unsigned long)-1, 1}, EPERM},
    {"open_by_handle_at", SYS_open_by_handle_at, {(unsigned long)-1, 1}, EPERM},
    {"quotactl", SYS_quotactl, {0xffff}, EPERM},
    {"kcmp", SYS_kcmp, {0, 0, 9999}, EPERM},
    {"pidfd_getfd", SYS_pidfd_getfd, {(unsigned long)-1, 0, 1}, EPERM},
    {"syslog", SYS_syslog, {9999}, EPERM},
    {"kexec_load", SYS_kexec_load, {0, 0, 0, 0xffff}, EPERM},
    {"reboot", SYS_reboot, {0}, EPERM},
    {"init_module", SYS_init_module, {0, 0, 0}, EPERM},
    {"swapon", SYS_swapon, {1, 0xf0000000}, EPERM},
    {"acct", SYS_acct, {1}, EPERM},
    {"clock_settime", SYS_clock_settime, {9999}, EPERM},
    {"adjtimex", SYS_adjtimex, {0}, EPERM},
    {"migrate_pages", SYS_migrate_pages, {0, 0, 1}, EPERM},
    {"an unknown call", 1999, {0}, ENOSYS},

    {"AF_ALG", SYS_socket, {38, SOCK_SEQPACKET}, EAFNOSUPPORT},
    {"AF_ALG in the lower half", SYS_socket, {38 | 1UL << 32, SOCK_SEQPACKET}, EAFNOSUPPORT},
    {"AF_VSOCK", SYS_socket, {40, SOCK_STREAM}, EAFNOSUPPORT},
    {"AF_PACKET", SYS_socket, {17, SOCK_RAW}, EAFNOSUPPORT},
    {"AF_KEY", SYS_socket, {15, SOCK_RAW, 2}, EAFNOSUPPORT},
    {"netlink other than ROUTE", SYS_socket, {16, SOCK_RAW, 4}, EAFNOSUPPORT},
    {"a Unix datagram socket", SYS_socket, {AF_UNIX, SOCK_DGRAM}, ESOCKTNOSUPPORT},
    {"a close-on-exec Unix datagram socket",
     SYS_socket,
     {AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC},
     ESOCKTNOSUPPORT},
    {"a pair of Unix datagram sockets", SYS_socketpair, {AF_UNIX, SOCK_DGRAM}, ESOCKTNOSUPPORT},
    {"a raw socket", SYS_socket, {AF_INET, SOCK_RAW, 255}, ESOCKTNOSUPPORT},
    {"a ping socket", SYS_socket, {AF_INET, SOCK_DGRAM, IPPROTO_ICMP}, EPROTONOSUPPORT},
    {"MPTCP", SYS_socket, {AF_INET, SOCK_STREAM, 262}, EPROTONOSUPPORT},
    {"MPTCP over IPv6", SYS_socket, {AF_INET6, SOCK_STREAM, 262}, EPROTONOSUPPORT},
    {"UDP-Lite", SYS_socket, {AF_INET, SOCK_DGRAM, 136}, EPROTONOSUPPORT},
    {"MSG_FASTOPEN", SYS_sendto, {(unsigned long)-1, 0, 0, MSG_FASTOPEN}, EOPNOTSUPP},
    {"TCP_FASTOPEN_CONNECT", SYS_setsockopt, {(unsigned long)-1, IPPROTO_TCP, 30}, ENOPROTOOPT},
    {"UDP_ENCAP", SYS_setsockopt, {(unsigned long)-1, IPPROTO_UDP, 100}, ENOPROTOOPT},
    {"SO_ATTACH_FILTER", SYS_setsockopt, {(unsigned long)-1, SOL_SOCKET, 26}, ENOPROTOOPT},
    {"SO_ATTACH_BPF", SYS_setsockopt, {(unsigned long)-1, SOL_SOCKET, 50}, ENOPROTOOPT},

    {"TIOCSTI", SYS_ioctl, {(unsigned long)-1, 0x5412}, EPERM},
    {"TIOCSTI with an upper half", SYS_ioctl, {(unsigned long)-1, 0x5412 | 1UL << 32}, EPERM},
    {"TIOCLINUX", SYS_ioctl, {(unsigned long)-1, 0x541c}, EPERM},
    {"SIOCGIFBR", SYS_ioctl, {(unsigned long)-1, 0x8940}, EPERM},
    {"SIOCGIFVLAN with an upper half", SYS_ioctl, {(unsigned long)-1, 0x8982 | 1UL << 32}, EPERM},
    {"a wireless ioctl", SYS_ioctl, {(unsigned long)-1, 0x8b01}, EPERM},
    {"SIOCETHTOOL", SYS_ioctl, {(unsigned long)-1, 0x8946}, EOPNOTSUPP},
    {"a notification pipe", SYS_pipe2, {0, O_EXCL}, ENOPKG},
    {"SHM_LOCK", SYS_shmctl, {(unsigned long)-1, SHM_LOCK}, EPERM},
    {"io_setup", SYS_io_setup, {1, 0}, ENOSYS},
    {"F_SETLEASE", SYS_fcntl, {(unsigned long)-1, 1024}, EPERM},
    {"F_SETPIPE_SZ", SYS_fcntl, {(unsigned long)-1, 1031}, EPERM},
    {"prlimit64 of pid 1", SYS_prlimit64, {1, 9999}, EPERM},
    {"setpriority of pid 1", SYS_setpriority, {PRIO_PROCESS, 999999, 20}, EPERM},
    {"setpriority of a user", SYS_setpriority, {PRIO_USER, 999999, 20}, EPERM},
    {"ioprio_set of pid 1", SYS_ioprio_set, {1, 1, 0xffff}, EPERM},
    {"sched_setaffinity of pid 1", SYS_sched_setaffinity, {1, 0, 0}, EPERM},
    {"sched_setscheduler of pid 1", SYS_sched_setscheduler, {1, 9999, 1}, EPERM},
    {"sched_setattr of pid 1", SYS_sched_setattr, {1, 0, 0}, EPERM},
    {"personality", SYS_personality, {ADDR_NO_RANDOMIZE}, EPERM},
    {"a set-user-ID file", SYS_fchmod, {(unsigned long)-1, 04755}, EPERM},
    {"a set-group-ID file", SYS_fchmodat, {(unsigned long)-1, 1, 02755}, EPERM},
    {"a new set-user-ID file",
     SYS_openat,
     {(unsigned long)-1, 1, O_CREAT | O_WRONLY, 04755},
     EPERM},
    {"a second listener", SYS_seccomp, {SECCOMP_SET_MODE_FILTER, 8, 0}, EINVAL},
    {"a filter of one's own", SYS_seccomp, {SECCOMP_SET_MODE_FILTER, 0, 0}, EINVAL},
    {"a filter by prctl", SYS_prctl, {PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0}, EINVAL},
    {"memfd_secret", SYS_memfd_secret, {0}, ENOSYS},
    {"a huge page", SYS_mmap, {0, 2 << 20, PROT_READ, MAP_HUGETLB, (unsigned long)-1}, ENOMEM},
    {"a memory file of huge pages", SYS_memfd_create, {0, 4}, ENOSYS},
    {"F_SET_RW_HINT", SYS_fcntl, {(unsigned long)-1, 1036}, EINVAL},
};

static int attempt(const struct probe *probe)
{
    const unsigned long *arguments = probe->arguments;
    long result = syscall(probe->number, arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4], arguments[5]);

    return result < 0 ? errno : 0;
}

/* The errno of the probe in a child, with the filter or without; negative: the signal that ended
 * it. */
static int outcome(const struct probe *probe, bool filtered)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (filtered && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || heel_seccomp_load(NULL) < 0))
            _exit(255);
        _exit(attempt(probe));
    }
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void kernel_refuses(void)
{
    unsigned proved = 0;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(probes); i++) {
        int with = outcome(&probes[i], true), without = outcome(&probes[i], false);

        if (with != probes[i].refused)
            HEEL_TEST_FAIL("%s: errno %d, expected %d", probes[i].name, with, probes[i].refused);
        /* Root alone gets far enough to fail otherwise in some. */
        if (without == probes[i].refused)
            printf("%s fails alike without the filter: %d\n", probes[i].name, without);
        else
            proved++;
    }
    CHECK(proved > HEEL_ARRAY_LENGTH(probes) / 2);
}

static void foreign_entries_kill(void)
{
    static const struct probe x32 = {"x32", 0x40000000 | SYS_getpid, {0}, 0};

    CHECK_INT(outcome(&x32, true), -SIGSYS);
    CHECK(outcome(&x32, false) != -SIGSYS);
}

#if defined(__x86_64__)
static void i386_kills(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        long result = 20; /* getpid there */

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || heel_seccomp_load(NULL) < 0)
            _exit(255);
        __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
        _exit(0);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGSYS ||
          WTERMSIG(status) == SIGSEGV); /* SEGV: the kernel has no i386 entry at all */
}
#endif

/* Whoever sets it believes that it is done. */
static void check_core_limit_stays(void)
{
    static const struct rlimit zero = {0, 0};
    struct rlimit before, after;

    CHECK(getrlimit(RLIMIT_CORE, &before) == 0);
    CHECK(setrlimit(RLIMIT_CORE, &zero) == 0);
    CHECK(syscall(SYS_setrlimit, RLIMIT_CORE | 1UL << 32, &zero) == 0);
    CHECK(prlimit(0, RLIMIT_CORE, &zero, NULL) == 0);
    CHECK(prlimit(0, RLIMIT_CORE, &zero, &after) == -1);
    CHECK(prlimit(0, RLIMIT_CORE, NULL, &after) == 0);
    CHECK_INT(after.rlim_cur, before.rlim_cur);
    CHECK_INT(after.rlim_max, before.rlim_max);
}

/* Memory whose address has a lower half of zeros. */
static void check_core_limit_by_odd_pointers(void)
{
    struct rlimit *odd = mmap((void *)0x700000000000, 4096, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    struct rlimit before, after;

    REQUIRE(odd == (void *)0x700000000000);
    *odd = (struct rlimit){0, 0};
    CHECK(getrlimit(RLIMIT_CORE, &before) == 0);
    CHECK(prlimit(0, RLIMIT_CORE, odd, NULL) == 0);
    prlimit(0, RLIMIT_CORE, odd, &after);
    CHECK(getrlimit(RLIMIT_CORE, &after) == 0);
    CHECK_INT(after.rlim_cur, before.rlim_cur);
    CHECK_INT(after.rlim_max, before.rlim_max);
}

static void check_allowed(void)
{
    int pipe_ends[2], pair[2];
    struct ifconf interfaces = {0};
    struct rlimit limit;

    CHECK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
    CHECK(socket(AF_INET6, SOCK_DGRAM, 0) >= 0 || errno == EAFNOSUPPORT);
    CHECK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0) >= 0);
    CHECK(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    CHECK(pipe(pipe_ends) == 0);
    CHECK(prlimit(0, RLIMIT_NOFILE, NULL, &limit) == 0);
    check_core_limit_stays();
    check_core_limit_by_odd_pointers();
    CHECK(ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCGIFCONF, &interfaces) == 0);
    CHECK(setrlimit(RLIMIT_LOCKS, &(struct rlimit){7, 7}) == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0)) == 0);
    CHECK(personality(0xffffffff) >= 0);
    CHECK(setresuid(geteuid(), geteuid(), geteuid()) == 0);
    CHECK(memfd_create("x", 0) >= 0);
    CHECK(fork() >= 0);
}

static void ordinary_work_goes_on(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        pid_t self = getpid();

        heel_test_failures = 0;
        REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && heel_seccomp_load(NULL) == 0);
        check_allowed();
        while (getpid() == self && wait(NULL) > 0)
            ;
        _exit(heel_test_end());
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
}

/* ---- supervision ---- */

static int try_connect(void)
{
    const struct sockaddr_un nowhere = {AF_UNIX, "/nonexistent"};
    int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return connect(socket_fd, (const struct sockaddr *)&nowhere, sizeof nowhere) ? errno : 0;
}

static int try_passing(const struct heel_seccomp_pass *pass)
{
    const struct sockaddr_un nowhere = {AF_UNIX, "/nonexistent"};
    int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return heel_seccomp_connect(pass, socket_fd, &nowhere, sizeof nowhere) ? errno : 0;
}

/* What a child's connect comes to that waits for a listener which then is closed. */
static int abandoned(int listener)
{
    struct pollfd asked = {listener, POLLIN, 0};
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        close(listener);
        _exit(try_connect());
    }
    CHECK_INT(poll(&asked, 1, 10000), 1);
    CHECK_INT(asked.revents, POLLIN);
    CHECK_INT(waitpid(pid, &status, WNOHANG), 0);
    close(listener);
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return WEXITSTATUS(status);
}

static void connects_are_asked_for(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        struct heel_seccomp_pass pass, wrong;
        int listener, second;

        heel_test_failures = 0;
        REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                heel_seccomp_load_supervising(&listener, &pass, NULL) == 0);
        CHECK_INT(try_passing(&pass), ENOENT);
        CHECK(heel_seccomp_socket(&pass, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG) >= 0);
        wrong = pass;
        wrong.words[1] ^= 1;
        CHECK_INT(heel_seccomp_socket(&wrong, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG), -1);
        CHECK_INT(errno, EAFNOSUPPORT);
        CHECK_INT(heel_seccomp_load_supervising(&second, &wrong, NULL), -1);
        CHECK_INT(abandoned(listener), ENOSYS);
        _exit(heel_test_end());
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
}

static void passes_differ(void)
{
    struct heel_seccomp_pass passes[2] = {0};
    int ends[2];

    REQUIRE(pipe(ends) == 0);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(passes); i++) {
        pid_t pid = fork();
        int listener;

        if (pid == 0) {
            if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
                heel_seccomp_load_supervising(&listener, &passes[i], NULL))
                _exit(1);
            _exit(write(ends[1], &passes[i], sizeof passes[i]) != sizeof passes[i]);
        }
        REQUIRE(read(ends[0], &passes[i], sizeof passes[i]) == sizeof passes[i]);
        waitpid(pid, NULL, 0);
        CHECK(passes[i].words[0] != 0 && passes[i].words[1] != 0);
    }
    CHECK(passes[0].words[0] != passes[1].words[0] && passes[0].words[1] != passes[1].words[1]);
}

int main(void)
{
    connects_are_asked_for();
    passes_differ();
    kernel_refuses();
    foreign_entries_kill();
#if defined(__x86_64__)
    i386_kills();
#endif
    ordinary_work_goes_on();
    return heel_test_end();
}

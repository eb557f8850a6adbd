#include "backends/linux/seccomp/seccomp_sets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* clang-format off */
static const char *const files[] = {
    "read", "write", "open", "close", "stat", "fstat", "lstat", "poll", "lseek", "pread64",
    "pwrite64", "readv", "writev", "access", "pipe", "select", "dup", "dup2", "sendfile", "fcntl",
    "flock", "fsync", "fdatasync", "truncate", "ftruncate", "getdents", "getcwd", "chdir", "fchdir",
    "rename", "mkdir", "rmdir", "creat", "link", "unlink", "symlink", "readlink", "chmod", "fchmod",
    "chown", "fchown", "lchown", "umask", "utime", "mknod", "statfs", "fstatfs", "setxattr",
    "lsetxattr", "fsetxattr", "getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr",
    "flistxattr", "removexattr", "lremovexattr", "fremovexattr", "getdents64", "fadvise64",
    "utimes", "openat", "mkdirat", "mknodat", "fchownat", "futimesat", "newfstatat", "unlinkat",
    "renameat", "linkat", "symlinkat", "readlinkat", "fchmodat", "faccessat", "pselect6", "ppoll",
    "splice", "tee", "sync_file_range", "vmsplice", "utimensat", "fallocate", "dup3", "pipe2",
    "preadv", "pwritev", "syncfs", "renameat2", "copy_file_range", "preadv2", "pwritev2", "statx",
    "faccessat2", "fchmodat2", "close_range", "cachestat", "setxattrat", "getxattrat",
    "listxattrat", "removexattrat", "file_getattr", "file_setattr", "sync", "readahead",
    "inotify_init", "inotify_add_watch", "inotify_rm_watch", "inotify_init1", "ioctl",
    "memfd_create", "epoll_create", "epoll_wait", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
    "epoll_create1", "eventfd", "eventfd2", "signalfd", "signalfd4", "timerfd_create",
    "timerfd_settime", "timerfd_gettime", NULL,
};

static const char *const memory[] = {
    "mmap", "mprotect", "munmap", "brk", "mremap", "msync", "mincore", "madvise", "mlock",
    "munlock", "mlockall", "munlockall", "mlock2", "remap_file_pages", "pkey_mprotect",
    "pkey_alloc", "pkey_free", "mseal", "map_shadow_stack", "membarrier",
    "get_mempolicy", "set_mempolicy", "mbind", "set_mempolicy_home_node", "process_madvise",
    "process_mrelease", NULL,
};

static const char *const processes[] = {
    "clone", "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "kill",
    "tkill", "tgkill", "getpid", "gettid", "getppid", "getpgid", "setpgid", "getpgrp", "getsid",
    "setsid", "set_tid_address", "set_robust_list", "get_robust_list", "futex", "futex_waitv",
    "futex_wake", "futex_wait", "futex_requeue", "rseq", "arch_prctl", "prctl", "pidfd_open",
    "pidfd_send_signal", "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
    "rt_sigpending", "rt_sigtimedwait", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "rt_sigsuspend",
    "sigaltstack", "pause", "sched_yield", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min", "sched_rr_get_interval",
    "sched_getaffinity", "sched_getattr", "getpriority", "ioprio_get", "sched_setparam",
    "sched_setscheduler", "sched_setaffinity", "sched_setattr", "setpriority", "ioprio_set",
    "getrlimit", "setrlimit", "prlimit64", "getrusage", "times", "sysinfo", "uname", "getcpu",
    "getrandom", "personality", "nanosleep", "clock_nanosleep", NULL,
};

static const char *const identity[] = {
    "getuid", "getgid", "geteuid", "getegid", "setuid", "setgid", "setreuid", "setregid",
    "setresuid", "setresgid", "getresuid", "getresgid", "setfsuid", "setfsgid", "getgroups",
    "setgroups", "capget", "capset", NULL,
};

static const char *const time[] = {
    "gettimeofday", "time", "clock_gettime", "clock_getres", "getitimer", "setitimer", "alarm",
    "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete", NULL,
};

static const char *const sockets[] = {
    "socket", "socketpair", "connect", "accept", "accept4", "bind", "listen", "sendto", "recvfrom",
    "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown", "getsockname", "getpeername",
    "setsockopt", "getsockopt", NULL,
};

static const char *const ipc[] = {
    "shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semctl", "semtimedop", "msgget",
    "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive",
    "mq_notify", "mq_getsetattr", NULL,
};

static const char *const debugging[] = {
    "ptrace", "process_vm_readv", "process_vm_writev", NULL,
};

static const char *const self_confinement[] = {
    "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", NULL,
};

static const char *const introspection[] = {
    "statmount", "listmount", "lsm_get_self_attr", "lsm_list_modules", NULL,
};

static const char *const namespaces[] = {
    "unshare", "setns", "chroot", "listns", NULL,
};

static const char *const openat2[] = {
    "openat2", NULL,
};

static const char *const clone3[] = {
    "clone3", NULL,
};

static const char *const asynchronous_io[] = {
    "io_setup", "io_destroy", "io_getevents", "io_submit", "io_cancel", "io_pgetevents", NULL,
};

static const char *const secret_memory[] = {
    "memfd_secret", NULL,
};

static const char *const mounts[] = {
    "mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount",
    "fspick", "mount_setattr", "open_tree_attr", "swapon", "swapoff", NULL,
};

static const char *const kernel_surface[] = {
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "add_key", "request_key", "keyctl", "fanotify_init", "fanotify_mark",
    "quotactl", "quotactl_fd", "kcmp", "pidfd_getfd", "lsm_set_self_attr", "modify_ldt", "vhangup",
    NULL,
};

static const char *const file_handles[] = {
    "name_to_handle_at", "open_by_handle_at", NULL,
};

static const char *const other_processes__memory[] = {
    "migrate_pages", "move_pages", NULL,
};

static const char *const administration[] = {
    "kexec_load", "kexec_file_load", "reboot", "init_module", "finit_module", "delete_module",
    "acct", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname",
    "setdomainname", "syslog", "iopl", "ioperm", NULL,
};

static const char *const tracing[] = {
    "uretprobe", "uprobe", NULL,
};

static const char *const obsolete[] = {
    "uselib", "ustat", "sysfs", "_sysctl", "create_module", "get_kernel_syms", "query_module",
    "nfsservctl", "getpmsg", "putpmsg", "afs_syscall", "tuxcall", "security", "set_thread_area",
    "get_thread_area", "lookup_dcookie", "epoll_ctl_old", "epoll_wait_old", "vserver", NULL,
};
/* clang-format on */

const struct heel_seccomp_set heel_seccomp_sets[] = {
    {"files",
     "open, read, change and watch files; the file system's rights and mounts decide which", 0,
     files},
    {"memory", "map and protect one's own memory", 0, memory},
    {"processes",
     "start, wait for and signal processes of the sandbox, threads included; clone makes no "
     "namespaces",
     0, processes},
    {"identity", "ask for one's ids, and change among those one has, which are no others", 0,
     identity},
    {"time", "read clocks and set one's own timers", 0, time},
    {"sockets", "Unix and internet sockets in a network of the sandbox's own", 0, sockets},
    {"ipc", "System V and POSIX objects in an IPC namespace of the sandbox's own", 0, ipc},
    {"debugging",
     "debuggers and sanitizers among the sandbox's own processes; init is not dumpable", 0,
     debugging},
    {"self-confinement", "programs that sandbox themselves", 0, self_confinement},
    {"introspection", "which mounts and security modules there are", 0, introspection},
    {"namespaces",
     "a new namespace brings capabilities in it, and with them most of the kernel's attack surface",
     EPERM, namespaces},
    {"openat2",
     "its mode lies in memory, where no filter sees a set-user-ID bit; programs fall back to "
     "openat",
     ENOSYS, openat2},
    {"clone3", "its flags lie in memory, where no filter sees them; libc falls back to clone",
     ENOSYS, clone3},
    {"asynchronous I/O",
     "its contexts are counted for the whole machine; programs fall back to threads", ENOSYS,
     asynchronous_io},
    {"secret memory",
     "while nothing maps it, no limit counts it; programs do without, as on kernels that have none",
     ENOSYS, secret_memory},
    {"mounts", "what is mounted is settled when the sandbox is made", EPERM, mounts},
    {"kernel surface", "large, little used, and often where kernels were broken into", EPERM,
     kernel_surface},
    {"file handles", "open files by number, past every path that is hidden", EPERM, file_handles},
    {"other processes' memory", "moves pages of processes named by number", EPERM,
     other_processes__memory},
    {"administration", "changes the machine", EPERM, administration},
    {"tracing", "only the kernel's own trampolines make these", EPERM, tracing},
    {"obsolete", "gone from the kernel, or never there", ENOSYS, obsolete},
};

const size_t heel_seccomp_set_count = HEEL_ARRAY_LENGTH(heel_seccomp_sets);

#define ALL 0xffffffffU
#define TYPE 0xfU /* of a socket's type: the rest are flags */
#define IS(number, value) \
    { \
        HEEL_SECCOMP_IS, number, ALL, 1, \
        { \
            value \
        } \
    }
#define TYPE_IS(number, value) \
    { \
        HEEL_SECCOMP_IS, number, TYPE, 1, \
        { \
            value \
        } \
    }
#define NOT(number, value) \
    { \
        HEEL_SECCOMP_IS_NONE_OF, number, ALL, 1, \
        { \
            value \
        } \
    }
#define NEITHER(number, one, other) \
    { \
        HEEL_SECCOMP_IS_NONE_OF, number, ALL, 2, \
        { \
            one, other \
        } \
    }
#define TYPE_NEITHER(number, one, other) \
    { \
        HEEL_SECCOMP_IS_NONE_OF, number, TYPE, 2, \
        { \
            one, other \
        } \
    }
#define MASKED_IS(number, mask, value) \
    { \
        HEEL_SECCOMP_IS, number, mask, 1, \
        { \
            value \
        } \
    }
#define HAS(number, bits) \
    { \
        HEEL_SECCOMP_HAS, number, bits, 0, \
        { \
            0 \
        } \
    }

#define NEW_NAMESPACES 0x7e020000U /* every CLONE_NEW flag that clone takes */
#define NETLINK_ROUTE_PROTOCOL 0

/* No header has all of these. */
#define TCP_FASTOPEN_OPTION 23
#define TCP_FASTOPEN_CONNECT_OPTION 30
#define TCP_ULP_OPTION 31
#define ATTACH_REUSEPORT_CBPF 51
#define ATTACH_REUSEPORT_EBPF 52
#define UDP_ENCAP_OPTION 100
#define MSG_FASTOPEN_FLAG 0x20000000U
#define TTY_STI 0x5412
#define TTY_LINUX 0x541c
#define TTY_CONS 0x541d
#define TTY_SETD 0x5423
#define SETLEASE 1024
#define SETPIPE_SZ 1031
#define SOCKET_IOCTLS 0x8900U /* and the 255 that follow */
#define WIRELESS_IOCTLS 0x8b00U
#define SCHED_CORE 62
#define MEMFD_HUGETLB 4
#define SET_RW_HINT 1036
#define SET_FILE_RW_HINT 1038

#define SET_ID (S_ISUID | S_ISGID)
#define NOTIFICATION_PIPE O_EXCL
#define LIMIT_CORE 4 /* RLIMIT_CORE */
#define MAKES_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

static const char set_id[] = "set-user-ID and set-group-ID files act outside later";
static const char one_namespace[] = "a new namespace";
static const char terminal[] = "types into, or takes over, a terminal that it was lent";
static const char init_pid[] = "init is beyond the reach of its commands";
static const char core[] =
    "RLIMIT_CORE stays 1: with 0 a crash has the host's core handler started, with 1 it doesn't";
static const char locked[] = "locked System V memory is counted per user";
static const char fast_open[] =
    "TCP Fast Open connects without connect(), past what supervises that";
static const char socket_program[] =
    "programs in the kernel, which are compiled there into memory that all users share";
static const char own_filters[] =
    "the kernel compiles filters into memory that all users share, and one sandbox's would fill it "
    "for the whole machine; programs take it for a kernel that has none";
static const char huge_pages[] =
    "the machine's huge pages are there for all, and no limit counts them";
static const char disk_hint[] = "stays with a file that may only be read";
static const char type_reason[] =
    "raw sockets, and datagrams on Unix sockets, whose addresses no filter sees";
static const char protocol_reason[] =
    "protocols other than TCP and UDP go around what confines those";

const struct heel_seccomp_rule heel_seccomp_rules[] = {
    {"clone", one_namespace, EPERM, {HAS(0, NEW_NAMESPACES)}},

    /* A set-user-ID file that a sandbox makes in a shared directory would lend its user's rights,
       or root's, to whoever runs it outside. */
    {"chmod", set_id, EPERM, {HAS(1, SET_ID)}},
    {"fchmod", set_id, EPERM, {HAS(1, SET_ID)}},
    {"fchmodat", set_id, EPERM, {HAS(2, SET_ID)}},
    {"fchmodat2", set_id, EPERM, {HAS(2, SET_ID)}},
    {"mknod", set_id, EPERM, {HAS(1, SET_ID)}},
    {"mknodat", set_id, EPERM, {HAS(2, SET_ID)}},
    {"creat", set_id, EPERM, {HAS(1, SET_ID)}},
    {"open", set_id, EPERM, {HAS(1, MAKES_FILE), HAS(2, SET_ID)}},
    {"openat", set_id, EPERM, {HAS(2, MAKES_FILE), HAS(3, SET_ID)}},

    {"socket",
     "families that few programs need and many kernel bugs were in",
     EAFNOSUPPORT,
     {{HEEL_SECCOMP_IS_NONE_OF, 0, ALL, 4, {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}}}},
    {"socket",
     type_reason,
     ESOCKTNOSUPPORT,
     {IS(0, AF_UNIX), TYPE_NEITHER(1, SOCK_STREAM, SOCK_SEQPACKET)}},
    {"socket", protocol_reason, EPROTONOSUPPORT, {IS(0, AF_UNIX), NEITHER(2, 0, PF_UNIX)}},
    {"socket",
     type_reason,
     ESOCKTNOSUPPORT,
     {IS(0, AF_INET), TYPE_NEITHER(1, SOCK_STREAM, SOCK_DGRAM)}},
    {"socket",
     protocol_reason,
     EPROTONOSUPPORT,
     {IS(0, AF_INET), TYPE_IS(1, SOCK_STREAM), NEITHER(2, 0, IPPROTO_TCP)}},
    {"socket",
     protocol_reason,
     EPROTONOSUPPORT,
     {IS(0, AF_INET), TYPE_IS(1, SOCK_DGRAM), NEITHER(2, 0, IPPROTO_UDP)}},
    {"socket",
     type_reason,
     ESOCKTNOSUPPORT,
     {IS(0, AF_INET6), TYPE_NEITHER(1, SOCK_STREAM, SOCK_DGRAM)}},
    {"socket",
     protocol_reason,
     EPROTONOSUPPORT,
     {IS(0, AF_INET6), TYPE_IS(1, SOCK_STREAM), NEITHER(2, 0, IPPROTO_TCP)}},
    {"socket",
     protocol_reason,
     EPROTONOSUPPORT,
     {IS(0, AF_INET6), TYPE_IS(1, SOCK_DGRAM), NEITHER(2, 0, IPPROTO_UDP)}},
    {"socket",
     "of netlink only ROUTE, which getifaddrs reads",
     EAFNOSUPPORT,
     {IS(0, AF_NETLINK), NOT(2, NETLINK_ROUTE_PROTOCOL)}},
    {"socketpair", "pairs are Unix sockets", EAFNOSUPPORT, {NOT(0, AF_UNIX)}},
    {"socketpair", type_reason, ESOCKTNOSUPPORT, {TYPE_NEITHER(1, SOCK_STREAM, SOCK_SEQPACKET)}},

    {"sendto", fast_open, EOPNOTSUPP, {HAS(3, MSG_FASTOPEN_FLAG)}},
    {"sendmsg", fast_open, EOPNOTSUPP, {HAS(2, MSG_FASTOPEN_FLAG)}},
    {"sendmmsg", fast_open, EOPNOTSUPP, {HAS(3, MSG_FASTOPEN_FLAG)}},
    {"setsockopt",
     fast_open,
     ENOPROTOOPT,
     {IS(1, IPPROTO_TCP), IS(2, TCP_FASTOPEN_CONNECT_OPTION)}},
    {"setsockopt", fast_open, ENOPROTOOPT, {IS(1, IPPROTO_TCP), IS(2, TCP_FASTOPEN_OPTION)}},
    {"setsockopt",
     "protocols on top of TCP in the kernel (TLS, SMC)",
     ENOPROTOOPT,
     {IS(1, IPPROTO_TCP), IS(2, TCP_ULP_OPTION)}},
    {"setsockopt",
     "IPsec and L2TP inside of UDP",
     ENOPROTOOPT,
     {IS(1, IPPROTO_UDP), IS(2, UDP_ENCAP_OPTION)}},
    {"setsockopt", socket_program, ENOPROTOOPT, {IS(1, SOL_SOCKET), IS(2, SO_ATTACH_FILTER)}},
    {"setsockopt", socket_program, ENOPROTOOPT, {IS(1, SOL_SOCKET), IS(2, SO_ATTACH_BPF)}},
    {"setsockopt", socket_program, ENOPROTOOPT, {IS(1, SOL_SOCKET), IS(2, ATTACH_REUSEPORT_CBPF)}},
    {"setsockopt", socket_program, ENOPROTOOPT, {IS(1, SOL_SOCKET), IS(2, ATTACH_REUSEPORT_EBPF)}},

    {"ioctl", terminal, EPERM, {IS(1, TTY_STI)}},
    {"ioctl", terminal, EPERM, {IS(1, TTY_LINUX)}},
    {"ioctl", terminal, EPERM, {IS(1, TTY_CONS)}},
    {"ioctl", "loads line disciplines, which are old and broken", EPERM, {IS(1, TTY_SETD)}},

    {"ioctl",
     "settings of network cards; programs take it for a card that has none",
     EOPNOTSUPP,
     {IS(1, SIOCETHTOOL)}},
    /* Those that read what loopback is like, and of a socket of one's own. */
    {"ioctl",
     "loads modules (SIOCGIFBR, SIOCGIFVLAN) or configures the network",
     EPERM,
     {MASKED_IS(1, 0xffffff00U, SOCKET_IOCTLS),
      {HEEL_SECCOMP_IS_NONE_OF, 1, ALL, 20, {FIOSETOWN,        SIOCSPGRP,      FIOGETOWN,
                                             SIOCGPGRP,        SIOCATMARK,     SIOCGSTAMP_OLD,
                                             SIOCGSTAMPNS_OLD, SIOCGIFNAME,    SIOCGIFCONF,
                                             SIOCGIFFLAGS,     SIOCGIFADDR,    SIOCGIFDSTADDR,
                                             SIOCGIFBRDADDR,   SIOCGIFNETMASK, SIOCGIFMETRIC,
                                             SIOCGIFMTU,       SIOCGIFHWADDR,  SIOCGIFINDEX,
                                             SIOCGIFTXQLEN,    SIOCOUTQNSD}}}},
    {"ioctl", "configures wireless networks", EPERM, {MASKED_IS(1, 0xffffff00U, WIRELESS_IOCTLS)}},

    {"fcntl", "a lease on a program holds up whoever starts it", EPERM, {IS(1, SETLEASE)}},
    {"fcntl", "pipe pages are shared by all processes of a user", EPERM, {IS(1, SETPIPE_SZ)}},
    {"fcntl", disk_hint, EINVAL, {IS(1, SET_RW_HINT)}},
    {"fcntl", disk_hint, EINVAL, {IS(1, SET_FILE_RW_HINT)}},

    {"pipe2",
     "notification pipes are a part of the kernel that only desktops use",
     ENOPKG,
     {HAS(1, NOTIFICATION_PIPE)}},
    {"shmctl", locked, EPERM, {IS(1, SHM_LOCK)}},
    {"shmget", locked, EPERM, {HAS(2, SHM_HUGETLB)}},

    {"prlimit64", init_pid, EPERM, {NOT(0, 0)}},
    /* Reading it goes on. gpg and ssh-agent end where they can't set it to 0. */
    {"prlimit64", core, EPERM, {IS(1, LIMIT_CORE), NOT(2, 0), NOT(3, 0)}},
    {"prlimit64", core, HEEL_SECCOMP_PRETEND, {IS(1, LIMIT_CORE), NOT(2, 0)}},
    {"prlimit64", core, HEEL_SECCOMP_PRETEND, {IS(1, LIMIT_CORE), NOT(2 | HEEL_SECCOMP_UPPER, 0)}},
    {"setrlimit", core, HEEL_SECCOMP_PRETEND, {IS(0, LIMIT_CORE)}},
    {"setpriority", init_pid, EPERM, {NOT(0, 0)}},
    {"setpriority", init_pid, EPERM, {NOT(1, 0)}},
    {"ioprio_set", init_pid, EPERM, {NOT(0, 1)}},
    {"ioprio_set", init_pid, EPERM, {NOT(1, 0)}},
    /* libc names a thread by its number even when it means the caller's own, so only init's is
     * refused here; others outside have none in this pid namespace. */
    {"sched_setaffinity", init_pid, EPERM, {IS(0, 1)}},
    {"sched_setscheduler", init_pid, EPERM, {IS(0, 1)}},
    {"sched_setparam", init_pid, EPERM, {IS(0, 1)}},
    {"sched_setattr", init_pid, EPERM, {IS(0, 1)}},

    {"personality",
     "turns off address randomisation or makes memory executable",
     EPERM,
     {NEITHER(0, 0, ALL)}},
    {"prctl", "core scheduling of other processes", EPERM, {IS(0, SCHED_CORE)}},
    {"seccomp", own_filters, EINVAL, {IS(0, SECCOMP_SET_MODE_FILTER)}},
    {"prctl", own_filters, EINVAL, {IS(0, PR_SET_SECCOMP), IS(1, SECCOMP_MODE_FILTER)}},
    {"mmap", huge_pages, ENOMEM, {HAS(3, MAP_HUGETLB)}},
    {"memfd_create", huge_pages, ENOSYS, {HAS(1, MEMFD_HUGETLB)}},
};

const size_t heel_seccomp_rule_count = HEEL_ARRAY_LENGTH(heel_seccomp_rules);

const struct heel_seccomp_supervision heel_seccomp_supervisions[] = {
    {"connect", "no filter sees the address, nor what a path leads to", true},
    {"socket", "a hand asks SOCK_DIAG which sockets were bound in its sandbox", false},
};

const size_t heel_seccomp_supervision_count = HEEL_ARRAY_LENGTH(heel_seccomp_supervisions);

void heel_seccomp_get_source(enum heel_seccomp_filter filter, struct heel_seccomp_source *source)
{
    /* clang-format off */
    const struct heel_seccomp_source sources[] = {
        [HEEL_SECCOMP_FILTER] = {
            "seccomp_program",
            heel_seccomp_sets, heel_seccomp_set_count,
            heel_seccomp_rules, heel_seccomp_rule_count, false, NULL, 0,
        },
        [HEEL_SECCOMP_BARE_FILTER] = {
            "seccomp_bare_program",
            heel_seccomp_bare_sets, heel_seccomp_bare_set_count,
            heel_seccomp_bare_rules, heel_seccomp_bare_rule_count, true, NULL, 0,
        },
        [HEEL_SECCOMP_WRITE_XOR_EXECUTE_FILTER] = {
            "seccomp_write_xor_execute_program",
            heel_seccomp_write_xor_execute_sets, heel_seccomp_write_xor_execute_set_count,
            NULL, 0, true, NULL, 0,
        },
        [HEEL_SECCOMP_SUPERVISING_FILTER] = {
            "seccomp_supervising_program",
            heel_seccomp_sets, heel_seccomp_set_count,
            heel_seccomp_rules, heel_seccomp_rule_count, false,
            heel_seccomp_supervisions, heel_seccomp_supervision_count,
        },
    };
    /* clang-format on */

    *source = sources[filter];
}

const struct heel_seccomp_set *heel_seccomp_find_set(const struct heel_seccomp_source *source,
                                                     const char *syscall)
{
    for (size_t i = 0; i < source->set_count; i++)
        for (const char *const *name = source->sets[i].syscalls; *name; name++)
            if (strcmp(*name, syscall) == 0)
                return &source->sets[i];
    return NULL;
}

int heel_syscall_number(const char *name)
{
    for (size_t i = 0; i < heel_syscall_count; i++)
        if (strcmp(heel_syscalls[i].name, name) == 0)
            return heel_syscalls[i].number;
    return -1;
}

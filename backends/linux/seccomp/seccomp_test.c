/* The data name every system call; the program that was made of them says the same; and the kernel
 * does what it says. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
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
#include "backends/linux/seccomp/seccomp_program.h"
#include "backends/linux/seccomp/seccomp_sets.h"
#include "base/cleanup.h"
#include "base/test.h"

#define ENTRY_PREFIX "__x64_sys_" /* of functions that system calls enter the kernel by */

/* The program that is looked at, and its data. */
static struct heel_seccomp_source source;
static const struct sock_filter *program;
static size_t program_length;

static void look_at(enum heel_seccomp_filter index)
{
    static const struct {
        const struct sock_filter *program;
        size_t length;
    } programs[] = {
        [HEEL_SECCOMP_FILTER] = {seccomp_program, HEEL_ARRAY_LENGTH(seccomp_program)},
        [HEEL_SECCOMP_BARE_FILTER] = {seccomp_bare_program,
                                      HEEL_ARRAY_LENGTH(seccomp_bare_program)},
        [HEEL_SECCOMP_WRITE_XOR_EXECUTE_FILTER] = {seccomp_write_xor_execute_program,
                                                   HEEL_ARRAY_LENGTH(
                                                       seccomp_write_xor_execute_program)},
        [HEEL_SECCOMP_SUPERVISING_FILTER] = {seccomp_supervising_program,
                                             HEEL_ARRAY_LENGTH(seccomp_supervising_program)},
    };

    heel_seccomp_get_source(index, &source);
    program = programs[index].program;
    program_length = programs[index].length;
}

/* ---- the data ---- */

static void check_rules(void)
{
    for (size_t i = 0; i < source.rule_count; i++) {
        const char *name = source.rules[i].syscall;
        const struct heel_seccomp_set *set = heel_seccomp_find_set(&source, name);

        if (heel_syscall_number(name) < 0 || (!set && !source.passes_others))
            HEEL_TEST_FAIL("a rule for %s, which is not known", name);
        if (set && set->refusal)
            HEEL_TEST_FAIL("a rule for %s, which is refused anyway", name);
    }
}

static void every_name_is_in_one_set(void)
{
    for (size_t i = 0; i < heel_syscall_count; i++) {
        unsigned found = 0;

        for (size_t j = 0; j < source.set_count; j++)
            for (const char *const *name = source.sets[j].syscalls; *name; name++)
                found += strcmp(*name, heel_syscalls[i].name) == 0;
        if (found != 1 && !(found == 0 && source.passes_others))
            HEEL_TEST_FAIL("%s is in %u sets", heel_syscalls[i].name, found);
    }
    for (size_t j = 0; j < source.set_count; j++)
        for (const char *const *name = source.sets[j].syscalls; *name; name++)
            if (heel_syscall_number(*name) < 0)
                HEEL_TEST_FAIL("%s of set %s is in no table", *name, source.sets[j].name);
    check_rules();
}

/* The kernel headers are a list that we did not write. */
static void table_agrees_with_headers(void)
{
    FILE *file = popen("printf '#include <asm/unistd.h>\\n' | cc -E -dM - 2>/dev/null", "r");
    char line[256], name[128];
    unsigned seen = 0;
    int number;

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "#define __NR_%127s %d", name, &number) != 2)
            continue;
        seen++;
        if (heel_syscall_number(name) != number)
            HEEL_TEST_FAIL("%s is %d in the headers, %d in the table", name, number,
                           heel_syscall_number(name));
    }
    if (file)
        pclose(file);
    if (seen < 300)
        printf("no compiler to ask for the kernel headers' list: %u names\n", seen);
}

/* Names that the kernel's symbols have for calls of other ABIs, and other names of ours. */
static bool is_other_abi(const char *name)
{
    static const char *const endings[] = {"16", "32", NULL};
    static const char *const beginnings[] = {"ia32_", "s390_", "spu_", "pciconfig_", "old", NULL};
    static const char *const names[] = {"fadvise64_64",
                                        "fstatfs64",
                                        "gethostname",
                                        "ipc",
                                        "llseek",
                                        "mmap_pgoff",
                                        "newfstat",
                                        "newlstat",
                                        "newstat",
                                        "newuname",
                                        "ni_syscall",
                                        "nice",
                                        "recv",
                                        "rtas",
                                        "send",
                                        "sendfile64",
                                        "sgetmask",
                                        "signal",
                                        "sigpending",
                                        "sigprocmask",
                                        "sigsuspend",
                                        "socketcall",
                                        "ssetmask",
                                        "statfs64",
                                        "stime",
                                        "subpage_prot",
                                        "sync_file_range2",
                                        "umount",
                                        "vm86",
                                        "vm86old",
                                        "waitpid",
                                        NULL};

    for (size_t i = 0; endings[i]; i++)
        if (strlen(name) > 2 && strcmp(name + strlen(name) - 2, endings[i]) == 0)
            return true;
    for (size_t i = 0; beginnings[i]; i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    for (size_t i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* The running kernel's own list, by name: anybody may read it, addresses aside. */
static void table_has_the_kernels_names(void)
{
    FILE *file = fopen("/proc/kallsyms", "re");
    char line[512], name[128];
    unsigned seen = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "%*s %*c " ENTRY_PREFIX "%127[^.\t\n]", name) != 1)
            continue;
        seen++;
        if (heel_syscall_number(name) < 0 && !is_other_abi(name))
            HEEL_TEST_FAIL("the kernel has %s, and the table doesn't", name);
    }
    if (file)
        fclose(file);
    if (seen < 300)
        printf("SKIP names: /proc/kallsyms shows %u of the kernel's system calls\n", seen);
}

/* By number: a call that the running kernel has doesn't answer ENOSYS, whatever its arguments. */
static void table_has_the_kernels_numbers(void)
{
    static const unsigned long bad = (unsigned long)-1;
    int last = 0;

    for (size_t i = 0; i < heel_syscall_count; i++)
        last = heel_syscalls[i].number > last ? heel_syscalls[i].number : last;
    for (int number = last + 1; number < last + 100; number++)
        if (syscall(number, bad, bad, bad, bad, bad, bad) >= 0 || errno != ENOSYS)
            HEEL_TEST_FAIL("the kernel has system call %d, and the table doesn't", number);
}

/* ---- the program ---- */

static uint32_t interpret(const struct seccomp_data *data)
{
    uint32_t accumulator = 0, index = 0;

    for (size_t at = 0; at < program_length; at++) {
        const struct sock_filter *now = &program[at];

        switch (now->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            memcpy(&accumulator, (const char *)data + now->k, sizeof(accumulator));
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            accumulator &= now->k;
            break;
        case BPF_ALU | BPF_XOR | BPF_K:
            accumulator ^= now->k;
            break;
        case BPF_ALU | BPF_OR | BPF_X:
            accumulator |= index;
            break;
        case BPF_MISC | BPF_TAX:
            index = accumulator;
            break;
        case BPF_JMP | BPF_JA:
            at += now->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += accumulator == now->k ? now->jt : now->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += accumulator >= now->k ? now->jt : now->jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            at += accumulator & now->k ? now->jt : now->jf;
            break;
        case BPF_RET | BPF_K:
            return now->k;
        default:
            REQUIRE(!"an instruction that this test knows");
        }
    }
    REQUIRE(!"a return before the end");
    return 0;
}

static bool holds(const struct heel_seccomp_condition *condition, const __u64 *arguments)
{
    uint64_t argument = arguments[condition->argument & ~HEEL_SECCOMP_UPPER];
    uint32_t value = (uint32_t)(argument >> (condition->argument & HEEL_SECCOMP_UPPER ? 32 : 0));

    if (condition->test == HEEL_SECCOMP_ANY)
        return true;
    if (condition->test == HEEL_SECCOMP_HAS)
        return (value & condition->mask) != 0;
    for (unsigned i = 0; i < condition->count; i++)
        if ((value & condition->mask) == condition->values[i])
            return condition->test == HEEL_SECCOMP_IS;
    return condition->test == HEEL_SECCOMP_IS_NONE_OF;
}

/* What the data say of one system call. */
struct sayings {
    int refusal; /* the set's */
    const struct heel_seccomp_rule *rules[64];
    size_t count;
    const struct heel_seccomp_supervision *supervision; /* NULL: none */
};

static void look_up(const char *name, struct sayings *sayings)
{
    const struct heel_seccomp_set *set = heel_seccomp_find_set(&source, name);

    *sayings = (struct sayings){.refusal = set ? set->refusal : 0};
    for (size_t i = 0; i < source.rule_count; i++)
        if (strcmp(source.rules[i].syscall, name) == 0)
            sayings->rules[sayings->count++] = &source.rules[i];
    for (size_t i = 0; i < source.supervision_count; i++)
        if (strcmp(source.supervisions[i].syscall, name) == 0)
            sayings->supervision = &source.supervisions[i];
}

/* Read in the plainest way; the first rule that holds counts. */
static uint32_t expected(const struct sayings *sayings, const __u64 *arguments)
{
    const struct heel_seccomp_supervision *supervision = sayings->supervision;

    if (sayings->refusal)
        return SECCOMP_RET_ERRNO | (uint32_t)sayings->refusal;
    /* The program as it was compiled has zero for a pass. */
    if (supervision && arguments[3] == 0 && arguments[4] == 0)
        return SECCOMP_RET_ALLOW;
    for (size_t i = 0; i < sayings->count; i++) {
        bool all = true;

        for (size_t j = 0; j < HEEL_SECCOMP_CONDITIONS; j++)
            all = all && holds(&sayings->rules[i]->conditions[j], arguments);
        if (all)
            return SECCOMP_RET_ERRNO | (uint32_t)sayings->rules[i]->refusal;
    }
    return supervision && supervision->asks ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW;
}

static const uint32_t samples[] = {
    0,          1,          2,          3,          4,       5,        6,
    7,          8,          10,         11,         15,      16,       17,
    23,         30,         31,         62,         132,     136,      255,
    262,        1024,       1031,       02000,      04000,   04755,    0100,
    0x5412,     0x541c,     0x541d,     0x5423,     0x80001, 0x80002,  0x80801,
    0x80802,    0x20000000, 0x10000000, 0x7e020000, 0x20000, 0x410000, 0x1200011,
    0xffffffff, 0x80000000, 0x80,       0x8912,     0x8940,  0x8982,   0x8b01,
};

static void check_arguments(const struct heel_syscall *call, const struct sayings *sayings,
                            uint64_t a, uint64_t b, uint64_t c)
{
    static const uint64_t upper = 1ULL << 32; /* what the kernel ignores must not matter */

    for (unsigned i = 0; i < 2; i++) {
        struct seccomp_data data = {
            .nr = call->number,
            .arch = heel_seccomp_architecture,
            .args = {a + i * upper, b + i * upper, c + i * upper, c + i * upper}};
        uint32_t actual = interpret(&data), wanted = expected(sayings, data.args);

        if (actual != wanted)
            HEEL_TEST_FAIL("%s(%llx, %llx, %llx): 0x%x, expected 0x%x", call->name,
                           (unsigned long long)data.args[0], (unsigned long long)data.args[1],
                           (unsigned long long)data.args[2], actual, wanted);
    }
}

static void program_says_what_the_data_say(void)
{
    for (size_t i = 0; i < heel_syscall_count; i++) {
        struct sayings sayings;
        size_t count;

        look_up(heel_syscalls[i].name, &sayings);
        count = sayings.count > 0 ? HEEL_ARRAY_LENGTH(samples) : 1;
        for (size_t a = 0; a < count; a++)
            for (size_t b = 0; b < count; b++)
                for (size_t c = 0; c < count; c++)
                    check_arguments(&heel_syscalls[i], &sayings, samples[a], samples[b],
                                    samples[c]);
    }
}

/* Whatever bit of it is wrong. */
static void pass_must_be_right(void)
{
    for (unsigned bit = 0; bit < 128; bit++) {
        struct seccomp_data data = {.nr = SYS_connect, .arch = heel_seccomp_architecture};

        CHECK_INT(interpret(&data), SECCOMP_RET_ALLOW);
        data.args[3 + bit / 64] = 1ULL << bit % 64;
        CHECK_INT(interpret(&data), SECCOMP_RET_USER_NOTIF);
    }
}

static void program_refuses_what_it_does_not_know(void)
{
    struct seccomp_data data = {.arch = heel_seccomp_architecture};

    for (int number = 0; number < 2000; number++) {
        bool known = false;

        for (size_t i = 0; i < heel_syscall_count; i++)
            known |= heel_syscalls[i].number == number;
        data.nr = number;
        if (!known)
            CHECK_INT(interpret(&data), SECCOMP_RET_ERRNO | ENOSYS);
    }
    data.nr = -1;
    CHECK(interpret(&data) != SECCOMP_RET_ALLOW);
    data.nr = 0x40000000 | SYS_getpid;
    CHECK_INT(interpret(&data), SECCOMP_RET_KILL_PROCESS);
    data.nr = 20;
    data.arch = AUDIT_ARCH_I386;
    CHECK_INT(interpret(&data), SECCOMP_RET_KILL_PROCESS);
}

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
    look_at(HEEL_SECCOMP_WRITE_XOR_EXECUTE_FILTER);
    every_name_is_in_one_set();
    program_says_what_the_data_say();
    look_at(HEEL_SECCOMP_BARE_FILTER);
    every_name_is_in_one_set();
    program_says_what_the_data_say();
    look_at(HEEL_SECCOMP_SUPERVISING_FILTER);
    every_name_is_in_one_set();
    program_says_what_the_data_say();
    program_refuses_what_it_does_not_know();
    pass_must_be_right();
    connects_are_asked_for();
    passes_differ();
    look_at(HEEL_SECCOMP_FILTER);
    every_name_is_in_one_set();
    table_agrees_with_headers();
    table_has_the_kernels_names();
    table_has_the_kernels_numbers();
    program_says_what_the_data_say();
    program_refuses_what_it_does_not_know();
    kernel_refuses();
    foreign_entries_kill();
#if defined(__x86_64__)
    i386_kills();
#endif
    ordinary_work_goes_on();
    return heel_test_end();
}

/* The data name every system call, and the programs that were made of them say the same. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

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
    look_at(HEEL_SECCOMP_FILTER);
    every_name_is_in_one_set();
    table_agrees_with_headers();
    table_has_the_kernels_names();
    table_has_the_kernels_numbers();
    program_says_what_the_data_say();
    program_refuses_what_it_does_not_know();
    return heel_test_end();
}

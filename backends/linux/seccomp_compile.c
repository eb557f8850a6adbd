/* Runs while heel is built: has libseccomp make the two programs of seccomp_sets.c and prints them as C. So no sandbox, and no start of
 * heeld, waits for it. */
#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backends/linux/seccomp_sets.h"

static _Noreturn void die(const char *what, int error)
{
    fprintf(stderr, "seccomp_compile: %s: %s\n", what, strerror(error < 0 ? -error : error));
    exit(1);
}

static scmp_filter_ctx new_filter(uint32_t action)
{
    scmp_filter_ctx filter = seccomp_init(action);
    int result;

    if (!filter)
        die("seccomp_init", ENOMEM);
    /* i386 and x32 have the same calls under other numbers: nothing made for them runs. */
    if ((result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) < 0)
        die("bad architectures", result);
    if ((result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)) < 0)
        die("optimisation", result);
    return filter;
}

static void print_filter(scmp_filter_ctx filter, const char *name)
{
    int file = memfd_create(name, MFD_CLOEXEC), result;
    struct sock_filter instruction;

    if (file < 0)
        die("memfd_create", errno);
    if ((result = seccomp_export_bpf(filter, file)) < 0)
        die("seccomp_export_bpf", result);
    if (lseek(file, 0, SEEK_SET) < 0)
        die("lseek", errno);
    printf("static const struct sock_filter %s[] = {\n", name);
    while (read(file, &instruction, sizeof(instruction)) == sizeof(instruction))
        printf("    { 0x%x, %u, %u, 0x%x },\n", instruction.code, instruction.jt, instruction.jf, instruction.k);
    printf("};\n");
    close(file);
    seccomp_release(filter);
}

static void compile_sets(void)
{
    scmp_filter_ctx filter = new_filter(SCMP_ACT_ERRNO(ENOSYS));

    for (size_t i = 0; i < heel_syscall_count; i++) {
        const struct heel_seccomp_set *set = heel_seccomp_find_set(heel_syscalls[i].name);
        int result;

        if (!set) {
            fprintf(stderr, "seccomp_compile: %s is in no set\n", heel_syscalls[i].name);
            exit(1);
        }
        if (set->refusal == ENOSYS)
            continue;
        result = seccomp_rule_add_exact_array(filter, set->refusal ? SCMP_ACT_ERRNO((uint16_t)set->refusal) : SCMP_ACT_ALLOW,
                                              heel_syscalls[i].number, 0, NULL);
        if (result < 0)
            die(heel_syscalls[i].name, result);
    }
    print_filter(filter, "by_number");
}

static struct scmp_arg_cmp compare(const struct heel_seccomp_condition *condition, uint32_t mask, uint32_t value)
{
    return (struct scmp_arg_cmp){ .arg = condition->argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value };
}

static void add(scmp_filter_ctx filter, const struct heel_seccomp_rule *rule, const struct scmp_arg_cmp *fixed, unsigned count,
                const struct scmp_arg_cmp *last)
{
    struct scmp_arg_cmp all[HEEL_SECCOMP_CONDITIONS];
    int result;

    memcpy(all, fixed, count * sizeof(*fixed));
    if (last)
        all[count++] = *last;
    result = seccomp_rule_add_exact_array(filter, SCMP_ACT_ERRNO((uint16_t)rule->refusal), heel_syscall_number(rule->syscall),
                                          count, all);
    if (result < 0)
        die(rule->syscall, result);
}

/* "None of the values": either a bit is set that none of them has, or it is one of the other combinations of their bits. libseccomp
 * takes one comparison an argument in a rule, so each of these is a rule of its own. */
static void add_none_of(scmp_filter_ctx filter, const struct heel_seccomp_rule *rule, const struct scmp_arg_cmp *fixed,
                        unsigned count, const struct heel_seccomp_condition *condition)
{
    uint32_t bits = 0, value = 0;
    struct scmp_arg_cmp last;

    for (unsigned i = 0; i < condition->count; i++)
        bits |= condition->values[i];
    if (bits == UINT32_MAX) {  /* all but 0 and all ones: too many combinations, so say it by ranges, which see the upper half too */
        last = (struct scmp_arg_cmp){ .arg = condition->argument, .op = SCMP_CMP_GT, .datum_a = UINT32_MAX };
        add(filter, rule, fixed, count, &last);
        for (uint32_t bit = 1; bit; bit <<= 1) {
            uint32_t next = bit << 1 ? bit << 1 : 1;

            /* Some bit is set and the next one is not. */
            last = compare(condition, bit | next, bit);
            add(filter, rule, fixed, count, &last);
        }
        return;
    }
    for (uint32_t bit = 1; bit; bit <<= 1) {
        last = compare(condition, bit, bit);
        if ((condition->mask & bit) && !(bits & bit))
            add(filter, rule, fixed, count, &last);
    }
    do {  /* every combination of `bits` */
        unsigned i = 0;

        while (i < condition->count && condition->values[i] != value)
            i++;
        last = compare(condition, condition->mask, value);
        if (i == condition->count)
            add(filter, rule, fixed, count, &last);
        value = (value - bits) & bits;
    } while (value);
}

static void add_rule(scmp_filter_ctx filter, const struct heel_seccomp_rule *rule)
{
    struct scmp_arg_cmp fixed[HEEL_SECCOMP_CONDITIONS], last;
    const struct heel_seccomp_condition *open = NULL;
    unsigned count = 0;

    for (size_t i = 0; i < HEEL_SECCOMP_CONDITIONS; i++) {
        const struct heel_seccomp_condition *condition = &rule->conditions[i];

        if (condition->test == HEEL_SECCOMP_IS)
            fixed[count++] = compare(condition, condition->mask, condition->values[0]);
        else if (condition->test != HEEL_SECCOMP_ANY)
            open = condition;
    }
    if (!open) {
        add(filter, rule, fixed, count, NULL);
    } else if (open->test == HEEL_SECCOMP_IS_NONE_OF) {
        add_none_of(filter, rule, fixed, count, open);
    } else {
        for (uint32_t bit = 1; bit; bit <<= 1) {
            last = compare(open, bit, bit);
            if (open->mask & bit)
                add(filter, rule, fixed, count, &last);
        }
    }
}

static void compile_rules(void)
{
    scmp_filter_ctx filter = new_filter(SCMP_ACT_ALLOW);

    for (size_t i = 0; i < heel_seccomp_rule_count; i++)
        if (heel_syscall_number(heel_seccomp_rules[i].syscall) >= 0)
            add_rule(filter, &heel_seccomp_rules[i]);
    print_filter(filter, "by_arguments");
}

int main(void)
{
    printf("/* Made by seccomp_compile from seccomp_sets.c. */\n");
    compile_sets();
    compile_rules();
    return fclose(stdout) == 0 ? 0 : 1;
}

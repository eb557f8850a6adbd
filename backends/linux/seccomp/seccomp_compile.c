/* Runs while heel is built: makes a BPF program of each source (seccomp_sets.c, the same with
 * supervision, seccomp_bare_sets.c) and prints them as C. So no sandbox, and no start of heeld,
 * waits for it.
 *
 * Why not libseccomp: its program for the same data had 1,950 instructions in two filters (it takes
 * one comparison an argument and no ranges of numbers), for whose translation by the kernel every
 * sandbox would wait: 310 us. This one has some 400 and takes 90. The test interprets the program
 * and compares it, for every system call and many arguments, with what the data say. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "backends/linux/seccomp/bpf_assembler.h"
#include "backends/linux/seccomp/seccomp_sets.h"

#define X32_BIT 0x40000000U
#define NUMBERS_MAX 1024
#define RULES_MAX 32 /* of one system call */

/* Verdicts below this are what the kernel is told; above, the block for a system call with argument
 * rules. */
#define BLOCK 0x80000000U

static struct heel_seccomp_source source; /* what is being compiled */

/* A run of numbers with one verdict. */
static struct run {
    unsigned first;
    uint32_t verdict;
} runs[NUMBERS_MAX];
static unsigned run_count;

/* What is asked about the arguments of a system call, or of several for which that is the same. */
static struct block {
    unsigned number;
    unsigned label;
} blocks[NUMBERS_MAX];
static unsigned block_count;

/* Instructions that compare with a word of the pass, which is known when a sandbox is made. */
static struct pass_word {
    unsigned at;
    unsigned word;
} pass_words[HEEL_SECCOMP_PASS_WORDS * 8];
static unsigned pass_word_count;

static uint32_t refusal(int error)
{
    return SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA);
}

/* ---- the data ---- */

static const struct heel_seccomp_supervision *supervision_of(unsigned number)
{
    for (size_t i = 0; i < source.supervision_count; i++)
        if (heel_syscall_number(source.supervisions[i].syscall) == (int)number)
            return &source.supervisions[i];
    return NULL;
}

static int is_of(const struct heel_seccomp_rule *rule, unsigned number)
{
    return heel_syscall_number(rule->syscall) == (int)number;
}

/* The next rule of that system call, from that index on. */
static const struct heel_seccomp_rule *find_rule(unsigned number, size_t *from)
{
    while (*from < source.rule_count)
        if (is_of(&source.rules[(*from)++], number))
            return &source.rules[*from - 1];
    return NULL;
}

static int is_same_condition(const struct heel_seccomp_condition *one,
                             const struct heel_seccomp_condition *other)
{
    return one->test == other->test && one->argument == other->argument &&
           one->mask == other->mask && one->count == other->count &&
           memcmp(one->values, other->values, sizeof one->values) == 0;
}

static int is_same_rule(const struct heel_seccomp_rule *one, const struct heel_seccomp_rule *other)
{
    for (size_t i = 0; i < HEEL_SECCOMP_CONDITIONS; i++)
        if (!is_same_condition(&one->conditions[i], &other->conditions[i]))
            return 0;
    return one->refusal == other->refusal;
}

static int is_same_block(unsigned one, unsigned other)
{
    const struct heel_seccomp_rule *left, *right;
    size_t left_at = 0, right_at = 0;

    if (supervision_of(one) || supervision_of(other))
        return one == other;
    do {
        left = find_rule(one, &left_at);
        right = find_rule(other, &right_at);
        if (!left != !right || (left && !is_same_rule(left, right)))
            return 0;
    } while (left);
    return 1;
}

/* Whether the number alone doesn't decide. */
static int is_asked_more(unsigned number)
{
    size_t from = 0;

    return supervision_of(number) || find_rule(number, &from);
}

/* The least number of which the same is asked. */
static unsigned first_alike(unsigned number)
{
    unsigned first = 0;

    while (!is_asked_more(first) || !is_same_block(first, number))
        first++;
    return first;
}

/* ---- by arguments ---- */

/* Of the half that is meant. Every architecture of ours is little-endian. */
static uint32_t offset_of(unsigned argument)
{
    uint32_t upper = argument & HEEL_SECCOMP_UPPER ? 4 : 0;

    return (uint32_t)offsetof(struct seccomp_data, args) + (argument & ~HEEL_SECCOMP_UPPER) * 8 +
           upper;
}

static void emit_condition(const struct heel_seccomp_condition *condition, unsigned hit,
                           unsigned miss)
{
    int is_bits = condition->test == HEEL_SECCOMP_HAS;

    bpf_load(offset_of(condition->argument), is_bits ? UINT32_MAX : condition->mask);
    if (is_bits)
        bpf_jump_if(BPF_JSET, condition->mask, hit, miss);
    else if (condition->test == HEEL_SECCOMP_IS)
        bpf_jump_if(BPF_JEQ, condition->values[0], hit, miss);
    else
        for (unsigned i = 0; i < condition->count; i++)
            bpf_jump_if(BPF_JEQ, condition->values[i], miss,
                        i + 1 < condition->count ? BPF_NEXT : hit);
}

/* Conditions come first and ANY last. */
static int holds_from(const struct heel_seccomp_rule *rule, size_t depth)
{
    return depth == HEEL_SECCOMP_CONDITIONS || rule->conditions[depth].test == HEEL_SECCOMP_ANY;
}

static size_t count_alike(const struct heel_seccomp_rule *const *rules, size_t count, size_t depth)
{
    size_t alike = 1;

    while (alike < count && !holds_from(rules[alike], depth) &&
           is_same_condition(&rules[0]->conditions[depth], &rules[alike]->conditions[depth]))
        alike++;
    return alike;
}

/* Rules whose conditions above that depth hold; the first of them that holds altogether decides.
 * What neighbours have in common is asked once. If none holds, what follows is next. */
static void emit_rules(const struct heel_seccomp_rule *const *rules, size_t count, size_t depth)
{
    for (size_t at = 0, alike; at < count; at += alike) {
        uint32_t verdict = refusal(rules[at]->refusal);
        unsigned miss = bpf_new_label(), hit = BPF_NEXT;

        if (holds_from(rules[at], depth)) {
            bpf_return(verdict);
            return; /* the others are never asked */
        }
        alike = count_alike(&rules[at], count - at, depth);
        if (alike == 1 && holds_from(rules[at], depth + 1))
            hit = bpf_return_label(verdict);
        emit_condition(&rules[at]->conditions[depth], hit, miss);
        if (hit == BPF_NEXT)
            emit_rules(&rules[at], alike, depth + 1);
        bpf_place(miss);
    }
}

/* Who carries the pass is let through. Every word is compared whatever the others are, so that the
 * time that it takes tells nothing of how good a guess was. */
static void emit_pass(void)
{
    for (unsigned i = 0; i < HEEL_SECCOMP_PASS_WORDS; i++) {
        bpf_load((uint32_t)offsetof(struct seccomp_data, args) + HEEL_SECCOMP_PASS_ARGUMENT * 8 +
                     i * 4,
                 UINT32_MAX);
        if (pass_word_count == sizeof pass_words / sizeof *pass_words)
            bpf_die("too many supervised calls");
        pass_words[pass_word_count++] =
            (struct pass_word){bpf_emit(BPF_ALU | BPF_XOR | BPF_K, 0), i};
        if (i > 0)
            bpf_emit(BPF_ALU | BPF_OR | BPF_X, 0);
        if (i + 1 < HEEL_SECCOMP_PASS_WORDS)
            bpf_emit(BPF_MISC | BPF_TAX, 0);
    }
    bpf_jump_if(BPF_JEQ, 0, bpf_return_label(SECCOMP_RET_ALLOW), BPF_NEXT);
}

static void emit_block(const struct block *block)
{
    const struct heel_seccomp_supervision *supervision = supervision_of(block->number);
    const struct heel_seccomp_rule *rules[RULES_MAX], *rule;
    size_t count = 0, from = 0;

    while ((rule = find_rule(block->number, &from))) {
        if (count == RULES_MAX)
            bpf_die("too many rules of one system call");
        rules[count++] = rule;
    }
    bpf_place(block->label);
    if (supervision)
        emit_pass();
    emit_rules(rules, count, 0);
    bpf_return(supervision && supervision->asks ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
    bpf_place_distant_returns();
}

/* ---- by number ---- */

static uint32_t verdict_of(unsigned number)
{
    for (size_t i = 0; i < heel_syscall_count; i++) {
        const struct heel_seccomp_set *set;

        if (heel_syscalls[i].number != (int)number)
            continue;
        set = heel_seccomp_find_set(&source, heel_syscalls[i].name);
        if (!set && !source.passes_others)
            bpf_die(heel_syscalls[i].name);
        if (set && set->refusal)
            return refusal(set->refusal);
        return is_asked_more(number) ? BLOCK | first_alike(number) : SECCOMP_RET_ALLOW;
    }
    return source.passes_others ? SECCOMP_RET_ALLOW : refusal(ENOSYS);
}

static void find_runs(void)
{
    for (unsigned number = 0; number < NUMBERS_MAX; number++) {
        uint32_t verdict = verdict_of(number);

        if (run_count == 0 || runs[run_count - 1].verdict != verdict)
            runs[run_count++] = (struct run){number, verdict};
    }
}

/* Where a run's verdict is returned; BPF_NEXT if that takes instructions of its own. */
static unsigned place_of(unsigned first, unsigned count)
{
    if (count > 1 || (runs[first].verdict & BLOCK))
        return BPF_NEXT;
    return bpf_return_label(runs[first].verdict);
}

static unsigned block_for(unsigned number)
{
    for (unsigned i = 0; i < block_count; i++)
        if (blocks[i].number == number)
            return blocks[i].label;
    blocks[block_count] = (struct block){number, bpf_new_label()};
    return blocks[block_count++].label;
}

/* A binary search among several runs, or the jump to one's block; the number is in the
 * accumulator. */
static void emit_search(unsigned first, unsigned count)
{
    unsigned half = count / 2;
    unsigned low, high, later = BPF_NEXT;

    if (count == 1) {
        bpf_jump(block_for(runs[first].verdict & ~BLOCK));
        return;
    }
    low = place_of(first, half);
    high = place_of(first + half, count - half);
    if (low == BPF_NEXT && high == BPF_NEXT)
        later = bpf_new_label();
    bpf_jump_if(BPF_JGE, runs[first + half].first, high != BPF_NEXT ? high : later, low);
    if (low == BPF_NEXT)
        emit_search(first, half);
    if (later != BPF_NEXT)
        bpf_place(later);
    if (high == BPF_NEXT)
        emit_search(first + half, count - half);
}

static void compile(void)
{
    unsigned kill;

    bpf_begin();
    run_count = block_count = 0;
    kill = bpf_return_label(SECCOMP_RET_KILL_PROCESS);
    bpf_load((uint32_t)offsetof(struct seccomp_data, arch), UINT32_MAX);
    bpf_jump_if(BPF_JEQ, heel_seccomp_architecture, BPF_NEXT, kill);
    bpf_load((uint32_t)offsetof(struct seccomp_data, nr), UINT32_MAX);
    /* i386 has another architecture; x32 has this one, with a bit in the number. Nothing made for
     * either runs. */
    if (heel_seccomp_architecture == AUDIT_ARCH_X86_64)
        bpf_jump_if(BPF_JSET, X32_BIT, kill, BPF_NEXT);
    find_runs();
    emit_search(0, run_count);
    bpf_place_returns();
    for (unsigned i = 0; i < block_count; i++)
        emit_block(&blocks[i]);
    bpf_place_returns();
}

static void print(void)
{
    unsigned length;
    const struct sock_filter *program = bpf_program(&length);

    printf("static const struct sock_filter %s[] = {\n", source.name);
    for (unsigned i = 0; i < length; i++)
        printf("    { 0x%x, %u, %u, 0x%x },\n", program[i].code, program[i].jt, program[i].jf,
               program[i].k);
    printf("};\n");
}

static void print_pass_words(void)
{
    printf("static const struct {\n    unsigned at, word;\n} seccomp_pass_words[] = {\n");
    for (unsigned i = 0; i < pass_word_count; i++)
        printf("    { %u, %u },\n", pass_words[i].at, pass_words[i].word);
    printf("};\n");
}

int main(void)
{
    printf("/* Made by seccomp_compile. */\n");
    for (unsigned i = 0; i < HEEL_SECCOMP_SOURCES; i++) {
        heel_seccomp_get_source(i, &source);
        compile();
        print();
    }
    print_pass_words();
    return fclose(stdout) == 0 ? 0 : 1;
}

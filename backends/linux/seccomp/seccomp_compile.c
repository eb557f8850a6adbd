/* Runs while heel is built: makes a BPF program of each source (seccomp_sets.c, the same with
 * supervision, seccomp_bare_sets.c) and prints them as C. So no sandbox, and no start of heeld,
 * waits for it.
 *
 * Why not libseccomp: its program for the same data has 1,950 instructions in two filters (it takes
 * one comparison an argument and no ranges of numbers), and every sandbox would wait 310 us for the
 * kernel to check and translate them; this one has some 300 and takes a fifth. The test interprets
 * the program and compares it, for every system call and many arguments, with what the data say. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/linux/seccomp/seccomp_sets.h"

#define X32_BIT 0x40000000U
#define NUMBERS_MAX 1024
#define RULE_MAX 64 /* instructions of one rule */

/* Verdicts below this are what the kernel is told; above, the block for a system call with argument
 * rules. */
#define BLOCK 0x80000000U

static struct heel_seccomp_source source; /* what is being compiled */
static struct sock_filter program[BPF_MAXINSNS];
static unsigned length;

/* A run of numbers with one verdict. */
static struct run {
    unsigned first;
    uint32_t verdict;
} runs[NUMBERS_MAX];
static unsigned run_count;

/* Jumps to blocks that have no place yet. */
static struct jump {
    unsigned at;
    unsigned number;
} jumps[NUMBERS_MAX];
static unsigned jump_count;

/* Instructions that compare with a word of the pass, which is known when a sandbox is made. */
static struct pass_word {
    unsigned at;
    unsigned word;
} pass_words[HEEL_SECCOMP_PASS_WORDS * 8];
static unsigned pass_word_count;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "seccomp_compile: %s\n", what);
    exit(1);
}

static void emit(unsigned code, unsigned yes, unsigned no, uint32_t value)
{
    if (length == BPF_MAXINSNS || yes > 255 || no > 255)
        die("the program is too long");
    program[length++] =
        (struct sock_filter){(unsigned short)code, (unsigned char)yes, (unsigned char)no, value};
}

static void emit_verdict(uint32_t verdict)
{
    emit(BPF_RET | BPF_K, 0, 0, verdict);
}

static uint32_t refusal(int error)
{
    return SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA);
}

/* ---- by number ---- */

static int has_rules(const char *name)
{
    for (size_t i = 0; i < source.rule_count; i++)
        if (heel_syscall_number(source.rules[i].syscall) == heel_syscall_number(name))
            return 1;
    return 0;
}

static const struct heel_seccomp_supervision *supervision_of(unsigned number)
{
    for (size_t i = 0; i < source.supervision_count; i++)
        if (heel_syscall_number(source.supervisions[i].syscall) == (int)number)
            return &source.supervisions[i];
    return NULL;
}

static uint32_t verdict_of(unsigned number)
{
    for (size_t i = 0; i < heel_syscall_count; i++) {
        const struct heel_seccomp_set *set;

        if (heel_syscalls[i].number != (int)number)
            continue;
        set = heel_seccomp_find_set(&source, heel_syscalls[i].name);
        if (!set && !source.passes_others)
            die(heel_syscalls[i].name);
        if (set && set->refusal)
            return refusal(set->refusal);
        return has_rules(heel_syscalls[i].name) || supervision_of(number) ? BLOCK | number
                                                                          : SECCOMP_RET_ALLOW;
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

/* A binary search; the number is in the accumulator. */
static void emit_search(unsigned first, unsigned count)
{
    unsigned half = count / 2, branch;

    if (count == 1) {
        uint32_t verdict = runs[first].verdict;

        if (verdict != SECCOMP_RET_ALLOW && (verdict & BLOCK)) {
            jumps[jump_count++] = (struct jump){length, verdict & ~BLOCK};
            emit(BPF_JMP | BPF_JA, 0, 0, 0);
        } else {
            emit_verdict(verdict);
        }
        return;
    }
    branch = length;
    emit(BPF_JMP | BPF_JGE | BPF_K, 0, 0, runs[first + half].first);
    emit_search(first, half);
    if (length - branch - 1 > 255)
        die("too many runs of numbers");
    program[branch].jt = (unsigned char)(length - branch - 1);
    emit_search(first + half, count - half);
}

/* ---- by arguments ---- */

/* Jumps of the rule being emitted that lead to its end: the rule does not hold. */
static unsigned misses[RULE_MAX], miss_count;
static int miss_if_yes[RULE_MAX];

static void emit_test(unsigned operation, uint32_t value, int miss_on_yes)
{
    misses[miss_count] = length;
    miss_if_yes[miss_count++] = miss_on_yes;
    emit(BPF_JMP | operation | BPF_K, 0, 0, value);
}

/* Of the half that is meant. Every architecture of ours is little-endian. */
static uint32_t offset_of(unsigned argument)
{
    uint32_t upper = argument & HEEL_SECCOMP_UPPER ? 4 : 0;

    return (uint32_t)offsetof(struct seccomp_data, args) + (argument & ~HEEL_SECCOMP_UPPER) * 8 +
           upper;
}

static void emit_condition(const struct heel_seccomp_condition *condition)
{
    if (condition->test == HEEL_SECCOMP_ANY)
        return;
    emit(BPF_LD | BPF_W | BPF_ABS, 0, 0, offset_of(condition->argument));
    if (condition->test == HEEL_SECCOMP_HAS) {
        emit_test(BPF_JSET, condition->mask, 0);
        return;
    }
    if (condition->mask != UINT32_MAX)
        emit(BPF_ALU | BPF_AND | BPF_K, 0, 0, condition->mask);
    if (condition->test == HEEL_SECCOMP_IS)
        emit_test(BPF_JEQ, condition->values[0], 0);
    else
        for (unsigned i = 0; i < condition->count; i++)
            emit_test(BPF_JEQ, condition->values[i], 1);
}

static void emit_rule(const struct heel_seccomp_rule *rule)
{
    miss_count = 0;
    for (size_t i = 0; i < HEEL_SECCOMP_CONDITIONS; i++)
        emit_condition(&rule->conditions[i]);
    emit_verdict(refusal(rule->refusal));
    for (unsigned i = 0; i < miss_count; i++) {
        unsigned char distance = (unsigned char)(length - misses[i] - 1);

        if (miss_if_yes[i])
            program[misses[i]].jt = distance;
        else
            program[misses[i]].jf = distance;
    }
}

/* Who carries the pass is let through. Every word is compared whatever the others are, so that the
 * time that it takes tells nothing of how good a guess was. */
static void emit_pass(void)
{
    for (unsigned i = 0; i < HEEL_SECCOMP_PASS_WORDS; i++) {
        emit(BPF_LD | BPF_W | BPF_ABS, 0, 0,
             (uint32_t)offsetof(struct seccomp_data, args) + HEEL_SECCOMP_PASS_ARGUMENT * 8 +
                 i * 4);
        if (pass_word_count == sizeof pass_words / sizeof *pass_words)
            die("too many supervised calls");
        pass_words[pass_word_count++] = (struct pass_word){length, i};
        emit(BPF_ALU | BPF_XOR | BPF_K, 0, 0, 0);
        if (i > 0)
            emit(BPF_ALU | BPF_OR | BPF_X, 0, 0, 0);
        if (i + 1 < HEEL_SECCOMP_PASS_WORDS)
            emit(BPF_MISC | BPF_TAX, 0, 0, 0);
    }
    emit(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    emit_verdict(SECCOMP_RET_ALLOW);
}

static void emit_block(unsigned number)
{
    const struct heel_seccomp_supervision *supervision = supervision_of(number);

    if (supervision)
        emit_pass();
    for (size_t i = 0; i < source.rule_count; i++)
        if (heel_syscall_number(source.rules[i].syscall) == (int)number)
            emit_rule(&source.rules[i]);
    emit_verdict(supervision && supervision->asks ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW);
}

static void emit_blocks(void)
{
    for (unsigned i = 0; i < jump_count; i++) {
        program[jumps[i].at].k = length - jumps[i].at - 1;
        emit_block(jumps[i].number);
    }
}

static void compile(void)
{
    length = run_count = jump_count = 0;
    emit(BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offsetof(struct seccomp_data, arch));
    emit(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, heel_seccomp_architecture);
    emit_verdict(SECCOMP_RET_KILL_PROCESS);
    emit(BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offsetof(struct seccomp_data, nr));
    /* i386 has another architecture; x32 has this one, with a bit in the number. Nothing made for
     * either runs. */
    if (heel_seccomp_architecture == AUDIT_ARCH_X86_64) {
        emit(BPF_JMP | BPF_JSET | BPF_K, 0, 1, X32_BIT);
        emit_verdict(SECCOMP_RET_KILL_PROCESS);
    }
    find_runs();
    emit_search(0, run_count);
    emit_blocks();
}

static void print(void)
{
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

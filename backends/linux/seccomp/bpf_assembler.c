#include "backends/linux/seccomp/bpf_assembler.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define LABELS_MAX 2048
#define FIXUPS_MAX (2 * BPF_MAXINSNS)
#define RETURNS_MAX 32
#define NEAR 128 /* instructions; a conditional jump goes over 255 at most */

struct accumulator {
    enum { DEAD, UNKNOWN, LOADED } state; /* DEAD: nothing gets here */
    uint32_t offset;
    uint32_t mask;
};

static struct label {
    bool placed;
    struct accumulator accumulator; /* of all that jump there */
} labels[LABELS_MAX];
static unsigned label_count;

static struct fixup {
    unsigned at;
    enum { YES, NO, ALWAYS } where;
    unsigned label;
} fixups[FIXUPS_MAX];
static unsigned fixup_count;

static struct pending_return {
    uint32_t value;
    unsigned label;
    unsigned asked_at;
} returns[RETURNS_MAX];
static unsigned return_count;

static struct sock_filter program[BPF_MAXINSNS];
static unsigned length;
static struct accumulator current;

_Noreturn void bpf_die(const char *what)
{
    fprintf(stderr, "seccomp_compile: %s\n", what);
    exit(1);
}

void bpf_begin(void)
{
    length = fixup_count = return_count = 0;
    label_count = BPF_NEXT + 1;
    current = (struct accumulator){.state = UNKNOWN};
}

/* ---- labels ---- */

unsigned bpf_new_label(void)
{
    if (label_count == LABELS_MAX)
        bpf_die("too many labels");
    labels[label_count] = (struct label){.accumulator.state = DEAD};
    return label_count++;
}

/* What is known where both ways meet. */
static struct accumulator meet(struct accumulator one, struct accumulator other)
{
    if (one.state == DEAD)
        return other;
    if (other.state == DEAD || (one.state == LOADED && other.state == LOADED &&
                                one.offset == other.offset && one.mask == other.mask))
        return one;
    return (struct accumulator){.state = UNKNOWN};
}

static void refer(unsigned at, int where, unsigned label)
{
    if (label == BPF_NEXT)
        return;
    if (labels[label].placed)
        bpf_die("a jump back");
    if (fixup_count == FIXUPS_MAX)
        bpf_die("too many jumps");
    labels[label].accumulator = meet(labels[label].accumulator, current);
    fixups[fixup_count++] = (struct fixup){at, where, label};
}

static void fix(const struct fixup *fixup)
{
    unsigned distance = length - fixup->at - 1;

    if (fixup->where != ALWAYS && distance > UINT8_MAX)
        bpf_die("a jump is too long");
    if (fixup->where == YES)
        program[fixup->at].jt = (unsigned char)distance;
    else if (fixup->where == NO)
        program[fixup->at].jf = (unsigned char)distance;
    else
        program[fixup->at].k = distance;
}

void bpf_place(unsigned label)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < fixup_count; i++)
        if (fixups[i].label == label)
            fix(&fixups[i]);
        else
            fixups[kept++] = fixups[i];
    fixup_count = kept;
    labels[label].placed = true;
    current = meet(current, labels[label].accumulator);
}

/* ---- returns ---- */

unsigned bpf_return_label(uint32_t value)
{
    for (unsigned i = 0; i < return_count; i++)
        if (returns[i].value == value)
            return returns[i].label;
    if (return_count == RETURNS_MAX)
        bpf_die("too many values to return");
    returns[return_count] = (struct pending_return){value, bpf_new_label(), length};
    return returns[return_count++].label;
}

void bpf_place_returns(void)
{
    if (current.state != DEAD)
        bpf_die("something falls into the returns");
    for (unsigned i = 0; i < return_count; i++) {
        bpf_place(returns[i].label);
        bpf_return(returns[i].value);
    }
    return_count = 0;
}

void bpf_place_distant_returns(void)
{
    if (return_count > 0 && length - returns[0].asked_at > NEAR)
        bpf_place_returns();
}

/* ---- instructions ---- */

static unsigned append(unsigned code, uint32_t value)
{
    if (length == BPF_MAXINSNS)
        bpf_die("the program is too long");
    program[length] = (struct sock_filter){.code = (unsigned short)code, .k = value};
    return length++;
}

unsigned bpf_emit(unsigned code, uint32_t value)
{
    current.state = UNKNOWN;
    return append(code, value);
}

void bpf_load(uint32_t offset, uint32_t mask)
{
    if (current.state == LOADED && current.offset == offset && current.mask == mask)
        return;
    if (current.state != LOADED || current.offset != offset || current.mask != UINT32_MAX)
        append(BPF_LD | BPF_W | BPF_ABS, offset);
    if (mask != UINT32_MAX)
        append(BPF_ALU | BPF_AND | BPF_K, mask);
    current = (struct accumulator){LOADED, offset, mask};
}

void bpf_jump_if(unsigned test, uint32_t value, unsigned yes, unsigned no)
{
    unsigned at = append(BPF_JMP | test | BPF_K, value);

    refer(at, YES, yes);
    refer(at, NO, no);
    if (yes != BPF_NEXT && no != BPF_NEXT)
        current.state = DEAD;
}

void bpf_jump(unsigned label)
{
    refer(append(BPF_JMP | BPF_JA, 0), ALWAYS, label);
    current.state = DEAD;
}

void bpf_return(uint32_t value)
{
    append(BPF_RET | BPF_K, value);
    current.state = DEAD;
}

const struct sock_filter *bpf_program(unsigned *count)
{
    if (fixup_count > 0)
        bpf_die("a jump leads nowhere");
    *count = length;
    return program;
}

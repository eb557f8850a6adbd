#include "backends/linux/seccomp/bpf_assembler.h"

#include "base/test.h"

#define FIRST 16 /* offsets of words */
#define SECOND 24
#define ALL UINT32_MAX

static unsigned count_loads(void)
{
    unsigned length, loads = 0;
    const struct sock_filter *program = bpf_program(&length);

    for (unsigned i = 0; i < length; i++)
        loads += program[i].code == (BPF_LD | BPF_W | BPF_ABS);
    return loads;
}

static void test_jumps(void)
{
    const struct sock_filter *program;
    unsigned length, one, two;

    bpf_begin();
    one = bpf_return_label(1);
    two = bpf_return_label(2);
    bpf_load(FIRST, ALL);
    bpf_jump_if(BPF_JEQ, 7, one, BPF_NEXT);
    bpf_jump_if(BPF_JGE, 9, bpf_return_label(1), two);
    bpf_place_returns();
    program = bpf_program(&length);
    CHECK_INT(length, 5);
    CHECK_INT(program[1].jt, 1);
    CHECK_INT(program[1].jf, 0);
    CHECK_INT(program[2].jt, 0);
    CHECK_INT(program[2].jf, 1);
    CHECK_INT(program[3].k, 1);
    CHECK_INT(program[4].k, 2);
}

static void test_what_is_loaded_is_kept(void)
{
    unsigned after;

    bpf_begin();
    after = bpf_new_label();
    bpf_load(FIRST, ALL);
    bpf_jump_if(BPF_JEQ, 1, after, BPF_NEXT);
    bpf_place(after);
    bpf_load(FIRST, ALL);
    CHECK_INT(count_loads(), 1);
    bpf_load(FIRST, 0xf); /* of what is there */
    CHECK_INT(count_loads(), 1);
    bpf_load(FIRST, 0xf0);
    CHECK_INT(count_loads(), 2);
    bpf_load(SECOND, 0xf0);
    CHECK_INT(count_loads(), 3);
    bpf_emit(BPF_ALU | BPF_XOR | BPF_K, 1);
    bpf_load(SECOND, 0xf0);
    CHECK_INT(count_loads(), 4);
}

/* One way has loaded the first word, the other what is given; how many loads that takes again where
 * they meet. */
static unsigned loads_where_ways_meet(uint32_t offset, uint32_t mask, int is_changed)
{
    unsigned meeting, before;

    bpf_begin();
    meeting = bpf_new_label();
    bpf_load(FIRST, ALL);
    bpf_jump_if(BPF_JEQ, 1, meeting, BPF_NEXT);
    bpf_load(offset, mask);
    if (is_changed)
        bpf_emit(BPF_ALU | BPF_XOR | BPF_K, 1);
    bpf_place(meeting);
    before = count_loads();
    bpf_load(offset, mask);
    return count_loads() - before;
}

static void test_where_ways_meet(void)
{
    CHECK_INT(loads_where_ways_meet(FIRST, ALL, 0), 0);
    CHECK_INT(loads_where_ways_meet(SECOND, ALL, 0), 1);
    CHECK_INT(loads_where_ways_meet(FIRST, 0xf, 0), 1);
    CHECK_INT(loads_where_ways_meet(FIRST, ALL, 1), 1);
}

static void test_distant_returns_come_closer(void)
{
    const struct sock_filter *program;
    unsigned length, after;

    bpf_begin();
    bpf_load(FIRST, ALL);
    bpf_jump_if(BPF_JEQ, 0, bpf_return_label(1), BPF_NEXT);
    for (unsigned i = 0; i < 300; i++) {
        after = bpf_new_label();
        bpf_jump(after);
        bpf_place_distant_returns();
        bpf_place(after);
    }
    bpf_return(2);
    bpf_place_returns();
    program = bpf_program(&length);
    CHECK_INT(length, 304);
    CHECK_INT(program[2 + program[1].jt].k, 1);
}

int main(void)
{
    test_jumps();
    test_what_is_loaded_is_kept();
    test_where_ways_meet();
    test_distant_returns_come_closer();
    return heel_test_end();
}

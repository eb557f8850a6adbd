/* Puts a classic BPF program together, as seccomp takes it: jumps lead to labels, always forward;
 * returns of the same value are shared; and what the accumulator holds anyway isn't loaded again.
 * There is one program at a time. Whatever can't be expressed ends the tool. */
#ifndef HEEL_BACKENDS_LINUX_SECCOMP_BPF_ASSEMBLER_H
#define HEEL_BACKENDS_LINUX_SECCOMP_BPF_ASSEMBLER_H

#include <linux/filter.h>
#include <stdint.h>

/* In place of a label: the instruction behind the jump. */
#define BPF_NEXT 0U

/* Begins a new program. */
void bpf_begin(void);

/* A label is a place in the program. It can be jumped to until it is placed. */
unsigned bpf_new_label(void);
void bpf_place(unsigned label);

/* A return of that value, which bpf_place_returns() will place. */
unsigned bpf_return_label(uint32_t value);

/* Places every return that was asked for, where nothing falls through: behind a jump or return. */
void bpf_place_returns(void);
/* The same once some of them are so far away that jumps might not reach much further. */
void bpf_place_distant_returns(void);

/* The accumulator becomes the word of struct seccomp_data at that offset, with a mask. */
void bpf_load(uint32_t offset, uint32_t mask);
/* An instruction that changes the accumulator or the index register. Returns its index. */
unsigned bpf_emit(unsigned code, uint32_t value);
/* BPF_JEQ, BPF_JGE or BPF_JSET of the accumulator with a value. */
void bpf_jump_if(unsigned test, uint32_t value, unsigned yes, unsigned no);
void bpf_jump(unsigned label);
void bpf_return(uint32_t value);

/* The program so far; it is valid until the next begins. Every label must have been placed. */
const struct sock_filter *bpf_program(unsigned *length);

_Noreturn void bpf_die(const char *what);

#endif

/* Several streams may write to one command's standard input. This keeps, for the bytes that it has
 * not taken yet, which stream wrote them. */
#ifndef HEEL_SERVER_STDIN_SHARES_H
#define HEEL_SERVER_STDIN_SHARES_H

#include <stddef.h>
#include <stdint.h>

struct process_reader;
struct stdin_share;

struct stdin_shares {
    struct stdin_share *first; /* owned; in the order in which they were written */
    struct stdin_share *last;
    size_t count;
    uint64_t taken; /* as stdin_shares_take was last told */
};

void stdin_shares_init(struct stdin_shares *shares);

/* `writer` wrote `length` bytes. Borrowed until they are taken, or it is forgotten. */
void stdin_shares_add(struct stdin_shares *shares, struct process_reader *writer, size_t length);

/* `taken` of all bytes that were ever added are: adds to each writer's stdin_taken. */
void stdin_shares_take(struct stdin_shares *shares, uint64_t taken);

void stdin_shares_forget(struct stdin_shares *shares, const struct process_reader *writer);
void stdin_shares_clear(struct stdin_shares *shares);

#endif

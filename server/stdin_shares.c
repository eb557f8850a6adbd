#include "server/stdin_shares.h"

#include "base/text.h"
#include "server/process.h"

struct stdin_share {
    struct stdin_share *next;
    struct process_reader *writer; /* borrowed; NULL once it is gone */
    size_t length;
};

void stdin_shares_init(struct stdin_shares *shares)
{
    *shares = (struct stdin_shares){0};
}

void stdin_shares_add(struct stdin_shares *shares, struct process_reader *writer, size_t length)
{
    struct stdin_share *share = shares->last;

    if (length == 0)
        return;
    if (share && share->writer == writer) {
        share->length += length;
        return;
    }
    share = heel_xmalloc(sizeof *share);
    *share = (struct stdin_share){.writer = writer, .length = length};
    if (shares->last)
        shares->last->next = share;
    else
        shares->first = share;
    shares->last = share;
    shares->count++;
}

static void drop_first(struct stdin_shares *shares)
{
    struct stdin_share *share = shares->first;

    shares->first = share->next;
    if (!shares->first)
        shares->last = NULL;
    shares->count--;
    free(share);
}

void stdin_shares_take(struct stdin_shares *shares, uint64_t taken)
{
    while (shares->first && shares->taken < taken) {
        struct stdin_share *share = shares->first;
        uint64_t length = taken - shares->taken;

        if (length > share->length)
            length = share->length;
        if (share->writer)
            share->writer->stdin_taken += length;
        share->length -= (size_t)length;
        shares->taken += length;
        if (share->length == 0)
            drop_first(shares);
    }
}

void stdin_shares_forget(struct stdin_shares *shares, const struct process_reader *writer)
{
    for (struct stdin_share *share = shares->first; share; share = share->next)
        if (share->writer == writer)
            share->writer = NULL;
}

void stdin_shares_clear(struct stdin_shares *shares)
{
    while (shares->first)
        drop_first(shares);
}

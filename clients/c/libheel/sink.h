/* Writing to a descriptor that other programs share, without ever waiting in write(2): a signal
 * that arrived just before would go unnoticed until somebody reads. */
#ifndef HEEL_LIBHEEL_SINK_H
#define HEEL_LIBHEEL_SINK_H

#include <stdbool.h>
#include <stddef.h>

enum sink_kind {
    SINK_UNKNOWN, /* not looked at yet */
    SINK_PATIENT, /* a file: write never waits long */
    SINK_SOCKET,  /* can be told not to wait, call by call */
    SINK_PRIVATE, /* a pipe or terminal, opened once more: O_NONBLOCK is ours alone */
    SINK_SHARED,  /* one that can't be: poll, then no more than a pipe takes */
};

struct sink {
    int fd;  /* borrowed; what poll watches */
    int out; /* what is written to: fd or, if private, owned by the sink */
    enum sink_kind kind;
};

struct sink sink_new(int fd);

/* Writes what can be written now, and returns how much of it that was; -1 and errno where nothing
 * ever can be again. */
long sink_write(struct sink *sink, const void *bytes, size_t length);

/* Gives up what the sink owns; `fd` stays open. */
void sink_close(struct sink *sink);

#endif

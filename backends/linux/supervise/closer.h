/* Closes descriptors of a sandbox's without waiting: the last close of a socket may linger, that of
 * a file may flush to a server which is gone, and both are the sandbox's choice. One closer per
 * sandbox; its thread is there only while there is something to close. */
#ifndef HEEL_BACKENDS_LINUX_SUPERVISE_CLOSER_H
#define HEEL_BACKENDS_LINUX_SUPERVISE_CLOSER_H

#include <stdbool.h>

struct heel_closer;

struct heel_closer *heel_closer_new(void);

/* Room for one more descriptor, which a heel_closer_take() is to follow. False while too much is
 * waiting to be closed, or no thread can be had. */
bool heel_closer_reserve(struct heel_closer *closer);

/* Takes `fd` over; -1: it is not needed after all. */
void heel_closer_take(struct heel_closer *closer, int fd);

/* What is left is closed in its time. NULL is fine. */
void heel_closer_free(struct heel_closer *closer);

#endif

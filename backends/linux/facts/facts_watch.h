/* The host's facts as they are now: gathered again when something that they have to know of came to
 * be, an account, its home, or a protected path. */
#ifndef HEEL_BACKENDS_LINUX_FACTS_FACTS_WATCH_H
#define HEEL_BACKENDS_LINUX_FACTS_FACTS_WATCH_H

#include <stddef.h>

#include "backends/linux/facts/host_facts.h"

struct heel_awaited;

struct heel_facts_watch {
    int inotify;                  /* owned; -1: nothing can be watched */
    struct heel_awaited *awaited; /* owned; what the facts were gathered from */
    size_t count;
    struct heel_host_facts *latest; /* owned */
};

void heel_facts_watch_open(struct heel_facts_watch *watch);
/* A system call where nothing changed. Borrowed until the next call. */
struct heel_host_facts *heel_facts_watch_latest(struct heel_facts_watch *watch);
void heel_facts_watch_close(struct heel_facts_watch *watch);

#endif

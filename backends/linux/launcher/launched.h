/* The launcher's children. */
#ifndef HEEL_BACKENDS_LINUX_LAUNCHER_LAUNCHED_H
#define HEEL_BACKENDS_LINUX_LAUNCHER_LAUNCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/linux/launcher/template.h"

/* A sandbox's init, a spare one, or a template's maker. */
struct heel_launched {
    pid_t pid;
    uint32_t id;                      /* of the sandbox; 0 for the others */
    bool has_cgroup;                  /* called by its id */
    int level;                        /* of the sandbox, if its caller named nothing; else -1 */
    struct heel_namespace_pair pair;  /* owned; what it lives in */
    struct heel_buffer plan;          /* owned; to make a template from at its end; may be empty */
    struct heel_template_maker maker; /* its `said` is -1 for an init */
};

struct heel_launched_list {
    struct heel_launched *items; /* owned */
    size_t count;
    size_t capacity;
};

/* Adds an init in `pair`, which it takes over; valid until the next one is added. */
struct heel_launched *heel_launched_add(struct heel_launched_list *list, pid_t pid,
                                        struct heel_namespace_pair pair);
/* NULL if there is none. The ids of sandboxes are not 0. */
struct heel_launched *heel_launched_find(const struct heel_launched_list *list, pid_t pid);
struct heel_launched *heel_launched_find_id(struct heel_launched_list *list, uint32_t id);
/* Moves the one with this pid to *taken. Whether there was one. */
bool heel_launched_take(struct heel_launched_list *list, pid_t pid, struct heel_launched *taken);

#endif

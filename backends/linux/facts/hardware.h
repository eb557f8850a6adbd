/* Which of the host's device nodes stand for hardware that a spec can ask for. */
#ifndef HEEL_BACKENDS_LINUX_FACTS_HARDWARE_H
#define HEEL_BACKENDS_LINUX_FACTS_HARDWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "backends/backend.h"

/* A pattern (fnmatch(3), FNM_PATHNAME) of device nodes. */
struct heel_hardware_pattern {
    unsigned hardware; /* bits of enum heel_hardware that it belongs to; 0: never shown */
    const char *pattern;
    const char *reason;
};
extern const struct heel_hardware_pattern heel_hardware_patterns[];
extern const size_t heel_hardware_pattern_count;

/* Why a node is shown where `hardware` (bits of enum heel_hardware) is asked for; NULL if it isn't.
 * `mode` is the node's. Static. */
const char *heel_hardware_match(unsigned hardware, const char *path, mode_t mode);

/* "spec.hardware.gpu" and so on, of one bit. Static. */
const char *heel_hardware_field(enum heel_hardware hardware);
/* Appends what is looked for, as a list. */
struct heel_buffer;
void heel_hardware_append_patterns(enum heel_hardware hardware, struct heel_buffer *to);

struct heel_hardware_node {
    char *path; /* owned */
    const char *reason;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    bool callers; /* this thread could open it, for reading and writing */
};
struct heel_hardware_nodes {
    struct heel_hardware_node *items; /* owned */
    size_t count;
};

/* Looks for what `hardware` asks for in `directory` ("/dev") and below. */
void heel_hardware_find(unsigned hardware, const char *directory,
                        struct heel_hardware_nodes *nodes);
void heel_hardware_nodes_clear(struct heel_hardware_nodes *nodes);

#endif

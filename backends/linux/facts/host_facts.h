/* What a plan has to know of the host. Plain data, so that tests can make up hosts.
 */
#ifndef HEEL_BACKENDS_LINUX_FACTS_HOST_FACTS_H
#define HEEL_BACKENDS_LINUX_FACTS_HOST_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "backends/linux/facts/protected_paths.h"

/* An entry of "/" or "/etc". */
struct heel_host_entry {
    char *path; /* owned; absolute */
    char *link; /* owned; what the symbolic link says, NULL if it is none */
    bool directory;
};

/* An account of /etc/passwd that a person may own. */
struct heel_host_user {
    uid_t uid;
    char *name;  /* owned */
    char *home;  /* owned; canonical */
    bool listed; /* /etc/passwd has it with this home */
};

/* A path with secrets in it, or that leads out of the sandbox. */
struct heel_host_secret {
    char *path; /* owned; canonical but for its last component */
    enum heel_protected_group group;
};

/* Who wants to hear of each path before it is looked at. */
struct heel_facts_observer {
    void (*await)(void *data, const char *path);
    void *data;
};

/* One state of the host, never changed after it was gathered; threads share it. */
struct heel_host_facts {
    unsigned holders;                           /* counted on the loop's thread */
    const struct heel_facts_observer *observer; /* borrowed, while they are gathered */
    struct heel_host_entry *top;                /* owned; the entries of "/" */
    size_t top_count;
    struct heel_host_entry *etc; /* owned; what STRICT shows of /etc */
    size_t etc_count;
    struct heel_host_user *users; /* owned; root, people, and whoever this process runs as */
    size_t user_count;
    struct heel_host_secret
        *masks; /* owned; paths outside homes that exist and are masked at DEFAULT */
    size_t mask_count;
    struct heel_host_secret *secrets; /* owned; below homes, whether they exist or not: masked where
                                         a grant lays a home open */
    size_t secret_count;
    struct heel_host_entry *system; /* owned; what STRICT shows of /sys */
    size_t system_count;
};

/* Of this host. What can't be read is left out. `observer` may be NULL. The caller holds the
 * result.
 */
struct heel_host_facts *heel_host_facts_gather(const struct heel_facts_observer *observer);
struct heel_host_facts *heel_host_facts_hold(struct heel_host_facts *facts);
void heel_host_facts_release(struct heel_host_facts *facts); /* NULL is fine */

/* Appends to one of the arrays above; strings are copied. */
void heel_host_facts_add_entry(struct heel_host_entry **entries, size_t *count, const char *path,
                               const char *link, bool directory);
void heel_host_facts_add_user(struct heel_host_facts *facts, uid_t uid, const char *name,
                              const char *home, bool listed);
void heel_host_facts_add_secret(struct heel_host_secret **secrets, size_t *count, const char *path,
                                enum heel_protected_group group);

#endif

/* What has to be done on disk before a sandbox can be set up, in a thread of libuv's pool: its
 * folder and its plan. Any of it may wait for a disk or for a network file system that a caller
 * named. */
#ifndef HEEL_BACKENDS_LINUX_PREPARE_H
#define HEEL_BACKENDS_LINUX_PREPARE_H

#include "backends/backend.h"
#include "backends/linux/identity/identity.h"
#include "backends/linux/plan/acting_search.h"
#include "backends/linux/plan/plan.h"
#include "backends/linux/state/work_dir.h"

struct heel_preparation {
    struct heel_sandbox_spec spec; /* a copy: its strings and arrays are owned */
    struct heel_identity identity;
    bool bare;              /* it has no namespaces, so HOME and TMPDIR are folders of the host's */
    bool audited;           /* somebody reads the kernel's audit records */
    char *const *own_files; /* borrowed from the backend; NULL-terminated, or NULL */
    const char *state_dir;  /* borrowed from the backend, as are the next three */
    const char *runtime_dir;
    const char *instance_path;
    struct heel_host_facts *facts;   /* held */
    struct heel_host_mounts *mounts; /* held; may be NULL */
    struct heel_work_dir work;       /* a recycled one, or the one that was made */
    unsigned long work_number;       /* the name of a new one, if `work` has none */
    bool reuse_work; /* worth keeping for another sandbox if this one leaves it untouched */
    /* results */
    struct heel_work_dir own;   /* bare: the folder of HOME and TMPDIR */
    char *kept;                 /* owned; the working directory if it is to be kept */
    struct heel_plan *plan;     /* owned */
    struct heel_buffer encoded; /* the plan */
    int *watches;               /* owned; see guards.h; NULL: nothing is watched */
    int inotify;                /* owned; where watches are */
    struct heel_sandbox_paths paths;
    struct heel_error *error; /* owned; NULL if all went well */
    /* at the end */
    struct heel_acting_files left; /* what the sandbox made that acts outside later */
};

/* Copies `spec`; the rest is filled in by the caller. */
void heel_preparation_init(struct heel_preparation *preparation,
                           const struct heel_sandbox_spec *spec);
void heel_preparation_run(struct heel_preparation *preparation);
/* Computes the plan alone and makes nothing on disk. 0, or -1 and preparation->error. */
int heel_preparation_plan(struct heel_preparation *preparation);
/* Fills preparation->left. */
void heel_preparation_find_left(struct heel_preparation *preparation);
void heel_preparation_clear(struct heel_preparation *preparation);

#endif

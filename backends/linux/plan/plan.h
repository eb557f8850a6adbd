/* The file system of one sandbox as data: computed by one pure function from a spec and facts about
 * the host, printable, tested without privileges, and carried out inside the sandbox's own mount
 * namespace by its init. */
#ifndef HEEL_BACKENDS_LINUX_PLAN_PLAN_H
#define HEEL_BACKENDS_LINUX_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backends/backend.h"
#include "base/error.h"
#include "base/text.h"

/* How a path comes to be inside. Operations are carried out in order on an empty tmpfs that becomes
 * the root. */
enum heel_mount_kind {
    HEEL_MOUNT_BIND,  /* source (host path) appears at target, with everything mounted below it */
    HEEL_MOUNT_TMPFS, /* an empty tmpfs, size-limited; the first operation makes the root with it */
    HEEL_MOUNT_SCRATCH, /* an empty directory of the root's tmpfs (kept at source) as a mount of its
                           own at target: cheaper than a tmpfs each, and one limit */
    HEEL_MOUNT_PROC,    /* a proc of the sandbox's pid namespace */
    HEEL_MOUNT_SYSFS,   /* a sysfs that shows the devices and the sandbox's own network */
    HEEL_MOUNT_DEVPTS,  /* a devpts instance of its own */
    HEEL_MOUNT_MQUEUE,  /* a mqueue of its ipc namespace */
    HEEL_MOUNT_MASK,    /* covers an existing file or directory with an empty, unreadable one */
    HEEL_MOUNT_READ_ONLY, /* target, as the operations before it left it, can't be changed any more
                           */
    HEEL_MOUNT_DIR,       /* mkdir -p target */
    HEEL_MOUNT_SYMLINK,   /* target becomes a link to source */
    HEEL_MOUNT_FILE, /* target becomes a file with the text in source; one that is there already is
                        covered */
    HEEL_MOUNT_PIN,  /* target, as the operations before it left it, becomes a mount of its own, so
                        that  it can't be renamed or removed */
};

enum heel_mount_flags {
    HEEL_MOUNT_WRITABLE = 1 << 0,
    HEEL_MOUNT_EXECUTABLE = 1 << 1,
    HEEL_MOUNT_DEVICES = 1 << 2,  /* device nodes work */
    HEEL_MOUNT_OPTIONAL = 1 << 3, /* an absent source is skipped */
    HEEL_MOUNT_NAMED = 1 << 4, /* the caller named it: opened with the caller's rights and pinned by
                                  device and inode */
    HEEL_MOUNT_OWN = 1 << 5, /* a folder of heel's own: as root only the launcher can reach it, and
                                brings it in as it does what is NAMED */
};

struct heel_mount {
    enum heel_mount_kind kind;
    unsigned flags;
    char *source;    /* owned */
    char *target;    /* owned; absolute, inside */
    uint64_t device; /* of a NAMED source, or of a target that is hidden, protected or pinned, when
                        the plan was made; checked again on the descriptor; 0: not checked */
    uint64_t inode;
    uint64_t size_bytes; /* TMPFS */
    uint64_t inodes;     /* TMPFS */
    unsigned mode;       /* TMPFS, SCRATCH, DIR, FILE: permission bits */
    const char *origin;  /* why it is there, a literal: "level DEFAULT", "path rule", "protection:
                            user home", … */
};

enum heel_rule_flags {
    HEEL_RULE_NAMED = 1 << 0, /* the caller named it: it must be there, and what it was */
};

/* One Landlock rule: these rights for target and everything below it. */
struct heel_rule {
    char *path;      /* owned; inside */
    uint64_t rights; /* LANDLOCK_ACCESS_FS_* */
    unsigned flags;
    uint64_t device; /* what `path` was when the plan was made: there is no rule for anything else
                        in its place; inode 0: not checked */
    uint64_t inode;
    const char *origin;
};

struct heel_plan {
    bool bare;    /* for a sandbox without namespaces: no mounts, and paths inside are the host's */
    bool guarded; /* some of its mounts have to be made again when the host replaces things */
    bool write_xor_execute;    /* nothing that may be written may be executed */
    bool audited;              /* what Landlock refuses is to be in the kernel's audit records */
    struct heel_mount *mounts; /* owned */
    size_t mount_count;
    struct heel_rule *rules; /* owned */
    size_t rule_count;
    struct heel_path_strings {
        char *working_dir, *home_dir, *temp_dir, *host_working_dir, *user_name;
    } paths;   /* owned */
    uid_t uid; /* host uid and gid it runs as; the same inside */
    gid_t gid;
    struct heel_limits limits; /* for init to hold or to have held */
    /* For the report, and no part of the bytes: */
    struct heel_plan_acting *acting; /* owned; what acts outside later */
    bool unguarded;                  /* it would be guarded, and can't be watched */
    struct heel_buffer shown; /* protected paths that the spec shows all the same, as a list */
};

/* Facts about the host that the plan depends on; gathered once at start (host part) and per create
 * (caller part). */
struct heel_host_facts;
struct heel_host_mounts;

struct heel_plan_input {
    const struct heel_sandbox_spec *spec;
    const struct heel_host_facts *facts;
    const struct heel_host_mounts *mounts; /* NULL: they are not known */
    const char *work_source;   /* host path of the sandbox's own working directory, or NULL when
                                  spec->working_dir is set */
    const char *const *hidden; /* NULL-terminated canonical host paths out of reach at every level:
                                  state_dir, runtime_dir, … */
    bool bare;                 /* the sandbox has no namespaces of its own; then also: */
    const char *home_source;   /* host path of its HOME */
    const char *temp_source;   /* and of its TMPDIR */
    uid_t uid;
    gid_t gid;
};

/* Makes the plan. It looks at the file system only for paths that the spec names, so it may run on
 * an event loop for a spec that names none. As root it takes the caller's file system identity on,
 * for this thread, while it looks. 0, or -1 and *err (INVALID_ARGUMENT with the field,
 * PERMISSION_DENIED for a path that the caller couldn't open, …). */
int heel_plan_make(const struct heel_plan_input *input, struct heel_plan **plan,
                   struct heel_error **err);
void heel_plan_free(struct heel_plan *plan);

HEEL_DEFINE_AUTOFREE(plan, struct heel_plan, heel_plan_free);
#define heel_autoplan HEEL_AUTOFREE(plan)

/* One line per operation and rule, for people. */
void heel_plan_print(const struct heel_plan *plan, struct heel_buffer *to);

/* The same for one of them, without its origin and on no line of its own. */
void heel_plan_print_mount(const struct heel_mount *mount, struct heel_buffer *to);
void heel_plan_print_rule(const struct heel_rule *rule, struct heel_buffer *to);

/* What is mounted and allowed, and as whom: enough to tell of the plan when it is gone. */
struct heel_plan *heel_plan_copy(const struct heel_plan *plan);

/* Why `path` can't be granted at all, to be said after "as"; NULL if it can. Static. */
const char *heel_plan_why_not_grantable(const char *path);

/* To bytes and back, for the way from heeld to init. Decoding checks everything it reads. */
void heel_plan_encode(const struct heel_plan *plan, struct heel_buffer *to);
int heel_plan_decode(const void *data, size_t length, struct heel_plan **plan,
                     struct heel_error **err);

#endif

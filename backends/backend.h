/* The one interface between heeld and the operating systems it sandboxes on. Plain C structs: a
 * backend knows neither gRPC nor the proto types, and server/ translates at its edge.
 *
 * A backend lives on one libuv loop. Every function here is called on that loop's thread, none
 * blocks, and every callback is run on it, never from inside the call that it belongs to. */
#ifndef HEEL_BACKENDS_BACKEND_H
#define HEEL_BACKENDS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <uv.h>

#include "base/error.h"

/* ---- what is asked for ---- */

enum heel_level {
    HEEL_LEVEL_STRICT,
    HEEL_LEVEL_DEFAULT,
    HEEL_LEVEL_PERMISSIVE,
};

/* Bits, so that the rules on one path can be added up. */
enum heel_access {
    HEEL_ACCESS_READ = 1,
    HEEL_ACCESS_WRITE = 2,   /* implies READ */
    HEEL_ACCESS_EXECUTE = 4, /* implies READ */
    HEEL_ACCESS_DENY = 8,
};

/* Bits. */
enum heel_hardware {
    HEEL_HARDWARE_GPU = 1,
    HEEL_HARDWARE_NPU = 2,
    HEEL_HARDWARE_ALL = 4,
};

struct heel_path_rule {
    const char *path; /* borrowed; absolute */
    unsigned access;  /* one of enum heel_access */
};

/* What is protected, by kind: each a switch of the spec. */
enum heel_protected_group {
    HEEL_PROTECTED_USER_HOME, /* the caller's */
    HEEL_PROTECTED_OTHER_HOMES,
    HEEL_PROTECTED_CREDENTIALS,
    HEEL_PROTECTED_CLOUD,
    HEEL_PROTECTED_BROWSER,
    HEEL_PROTECTED_KEYCHAIN,
    HEEL_PROTECTED_HISTORY,
    HEEL_PROTECTED_PACKAGES,
    HEEL_PROTECTED_PERSONAL, /* data of users that lies outside their homes */
    HEEL_PROTECTED_SERVICES, /* data of the host's services */
    HEEL_PROTECTED_ACTING_FILES,
    HEEL_PROTECTED_GROUP_COUNT,
};

/* For a group, or for one path and what lies below it, which beats its group. */
struct heel_protection_switch {
    const char *path;                /* borrowed; absolute; NULL: the switch is a group's */
    enum heel_protected_group group; /* where there is no path */
    bool on;
    size_t place; /* its index in the client's spec, for errors */
};

/* Who asks: an input to every decision about paths and identities. */
struct heel_caller {
    uid_t uid;
    gid_t gid;
    const gid_t *groups; /* borrowed; supplementary groups */
    size_t group_count;
};

/* What a sandbox may use; 0: no limit. Each is for the whole sandbox, but max_file_size_bytes for
 * one file and max_open_files for one process. */
struct heel_limits {
    uint64_t memory_bytes;
    int64_t cpu_time_us;      /* over its life */
    uint64_t cpu_share_milli; /* thousandths of one processor */
    uint64_t max_processes;
    uint64_t max_file_size_bytes;
    uint64_t max_open_files;
    uint64_t disk_bytes; /* of its own working directory, and of its tmpfs */
    uint64_t disk_inodes;
};

/* Whom a sandbox runs as, where its spec says so. */
struct heel_run_as {
    bool given;
    uid_t uid;
    gid_t gid;
};

/* All pointers are borrowed for the call. */
struct heel_sandbox_spec {
    const char *id; /* unique within the backend; [A-Za-z0-9][A-Za-z0-9._-]{0,127} */
    enum heel_level level;
    const char *working_dir; /* host path, or NULL for one of the sandbox's own */
    bool keep_working_dir;
    bool write_xor_execute; /* nothing that the sandbox may write may be executed in it */
    unsigned hardware;      /* bits of enum heel_hardware */
    const struct heel_path_rule *paths;
    size_t path_count;
    /* A group without a switch is on; at PERMISSIVE it is off. */
    const struct heel_protection_switch *switches;
    size_t switch_count;
    unsigned required; /* bits 1 << enum heel_protection: those that must be ACTIVE */
    struct heel_run_as run_as;
    struct heel_caller caller;
    struct heel_limits limits;
};

/* What a sandbox turned out to be; borrowed from the sandbox, valid until it is deleted. */
struct heel_sandbox_paths {
    const char *working_dir;      /* inside */
    const char *home_dir;         /* inside */
    const char *temp_dir;         /* inside */
    const char *host_working_dir; /* on the host */
    const char *user_name;        /* what getpwuid answers inside */
    bool other_owner; /* files that the caller named may have another owner inside than outside */
};

enum heel_protection {
    HEEL_PROTECTION_FILESYSTEM,
    HEEL_PROTECTION_HIDDEN_PATHS,
    HEEL_PROTECTION_PROCESSES,
    HEEL_PROTECTION_NETWORK,
    HEEL_PROTECTION_IPC,
    HEEL_PROTECTION_SYSTEM_CALLS,
    HEEL_PROTECTION_PRIVILEGES,
    HEEL_PROTECTION_DEVICES,
    HEEL_PROTECTION_HOST_SOCKETS,
    HEEL_PROTECTION_ACTING_FILES,
    HEEL_PROTECTION_METADATA,
    HEEL_PROTECTION_KERNEL_QUOTAS,
    HEEL_PROTECTION_LIMITS,
    HEEL_PROTECTION_WRITE_XOR_EXECUTE,
    HEEL_PROTECTION_COUNT,
};

enum heel_enforcement_state {
    HEEL_ENFORCEMENT_ACTIVE,
    HEEL_ENFORCEMENT_DEGRADED,
    HEEL_ENFORCEMENT_DISABLED,
};

/* One per protection, in the order of the enum. Strings are static or owned by what the array
 * belongs to. */
struct heel_enforcement {
    enum heel_protection protection;
    enum heel_enforcement_state state;
    const char *mechanism;
    const char *detail; /* "" when ACTIVE */
};

/* One thing that a host has or lacks; `heelcli doctor` prints them. */
struct heel_host_check {
    const char *name; /* "Landlock", "user namespaces", … */
    bool required;    /* without it no sandbox is made */
    bool passed;
    char *have; /* owned by the host info */
    const char *need;
    const char *remedy; /* how to mend it; "" when passed */
};

struct heel_host_info {
    const char *backend; /* "linux" */
    char kernel_release[65];
    unsigned landlock_abi;
    bool namespaces;                            /* sandboxes get some of their own */
    bool supported;                             /* every required check passed */
    const struct heel_enforcement *protections; /* HEEL_PROTECTION_COUNT; borrowed */
    struct heel_host_check *checks;             /* owned */
    size_t check_count;
};

/* ---- what a sandbox would be ---- */

struct heel_policy_test {
    const char *path; /* borrowed; absolute, as seen inside */
    unsigned access;  /* READ, WRITE or EXECUTE */
};

/* What the test's access would get. */
struct heel_policy_verdict {
    char *path; /* owned, as are the other texts but for the origin */
    unsigned access;
    bool allowed;
    bool absent;         /* not allowed because nothing is there, as far as the caller can see */
    bool undecided;      /* not allowed, but only because finding out would take too long */
    char *resolved_path; /* where the links on the way lead; inside */
    char *rule;          /* what decided */
    const char *origin;  /* where that came from: "level DEFAULT", "path rule", "host", … */
    char *remedy; /* what in a spec would allow it; "" where it is allowed, or nothing would */
};

enum heel_policy_kind {
    HEEL_POLICY_MOUNT,
    HEEL_POLICY_LANDLOCK_RULE,
    HEEL_POLICY_SYSTEM_CALLS,
    HEEL_POLICY_SYSTEM_CALL_RULE,
};

/* One thing that confines a sandbox. */
struct heel_policy_entry {
    enum heel_policy_kind kind;
    char *text;         /* owned */
    const char *origin; /* where it comes from */
};

/* What to explain: a sandbox, or what a spec would make. All pointers are borrowed for the call. */
struct heel_policy_question {
    struct heel_sandbox *sandbox; /* or NULL, and spec */
    const struct heel_sandbox_spec *spec;
    const struct heel_policy_test *tests;
    size_t test_count;
};

struct heel_policy {
    struct heel_policy_entry *entries;
    size_t entry_count;
    struct heel_policy_verdict *verdicts; /* one per test, in their order */
    size_t verdict_count;
    const struct heel_enforcement *enforcement; /* HEEL_PROTECTION_COUNT of them */
};

/* Exactly one of policy and error is set; both are borrowed. */
typedef void heel_on_explained(const struct heel_policy *policy, const struct heel_error *error,
                               void *data);

/* ---- commands ---- */

/* The size of a terminal, in characters. */
struct heel_terminal_size {
    unsigned short rows;
    unsigned short columns;
};

/* A program to run. All pointers are borrowed for the call. */
struct heel_command {
    const char *const *argv; /* NULL-terminated, at least one */
    const char *const
        *environment; /* NULL-terminated "NAME=value": the complete environment, HOME and all */
    const char *working_dir;                   /* inside, absolute; NULL: the sandbox's */
    const struct heel_terminal_size *terminal; /* a terminal for its three streams; NULL: pipes */
};

enum heel_start_failure {
    HEEL_START_OK,
    HEEL_START_NOT_FOUND,      /* no such program: 127 */
    HEEL_START_NOT_EXECUTABLE, /* it is there and can't be executed: 126 */
    HEEL_START_BAD_DIRECTORY,  /* working_dir can't be entered: 126 */
    HEEL_START_NO_TERMINAL,    /* the host has no more (Linux: kernel.pty.max) */
    HEEL_START_TERMINALS_USED, /* the sandbox has as many as it may */
    HEEL_START_NO_DESCRIPTOR,  /* this process has no descriptor left for its terminal */
    HEEL_START_FAILED,         /* anything else: 126 */
};

/* The limit that ended a process. */
enum heel_limit {
    HEEL_LIMIT_NONE,
    HEEL_LIMIT_MEMORY,
    HEEL_LIMIT_CPU_TIME,
    HEEL_LIMIT_PROCESSES,
    HEEL_LIMIT_FILE_SIZE,
    HEEL_LIMIT_DISK_BYTES,
    HEEL_LIMIT_DISK_INODES,
    HEEL_LIMIT_COUNT,
};

/* How a process ended. */
struct heel_exit {
    enum heel_start_failure start_failure; /* not OK: it never ran, and the rest is zero */
    int start_errno;
    bool signalled;
    int code; /* exit code, or the signal's number */
    enum heel_limit limit;
    int64_t user_us; /* resources of it and its waited-for descendants */
    int64_t system_us;
    int64_t wall_us;
    uint64_t max_rss_bytes;
};

enum heel_denial_kind {
    HEEL_DENIAL_OBSERVED, /* the call itself was seen and refused */
    HEEL_DENIAL_INFERRED, /* from what the program said */
};

struct heel_process;

/* Something that a sandbox refused to a program in it. All pointers are borrowed for the call. */
struct heel_denial {
    enum heel_denial_kind kind;
    struct heel_process *process; /* whose command's tree it is from; NULL: not known */
    pid_t pid;                    /* the process's, inside; 0: not known */
    const char *program;          /* path inside, or its name; escaped; "" where it is not known */
    const char *target;           /* what it wanted to reach; escaped */
    const char *right;            /* and to do with it: "connect" */
    const char *rule;             /* what refused it: a sentence */
    const char *remedy;           /* what would allow it, or do instead: a sentence */
};

/* ---- the objects ---- */

struct heel_backend;
struct heel_sandbox;
struct heel_process;

/* A sandbox is made (error is NULL) or could not be (sandbox is NULL; error is borrowed). */
typedef void heel_on_created(struct heel_sandbox *sandbox, const struct heel_error *error,
                             void *data);

/* A sandbox ended that nobody asked to end: its init was killed from outside, or the launcher is
 * gone. Its processes' on_exit ran before. It must still be deleted. */
typedef void heel_on_lost(struct heel_sandbox *sandbox, void *data);

/* A sandbox refused something. Not every refusal is reported: at most HEEL_DENIALS_BURST at once,
 * and HEEL_DENIALS_PER_SECOND in the long run. */
typedef void heel_on_denied(const struct heel_denial *denial, void *data);

#define HEEL_DENIALS_BURST 64
#define HEEL_DENIALS_PER_SECOND 16

/* A file that a sandbox left on the host and that acts when somebody works there. */
struct heel_left_file {
    const char *path;
    const char *reason; /* static */
};

/* How a sandbox ended; borrowed for the callback. */
struct heel_sandbox_end {
    const struct heel_error *error; /* what could not be removed, or NULL */
    const struct heel_left_file *files;
    size_t file_count;
    bool incomplete; /* there may be more files: not everything was searched */
};

/* Nothing of the sandbox runs, is mounted or stored any more; on_exit was run for each of its
 * processes before. The sandbox is freed after the callback. */
typedef void heel_on_deleted(const struct heel_sandbox_end *end, void *data);

/* A process was started or could not be: exactly one on_exit follows on_started for a process that
 * was started; for one that could not be only on_exit is run. */
struct heel_process_events {
    /* `terminal` is the master side of the terminal that was asked for, non-blocking, owned by the
     * callee; -1 where none was. */
    void (*on_started)(struct heel_process *process, int terminal, void *data);
    /* The process is freed after this. Its descendants may live on. */
    void (*on_exit)(struct heel_process *process, const struct heel_exit *exit, void *data);
};

/* Whom a signal reaches. */
enum heel_signal_scope {
    HEEL_SIGNAL_PROCESS, /* the process alone */
    HEEL_SIGNAL_GROUP,   /* the process group that it leads */
    HEEL_SIGNAL_TREE,    /* it and everything that descends from it, however it detached itself */
};

/* How the processes of a paused sandbox were stopped. */
enum heel_pause_mechanism {
    HEEL_PAUSE_NONE,    /* they run */
    HEEL_PAUSE_SIGNALS, /* each is stopped, which others of them can notice */
    HEEL_PAUSE_FREEZER, /* the kernel lets none of them run, and none notices */
};

/* Every process of the sandbox was stopped by this mechanism, or continued (NONE); or that failed:
 * then `error` (borrowed) says why, and all is as before. */
typedef void heel_on_paused(struct heel_sandbox *sandbox, enum heel_pause_mechanism mechanism,
                            const struct heel_error *error, void *data);

/* The caller's ends of a command's standard streams: pipes, non-blocking, owned by whoever started
 * it. -1 where that stream was not asked for, and all three of a command with a terminal. */
struct heel_stdio {
    int in;  /* write end */
    int out; /* read end */
    int err; /* read end */
};

struct heel_backend_ops {
    /* What the host gives; borrowed, valid as long as the backend. */
    const struct heel_host_info *(*host)(struct heel_backend *backend);
    /* Tells how a sandbox is confined, or would be: it makes none. Errors come through the
     * callback, and are those of create. */
    void (*explain)(struct heel_backend *backend, const struct heel_policy_question *question,
                    heel_on_explained *on_explained, void *data);
    /* Makes a sandbox. Errors come through the callback. */
    void (*create)(struct heel_backend *backend, const struct heel_sandbox_spec *spec,
                   heel_on_created *on_created, heel_on_lost *on_lost, void *data);
    /* Kills everything in it and removes it; once per sandbox. Never waits for the sandbox's
     * consent. */
    void (*destroy)(struct heel_sandbox *sandbox, heel_on_deleted *on_deleted, void *data);
    const struct heel_sandbox_paths *(*paths)(const struct heel_sandbox *sandbox);
    const struct heel_enforcement *(*enforcement)(
        const struct heel_sandbox *sandbox); /* HEEL_PROTECTION_COUNT of them */
    /* Sets who is told of its refusals from now on; NULL: nobody. */
    void (*watch_denials)(struct heel_sandbox *sandbox, heel_on_denied *on_denied, void *data);
    /* Starts a command. 0 and its stdio (all three are pipes; /dev/null for stdin if !want_stdin)
     * or -1 when it could not even be asked for. */
    int (*start)(struct heel_sandbox *sandbox, const struct heel_command *command, bool want_stdin,
                 const struct heel_process_events *events, void *data,
                 struct heel_process **process, struct heel_stdio *stdio, struct heel_error **err);
    /* ESRCH is no error. */
    void (*signal)(struct heel_process *process, int signal_number, enum heel_signal_scope scope);
    /* SIGKILL to the process and everything that descends from it, however it detached itself;
     * again until nothing is left. on_exit follows. */
    void (*kill_tree)(struct heel_process *process);
    /* Stops every process of the sandbox, or lets go on those that were stopped so. One at a time;
     * not after destroy. on_paused is run once, perhaps from inside, unless the sandbox ends first;
     * ABORTED, reason PAUSE_TIMED_OUT, if one doesn't stop. SIGKILL ends also what stands still. */
    void (*pause)(struct heel_sandbox *sandbox, bool pause, heel_on_paused *on_paused, void *data);
    /* Ends the backend: every sandbox must have been deleted. `on_closed` is the last callback. */
    void (*close)(struct heel_backend *backend, void (*on_closed)(void *data), void *data);
};

/* What each implementation puts first in its own structs. */
struct heel_backend {
    const struct heel_backend_ops *ops;
};
struct heel_sandbox {
    struct heel_backend *backend;
};
struct heel_process {
    struct heel_sandbox *sandbox;
};

static inline const struct heel_host_info *heel_backend_host(struct heel_backend *backend)
{
    return backend->ops->host(backend);
}

static inline void heel_backend_explain(struct heel_backend *backend,
                                        const struct heel_policy_question *question,
                                        heel_on_explained *on_explained, void *data)
{
    backend->ops->explain(backend, question, on_explained, data);
}

static inline void heel_backend_create(struct heel_backend *backend,
                                       const struct heel_sandbox_spec *spec,
                                       heel_on_created *on_created, heel_on_lost *on_lost,
                                       void *data)
{
    backend->ops->create(backend, spec, on_created, on_lost, data);
}

static inline void heel_sandbox_destroy(struct heel_sandbox *sandbox, heel_on_deleted *on_deleted,
                                        void *data)
{
    sandbox->backend->ops->destroy(sandbox, on_deleted, data);
}

static inline const struct heel_sandbox_paths *heel_sandbox_paths(
    const struct heel_sandbox *sandbox)
{
    return sandbox->backend->ops->paths(sandbox);
}

static inline const struct heel_enforcement *heel_sandbox_enforcement(
    const struct heel_sandbox *sandbox)
{
    return sandbox->backend->ops->enforcement(sandbox);
}

static inline void heel_sandbox_watch_denials(struct heel_sandbox *sandbox,
                                              heel_on_denied *on_denied, void *data)
{
    sandbox->backend->ops->watch_denials(sandbox, on_denied, data);
}

static inline int heel_process_start(struct heel_sandbox *sandbox,
                                     const struct heel_command *command, bool want_stdin,
                                     const struct heel_process_events *events, void *data,
                                     struct heel_process **process, struct heel_stdio *stdio,
                                     struct heel_error **err)
{
    return sandbox->backend->ops->start(sandbox, command, want_stdin, events, data, process, stdio,
                                        err);
}

static inline void heel_process_signal(struct heel_process *process, int signal_number,
                                       enum heel_signal_scope scope)
{
    process->sandbox->backend->ops->signal(process, signal_number, scope);
}

static inline void heel_sandbox_pause(struct heel_sandbox *sandbox, bool pause,
                                      heel_on_paused *on_paused, void *data)
{
    sandbox->backend->ops->pause(sandbox, pause, on_paused, data);
}

static inline void heel_process_kill_tree(struct heel_process *process)
{
    process->sandbox->backend->ops->kill_tree(process);
}

static inline void heel_backend_close(struct heel_backend *backend, void (*on_closed)(void *data),
                                      void *data)
{
    backend->ops->close(backend, on_closed, data);
}

/* ---- making one ---- */

/* Whether sandboxes get namespaces of their own. */
enum heel_namespaces {
    HEEL_NAMESPACES_AUTO,    /* where the host allows them */
    HEEL_NAMESPACES_REQUIRE, /* or there are no sandboxes */
    HEEL_NAMESPACES_NEVER,   /* also where it would */
};

/* "auto", "require" or "never". 0, or -1. */
static inline int heel_namespaces_parse(const char *text, enum heel_namespaces *namespaces)
{
    static const char *const names[] = {
        [HEEL_NAMESPACES_AUTO] = "auto",
        [HEEL_NAMESPACES_REQUIRE] = "require",
        [HEEL_NAMESPACES_NEVER] = "never",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], text) == 0) {
            *namespaces = (enum heel_namespaces)i;
            return 0;
        }
    return -1;
}

/* What a backend is started with. Strings are borrowed for the call. */
struct heel_backend_options {
    enum heel_namespaces namespaces;
    const char *without;   /* for tests: mechanisms to do without, as heeld's --without; or NULL */
    bool brief;            /* heeld ends with its first sandbox: make nothing ahead for a second */
    const char *state_dir; /* absolute; made if absent; holds what sandboxes keep on disk */
    const char *runtime_dir; /* absolute or NULL; hidden from every sandbox (sockets live there) */
    const char
        *config_dir; /* the same, if it exists at the start; what is in it acts outside later */
    uid_t uid_first; /* as root: the host uids that sandboxes are given */
    uid_t uid_count;
};

/* The helper process that makes sandboxes. It is forked by heel_launcher_start() while this program
 * still has one thread and has not initialised gRPC; `socket` is heeld's end. On Linux; elsewhere
 * start is a no-op that succeeds. */
struct heel_launcher {
    int socket;
    pid_t pid;
};

/* Forks the launcher. 0, or -1 and *err. `options` are copied into it. */
int heel_launcher_start(const struct heel_backend_options *options, struct heel_launcher *launcher,
                        struct heel_error **err);

/* The backend of this operating system on `loop`, which takes the launcher over. NULL and *err if
 * it can't be made; a host that lacks what sandboxes need is no error here: it shows in
 * heel_backend_host() and fails every create with FAILED_PRECONDITION, reason HOST_UNSUPPORTED. */
struct heel_backend *heel_backend_open(uv_loop_t *loop, const struct heel_backend_options *options,
                                       struct heel_launcher *launcher, struct heel_error **err);

/* A file (heeld's socket) that is to be removed should this program die without closing the
 * backend (which leaves it alone otherwise), and that no sandbox may see. Before the first create.
 * `path` is copied. */
void heel_backend_unlink_at_death(struct heel_backend *backend, const char *path);

#endif

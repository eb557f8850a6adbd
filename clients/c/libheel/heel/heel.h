/* heel: run commands in native sandboxes of the operating system, from C and C++.
 *
 *     struct heel_client *client;
 *     struct heel_error *error = NULL;
 *     struct heel_run_result *result;
 *     const char *argv[] = {"python3", "-c", "print(6 * 7)", NULL};
 *     const struct heel_spec spec = {HEEL_INIT(heel_spec), .level = HEEL_LEVEL_STRICT};
 *     const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv};
 *
 *     if (heel_client_open(NULL, NULL, &client, &error) ||
 *         heel_run(client, heel_in_new_sandbox(&spec), &command, NULL, &result, &error))
 *         … heel_error_message(error) …
 *     fwrite(result->output.data, 1, result->output.length, stdout);
 *     heel_run_result_free(result);
 *     heel_client_close(client);
 *
 * Functions that can fail return 0, or -1 and a new error in *error, which the caller frees;
 * `error` itself may be NULL. Results are written on success only, and freed with the function
 * that is named after them; every free takes NULL. What a result points to lives as long as the
 * result.
 *
 * Structures that a caller fills in begin with HEEL_INIT(type), and everything that is left out
 * is zero, which means unset: the server's default. They are read during the call that is given
 * them and may be gone after it. That goes for every pointer in this header, unless it says
 * otherwise. In C++ before C++20: `heel_spec spec{}; spec.size = sizeof spec;`.
 *
 * Strings are UTF-8 and NUL-terminated. Durations are in milliseconds, points in time in
 * milliseconds since 1970 (UTC).
 *
 * Threads: a client may be used from several threads at once. A heel_exec belongs to one thread
 * at a time, apart from the functions that say otherwise. Nothing else is shared. After fork() a
 * child must not touch what its parent opened.
 *
 * Compile with the flags that `pkg-config --cflags --libs heel` prints. */
#ifndef HEEL_HEEL_H
#define HEEL_HEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEEL_VERSION "0.1.0"

/* The first thing in the braces that initialise a `struct type`. It tells the library which
 * version of the structure it gets. */
#define HEEL_INIT(type) .size = sizeof(struct type)

/* Bytes that may hold anything. */
struct heel_bytes {
    const void *data;
    size_t length;
};

/* An environment variable, a label, or a header. */
struct heel_pair {
    const char *name;
    const char *value;
};

/* ---- errors ---- */

struct heel_error;

/* The codes of gRPC, with its numbers. */
enum heel_error_code {
    HEEL_ERROR_NONE = 0,
    HEEL_ERROR_CANCELLED = 1,
    HEEL_ERROR_UNKNOWN = 2,
    HEEL_ERROR_INVALID_ARGUMENT = 3,
    HEEL_ERROR_DEADLINE_EXCEEDED = 4,
    HEEL_ERROR_NOT_FOUND = 5,
    HEEL_ERROR_ALREADY_EXISTS = 6,
    HEEL_ERROR_PERMISSION_DENIED = 7,
    HEEL_ERROR_RESOURCE_EXHAUSTED = 8,
    HEEL_ERROR_FAILED_PRECONDITION = 9,
    HEEL_ERROR_ABORTED = 10,
    HEEL_ERROR_OUT_OF_RANGE = 11,
    HEEL_ERROR_UNIMPLEMENTED = 12,
    HEEL_ERROR_INTERNAL = 13,
    HEEL_ERROR_UNAVAILABLE = 14, /* no server, or it was lost during the call */
    HEEL_ERROR_DATA_LOSS = 15,
    HEEL_ERROR_UNAUTHENTICATED = 16,
};

/* NULL has no error: HEEL_ERROR_NONE, empty strings, no metadata. What is returned belongs to
 * the error. */
enum heel_error_code heel_error_code(const struct heel_error *error);
/* "NOT_FOUND"; "UNKNOWN" for a number that is no code */
const char *heel_error_code_name(enum heel_error_code code);
const char *heel_error_message(const struct heel_error *error); /* a sentence for people */
/* "SANDBOX_NOT_FOUND" and so on; "" if there is none */
const char *heel_error_reason(const struct heel_error *error);
/* "spec.filesystem.paths[2].path"; "" if none is to blame */
const char *heel_error_field(const struct heel_error *error);
/* when a retry may succeed; 0: unknown, or never */
int64_t heel_error_retry_after_ms(const struct heel_error *error);
size_t heel_error_metadata_count(const struct heel_error *error);
/* {NULL, NULL} beyond the last */
struct heel_pair heel_error_metadata_at(const struct heel_error *error, size_t index);
/* NULL if it isn't there */
const char *heel_error_metadata(const struct heel_error *error, const char *name);

/* {"error":{"code":…,"reason":…,"message":…,"field":…,"metadata":{…}}} on one line; the caller
 * frees it with free(). */
char *heel_error_json(const struct heel_error *error);

void heel_error_free(struct heel_error *error);

/* ---- clients ---- */

/* A connection to one server. It is made anew when it was lost: the calls that ran on it fail
 * with HEEL_ERROR_UNAVAILABLE, the next call connects again. */
struct heel_client;

struct heel_client_options {
    size_t size;
    int64_t timeout_ms; /* deadline of the calls that don't set one; 0: none */
    /* embedded: which heeld to run; NULL: $HEEL_HEELD, else "heeld" in PATH */
    const char *server_program;
    /* embedded: more arguments for it, NULL-terminated; may be NULL */
    const char *const *server_arguments;
    /* embedded: its log goes to this program's standard error; else nowhere */
    bool server_log;
};

/* Connects to the server at `address`: "unix:/path", or a path. NULL: $HEEL_ADDRESS; else
 * $XDG_RUNTIME_DIR/heel/heeld.sock (as root /run/heel/heeld.sock, without XDG_RUNTIME_DIR
 * /tmp/heel-UID/heeld.sock), in a folder and from a server that belong to the user.
 * `options` may be NULL. HEEL_ERROR_UNAVAILABLE where no server listens. */
int heel_client_open(const char *address, const struct heel_client_options *options,
                     struct heel_client **client, struct heel_error **error);

/* A private server, for this client alone: a child process on a socket pair. There is no daemon
 * and no socket file, and when the client is closed, or the program ends in whatever way, the
 * server and all its sandboxes end too. Safe in a program with threads. When the server is lost,
 * so are its sandboxes; the next call starts another. */
int heel_client_open_embedded(const struct heel_client_options *options,
                              struct heel_client **client, struct heel_error **error);

/* Speaks to the server at the other end of `fd`, a connected stream socket, which the client
 * owns from now on, even if this fails. It can't connect again. */
int heel_client_open_fd(int fd, const struct heel_client_options *options,
                        struct heel_client **client, struct heel_error **error);

/* After every call on it has returned and every heel_exec of it was freed. Waits for an embedded
 * server to end. */
void heel_client_close(struct heel_client *client);

/* The address that NULL stands for, as a path or "unix:/path", whether or not anybody listens
 * there; the caller frees it with free(). */
char *heel_default_address(void);

/* How a call is made; every call takes one, and NULL means no options. */
struct heel_call {
    size_t size;
    int64_t timeout_ms;              /* deadline from now; 0: the client's, negative: none */
    const struct heel_pair *headers; /* lower-case names, as in "heel-request-id" */
    size_t header_count;
};

/* ---- what a sandbox is to be ---- */

enum heel_level {
    HEEL_LEVEL_UNSET = 0,
    /* reads its working directory and what programs need in order to start; writes its working
     * directory */
    HEEL_LEVEL_STRICT = 1,
    /* reads everything but what is protected; writes its working directory */
    HEEL_LEVEL_DEFAULT = 2,
    HEEL_LEVEL_PERMISSIVE = 3, /* reads and writes what the caller could */
};

enum heel_access {
    HEEL_ACCESS_READ = 1,
    HEEL_ACCESS_WRITE = 2,   /* read, change, create and remove */
    HEEL_ACCESS_EXECUTE = 3, /* read and execute */
    HEEL_ACCESS_DENY = 4,    /* nothing, whatever other rules say */
};

/* For a host path and everything below it. The rule with the nearest path decides; rules on one
 * path add up; DENY beats all. */
struct heel_path_rule {
    const char *path; /* absolute, existing */
    enum heel_access access;
};

/* What is protected, by kind: each a switch, on at strict and default, off at permissive. */
enum heel_protected_group {
    HEEL_PROTECTED_USER_HOME = 1,   /* the caller's own home */
    HEEL_PROTECTED_OTHER_HOMES = 2, /* homes of other users */
    HEEL_PROTECTED_CREDENTIALS = 3, /* .ssh, .gnupg, .netrc and their like */
    HEEL_PROTECTED_CLOUD = 4,       /* .aws, .azure, .kube, .docker and their like */
    HEEL_PROTECTED_BROWSER = 5,
    HEEL_PROTECTED_KEYCHAIN = 6,  /* keyrings and password managers */
    HEEL_PROTECTED_HISTORY = 7,   /* what was typed into shells and interpreters */
    HEEL_PROTECTED_PACKAGES = 8,  /* tokens of package managers */
    HEEL_PROTECTED_PERSONAL = 9,  /* mail, crontabs, core dumps and journals */
    HEEL_PROTECTED_SERVICES = 10, /* data of the host's services */
    /* repositories and settings in writable directories, which act outside later */
    HEEL_PROTECTED_ACTING_FILES = 11,
};

/* For a group, or for one protected path (absolute, existing), which beats its group. */
struct heel_protection_switch {
    const char *path; /* NULL: the group's switch */
    enum heel_protected_group group;
    bool on;
};

/* "USER_HOME" and so on; "UNKNOWN" for a number that has no name here. Static. */
const char *heel_protected_group_name(enum heel_protected_group group);

enum heel_protection {
    /* files outside the grants can't be read, written or executed */
    HEEL_PROTECTION_FILESYSTEM = 1,
    HEEL_PROTECTION_HIDDEN_PATHS = 2, /* homes, credentials and heel's own state are hidden */
    HEEL_PROTECTION_PROCESSES = 3,    /* processes outside can't be seen, signalled or debugged */
    HEEL_PROTECTION_NETWORK = 4,      /* nothing outside can be reached over a network */
    /* IPC objects and abstract Unix sockets are the sandbox's own */
    HEEL_PROTECTION_IPC = 5,
    HEEL_PROTECTION_SYSTEM_CALLS = 6, /* system calls beyond what programs need are refused */
    HEEL_PROTECTION_PRIVILEGES = 7,   /* no privilege is held or can be gained */
    HEEL_PROTECTION_DEVICES = 8,      /* devices other than the harmless ones are absent */
    HEEL_PROTECTION_HOST_SOCKETS = 9, /* Unix sockets outside can't be connected to */
    /* what is in a writable directory and acts outside later can't be written */
    HEEL_PROTECTION_ACTING_FILES = 10,
    /* mode, owner, times, attributes and locks of files not granted for writing can't be changed */
    HEEL_PROTECTION_METADATA = 11,
    HEEL_PROTECTION_KERNEL_QUOTAS = 12,     /* what the kernel counts per user is left to others */
    HEEL_PROTECTION_LIMITS = 13,            /* the spec's limits are held */
    HEEL_PROTECTION_WRITE_XOR_EXECUTE = 14, /* what may be written can't be executed */
};

enum heel_network {
    HEEL_NETWORK_UNSET = 0,
    HEEL_NETWORK_DENY_ALL = 1, /* a loopback interface of its own and nothing else */
};

/* Root's servers take any from root, and from others their own. Root's gid goes with root's uid
 * only. */
struct heel_run_as {
    unsigned uid;
    unsigned gid;
};

struct heel_spec {
    size_t size;
    enum heel_level level;
    /* a host directory, with the same path inside; NULL: one of the sandbox's own, removed with
     * it */
    const char *working_dir;
    bool keep_working_dir; /* leaves the sandbox's own working directory behind */
    const struct heel_path_rule *paths;
    size_t path_count;
    enum heel_network network;
    int64_t wall_time_ms; /* the longest that one command may take; unset: no limit */
    /* what heel_run keeps of each, stdout and stderr; unset: 262,144, at most 491,520 */
    uint64_t max_output_bytes;
    /* of every command; nothing comes from this program's environment or the server's */
    const struct heel_pair *variables;
    size_t variable_count;
    int64_t ttl_ms; /* from creation to deletion by the server; unset: for ever */
    /* from the end of the last command to deletion by the server; unset: for ever */
    int64_t idle_ttl_ms;
    const struct heel_pair *labels;
    size_t label_count;
    const struct heel_protection_switch *switches; /* what differs from the level's own */
    size_t switch_count;
    const enum heel_protection *required; /* what must be ACTIVE, or the sandbox isn't made */
    size_t required_count;
    /* Of all of it together, unless it says otherwise; unset: no limit. What the contract's Limits
     * says of each holds here. */
    uint64_t memory_bytes;            /* at least 8 MiB */
    int64_t cpu_time_ms;              /* over the sandbox's life */
    double cpu_share;                 /* in processors, 1.5 for one and a half */
    uint32_t max_processes;           /* at one time; threads don't count */
    uint64_t max_file_size_bytes;     /* of any one file */
    uint32_t max_open_files;          /* of one process; at least 16 */
    uint64_t disk_bytes;              /* of its own working directory; at least 1 MiB */
    uint64_t disk_inodes;             /* the same in files, directories and links; at least 1,024 */
    bool write_xor_execute;           /* nothing that it may write can be executed in it */
    bool gpu;                         /* it may use GPUs; an error where there is none */
    bool npu;                         /* the same of neural processors */
    bool all_devices;                 /* every device that the caller could open, some excepted */
    const struct heel_run_as *run_as; /* a host user to run as; NULL: as the server has it */
};

/* ---- sandboxes ---- */

enum heel_sandbox_state {
    HEEL_SANDBOX_CREATING = 1,
    HEEL_SANDBOX_READY = 2,
    HEEL_SANDBOX_DELETING = 3,
    HEEL_SANDBOX_PAUSED = 4, /* its processes stand still */
};

enum heel_enforcement_state {
    HEEL_ENFORCEMENT_ACTIVE = 1,   /* in full */
    HEEL_ENFORCEMENT_DEGRADED = 2, /* in part; detail says what is missing and what would mend it */
    /* not at all, because the spec says so; detail names the field */
    HEEL_ENFORCEMENT_DISABLED = 3,
};

struct heel_enforcement {
    enum heel_protection protection;
    enum heel_enforcement_state state;
    const char *mechanism; /* as in "Landlock ABI 7, mount namespace" */
    const char *detail;    /* empty when ACTIVE */
};

/* "FILESYSTEM", "ACTIVE", "READY", "STRICT" and so on; "UNKNOWN" for a number that has no name
 * here. Static. */
const char *heel_protection_name(enum heel_protection protection);
const char *heel_enforcement_state_name(enum heel_enforcement_state state);
const char *heel_sandbox_state_name(enum heel_sandbox_state state);
const char *heel_level_name(enum heel_level level);

/* A sandbox as it was when the server answered. */
struct heel_sandbox_info {
    const char *id;
    enum heel_sandbox_state state;
    struct heel_spec spec; /* every default spelled out */
    const struct heel_enforcement *enforcement;
    size_t enforcement_count;
    int64_t create_time_ms;
    /* when ttl or idle_ttl will end it as things stand; 0 if neither will */
    int64_t expire_time_ms;
    const char *working_dir; /* these three as seen inside */
    const char *home_dir;
    const char *temp_dir;
    const char *host_working_dir; /* the working directory as seen on the host */
    unsigned running_commands;
};

/* Makes a sandbox; returns when a command in it would start at once. `id` is the caller's choice
 * and makes a retry safe; NULL: the server's. `spec` may be NULL. */
int heel_sandbox_create(struct heel_client *client, const char *id, const struct heel_spec *spec,
                        const struct heel_call *call, struct heel_sandbox_info **sandbox,
                        struct heel_error **error);

/* HEEL_ERROR_NOT_FOUND where the caller has no such sandbox; the same goes for everything that
 * takes an id. */
int heel_sandbox_get(struct heel_client *client, const char *id, const struct heel_call *call,
                     struct heel_sandbox_info **sandbox, struct heel_error **error);

/* What to change. Replaces what it names as a whole: no labels are none, no ttl is for ever. */
struct heel_update {
    size_t size;
    bool set_labels;
    const struct heel_pair *labels;
    size_t label_count;
    bool set_ttl;
    int64_t ttl_ms; /* counted from the creation */
    bool set_idle_ttl;
    int64_t idle_ttl_ms;
};

int heel_sandbox_update(struct heel_client *client, const char *id,
                        const struct heel_update *update, const struct heel_call *call,
                        struct heel_sandbox_info **sandbox, struct heel_error **error);

void heel_sandbox_info_free(struct heel_sandbox_info *sandbox);

/* Which sandboxes to list. */
struct heel_list {
    size_t size;
    int page_size; /* the most to answer with; 0: 100 */
    /* next_page_token of the answer before this one; NULL: the beginning */
    const char *page_token;
    const struct heel_pair *labels; /* those that carry all of these */
    size_t label_count;
    const enum heel_sandbox_state *states; /* those in one of these; none: any */
    size_t state_count;
};

struct heel_sandbox_page {
    /* in the order of their creation; not to be freed one by one */
    const struct heel_sandbox_info *const *sandboxes;
    size_t count;
    const char *next_page_token; /* empty when there are no more */
};

/* The caller's own sandboxes, a page of them. `list` may be NULL. */
int heel_sandbox_list(struct heel_client *client, const struct heel_list *list,
                      const struct heel_call *call, struct heel_sandbox_page **page,
                      struct heel_error **error);
void heel_sandbox_page_free(struct heel_sandbox_page *page);

/* A file that a sandbox left on the host and that acts when somebody works there: a repository that
 * it made, settings of shells, editors and agents. */
struct heel_acting_file {
    const char *path; /* chosen inside: escape it before it is shown */
    const char *reason;
};

struct heel_acting_files {
    const struct heel_acting_file *items;
    size_t count;
    bool incomplete; /* there may be more */
};

struct heel_deletion {
    const char *kept_working_dir; /* on the host, if keep_working_dir left it there; else empty */
    struct heel_acting_files acting_files;
};

/* Ends a sandbox; returns when nothing of it runs and nothing of it is mounted or stored. Safe
 * to repeat; with `allow_missing` one that isn't there is fine. `deletion` may be NULL. */
int heel_sandbox_delete(struct heel_client *client, const char *id, bool allow_missing,
                        const struct heel_call *call, struct heel_deletion **deletion,
                        struct heel_error **error);
void heel_deletion_free(struct heel_deletion *deletion);

/* Stops every process of a sandbox and returns when all stand still; nothing can be started in it
 * meanwhile, and time limits go on. Safe to repeat. */
int heel_sandbox_pause(struct heel_client *client, const char *id, const struct heel_call *call,
                       struct heel_sandbox_info **sandbox, struct heel_error **error);

/* Lets them go on; what had stopped by itself before stays stopped. Safe to repeat. */
int heel_sandbox_resume(struct heel_client *client, const char *id, const struct heel_call *call,
                        struct heel_sandbox_info **sandbox, struct heel_error **error);

/* ---- commands ---- */

/* Where a command runs. Both set is an error; neither is a new sandbox with every default. */
struct heel_target {
    const char *sandbox_id;       /* in this sandbox */
    const struct heel_spec *spec; /* in one made for the command, and deleted after it */
};

static inline struct heel_target heel_in_sandbox(const char *sandbox_id)
{
    struct heel_target target = {sandbox_id, NULL};
    return target;
}

static inline struct heel_target heel_in_new_sandbox(const struct heel_spec *spec)
{
    struct heel_target target = {NULL, spec};
    return target;
}

/* A terminal for a command. */
struct heel_terminal {
    unsigned rows;    /* 0: 24 */
    unsigned columns; /* 0: 80 */
    const char *type; /* TERM; NULL: "xterm-256color" */
};

/* Whether a command ends with the last heel_exec that is connected to it. */
enum heel_disconnect {
    HEEL_DISCONNECT_UNSET = 0, /* KILL for heel_exec_start, KEEP for heel_process_start */
    HEEL_DISCONNECT_KILL = 1,
    HEEL_DISCONNECT_KEEP = 2,
};

/* What happens to output while as much as is kept was not read. */
enum heel_when_full {
    HEEL_WHEN_FULL_UNSET = 0, /* BLOCK */
    HEEL_WHEN_FULL_BLOCK = 1, /* the command waits for its readers */
    HEEL_WHEN_FULL_DROP_OLDEST = 2,
};

struct heel_command {
    size_t size;
    /* NULL-terminated; a path, or a name in the sandbox's PATH, and its arguments. Never given
     * to a shell. */
    const char *const *argv;
    const char *working_dir;           /* as seen inside; NULL: the sandbox's */
    const struct heel_pair *variables; /* on top of the sandbox's */
    size_t variable_count;
    /* heel_run: what it reads on its standard input. heel_exec: must be empty */
    struct heel_bytes input;
    /* then it and all that it started are killed; unset: the sandbox's wall_time_ms */
    int64_t timeout_ms;
    /* the caller's choice makes a retry of heel_run safe; NULL: the server's */
    const char *process_id;
    /* the four are not for heel_run: a terminal as its three streams, all output is then standard
     * output; NULL: pipes */
    const struct heel_terminal *terminal;
    enum heel_disconnect disconnect;
    uint64_t ring_bytes; /* of each output that are kept for readers to come; unset: 1 MiB */
    enum heel_when_full when_full;
};

enum heel_exit_reason {
    HEEL_EXIT_EXITED = 1,
    HEEL_EXIT_SIGNALED = 2,
    HEEL_EXIT_TIMEOUT = 3,      /* its timeout, or the sandbox's wall_time_ms */
    HEEL_EXIT_DELETED = 4,      /* with its sandbox */
    HEEL_EXIT_DISCONNECTED = 5, /* the client cancelled the call or went away */
    /* it never ran: code is 127 where the program wasn't found, else 126; message says why */
    HEEL_EXIT_START_FAILED = 6,
    HEEL_EXIT_OOM = 7,   /* its sandbox used more than memory_bytes */
    HEEL_EXIT_LIMIT = 8, /* it or its sandbox went beyond another limit */
};

/* The limits that end commands. */
enum heel_limit {
    HEEL_LIMIT_NONE = 0,
    HEEL_LIMIT_MEMORY_BYTES = 1,
    HEEL_LIMIT_CPU_TIME = 2,
    HEEL_LIMIT_MAX_PROCESSES = 3,
    HEEL_LIMIT_MAX_FILE_SIZE_BYTES = 4,
    HEEL_LIMIT_DISK_BYTES = 5,
    HEEL_LIMIT_DISK_INODES = 6,
};

/* How a command ended. A code that isn't 0 is no error. */
struct heel_exit_status {
    enum heel_exit_reason reason;
    bool signaled;         /* then signal is set, else code */
    int code;              /* what it passed to exit(), 0 to 255 */
    int signal;            /* which signal killed it */
    const char *message;   /* a sentence where the reason needs one, else empty */
    enum heel_limit limit; /* which one, where the reason is OOM or LIMIT */
};

/* "EXITED" and so on, like the names above. */
const char *heel_exit_reason_name(enum heel_exit_reason reason);

/* What a command used, its waited-for descendants included. */
struct heel_usage {
    int64_t user_time_us;
    int64_t system_time_us;
    int64_t wall_time_us;
    uint64_t max_rss_bytes;
};

enum heel_denial_kind {
    HEEL_DENIAL_OBSERVED = 1, /* the sandbox saw the call and refused it */
    HEEL_DENIAL_INFERRED =
        2, /* concluded from what the command wrote and what the sandbox allows */
};

/* Something that the sandbox refused to a command, or to what it started. Texts are escaped where
 * programs chose them. */
struct heel_denial {
    enum heel_denial_kind kind;
    unsigned pid;        /* inside; 0: not known */
    const char *program; /* empty: not known */
    const char *target;  /* what it wanted to reach */
    /* "read", "write", "execute", "connect", "bind", "signal", "ptrace", "ioctl", "mount" */
    const char *right;
    const char *rule;   /* what refused it: a sentence */
    const char *remedy; /* what would allow it, or do instead; empty where nothing would */
};

struct heel_denials {
    const struct heel_denial *items; /* in their order */
    size_t count;
    bool truncated; /* there were more */
};

struct heel_run_result {
    struct heel_exit_status status;
    struct heel_usage usage;
    struct heel_bytes output; /* standard output, up to the sandbox's max_output_bytes */
    struct heel_bytes errors; /* standard error, the same */
    bool output_truncated;    /* there was more */
    bool errors_truncated;
    const char *process_id;
    const char *sandbox_id;
    struct heel_acting_files acting_files; /* of a sandbox made for the command */
    struct heel_denials denials;
};

/* Runs a command to its end and captures its output. A deadline that passes kills it and
 * everything that it started. */
int heel_run(struct heel_client *client, struct heel_target target,
             const struct heel_command *command, const struct heel_call *call,
             struct heel_run_result **result, struct heel_error **error);
void heel_run_result_free(struct heel_run_result *result);

/* ---- how a sandbox is confined ---- */

/* An access to be judged. */
struct heel_policy_test {
    const char *path; /* as seen inside; absolute, need not exist */
    /* HEEL_ACCESS_READ: read a file or list a directory; _WRITE: write to what is there or make it,
     * in a directory make files; _EXECUTE: execute a file, of a directory files in it */
    enum heel_access access;
};

enum heel_policy_kind {
    HEEL_POLICY_MOUNT = 1,
    HEEL_POLICY_LANDLOCK_RULE = 2,
    HEEL_POLICY_SYSTEM_CALLS = 3,
    HEEL_POLICY_SYSTEM_CALL_RULE = 4,
};

/* "MOUNT" and so on, like the names above. */
const char *heel_policy_kind_name(enum heel_policy_kind kind);

struct heel_policy_entry {
    enum heel_policy_kind kind;
    const char *text;
    const char *origin; /* why it is there: "level DEFAULT", "path rule", … */
};

struct heel_policy_verdict {
    const char *path;
    enum heel_access access;
    bool allowed;
    const char *resolved_path; /* where the symbolic links on the way lead */
    const char *rule;          /* what decided */
    const char *origin;        /* where that comes from */
    /* what in a spec would allow it; empty where it is allowed, or no spec would */
    const char *remedy;
};

struct heel_policy {
    const struct heel_policy_entry *entries; /* mounts and rules, then system calls */
    size_t entry_count;
    bool entries_truncated;                     /* there are more */
    const struct heel_policy_verdict *verdicts; /* one for each test, in their order */
    size_t verdict_count;
    const struct heel_enforcement *enforcement;
    size_t enforcement_count;
};

/* Tells how a sandbox is confined, or how one of a spec would be, and what accesses in it would
 * get. Makes no sandbox. `tests` may be NULL; at most 1,024. */
int heel_policy_explain(struct heel_client *client, struct heel_target target,
                        const struct heel_policy_test *tests, size_t test_count,
                        const struct heel_call *call, struct heel_policy **policy,
                        struct heel_error **error);
void heel_policy_free(struct heel_policy *policy);

/* ---- commands whose streams are connected ---- */

/* A running command, whose output is passed to callbacks as it comes. Freeing it early, or
 * losing the connection, kills the command and everything that it started, unless it is to be kept
 * (enum heel_disconnect). */
struct heel_exec;

/* Run by heel_exec_run and heel_exec_dispatch, in the thread that calls them, or in libheel's own
 * (heel_exec_run_in_thread). Any may be NULL. They must not free or join the exec. */
struct heel_exec_events {
    size_t size;
    void (*on_started)(struct heel_exec *exec, const char *process_id, const char *sandbox_id,
                       void *data);
    /* The next output is only asked for when these return (see heel_exec_hold): a slow consumer
     * slows the command down and costs no memory. */
    /* standard output */
    void (*on_output)(struct heel_exec *exec, struct heel_bytes output, void *data);
    /* standard error */
    void (*on_errors)(struct heel_exec *exec, struct heel_bytes errors, void *data);
    /* heel_exec_write takes bytes again. Only run after it had taken fewer than it was given. */
    void (*on_writable)(struct heel_exec *exec, void *data);
    /* The command is over and all of its output was passed on. */
    void (*on_exited)(struct heel_exec *exec, const struct heel_exit_status *status,
                      const struct heel_usage *usage, void *data);
    /* Output from offset `from` up to `to` is kept no more (`errors`: of standard error). */
    void (*on_gap)(struct heel_exec *exec, bool errors, uint64_t from, uint64_t to, void *data);
};

/* Starts a command; *exec is the caller's to free. `data` is what the callbacks get. A command
 * that can't be started at all is no error here: it ends with HEEL_EXIT_START_FAILED. `call` is
 * the deadline of the whole command. */
int heel_exec_start(struct heel_client *client, struct heel_target target,
                    const struct heel_command *command, const struct heel_call *call,
                    const struct heel_exec_events *events, void *data, struct heel_exec **exec,
                    struct heel_error **error);

/* Where heel_exec_attach begins, and how. */
struct heel_attach {
    size_t size;
    uint64_t output_offset; /* in standard output; what is kept no more is told by on_gap */
    uint64_t errors_offset;
    bool required; /* with HEEL_WHEN_FULL_BLOCK the command waits for this reader */
    bool from_end; /* with what comes from now on, whatever the offsets */
};

/* Connects to a process that heel_exec_start or heel_process_start has started, running or over,
 * whose output comes from any offset that is kept. `attach` may be NULL. Any number may be
 * connected. Freeing the exec early leaves the process running, unless it is to end with the last
 * one. */
int heel_exec_attach(struct heel_client *client, const char *sandbox_id, const char *process_id,
                     const struct heel_attach *attach, const struct heel_call *call,
                     const struct heel_exec_events *events, void *data, struct heel_exec **exec,
                     struct heel_error **error);

/* Runs callbacks until the command is over. On success *status is its end; `status` may be NULL.
 * What it points to lives as long as the exec. */
int heel_exec_run(struct heel_exec *exec, struct heel_exit_status *status,
                  struct heel_error **error);

/* Before or during heel_exec_run: it reads `fd` (anything that poll(2) takes, and files) for the
 * command's standard input, as fast as the command takes it, and closes the standard input at
 * the end of the file. `fd` stays the caller's and is left as it is; it must stay open until
 * heel_exec_run returns. */
void heel_exec_forward(struct heel_exec *exec, int fd);

/* For programs with a loop of their own instead of heel_exec_run: when the descriptor becomes
 * readable, dispatch runs the callbacks that are due, without ever waiting. It returns true as
 * long as the command is not over; then heel_exec_finish gives what heel_exec_run would have
 * given. */
int heel_exec_fd(const struct heel_exec *exec);
bool heel_exec_dispatch(struct heel_exec *exec);
int heel_exec_finish(struct heel_exec *exec, struct heel_exit_status *status,
                     struct heel_error **error);

/* Instead of heel_exec_run, and returns at once: from now on the callbacks are run in a thread of
 * libheel's, which gets no signals. Until heel_exec_join the exec belongs to that thread: others
 * may only call what may be called from any thread. heel_exec_join waits for the end and gives what
 * heel_exec_run would have given; heel_exec_free without it cancels first. */
int heel_exec_run_in_thread(struct heel_exec *exec, struct heel_error **error);
int heel_exec_join(struct heel_exec *exec, struct heel_exit_status *status,
                   struct heel_error **error);

/* Takes some or all of `length` bytes for the standard input, which it copies, and returns how
 * many: fewer while the command does not read what it was given before. on_writable tells when
 * there is room again. Once the standard input is closed they are dropped. */
size_t heel_exec_write(struct heel_exec *exec, const void *bytes, size_t length);

/* No more standard input, after what was written. */
void heel_exec_close_input(struct heel_exec *exec);

/* From on_output or on_errors: those bytes stay valid, and nothing more of the command is read, its
 * end included, until heel_exec_release. Signals and cancelling work all the same. */
void heel_exec_hold(struct heel_exec *exec);
void heel_exec_release(struct heel_exec *exec);

/* Sends a signal (1 to 64) to the command's process group. From any thread, and from a signal
 * handler. It is sent with the next dispatch, which this causes. */
void heel_exec_signal(struct heel_exec *exec, int signal_number);

/* A new size for the command's terminal (1 to 65,535 each); the programs in it get SIGWINCH. From
 * any thread, and from a signal handler. It is sent with the next dispatch, which this causes. */
void heel_exec_resize(struct heel_exec *exec, unsigned rows, unsigned columns);

/* How a person's terminal is connected to a command's. */
struct heel_interactive {
    size_t size;
    /* keys that leave the command alone, as in "ctrl-p,ctrl-q"; NULL: none do */
    const char *detach_keys;
};

enum heel_interactive_end {
    HEEL_INTERACTIVE_EXITED = 1,   /* the command is over */
    HEEL_INTERACTIVE_DETACHED = 2, /* the detach keys were typed */
};

/* Instead of heel_exec_run, for a command with a terminal: connects the terminal `in_fd` to its
 * input and `out_fd` to its output, in raw mode, and passes on the terminal's size as it changes.
 * Whatever happens (the end, an error, SIGTERM, SIGHUP, SIGTSTP), the terminal's settings are put
 * back, and so are the modes that programs switch on by escape sequences (alternate screen, mouse,
 * bracketed paste); what was typed or answered after the end is dropped. The exec's on_output must
 * be NULL. One at a time in a program. Where `in_fd` is no terminal its bytes are passed on as they
 * are. `options` may be NULL. 0, *end, and *status if it is EXITED. */
int heel_exec_interactive(struct heel_exec *exec, int in_fd, int out_fd,
                          const struct heel_interactive *options, enum heel_interactive_end *end,
                          struct heel_exit_status *status, struct heel_error **error);

/* Gives up: the command and all that it started are killed (not a process that is to be kept), and
 * the exec fails with HEEL_ERROR_CANCELLED. From any thread, and from a signal handler. */
void heel_exec_cancel(struct heel_exec *exec);

/* What a sandbox made for the command left behind, once it is over; valid as long as `exec`. */
const struct heel_acting_files *heel_exec_acting_files(const struct heel_exec *exec);

/* What was refused to the command, once it is over; valid as long as `exec`. */
const struct heel_denials *heel_exec_denials(const struct heel_exec *exec);

void heel_exec_free(struct heel_exec *exec);

/* ---- processes ---- */

enum heel_process_state {
    HEEL_PROCESS_RUNNING = 1, /* or being started */
    HEEL_PROCESS_EXITED = 2,
};

/* The bytes of one output that can still be read. */
struct heel_output_range {
    uint64_t first; /* offset of the first */
    uint64_t end;   /* offset after the last */
};

/* A command as it was when the server answered. */
struct heel_process_info {
    const char *id;
    const char *sandbox_id;
    enum heel_process_state state;
    const char *const *argv; /* NULL-terminated; of a long one the first */
    int64_t start_time_ms;
    int64_t end_time_ms;            /* 0 while it runs */
    struct heel_exit_status status; /* these two once it exited */
    struct heel_usage usage;
    bool captured; /* by heel_run: nobody can be connected to it, and it has no output here */
    struct heel_output_range output;
    struct heel_output_range errors;
    const struct heel_terminal *terminal; /* NULL where it has none */
    unsigned readers;                     /* connected now */
    bool kill_on_disconnect;
};

/* "RUNNING" and so on, like the names above. */
const char *heel_process_state_name(enum heel_process_state state);

/* Starts a command that lives on without this call; returns once it runs, or could not be started
 * (HEEL_EXIT_START_FAILED in its status). With `close_input` its standard input ends at once, else
 * heel_exec_attach may write to it. `process` may be NULL. */
int heel_process_start(struct heel_client *client, const char *sandbox_id,
                       const struct heel_command *command, bool close_input,
                       const struct heel_call *call, struct heel_process_info **process,
                       struct heel_error **error);

int heel_process_get(struct heel_client *client, const char *sandbox_id, const char *process_id,
                     const struct heel_call *call, struct heel_process_info **process,
                     struct heel_error **error);

/* Returns when the process is over. */
int heel_process_wait(struct heel_client *client, const char *sandbox_id, const char *process_id,
                      const struct heel_call *call, struct heel_process_info **process,
                      struct heel_error **error);

void heel_process_info_free(struct heel_process_info *process);

enum heel_signal_scope {
    HEEL_SIGNAL_UNSET = 0,   /* GROUP */
    HEEL_SIGNAL_PROCESS = 1, /* the process alone */
    HEEL_SIGNAL_GROUP = 2,   /* the process group that it leads */
    HEEL_SIGNAL_TREE = 3,    /* it and everything that descends from it */
};

/* Sends the signal of this name, with or without "SIG", as in "TERM" or "RTMIN+3", or of this
 * number. One to a process that is over does nothing. */
int heel_process_signal(struct heel_client *client, const char *sandbox_id, const char *process_id,
                        const char *signal_name, enum heel_signal_scope scope,
                        const struct heel_call *call, struct heel_error **error);

/* Which processes of a sandbox to list. */
struct heel_process_list {
    size_t size;
    int page_size;                         /* as in heel_list */
    const char *page_token;                /* the same */
    const enum heel_process_state *states; /* those in one of these; none: any */
    size_t state_count;
};

struct heel_process_page {
    /* in the order of their start; not to be freed one by one */
    const struct heel_process_info *const *processes;
    size_t count;
    const char *next_page_token; /* empty when there are no more */
};

int heel_process_list(struct heel_client *client, const char *sandbox_id,
                      const struct heel_process_list *list, const struct heel_call *call,
                      struct heel_process_page **page, struct heel_error **error);
void heel_process_page_free(struct heel_process_page *page);

/* ---- events ---- */

enum heel_event_kind {
    HEEL_EVENT_SANDBOX = 1,
    HEEL_EVENT_PROCESS_STARTED = 2,
    HEEL_EVENT_PROCESS_EXITED = 3,
    HEEL_EVENT_DENIAL = 4, /* the sandbox refused something */
    HEEL_EVENT_LIMIT = 5,  /* a limit ended a process; its PROCESS_EXITED follows */
    HEEL_EVENT_GAP = 100,  /* events were lost: from `sequence` up to `gap_end` */
    HEEL_EVENT_BEGIN = 101 /* the first: where the stream begins */
};

enum heel_sandbox_event {
    HEEL_SANDBOX_CREATED = 1,
    HEEL_SANDBOX_EVENT_PAUSED = 2,
    HEEL_SANDBOX_RESUMED = 3,
    HEEL_SANDBOX_EXPIRED = 4,
    HEEL_SANDBOX_LOST = 5,
    HEEL_SANDBOX_DELETED = 6,
};

/* "CREATED" and so on, like the names above. */
const char *heel_sandbox_event_name(enum heel_sandbox_event event);

struct heel_event {
    enum heel_event_kind kind;
    uint64_t sequence; /* BEGIN: of the last event that had happened */
    uint64_t gap_end;  /* GAP: of the first that is kept */
    const char *epoch; /* names this life of the server */
    int64_t time_ms;
    const char *sandbox_id;
    enum heel_sandbox_event sandbox; /* SANDBOX */
    const char *process_id;  /* PROCESS_STARTED, _EXITED, LIMIT and DENIAL; may be empty there */
    const char *const *argv; /* PROCESS_STARTED; NULL-terminated */
    struct heel_exit_status status; /* these two PROCESS_EXITED */
    struct heel_usage usage;
    struct heel_denial denial; /* DENIAL */
    enum heel_limit limit;     /* LIMIT */
    const char *message;       /* LIMIT: the same as a sentence; else empty */
};

/* Which events, and from where on. */
struct heel_watch {
    size_t size;
    const char *sandbox_id; /* of this sandbox; NULL: of all */
    const enum heel_event_kind *kinds;
    size_t kind_count;
    bool resume;       /* begin after `sequence` of `epoch`; else with what happens from now on */
    const char *epoch; /* NULL: whatever it is */
    uint64_t sequence;
};

/* Runs `on_event` for one event after the other, in this thread, until it returns false, or the
 * stream fails: HEEL_ERROR_UNAVAILABLE when the server ends. What an event points to lives as long
 * as the callback. `watch` may be NULL. 0 only when on_event returned false. */
int heel_events_watch(struct heel_client *client, const struct heel_watch *watch,
                      const struct heel_call *call,
                      bool (*on_event)(const struct heel_event *event, void *data), void *data,
                      struct heel_error **error);

/* ---- servers ---- */

struct heel_server_info {
    const char *version;
    const char *backend; /* "linux" */
    const char *kernel_release;
    unsigned landlock_abi;                      /* 0 where there is none */
    bool namespaces;                            /* sandboxes have some of their own */
    const struct heel_enforcement *protections; /* what this host can give */
    size_t protection_count;
    unsigned max_sandboxes; /* of all callers */
    unsigned max_sandboxes_per_caller;
    unsigned max_processes;
    unsigned max_processes_per_caller;
    uint64_t max_request_bytes;
    enum heel_level default_level;
    const char *const *features; /* names that a client can test for */
    size_t feature_count;
};

int heel_server_info_get(struct heel_client *client, const struct heel_call *call,
                         struct heel_server_info **info, struct heel_error **error);
void heel_server_info_free(struct heel_server_info *info);

/* ---- JSON ---- */

/* Results in the JSON mapping of heel.v1's messages, with `indent` spaces a level (0: one line).
 * The caller frees it with free(). */
char *heel_sandbox_info_json(const struct heel_sandbox_info *sandbox, unsigned indent);
char *heel_sandbox_page_json(const struct heel_sandbox_page *page, unsigned indent);
char *heel_deletion_json(const struct heel_deletion *deletion, unsigned indent);
char *heel_policy_json(const struct heel_policy *policy, unsigned indent);
char *heel_run_result_json(const struct heel_run_result *result, unsigned indent);
char *heel_process_info_json(const struct heel_process_info *process, unsigned indent);
char *heel_process_page_json(const struct heel_process_page *page, unsigned indent);
/* During the callback that got it. */
char *heel_event_json(const struct heel_event *event, unsigned indent);
char *heel_server_info_json(const struct heel_server_info *info, unsigned indent);

#ifdef __cplusplus
}
#endif

#endif

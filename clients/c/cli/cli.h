/* What heelcli is made of: verbs, their flags, and what the flags say. Help, completion and the
 * manual page are made from the same tables. */
#ifndef HEEL_CLI_CLI_H
#define HEEL_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "clients/c/libheel/heel/heel.h"

/* Exit codes of heelcli itself, besides those of the commands that it runs. */
enum {
    CLI_EXIT_OK = 0,
    CLI_EXIT_FAILED = 1,
    CLI_EXIT_TIMEOUT = 124,
    CLI_EXIT_OWN_ERROR = 125, /* of run and exec, whose other codes belong to the command */
};

/* name=value pairs that grow; a name that comes again replaces its value. */
struct cli_pairs {
    struct heel_pair *items; /* owned, with their strings */
    size_t count;
};

/* What a flag that takes no value says: --gpu, --no-gpu, or nothing. */
struct cli_boolean {
    bool given;
    bool on;
};

/* What the flags of a verb say; zero is what they say when absent. Texts are borrowed from main's
 * argv unless marked. */
struct cli_options {
    /* where and how */
    const char *server;
    const char *namespaces;       /* of a server that is started; NULL: its default */
    struct cli_boolean autostart; /* where it says nothing, a server is started */
    bool json;
    bool help;
    /* the configuration */
    const char *config;
    const char *profile;
    /* a sandbox */
    const char *id;
    enum heel_level level;
    enum heel_network network;
    struct heel_path_rule *paths; /* owned, with their strings */
    size_t path_count;
    struct heel_protection_switch *switches; /* owned, with their strings */
    size_t switch_count;
    enum heel_protection *required; /* owned */
    size_t required_count;
    struct heel_run_as run_as;
    bool has_run_as;
    char *working_dir; /* owned */
    struct cli_boolean keep_working_dir;
    struct cli_boolean write_xor_execute;
    struct cli_boolean gpu;
    struct cli_boolean npu;
    struct cli_boolean all_devices;
    struct cli_pairs variables;
    struct cli_pairs labels;
    int64_t timeout_ms;
    int64_t ttl_ms;
    int64_t idle_ttl_ms;
    uint64_t memory_bytes;
    int64_t cpu_time_ms;
    double cpu_share;
    uint32_t max_processes;
    uint64_t max_file_size_bytes;
    uint32_t max_open_files;
    uint64_t disk_bytes;
    uint64_t disk_inodes;
    uint64_t max_output_bytes; /* a profile's */
    /* the first flag that says what a new sandbox is to be; NULL: none was given */
    const char *spec_flag;
    /* a command in a sandbox that exists */
    const char *command_dir;
    /* a command and its terminal */
    struct cli_boolean interactive;
    struct cli_boolean terminal;
    uint64_t ring_bytes;
    enum heel_when_full when_full;
    /* processes */
    struct cli_boolean all;
    struct cli_boolean follow;
    uint64_t output_offset;
    uint64_t errors_offset;
    bool has_offset;
    const char *detach_keys;
    const char *signal_name;
    enum heel_signal_scope scope;
    /* events */
    enum heel_event_kind *kinds; /* owned */
    size_t kind_count;
    uint64_t after;
    bool has_after;
    /* policy */
    const char *sandbox;
    struct cli_boolean explain;
    struct heel_policy_test *tests; /* owned, with their strings */
    size_t test_count;
    /* help */
    struct cli_boolean manual;
    /* delete */
    struct cli_boolean allow_missing;
    /* run and exec */
    struct cli_boolean show_denials; /* where it says nothing, on a terminal */
    /* what is left of the command line: NULL-terminated */
    char **arguments;
    int argument_count;
};

/* One flag. Tables of them end with a flag without a name. */
struct cli_flag {
    const char *name;     /* without the dashes; --no-NAME switches off one that takes no value */
    const char *argument; /* what stands for its value in help, as in "PATH"; NULL: it takes none */
    const char *help;
    const char *example;
    /* 0, or -1 and *err, which need not name the flag; NULL for a flag that takes no value */
    int (*parse)(struct cli_options *options, const char *value, struct heel_error **err);
    size_t boolean_at; /* of such a flag: where in struct cli_options its struct cli_boolean is */
};

/* Ends a flag that takes no value. */
#define CLI_BOOLEAN(member) .boolean_at = offsetof(struct cli_options, member)

#define CLI_GROUPS_MAX 7

struct cli_verb {
    const char *name;
    const char *arguments; /* as in "[--] COMMAND [ARGUMENT...]"; "" if there are none */
    const char *summary;   /* a line */
    const char *help;      /* a paragraph or two */
    const char *example;
    const struct cli_flag *flags[CLI_GROUPS_MAX]; /* tables; the rest NULL */
    int least_arguments;
    int most_arguments; /* negative: any number */
    int failure;        /* exit code where the verb itself fails */
    /* The exit code, or -1 and *err. */
    int (*run)(const struct cli_options *options, struct heel_error **err);
};

/* Ends with a verb without a name. */
extern const struct cli_verb cli_verbs[];

/* NULL if there is none. */
const struct cli_verb *cli_verb_find(const char *name);

/* One per verb, each in its own file. */
int cli_run(const struct cli_options *options, struct heel_error **err);
int cli_create(const struct cli_options *options, struct heel_error **err);
int cli_exec(const struct cli_options *options, struct heel_error **err);
int cli_shell(const struct cli_options *options, struct heel_error **err);
int cli_list(const struct cli_options *options, struct heel_error **err);
int cli_get(const struct cli_options *options, struct heel_error **err);
int cli_delete(const struct cli_options *options, struct heel_error **err);
int cli_pause(const struct cli_options *options, struct heel_error **err);
int cli_resume(const struct cli_options *options, struct heel_error **err);
int cli_start(const struct cli_options *options, struct heel_error **err);
int cli_ps(const struct cli_options *options, struct heel_error **err);
int cli_logs(const struct cli_options *options, struct heel_error **err);
int cli_attach(const struct cli_options *options, struct heel_error **err);
int cli_kill(const struct cli_options *options, struct heel_error **err);
int cli_wait(const struct cli_options *options, struct heel_error **err);
int cli_events(const struct cli_options *options, struct heel_error **err);
int cli_policy(const struct cli_options *options, struct heel_error **err);
int cli_info(const struct cli_options *options, struct heel_error **err);
int cli_doctor(const struct cli_options *options, struct heel_error **err);
int cli_version(const struct cli_options *options, struct heel_error **err);
int cli_complete(const struct cli_options *options, struct heel_error **err);
int cli_config(const struct cli_options *options, struct heel_error **err);
int cli_help(const struct cli_options *options, struct heel_error **err);

#endif

/* Every flag: its name, its help, and what its value means. */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "clients/c/cli/flags.h"

static int invalid(struct heel_error **err, const char *format, const char *value)
{
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL, format, value);
}

/* ---- values ---- */

struct choice {
    const char *name;
    int value;
};

static const struct choice levels[] = {
    {"strict", HEEL_LEVEL_STRICT},
    {"default", HEEL_LEVEL_DEFAULT},
    {"permissive", HEEL_LEVEL_PERMISSIVE},
    {NULL, 0},
};

/* 0 is what the contract has a name for and heel doesn't do yet. */
static const struct choice networks[] = {
    {"deny", HEEL_NETWORK_DENY_ALL},
    {"deny_all", HEEL_NETWORK_DENY_ALL},
    {"allow_all", 0},
    {"allow_list", 0},
    {"allow", 0},
    {"custom", 0},
    {NULL, 0},
};

/* As help lists them. */
#define GROUPS \
    "user-home, other-homes, credentials, cloud, browser, keychain, history, packages, personal, " \
    "services, acting-files"

static const struct choice groups[] = {
    {"user-home", HEEL_PROTECTED_USER_HOME},       {"other-homes", HEEL_PROTECTED_OTHER_HOMES},
    {"credentials", HEEL_PROTECTED_CREDENTIALS},   {"cloud", HEEL_PROTECTED_CLOUD},
    {"browser", HEEL_PROTECTED_BROWSER},           {"keychain", HEEL_PROTECTED_KEYCHAIN},
    {"history", HEEL_PROTECTED_HISTORY},           {"packages", HEEL_PROTECTED_PACKAGES},
    {"personal", HEEL_PROTECTED_PERSONAL},         {"services", HEEL_PROTECTED_SERVICES},
    {"acting-files", HEEL_PROTECTED_ACTING_FILES}, {NULL, 0},
};

#define PROTECTIONS \
    "filesystem, hidden-paths, processes, network, ipc, system-calls, privileges, devices, " \
    "host-sockets, acting-files, metadata, kernel-quotas, limits, write-xor-execute"

static const struct choice protections[] = {
    {"filesystem", HEEL_PROTECTION_FILESYSTEM},
    {"hidden-paths", HEEL_PROTECTION_HIDDEN_PATHS},
    {"processes", HEEL_PROTECTION_PROCESSES},
    {"network", HEEL_PROTECTION_NETWORK},
    {"ipc", HEEL_PROTECTION_IPC},
    {"system-calls", HEEL_PROTECTION_SYSTEM_CALLS},
    {"privileges", HEEL_PROTECTION_PRIVILEGES},
    {"devices", HEEL_PROTECTION_DEVICES},
    {"host-sockets", HEEL_PROTECTION_HOST_SOCKETS},
    {"acting-files", HEEL_PROTECTION_ACTING_FILES},
    {"metadata", HEEL_PROTECTION_METADATA},
    {"kernel-quotas", HEEL_PROTECTION_KERNEL_QUOTAS},
    {"limits", HEEL_PROTECTION_LIMITS},
    {"write-xor-execute", HEEL_PROTECTION_WRITE_XOR_EXECUTE},
    {NULL, 0},
};

static const struct choice accesses[] = {
    {"read", HEEL_ACCESS_READ},
    {"write", HEEL_ACCESS_WRITE},
    {"execute", HEEL_ACCESS_EXECUTE},
    {NULL, 0},
};

static const struct choice *choose(const struct choice *choices, const char *value)
{
    for (; choices->name; choices++)
        if (strcmp(choices->name, value) == 0)
            return choices;
    return NULL;
}

/* Paths are the client's to understand: the server doesn't know where it stands. Their links are
 * not: the server refuses those that code in a sandbox could have made, and so has to see them. */
char *cli_absolute(const char *path)
{
    heel_autofree char *here = NULL;

    while (strncmp(path, "./", 2) == 0)
        path += 2 + strspn(path + 2, "/");
    if (*path == '/' || !*path)
        return heel_xstrdup(path);
    here = getcwd(NULL, 0);
    if (!here)
        return heel_xstrdup(path);
    return strcmp(path, ".") == 0 ? heel_steal(here) : heel_format("%s/%s", here, path);
}

static int add_path(struct cli_options *options, const char *path, enum heel_access access,
                    struct heel_error **err)
{
    if (!*path)
        return invalid(err, "the path is empty%s", "");
    options->paths =
        heel_xrealloc(options->paths, options->path_count + 1, sizeof(*options->paths));
    options->paths[options->path_count++] = (struct heel_path_rule){cli_absolute(path), access};
    return 0;
}

/* A word is a group's name; a path has a slash in it. */
static int add_switch(struct cli_options *options, const char *value, bool on,
                      struct heel_error **err)
{
    const struct choice *group = choose(groups, value);

    if (!group && !strchr(value, '/'))
        return invalid(err,
                       "\"%s\" is no group and has no slash, as a path has: the groups are " GROUPS,
                       value);
    options->switches =
        heel_xrealloc(options->switches, options->switch_count + 1, sizeof(*options->switches));
    options->switches[options->switch_count++] = (struct heel_protection_switch){
        .path = group ? NULL : cli_absolute(value),
        .group = group ? (enum heel_protected_group)group->value : 0,
        .on = on,
    };
    return 0;
}

/* Takes both strings over. */
static void set_pair(struct cli_pairs *pairs, char *name, char *value)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].name, name) == 0) {
            free((char *)(uintptr_t)pairs->items[i].value);
            pairs->items[i].value = value;
            free(name);
            return;
        }
    pairs->items = heel_xrealloc(pairs->items, pairs->count + 1, sizeof(*pairs->items));
    pairs->items[pairs->count++] = (struct heel_pair){name, value};
}

static int parse_pair(struct cli_pairs *pairs, const char *text, const char *otherwise,
                      struct heel_error **err)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text)
        return invalid(err, otherwise, text);
    set_pair(pairs, strndup(text, (size_t)(equals - text)), heel_xstrdup(equals + 1));
    return 0;
}

static void clear_pairs(struct cli_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free((char *)(uintptr_t)pairs->items[i].name);
        free((char *)(uintptr_t)pairs->items[i].value);
    }
    free(pairs->items);
}

void cli_options_clear(struct cli_options *options)
{
    for (size_t i = 0; i < options->path_count; i++)
        free((char *)(uintptr_t)options->paths[i].path);
    free(options->paths);
    for (size_t i = 0; i < options->switch_count; i++)
        free((char *)(uintptr_t)options->switches[i].path);
    free(options->switches);
    free(options->required);
    free(options->kinds);
    for (size_t i = 0; i < options->test_count; i++)
        free((char *)(uintptr_t)options->tests[i].path);
    free(options->tests);
    free(options->working_dir);
    clear_pairs(&options->variables);
    clear_pairs(&options->labels);
    *options = (struct cli_options){0};
}

/* ---- where and how ---- */

static int parse_server(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (!*value)
        return invalid(err, "the address is empty%s", "");
    options->server = value;
    return 0;
}

static int parse_namespaces(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (strcmp(value, "auto") != 0 && strcmp(value, "require") != 0 && strcmp(value, "never") != 0)
        return invalid(err, "%s is none of auto, require and never", value);
    options->namespaces = value;
    return 0;
}

static int parse_no_autostart(struct cli_options *options, const char *value,
                              struct heel_error **err)
{
    (void)value;
    (void)err;
    options->no_autostart = true;
    return 0;
}

static int parse_output(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
        return invalid(err, "\"%s\" is no output format: give text or json", value);
    options->json = strcmp(value, "json") == 0;
    return 0;
}

static int parse_show_denials(struct cli_options *options, const char *value,
                              struct heel_error **err)
{
    (void)value;
    (void)err;
    options->show_denials = true;
    return 0;
}

static int parse_config(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (!*value)
        return invalid(err, "the path is empty%s", "");
    options->config = value;
    return 0;
}

static int parse_profile(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (!*value)
        return invalid(err, "the name is empty%s", "");
    options->profile = value;
    return 0;
}

/* ---- a sandbox ---- */

static int parse_level(struct cli_options *options, const char *value, struct heel_error **err)
{
    const struct choice *level = choose(levels, value);

    if (!level)
        return invalid(err, "\"%s\" is no level: give strict, default or permissive", value);
    options->level = (enum heel_level)level->value;
    return 0;
}

static int parse_network(struct cli_options *options, const char *value, struct heel_error **err)
{
    const struct choice *network = choose(networks, value);

    if (!network)
        return invalid(err, "\"%s\" is no network policy: give deny", value);
    if (!network->value)
        return invalid(err, "%s comes in a later version: only deny works now", value);
    options->network = (enum heel_network)network->value;
    return 0;
}

static int parse_readable(struct cli_options *options, const char *value, struct heel_error **err)
{
    return add_path(options, value, HEEL_ACCESS_READ, err);
}

static int parse_writable(struct cli_options *options, const char *value, struct heel_error **err)
{
    return add_path(options, value, HEEL_ACCESS_WRITE, err);
}

static int parse_executable(struct cli_options *options, const char *value, struct heel_error **err)
{
    return add_path(options, value, HEEL_ACCESS_EXECUTE, err);
}

static int parse_deny(struct cli_options *options, const char *value, struct heel_error **err)
{
    return add_path(options, value, HEEL_ACCESS_DENY, err);
}

static int parse_protect(struct cli_options *options, const char *value, struct heel_error **err)
{
    return add_switch(options, value, true, err);
}

static int parse_unprotect(struct cli_options *options, const char *value, struct heel_error **err)
{
    return add_switch(options, value, false, err);
}

static int parse_require(struct cli_options *options, const char *value, struct heel_error **err)
{
    const struct choice *protection = choose(protections, value);

    if (!protection)
        return invalid(err, "\"%s\" is no protection: there are " PROTECTIONS, value);
    options->required =
        heel_xrealloc(options->required, options->required_count + 1, sizeof(*options->required));
    options->required[options->required_count++] = (enum heel_protection)protection->value;
    return 0;
}

static int parse_number(const char *text, const char *end, unsigned *number)
{
    unsigned long value = 0;

    if (text == end || end - text > 10)
        return -1;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (unsigned long)(*text - '0');
    }
    if (value >= UINT_MAX)
        return -1;
    *number = (unsigned)value;
    return 0;
}

/* A name, and the group of a uid that comes alone, are looked up here: it is the client that knows
 * whom its user means. */
static int parse_run_as(struct cli_options *options, const char *value, struct heel_error **err)
{
    struct heel_run_as *to = &options->run_as;
    const char *colon = strchr(value, ':');
    const char *end = colon ? colon : value + strlen(value);
    bool is_number = parse_number(value, end, &to->uid) == 0;
    const struct passwd *user = NULL;

    options->has_run_as = true;
    if (colon) {
        if (is_number && parse_number(colon + 1, value + strlen(value), &to->gid) == 0)
            return 0;
        return invalid(err, "\"%s\" must be UID:GID, as in 1000:1000", value);
    }
    user = is_number ? getpwuid(to->uid) : getpwnam(value);
    if (!user)
        return invalid(err, "there is no user \"%s\" here; UID:GID needs none", value);
    *to = (struct heel_run_as){.uid = user->pw_uid, .gid = user->pw_gid};
    return 0;
}

static int parse_working_dir(struct cli_options *options, const char *value,
                             struct heel_error **err)
{
    if (!*value)
        return invalid(err, "the path is empty%s", "");
    free(options->working_dir);
    options->working_dir = cli_absolute(value);
    return 0;
}

static int parse_keep_working_dir(struct cli_options *options, const char *value,
                                  struct heel_error **err)
{
    (void)value;
    (void)err;
    options->keep_working_dir = true;
    return 0;
}

static int parse_write_xor_execute(struct cli_options *options, const char *value,
                                   struct heel_error **err)
{
    (void)value;
    (void)err;
    options->write_xor_execute = true;
    return 0;
}

static int parse_gpu(struct cli_options *options, const char *value, struct heel_error **err)
{
    (void)value;
    (void)err;
    options->gpu = true;
    return 0;
}

static int parse_npu(struct cli_options *options, const char *value, struct heel_error **err)
{
    (void)value;
    (void)err;
    options->npu = true;
    return 0;
}

static int parse_all_devices(struct cli_options *options, const char *value,
                             struct heel_error **err)
{
    (void)value;
    (void)err;
    options->all_devices = true;
    return 0;
}

static int parse_env(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_pair(&options->variables, value,
                      "\"%s\" is not of the form NAME=VALUE; --env-passthrough takes a name alone",
                      err);
}

/* By name only: a pattern would let a secret through one day. */
static int parse_env_passthrough(struct cli_options *options, const char *value,
                                 struct heel_error **err)
{
    const char *own = getenv(value);

    if (!*value || strchr(value, '='))
        return invalid(err, "\"%s\" is no name of a variable; --env takes NAME=VALUE", value);
    if (own)
        set_pair(&options->variables, heel_xstrdup(value), heel_xstrdup(own));
    return 0;
}

static int parse_duration(const char *value, int64_t *milliseconds, struct heel_error **err)
{
    if (heel_duration_parse(value, milliseconds))
        return invalid(err, "\"%s\" is no duration: write it as in 500ms, 30s, 5m or 1h30m", value);
    return 0;
}

static int parse_timeout(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_duration(value, &options->timeout_ms, err);
}

static int parse_ttl(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_duration(value, &options->ttl_ms, err);
}

static int parse_idle_ttl(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_duration(value, &options->idle_ttl_ms, err);
}

static int parse_id(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (!*value)
        return invalid(err, "the id is empty%s", "");
    options->id = value;
    return 0;
}

static int parse_label(struct cli_options *options, const char *value, struct heel_error **err)
{
    return parse_pair(&options->labels, value, "\"%s\" is not of the form KEY=VALUE", err);
}

/* ---- a command, a deletion ---- */

static int parse_command_dir(struct cli_options *options, const char *value,
                             struct heel_error **err)
{
    if (*value != '/')
        return invalid(err, "\"%s\" is not absolute: give the path as it is inside the sandbox",
                       value);
    options->command_dir = value;
    return 0;
}

static int parse_allow_missing(struct cli_options *options, const char *value,
                               struct heel_error **err)
{
    (void)value;
    (void)err;
    options->allow_missing = true;
    return 0;
}

static int parse_manual(struct cli_options *options, const char *value, struct heel_error **err)
{
    (void)value;
    (void)err;
    options->manual = true;
    return 0;
}

/* ---- a policy ---- */

static int parse_explain(struct cli_options *options, const char *value, struct heel_error **err)
{
    (void)value;
    (void)err;
    options->explain = true;
    return 0;
}

static int parse_sandbox(struct cli_options *options, const char *value, struct heel_error **err)
{
    if (!*value)
        return invalid(err, "the id is empty%s", "");
    options->sandbox = value;
    return 0;
}

/* What follows the last colon may be part of the path. */
static size_t split_access(const char *value, enum heel_access *access)
{
    const char *colon = strrchr(value, ':');
    const struct choice *choice = colon ? choose(accesses, colon + 1) : NULL;

    *access = choice ? (enum heel_access)choice->value : HEEL_ACCESS_READ;
    return choice ? (size_t)(colon - value) : strlen(value);
}

static int parse_test(struct cli_options *options, const char *value, struct heel_error **err)
{
    enum heel_access access;
    heel_autofree char *path = strndup(value, split_access(value, &access));

    if (!*path)
        return invalid(err, "the path is empty%s", "");
    options->tests =
        heel_xrealloc(options->tests, options->test_count + 1, sizeof(*options->tests));
    options->tests[options->test_count++] = (struct heel_policy_test){cli_absolute(path), access};
    return 0;
}

/* ---- the tables ---- */

#define SERVER_FLAG \
    { \
        "server", "ADDRESS", \
            "the server to use: unix:PATH or a path; else $HEEL_ADDRESS, else your own", \
            "--server unix:/run/heel/heeld.sock", parse_server \
    }

#define NAMESPACES_FLAG \
    { \
        "namespaces", "auto|require|never", \
            "whether a server that this starts gives sandboxes namespaces of their own; auto: " \
            "where the host allows them", \
            "--namespaces never", parse_namespaces \
    }

const struct cli_flag cli_start_flags[] = {NAMESPACES_FLAG, {0}};

const struct cli_flag cli_private_flags[] = {
    SERVER_FLAG,
    NAMESPACES_FLAG,
    {"no-autostart", NULL,
     "for scripts that give it to every verb: this one starts no server that stays",
     "--no-autostart", parse_no_autostart},
    {0},
};

const struct cli_flag cli_server_flags[] = {
    SERVER_FLAG,
    NAMESPACES_FLAG,
    {"no-autostart", NULL, "fail where no server runs instead of starting your own",
     "--no-autostart", parse_no_autostart},
    {0},
};

#define OUTPUT_FLAG \
    { \
        "output", "text|json", \
            "what to print: text for people, or the contract's messages as JSON", "--output json", \
            parse_output \
    }

const struct cli_flag cli_output_flags[] = {
    OUTPUT_FLAG,
    {0},
};

#define DENIALS_FLAG \
    { \
        "show-denials", NULL, \
            "say what the sandbox refused and what would allow it, as is done anyway where " \
            "standard error is a terminal", \
            "--show-denials", parse_show_denials \
    }

const struct cli_flag cli_session_flags[] = {
    DENIALS_FLAG,
    OUTPUT_FLAG,
    {0},
};

const struct cli_flag cli_denial_flags[] = {DENIALS_FLAG, {0}};

#define CONFIG_FLAG \
    { \
        "config", "PATH", \
            "the configuration file instead of your own; a project's is read where it is named " \
            "only", \
            "--config heel.yaml", parse_config \
    }

const struct cli_flag cli_config_flags[] = {CONFIG_FLAG, {0}};

const struct cli_flag cli_spec_flags[] = {
    {"profile", "NAME",
     "begin with this profile of the configuration file; what other flags say wins over it",
     "--profile build", parse_profile},
    CONFIG_FLAG,
    {"level", "LEVEL",
     "strict: reads its working directory and what programs need; default: reads all but what is "
     "protected; "
     "permissive: reads and writes what you could",
     "--level strict", parse_level},
    {"network", "POLICY", "deny: nothing but its own loopback interface (the only policy yet)",
     "--network deny", parse_network},
    {"readable", "PATH", "a host path that may be read; may be repeated", "--readable /data",
     parse_readable},
    {"writable", "PATH",
     "a host path that may be read and written; may be repeated. What acts outside later (.git, "
     ".envrc, "
     ".vscode and their like) stays as it is unless it is named itself: to commit, give --writable "
     ".git",
     "--writable ./out", parse_writable},
    {"executable", "PATH", "a host path that may be read and executed; may be repeated",
     "--executable /opt/tools", parse_executable},
    {"deny", "PATH", "a host path that is out of reach, whatever else is granted; may be repeated",
     "--deny ./secrets", parse_deny},
    {"protect", "GROUP|PATH",
     "switch a protection on, for permissive, where all are off; may be repeated. Groups: " GROUPS,
     "--protect credentials", parse_protect},
    {"unprotect", "GROUP|PATH",
     "switch a protection off, or show one protected path; may be repeated. With user-home off "
     "default shows your home, read-only, but for what the other groups hide",
     "--unprotect ~/.npmrc", parse_unprotect},
    {"require", "PROTECTION",
     "fail unless this protection is held in full; may be repeated. One of " PROTECTIONS,
     "--require host-sockets", parse_require},
    {"run-as", "USER",
     "the host user to run as, UID:GID, UID or a name; of root's server: root may name any, others "
     "themselves",
     "--run-as 1000:1000", parse_run_as},
    {"working-dir", "PATH",
     "a host directory to work in, seen inside at the same path; else one of its own, removed with "
     "it",
     "--working-dir .", parse_working_dir},
    {"keep-working-dir", NULL, "leave the sandbox's own working directory behind",
     "--keep-working-dir", parse_keep_working_dir},
    {"write-xor-execute", NULL,
     "nothing that may be written can be executed; what an interpreter reads still runs",
     "--write-xor-execute", parse_write_xor_execute},
    {"gpu", NULL, "it may use this machine's GPUs", "--gpu", parse_gpu},
    {"npu", NULL, "it may use this machine's neural processors", "--npu", parse_npu},
    {"all-devices", NULL,
     "it may use every device that you could open; but no disks, terminals, input devices, memory "
     "and interfaces of the kernel's own",
     "--all-devices", parse_all_devices},
    {0},
};

#define COMMAND_FLAGS \
    {"env", "NAME=VALUE", "set a variable; may be repeated", "--env CI=1", parse_env}, \
        {"env-passthrough", "NAME", \
         "set a variable to the value it has here, if it has one; may be repeated", \
         "--env-passthrough TERM", parse_env_passthrough}, \
    { \
        "timeout", "DURATION", "kill a command and all that it started after this long", \
            "--timeout 5m", parse_timeout \
    }

const struct cli_flag cli_command_flags[] = {COMMAND_FLAGS, {0}};

const struct cli_flag cli_create_flags[] = {
    {"id", "ID", "its id; with one of your own a repeated create finds the first one's sandbox",
     "--id build-7", parse_id},
    {"label", "KEY=VALUE", "a label to find it by; may be repeated", "--label job=42", parse_label},
    {"ttl", "DURATION", "delete it this long after its creation", "--ttl 1h", parse_ttl},
    {"idle-ttl", "DURATION", "delete it when no command has run in it for this long",
     "--idle-ttl 10m", parse_idle_ttl},
    {0},
};

const struct cli_flag cli_exec_flags[] = {
    {"working-dir", "PATH",
     "where the command starts, as seen inside; else the sandbox's working directory",
     "--working-dir /tmp", parse_command_dir},
    COMMAND_FLAGS,
    {0},
};

const struct cli_flag cli_policy_flags[] = {
    {"explain", NULL,
     "print the plan: every mount, rule and set of system calls, and where each comes from; this "
     "is "
     "what is done where nothing is tested",
     "--explain", parse_explain},
    {"test", "PATH[:read|write|execute]",
     "tell what an access would get, and why: read unless it says otherwise; may be repeated",
     "--test ~/.ssh/config:read", parse_test},
    {"sandbox", "ID", "tell of this sandbox, as it was made, instead of one that would be made",
     "--sandbox build-7", parse_sandbox},
    {0},
};

const struct cli_flag cli_list_flags[] = {
    {"label", "KEY=VALUE", "only sandboxes with this label; may be repeated", "--label job=42",
     parse_label},
    {0},
};

const struct cli_flag cli_delete_flags[] = {
    {"allow-missing", NULL, "a sandbox that isn't there is no error", "--allow-missing",
     parse_allow_missing},
    {0},
};

const struct cli_flag cli_help_flags[] = {
    {"man", NULL, "print the manual page, heelcli(1)", "--man", parse_manual},
    {0},
};

/* The flags of what a sandbox is to be, but for its limits. */
#include <limits.h>
#include <pwd.h>
#include <string.h>

#include "base/text.h"
#include "clients/c/cli/flag_values.h"
#include "clients/c/cli/flags.h"

static const struct cli_choice levels[] = {
    {"strict", HEEL_LEVEL_STRICT},
    {"default", HEEL_LEVEL_DEFAULT},
    {"permissive", HEEL_LEVEL_PERMISSIVE},
    {NULL, 0},
};

/* 0 is what the contract has a name for and heel doesn't do yet. */
static const struct cli_choice networks[] = {
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

static const struct cli_choice groups[] = {
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

static const struct cli_choice protections[] = {
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

static int parse_level(struct cli_options *options, const char *value, struct heel_error **err)
{
    const struct cli_choice *level = cli_choose(levels, value);

    if (!level)
        return cli_invalid(err, "\"%s\" is no level: give strict, default or permissive", value);
    options->level = (enum heel_level)level->value;
    return 0;
}

static int parse_network(struct cli_options *options, const char *value, struct heel_error **err)
{
    const struct cli_choice *network = cli_choose(networks, value);

    if (!network)
        return cli_invalid(err, "\"%s\" is no network policy: give deny", value);
    if (!network->value)
        return cli_invalid(err, "%s comes in a later version: only deny works now", value);
    options->network = (enum heel_network)network->value;
    return 0;
}

static int add_path(struct cli_options *options, const char *path, enum heel_access access,
                    struct heel_error **err)
{
    if (!*path)
        return cli_invalid(err, "the path is empty%s", "");
    options->paths =
        heel_xrealloc(options->paths, options->path_count + 1, sizeof(*options->paths));
    options->paths[options->path_count++] = (struct heel_path_rule){cli_absolute(path), access};
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

/* A word is a group's name; a path has a slash in it. */
static int add_switch(struct cli_options *options, const char *value, bool on,
                      struct heel_error **err)
{
    const struct cli_choice *group = cli_choose(groups, value);

    if (!group && !strchr(value, '/'))
        return cli_invalid(
            err, "\"%s\" is no group and has no slash, as a path has: the groups are " GROUPS,
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
    const struct cli_choice *protection = cli_choose(protections, value);

    if (!protection)
        return cli_invalid(err, "\"%s\" is no protection: there are " PROTECTIONS, value);
    options->required =
        heel_xrealloc(options->required, options->required_count + 1, sizeof(*options->required));
    options->required[options->required_count++] = (enum heel_protection)protection->value;
    return 0;
}

static int parse_user_number(const char *text, const char *end, unsigned *number)
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
    bool is_number = parse_user_number(value, end, &to->uid) == 0;
    const struct passwd *user = NULL;

    options->has_run_as = true;
    if (colon) {
        if (is_number && parse_user_number(colon + 1, value + strlen(value), &to->gid) == 0)
            return 0;
        return cli_invalid(err, "\"%s\" must be UID:GID, as in 1000:1000", value);
    }
    user = is_number ? getpwuid(to->uid) : getpwnam(value);
    if (!user)
        return cli_invalid(err, "there is no user \"%s\" here; UID:GID needs none", value);
    *to = (struct heel_run_as){.uid = user->pw_uid, .gid = user->pw_gid};
    return 0;
}

static int parse_working_dir(struct cli_options *options, const char *value,
                             struct heel_error **err)
{
    if (!*value)
        return cli_invalid(err, "the path is empty%s", "");
    free(options->working_dir);
    options->working_dir = cli_absolute(value);
    return 0;
}

const struct cli_flag cli_spec_flags[] = {
    {"level", "strict|default|permissive",
     "strict: reads its working directory and what programs need; default: reads all but what is "
     "protected; permissive: reads and writes what you could",
     "--level strict", .parse = parse_level},
    {"network", "POLICY", "deny: nothing but its own loopback interface (the only policy yet)",
     "--network deny", .parse = parse_network},
    {"readable", "PATH", "a host path that may be read; may be repeated", "--readable /data",
     .parse = parse_readable},
    {"writable", "PATH",
     "a host path that may be read and written; may be repeated. What acts outside later (.git, "
     ".envrc, .vscode and their like) stays as it is unless it is named itself: to commit, give "
     "--writable "
     ".git",
     "--writable ./out", .parse = parse_writable},
    {"executable", "PATH", "a host path that may be read and executed; may be repeated",
     "--executable /opt/tools", .parse = parse_executable},
    {"deny", "PATH", "a host path that is out of reach, whatever else is granted; may be repeated",
     "--deny ./secrets", .parse = parse_deny},
    {"protect", "GROUP|PATH",
     "switch a protection on, for permissive, where all are off; may be repeated. Groups: " GROUPS,
     "--protect credentials", .parse = parse_protect},
    {"unprotect", "GROUP|PATH",
     "switch a protection off, or show one protected path; may be repeated. With user-home off "
     "default shows your home, read-only, but for what the other groups hide",
     "--unprotect ~/.npmrc", .parse = parse_unprotect},
    {"require", "PROTECTION",
     "fail unless this protection is held in full; may be repeated. One of " PROTECTIONS,
     "--require host-sockets", .parse = parse_require},
    {"run-as", "USER",
     "the host user to run as, UID:GID, UID or a name; of root's server: root may name any, others "
     "themselves",
     "--run-as 1000:1000", .parse = parse_run_as},
    {"working-dir", "PATH",
     "a host directory to work in, seen inside at the same path; else one of its own, removed with "
     "it",
     "--working-dir .", .parse = parse_working_dir},
    {"keep-working-dir", NULL, "leave the sandbox's own working directory behind",
     "--keep-working-dir", CLI_BOOLEAN(keep_working_dir)},
    {"write-xor-execute", NULL,
     "nothing that may be written can be executed; what an interpreter reads still runs",
     "--write-xor-execute", CLI_BOOLEAN(write_xor_execute)},
    {"gpu", NULL, "it may use this machine's GPUs", "--gpu", CLI_BOOLEAN(gpu)},
    {"npu", NULL, "it may use this machine's neural processors", "--npu", CLI_BOOLEAN(npu)},
    {"all-devices", NULL,
     "it may use every device that you could open; but no disks, terminals, input devices, memory "
     "and interfaces of the kernel's own",
     "--all-devices", CLI_BOOLEAN(all_devices)},
    {0},
};

#include "backends/linux/facts/host_facts.h"

#include <dirent.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/runtime_dir.h"
#include "base/text.h"

#define FIRST_PERSON \
    1000 /* smaller uids are the system's, by the convention of every distribution */
#define NOBODY 65534
#define ACCOUNTS "/etc/passwd"

/* What programs need of /etc in order to start. */
static const struct {
    const char *path;
    const char *reason;
} start_files[] = {
    {"/etc/ld.so.cache", "the dynamic linker"},
    {"/etc/ld.so.conf", "the dynamic linker"},
    {"/etc/ld.so.conf.d", "the dynamic linker"},
    {"/etc/ld-musl-x86_64.path", "the dynamic linker"},
    {"/etc/alternatives", "most links in /usr/bin lead through it"},
    {"/etc/ssl/certs", "certificates that TLS trusts"},
    {"/etc/ssl/openssl.cnf", "OpenSSL refuses some of its work without it"},
    {"/etc/ssl/cert.pem", "certificates that TLS trusts"},
    {"/etc/pki/tls", "certificates that TLS trusts"},
    {"/etc/pki/ca-trust", "certificates that TLS trusts"},
    {"/etc/ca-certificates", "certificates that TLS trusts"},
    {"/etc/crypto-policies", "TLS on Fedora and its like"},
    {"/etc/localtime", "the time zone"},
    {"/etc/timezone", "the time zone"},
    {"/etc/locale.conf", "the language"},
    {"/etc/locale.alias", "the language"},
    {"/etc/protocols", "getprotobyname"},
    {"/etc/services", "getservbyname"},
    {"/etc/mime.types", "Python's mimetypes"},
    {"/etc/os-release", "which system this is"},
    {"/etc/debian_version", "which system this is"},
    {"/etc/mtab", "which file systems there are"},
    {"/etc/inputrc", "line editing"},
    {"/etc/terminfo", "terminals"},
    {"/etc/fonts", "anything that draws text"},
    {"/etc/python3", "Python on Debian"},
    {"/etc/perl", "Perl on Debian"},
    {"/etc/R", "R"},
    {"/etc/maven", "Maven on Debian"},
    {"/etc/gss", "curl's libraries"},
    {"/etc/magic", "file"},
    {"/etc/OpenCL", "OpenCL finds its drivers here"},
    {"/etc/vulkan", "Vulkan finds its drivers here"},
};

/* Directories of /etc that are named by version. */
static const char *const start_prefixes[] = {"python3.", "java-", "php", "ImageMagick-"};

static const char *const system_directories[] = {"/sys/devices/system", "/sys/kernel/mm"};

void heel_host_facts_add_entry(struct heel_host_entry **entries, size_t *count, const char *path,
                               const char *link, bool directory)
{
    *entries = heel_xrealloc(*entries, *count + 1, sizeof(**entries));
    (*entries)[(*count)++] = (struct heel_host_entry){
        .path = heel_xstrdup(path), .link = heel_xstrdup(link), .directory = directory};
}

void heel_host_facts_add_user(struct heel_host_facts *facts, uid_t uid, const char *name,
                              const char *home, bool listed)
{
    facts->users = heel_xrealloc(facts->users, facts->user_count + 1, sizeof(*facts->users));
    facts->users[facts->user_count++] = (struct heel_host_user){
        .uid = uid, .name = heel_xstrdup(name), .home = heel_xstrdup(home), .listed = listed};
}

void heel_host_facts_add_secret(struct heel_host_secret **secrets, size_t *count, const char *path,
                                enum heel_protected_group group)
{
    *secrets = heel_xrealloc(*secrets, *count + 1, sizeof(**secrets));
    (*secrets)[(*count)++] = (struct heel_host_secret){.path = heel_xstrdup(path), .group = group};
}

static void await(const struct heel_host_facts *facts, const char *path)
{
    if (facts->observer)
        facts->observer->await(facts->observer->data, path);
}

/* Adds `path` if it is a directory, file or link; sockets and the like are left out. */
static void add_if_there(struct heel_host_entry **entries, size_t *count, const char *path)
{
    struct stat status;
    char link[PATH_MAX];
    ssize_t length;

    if (lstat(path, &status) < 0)
        return;
    if (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode)) {
        heel_host_facts_add_entry(entries, count, path, NULL, S_ISDIR(status.st_mode));
    } else if (S_ISLNK(status.st_mode)) {
        length = readlink(path, link, sizeof(link) - 1);
        if (length <= 0)
            return;
        link[length] = '\0';
        heel_host_facts_add_entry(entries, count, path, link, false);
    }
}

static void gather_top(struct heel_host_facts *facts)
{
    DIR *directory = opendir("/");
    struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        heel_autofree char *path = heel_format("/%s", entry->d_name);

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            add_if_there(&facts->top, &facts->top_count, path);
    }
    if (directory)
        closedir(directory);
}

static void gather_etc(struct heel_host_facts *facts)
{
    DIR *directory = opendir("/etc");
    struct dirent *entry;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(start_files); i++)
        add_if_there(&facts->etc, &facts->etc_count, start_files[i].path);
    while (directory && (entry = readdir(directory))) {
        heel_autofree char *path = heel_format("/etc/%s", entry->d_name);

        for (size_t i = 0; i < HEEL_ARRAY_LENGTH(start_prefixes); i++)
            if (heel_starts_with(entry->d_name, start_prefixes[i]))
                add_if_there(&facts->etc, &facts->etc_count, path);
    }
    if (directory)
        closedir(directory);
}

/* A home that is no part of the system: hiding "/" or /usr/sbin because some account has it as its
 * home would hide the system itself. */
static bool is_home(const char *path)
{
    static const char *const system[] = {"/usr", "/bin", "/sbin", "/lib", "/lib64",
                                         "/etc", "/dev", "/proc", "/sys", "/boot"};
    const char *slash = strchr(path + 1, '/');
    size_t first = slash ? (size_t)(slash - path) : strlen(path);

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(system); i++)
        if (strlen(system[i]) == first && strncmp(path, system[i], first) == 0)
            return false;
    return slash || strcmp(path, "/root") == 0;
}

static void add_user(struct heel_host_facts *facts, uid_t uid, const char *name, const char *home,
                     bool listed)
{
    heel_autofree char *canonical = NULL;
    const char *path;

    if (home && home[0] == '/') {
        await(facts, home);
        canonical = realpath(home, NULL);
    }
    path = canonical ? canonical : "/nonexistent";
    for (size_t i = 0; i < facts->user_count; i++)
        if (facts->users[i].uid == uid && strcmp(facts->users[i].home, path) == 0)
            return;
    heel_host_facts_add_user(facts, uid, name, is_home(path) ? path : "/nonexistent", listed);
}

/* /etc/passwd itself rather than getpwent(), which may ask a directory server for every employee
 * there is. */
static void gather_users(struct heel_host_facts *facts)
{
    const char *home = getenv("HOME");
    struct passwd *account;
    bool own = false;
    FILE *file;

    await(facts, ACCOUNTS);
    file = fopen(ACCOUNTS, "re");
    while (file && (account = fgetpwent(file))) {
        if (account->pw_uid != 0 && account->pw_uid != geteuid() &&
            (account->pw_uid < FIRST_PERSON || account->pw_uid == NOBODY))
            continue;
        own |= account->pw_uid == geteuid();
        add_user(facts, account->pw_uid, account->pw_name, account->pw_dir, true);
        if (account->pw_uid == geteuid())
            add_user(facts, account->pw_uid, account->pw_name, home, false);
    }
    if (file)
        fclose(file);
    if (!own)
        add_user(facts, geteuid(), "heel", home, false);
}

/* A device (HISTFILE=/dev/null) is no secret. */
static void add_mask_if_there(struct heel_host_facts *facts, const char *path,
                              enum heel_protected_group group)
{
    heel_autofree char *canonical = NULL;
    struct stat status;

    await(facts, path);
    canonical = realpath(path, NULL);
    if (canonical && stat(canonical, &status) == 0 &&
        (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode)))
        heel_host_facts_add_secret(&facts->masks, &facts->mask_count, canonical, group);
}

/* A variable that names a top directory is a mistake, and would hide the system. */
static void add_moved(struct heel_host_facts *facts, const char *directory, size_t length,
                      const char *suffix, enum heel_protected_group group)
{
    heel_autofree char *path = suffix ? heel_format("%.*s/%s", (int)length, directory, suffix)
                                      : heel_format("%.*s", (int)length, directory);
    heel_autofree char *canonical = NULL;

    if (path[0] != '/')
        return;
    await(facts, path);
    canonical = realpath(path, NULL);
    if (canonical && strchr(canonical + 1, '/'))
        add_mask_if_there(facts, canonical, group);
}

/* The path to which a variable of heeld's user moved it. The value is taken as one path and as a
 * list, since a path may hold a colon. */
static void gather_moved(struct heel_host_facts *facts, const char *variable, const char *suffix,
                         enum heel_protected_group group)
{
    const char *value = getenv(variable);

    if (!value)
        return;
    add_moved(facts, value, strlen(value), suffix, group);
    for (const char *part = value; strchr(value, ':'); part++) {
        size_t length = strcspn(part, ":");

        add_moved(facts, part, length, suffix, group);
        part += length;
        if (!*part)
            break;
    }
}

/* What lies below .config moves with XDG_CONFIG_HOME, and so on. */
static void gather_xdg(struct heel_host_facts *facts, const struct heel_protected_path *protected)
{
    static const char *const bases[][2] = {{".config/", "XDG_CONFIG_HOME"},
                                           {".local/share/", "XDG_DATA_HOME"},
                                           {".local/state/", "XDG_STATE_HOME"},
                                           {".cache/", "XDG_CACHE_HOME"}};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(bases); i++)
        if (heel_starts_with(protected->path, bases[i][0]))
            gather_moved(facts, bases[i][1], protected->path + strlen(bases[i][0]),
                         protected->group);
}

static void gather_in_homes(struct heel_host_facts *facts,
                            const struct heel_protected_path *protected)
{
    for (size_t i = 0; i < facts->user_count; i++) {
        heel_autofree char *path = heel_format("%s/%s", facts->users[i].home, protected->path);

        if (strcmp(facts->users[i].home, "/nonexistent") != 0)
            heel_host_facts_add_secret(&facts->secrets, &facts->secret_count, path,
                                       protected->group);
    }
}

static void gather_protected(struct heel_host_facts *facts,
                             const struct heel_protected_path *protected)
{
    if (protected->path && protected->path[0] == '/') {
        add_mask_if_there(facts, protected->path, protected->group);
    } else if (protected->path) {
        gather_in_homes(facts, protected);
        gather_xdg(facts, protected);
    }
    if (protected->variable)
        gather_moved(facts, protected->variable, protected->suffix, protected->group);
}

/* Of the user's other heelds, if this one keeps what it has elsewhere. */
static void gather_default_state(struct heel_host_facts *facts)
{
    heel_autofree char *path = heel_state_dir();

    add_mask_if_there(facts, path, HEEL_PROTECTED_ALWAYS);
}

struct heel_host_facts *heel_host_facts_gather(const struct heel_facts_observer *observer)
{
    struct heel_host_facts *facts = heel_xcalloc(1, sizeof(*facts));
    struct stat status;

    facts->holders = 1;
    facts->observer = observer;
    gather_top(facts);
    gather_etc(facts);
    gather_users(facts);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(system_directories); i++)
        add_if_there(&facts->system, &facts->system_count, system_directories[i]);
    for (size_t i = 0; i < heel_protected_path_count; i++)
        gather_protected(facts, &heel_protected_paths[i]);
    gather_default_state(facts);
    if (lstat("/var/run", &status) == 0 && S_ISDIR(status.st_mode))
        heel_host_facts_add_secret(&facts->masks, &facts->mask_count, "/var/run",
                                   HEEL_PROTECTED_ALWAYS);
    facts->observer = NULL;
    return facts;
}

static void free_entries(struct heel_host_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(entries[i].path);
        free(entries[i].link);
    }
    free(entries);
}

static void free_secrets(struct heel_host_secret *secrets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(secrets[i].path);
    free(secrets);
}

struct heel_host_facts *heel_host_facts_hold(struct heel_host_facts *facts)
{
    facts->holders++;
    return facts;
}

void heel_host_facts_release(struct heel_host_facts *facts)
{
    if (!facts || --facts->holders > 0)
        return;
    free_entries(facts->top, facts->top_count);
    free_entries(facts->etc, facts->etc_count);
    free_entries(facts->system, facts->system_count);
    free_secrets(facts->masks, facts->mask_count);
    free_secrets(facts->secrets, facts->secret_count);
    for (size_t i = 0; i < facts->user_count; i++) {
        free(facts->users[i].name);
        free(facts->users[i].home);
    }
    free(facts->users);
    free(facts);
}

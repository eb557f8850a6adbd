#include "backends/linux/audit/audit_record.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct span {
    const char *at;
    size_t length;
};

/* ---- words ---- */

/* The value of the first word of that name. */
static bool find(const char *text, const char *name, struct span *value)
{
    size_t length = strlen(name);

    while (*text) {
        size_t word = strcspn(text, " ");

        if (word > length && strncmp(text, name, length) == 0 && text[length] == '=') {
            *value = (struct span){text + length + 1, word - length - 1};
            return true;
        }
        text += word;
        text += strspn(text, " ");
    }
    return false;
}

static bool to_number(struct span text, int base, uint64_t max, uint64_t *number)
{
    char digits[24];
    char *end;
    unsigned long long value;

    if (text.length == 0 || text.length >= sizeof digits)
        return false;
    memcpy(digits, text.at, text.length);
    digits[text.length] = '\0';
    if (strspn(digits, "0123456789abcdefABCDEF") != text.length)
        return false; /* strtoull takes signs and spaces, too */
    errno = 0;
    value = strtoull(digits, &end, base);
    if (errno || *end || value > max)
        return false;
    *number = value;
    return true;
}

static bool find_number(const char *text, const char *name, int base, uint64_t max,
                        uint64_t *number)
{
    struct span value;

    return find(text, name, &value) && to_number(value, base, max, number);
}

/* -1: there is none. */
static pid_t find_pid(const char *text, const char *name)
{
    uint64_t number;

    return find_number(text, name, 10, INT_MAX, &number) ? (pid_t)number : -1;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static bool append_hexadecimal(struct heel_buffer *to, struct span value)
{
    heel_autobuffer struct heel_buffer bytes = {0};

    for (size_t i = 0; i + 1 < value.length; i += 2) {
        int high = hex_digit(value.at[i]), low = hex_digit(value.at[i + 1]);
        char byte;

        if (high < 0 || low < 0)
            return false;
        byte = (char)(high << 4 | low);
        heel_buffer_append(&bytes, &byte, 1);
    }
    heel_buffer_append_escaped(to, bytes.data, bytes.length);
    return value.length > 0 && value.length % 2 == 0;
}

/* What a program chose, or the kernel's word for what it can't say, as in (null). */
static bool append_untrusted(struct heel_buffer *to, struct span value)
{
    if (value.length >= 2 && value.at[0] == '"' && value.at[value.length - 1] == '"') {
        heel_buffer_append_escaped(to, value.at + 1, value.length - 2);
        return true;
    }
    return append_hexadecimal(to, value);
}

/* ---- what was refused ---- */

/* Of several the first is told: who may not write somewhere need not be told of reading, too. */
static const struct {
    const char *blocker;
    const char *right;
} rights[] = {
    {"fs.execute", "execute"},
    {"fs.write_file", "write"},
    {"fs.truncate", "write"},
    {"fs.make_", "write"},
    {"fs.remove_", "write"},
    {"fs.refer", "write"},
    {"fs.change_topology", "mount"},
    {"fs.ioctl_dev", "ioctl"},
    {"fs.resolve_unix", "connect"},
    {"fs.read_", "read"},
    {"net.bind_", "bind"},
    {"net.connect_", "connect"},
    {"scope.abstract_unix_socket", "connect"},
    {"scope.signal", "signal"},
    {"ptrace", "ptrace"},
};

static bool lists(struct span blockers, const char *blocker)
{
    const char *at = blockers.at, *end = blockers.at + blockers.length;

    while (at && at < end) {
        if (strncmp(at, blocker, strlen(blocker)) == 0)
            return true;
        at = memchr(at, ',', (size_t)(end - at));
        at += at != NULL;
    }
    return false;
}

static const char *right_of(struct span blockers)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(rights); i++)
        if (lists(blockers, rights[i].blocker))
            return rights[i].right;
    return NULL;
}

/* An address as the kernel writes it, of which either part can be missing. */
static bool append_address(struct heel_buffer *to, const char *text, const char *address,
                           const char *port)
{
    struct span value;
    bool has_address = find(text, address, &value);

    if (has_address)
        heel_buffer_append_escaped(to, value.at, value.length);
    if (!find(text, port, &value))
        return has_address;
    heel_buffer_append_text(to, has_address ? " port " : "port ");
    heel_buffer_append_escaped(to, value.at, value.length);
    return true;
}

static bool append_target(struct heel_buffer *to, const char *text)
{
    struct span value;
    pid_t pid = find_pid(text, "opid");

    if (find(text, "path", &value))
        return append_untrusted(to, value);
    if (pid > 0)
        heel_buffer_printf(to, "process %d", (int)pid);
    return pid > 0 || append_address(to, text, "daddr", "dest") ||
           append_address(to, text, "saddr", "src");
}

/* ---- records ---- */

static int parse_access(const char *text, struct heel_audit_record *record)
{
    heel_autobuffer struct heel_buffer target = {0};
    struct span blockers;

    if (!find_number(text, "domain", 16, UINT64_MAX, &record->domain) ||
        !find(text, "blockers", &blockers) || !append_target(&target, text) || !target.data)
        return -1;
    record->right = right_of(blockers);
    if (!record->right)
        return -1;
    record->target = heel_steal(target.data);
    return 0;
}

/* The record of a domain's end has no pid. */
static int parse_domain(const char *text, struct heel_audit_record *record)
{
    record->pid = find_pid(text, "pid");
    return find_number(text, "domain", 16, UINT64_MAX, &record->domain) && record->pid > 0 ? 0 : -1;
}

static int parse_call(const char *text, struct heel_audit_record *record)
{
    heel_autobuffer struct heel_buffer program = {0};
    struct span value;

    record->pid = find_pid(text, "pid");
    record->parent = find_pid(text, "ppid");
    if (record->pid <= 0 || record->parent < 0)
        return -1;
    if (find(text, "exe", &value) && append_untrusted(&program, value))
        record->program = heel_steal(program.data);
    if (!record->program)
        record->program = heel_xstrdup("");
    return 0;
}

static int parse_end(const char *text, struct heel_audit_record *record)
{
    (void)text;
    (void)record;
    return 0;
}

static const struct {
    enum heel_audit_type type;
    int (*parse)(const char *text, struct heel_audit_record *record);
} parsers[] = {
    {HEEL_AUDIT_ACCESS, parse_access},
    {HEEL_AUDIT_DOMAIN, parse_domain},
    {HEEL_AUDIT_CALL, parse_call},
    {HEEL_AUDIT_END, parse_end},
};

/* "audit(seconds.milliseconds:serial): ": what comes after it, or NULL. */
static const char *parse_stamp(const char *text, uint64_t *serial)
{
    const char *colon, *end;

    if (!heel_starts_with(text, "audit("))
        return NULL;
    colon = strchr(text, ':');
    end = colon ? strstr(colon, "):") : NULL;
    if (!end ||
        !to_number((struct span){colon + 1, (size_t)(end - colon - 1)}, 10, UINT64_MAX, serial))
        return NULL;
    end += strlen("):");
    return end + strspn(end, " ");
}

int heel_audit_record_parse(unsigned type, const char *text, struct heel_audit_record *record)
{
    struct heel_audit_record parsed = {0};
    const char *words = NULL;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(parsers); i++) {
        if (parsers[i].type != type)
            continue;
        words = parse_stamp(text, &parsed.serial);
        parsed.type = parsers[i].type;
        if (!words || parsers[i].parse(words, &parsed))
            return -1;
        *record = parsed;
        return 0;
    }
    return -1;
}

void heel_audit_record_clear(struct heel_audit_record *record)
{
    free(record->target);
    free(record->program);
    *record = (struct heel_audit_record){0};
}

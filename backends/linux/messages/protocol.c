#include "backends/linux/messages/protocol.h"

#include <string.h>

#include "backends/linux/messages/reasons.h"

#define GROUPS_MAX 65536
#define ERRNO_MAX 4095

void heel_put_error(struct heel_buffer *to, const struct heel_error *error)
{
    heel_put_u32(to, (uint32_t)error->code);
    heel_put_u32(to, (uint32_t)error->system_errno);
    heel_put_string(to, error->reason);
    heel_put_string(to, error->message);
    heel_put_string(to, error->field);
    heel_put_u32(to, (uint32_t)error->retry_after_ms);
    heel_put_u32(to, (uint32_t)error->metadata_count);
    for (size_t i = 0; i < error->metadata_count; i++) {
        heel_put_string(to, error->metadata[i].key);
        heel_put_string(to, error->metadata[i].value);
    }
}

int heel_get_error(struct heel_reader *from, struct heel_error **err)
{
    uint32_t code = heel_get_u32(from);
    uint32_t system_errno = heel_get_u32(from);
    const char *reason = heel_get_string(from);
    const char *message = heel_get_string(from);
    const char *field = heel_get_string(from);
    uint32_t retry_after_ms = heel_get_u32(from);
    uint32_t metadata_count = heel_get_u32(from);
    heel_autoerror struct heel_error *error = NULL;

    if (from->failed || code == HEEL_OK || code > HEEL_UNAUTHENTICATED || !message ||
        metadata_count > HEEL_ERROR_METADATA_MAX)
        return heel_error_set(err, HEEL_INTERNAL, NULL,
                              "an error report of a sandbox's init or of the launcher was garbled");
    heel_error_set(&error, (enum heel_code)code, reason ? heel_reason_find(reason) : NULL, "%s",
                   message);
    error->system_errno = (int)system_errno;
    error->field = heel_xstrdup(field);
    error->retry_after_ms = (int)(retry_after_ms & INT32_MAX);
    for (uint32_t i = 0; i < metadata_count; i++) {
        const char *key = heel_get_string(from);
        const char *value = heel_get_string(from);

        if (key && value)
            heel_error_add_metadata(error, key, "%s", value);
    }
    return heel_error_propagate(err, &error);
}

void heel_put_exit(struct heel_buffer *to, const struct heel_exit *exit)
{
    heel_put_u32(to, (uint32_t)exit->start_failure);
    heel_put_u32(to, (uint32_t)exit->start_errno);
    heel_put_u32(to, exit->signalled);
    heel_put_u32(to, (uint32_t)exit->code);
    heel_put_u64(to, (uint64_t)exit->user_us);
    heel_put_u64(to, (uint64_t)exit->system_us);
    heel_put_u64(to, (uint64_t)exit->wall_us);
    heel_put_u64(to, exit->max_rss_bytes);
}

int heel_get_exit(struct heel_reader *from, struct heel_exit *exit)
{
    struct heel_exit got = {.limit = HEEL_LIMIT_NONE}; /* which no init decides */
    uint32_t start_failure = heel_get_u32(from);

    got.start_failure = (enum heel_start_failure)start_failure;
    got.start_errno = (int)heel_get_u32(from);
    got.signalled = heel_get_u32(from) != 0;
    got.code = (int)heel_get_u32(from);
    got.user_us = (int64_t)heel_get_u64(from);
    got.system_us = (int64_t)heel_get_u64(from);
    got.wall_us = (int64_t)heel_get_u64(from);
    got.max_rss_bytes = heel_get_u64(from);
    if (!heel_reader_done(from) || start_failure > HEEL_START_FAILED || got.code < 0 ||
        got.code > 255)
        return -1;
    *exit = got;
    return 0;
}

void heel_put_hand_request(struct heel_buffer *to, const struct heel_hand_request *request)
{
    heel_put_u32(to, (uint32_t)request->domain);
    heel_put_u64(to, request->address);
    heel_put_u32(to, request->length);
}

int heel_get_hand_request(struct heel_reader *from, struct heel_hand_request *request)
{
    struct heel_hand_request got;

    got.domain = (int)heel_get_u32(from);
    got.address = heel_get_u64(from);
    got.length = heel_get_u32(from);
    if (!heel_reader_done(from) || got.length > HEEL_HAND_NAME_MAX)
        return -1;
    *request = got;
    return 0;
}

void heel_put_hand_finding(struct heel_buffer *to, const struct heel_hand_finding *finding)
{
    heel_put_u32(to, (uint32_t)finding->error);
    heel_put_u32(to, finding->bound_here);
    heel_put_bytes(to, finding->name, finding->length);
}

int heel_get_hand_finding(struct heel_reader *from, struct heel_hand_finding *finding)
{
    struct heel_hand_finding got = {0};
    uint32_t error = heel_get_u32(from);

    got.bound_here = heel_get_u32(from) == 1;
    got.name = heel_get_bytes(from, &got.length);
    if (!heel_reader_done(from) || error > ERRNO_MAX || got.length > HEEL_HAND_NAME_MAX)
        return -1;
    got.error = (int)error;
    *finding = got;
    return 0;
}

/* Those that a cgroup holds. */
static void put_limits(struct heel_buffer *to, const struct heel_limits *limits)
{
    heel_put_u64(to, limits->memory_bytes);
    heel_put_u64(to, (uint64_t)limits->cpu_time_us);
    heel_put_u64(to, limits->cpu_share_milli);
    heel_put_u64(to, limits->max_processes);
}

static void get_limits(struct heel_reader *from, struct heel_limits *limits)
{
    limits->memory_bytes = heel_get_u64(from);
    limits->cpu_time_us = (int64_t)heel_get_u64(from);
    limits->cpu_share_milli = heel_get_u64(from);
    limits->max_processes = heel_get_u64(from);
}

void heel_put_create(struct heel_buffer *to, const struct heel_create_request *request)
{
    heel_put_u32(to, request->uid);
    heel_put_u32(to, request->gid);
    heel_put_u32(to, request->named);
    heel_put_u32(to, request->next_uid);
    heel_put_u32(to, (uint32_t)(request->level + 1));
    put_limits(to, &request->limits);
    heel_put_bytes(to, request->plan, request->plan_length);
    if (request->plan_length == 0)
        return;
    heel_put_u32(to, request->caller.uid);
    heel_put_u32(to, request->caller.gid);
    heel_put_bytes(to, request->caller.groups, request->caller.group_count * sizeof(gid_t));
}

static int get_caller(struct heel_reader *from, struct heel_caller *caller)
{
    size_t bytes;
    const void *groups;
    gid_t *copy;

    caller->uid = heel_get_u32(from);
    caller->gid = heel_get_u32(from);
    groups = heel_get_bytes(from, &bytes);
    if (from->failed || bytes % sizeof(gid_t) || bytes / sizeof(gid_t) > GROUPS_MAX)
        return -1;
    copy = heel_xmalloc(bytes);
    if (bytes)
        memcpy(copy, groups, bytes);
    caller->groups = copy;
    caller->group_count = bytes / sizeof(gid_t);
    return 0;
}

int heel_get_create(struct heel_reader *from, struct heel_create_request *request)
{
    struct heel_create_request got = {0};

    got.uid = heel_get_u32(from);
    got.gid = heel_get_u32(from);
    got.named = heel_get_u32(from) == 1;
    got.next_uid = heel_get_u32(from);
    got.level = (int)heel_get_u32(from) - 1;
    get_limits(from, &got.limits);
    got.plan = heel_get_bytes(from, &got.plan_length);
    if (from->failed || got.uid == (uid_t)-1 || got.gid == (gid_t)-1 || got.level < -1 ||
        got.level > HEEL_LEVEL_PERMISSIVE)
        return -1;
    if (got.plan_length > 0 && get_caller(from, &got.caller))
        return -1;
    if (!heel_reader_done(from)) {
        heel_create_request_clear(&got);
        return -1;
    }
    *request = got;
    return 0;
}

void heel_create_request_clear(struct heel_create_request *request)
{
    free((void *)(uintptr_t)request->caller.groups);
    *request = (struct heel_create_request){0};
}

void heel_put_start(struct heel_buffer *to, const struct heel_command *command,
                    const char *working_dir, bool has_stdin)
{
    heel_put_u32(to, has_stdin);
    heel_put_u32(to, command->terminal ? command->terminal->rows : 0);
    heel_put_u32(to, command->terminal ? command->terminal->columns : 0);
    heel_put_string(to, working_dir);
    heel_put_strings(to, command->argv);
    heel_put_strings(to, command->environment);
}

int heel_get_start(struct heel_reader *from, struct heel_start_request *request)
{
    struct heel_start_request got = {0};

    got.has_stdin = heel_get_u32(from) != 0;
    got.terminal.rows = (unsigned short)heel_get_u32(from);
    got.terminal.columns = (unsigned short)heel_get_u32(from);
    got.working_dir = heel_get_string(from);
    got.argv = heel_get_strings(from, HEEL_START_STRINGS_MAX);
    got.environment = heel_get_strings(from, HEEL_START_STRINGS_MAX);
    if (!heel_reader_done(from) || !got.working_dir || !got.argv[0]) {
        heel_start_request_clear(&got);
        return -1;
    }
    *request = got;
    return 0;
}

void heel_start_request_clear(struct heel_start_request *request)
{
    free(request->argv);
    free(request->environment);
    *request = (struct heel_start_request){0};
}

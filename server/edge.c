#include "server/edge.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/text.h"
#include "server/spec_limits.h"

#define HOST_RETRY_MS 1000
#define MAX_ACTING_BYTES (32 << 10)         /* an answer with two full outputs stays under 1 MiB */
#define ENTRY_BYTES 8                       /* tag and length of one file */
#define MAX_DURATION_SECONDS 315576000000LL /* as in google/protobuf/duration.proto */

static struct grpcc_status *status_of_defect(const struct heel_error *error)
{
    struct grpcc_status *status = grpcc_status_new(HEEL_INTERNAL, error->message);

    grpcc_status_set_info(status, HEEL_ERROR_DOMAIN, "INTERNAL");
    return status;
}

static struct grpcc_status *status_of_exhausted_host(const struct heel_error *error)
{
    bool descriptors = error->system_errno == EMFILE;
    heel_autofree char *message =
        heel_format("%s%s", error->message, descriptors ? "; " EDGE_RAISE_OPEN_FILES : "");
    struct grpcc_status *status = grpcc_status_new(HEEL_RESOURCE_EXHAUSTED, message);

    grpcc_status_set_info(status, HEEL_ERROR_DOMAIN, "LIMIT_REACHED");
    grpcc_status_add_metadata(status, "limit", descriptors ? EDGE_OPEN_FILES : "host");
    grpcc_status_set_retry(status, HOST_RETRY_MS);
    return status;
}

/* An error without a reason comes from a system call or a step that should never fail: the host has
 * run out of something, or heel has a defect. */
static struct grpcc_status *status_without_reason(const struct heel_error *error)
{
    return error->code == HEEL_RESOURCE_EXHAUSTED ? status_of_exhausted_host(error)
                                                  : status_of_defect(error);
}

/* What a failed precondition is one of: the process, the sandbox, or else this host. */
static const char *subject_of(const struct grpcc_status *status)
{
    const char *process = grpcc_status_metadata(status, "process_id");
    const char *sandbox = grpcc_status_metadata(status, "sandbox_id");

    if (process)
        return process;
    return sandbox ? sandbox : "host";
}

struct grpcc_status *edge_status(const struct heel_error *error)
{
    struct grpcc_status *status;

    if (!error->reason)
        return status_without_reason(error);
    status = grpcc_status_new((int)error->code, error->message);
    grpcc_status_set_info(status, HEEL_ERROR_DOMAIN, error->reason);
    for (size_t i = 0; i < error->metadata_count; i++)
        grpcc_status_add_metadata(status, error->metadata[i].key, error->metadata[i].value);
    if (error->field) {
        grpcc_status_add_field(status, error->field, error->message);
        if (!grpcc_status_metadata(status, "field"))
            grpcc_status_add_metadata(status, "field", error->field);
    }
    if (error->retry_after_ms > 0)
        grpcc_status_set_retry(status, error->retry_after_ms);
    if (error->code == HEEL_FAILED_PRECONDITION)
        grpcc_status_add_precondition(status, error->reason, subject_of(status), error->message);
    return status;
}

int edge_duration_ms(const Google__Protobuf__Duration *duration, const char *field,
                     int64_t *milliseconds, struct heel_error **err)
{
    if (!duration)
        return 0;
    if (duration->nanos < 0 || duration->nanos > 999999999 || duration->seconds < 0 ||
        duration->seconds > MAX_DURATION_SECONDS ||
        (duration->seconds == 0 && duration->nanos == 0))
        return heel_error_set_field(err, field, "%s must be a positive duration of at most %lld s",
                                    field, MAX_DURATION_SECONDS);
    *milliseconds = duration->seconds * 1000 + (duration->nanos + 999999) / 1000000;
    return 0;
}

Google__Protobuf__Duration *edge_new_duration_us(int64_t microseconds)
{
    Google__Protobuf__Duration *duration = heel_xmalloc(sizeof *duration);

    google__protobuf__duration__init(duration);
    duration->seconds = microseconds / 1000000;
    duration->nanos = (int32_t)(microseconds % 1000000) * 1000;
    return duration;
}

Google__Protobuf__Timestamp *edge_new_timestamp_ms(int64_t milliseconds_since_epoch)
{
    Google__Protobuf__Timestamp *timestamp = heel_xmalloc(sizeof *timestamp);

    google__protobuf__timestamp__init(timestamp);
    timestamp->seconds = milliseconds_since_epoch / 1000;
    timestamp->nanos = (int32_t)(milliseconds_since_epoch % 1000) * 1000000;
    return timestamp;
}

static const Heel__V1__Protection protections[HEEL_PROTECTION_COUNT] = {
    [HEEL_PROTECTION_FILESYSTEM] = HEEL__V1__PROTECTION__PROTECTION_FILESYSTEM,
    [HEEL_PROTECTION_HIDDEN_PATHS] = HEEL__V1__PROTECTION__PROTECTION_HIDDEN_PATHS,
    [HEEL_PROTECTION_PROCESSES] = HEEL__V1__PROTECTION__PROTECTION_PROCESSES,
    [HEEL_PROTECTION_NETWORK] = HEEL__V1__PROTECTION__PROTECTION_NETWORK,
    [HEEL_PROTECTION_IPC] = HEEL__V1__PROTECTION__PROTECTION_IPC,
    [HEEL_PROTECTION_SYSTEM_CALLS] = HEEL__V1__PROTECTION__PROTECTION_SYSTEM_CALLS,
    [HEEL_PROTECTION_PRIVILEGES] = HEEL__V1__PROTECTION__PROTECTION_PRIVILEGES,
    [HEEL_PROTECTION_DEVICES] = HEEL__V1__PROTECTION__PROTECTION_DEVICES,
    [HEEL_PROTECTION_HOST_SOCKETS] = HEEL__V1__PROTECTION__PROTECTION_HOST_SOCKETS,
    [HEEL_PROTECTION_ACTING_FILES] = HEEL__V1__PROTECTION__PROTECTION_ACTING_FILES,
    [HEEL_PROTECTION_METADATA] = HEEL__V1__PROTECTION__PROTECTION_METADATA,
    [HEEL_PROTECTION_KERNEL_QUOTAS] = HEEL__V1__PROTECTION__PROTECTION_KERNEL_QUOTAS,
    [HEEL_PROTECTION_LIMITS] = HEEL__V1__PROTECTION__PROTECTION_LIMITS,
    [HEEL_PROTECTION_WRITE_XOR_EXECUTE] = HEEL__V1__PROTECTION__PROTECTION_WRITE_XOR_EXECUTE,
};

enum heel_protection edge_backend_protection(Heel__V1__Protection protection)
{
    size_t i = 0;

    while (i < HEEL_PROTECTION_COUNT - 1 && protections[i] != protection)
        i++;
    return (enum heel_protection)i;
}

static const Heel__V1__EnforcementState enforcement_states[] = {
    [HEEL_ENFORCEMENT_ACTIVE] = HEEL__V1__ENFORCEMENT_STATE__ENFORCEMENT_STATE_ACTIVE,
    [HEEL_ENFORCEMENT_DEGRADED] = HEEL__V1__ENFORCEMENT_STATE__ENFORCEMENT_STATE_DEGRADED,
    [HEEL_ENFORCEMENT_DISABLED] = HEEL__V1__ENFORCEMENT_STATE__ENFORCEMENT_STATE_DISABLED,
};

Heel__V1__Enforcement **edge_new_enforcement(const struct heel_enforcement *enforcement)
{
    Heel__V1__Enforcement **messages = heel_xcalloc(HEEL_PROTECTION_COUNT, sizeof *messages);

    for (size_t i = 0; i < HEEL_PROTECTION_COUNT; i++) {
        messages[i] = heel_xmalloc(sizeof **messages);
        heel__v1__enforcement__init(messages[i]);
        messages[i]->protection = protections[enforcement[i].protection];
        messages[i]->state = enforcement_states[enforcement[i].state];
        messages[i]->mechanism =
            heel_xstrdup(enforcement[i].mechanism ? enforcement[i].mechanism : "");
        messages[i]->detail = heel_xstrdup(enforcement[i].detail ? enforcement[i].detail : "");
    }
    return messages;
}

void edge_free_enforcement(Heel__V1__Enforcement **messages)
{
    for (size_t i = 0; i < HEEL_PROTECTION_COUNT; i++)
        heel__v1__enforcement__free_unpacked(messages[i], NULL);
    free(messages);
}

static const Heel__V1__ProtectedGroup groups[HEEL_PROTECTED_GROUP_COUNT] = {
    [HEEL_PROTECTED_USER_HOME] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_USER_HOME,
    [HEEL_PROTECTED_OTHER_HOMES] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_OTHER_HOMES,
    [HEEL_PROTECTED_CREDENTIALS] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_CREDENTIALS,
    [HEEL_PROTECTED_CLOUD] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_CLOUD,
    [HEEL_PROTECTED_BROWSER] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_BROWSER,
    [HEEL_PROTECTED_KEYCHAIN] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_KEYCHAIN,
    [HEEL_PROTECTED_HISTORY] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_HISTORY,
    [HEEL_PROTECTED_PACKAGES] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_PACKAGES,
    [HEEL_PROTECTED_PERSONAL] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_PERSONAL,
    [HEEL_PROTECTED_SERVICES] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_SERVICES,
    [HEEL_PROTECTED_ACTING_FILES] = HEEL__V1__PROTECTED_GROUP__PROTECTED_GROUP_ACTING_FILES,
};

Heel__V1__ProtectedGroup edge_protected_group(enum heel_protected_group group)
{
    return groups[group];
}

enum heel_protected_group edge_backend_group(Heel__V1__ProtectedGroup group)
{
    size_t i = 0;

    while (i < HEEL_PROTECTED_GROUP_COUNT - 1 && groups[i] != group)
        i++;
    return (enum heel_protected_group)i;
}

/* To the kernel a script whose interpreter is missing is missing itself. */
static char *not_found_message(const char *program)
{
    return heel_format("%s: no such program in the sandbox%s", program,
                       strchr(program, '/') ? ", or no interpreter for it" : "'s PATH");
}

static char *start_failure_message(const struct heel_exit *exit, const char *program)
{
    static const char *const sentences[] = {
        [HEEL_START_NOT_FOUND] = "it is not a program in the sandbox",
        [HEEL_START_NOT_EXECUTABLE] = "it can't be executed in the sandbox",
        [HEEL_START_BAD_DIRECTORY] = "its working directory can't be entered in the sandbox",
        [HEEL_START_NO_TERMINAL] = "the host has no terminal left",
        [HEEL_START_TERMINALS_USED] = "its sandbox has no terminal left",
        [HEEL_START_NO_DESCRIPTOR] = "the server has no descriptor left for its terminal",
        [HEEL_START_FAILED] = "it could not be started",
    };

    if (exit->start_failure == HEEL_START_NOT_FOUND && exit->start_errno == ENOENT)
        return not_found_message(program);
    return heel_format("%s: %s: %s", program, sentences[exit->start_failure],
                       strerror(exit->start_errno));
}

static const char *reason_message(Heel__V1__ExitReason reason)
{
    switch (reason) {
    case HEEL__V1__EXIT_REASON__EXIT_REASON_TIMEOUT:
        return "its time was up, and it was killed with everything that it had started";
    case HEEL__V1__EXIT_REASON__EXIT_REASON_DELETED:
        return "its sandbox was deleted or expired";
    case HEEL__V1__EXIT_REASON__EXIT_REASON_DISCONNECTED:
        return "its client cancelled the call or went away";
    default:
        return "";
    }
}

/* A command that we ended before it ever ran counts as killed: code 0 would look like success. */
static void set_outcome(Heel__V1__ExitStatus *status, const struct heel_exit *exit)
{
    bool killed_before_start = exit->start_failure != HEEL_START_OK;

    if (exit->signalled || killed_before_start) {
        status->outcome_case = HEEL__V1__EXIT_STATUS__OUTCOME_SIGNAL;
        status->signal = killed_before_start ? SIGKILL : exit->code;
    } else {
        status->outcome_case = HEEL__V1__EXIT_STATUS__OUTCOME_CODE;
        status->code = exit->code;
    }
}

Heel__V1__ExitStatus *edge_new_exit_status(const struct heel_exit *exit,
                                           Heel__V1__ExitReason reason, const char *program,
                                           const char *limit_message)
{
    Heel__V1__ExitStatus *status = heel_xmalloc(sizeof *status);
    bool ended_by_us = reason != HEEL__V1__EXIT_REASON__EXIT_REASON_UNSPECIFIED;

    heel__v1__exit_status__init(status);
    if (exit->start_failure != HEEL_START_OK && !ended_by_us) {
        status->outcome_case = HEEL__V1__EXIT_STATUS__OUTCOME_CODE;
        status->code = exit->start_failure == HEEL_START_NOT_FOUND ? 127 : 126;
        status->reason = HEEL__V1__EXIT_REASON__EXIT_REASON_START_FAILED;
        status->message = start_failure_message(exit, program);
        return status;
    }
    set_outcome(status, exit);
    if (!ended_by_us && exit->limit != HEEL_LIMIT_NONE) {
        status->reason = spec_limits_reason(exit->limit);
        status->limit = spec_limits_name(exit->limit);
        status->message = heel_xstrdup(limit_message);
        return status;
    }
    if (!ended_by_us)
        reason = exit->signalled ? HEEL__V1__EXIT_REASON__EXIT_REASON_SIGNALED
                                 : HEEL__V1__EXIT_REASON__EXIT_REASON_EXITED;
    status->reason = reason;
    status->message = heel_xstrdup(reason_message(reason));
    return status;
}

Heel__V1__ResourceUsage *edge_new_usage(const struct heel_exit *exit)
{
    Heel__V1__ResourceUsage *usage = heel_xmalloc(sizeof *usage);

    heel__v1__resource_usage__init(usage);
    usage->user_time = edge_new_duration_us(exit->user_us);
    usage->system_time = edge_new_duration_us(exit->system_us);
    usage->wall_time = edge_new_duration_us(exit->wall_us);
    usage->max_rss_bytes = exit->max_rss_bytes;
    return usage;
}

/* Names come from inside: a message holds UTF-8 only. */
static char *shown_path(const char *path)
{
    struct heel_buffer escaped = {0};

    if (heel_utf8_valid(path, strlen(path)))
        return heel_xstrdup(path);
    heel_buffer_append_escaped(&escaped, path, strlen(path));
    return escaped.data;
}

static Heel__V1__ActingFiles__File *new_acting_file(const struct heel_left_file *file)
{
    Heel__V1__ActingFiles__File *message = heel_xmalloc(sizeof *message);

    heel__v1__acting_files__file__init(message);
    message->path = shown_path(file->path);
    message->reason = heel_xstrdup(file->reason);
    return message;
}

Heel__V1__ActingFiles *edge_new_acting_files(const struct heel_sandbox_end *end)
{
    Heel__V1__ActingFiles *message;
    size_t bytes = 0;

    if (end->file_count == 0 && !end->incomplete)
        return NULL;
    message = heel_xmalloc(sizeof *message);
    heel__v1__acting_files__init(message);
    message->incomplete = end->incomplete;
    message->files = heel_xcalloc(end->file_count, sizeof(Heel__V1__ActingFiles__File *));
    for (size_t i = 0; i < end->file_count; i++) {
        Heel__V1__ActingFiles__File *file = new_acting_file(&end->files[i]);

        bytes += protobuf_c_message_get_packed_size(&file->base) + ENTRY_BYTES;
        if (bytes > MAX_ACTING_BYTES) {
            protobuf_c_message_free_unpacked(&file->base, NULL);
            message->incomplete = true;
            break;
        }
        message->files[message->n_files++] = file;
    }
    return message;
}

void edge_free_acting_files(Heel__V1__ActingFiles *message)
{
    heel__v1__acting_files__free_unpacked(message, NULL);
}

Heel__V1__PauseMechanism edge_pause_mechanism(enum heel_pause_mechanism mechanism)
{
    static const Heel__V1__PauseMechanism messages[] = {
        [HEEL_PAUSE_NONE] = HEEL__V1__PAUSE_MECHANISM__PAUSE_MECHANISM_UNSPECIFIED,
        [HEEL_PAUSE_SIGNALS] = HEEL__V1__PAUSE_MECHANISM__PAUSE_MECHANISM_SIGNALS,
        [HEEL_PAUSE_FREEZER] = HEEL__V1__PAUSE_MECHANISM__PAUSE_MECHANISM_FREEZER,
    };

    return messages[mechanism];
}

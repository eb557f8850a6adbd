#include "clients/c/cli/exit_code.h"

#include <stddef.h>

#include "base/cleanup.h"
#include "clients/c/cli/cli.h"

struct end {
    int code;            /* 0: the command's own, or 128 + its signal */
    const char *message; /* where the server gives none; NULL: nothing needs to be said */
};

static const struct end ends[] = {
    [HEEL_EXIT_EXITED] = {0, NULL},
    [HEEL_EXIT_SIGNALED] = {0, NULL},
    [HEEL_EXIT_TIMEOUT] = {CLI_EXIT_TIMEOUT,
                           "the command took longer than its timeout and was killed"},
    [HEEL_EXIT_DELETED] = {CLI_EXIT_OWN_ERROR, "the sandbox was deleted while the command ran"},
    [HEEL_EXIT_DISCONNECTED] = {CLI_EXIT_OWN_ERROR, "the connection of the command was lost"},
    [HEEL_EXIT_START_FAILED] = {0, "the command could not be started"},
    [HEEL_EXIT_OOM] = {0, "the sandbox used more memory than it may, and the command was killed"},
    [HEEL_EXIT_LIMIT] = {0, "the sandbox went beyond a limit, and the command was killed"},
};

static const struct end unknown = {
    CLI_EXIT_OWN_ERROR,
    "the command ended for a reason that this heelcli doesn't know: use a newer one",
};

static const struct end *end_of(const struct heel_exit_status *status)
{
    size_t reason = (size_t)status->reason;

    return reason > 0 && reason < HEEL_ARRAY_LENGTH(ends) ? &ends[reason] : &unknown;
}

int cli_exit_code(const struct heel_exit_status *status)
{
    const struct end *end = end_of(status);

    if (end->code)
        return end->code;
    return status->signaled ? 128 + status->signal : status->code;
}

const char *cli_exit_message(const struct heel_exit_status *status)
{
    const struct end *end = end_of(status);

    return end->message && *status->message ? status->message : end->message;
}

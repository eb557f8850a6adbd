#include "server/signals.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MAX_SIGNAL 64

/* "RTMIN", "RTMIN+3", "RTMAX-1". */
static int real_time_number(const char *name)
{
    bool from_last = heel_starts_with(name, "RTMAX");
    const char *rest = name + strlen("RTMIN");
    char *end;
    long by;

    if (!from_last && !heel_starts_with(name, "RTMIN"))
        return 0;
    if (*rest == '\0')
        return from_last ? SIGRTMAX : SIGRTMIN;
    if (*rest != (from_last ? '-' : '+') || !isdigit((unsigned char)rest[1]))
        return 0;
    by = strtol(rest + 1, &end, 10);
    if (*end != '\0' || by > SIGRTMAX - SIGRTMIN)
        return 0;
    return from_last ? SIGRTMAX - (int)by : SIGRTMIN + (int)by;
}

int signals_number(const char *name)
{
    if (heel_starts_with(name, "SIG"))
        name += strlen("SIG");
    for (int number = 1; number < SIGRTMIN; number++) {
        const char *known = sigabbrev_np(number);

        if (known && strcmp(known, name) == 0)
            return number;
    }
    return real_time_number(name);
}

static int check_which(const Heel__V1__SendSignal *request, const char *at, int *number,
                       struct heel_error **err)
{
    heel_autofree char *signal_field = heel_format("%s.signal", at);
    heel_autofree char *name_field = heel_format("%s.name", at);

    if (request->which_case == HEEL__V1__SEND_SIGNAL__WHICH_NAME) {
        *number = signals_number(request->name);
        return *number > 0
                   ? 0
                   : heel_error_set_field(err, name_field,
                                          "%s must be a signal's name, such as TERM", name_field);
    }
    *number = request->which_case == HEEL__V1__SEND_SIGNAL__WHICH_SIGNAL ? request->signal : 0;
    return *number >= 1 && *number <= MAX_SIGNAL
               ? 0
               : heel_error_set_field(err, signal_field, "%s must be 1 to %d", signal_field,
                                      MAX_SIGNAL);
}

int signals_check(const Heel__V1__SendSignal *request, const char *at,
                  struct signal_request *signal, struct heel_error **err)
{
    heel_autofree char *scope_field = heel_format("%s.scope", at);

    if (!request)
        return heel_error_set_field(err, at, "%s is needed", at);
    if (check_which(request, at, &signal->number, err) < 0)
        return -1;
    switch (request->scope) {
    case HEEL__V1__SIGNAL_SCOPE__SIGNAL_SCOPE_PROCESS:
        signal->scope = HEEL_SIGNAL_PROCESS;
        return 0;
    case HEEL__V1__SIGNAL_SCOPE__SIGNAL_SCOPE_UNSPECIFIED:
    case HEEL__V1__SIGNAL_SCOPE__SIGNAL_SCOPE_GROUP:
        signal->scope = HEEL_SIGNAL_GROUP;
        return 0;
    case HEEL__V1__SIGNAL_SCOPE__SIGNAL_SCOPE_TREE:
        signal->scope = HEEL_SIGNAL_TREE;
        return 0;
    default:
        return heel_error_set_field(err, scope_field, "%s must be PROCESS, GROUP or TREE",
                                    scope_field);
    }
}

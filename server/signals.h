/* Signals as clients name them. */
#ifndef HEEL_SERVER_SIGNALS_H
#define HEEL_SERVER_SIGNALS_H

#include "backends/backend.h"
#include "base/error.h"
#include "heel/v1/sandbox.pb-c.h"

struct signal_request {
    int number;
    enum heel_signal_scope scope;
};

/* What `request` at `at`, as in "signal", asks for. NULL is an error. 0, or -1 and *err naming the
 * field. */
int signals_check(const Heel__V1__SendSignal *request, const char *at,
                  struct signal_request *signal, struct heel_error **err);

/* The number of a signal's name, with or without "SIG"; 0 for none. */
int signals_number(const char *name);

#endif

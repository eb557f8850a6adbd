#include "proto/runtime/internal.h"

#include <grpc/support/log.h>
#include <stdio.h>
#include <string.h>

/* gRPC writes to stderr what peers can cause at will, such as a broken frame. Whoever calls gets a
 * status; the program's own log is its own. Only the last words of a failed assertion, before gRPC
 * aborts, are kept. */
static void log_nothing(gpr_log_func_args *entry)
{
    if (strncmp(entry->message, "assertion failed", strlen("assertion failed")) == 0)
        fprintf(stderr, "grpc: %s:%d: %s\n", entry->file, entry->line, entry->message);
}

void grpcc_init(void)
{
    gpr_set_log_function(log_nothing);
    grpc_init();
}

void grpcc_shutdown(void)
{
    grpc_shutdown_blocking();
}

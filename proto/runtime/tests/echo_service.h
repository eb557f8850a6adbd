/* The echo service on the runtime's server side. */
#ifndef GRPCC_TESTS_ECHO_SERVICE_H
#define GRPCC_TESTS_ECHO_SERVICE_H

#include "runtime/tests/echo.grpc-c.h"

/* What has happened to the calls of a service; every call that began has to end. */
struct echo_service {
    unsigned begun;
    unsigned ended;
    unsigned cancelled; /* on_cancel was run */
    unsigned written;   /* responses of Repeat that were taken */
    unsigned stalled;   /* calls that do nothing any more */
    /* Calls stop doing anything when they have dealt with `stall_at` messages, until they are
     * cancelled. */
    bool stalls;
    unsigned stall_at;
};

/* Registers all methods but Missing; `service` must outlive the server. */
void echo_service_register(struct grpcc_server *server, struct echo_service *service);

#endif

#include "server/health.h"

#include <string.h>

#include "base/text.h"
#include "grpc/health/v1/health.grpc-c.h"
#include "server/callers.h"
#include "server/core.h"
#include "server/service.h"

/* "" is the server as a whole. */
static const char *const services[] = {
    "",
    "heel.v1.SandboxService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
};

/* One open Watch stream; linked so that a drain reaches it. */
struct health_watch {
    struct health_watch *next;
    struct caller *caller; /* borrowed */
    struct grpcc_stream *stream;
    bool known; /* the service exists */
    bool writing;
    bool stop_told; /* the last status was sent, or the client is gone */
};

static bool is_known(const char *service)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(services); i++) {
        if (strcmp(services[i], service) == 0)
            return true;
    }
    return false;
}

static Grpc__Health__V1__HealthCheckResponse status_now(const struct server_core *core)
{
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    response.status = core->draining
                          ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
                          : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    return response;
}

static void check(struct grpcc_unary *call, const Grpc__Health__V1__HealthCheckRequest *request,
                  void *service)
{
    const struct caller *caller = service;
    Grpc__Health__V1__HealthCheckResponse response = status_now(caller->core);

    if (is_known(request->service))
        grpcc_reply(call, &response.base);
    else
        grpcc_fail(call, grpcc_status_new(HEEL_NOT_FOUND, "this server has no such service"));
}

static void on_refused(struct grpcc_stream *stream, void *data)
{
    (void)stream;
    (void)data;
}

static void on_done(struct grpcc_stream *stream, void *data)
{
    struct health_watch *watch = data;

    (void)stream;
    callers_stream_over(watch->caller);
    free(watch);
}

static void end(struct health_watch *watch)
{
    struct health_watch **link;

    for (link = &watch->caller->core->watches; *link != watch; link = &(*link)->next) {
    }
    *link = watch->next;
    grpcc_stream_finish(watch->stream, NULL, on_done);
}

static void on_cancel(struct grpcc_stream *stream, void *data)
{
    struct health_watch *watch = data;

    (void)stream;
    watch->stop_told = true;
    if (!watch->writing)
        end(watch);
}

static void tell(struct health_watch *watch);

static void on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct health_watch *watch = data;

    (void)stream;
    watch->writing = false;
    if (!ok || watch->stop_told)
        end(watch);
    else if (watch->caller->core->draining)
        tell(watch);
}

static void tell(struct health_watch *watch)
{
    Grpc__Health__V1__HealthCheckResponse response = status_now(watch->caller->core);

    if (!watch->known)
        response.status = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
    watch->stop_told = watch->caller->core->draining;
    watch->writing = true;
    grpcc_stream_write(watch->stream, &response.base, on_written);
}

static void watch_accept(struct grpcc_stream *stream,
                         const Grpc__Health__V1__HealthCheckRequest *request, void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct caller *caller = service;
    struct health_watch *watch;

    if (callers_admit_stream(caller, &error) < 0) {
        grpcc_stream_finish(stream, service_status(error), on_refused);
        return;
    }
    watch = heel_xcalloc(1, sizeof *watch);
    watch->caller = caller;
    watch->stream = stream;
    watch->known = is_known(request->service);
    watch->next = caller->core->watches;
    caller->core->watches = watch;
    grpcc_stream_set_data(stream, watch);
    grpcc_stream_on_cancel(stream, on_cancel);
    tell(watch);
}

static const struct grpc_health_v1_health_handlers handlers = {
    .check = check,
    .watch = watch_accept,
};

void health_register(struct caller *caller)
{
    grpc_health_v1_health_register(caller->server, &handlers, caller);
}

void health_stop(struct server_core *core)
{
    for (struct health_watch *watch = core->watches; watch; watch = watch->next) {
        if (!watch->writing && !watch->stop_told)
            tell(watch);
    }
}

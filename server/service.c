#include "server/service.h"

#include "heel/v1/sandbox.grpc-c.h"
#include "server/callers.h"
#include "server/edge.h"
#include "server/health.h"
#include "server/log.h"
#include "server/reflection.h"

#define MAX_REQUEST_ID 256

static const struct heel_v1_sandbox_service_handlers handlers = {
    .get_server_info = rpc_get_server_info,
    .create_sandbox = rpc_create_sandbox,
    .get_sandbox = rpc_get_sandbox,
    .list_sandboxes = rpc_list_sandboxes,
    .update_sandbox = rpc_update_sandbox,
    .delete_sandbox = rpc_delete_sandbox,
    .explain_policy = rpc_explain_policy,
    .run_command = rpc_run_command,
    .exec = rpc_exec,
    .start_process = rpc_start_process,
    .attach = rpc_attach,
    .get_process = rpc_get_process,
    .list_processes = rpc_list_processes,
    .wait_process = rpc_wait_process,
    .signal_process = rpc_signal_process,
    .pause_sandbox = rpc_pause_sandbox,
    .resume_sandbox = rpc_resume_sandbox,
    .watch_events = rpc_watch_events,
};

void service_register(struct caller *caller)
{
    heel_v1_sandbox_service_register(caller->server, &handlers, caller);
    health_register(caller);
    reflection_register(caller);
}

void service_begin(struct grpcc_call *call, const struct caller *caller, const char *method)
{
    const struct grpcc_metadata *request_id = grpcc_call_metadata(call, "heel-request-id");

    if (request_id && request_id->length <= MAX_REQUEST_ID)
        grpcc_call_add_header(call, "heel-request-id", request_id->value, request_id->length);
    else
        request_id = NULL;
    log_event(LOG_LEVEL_DEBUG, "call", LOG_TEXT("method", method),
              LOG_INT("uid", caller->identity.uid),
              LOG_TEXT("request", request_id ? request_id->value : ""));
}

struct grpcc_status *service_status(const struct heel_error *error)
{
    struct grpcc_status *status = edge_status(error);

    if (status->code == HEEL_INTERNAL)
        log_failure(LOG_LEVEL_ERROR, "call failed", "", error);
    return status;
}

void service_fail(struct grpcc_unary *call, const struct heel_error *error)
{
    grpcc_fail(call, service_status(error));
}

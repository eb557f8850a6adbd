/* PauseSandbox and ResumeSandbox. */
#include "server/callers.h"
#include "server/core.h"
#include "server/service.h"

static void reply(struct grpcc_unary *call, const struct server_sandbox *sandbox, bool paused)
{
    Heel__V1__PauseSandboxResponse pause = HEEL__V1__PAUSE_SANDBOX_RESPONSE__INIT;
    Heel__V1__ResumeSandboxResponse resume = HEEL__V1__RESUME_SANDBOX_RESPONSE__INIT;
    Heel__V1__Sandbox *described = sandboxes_describe(sandbox);

    pause.sandbox = resume.sandbox = described;
    grpcc_reply(call, paused ? &pause.base : &resume.base);
    heel__v1__sandbox__free_unpacked(described, NULL);
}

static void on_paused(struct server_sandbox *sandbox, const struct heel_error *error, void *data)
{
    if (error)
        service_fail(data, error);
    else
        reply(data, sandbox, true);
}

static void on_resumed(struct server_sandbox *sandbox, const struct heel_error *error, void *data)
{
    if (error)
        service_fail(data, error);
    else
        reply(data, sandbox, false);
}

void rpc_pause_sandbox(struct grpcc_unary *call, const Heel__V1__PauseSandboxRequest *request,
                       void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct server_sandbox *sandbox;

    service_begin(grpcc_unary_call(call), service, "PauseSandbox");
    sandbox = sandboxes_find_ready(service, request->sandbox_id, &error);
    if (sandbox)
        pauses_set(sandbox, true, on_paused, call);
    else
        service_fail(call, error);
}

void rpc_resume_sandbox(struct grpcc_unary *call, const Heel__V1__ResumeSandboxRequest *request,
                        void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct server_sandbox *sandbox;

    service_begin(grpcc_unary_call(call), service, "ResumeSandbox");
    sandbox = sandboxes_find_ready(service, request->sandbox_id, &error);
    if (sandbox)
        pauses_set(sandbox, false, on_resumed, call);
    else
        service_fail(call, error);
}

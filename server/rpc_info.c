#include <string.h>

#include "server/core.h"
#include "server/edge.h"
#include "server/service.h"

/* Names that a client can test for instead of comparing versions. */
static const char *const features[] = {
    "acting-files",
    "attach",
    "denials",
    "exec",
    "exec-stdin-taken",
    "explain-policy",
    "hardware",
    "limits",
    "pause",
    "require",
    "run-as",
    "run-command-spec",
    "start-process",
    "terminal",
    "watch-events",
    "write-xor-execute",
};

static Heel__V1__ServerLimits describe_limits(const struct server_options *options)
{
    Heel__V1__ServerLimits limits = HEEL__V1__SERVER_LIMITS__INIT;

    limits.max_sandboxes = options->max_sandboxes;
    limits.max_sandboxes_per_caller = options->max_sandboxes_per_caller;
    limits.max_processes = options->max_processes;
    limits.max_processes_per_caller = options->max_processes_per_caller;
    limits.max_request_bytes = CALLERS_MAX_REQUEST_BYTES;
    limits.max_streams = options->max_streams;
    limits.max_streams_per_caller = options->max_streams_per_caller;
    limits.max_kept_output_bytes = options->max_ring_bytes;
    limits.max_kept_output_bytes_per_caller = options->max_ring_bytes_per_caller;
    return limits;
}

void rpc_get_server_info(struct grpcc_unary *call, const Heel__V1__GetServerInfoRequest *request,
                         void *service)
{
    const struct caller *caller = service;
    const struct heel_host_info *host = heel_backend_host(caller->core->backend);
    Heel__V1__GetServerInfoResponse response = HEEL__V1__GET_SERVER_INFO_RESPONSE__INIT;
    Heel__V1__ServerLimits limits = describe_limits(&caller->core->options);

    (void)request;
    service_begin(grpcc_unary_call(call), caller, "GetServerInfo");
    response.version = (char *)(uintptr_t)HEEL_VERSION;
    response.backend = (char *)(uintptr_t)host->backend;
    response.kernel_release = (char *)(uintptr_t)host->kernel_release;
    response.landlock_abi = host->landlock_abi;
    response.namespaces = host->namespaces;
    response.limits = &limits;
    response.default_level = caller->core->options.default_level;
    response.n_features = HEEL_ARRAY_LENGTH(features);
    response.features = (char **)(uintptr_t)features;
    response.n_protections = HEEL_PROTECTION_COUNT;
    response.protections = edge_new_enforcement(host->protections);
    grpcc_reply(call, &response.base);
    edge_free_enforcement(response.protections);
}

/* What a server is. */
#include "base/cleanup.h"
#include "base/text.h"
#include "clients/c/libheel/client.h"
#include "clients/c/libheel/result.h"
#include "heel/v1/sandbox.grpc-c.h"

struct server_info_result {
    struct heel_server_info info;
    struct result result;
};

static struct heel_server_info *new_server_info(Heel__V1__GetServerInfoResponse *response)
{
    struct server_info_result *made = heel_xcalloc(1, sizeof(*made));
    struct heel_server_info *info = &made->info;

    made->result.response = &response->base;
    made->result.shown = &response->base;
    info->version = response->version;
    info->backend = response->backend;
    info->kernel_release = response->kernel_release;
    info->landlock_abi = response->landlock_abi;
    info->namespaces = response->namespaces;
    result_enforcement(&made->result.arena, response->protections, response->n_protections,
                       &info->protections);
    info->protection_count = response->n_protections;
    if (response->limits) {
        info->max_sandboxes = response->limits->max_sandboxes;
        info->max_sandboxes_per_caller = response->limits->max_sandboxes_per_caller;
        info->max_processes = response->limits->max_processes;
        info->max_processes_per_caller = response->limits->max_processes_per_caller;
        info->max_request_bytes = response->limits->max_request_bytes;
    }
    info->default_level = (enum heel_level)response->default_level;
    info->features = (const char *const *)response->features;
    info->feature_count = response->n_features;
    return info;
}

int heel_server_info_get(struct heel_client *client, const struct heel_call *call,
                         struct heel_server_info **info, struct heel_error **error)
{
    Heel__V1__GetServerInfoRequest request = HEEL__V1__GET_SERVER_INFO_REQUEST__INIT;
    ProtobufCMessage *response;

    if (client_call(client, &heel_v1_sandbox_service_get_server_info_method, &request.base, call,
                    &response, error))
        return -1;
    *info = new_server_info((Heel__V1__GetServerInfoResponse *)response);
    return 0;
}

void heel_server_info_free(struct heel_server_info *info)
{
    struct server_info_result *made;

    if (!info)
        return;
    made = heel_container_of(info, struct server_info_result, info);
    result_free(&made->result);
    free(made);
}

char *heel_server_info_json(const struct heel_server_info *info, unsigned indent)
{
    return result_json(&heel_container_of(info, struct server_info_result, info)->result, indent);
}

/* One captured command. */
#include "base/cleanup.h"
#include "base/text.h"
#include "clients/c/libheel/client.h"
#include "clients/c/libheel/request.h"
#include "clients/c/libheel/result.h"
#include "heel/v1/sandbox.grpc-c.h"

struct run_result {
    struct heel_run_result run;
    struct result result;
};

static struct heel_bytes bytes_of(ProtobufCBinaryData data)
{
    struct heel_bytes bytes = {data.len ? data.data : (const uint8_t *)"", data.len};

    return bytes;
}

static struct heel_run_result *new_run_result(Heel__V1__RunCommandResponse *response)
{
    struct run_result *made = heel_xcalloc(1, sizeof(*made));
    struct heel_run_result *run = &made->run;

    made->result.response = &response->base;
    made->result.shown = &response->base;
    result_exit_status(response->status, &run->status);
    result_usage(response->usage, &run->usage);
    run->output = bytes_of(response->stdout);
    run->errors = bytes_of(response->stderr);
    run->output_truncated = response->stdout_truncated;
    run->errors_truncated = response->stderr_truncated;
    run->process_id = response->process_id;
    run->sandbox_id = response->sandbox_id;
    result_denials(&made->result.arena, response->denials, response->n_denials,
                   response->denials_truncated, &run->denials);
    result_acting_files(&made->result.arena, response->acting_files, &run->acting_files);
    return run;
}

static int set_target(struct arena *arena, struct heel_target target,
                      Heel__V1__RunCommandRequest *request, struct heel_error **err)
{
    if (request_check_target(target, err))
        return -1;
    if (target.sandbox_id) {
        request->target_case = HEEL__V1__RUN_COMMAND_REQUEST__TARGET_SANDBOX_ID;
        request->sandbox_id = request_text(target.sandbox_id);
        return 0;
    }
    request->target_case = HEEL__V1__RUN_COMMAND_REQUEST__TARGET_SPEC;
    request->spec = request_spec(arena, target.spec, err);
    return request->spec ? 0 : -1;
}

int heel_run(struct heel_client *client, struct heel_target target,
             const struct heel_command *command, const struct heel_call *call,
             struct heel_run_result **result, struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__RunCommandRequest request = HEEL__V1__RUN_COMMAND_REQUEST__INIT;
    ProtobufCMessage *response;

    request.command = request_command(&arena, command, error);
    if (!request.command || set_target(&arena, target, &request, error))
        return -1;
    if (client_call(client, &heel_v1_sandbox_service_run_command_method, &request.base, call,
                    &response, error))
        return -1;
    *result = new_run_result((Heel__V1__RunCommandResponse *)response);
    return 0;
}

void heel_run_result_free(struct heel_run_result *result)
{
    struct run_result *made;

    if (!result)
        return;
    made = heel_container_of(result, struct run_result, run);
    result_free(&made->result);
    free(made);
}

char *heel_run_result_json(const struct heel_run_result *result, unsigned indent)
{
    return result_json(&heel_container_of(result, struct run_result, run)->result, indent);
}

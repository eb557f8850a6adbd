#include "tests/bench/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"

#define CALL_TIMEOUT_MS 60000

static const struct grpcc_call_options call_options = {.timeout_ms = CALL_TIMEOUT_MS};

/* Channels that gRPC connects itself share one connection to the same address. */
struct grpcc_channel *client_connect(const char *path, struct heel_error **err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    heel_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof address.sun_path) {
        heel_error_set_errno(err, fd < 0 ? errno : ENAMETOOLONG, "connect to %s", path);
        return NULL;
    }
    strcpy(address.sun_path, path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        heel_error_set_errno(err, errno, "connect to %s", path);
        return NULL;
    }
    return grpcc_channel_from_fd(heel_steal_fd(&fd), NULL);
}

int client_failed(const char *what, struct grpcc_status *status, struct heel_error **err)
{
    heel_error_set(err, (enum heel_code)status->code, NULL, "%s: %s: %s", what,
                   heel_code_name((enum heel_code)status->code), status->message);
    grpcc_status_free(status);
    return -1;
}

int client_create(struct grpcc_channel *channel, char **id, struct heel_error **err)
{
    return client_create_with(channel, NULL, id, err);
}

int client_create_with(struct grpcc_channel *channel, Heel__V1__SandboxSpec *spec, char **id,
                       struct heel_error **err)
{
    Heel__V1__CreateSandboxRequest request = HEEL__V1__CREATE_SANDBOX_REQUEST__INIT;
    Heel__V1__CreateSandboxResponse *response;
    struct grpcc_status *status;

    request.spec = spec;

    if (heel_v1_sandbox_service_create_sandbox(channel, &request, &call_options, &response,
                                               &status) < 0)
        return client_failed("CreateSandbox", status, err);
    *id = heel_xstrdup(response->sandbox->sandbox_id);
    heel__v1__create_sandbox_response__free_unpacked(response, NULL);
    return 0;
}

static int check_exit(const char *program, const Heel__V1__RunCommandResponse *response,
                      struct heel_error **err)
{
    const Heel__V1__ExitStatus *exit = response->status;

    if (exit->outcome_case == HEEL__V1__EXIT_STATUS__OUTCOME_CODE && exit->code == 0)
        return 0;
    return heel_error_set(err, HEEL_INTERNAL, NULL, "%s ended with reason %d: %s%.*s", program,
                          (int)exit->reason, exit->message, (int)response->stderr.len,
                          (const char *)response->stderr.data);
}

int client_run_program(struct grpcc_channel *channel, const char *id, const char *const *argv,
                       size_t count, char **output, struct heel_error **err)
{
    heel_autofree char *sandbox_id = heel_xstrdup(id);
    Heel__V1__RunCommandRequest request = HEEL__V1__RUN_COMMAND_REQUEST__INIT;
    Heel__V1__Command command = HEEL__V1__COMMAND__INIT;
    Heel__V1__RunCommandResponse *response;
    struct grpcc_status *status;
    int result;

    command.argv = (char **)(uintptr_t)argv;
    command.n_argv = count;
    request.command = &command;
    request.target_case = HEEL__V1__RUN_COMMAND_REQUEST__TARGET_SANDBOX_ID;
    request.sandbox_id = sandbox_id;
    if (heel_v1_sandbox_service_run_command(channel, &request, &call_options, &response, &status) <
        0)
        return client_failed("RunCommand", status, err);
    result = check_exit(argv[0], response, err);
    if (result == 0)
        *output =
            heel_format("%.*s", (int)response->stdout.len, (const char *)response->stdout.data);
    heel__v1__run_command_response__free_unpacked(response, NULL);
    return result;
}

int client_run(struct grpcc_channel *channel, const char *id, struct heel_error **err)
{
    char program[] = "/bin/true", *argv[] = {program};
    heel_autofree char *sandbox_id = heel_xstrdup(id);
    Heel__V1__RunCommandRequest request = HEEL__V1__RUN_COMMAND_REQUEST__INIT;
    Heel__V1__SandboxSpec spec = HEEL__V1__SANDBOX_SPEC__INIT;
    Heel__V1__Command command = HEEL__V1__COMMAND__INIT;
    Heel__V1__RunCommandResponse *response;
    struct grpcc_status *status;
    int result;

    command.argv = argv;
    command.n_argv = 1;
    request.command = &command;
    if (id) {
        request.target_case = HEEL__V1__RUN_COMMAND_REQUEST__TARGET_SANDBOX_ID;
        request.sandbox_id = sandbox_id;
    } else {
        request.target_case = HEEL__V1__RUN_COMMAND_REQUEST__TARGET_SPEC;
        request.spec = &spec;
    }
    if (heel_v1_sandbox_service_run_command(channel, &request, &call_options, &response, &status) <
        0)
        return client_failed("RunCommand", status, err);
    result = check_exit(program, response, err);
    heel__v1__run_command_response__free_unpacked(response, NULL);
    return result;
}

int client_delete(struct grpcc_channel *channel, const char *id, struct heel_error **err)
{
    heel_autofree char *sandbox_id = heel_xstrdup(id);
    Heel__V1__DeleteSandboxRequest request = HEEL__V1__DELETE_SANDBOX_REQUEST__INIT;
    Heel__V1__DeleteSandboxResponse *response;
    struct grpcc_status *status;

    request.sandbox_id = sandbox_id;
    if (heel_v1_sandbox_service_delete_sandbox(channel, &request, &call_options, &response,
                                               &status) < 0)
        return client_failed("DeleteSandbox", status, err);
    heel__v1__delete_sandbox_response__free_unpacked(response, NULL);
    return 0;
}

int client_count(struct grpcc_channel *channel, size_t *count, struct heel_error **err)
{
    Heel__V1__ListSandboxesRequest request = HEEL__V1__LIST_SANDBOXES_REQUEST__INIT;
    Heel__V1__ListSandboxesResponse *response;
    struct grpcc_status *status;

    request.page_size = 1000;
    if (heel_v1_sandbox_service_list_sandboxes(channel, &request, &call_options, &response,
                                               &status) < 0)
        return client_failed("ListSandboxes", status, err);
    *count = response->n_sandboxes;
    heel__v1__list_sandboxes_response__free_unpacked(response, NULL);
    return 0;
}

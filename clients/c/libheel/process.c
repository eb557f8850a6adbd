/* Processes: start, get, wait, list, signal. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "clients/c/libheel/client.h"
#include "clients/c/libheel/request.h"
#include "clients/c/libheel/result.h"
#include "heel/v1/sandbox.grpc-c.h"

struct process_result {
    struct heel_process_info info;
    struct result result;
};

/* Takes `response` over; `message` is the process in it. */
static int new_process(ProtobufCMessage *response, const Heel__V1__Process *message,
                       struct heel_process_info **process, struct heel_error **err)
{
    struct process_result *made;

    if (!message || !process) {
        protobuf_c_message_free_unpacked(response, NULL);
        return process ? heel_error_set(err, HEEL_INTERNAL, NULL,
                                        "the server's answer holds no process")
                       : 0;
    }
    made = heel_xcalloc(1, sizeof(*made));
    made->result.response = response;
    made->result.shown = &message->base;
    result_process(&made->result.arena, message, &made->info);
    *process = &made->info;
    return 0;
}

void heel_process_info_free(struct heel_process_info *process)
{
    struct process_result *made;

    if (!process)
        return;
    made = heel_container_of(process, struct process_result, info);
    result_free(&made->result);
    free(made);
}

char *heel_process_info_json(const struct heel_process_info *process, unsigned indent)
{
    return result_json(&heel_container_of(process, struct process_result, info)->result, indent);
}

int heel_process_start(struct heel_client *client, const char *sandbox_id,
                       const struct heel_command *command, bool close_input,
                       const struct heel_call *call, struct heel_process_info **process,
                       struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__StartProcessRequest request = HEEL__V1__START_PROCESS_REQUEST__INIT;
    ProtobufCMessage *response;

    request.sandbox_id = request_text(sandbox_id);
    request.close_stdin = close_input;
    request.command = request_command(&arena, command, error);
    if (!request.command || client_call(client, &heel_v1_sandbox_service_start_process_method,
                                        &request.base, call, &response, error))
        return -1;
    return new_process(response, ((Heel__V1__StartProcessResponse *)response)->process, process,
                       error);
}

int heel_process_get(struct heel_client *client, const char *sandbox_id, const char *process_id,
                     const struct heel_call *call, struct heel_process_info **process,
                     struct heel_error **error)
{
    Heel__V1__GetProcessRequest request = HEEL__V1__GET_PROCESS_REQUEST__INIT;
    ProtobufCMessage *response;

    request.sandbox_id = request_text(sandbox_id);
    request.process_id = request_text(process_id);
    if (client_call(client, &heel_v1_sandbox_service_get_process_method, &request.base, call,
                    &response, error))
        return -1;
    return new_process(response, ((Heel__V1__GetProcessResponse *)response)->process, process,
                       error);
}

int heel_process_wait(struct heel_client *client, const char *sandbox_id, const char *process_id,
                      const struct heel_call *call, struct heel_process_info **process,
                      struct heel_error **error)
{
    Heel__V1__WaitProcessRequest request = HEEL__V1__WAIT_PROCESS_REQUEST__INIT;
    ProtobufCMessage *response;

    request.sandbox_id = request_text(sandbox_id);
    request.process_id = request_text(process_id);
    if (client_call(client, &heel_v1_sandbox_service_wait_process_method, &request.base, call,
                    &response, error))
        return -1;
    return new_process(response, ((Heel__V1__WaitProcessResponse *)response)->process, process,
                       error);
}

/* Numbers are the server's to judge, but for those that no int holds: they are names of nothing. */
static void fill_signal(const char *name, Heel__V1__SendSignal *signal)
{
    size_t digits = name ? strspn(name, "0123456789") : 0;

    if (digits > 0 && digits < 10 && !name[digits]) {
        signal->which_case = HEEL__V1__SEND_SIGNAL__WHICH_SIGNAL;
        signal->signal = (int32_t)strtol(name, NULL, 10);
        return;
    }
    signal->which_case = HEEL__V1__SEND_SIGNAL__WHICH_NAME;
    signal->name = request_text(name);
}

int heel_process_signal(struct heel_client *client, const char *sandbox_id, const char *process_id,
                        const char *signal_name, enum heel_signal_scope scope,
                        const struct heel_call *call, struct heel_error **error)
{
    Heel__V1__SignalProcessRequest request = HEEL__V1__SIGNAL_PROCESS_REQUEST__INIT;
    Heel__V1__SendSignal signal = HEEL__V1__SEND_SIGNAL__INIT;
    ProtobufCMessage *response;

    fill_signal(signal_name, &signal);
    signal.scope = (Heel__V1__SignalScope)scope;
    request.sandbox_id = request_text(sandbox_id);
    request.process_id = request_text(process_id);
    request.signal = &signal;
    if (client_call(client, &heel_v1_sandbox_service_signal_process_method, &request.base, call,
                    &response, error))
        return -1;
    protobuf_c_message_free_unpacked(response, NULL);
    return 0;
}

/* ---- list ---- */

struct page_result {
    struct heel_process_page page;
    struct result result;
};

static struct heel_process_page *new_page(Heel__V1__ListProcessesResponse *response)
{
    struct page_result *made = heel_xcalloc(1, sizeof(*made));
    struct process_result *all =
        arena_alloc(&made->result.arena, response->n_processes, sizeof(*all));
    const struct heel_process_info **processes = arena_alloc(
        &made->result.arena, response->n_processes, sizeof(const struct heel_process_info *));

    made->result.response = &response->base;
    made->result.shown = &response->base;
    for (size_t i = 0; i < response->n_processes; i++) {
        all[i].result.shown = &response->processes[i]->base;
        result_process(&made->result.arena, response->processes[i], &all[i].info);
        processes[i] = &all[i].info;
    }
    made->page.processes = processes;
    made->page.count = response->n_processes;
    made->page.next_page_token = response->next_page_token;
    return &made->page;
}

int heel_process_list(struct heel_client *client, const char *sandbox_id,
                      const struct heel_process_list *given, const struct heel_call *call,
                      struct heel_process_page **page, struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__ListProcessesRequest request = HEEL__V1__LIST_PROCESSES_REQUEST__INIT;
    struct heel_process_list list;
    ProtobufCMessage *response;

    if (request_read(&list, sizeof(list), given, "heel_process_list", error))
        return -1;
    request.sandbox_id = request_text(sandbox_id);
    request.page_size = list.page_size;
    request.page_token = request_text(list.page_token);
    request.n_states = list.state_count;
    request.states = arena_alloc(&arena, list.state_count, sizeof(*request.states));
    for (size_t i = 0; i < list.state_count; i++)
        request.states[i] = (Heel__V1__ProcessState)list.states[i];
    if (client_call(client, &heel_v1_sandbox_service_list_processes_method, &request.base, call,
                    &response, error))
        return -1;
    *page = new_page((Heel__V1__ListProcessesResponse *)response);
    return 0;
}

void heel_process_page_free(struct heel_process_page *page)
{
    struct page_result *made;

    if (!page)
        return;
    made = heel_container_of(page, struct page_result, page);
    result_free(&made->result);
    free(made);
}

char *heel_process_page_json(const struct heel_process_page *page, unsigned indent)
{
    return result_json(&heel_container_of(page, struct page_result, page)->result, indent);
}

/* The unary RPCs about processes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/callers.h"
#include "server/core.h"
#include "server/pages.h"
#include "server/process.h"
#include "server/process_ids.h"
#include "server/service.h"
#include "server/signals.h"
#include "server/spec.h"
#include "server/spec_check.h"

/* The sandbox and the process in it that a request names. 0, or -1 and *err. */
static int find(struct caller *caller, const char *sandbox_id, const char *process_id,
                struct process_found *found, struct heel_error **err)
{
    struct server_sandbox *sandbox = sandboxes_find_ready(caller, sandbox_id, err);

    if (!sandbox || spec_check_id(process_id, "process_id", err) < 0)
        return -1;
    return process_find(sandbox, process_id, found, err) ? 0 : -1;
}

static Heel__V1__Process *describe(const struct process_found *found)
{
    return found->process ? process_describe(found->process) : command_facts_describe(found->facts);
}

/* ---- StartProcess ---- */

/* A call that waits for its process to be started. */
struct starter {
    struct process_waiter waiter;
    struct grpcc_unary *call;
};

static void on_started(struct process_waiter *waiter, struct server_process *process)
{
    struct starter *starter = heel_container_of(waiter, struct starter, waiter);
    Heel__V1__StartProcessResponse response = HEEL__V1__START_PROCESS_RESPONSE__INIT;
    heel_autoerror struct heel_error *error = NULL;
    heel_autofree struct starter *ended = starter;

    if (command_facts_check_start(process->facts, &error) < 0) {
        service_fail(ended->call, error);
        return;
    }
    response.process = process_describe(process);
    grpcc_reply(ended->call, &response.base);
    heel__v1__process__free_unpacked(response.process, NULL);
}

static int check_start(const Heel__V1__StartProcessRequest *request, struct heel_error **err)
{
    if (spec_check_command(request->command, "command", err) < 0)
        return -1;
    if (request->command->stdin.len > 0)
        return heel_error_set_field(err, "command.stdin",
                                    "command.stdin is RunCommand's; send stdin by Attach");
    return 0;
}

/* The process that an earlier request with the same id and command made, if there is one. */
static struct server_process *find_same(const struct server_sandbox *sandbox,
                                        const Heel__V1__Command *command)
{
    heel_autobuffer struct heel_buffer canonical = {0};
    struct process_found found;

    if (!command->process_id[0] || !process_find(sandbox, command->process_id, &found, NULL) ||
        !found.process)
        return NULL;
    spec_append_canonical_command(command, &canonical);
    return heel_buffer_equal(&found.process->canonical, &canonical) ? found.process : NULL;
}

static struct server_process *start(struct caller *caller,
                                    const Heel__V1__StartProcessRequest *request,
                                    struct heel_error **err)
{
    struct server_sandbox *sandbox = sandboxes_find_ready(caller, request->sandbox_id, err);
    const Heel__V1__Command *command = request->command;
    struct server_process *process;

    if (!sandbox || check_start(request, err) < 0)
        return NULL;
    process = find_same(sandbox, command);
    if (process)
        return process;
    if (command->process_id[0] && process_id_check_free(sandbox, command->process_id, err) < 0)
        return NULL;
    process = process_start(sandbox, command, false, err);
    if (process && request->close_stdin)
        input_finish(&process->command->in);
    return process;
}

void rpc_start_process(struct grpcc_unary *call, const Heel__V1__StartProcessRequest *request,
                       void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct server_process *process;
    struct starter *starter;

    service_begin(grpcc_unary_call(call), service, "StartProcess");
    process = start(service, request, &error);
    if (!process) {
        service_fail(call, error);
        return;
    }
    starter = heel_xcalloc(1, sizeof *starter);
    starter->waiter.on_started = on_started;
    starter->call = call;
    process_when_started(process, &starter->waiter);
}

/* ---- GetProcess ---- */

void rpc_get_process(struct grpcc_unary *call, const Heel__V1__GetProcessRequest *request,
                     void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    Heel__V1__GetProcessResponse response = HEEL__V1__GET_PROCESS_RESPONSE__INIT;
    struct process_found found;

    service_begin(grpcc_unary_call(call), service, "GetProcess");
    if (find(service, request->sandbox_id, request->process_id, &found, &error) < 0) {
        service_fail(call, error);
        return;
    }
    response.process = describe(&found);
    grpcc_reply(call, &response.base);
    heel__v1__process__free_unpacked(response.process, NULL);
}

/* ---- ListProcesses ---- */

struct listing {
    struct page page;
    const Heel__V1__ProcessState *states; /* borrowed */
    size_t state_count;
};

static int check_states(const Heel__V1__ListProcessesRequest *request, struct heel_error **err)
{
    for (size_t i = 0; i < request->n_states; i++) {
        if (request->states[i] < HEEL__V1__PROCESS_STATE__PROCESS_STATE_RUNNING ||
            request->states[i] > HEEL__V1__PROCESS_STATE__PROCESS_STATE_EXITED)
            return page_refuse_state(i, err);
    }
    return 0;
}

static bool is_listed(const struct listing *listing, const struct command_facts *facts)
{
    Heel__V1__ProcessState state = facts->exited ? HEEL__V1__PROCESS_STATE__PROCESS_STATE_EXITED
                                                 : HEEL__V1__PROCESS_STATE__PROCESS_STATE_RUNNING;
    bool fits = listing->state_count == 0;

    for (size_t i = 0; i < listing->state_count; i++)
        fits = fits || listing->states[i] == state;
    return fits && facts->sequence > listing->page.after;
}

static int compare_found(const void *left, const void *right)
{
    uint64_t first = ((const struct process_found *)left)->facts->sequence;
    uint64_t second = ((const struct process_found *)right)->facts->sequence;

    return first < second ? -1 : first > second;
}

/* Those of both kinds, in the order of their start; to be freed. */
static struct process_found *collect(const struct server_sandbox *sandbox,
                                     const struct listing *listing, size_t *count)
{
    struct process_found *all = NULL;

    *count = 0;
    for (struct server_process *process = sandbox->processes.first; process;
         process = process->next)
        if (is_listed(listing, process->facts)) {
            all = heel_xrealloc(all, *count + 1, sizeof *all);
            all[(*count)++] = (struct process_found){process->facts, process->command, process};
        }
    for (struct server_command *command = sandbox->commands; command; command = command->next)
        if (!command->record && is_listed(listing, command->facts)) {
            all = heel_xrealloc(all, *count + 1, sizeof *all);
            all[(*count)++] = (struct process_found){command->facts, command, NULL};
        }
    if (*count > 0)
        qsort(all, *count, sizeof *all, compare_found);
    return all;
}

static void fill_page(const struct server_sandbox *sandbox, struct listing *listing,
                      Heel__V1__ListProcessesResponse *response)
{
    size_t count;
    heel_autofree struct process_found *all = collect(sandbox, listing, &count);

    response->processes = heel_xcalloc(listing->page.size, sizeof *response->processes);
    for (size_t i = 0; i < count; i++) {
        Heel__V1__Process *described = describe(&all[i]);

        if (!page_takes(&listing->page, heel__v1__process__get_packed_size(described))) {
            heel__v1__process__free_unpacked(described, NULL);
            response->next_page_token = page_token(all[i - 1].facts->sequence);
            return;
        }
        response->processes[response->n_processes++] = described;
    }
}

void rpc_list_processes(struct grpcc_unary *call, const Heel__V1__ListProcessesRequest *request,
                        void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct listing listing = {.states = request->states, .state_count = request->n_states};
    Heel__V1__ListProcessesResponse *response;
    struct server_sandbox *sandbox;

    service_begin(grpcc_unary_call(call), service, "ListProcesses");
    sandbox = sandboxes_find_ready(service, request->sandbox_id, &error);
    if (!sandbox || check_states(request, &error) < 0 ||
        page_open(&listing.page, request->page_size, request->page_token, &error) < 0) {
        service_fail(call, error);
        return;
    }
    response = heel_xmalloc(sizeof *response);
    heel__v1__list_processes_response__init(response);
    fill_page(sandbox, &listing, response);
    grpcc_reply(call, &response->base);
    heel__v1__list_processes_response__free_unpacked(response, NULL);
}

/* ---- WaitProcess ---- */

struct waiting {
    struct command_waiter waiter;
    struct caller *caller; /* borrowed */
    struct grpcc_unary *call;
    const struct server_process *process; /* borrowed; NULL for RunCommand's */
};

static void answer_wait(struct grpcc_unary *call, const struct process_found *found)
{
    Heel__V1__WaitProcessResponse response = HEEL__V1__WAIT_PROCESS_RESPONSE__INIT;

    response.process = describe(found);
    grpcc_reply(call, &response.base);
    heel__v1__process__free_unpacked(response.process, NULL);
}

static void waiting_free(struct waiting *waiting)
{
    callers_stream_over(waiting->caller);
    free(waiting);
}

static void on_settled(struct command_waiter *waiter, const struct command_facts *facts)
{
    struct waiting *waiting = heel_container_of(waiter, struct waiting, waiter);
    struct process_found found = {.facts = (struct command_facts *)(uintptr_t)facts,
                                  .process = (struct server_process *)(uintptr_t)waiting->process};

    answer_wait(waiting->call, &found);
    waiting_free(waiting);
}

static void on_wait_cancelled(struct grpcc_unary *call, void *data)
{
    struct waiting *waiting = data;

    command_facts_wait_no_more(&waiting->waiter);
    waiting_free(waiting);
    grpcc_fail(call, grpcc_status_new(HEEL_CANCELLED, "the caller gave up"));
}

void rpc_wait_process(struct grpcc_unary *call, const Heel__V1__WaitProcessRequest *request,
                      void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct process_found found;
    struct waiting *waiting;

    service_begin(grpcc_unary_call(call), service, "WaitProcess");
    if (find(service, request->sandbox_id, request->process_id, &found, &error) < 0) {
        service_fail(call, error);
        return;
    }
    if (found.facts->settled) {
        answer_wait(call, &found);
        return;
    }
    if (callers_admit_stream(service, &error) < 0) {
        service_fail(call, error);
        return;
    }
    waiting = heel_xcalloc(1, sizeof *waiting);
    waiting->caller = service;
    waiting->waiter.on_settled = on_settled;
    waiting->call = call;
    waiting->process = found.process;
    command_facts_wait(found.facts, &waiting->waiter);
    grpcc_unary_on_cancel(call, on_wait_cancelled, waiting);
}

/* ---- SignalProcess ---- */

void rpc_signal_process(struct grpcc_unary *call, const Heel__V1__SignalProcessRequest *request,
                        void *service)
{
    Heel__V1__SignalProcessResponse response = HEEL__V1__SIGNAL_PROCESS_RESPONSE__INIT;
    heel_autoerror struct heel_error *error = NULL;
    struct signal_request signal;
    struct process_found found;

    service_begin(grpcc_unary_call(call), service, "SignalProcess");
    if (signals_check(request->signal, "signal", &signal, &error) < 0 ||
        find(service, request->sandbox_id, request->process_id, &found, &error) < 0) {
        service_fail(call, error);
        return;
    }
    if (found.command)
        command_signal(found.command, signal.number, signal.scope);
    grpcc_reply(call, &response.base);
}

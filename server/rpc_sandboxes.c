#include <string.h>

#include "server/core.h"
#include "server/edge.h"
#include "server/pages.h"
#include "server/pairs.h"
#include "server/service.h"
#include "server/spec_check.h"

/* ---- CreateSandbox ---- */

static void on_created(struct server_sandbox *sandbox, const struct heel_error *error, void *data)
{
    struct grpcc_unary *call = data;
    Heel__V1__CreateSandboxResponse response = HEEL__V1__CREATE_SANDBOX_RESPONSE__INIT;

    if (error) {
        service_fail(call, error);
        return;
    }
    response.sandbox = sandboxes_describe(sandbox);
    /* Whoever gave up before an id was told can't know it: nobody would ever delete this one. */
    if (grpcc_call_is_cancelled(grpcc_unary_call(call)) && sandbox->id_chosen_here)
        sandboxes_delete(sandbox, NULL, NULL);
    grpcc_reply(call, &response.base);
    heel__v1__sandbox__free_unpacked(response.sandbox, NULL);
}

void rpc_create_sandbox(struct grpcc_unary *call, const Heel__V1__CreateSandboxRequest *request,
                        void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct caller *caller = service;

    service_begin(grpcc_unary_call(call), caller, "CreateSandbox");
    if ((request->sandbox_id[0] && spec_check_id(request->sandbox_id, "sandbox_id", &error) < 0) ||
        spec_check(request->spec, "spec", &error) < 0 ||
        sandboxes_create(caller, request->sandbox_id, request->spec, false, on_created, call,
                         &error) < 0)
        service_fail(call, error);
}

/* ---- GetSandbox ---- */

void rpc_get_sandbox(struct grpcc_unary *call, const Heel__V1__GetSandboxRequest *request,
                     void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    Heel__V1__GetSandboxResponse response = HEEL__V1__GET_SANDBOX_RESPONSE__INIT;
    struct server_sandbox *sandbox;

    service_begin(grpcc_unary_call(call), service, "GetSandbox");
    sandbox = sandboxes_find(service, request->sandbox_id, &error);
    if (!sandbox) {
        service_fail(call, error);
        return;
    }
    response.sandbox = sandboxes_describe(sandbox);
    grpcc_reply(call, &response.base);
    heel__v1__sandbox__free_unpacked(response.sandbox, NULL);
}

/* ---- ListSandboxes ---- */

/* What a request for a page asks for, checked. */
struct listing {
    const struct owner *owner;
    struct page page;
    struct pairs labels; /* owned */
    const Heel__V1__SandboxState *states;
    size_t state_count;
};

static int check_states(const Heel__V1__ListSandboxesRequest *request, struct heel_error **err)
{
    for (size_t i = 0; i < request->n_states; i++) {
        if (request->states[i] < HEEL__V1__SANDBOX_STATE__SANDBOX_STATE_CREATING ||
            request->states[i] > HEEL__V1__SANDBOX_STATE__SANDBOX_STATE_PAUSED)
            return page_refuse_state(i, err);
    }
    return 0;
}

static int parse_listing(const struct caller *caller, const Heel__V1__ListSandboxesRequest *request,
                         struct listing *listing, struct heel_error **err)
{
    auto_pairs labels = PAIRS_OF(request->n_labels, request->labels);
    struct page page;

    if (page_open(&page, request->page_size, request->page_token, err) < 0 ||
        check_states(request, err) < 0 || pairs_check_labels(&labels, "labels", err) < 0)
        return -1;
    *listing = (struct listing){
        .owner = caller->owner,
        .page = page,
        .labels = labels,
        .states = request->states,
        .state_count = request->n_states,
    };
    labels = (struct pairs){0};
    return 0;
}

static bool is_listed(const struct listing *listing, const struct server_sandbox *sandbox)
{
    bool state_fits = listing->state_count == 0;

    if (sandbox->owner != listing->owner || sandbox->private_to_call ||
        sandbox->sequence <= listing->page.after)
        return false;
    for (size_t i = 0; i < listing->state_count; i++)
        state_fits = state_fits || listing->states[i] == sandboxes_message_state(sandbox);
    if (!state_fits)
        return false;
    auto_pairs labels = PAIRS_OF(sandbox->spec->n_labels, sandbox->spec->labels);
    return pairs_contain(&labels, &listing->labels);
}

/* Fills one page; there is a next one when the walk doesn't reach the end of the list. */
static void fill_page(const struct server_core *core, struct listing *listing,
                      Heel__V1__ListSandboxesResponse *response)
{
    uint64_t last = 0;

    response->sandboxes = heel_xcalloc(listing->page.size, sizeof(Heel__V1__Sandbox *));
    for (const struct server_sandbox *sandbox = core->sandboxes.first; sandbox;
         sandbox = sandbox->next) {
        Heel__V1__Sandbox *described;

        if (!is_listed(listing, sandbox))
            continue;
        described = sandboxes_describe(sandbox);
        if (!page_takes(&listing->page, heel__v1__sandbox__get_packed_size(described))) {
            heel__v1__sandbox__free_unpacked(described, NULL);
            response->next_page_token = page_token(last);
            return;
        }
        response->sandboxes[response->n_sandboxes++] = described;
        last = sandbox->sequence;
    }
}

void rpc_list_sandboxes(struct grpcc_unary *call, const Heel__V1__ListSandboxesRequest *request,
                        void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    const struct caller *caller = service;
    Heel__V1__ListSandboxesResponse *response;
    struct listing listing;

    service_begin(grpcc_unary_call(call), caller, "ListSandboxes");
    if (parse_listing(caller, request, &listing, &error) < 0) {
        service_fail(call, error);
        return;
    }
    response = heel_xmalloc(sizeof *response);
    heel__v1__list_sandboxes_response__init(response);
    fill_page(caller->core, &listing, response);
    grpcc_reply(call, &response->base);
    heel__v1__list_sandboxes_response__free_unpacked(response, NULL);
    pairs_free(&listing.labels);
}

/* ---- UpdateSandbox ---- */

static int check_update(const Heel__V1__UpdateSandboxRequest *request, struct heel_error **err)
{
    auto_pairs labels = PAIRS_OF(request->n_labels, request->labels);
    int64_t ignored;

    if (!request->update_mask || request->update_mask->n_paths == 0)
        return heel_error_set_field(err, "update_mask",
                                    "update_mask must name labels, ttl or idle_ttl");
    for (size_t i = 0; i < request->update_mask->n_paths; i++) {
        const char *path = request->update_mask->paths[i];

        if (strcmp(path, "labels") != 0 && strcmp(path, "ttl") != 0 &&
            strcmp(path, "idle_ttl") != 0)
            return heel_error_set_field(
                err, "update_mask",
                "update_mask names %s; only labels, ttl and idle_ttl can change", path);
    }
    if (pairs_check_labels(&labels, "labels", err) < 0 ||
        edge_duration_ms(request->ttl, "ttl", &ignored, err) < 0)
        return -1;
    return edge_duration_ms(request->idle_ttl, "idle_ttl", &ignored, err);
}

static void replace_duration(Google__Protobuf__Duration **place,
                             const Google__Protobuf__Duration *duration)
{
    google__protobuf__duration__free_unpacked(*place, NULL);
    *place = duration ? edge_new_duration_us(0) : NULL;
    if (duration) {
        (*place)->seconds = duration->seconds;
        (*place)->nanos = duration->nanos;
    }
}

static void update_field(Heel__V1__SandboxSpec *spec, const Heel__V1__UpdateSandboxRequest *request,
                         const char *path)
{
    if (strcmp(path, "ttl") == 0) {
        replace_duration(&spec->lifetime->ttl, request->ttl);
    } else if (strcmp(path, "idle_ttl") == 0) {
        replace_duration(&spec->lifetime->idle_ttl, request->idle_ttl);
    } else {
        auto_pairs labels = PAIRS_OF(request->n_labels, request->labels);

        PAIRS_STORE(&labels, Heel__V1__SandboxSpec__LabelsEntry,
                    heel__v1__sandbox_spec__labels_entry__init, spec->n_labels, spec->labels);
    }
}

void rpc_update_sandbox(struct grpcc_unary *call, const Heel__V1__UpdateSandboxRequest *request,
                        void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    Heel__V1__UpdateSandboxResponse response = HEEL__V1__UPDATE_SANDBOX_RESPONSE__INIT;
    struct server_sandbox *sandbox;

    service_begin(grpcc_unary_call(call), service, "UpdateSandbox");
    sandbox = sandboxes_find_ready(service, request->sandbox_id, &error);
    if (!sandbox || check_update(request, &error) < 0) {
        service_fail(call, error);
        return;
    }
    for (size_t i = 0; i < request->update_mask->n_paths; i++)
        update_field(sandbox->spec, request, request->update_mask->paths[i]);
    sandboxes_update_expiry(sandbox);
    response.sandbox = sandboxes_describe(sandbox);
    grpcc_reply(call, &response.base);
    heel__v1__sandbox__free_unpacked(response.sandbox, NULL);
}

/* ---- DeleteSandbox ---- */

static void on_deleted(const struct sandbox_end *end, void *data)
{
    struct grpcc_unary *call = data;
    Heel__V1__DeleteSandboxResponse response = HEEL__V1__DELETE_SANDBOX_RESPONSE__INIT;

    if (end->error) {
        service_fail(call, end->error);
        return;
    }
    response.kept_working_dir = (char *)(uintptr_t)end->kept_dir;
    response.acting_files = end->left ? edge_new_acting_files(end->left) : NULL;
    grpcc_reply(call, &response.base);
    edge_free_acting_files(response.acting_files);
}

void rpc_delete_sandbox(struct grpcc_unary *call, const Heel__V1__DeleteSandboxRequest *request,
                        void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    Heel__V1__DeleteSandboxResponse response = HEEL__V1__DELETE_SANDBOX_RESPONSE__INIT;
    struct server_sandbox *sandbox;

    service_begin(grpcc_unary_call(call), service, "DeleteSandbox");
    sandbox = sandboxes_find(service, request->sandbox_id, &error);
    if (sandbox)
        sandboxes_delete(sandbox, on_deleted, call);
    else if (error->code == HEEL_NOT_FOUND && request->allow_missing)
        grpcc_reply(call, &response.base);
    else
        service_fail(call, error);
}

/* The life of a sandbox: create, get, list, update, delete. */
#include "base/cleanup.h"
#include "base/text.h"
#include "clients/c/libheel/client.h"
#include "clients/c/libheel/request.h"
#include "clients/c/libheel/result.h"
#include "heel/v1/sandbox.grpc-c.h"

struct sandbox_result {
    struct heel_sandbox_info info;
    struct result result;
};

/* Takes `response` over; `message` is the sandbox in it. A server that left it out gets the blame.
 */
static int new_sandbox(ProtobufCMessage *response, const Heel__V1__Sandbox *message,
                       struct heel_sandbox_info **sandbox, struct heel_error **err)
{
    struct sandbox_result *made;

    if (!message) {
        protobuf_c_message_free_unpacked(response, NULL);
        return heel_error_set(err, HEEL_INTERNAL, NULL, "the server's answer holds no sandbox");
    }
    made = heel_xcalloc(1, sizeof(*made));
    made->result.response = response;
    made->result.shown = &message->base;
    result_sandbox(&made->result.arena, message, &made->info);
    *sandbox = &made->info;
    return 0;
}

void heel_sandbox_info_free(struct heel_sandbox_info *sandbox)
{
    struct sandbox_result *made;

    if (!sandbox)
        return;
    made = heel_container_of(sandbox, struct sandbox_result, info);
    result_free(&made->result);
    free(made);
}

/* A sandbox of a page shares the page's message, and this never gets to see it apart from its own.
 */
char *heel_sandbox_info_json(const struct heel_sandbox_info *sandbox, unsigned indent)
{
    return result_json(&heel_container_of(sandbox, struct sandbox_result, info)->result, indent);
}

int heel_sandbox_create(struct heel_client *client, const char *id, const struct heel_spec *spec,
                        const struct heel_call *call, struct heel_sandbox_info **sandbox,
                        struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__CreateSandboxRequest request = HEEL__V1__CREATE_SANDBOX_REQUEST__INIT;
    ProtobufCMessage *response;

    request.sandbox_id = request_text(id);
    request.spec = request_spec(&arena, spec, error);
    if (!request.spec || client_call(client, &heel_v1_sandbox_service_create_sandbox_method,
                                     &request.base, call, &response, error))
        return -1;
    return new_sandbox(response, ((Heel__V1__CreateSandboxResponse *)response)->sandbox, sandbox,
                       error);
}

int heel_sandbox_get(struct heel_client *client, const char *id, const struct heel_call *call,
                     struct heel_sandbox_info **sandbox, struct heel_error **error)
{
    Heel__V1__GetSandboxRequest request = HEEL__V1__GET_SANDBOX_REQUEST__INIT;
    ProtobufCMessage *response;

    request.sandbox_id = request_text(id);
    if (client_call(client, &heel_v1_sandbox_service_get_sandbox_method, &request.base, call,
                    &response, error))
        return -1;
    return new_sandbox(response, ((Heel__V1__GetSandboxResponse *)response)->sandbox, sandbox,
                       error);
}

int heel_sandbox_pause(struct heel_client *client, const char *id, const struct heel_call *call,
                       struct heel_sandbox_info **sandbox, struct heel_error **error)
{
    Heel__V1__PauseSandboxRequest request = HEEL__V1__PAUSE_SANDBOX_REQUEST__INIT;
    ProtobufCMessage *response;

    request.sandbox_id = request_text(id);
    if (client_call(client, &heel_v1_sandbox_service_pause_sandbox_method, &request.base, call,
                    &response, error))
        return -1;
    return new_sandbox(response, ((Heel__V1__PauseSandboxResponse *)response)->sandbox, sandbox,
                       error);
}

int heel_sandbox_resume(struct heel_client *client, const char *id, const struct heel_call *call,
                        struct heel_sandbox_info **sandbox, struct heel_error **error)
{
    Heel__V1__ResumeSandboxRequest request = HEEL__V1__RESUME_SANDBOX_REQUEST__INIT;
    ProtobufCMessage *response;

    request.sandbox_id = request_text(id);
    if (client_call(client, &heel_v1_sandbox_service_resume_sandbox_method, &request.base, call,
                    &response, error))
        return -1;
    return new_sandbox(response, ((Heel__V1__ResumeSandboxResponse *)response)->sandbox, sandbox,
                       error);
}

/* The fields that an update names, for its mask. */
static Google__Protobuf__FieldMask *update_mask(struct arena *arena,
                                                const struct heel_update *update)
{
    Google__Protobuf__FieldMask *mask = arena_alloc(arena, 1, sizeof(*mask));

    google__protobuf__field_mask__init(mask);
    mask->paths = arena_alloc(arena, 3, sizeof(char *));
    if (update->set_labels)
        mask->paths[mask->n_paths++] = request_text("labels");
    if (update->set_ttl)
        mask->paths[mask->n_paths++] = request_text("ttl");
    if (update->set_idle_ttl)
        mask->paths[mask->n_paths++] = request_text("idle_ttl");
    return mask;
}

int heel_sandbox_update(struct heel_client *client, const char *id, const struct heel_update *given,
                        const struct heel_call *call, struct heel_sandbox_info **sandbox,
                        struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__UpdateSandboxRequest request = HEEL__V1__UPDATE_SANDBOX_REQUEST__INIT;
    struct heel_update update;
    ProtobufCMessage *response;

    if (request_read(&update, sizeof(update), given, "heel_update", error))
        return -1;
    request.sandbox_id = request_text(id);
    request.update_mask = update_mask(&arena, &update);
    request.n_labels = update.label_count;
    request.labels =
        request_pairs(&arena, &heel__v1__update_sandbox_request__labels_entry__descriptor,
                      update.labels, update.label_count);
    request.ttl = request_duration(&arena, update.ttl_ms);
    request.idle_ttl = request_duration(&arena, update.idle_ttl_ms);
    if (client_call(client, &heel_v1_sandbox_service_update_sandbox_method, &request.base, call,
                    &response, error))
        return -1;
    return new_sandbox(response, ((Heel__V1__UpdateSandboxResponse *)response)->sandbox, sandbox,
                       error);
}

/* ---- list ---- */

struct page_result {
    struct heel_sandbox_page page;
    struct result result;
};

static struct heel_sandbox_page *new_page(Heel__V1__ListSandboxesResponse *response)
{
    struct page_result *made = heel_xcalloc(1, sizeof(*made));
    struct sandbox_result *all =
        arena_alloc(&made->result.arena, response->n_sandboxes, sizeof(*all));
    const struct heel_sandbox_info **sandboxes = arena_alloc(
        &made->result.arena, response->n_sandboxes, sizeof(const struct heel_sandbox_info *));

    made->result.response = &response->base;
    made->result.shown = &response->base;
    for (size_t i = 0; i < response->n_sandboxes; i++) {
        all[i].result.shown = &response->sandboxes[i]->base;
        result_sandbox(&made->result.arena, response->sandboxes[i], &all[i].info);
        sandboxes[i] = &all[i].info;
    }
    made->page.sandboxes = sandboxes;
    made->page.count = response->n_sandboxes;
    made->page.next_page_token = response->next_page_token;
    return &made->page;
}

int heel_sandbox_list(struct heel_client *client, const struct heel_list *given,
                      const struct heel_call *call, struct heel_sandbox_page **page,
                      struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__ListSandboxesRequest request = HEEL__V1__LIST_SANDBOXES_REQUEST__INIT;
    struct heel_list list;
    ProtobufCMessage *response;

    if (request_read(&list, sizeof(list), given, "heel_list", error))
        return -1;
    request.page_size = list.page_size;
    request.page_token = request_text(list.page_token);
    request.n_labels = list.label_count;
    request.labels =
        request_pairs(&arena, &heel__v1__list_sandboxes_request__labels_entry__descriptor,
                      list.labels, list.label_count);
    request.n_states = list.state_count;
    request.states = arena_alloc(&arena, list.state_count, sizeof(*request.states));
    for (size_t i = 0; i < list.state_count; i++)
        request.states[i] = (Heel__V1__SandboxState)list.states[i];
    if (client_call(client, &heel_v1_sandbox_service_list_sandboxes_method, &request.base, call,
                    &response, error))
        return -1;
    *page = new_page((Heel__V1__ListSandboxesResponse *)response);
    return 0;
}

void heel_sandbox_page_free(struct heel_sandbox_page *page)
{
    struct page_result *made;

    if (!page)
        return;
    made = heel_container_of(page, struct page_result, page);
    result_free(&made->result);
    free(made);
}

char *heel_sandbox_page_json(const struct heel_sandbox_page *page, unsigned indent)
{
    return result_json(&heel_container_of(page, struct page_result, page)->result, indent);
}

/* ---- delete ---- */

struct deletion_result {
    struct heel_deletion deletion;
    struct result result;
};

int heel_sandbox_delete(struct heel_client *client, const char *id, bool allow_missing,
                        const struct heel_call *call, struct heel_deletion **deletion,
                        struct heel_error **error)
{
    Heel__V1__DeleteSandboxRequest request = HEEL__V1__DELETE_SANDBOX_REQUEST__INIT;
    struct deletion_result *made;
    ProtobufCMessage *response;

    request.sandbox_id = request_text(id);
    request.allow_missing = allow_missing;
    if (client_call(client, &heel_v1_sandbox_service_delete_sandbox_method, &request.base, call,
                    &response, error))
        return -1;
    made = heel_xcalloc(1, sizeof(*made));
    made->result.response = response;
    made->result.shown = response;
    made->deletion.kept_working_dir =
        ((Heel__V1__DeleteSandboxResponse *)response)->kept_working_dir;
    result_acting_files(&made->result.arena,
                        ((Heel__V1__DeleteSandboxResponse *)response)->acting_files,
                        &made->deletion.acting_files);
    if (deletion)
        *deletion = &made->deletion;
    else
        heel_deletion_free(&made->deletion);
    return 0;
}

void heel_deletion_free(struct heel_deletion *deletion)
{
    struct deletion_result *made;

    if (!deletion)
        return;
    made = heel_container_of(deletion, struct deletion_result, deletion);
    result_free(&made->result);
    free(made);
}

char *heel_deletion_json(const struct heel_deletion *deletion, unsigned indent)
{
    return result_json(&heel_container_of(deletion, struct deletion_result, deletion)->result,
                       indent);
}

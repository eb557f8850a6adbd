#include <stdlib.h>
#include <string.h>

#include "server/core.h"
#include "server/edge.h"
#include "server/service.h"
#include "server/spec.h"
#include "server/spec_check.h"

#define MAX_TESTS 1024
#define MAX_ANSWER_BYTES (1000u * 1024) /* answers stay under 1 MiB */
#define ENTRY_BYTES 8                   /* tag and length of one entry in the answer */

/* ---- what is asked ---- */

static int check_test(const Heel__V1__PolicyTest *test, size_t index, struct heel_error **err)
{
    heel_autofree char *path_field = heel_format("tests[%zu].path", index);
    heel_autofree char *access_field = heel_format("tests[%zu].access", index);

    if (test->access < HEEL__V1__PATH_ACCESS__PATH_ACCESS_READ ||
        test->access > HEEL__V1__PATH_ACCESS__PATH_ACCESS_EXECUTE)
        return heel_error_set_field(err, access_field, "%s must say READ, WRITE or EXECUTE",
                                    access_field);
    return spec_check_path(test->path, path_field, err);
}

static int check_request(const Heel__V1__ExplainPolicyRequest *request, struct heel_error **err)
{
    bool has_spec = request->target_case == HEEL__V1__EXPLAIN_POLICY_REQUEST__TARGET_SPEC;

    if (request->n_tests > MAX_TESTS)
        return heel_error_set_field(err, "tests", "tests has %zu entries, at most %d are allowed",
                                    request->n_tests, MAX_TESTS);
    for (size_t i = 0; i < request->n_tests; i++)
        if (check_test(request->tests[i], i, err) < 0)
            return -1;
    return has_spec ? spec_check(request->spec, "spec", err) : 0;
}

/* ---- what is answered ---- */

static Heel__V1__PathAccess message_access(unsigned access)
{
    return access == HEEL_ACCESS_WRITE     ? HEEL__V1__PATH_ACCESS__PATH_ACCESS_WRITE
           : access == HEEL_ACCESS_EXECUTE ? HEEL__V1__PATH_ACCESS__PATH_ACCESS_EXECUTE
                                           : HEEL__V1__PATH_ACCESS__PATH_ACCESS_READ;
}

static Heel__V1__PolicyVerdict *new_verdict(const struct heel_policy_verdict *verdict)
{
    Heel__V1__PolicyVerdict *message = heel_xmalloc(sizeof *message);

    heel__v1__policy_verdict__init(message);
    message->path = heel_xstrdup(verdict->path);
    message->access = message_access(verdict->access);
    message->allowed = verdict->allowed;
    message->resolved_path = heel_xstrdup(verdict->resolved_path);
    message->rule = heel_xstrdup(verdict->rule);
    message->origin = heel_xstrdup(verdict->origin);
    message->remedy = heel_xstrdup(verdict->remedy);
    return message;
}

static Heel__V1__PolicyEntry *new_entry(const struct heel_policy_entry *entry)
{
    static const Heel__V1__PolicyEntryKind kinds[] = {
        [HEEL_POLICY_MOUNT] = HEEL__V1__POLICY_ENTRY_KIND__POLICY_ENTRY_KIND_MOUNT,
        [HEEL_POLICY_LANDLOCK_RULE] = HEEL__V1__POLICY_ENTRY_KIND__POLICY_ENTRY_KIND_LANDLOCK_RULE,
        [HEEL_POLICY_SYSTEM_CALLS] = HEEL__V1__POLICY_ENTRY_KIND__POLICY_ENTRY_KIND_SYSTEM_CALLS,
        [HEEL_POLICY_SYSTEM_CALL_RULE] =
            HEEL__V1__POLICY_ENTRY_KIND__POLICY_ENTRY_KIND_SYSTEM_CALL_RULE,
    };
    Heel__V1__PolicyEntry *message = heel_xmalloc(sizeof *message);

    heel__v1__policy_entry__init(message);
    message->kind = kinds[entry->kind];
    message->text = heel_xstrdup(entry->text);
    message->origin = heel_xstrdup(entry->origin);
    return message;
}

/* The verdicts are what was asked for, and are told in full; entries as far as there is room. */
static void fill(Heel__V1__ExplainPolicyResponse *response, const struct heel_policy *policy)
{
    size_t bytes;

    response->n_enforcement = HEEL_PROTECTION_COUNT;
    response->enforcement = edge_new_enforcement(policy->enforcement);
    response->verdicts = heel_xcalloc(policy->verdict_count, sizeof *response->verdicts);
    for (size_t i = 0; i < policy->verdict_count; i++)
        response->verdicts[response->n_verdicts++] = new_verdict(&policy->verdicts[i]);
    bytes = heel__v1__explain_policy_response__get_packed_size(response);
    response->entries = heel_xcalloc(policy->entry_count, sizeof *response->entries);
    for (size_t i = 0; i < policy->entry_count; i++) {
        Heel__V1__PolicyEntry *entry = new_entry(&policy->entries[i]);

        bytes += heel__v1__policy_entry__get_packed_size(entry) + ENTRY_BYTES;
        if (bytes > MAX_ANSWER_BYTES) {
            response->entries_truncated = true;
            heel__v1__policy_entry__free_unpacked(entry, NULL);
            return;
        }
        response->entries[response->n_entries++] = entry;
    }
}

static void on_explained(const struct heel_policy *policy, const struct heel_error *error,
                         void *data)
{
    struct grpcc_unary *call = data;
    Heel__V1__ExplainPolicyResponse *response;

    if (error) {
        service_fail(call, error);
        return;
    }
    response = heel_xmalloc(sizeof *response);
    heel__v1__explain_policy_response__init(response);
    fill(response, policy);
    if (heel__v1__explain_policy_response__get_packed_size(response) > MAX_ANSWER_BYTES) {
        heel_autoerror struct heel_error *too_much = NULL;

        heel_error_set_field(&too_much, "tests",
                             "the verdicts have more bytes than an answer may; ask for fewer");
        service_fail(call, too_much);
    } else {
        grpcc_reply(call, &response->base);
    }
    heel__v1__explain_policy_response__free_unpacked(response, NULL);
}

static void ask(struct caller *caller, const Heel__V1__ExplainPolicyRequest *request,
                struct heel_policy_question *question, struct grpcc_unary *call)
{
    heel_autofree struct heel_policy_test *tests = heel_xcalloc(request->n_tests, sizeof *tests);

    for (size_t i = 0; i < request->n_tests; i++)
        tests[i] = (struct heel_policy_test){request->tests[i]->path,
                                             spec_backend_access(request->tests[i]->access)};
    question->tests = tests;
    question->test_count = request->n_tests;
    heel_backend_explain(caller->core->backend, question, on_explained, call);
}

static void ask_spec(struct caller *caller, const Heel__V1__ExplainPolicyRequest *request,
                     struct grpcc_unary *call)
{
    bool has_spec = request->target_case == HEEL__V1__EXPLAIN_POLICY_REQUEST__TARGET_SPEC;
    Heel__V1__SandboxSpec *effective =
        spec_new_effective(has_spec ? request->spec : NULL, caller->core->options.default_level);
    auto_spec_lists lists = {0};
    struct heel_sandbox_spec spec = spec_for_backend(effective, &lists);

    spec.id = "explained";
    spec.caller = caller->identity;
    ask(caller, request, &(struct heel_policy_question){.spec = &spec}, call);
    heel__v1__sandbox_spec__free_unpacked(effective, NULL);
}

void rpc_explain_policy(struct grpcc_unary *call, const Heel__V1__ExplainPolicyRequest *request,
                        void *service)
{
    heel_autoerror struct heel_error *error = NULL;
    struct caller *caller = service;
    struct server_sandbox *sandbox;

    service_begin(grpcc_unary_call(call), caller, "ExplainPolicy");
    if (check_request(request, &error) < 0 ||
        (caller->core->draining && server_refuse_draining(&error) < 0)) {
        service_fail(call, error);
        return;
    }
    if (request->target_case != HEEL__V1__EXPLAIN_POLICY_REQUEST__TARGET_SANDBOX_ID) {
        ask_spec(caller, request, call);
        return;
    }
    sandbox = sandboxes_find_ready(caller, request->sandbox_id, &error);
    if (sandbox)
        ask(caller, request, &(struct heel_policy_question){.sandbox = sandbox->handle}, call);
    else
        service_fail(call, error);
}

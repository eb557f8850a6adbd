/* How a sandbox is confined. */
#include "base/cleanup.h"
#include "base/text.h"
#include "clients/c/libheel/client.h"
#include "clients/c/libheel/request.h"
#include "clients/c/libheel/result.h"
#include "heel/v1/sandbox.grpc-c.h"

struct policy_result {
    struct heel_policy policy;
    struct result result;
};

static void fill_entries(struct arena *arena, const Heel__V1__ExplainPolicyResponse *response,
                         struct heel_policy *policy)
{
    struct heel_policy_entry *entries = arena_alloc(arena, response->n_entries, sizeof(*entries));

    for (size_t i = 0; i < response->n_entries; i++)
        entries[i] = (struct heel_policy_entry){
            .kind = (enum heel_policy_kind)response->entries[i]->kind,
            .text = response->entries[i]->text,
            .origin = response->entries[i]->origin,
        };
    policy->entries = entries;
    policy->entry_count = response->n_entries;
    policy->entries_truncated = response->entries_truncated;
}

static void fill_verdicts(struct arena *arena, const Heel__V1__ExplainPolicyResponse *response,
                          struct heel_policy *policy)
{
    struct heel_policy_verdict *verdicts =
        arena_alloc(arena, response->n_verdicts, sizeof(*verdicts));

    for (size_t i = 0; i < response->n_verdicts; i++)
        verdicts[i] = (struct heel_policy_verdict){
            .path = response->verdicts[i]->path,
            .access = (enum heel_access)response->verdicts[i]->access,
            .allowed = response->verdicts[i]->allowed,
            .resolved_path = response->verdicts[i]->resolved_path,
            .rule = response->verdicts[i]->rule,
            .origin = response->verdicts[i]->origin,
            .remedy = response->verdicts[i]->remedy,
        };
    policy->verdicts = verdicts;
    policy->verdict_count = response->n_verdicts;
}

static struct heel_policy *new_policy(Heel__V1__ExplainPolicyResponse *response)
{
    struct policy_result *made = heel_xcalloc(1, sizeof(*made));

    made->result.response = &response->base;
    made->result.shown = &response->base;
    fill_entries(&made->result.arena, response, &made->policy);
    fill_verdicts(&made->result.arena, response, &made->policy);
    result_enforcement(&made->result.arena, response->enforcement, response->n_enforcement,
                       &made->policy.enforcement);
    made->policy.enforcement_count = response->n_enforcement;
    return &made->policy;
}

static Heel__V1__PolicyTest **new_tests(struct arena *arena, const struct heel_policy_test *tests,
                                        size_t count)
{
    Heel__V1__PolicyTest **messages = arena_alloc(arena, count, sizeof(Heel__V1__PolicyTest *));
    Heel__V1__PolicyTest *all = arena_alloc(arena, count, sizeof(*all));

    for (size_t i = 0; i < count; i++) {
        heel__v1__policy_test__init(&all[i]);
        all[i].path = request_text(tests[i].path);
        all[i].access = (Heel__V1__PathAccess)tests[i].access;
        messages[i] = &all[i];
    }
    return messages;
}

static int set_target(struct arena *arena, struct heel_target target,
                      Heel__V1__ExplainPolicyRequest *request, struct heel_error **err)
{
    if (request_check_target(target, err))
        return -1;
    if (target.sandbox_id) {
        request->target_case = HEEL__V1__EXPLAIN_POLICY_REQUEST__TARGET_SANDBOX_ID;
        request->sandbox_id = request_text(target.sandbox_id);
        return 0;
    }
    request->target_case = HEEL__V1__EXPLAIN_POLICY_REQUEST__TARGET_SPEC;
    request->spec = request_spec(arena, target.spec, err);
    return request->spec ? 0 : -1;
}

int heel_policy_explain(struct heel_client *client, struct heel_target target,
                        const struct heel_policy_test *tests, size_t test_count,
                        const struct heel_call *call, struct heel_policy **policy,
                        struct heel_error **error)
{
    arena_auto struct arena arena = {0};
    Heel__V1__ExplainPolicyRequest request = HEEL__V1__EXPLAIN_POLICY_REQUEST__INIT;
    ProtobufCMessage *response;

    request.n_tests = test_count;
    request.tests = new_tests(&arena, tests, test_count);
    if (set_target(&arena, target, &request, error) ||
        client_call(client, &heel_v1_sandbox_service_explain_policy_method, &request.base, call,
                    &response, error))
        return -1;
    *policy = new_policy((Heel__V1__ExplainPolicyResponse *)response);
    return 0;
}

void heel_policy_free(struct heel_policy *policy)
{
    struct policy_result *made;

    if (!policy)
        return;
    made = heel_container_of(policy, struct policy_result, policy);
    result_free(&made->result);
    free(made);
}

char *heel_policy_json(const struct heel_policy *policy, unsigned indent)
{
    return result_json(&heel_container_of(policy, struct policy_result, policy)->result, indent);
}

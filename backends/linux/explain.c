/* Tells how a sandbox is confined, or would be, in a thread of the pool: the plan of a spec is made
 * as for a sandbox, with its caller's rights, and then only looked at. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/linux/facts/caller_path.h"
#include "backends/linux/linux.h"
#include "backends/linux/policy/policy.h"

#define GROUPS_MAX 65536 /* the kernel's own limit */

struct explanation {
    struct linux_backend *backend;
    struct heel_preparation preparation;
    struct heel_lane_work work;
    uv_timer_t refusal;             /* reports, from the loop, a question that is refused at once */
    struct heel_policy_test *tests; /* owned, with their paths */
    size_t test_count;
    struct heel_plan *plan; /* owned; of a sandbox that exists */
    struct heel_report report;
    struct heel_policy policy;
    heel_on_explained *on_explained;
    void *data;
};

static void copy_tests(struct explanation *explanation, const struct heel_policy_question *question)
{
    explanation->tests = heel_xcalloc(question->test_count, sizeof *explanation->tests);
    explanation->test_count = question->test_count;
    for (size_t i = 0; i < question->test_count; i++)
        explanation->tests[i] = (struct heel_policy_test){heel_xstrdup(question->tests[i].path),
                                                          question->tests[i].access};
}

static void explanation_free(struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->test_count; i++)
        free((void *)(uintptr_t)explanation->tests[i].path);
    free(explanation->tests);
    for (size_t i = 0; i < explanation->policy.verdict_count; i++)
        heel_policy_verdict_clear(&explanation->policy.verdicts[i]);
    free(explanation->policy.verdicts);
    heel_policy_entries_free(explanation->policy.entries, explanation->policy.entry_count);
    heel_report_clear(&explanation->report);
    heel_plan_free(explanation->plan);
    heel_preparation_clear(&explanation->preparation);
    free(explanation);
}

/* ---- in the pool ---- */

/* Those of this process stay with a sandbox that has its uid; one with a uid of its own has none.
 */
static gid_t *list_groups(const struct heel_identity *identity, size_t *count)
{
    gid_t *groups = heel_xcalloc(GROUPS_MAX, sizeof *groups);
    int got = identity->uid == geteuid() ? getgroups(GROUPS_MAX, groups) : 0;

    *count = got > 0 ? (size_t)got : 0;
    return groups;
}

static int judge_all(struct explanation *explanation, const struct heel_plan *plan)
{
    const struct heel_preparation *preparation = &explanation->preparation;
    const struct heel_caller *caller = &preparation->spec.caller;
    struct heel_policy *policy = &explanation->policy;
    uint64_t effort = heel_policy_effort_for(explanation->test_count);
    struct heel_policy_host host = {.look = heel_policy_look,
                                    .effort = &effort,
                                    .lends_root_files = caller->uid == 0 && plan->uid != 0};
    heel_autofree gid_t *groups = list_groups(&preparation->identity, &host.group_count);
    struct heel_saved_identity saved;

    host.groups = groups;
    if (heel_caller_assume(caller, &saved, &explanation->preparation.error))
        return -1;
    policy->verdicts = heel_xcalloc(explanation->test_count, sizeof *policy->verdicts);
    for (size_t i = 0; i < explanation->test_count; i++)
        heel_policy_judge(plan, &host, &explanation->tests[i], &policy->verdicts[i]);
    policy->verdict_count = explanation->test_count;
    heel_caller_restore(&saved);
    return 0;
}

static void make_report(struct explanation *explanation)
{
    struct heel_report_facts facts = linux_report_facts(explanation->backend);

    facts.spec = &explanation->preparation.spec;
    facts.mounts_unknown = !explanation->preparation.mounts;
    facts.plan = explanation->preparation.plan;
    heel_report_make(&facts, &explanation->report);
}

static void explain_in_pool(struct heel_lane_work *work)
{
    struct explanation *explanation = heel_container_of(work, struct explanation, work);
    const struct heel_plan *plan = explanation->plan;

    if (!plan) {
        if (heel_preparation_plan(&explanation->preparation))
            return;
        plan = explanation->preparation.plan;
        make_report(explanation);
    }
    if (judge_all(explanation, plan))
        return;
    heel_policy_list(plan, &explanation->policy.entries, &explanation->policy.entry_count);
    explanation->policy.enforcement = explanation->report.rows;
}

/* ---- on the loop ---- */

static void tell(struct explanation *explanation)
{
    const struct heel_error *error = explanation->preparation.error;
    struct linux_backend *backend = explanation->backend;

    explanation->on_explained(error ? NULL : &explanation->policy, error, explanation->data);
    explanation_free(explanation);
    backend->explaining--;
    linux_end_if_over(backend);
}

static void on_worked(struct heel_lane_work *work)
{
    tell(heel_container_of(work, struct explanation, work));
}

static void on_refusal_closed(uv_handle_t *handle)
{
    tell(heel_container_of((uv_timer_t *)handle, struct explanation, refusal));
}

/* Takes an identity and returns it at once: the plan names it, and nobody runs under it. */
static int ask_spec(struct explanation *explanation, const struct heel_sandbox_spec *spec,
                    struct heel_error **err)
{
    struct linux_backend *backend = explanation->backend;
    struct heel_identity identity;

    if (linux_check_host(backend, err) ||
        heel_identity_take(&backend->identities, spec, &identity, err))
        return -1;
    heel_identity_return(&backend->identities, &identity);
    linux_prepare(backend, spec, &identity, &explanation->preparation);
    /* A directory that is to be kept would be a new one, too. */
    explanation->preparation.spec.keep_working_dir = false;
    if (!spec->working_dir)
        explanation->preparation.work.path = heel_format("%s/new", backend->instance_path);
    if (explanation->preparation.bare)
        explanation->preparation.own.path = heel_format("%s/new.own", backend->instance_path);
    return 0;
}

/* Copies what the pool needs: the sandbox may be gone before the pool is done. */
static void ask_sandbox(struct explanation *explanation, const struct heel_sandbox *base)
{
    const struct linux_sandbox *sandbox =
        heel_container_of((struct heel_sandbox *)(uintptr_t)base, struct linux_sandbox, base);

    heel_preparation_init(&explanation->preparation, &sandbox->preparation.spec);
    explanation->preparation.identity = sandbox->identity;
    explanation->plan = heel_plan_copy(sandbox->preparation.plan);
    heel_report_copy(&sandbox->report, &explanation->report);
}

void linux_explain(struct heel_backend *base, const struct heel_policy_question *question,
                   heel_on_explained *on_explained, void *data)
{
    struct explanation *explanation = heel_xcalloc(1, sizeof *explanation);
    struct heel_error *error = NULL;
    int result = 0;

    explanation->backend = heel_container_of(base, struct linux_backend, base);
    explanation->backend->explaining++;
    explanation->on_explained = on_explained;
    explanation->data = data;
    copy_tests(explanation, question);
    if (question->sandbox)
        ask_sandbox(explanation, question->sandbox);
    else
        result = ask_spec(explanation, question->spec, &error);
    if (result == 0) {
        heel_lane_queue(&explanation->backend->explanations, &explanation->work, explain_in_pool,
                        on_worked);
        return;
    }
    explanation->preparation.error = error;
    uv_timer_init(explanation->backend->loop, &explanation->refusal);
    uv_close((uv_handle_t *)&explanation->refusal, on_refusal_closed);
}

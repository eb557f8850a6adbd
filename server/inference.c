#include "server/inference.h"

#include <string.h>

#include "base/text.h"
#include "server/command.h"
#include "server/complaints.h"
#include "server/core.h"

#define ACCESSES 3

struct inference {
    struct denials *denials; /* borrowed */
    struct complaint complaints[COMPLAINTS_MAX];
    size_t complaint_count;
    bool shows_host; /* whatever is not hidden on purpose */
    inference_on_done *on_done;
    void *data;
};

static const unsigned accesses[ACCESSES] = {HEEL_ACCESS_READ, HEEL_ACCESS_WRITE,
                                            HEEL_ACCESS_EXECUTE};

static const char *right_of(unsigned access)
{
    return access == HEEL_ACCESS_READ ? "read" : access == HEEL_ACCESS_WRITE ? "write" : "execute";
}

enum blame {
    BLAME_NOBODY, /* this access would have been fine */
    BLAME_HOST,   /* its permissions would have refused it without a sandbox */
    BLAME_SANDBOX,
};

/* Where the program found nothing, only a path that is hidden on purpose is the sandbox's doing:
 * whether anything lies there is not known. At STRICT most of the host is not shown at all. */
static bool is_hidden(const struct inference *inference, const struct heel_policy_verdict *verdict)
{
    return heel_starts_with(verdict->origin, "protection") ||
           strcmp(verdict->origin, "path rule") == 0 ||
           (inference->shows_host && strcmp(verdict->origin, "own root") == 0);
}

static enum blame blame_for(const struct inference *inference, const struct complaint *complaint,
                            const struct heel_policy_verdict *verdict)
{
    if (verdict->allowed || verdict->absent || verdict->undecided)
        return BLAME_NOBODY;
    if (strcmp(verdict->origin, "host") == 0)
        return BLAME_HOST;
    return complaint->absent && !is_hidden(inference, verdict) ? BLAME_NOBODY : BLAME_SANDBOX;
}

static void add_denial(struct inference *inference, const struct heel_policy_verdict *verdict)
{
    heel_autobuffer struct heel_buffer target = {0};

    heel_buffer_append_escaped(&target, verdict->path, strlen(verdict->path));
    denials_add(inference->denials, &(struct heel_denial){.kind = HEEL_DENIAL_INFERRED,
                                                          .program = "",
                                                          .target = target.data,
                                                          .right = right_of(verdict->access),
                                                          .rule = verdict->rule,
                                                          .remedy = verdict->remedy});
}

static void finish(struct inference *inference)
{
    inference_on_done *on_done = inference->on_done;
    void *data = inference->data;

    complaints_clear(inference->complaints, inference->complaint_count);
    free(inference);
    on_done(data);
}

/* The verdicts come in the order of the complaints; the first refused access of each complaint is
 * the one that is reported. */
static void on_explained(const struct heel_policy *policy, const struct heel_error *error,
                         void *data)
{
    struct inference *inference = data;
    size_t at = 0;

    for (size_t i = 0; !error && i < inference->complaint_count; i++) {
        const struct complaint *complaint = &inference->complaints[i];
        enum blame blame = BLAME_NOBODY;

        for (int j = 0; j < ACCESSES; j++) {
            if (!(complaint->accesses & accesses[j]) || at == policy->verdict_count)
                continue;
            if (blame == BLAME_NOBODY) {
                blame = blame_for(inference, complaint, &policy->verdicts[at]);
                if (blame == BLAME_SANDBOX)
                    add_denial(inference, &policy->verdicts[at]);
            }
            at++;
        }
    }
    finish(inference);
}

static void ask(struct inference *inference, struct server_sandbox *sandbox)
{
    struct heel_policy_test tests[COMPLAINTS_MAX * ACCESSES];
    struct heel_policy_question question = {.sandbox = sandbox->handle, .tests = tests};

    for (size_t i = 0; i < inference->complaint_count; i++)
        for (int j = 0; j < ACCESSES; j++)
            if (inference->complaints[i].accesses & accesses[j])
                tests[question.test_count++] =
                    (struct heel_policy_test){inference->complaints[i].path, accesses[j]};
    heel_backend_explain(sandbox->core->backend, &question, on_explained, inference);
}

bool inference_start(struct server_sandbox *sandbox, struct command_facts *facts, const char *text,
                     size_t length, inference_on_done *on_done, void *data)
{
    struct inference *inference;
    struct complaint complaints[COMPLAINTS_MAX];
    size_t count;

    if (sandbox->state != SANDBOX_READY)
        return false;
    count = complaints_find(text, length, command_working_dir(facts, sandbox), complaints);
    if (count == 0)
        return false;
    inference = heel_xcalloc(1, sizeof *inference);
    memcpy(inference->complaints, complaints, sizeof complaints);
    inference->complaint_count = count;
    inference->denials = &facts->denials;
    inference->shows_host =
        sandbox->spec->level != HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_STRICT;
    inference->on_done = on_done;
    inference->data = data;
    ask(inference, sandbox);
    return true;
}

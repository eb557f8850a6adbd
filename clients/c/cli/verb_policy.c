/* What a sandbox may do, without making one. */
#include <string.h>

#include "clients/c/cli/connect.h"
#include "clients/c/cli/report.h"
#include "clients/c/cli/spec.h"
#include "clients/c/cli/table.h"

static void append_entries(const struct heel_policy *policy, struct heel_buffer *to)
{
    for (size_t i = 0; i < policy->entry_count; i++) {
        const struct heel_policy_entry *entry = &policy->entries[i];
        heel_autofree char *text = cli_sentence(entry->text);

        if (i == 0 || entry->kind != entry[-1].kind)
            heel_buffer_printf(to, "%s%s\n", i ? "\n" : "", heel_policy_kind_name(entry->kind));
        heel_buffer_printf(to, "%s  [%s]\n", text, entry->origin);
    }
    if (policy->entries_truncated)
        heel_buffer_append_text(to, "... and more than an answer has room for\n");
    heel_buffer_append_text(to, "\n");
    table_print_enforcement(policy->enforcement, policy->enforcement_count, to);
}

static const char *access_name(enum heel_access access)
{
    return access == HEEL_ACCESS_WRITE     ? "write"
           : access == HEEL_ACCESS_EXECUTE ? "execute"
                                           : "read";
}

static void append_verdict(const struct heel_policy_verdict *verdict, struct heel_buffer *to)
{
    heel_autofree char *path = cli_escaped(verdict->path);
    heel_autofree char *rule = cli_sentence(verdict->rule);

    heel_buffer_printf(to, "%s %s %s\n", verdict->allowed ? "allowed" : "refused",
                       access_name(verdict->access), path);
    if (strcmp(verdict->path, verdict->resolved_path) != 0) {
        heel_autofree char *resolved = cli_escaped(verdict->resolved_path);

        heel_buffer_printf(to, "    it is %s\n", resolved);
    }
    heel_buffer_printf(to, "    by %s%s%s%s\n", rule, *verdict->origin ? "  [" : "",
                       verdict->origin, *verdict->origin ? "]" : "");
    if (*verdict->remedy) {
        heel_autofree char *remedy = cli_sentence(verdict->remedy);

        heel_buffer_printf(to, "    to allow it: %s\n", remedy);
    }
}

static char *describe(const struct heel_policy *policy, bool with_entries)
{
    struct heel_buffer to = {0};

    for (size_t i = 0; i < policy->verdict_count; i++)
        append_verdict(&policy->verdicts[i], &to);
    if (with_entries) {
        heel_buffer_append_text(&to, policy->verdict_count ? "\n" : "");
        append_entries(policy, &to);
    }
    return to.data;
}

static bool is_all_allowed(const struct heel_policy *policy)
{
    for (size_t i = 0; i < policy->verdict_count; i++)
        if (!policy->verdicts[i].allowed)
            return false;
    return true;
}

int cli_policy(const struct cli_options *options, struct heel_error **err)
{
    struct heel_spec spec = cli_spec(options);
    struct heel_target target =
        options->sandbox ? heel_in_sandbox(options->sandbox) : heel_in_new_sandbox(&spec);
    bool explain = options->explain.on || !options->test_count;
    struct heel_client *client;
    struct heel_policy *policy;
    bool allowed = true;
    int result;

    if (cli_connect(options, CLI_NEEDS_ANY, &client, err))
        return -1;
    result = heel_policy_explain(client, target, options->tests, options->test_count, NULL, &policy,
                                 err);
    if (!result) {
        allowed = is_all_allowed(policy);
        result =
            cli_print(options->json ? heel_policy_json(policy, 2) : describe(policy, explain), err);
        heel_policy_free(policy);
    }
    cli_disconnect(client);
    return result ? result : allowed ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}

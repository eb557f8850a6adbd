/* A plan and the seccomp filter as a list of sentences. */
#include <stdlib.h>
#include <string.h>

#include "backends/linux/policy/policy.h"
#include "backends/linux/seccomp/seccomp_sets.h"

struct list {
    struct heel_policy_entry *entries; /* owned */
    size_t count;
};

static void add(struct list *list, enum heel_policy_kind kind, struct heel_buffer *text,
                const char *origin)
{
    list->entries = heel_xrealloc(list->entries, list->count + 1, sizeof(*list->entries));
    list->entries[list->count++] = (struct heel_policy_entry){
        .kind = kind,
        .text = text->data ? heel_steal(text->data) : heel_xstrdup(""),
        .origin = origin,
    };
}

static void add_set(struct list *list, const struct heel_seccomp_set *set)
{
    struct heel_buffer text = {0};

    if (set->refusal)
        heel_buffer_printf(&text, "refuse with %s (%s):", strerrorname_np(set->refusal), set->name);
    else
        heel_buffer_printf(&text, "allow (%s):", set->name);
    for (const char *const *name = set->syscalls; *name; name++)
        heel_buffer_printf(&text, " %s", *name);
    add(list, HEEL_POLICY_SYSTEM_CALLS, &text, set->reason);
}

static void append_condition(struct heel_buffer *text,
                             const struct heel_seccomp_condition *condition)
{
    if (condition->mask != UINT32_MAX)
        heel_buffer_printf(text, "argument %u & 0x%x", condition->argument, condition->mask);
    else
        heel_buffer_printf(text, "argument %u", condition->argument);
    if (condition->test == HEEL_SECCOMP_HAS) {
        heel_buffer_append_text(text, " is not 0");
        return;
    }
    heel_buffer_append_text(text, condition->test == HEEL_SECCOMP_IS ? " is" : " is none of");
    for (unsigned i = 0; i < condition->count; i++)
        heel_buffer_printf(text, " %u", condition->values[i]);
}

static void add_rule(struct list *list, const struct heel_seccomp_rule *rule)
{
    struct heel_buffer text = {0};

    heel_buffer_printf(&text, "refuse %s with %s where ", rule->syscall,
                       strerrorname_np(rule->refusal));
    for (size_t i = 0; i < HEEL_SECCOMP_CONDITIONS; i++) {
        if (rule->conditions[i].test == HEEL_SECCOMP_ANY)
            continue;
        heel_buffer_append_text(&text, i ? " and " : "");
        append_condition(&text, &rule->conditions[i]);
    }
    add(list, HEEL_POLICY_SYSTEM_CALL_RULE, &text, rule->reason);
}

static void add_filter(struct list *list, unsigned index)
{
    struct heel_seccomp_source source;

    heel_seccomp_get_source(index, &source);
    for (size_t i = 0; i < source.set_count; i++)
        add_set(list, &source.sets[i]);
    for (size_t i = 0; i < source.rule_count; i++)
        add_rule(list, &source.rules[i]);
}

void heel_policy_list(const struct heel_plan *plan, struct heel_policy_entry **entries,
                      size_t *count)
{
    struct list list = {0};

    for (size_t i = 0; i < plan->mount_count; i++) {
        struct heel_buffer text = {0};

        heel_plan_print_mount(&plan->mounts[i], &text);
        add(&list, HEEL_POLICY_MOUNT, &text, plan->mounts[i].origin);
    }
    for (size_t i = 0; i < plan->rule_count; i++) {
        struct heel_buffer text = {0};

        heel_plan_print_rule(&plan->rules[i], &text);
        add(&list, HEEL_POLICY_LANDLOCK_RULE, &text, plan->rules[i].origin);
    }
    for (unsigned i = 0; i < HEEL_SECCOMP_SOURCES; i++)
        if (i == HEEL_SECCOMP_FILTER || (i == HEEL_SECCOMP_BARE_FILTER && plan->bare) ||
            (i == HEEL_SECCOMP_WRITE_XOR_EXECUTE_FILTER && plan->write_xor_execute))
            add_filter(&list, i);
    *entries = list.entries;
    *count = list.count;
}

void heel_policy_entries_free(struct heel_policy_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(entries[i].text);
    free(entries);
}

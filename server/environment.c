#include "server/environment.h"

#include <string.h>

#include "base/text.h"
#include "server/pairs.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Appends those of `from` to `to`, which has room. */
static void append(struct pairs *to, const struct pairs *from)
{
    if (from->count)
        memcpy(to->items + to->count, from->items, from->count * sizeof *from->items);
    to->count += from->count;
}

/* Both are sorted and hold each name once; where both have a name, `over` wins. */
static struct pairs merge(const struct pairs *under, const struct pairs *over)
{
    struct pairs merged = {.items = heel_xcalloc(under->count + over->count, sizeof *merged.items)};
    size_t low = 0, high = 0;

    while (low < under->count && high < over->count) {
        int order = strcmp(under->items[low].key, over->items[high].key);

        if (order < 0) {
            merged.items[merged.count++] = under->items[low++];
        } else {
            merged.items[merged.count++] = over->items[high++];
            low += order == 0;
        }
    }
    append(&merged, &(struct pairs){.count = under->count - low, .items = under->items + low});
    append(&merged, &(struct pairs){.count = over->count - high, .items = over->items + high});
    return merged;
}

/* Git's index holds the owner of each file, and git reads every file again whose owner looks
 * different, as it does in a sandbox: with this it looks at sizes and times alone (git-config(1),
 * core.checkStat). */
static const struct pair for_git[] = {
    {"GIT_CONFIG_COUNT", "1"},
    {"GIT_CONFIG_KEY_0", "core.checkStat"},
    {"GIT_CONFIG_VALUE_0", "minimal"},
};

void environment_complete(Heel__V1__SandboxSpec *effective, const struct heel_sandbox_paths *paths)
{
    Heel__V1__Environment *environment = effective->environment;
    struct pair own[] = {
        {"HOME", paths->home_dir},     {"LANG", "C.UTF-8"},
        {"LOGNAME", paths->user_name}, {"PATH", DEFAULT_PATH},
        {"SHELL", "/bin/sh"},          {"TERM", "dumb"}, /* there is no terminal */
        {"TMPDIR", paths->temp_dir},   {"USER", paths->user_name},
    };
    struct pair all[HEEL_ARRAY_LENGTH(for_git) + HEEL_ARRAY_LENGTH(own)];
    struct pairs under = {.items = all};
    auto_pairs given = PAIRS_OF(environment->n_variables, environment->variables);

    if (paths->other_owner && !pairs_find(&given, for_git[0].key))
        append(&under, &(struct pairs){.count = HEEL_ARRAY_LENGTH(for_git),
                                       .items = (struct pair *)(uintptr_t)for_git});
    append(&under, &(struct pairs){.count = HEEL_ARRAY_LENGTH(own), .items = own});
    pairs_sort(&given);
    auto_pairs merged = merge(&under, &given);
    PAIRS_STORE(&merged, Heel__V1__Environment__VariablesEntry,
                heel__v1__environment__variables_entry__init, environment->n_variables,
                environment->variables);
}

char **environment_of_command(const Heel__V1__SandboxSpec *effective,
                              const Heel__V1__Command *command, const char *terminal_type)
{
    auto_pairs under =
        PAIRS_OF(effective->environment->n_variables, effective->environment->variables);
    auto_pairs over = PAIRS_OF(command->n_environment, command->environment);
    struct pair term = {"TERM", terminal_type ? terminal_type : ""};
    char **environment;

    pairs_sort(&over);
    if (terminal_type) {
        struct pairs with_terminal = merge(&(struct pairs){.count = 1, .items = &term}, &over);

        pairs_free(&over);
        over = with_terminal;
    }
    auto_pairs merged = merge(&under, &over);
    environment = heel_xcalloc(merged.count + 1, sizeof *environment);
    for (size_t i = 0; i < merged.count; i++)
        environment[i] = heel_format("%s=%s", merged.items[i].key, merged.items[i].value);
    return environment;
}

void environment_free(char **environment)
{
    for (char **variable = environment; variable && *variable; variable++)
        free(*variable);
    free(environment);
}

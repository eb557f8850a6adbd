/* What flags have put together. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "clients/c/cli/flag_values.h"
#include "clients/c/cli/flags.h"

/* Paths are the client's to understand: the server doesn't know where it stands. Their links are
 * not: the server refuses those that code in a sandbox could have made, and so has to see them. */
char *cli_absolute(const char *path)
{
    heel_autofree char *here = *path == '/' || !*path ? NULL : getcwd(NULL, 0);
    const char *rest = path;

    if (!here)
        return heel_xstrdup(path);
    while (strncmp(rest, "./", 2) == 0)
        rest += 2 + strspn(rest + 2, "/");
    if (!*rest || strcmp(rest, ".") == 0)
        return heel_steal(here);
    return heel_format("%s%s%s", here, strcmp(here, "/") == 0 ? "" : "/", rest);
}

void cli_options_clear(struct cli_options *options)
{
    for (size_t i = 0; i < options->path_count; i++)
        free((char *)(uintptr_t)options->paths[i].path);
    free(options->paths);
    for (size_t i = 0; i < options->switch_count; i++)
        free((char *)(uintptr_t)options->switches[i].path);
    free(options->switches);
    free(options->required);
    free(options->kinds);
    for (size_t i = 0; i < options->test_count; i++)
        free((char *)(uintptr_t)options->tests[i].path);
    free(options->tests);
    free(options->working_dir);
    cli_pairs_clear(&options->variables);
    cli_pairs_clear(&options->labels);
    *options = (struct cli_options){0};
}

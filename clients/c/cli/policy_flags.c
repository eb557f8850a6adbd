/* The flags of what is asked about a policy. */
#include <string.h>

#include "base/text.h"
#include "clients/c/cli/flag_values.h"
#include "clients/c/cli/flags.h"

static const struct cli_choice accesses[] = {
    {"read", HEEL_ACCESS_READ},
    {"write", HEEL_ACCESS_WRITE},
    {"execute", HEEL_ACCESS_EXECUTE},
    {NULL, 0},
};

static int parse_sandbox(struct cli_options *options, const char *value, struct heel_error **err)
{
    return cli_parse_text(value, "id", &options->sandbox, err);
}

/* What follows the last colon may be part of the path. */
static size_t split_access(const char *value, enum heel_access *access)
{
    const char *colon = strrchr(value, ':');
    const struct cli_choice *choice = colon ? cli_choose(accesses, colon + 1) : NULL;

    *access = choice ? (enum heel_access)choice->value : HEEL_ACCESS_READ;
    return choice ? (size_t)(colon - value) : strlen(value);
}

static int parse_test(struct cli_options *options, const char *value, struct heel_error **err)
{
    enum heel_access access;
    heel_autofree char *path = strndup(value, split_access(value, &access));

    if (!*path)
        return cli_invalid(err, "the path is empty%s", "");
    options->tests =
        heel_xrealloc(options->tests, options->test_count + 1, sizeof(*options->tests));
    options->tests[options->test_count++] = (struct heel_policy_test){cli_absolute(path), access};
    return 0;
}

const struct cli_flag cli_policy_flags[] = {
    {"explain", NULL,
     "print the plan: every mount, rule and set of system calls, and where each comes from; this "
     "is what is done where nothing is tested",
     "--explain", CLI_BOOLEAN(explain)},
    {"test", "PATH[:read|write|execute]",
     "tell what an access would get, and why: read unless it says otherwise; may be repeated",
     "--test ~/.ssh/config:read", .parse = parse_test},
    {"sandbox", "ID", "tell of this sandbox, as it was made, instead of one that would be made",
     "--sandbox build-7", .parse = parse_sandbox},
    {0},
};

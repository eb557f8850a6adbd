/* For trying confinement by hand, without heeld. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/linux/confine/confine_fixture.h"

#define RULES_MAX 64
#define ROOTS_USER 70000 /* whom a sandbox of root's runs as unless told */

static const char usage[] =
    "confine_try [OPTION]... PROGRAM [ARGUMENT]...\n"
    "  -l strict|default|permissive   the level; default\n"
    "  -d DIRECTORY                   the working directory; one of its own, removed afterwards if "
    "it is empty\n"
    "  -r, -w, -x, -n PATH            a path rule: read, write, execute, deny\n"
    "  -u UID                         as root: whom it runs as; 70000\n"
    "  -c UID                         as root: whose rights the named paths are opened with; 0\n"
    "  -p                             prints the plan\n"
    "  -t                             prints what each step took\n";

struct options {
    struct heel_sandbox_spec spec;
    struct heel_path_rule rules[RULES_MAX];
    uid_t uid;
    bool print;
    bool timed;
};

static unsigned access_of(int option)
{
    return option == 'r'   ? HEEL_ACCESS_READ
           : option == 'w' ? HEEL_ACCESS_WRITE
           : option == 'x' ? HEEL_ACCESS_EXECUTE
                           : HEEL_ACCESS_DENY;
}

static int take_option(struct options *options, int option)
{
    switch (option) {
    case 'l':
        options->spec.level = optarg[0] == 's'   ? HEEL_LEVEL_STRICT
                              : optarg[0] == 'p' ? HEEL_LEVEL_PERMISSIVE
                                                 : HEEL_LEVEL_DEFAULT;
        return 0;
    case 'd':
        options->spec.working_dir = optarg;
        return 0;
    case 'u':
        options->uid = (uid_t)atoi(optarg);
        return 0;
    case 'c':
        options->spec.caller.uid = options->spec.caller.gid = (uid_t)atoi(optarg);
        return 0;
    case 'p':
        options->print = true;
        return 0;
    case 't':
        options->timed = true;
        return 0;
    case '?':
        return -1;
    default:
        if (options->spec.path_count == RULES_MAX)
            return -1;
        options->rules[options->spec.path_count++] =
            (struct heel_path_rule){optarg, access_of(option)};
        return 0;
    }
}

static int start_program(void *data)
{
    char *const *argv = data;

    execvp(argv[0], argv);
    perror(argv[0]);
    return 127;
}

static void set_environment(const struct heel_plan *plan)
{
    clearenv();
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
    setenv("HOME", plan->paths.home_dir, 1);
    setenv("USER", plan->paths.user_name, 1);
    setenv("TMPDIR", plan->paths.temp_dir, 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("TERM", "dumb", 1);
}

static int try(struct options *options, char **argv)
{
    static const char *const nothing_hidden[] = {NULL};
    char work[] = "/tmp/confine_try.XXXXXX";
    heel_autoplan struct heel_plan *plan = NULL;
    heel_autoerror struct heel_error *error = NULL;
    heel_autobuffer struct heel_buffer text = {0};
    int result = -1;

    if (!mkdtemp(work) || chown(work, options->uid, options->uid) < 0)
        perror(work);
    else if (heel_fixture_plan(&options->spec, options->uid, work, nothing_hidden, &plan, &error) ==
             0) {
        heel_plan_print(plan, &text);
        if (options->print)
            fputs(text.data, stdout);
        set_environment(plan);
        result = argv[0] ? heel_fixture_run(plan, &options->spec.caller, start_program, argv,
                                            options->timed, &error)
                         : 0;
    }
    if (error)
        fprintf(stderr, "confine_try: %s%s%s\n", error->field ? error->field : "",
                error->field ? ": " : "", error->message);
    rmdir(work);
    return result < 0 ? 125 : result;
}

int main(int argc, char **argv)
{
    struct options options = {
        .spec = {.id = "try",
                 .level = HEEL_LEVEL_DEFAULT,
                 .caller = {.uid = geteuid(), .gid = getegid()}},
        .uid = geteuid() ? geteuid() : ROOTS_USER,
    };
    int option;

    options.spec.paths = options.rules;
    while ((option = getopt(argc, argv, "+l:d:r:w:x:n:u:c:pt")) != -1)
        if (take_option(&options, option) < 0) {
            fputs(usage, stderr);
            return 125;
        }
    return try(&options, argv + optind);
}

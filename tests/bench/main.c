/* The benches: each measures what heel promises about its speed and size, side by side with what it
 * is compared with, on a server of its own. See README.md. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/bench.h"

static const struct measurement *const measurements[] = {
    &measure_run,     &measure_create,   &measure_rules,  &measure_cli,     &measure_strict,
    &measure_default, &measure_stdout,   &measure_stdin,  &measure_streams, &measure_fair,
    &measure_replay,  &measure_terminal, &measure_signal, &measure_stall,   &measure_idle,
    &measure_many,    &measure_attached, &measure_storm,
};

struct arguments {
    const char *json;   /* NULL: none */
    const char **names; /* owned; of what to measure; none: all */
    size_t name_count;
    bool list;
};

/* ---- the command line ---- */

static int usage(void)
{
    fputs("Usage: bench --heeld PATH --heelcli PATH [--chore PATH] [--quick] [--json FILE] "
          "[--list] [NAME...]\n",
          stderr);
    return 2;
}

static const struct measurement *find(const char *name)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(measurements); i++)
        if (strcmp(measurements[i]->name, name) == 0)
            return measurements[i];
    return NULL;
}

static const char **text_option(struct bench *bench, struct arguments *arguments, const char *name)
{
    if (strcmp(name, "--heeld") == 0)
        return &bench->heeld;
    if (strcmp(name, "--heelcli") == 0)
        return &bench->heelcli;
    if (strcmp(name, "--chore") == 0)
        return &bench->chore;
    return strcmp(name, "--json") == 0 ? &arguments->json : NULL;
}

static bool parse(int argc, char **argv, struct bench *bench, struct arguments *arguments)
{
    arguments->names = heel_xcalloc((size_t)argc, sizeof *arguments->names);
    for (int i = 1; i < argc; i++) {
        const char **value = text_option(bench, arguments, argv[i]);

        if (value && i + 1 < argc)
            *value = argv[++i];
        else if (strcmp(argv[i], "--quick") == 0)
            bench->quick = true;
        else if (strcmp(argv[i], "--list") == 0)
            arguments->list = true;
        else if (find(argv[i]))
            arguments->names[arguments->name_count++] = argv[i];
        else
            return false;
    }
    return arguments->list || (bench->heeld && bench->heelcli);
}

static int list(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(measurements); i++)
        for (const struct target *target = measurements[i]->targets; target->what; target++)
            printf("%-8s %s\n", target == measurements[i]->targets ? measurements[i]->name : "",
                   target->what);
    return 0;
}

static bool is_chosen(const struct arguments *arguments, const char *name)
{
    for (size_t i = 0; i < arguments->name_count; i++)
        if (strcmp(arguments->names[i], name) == 0)
            return true;
    return arguments->name_count == 0;
}

/* ---- around the measurements ---- */

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    if (remove(path) < 0)
        fprintf(stderr, "bench: %s is left: %s\n", path, strerror(errno));
    return 0;
}

/* Short, because a socket's path is; entered by anyone, because as root sandboxes are others. */
static int make_folder(struct bench *bench, struct heel_error **err)
{
    bench->folder = heel_xstrdup("/tmp/hb-XXXXXX");
    if (!mkdtemp(bench->folder) || chmod(bench->folder, 0711) < 0)
        return heel_error_set_errno(err, errno, "make a folder in /tmp");
    return 0;
}

static const char *find_bwrap(void)
{
    static const char *const paths[] = {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(paths); i++)
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    return NULL;
}

static void empty_stdin(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null > 0)
        dup2(null, STDIN_FILENO);
}

static void raise_open_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void measure(struct bench *bench, const struct measurement *measurement)
{
    heel_autoerror struct heel_error *error = NULL;

    fprintf(stderr, "%s...\n", measurement->name);
    if (measurement->run(bench, measurement, &error) < 0)
        report_failure(bench->report, measurement->name, error->message);
}

static int run(struct bench *bench, const struct arguments *arguments)
{
    heel_autoerror struct heel_error *error = NULL;
    int result;

    if (make_folder(bench, &error) < 0) {
        fprintf(stderr, "bench: %s\n", error->message);
        return 1;
    }
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(measurements); i++)
        if (is_chosen(arguments, measurements[i]->name))
            measure(bench, measurements[i]);
    daemon_stop(bench->daemon);
    report_print(bench->report);
    result = report_has_failures(bench->report) ? 1 : 0;
    if (arguments->json && report_write_json(bench->report, arguments->json, &error) < 0) {
        fprintf(stderr, "bench: %s\n", error->message);
        result = 1;
    }
    nftw(bench->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(bench->folder);
    return result;
}

int main(int argc, char **argv)
{
    struct bench bench = {.bwrap = find_bwrap()};
    struct arguments arguments = {0};
    int result;

    if (!parse(argc, argv, &bench, &arguments))
        return usage();
    if (arguments.list)
        return list();
    signal(SIGPIPE, SIG_IGN);
    empty_stdin();
    raise_open_files();
    grpcc_init();
    bench.report = report_new();
    result = run(&bench, &arguments);
    report_free(bench.report);
    free(arguments.names);
    grpcc_shutdown();
    return result;
}

/* What programs do all day, in a sandbox against the same outside: the cost of confinement itself,
 * without that of starting the command in the sandbox. */
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/child.h"
#include "tests/bench/playground.h"

#define NANOSECONDS_PER_MICROSECOND 1000
#define MAX_ARGUMENTS 16

/* In the order of the targets. The arguments are chore's; those of make lack its OUT. */
static const struct chore {
    const char *needs; /* NULL: nothing */
    bool builds;       /* into inside/ or outside/ */
    size_t rounds;
    size_t quick_rounds;
    const char *arguments[MAX_ARGUMENTS];
} chores[] = {
    {NULL, false, 100, 5, {"open", "input"}},
    {NULL, false, 100, 5, {"stat", "input"}},
    {NULL, false, 100, 5, {"run", "20", "/bin/true"}},
    {PLAYGROUND_GIT,
     false,
     40,
     3,
     {"run", "1", PLAYGROUND_GIT, "--no-optional-locks", "-C", "tree", "-c", "safe.directory=*",
      "status"}},
    {PLAYGROUND_MAKE, true, 20, 2, {"run", "1", PLAYGROUND_MAKE, "-s", "-B", "-C", "project"}},
    {PLAYGROUND_PYTHON, false, 60, 3, {"run", "1", PLAYGROUND_PYTHON, "-c", "pass"}},
};

struct places {
    struct grpcc_channel *channel; /* borrowed */
    const char *sandbox;           /* borrowed; the id */
    const char *folder;            /* borrowed; the playground */
    struct samples inside;         /* microseconds */
    struct samples outside;
};

/* Fills `argv` with how to run it, in or out; the count. */
static size_t command_of(const struct chore *chore, bool inside, char *program, const char *folder,
                         const char **argv)
{
    size_t count = 0;

    argv[count++] = program;
    argv[count++] = folder;
    for (const char *const *argument = chore->arguments; *argument; argument++)
        argv[count++] = *argument;
    if (chore->builds)
        argv[count++] = inside ? "OUT=inside" : "OUT=outside";
    argv[count] = NULL;
    return count;
}

static int run_once(struct places *places, const struct chore *chore, bool inside, bool counts,
                    struct heel_error **err)
{
    heel_autofree char *program = heel_format("%s/chore", places->folder);
    heel_autofree char *output = NULL;
    const char *argv[MAX_ARGUMENTS + 4];
    size_t count = command_of(chore, inside, program, places->folder, argv);
    int result =
        inside ? client_run_program(places->channel, places->sandbox, argv, count, &output, err)
               : child_read(argv, &output, err);

    if (result < 0)
        return heel_error_wrap(err, "%s", inside ? "inside" : "outside");
    if (counts)
        samples_add(inside ? &places->inside : &places->outside,
                    atof(output) / NANOSECONDS_PER_MICROSECOND);
    return 0;
}

static void add_result(struct bench *bench, const struct measurement *self, size_t target,
                       struct places *places)
{
    struct result result = {
        .target = &self->targets[target],
        .spread_unit = "us",
        .own = samples_spread(&places->inside),
        .against = "outside",
        .base = samples_spread(&places->outside),
    };

    result.value = result.own.p50 / result.base.p50;
    report_add(bench->report, self->name, result);
}

/* The first round doesn't count. */
static int compare(struct bench *bench, const struct measurement *self, size_t target,
                   struct places *places, struct heel_error **err)
{
    const struct chore *chore = &chores[target];
    size_t rounds = bench_count(bench, chore->rounds, chore->quick_rounds);
    int result = 0;

    for (size_t round = 0; round <= rounds && result == 0; round++)
        if (run_once(places, chore, false, round > 0, err) < 0 ||
            run_once(places, chore, true, round > 0, err) < 0)
            result = -1;
    if (result == 0)
        add_result(bench, self, target, places);
    samples_free(&places->inside);
    samples_free(&places->outside);
    places->inside = places->outside = (struct samples){0};
    return result;
}

static int compare_all(struct bench *bench, const struct measurement *self, struct places *places,
                       struct heel_error **err)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(chores); i++) {
        heel_autofree char *lacking = NULL;

        if (chores[i].needs && access(chores[i].needs, X_OK) < 0) {
            lacking = heel_format("%s: %s is not here", self->targets[i].what, chores[i].needs);
            report_skip(bench->report, self->name, lacking);
        } else if (compare(bench, self, i, places, err) < 0)
            return heel_error_wrap(err, "%s", self->targets[i].what);
    }
    return 0;
}

static int run_at(struct bench *bench, const struct measurement *self,
                  Heel__V1__IsolationLevel level, struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    heel_autofree char *folder = heel_format("%s/%s", bench->folder, self->name);
    heel_autofree char *id = NULL;
    struct places places = {.channel = channel, .folder = folder};
    Heel__V1__SandboxSpec spec = HEEL__V1__SANDBOX_SPEC__INIT;
    Heel__V1__Filesystem filesystem = HEEL__V1__FILESYSTEM__INIT;

    if (!channel)
        return -1;
    if (!bench->chore) {
        report_skip(bench->report, self->name, "--chore is not given");
        return 0;
    }
    if (playground_make(folder, bench->chore, err) < 0)
        return -1;
    spec.level = level;
    spec.filesystem = &filesystem;
    filesystem.working_dir = folder;
    if (client_create_with(channel, &spec, &id, err) < 0)
        return -1;
    places.sandbox = id;
    if (compare_all(bench, self, &places, err) < 0)
        return -1;
    return client_delete(channel, id, err);
}

static int run_strict(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    return run_at(bench, self, HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_STRICT, err);
}

static int run_default(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    return run_at(bench, self, HEEL__V1__ISOLATION_LEVEL__ISOLATION_LEVEL_DEFAULT, err);
}

const struct measurement measure_strict = {
    .name = "strict",
    .targets =
        {
            {"strict: open + read + close of a file", "x", TARGET_AT_MOST, 1.4},
            {"strict: stat", "x", TARGET_AT_MOST, 1.1},
            {"strict: fork + exec of /bin/true", "x", TARGET_AT_MOST, 1.1},
            {"strict: git status in a tree of 10,000 files", "x", TARGET_AT_MOST, 1.2},
            {"strict: make of a small C project", "x", TARGET_AT_MOST, 1.1},
            {"strict: start of Python", "x", TARGET_AT_MOST, 1.1},
        },
    .run = run_strict,
};

const struct measurement measure_default = {
    .name = "default",
    .targets =
        {
            {"default: open + read + close of a file", "x", TARGET_AT_MOST, 1.4},
            {"default: stat", "x", TARGET_AT_MOST, 1.1},
            {"default: fork + exec of /bin/true", "x", TARGET_AT_MOST, 1.1},
            {"default: git status in a tree of 10,000 files", "x", TARGET_AT_MOST, 1.2},
            {"default: make of a small C project", "x", TARGET_AT_MOST, 1.1},
            {"default: start of Python", "x", TARGET_AT_MOST, 1.1},
        },
    .run = run_default,
};

/* Making and deleting a sandbox whose spec has many rules for paths, against one that has none. */
#include <errno.h>
#include <sys/stat.h>

#include "base/text.h"
#include "tests/bench/bench.h"

#define RULES 50

enum { RATIO, TOOK };

struct life {
    struct grpcc_channel *channel;
    Heel__V1__SandboxSpec *spec;
};

static int live(void *data, struct heel_error **err)
{
    const struct life *life = data;
    heel_autofree char *id = NULL;

    if (client_create_with(life->channel, life->spec, &id, err) < 0)
        return -1;
    return client_delete(life->channel, id, err);
}

static int make_folders(struct bench *bench, char **paths, struct heel_error **err)
{
    for (size_t i = 0; i < RULES; i++) {
        paths[i] = heel_format("%s/rule%zu", bench->folder, i);
        if (mkdir(paths[i], 0755) < 0)
            return heel_error_set_errno(err, errno, "make %s", paths[i]);
    }
    return 0;
}

static int compare(struct bench *bench, const struct measurement *self, struct life *with,
                   struct heel_error **err)
{
    struct life without = {.channel = with->channel};
    struct contestant contestants[] = {
        {.name = "create + delete with 50 rules", .once = live, .data = with},
        {.name = "create + delete without", .once = live, .data = &without},
    };
    int result = contest_run(contestants, 2, bench_count(bench, 500, 50), 20, err);

    if (result == 0) {
        bench_add_ratio(bench, self, RATIO, &contestants[0], &contestants[1]);
        bench_add_median(bench, self, TOOK, &contestants[0].samples);
    }
    contest_clear(contestants, 2);
    return result;
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    char *paths[RULES] = {NULL};
    Heel__V1__PathRule rules[RULES], *list[RULES];
    Heel__V1__SandboxSpec spec = HEEL__V1__SANDBOX_SPEC__INIT;
    Heel__V1__Filesystem filesystem = HEEL__V1__FILESYSTEM__INIT;
    struct life with = {.channel = channel, .spec = &spec};
    int result = channel ? make_folders(bench, paths, err) : -1;

    for (size_t i = 0; i < RULES && result == 0; i++) {
        heel__v1__path_rule__init(&rules[i]);
        rules[i].path = paths[i];
        rules[i].access = HEEL__V1__PATH_ACCESS__PATH_ACCESS_READ;
        list[i] = &rules[i];
    }
    spec.filesystem = &filesystem;
    filesystem.paths = list;
    filesystem.n_paths = RULES;
    if (result == 0)
        result = compare(bench, self, &with, err);
    for (size_t i = 0; i < RULES; i++)
        free(paths[i]);
    return result;
}

const struct measurement measure_rules = {
    .name = "rules",
    .targets =
        {
            [RATIO] = {"CreateSandbox + DeleteSandbox with 50 rules for paths", "x", TARGET_NONE,
                       0},
            [TOOK] = {"the same", "ms", TARGET_NONE, 0},
        },
    .run = run,
};

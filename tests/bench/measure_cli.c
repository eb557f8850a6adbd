/* heelcli as a whole process, against bubblewrap. */
#include <sys/stat.h>

#include "base/runtime_dir.h"
#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/child.h"

enum { ALONE, WITH_SERVER };

struct cli {
    const char *heelcli;
    const char **environment; /* owned */
};

static int run_cli(void *data, struct heel_error **err)
{
    const struct cli *cli = data;
    const char *argv[] = {cli->heelcli, "run", "--", "/bin/true", NULL};

    return child_run(argv, cli->environment, err);
}

/* As root the default socket can't be moved: a server that listens there would be found. */
static bool has_default_server(void)
{
    heel_autofree char *folder = geteuid() == 0 ? heel_runtime_dir() : NULL;
    heel_autofree char *path = folder ? heel_format("%s/heeld.sock", folder) : NULL;
    struct grpcc_channel *channel = path ? client_connect(path, NULL) : NULL;

    grpcc_channel_free(channel);
    return channel != NULL;
}

static void add_results(struct bench *bench, const struct measurement *self,
                        struct contestant *contestants)
{
    bench_add_ratio(bench, self, ALONE, &contestants[0], &contestants[2]);
    bench_add_ratio(bench, self, WITH_SERVER, &contestants[1], &contestants[2]);
}

static int compare(struct bench *bench, const struct measurement *self, struct cli *alone,
                   struct cli *with_server, struct heel_error **err)
{
    struct contestant contestants[] = {
        {.name = "heelcli run, no server", .once = run_cli, .data = alone},
        {.name = "heelcli run, with a server", .once = run_cli, .data = with_server},
        {.name = "bwrap --unshare-all", .once = bench_run_bwrap, .data = bench},
    };
    int result = contest_run(contestants, 3, bench_count(bench, 500, 50), 10, err);

    if (result == 0)
        add_results(bench, self, contestants);
    contest_clear(contestants, 3);
    return result;
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    struct daemon *daemon = bench_daemon(bench, err);
    heel_autofree char *folder = heel_format("%s/cli", bench->folder);
    heel_autofree char *runtime_dir = heel_format("XDG_RUNTIME_DIR=%s", folder);
    heel_autofree char *state_home = heel_format("XDG_STATE_HOME=%s", folder);
    heel_autofree char *address = NULL;
    struct cli alone = {.heelcli = bench->heelcli}, with_server = alone;
    int result;

    if (!daemon)
        return -1;
    if (!bench->bwrap || has_default_server()) {
        report_skip(bench->report, self->name,
                    bench->bwrap ? "a server listens on the default socket"
                                 : "bwrap is not installed");
        return 0;
    }
    mkdir(folder, 0700);
    address = heel_format("HEEL_ADDRESS=unix:%s", daemon->socket);
    alone.environment = child_environment((const char *[]){runtime_dir, state_home, NULL});
    with_server.environment =
        child_environment((const char *[]){runtime_dir, state_home, address, NULL});
    result = compare(bench, self, &alone, &with_server, err);
    free(alone.environment);
    free(with_server.environment);
    return result;
}

const struct measurement measure_cli = {
    .name = "cli",
    .targets =
        {
            [ALONE] = {"heelcli run -- /bin/true, no server", "x", TARGET_AT_MOST, 1.5},
            [WITH_SERVER] = {"heelcli run -- /bin/true, with a server", "x", TARGET_AT_MOST, 1.0},
        },
    .run = run,
};

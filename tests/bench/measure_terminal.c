/* A keystroke on its way to a terminal and back: over Exec, on a terminal of this process's own,
 * and through what else people type into. The line discipline echoes; the program reads on and
 * writes nothing. */
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/exec_stream.h"
#include "tests/bench/pty.h"
#include "tests/bench/ssh_peer.h"

#define SCRIPT "/usr/bin/script"
#define PODMAN "/usr/bin/podman"
#define PODMAN_IMAGE "localhost/heel-bench" /* has a shell; whoever wants the row makes it */

#define GREETING "ready"
/* For a shell. Character by character, because a line that nobody ends fills up. */
#define RECIPE "stty -icanon && printf " GREETING " && exec cat >/dev/null"

#define MICROSECONDS 1e3 /* of a millisecond */

enum { ADDED, BWRAP, SCRIPT_ADDED, SSH_ADDED, PODMAN_ADDED, TARGETS };
enum { OWN, EXEC, PEERS }; /* contestants */

/* Who takes turns: a terminal of our own, Exec's, then whoever is installed. */
struct race {
    struct contestant contestants[PEERS + TARGETS];
    size_t targets[PEERS + TARGETS];   /* the row of each, but of the first */
    struct pty *ptys[PEERS + TARGETS]; /* owned; NULL for Exec's */
    size_t count;
};

/* ---- contestants ---- */

static int echo_inside(void *data, struct heel_error **err)
{
    struct exec_stream *exec = data;

    exec_stream_type(exec, "x", 1);
    return exec_stream_read(exec, exec_stream_received(exec) + 1, err);
}

static int echo_outside(void *data, struct heel_error **err)
{
    return pty_echo(data, 'x', err);
}

static int enter_own(struct race *race, struct heel_error **err)
{
    static const char *const argv[] = {"/bin/sh", "-c", RECIPE, NULL};

    race->ptys[OWN] = pty_open(argv, GREETING, false, err);
    race->contestants[OWN] = (struct contestant){
        .name = "a terminal without heel", .once = echo_outside, .data = race->ptys[OWN]};
    race->count = PEERS;
    return race->ptys[OWN] ? 0 : -1;
}

static void enter_exec(struct race *race, struct exec_stream *exec)
{
    race->contestants[EXEC] =
        (struct contestant){.name = "Exec", .once = echo_inside, .data = exec};
    race->targets[EXEC] = ADDED;
}

/* Whoever can't take part is named in the table. */
static void enter_peer(struct race *race, struct bench *bench, const struct measurement *self,
                       size_t target, const char *const *argv, bool relays)
{
    heel_autoerror struct heel_error *error = NULL;
    struct pty *pty = pty_open(argv, GREETING, relays, &error);

    if (!pty) {
        report_skip(bench->report, self->name, error->message);
        return;
    }
    race->ptys[race->count] = pty;
    race->targets[race->count] = target;
    race->contestants[race->count++] =
        (struct contestant){.name = self->targets[target].what, .once = echo_outside, .data = pty};
}

static void enter_bwrap(struct race *race, struct bench *bench, const struct measurement *self)
{
    const char *argv[] = {bench->bwrap, "--unshare-all", "--ro-bind", "/",  "/",    "--dev", "/dev",
                          "--proc",     "/proc",         "/bin/sh",   "-c", RECIPE, NULL};

    if (bench->bwrap)
        enter_peer(race, bench, self, BWRAP, argv, false);
    else
        report_skip(bench->report, self->name, "bubblewrap is not installed");
}

static void enter_script(struct race *race, struct bench *bench, const struct measurement *self)
{
    static const char *const argv[] = {SCRIPT, "-q", "-c", RECIPE, "/dev/null", NULL};

    if (access(SCRIPT, X_OK) == 0)
        enter_peer(race, bench, self, SCRIPT_ADDED, argv, true);
    else
        report_skip(bench->report, self->name, SCRIPT " is not installed");
}

static void enter_ssh(struct race *race, struct bench *bench, const struct measurement *self,
                      struct ssh_peer **ssh)
{
    heel_autofree char *folder = heel_format("%s/ssh", bench->folder);
    heel_autoerror struct heel_error *error = NULL;

    *ssh = ssh_peer_open(folder, &error);
    if (*ssh)
        enter_peer(race, bench, self, SSH_ADDED, ssh_peer_session(*ssh, RECIPE), true);
    else
        report_skip(bench->report, self->name, error->message);
}

static void enter_podman(struct race *race, struct bench *bench, const struct measurement *self)
{
    static const char *const argv[] = {PODMAN,       "run", "-it", "--rm", "--network", "none",
                                       PODMAN_IMAGE, "sh",  "-c",  RECIPE, NULL};

    if (access(PODMAN, X_OK) == 0)
        enter_peer(race, bench, self, PODMAN_ADDED, argv, true);
    else
        report_skip(bench->report, self->name, PODMAN " is not installed");
}

/* ---- the race ---- */

static struct spread in_microseconds(struct samples *samples)
{
    struct spread spread = samples_spread(samples);

    spread.p50 *= MICROSECONDS;
    spread.p99 *= MICROSECONDS;
    return spread;
}

static void add_rows(struct bench *bench, const struct measurement *self, struct race *race)
{
    const struct contestant *base = &race->contestants[OWN];
    struct spread own = in_microseconds(&race->contestants[OWN].samples);

    for (size_t i = EXEC; i < race->count; i++) {
        struct result result = {
            .target = &self->targets[race->targets[i]],
            .spread_unit = "us",
            .own = in_microseconds(&race->contestants[i].samples),
            .against = base->name,
            .base = own,
        };

        result.value = result.own.p50 - own.p50;
        report_add(bench->report, self->name, result);
    }
}

static int race_all(struct bench *bench, const struct measurement *self, struct race *race,
                    struct exec_stream *exec, struct heel_error **err)
{
    autossh struct ssh_peer *ssh = NULL;
    int result;

    if (exec_stream_read(exec, strlen(GREETING), err) < 0 || enter_own(race, err) < 0)
        return -1;
    enter_exec(race, exec);
    enter_bwrap(race, bench, self);
    enter_script(race, bench, self);
    enter_ssh(race, bench, self, &ssh);
    enter_podman(race, bench, self);
    result = contest_run(race->contestants, race->count, bench_count(bench, 3000, 100), 50, err);
    if (result == 0)
        add_rows(bench, self, race);
    contest_clear(race->contestants, race->count);
    for (size_t i = 0; i < race->count; i++)
        pty_close(race->ptys[i]);
    return result;
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    static const char *const argv[] = {"sh", "-c", RECIPE};
    struct exec_command command = {.argv = argv, .count = 3, .keep_stdin = true, .terminal = true};
    autochannel struct grpcc_channel *channel = bench_connect(bench, err);
    heel_autofree char *id = NULL;
    struct exec_stream *exec;
    struct race race = {0};
    int result;

    if (!channel || client_create(channel, &id, err) < 0)
        return -1;
    command.sandbox_id = id;
    exec = exec_stream_open(channel, NULL, &command);
    result = race_all(bench, self, &race, exec, err);
    exec_stream_free(exec);
    return result < 0 ? -1 : client_delete(channel, id, err);
}

const struct measurement measure_terminal = {
    .name = "terminal",
    .targets =
        {
            [ADDED] = {"a keystroke's echo, added by Exec", "us", TARGET_AT_MOST, 150},
            [BWRAP] = {"the same, added by bwrap", "us", TARGET_NONE, 0},
            [SCRIPT_ADDED] = {"the same, added by script(1)", "us", TARGET_NONE, 0},
            [SSH_ADDED] = {"the same, added by ssh with ControlMaster", "us", TARGET_NONE, 0},
            [PODMAN_ADDED] = {"the same, added by podman run -it", "us", TARGET_NONE, 0},
        },
    .run = run,
};

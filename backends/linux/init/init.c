/* Init: pid 1 of one sandbox, and its kill switch: when it dies, the kernel kills everything in the
 * pid namespace.
 *
 * It makes the sandbox's file system, confines itself, and then starts commands, which inherit that
 * confinement. It reaps them and every orphan, and kills trees. It runs among code that nobody
 * trusts, with the same uid and in the same Landlock domain: it can't be signalled or stopped from
 * inside because it is pid 1, nor traced because it is not dumpable, and it holds nothing worth
 * having: no capability, and no descriptor but its control socket, whose other end trusts nothing
 * that comes from here. It ends when heeld closes that socket, or the launcher dies. */
#include "backends/linux/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/init/commands.h"
#include "backends/linux/limits/limits.h"
#include "backends/linux/limits/quotas.h"
#include "backends/linux/limits/vantage.h"
#include "backends/linux/messages/protocol.h"
#include "backends/linux/processes/origin.h"
#include "backends/linux/processes/pause.h"
#include "backends/linux/processes/spawn.h"
#include "backends/linux/supervise/hand.h"
#include "base/text.h"

#define HOST_NAME "heel"

struct hand {
    struct hand *next;
    uint32_t id;
    pid_t pid;
};

struct init {
    int control;
    int children; /* signalfd of SIGCHLD */
    bool has_own_quotas;
    struct heel_vantage vantage; /* until heeld has it */
    struct heel_commands commands;
    struct heel_supervision supervision;
    struct hand *hands; /* owned; those that were not reaped yet */
};

/* ---- setting up ---- */

/* A sibling's control socket held open here would keep that one from noticing heeld's death. */
static void keep_only_own(const struct heel_init_start *start)
{
    heel_autofree int *keep = heel_xcalloc(start->mount_count + 1, sizeof *keep);
    size_t count = 0;

    keep[count++] = start->control >= 0 ? start->control : start->cradle;
    for (size_t i = 0; i < start->mount_count; i++)
        if (start->mount_fds[i] >= 0)
            keep[count++] = start->mount_fds[i];
    heel_process_close_others(keep, count);
}

static void become_init(const struct heel_init_start *start)
{
    /* From here on the launcher's death is this one's. Had it died before, then heeld would have
     * closed the control socket. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 1);
    keep_only_own(start);
    setsid();
    heel_process_rename(start->control < 0 ? "heel-spare" : "heel-init");
    if (sethostname(HOST_NAME, strlen(HOST_NAME)))
        _exit(1); /* impossible in a uts namespace of its own */
    heel_quotas_limit(start->quotas);
    /* 0 does not keep a core_pattern pipe from being started, 1 does. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1});
}

/* A spare: waits for the control socket of the sandbox that it will be, and ends with the launcher.
 */
static int be_adopted(int cradle)
{
    heel_automessage struct heel_message message = {0};
    int control = -1;

    if (heel_message_receive(cradle, &message) == 1 && message.type == HEEL_INIT_ADOPT)
        control = heel_message_take_fd(&message, 0);
    if (control < 0)
        _exit(0);
    close(cradle);
    return control;
}

static int receive_plan(const struct init *init, struct heel_plan **plan, struct heel_error **err)
{
    heel_automessage struct heel_message message = {0};
    int got = heel_message_receive(init->control, &message);

    if (got == 0)
        _exit(0);
    if (got < 0 || message.type != HEEL_INIT_PLAN || message.fd_count > 0)
        return heel_error_set(err, HEEL_INTERNAL, NULL,
                              "a sandbox's init got something else than a plan first");
    return heel_plan_decode(message.payload, message.length, plan, err);
}

static int open_needed(struct init *init, struct heel_error **err)
{
    sigset_t children;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    init->children = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    init->commands.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    init->commands.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (init->children < 0 || init->commands.proc < 0 || init->commands.null < 0)
        return heel_error_set_errno(err, errno,
                                    "cannot open /proc and /dev/null inside a new sandbox");
    for (int i = 0; i < 3; i++)
        dup2(init->commands.null, i);
    return 0;
}

static int open_vantage(struct init *init, const struct heel_plan *plan, struct heel_error **err)
{
    if (!heel_limits_measure_processes(&plan->limits))
        return 0;
    return heel_vantage_open(plan->paths.temp_dir, &init->vantage, err);
}

static int make_mounts(const struct heel_plan *plan, const struct heel_init_start *start,
                       struct heel_error **err)
{
    if (start->works)
        return heel_confine_from_template(plan, start->works, start->fingerprint, err);
    return heel_confine_mounts(plan, start->mount_fds, err);
}

/* Whoever makes a mount again later needs this descriptor: once init is confined nobody can get at
 * its mount namespace any more. */
static int tell_mounts(const struct init *init, const struct heel_plan *plan,
                       struct heel_error **err)
{
    heel_autoclose int mounts = -1;
    struct heel_message message = {.type = HEEL_INIT_MOUNTS};

    if (!plan->guarded)
        return 0;
    mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (mounts < 0)
        return heel_error_set_errno(err, errno, "cannot open a sandbox's mount namespace");
    message.fds[message.fd_count++] = mounts;
    if (heel_message_send(init->control, &message))
        _exit(0);
    return 0;
}

static int set_up(struct init *init, const struct heel_init_start *start, struct heel_error **err)
{
    struct heel_plan *plan = NULL;
    int result = -1;

    if (receive_plan(init, &plan, err) == 0 && make_mounts(plan, start, err) == 0 &&
        open_needed(init, err) == 0 && tell_mounts(init, plan, err) == 0 &&
        open_vantage(init, plan, err) == 0)
        result = heel_confine_self(plan, &init->supervision, err);
    if (result == 0)
        heel_limits_for_commands(&plan->limits, start->quotas, &init->commands.limits);
    heel_plan_free(plan);
    /* Credentials changed in between, which may have cleared the first. */
    if (result == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0)))
        result = heel_error_set_errno(err, errno, "cannot make a sandbox's init untraceable");
    return result;
}

static void close_mounts(const struct heel_init_start *start)
{
    for (size_t i = 0; i < start->mount_count; i++)
        if (start->mount_fds[i] >= 0)
            close(start->mount_fds[i]);
}

/* The listener goes to heeld, and nobody else keeps it: once heeld is dead, connects fail instead
 * of waiting for it. */
static void tell_ready(struct init *init)
{
    heel_autobuffer struct heel_buffer payload = {0};
    heel_autoclose int listener = heel_steal_fd(&init->supervision.listener);
    struct heel_message message = {.type = HEEL_INIT_READY};

    heel_put_u32(&payload, init->has_own_quotas);
    heel_put_u32(&payload, (uint32_t)init->supervision.why);
    heel_put_u32(&payload, listener >= 0);
    heel_put_u32(&payload, 0);
    heel_put_u32(&payload, 0);
    message.payload = payload.data;
    message.length = payload.length;
    heel_vantage_attach(&init->vantage, &message);
    if (listener >= 0)
        message.fds[message.fd_count++] = listener;
    if (heel_message_send(init->control, &message))
        _exit(0);
    heel_vantage_close(&init->vantage);
}

/* ---- commands ---- */

static pid_t start_command(void *data, const struct heel_spawn *spawn,
                           struct heel_spawn_failure *failure)
{
    (void)data;
    return heel_spawn(spawn, failure);
}

/* kill(-1) is atomic with regard to forks, so none in progress escapes it, and it spares its
 * caller, pid 1. */
static void kill_all(void *data)
{
    (void)data;
    kill(-1, SIGKILL);
}

/* ---- hands ---- */

static void be_hand(const struct init *init, int socket)
{
    struct heel_hand_start start = {socket, init->commands.proc, init->supervision.pass};
    int keep[] = {socket, init->commands.proc};

    heel_process_close_others(keep, HEEL_ARRAY_LENGTH(keep));
    heel_process_rename("heel-hand");
    heel_hand_run(&start);
}

static void tell_hand_gone(const struct init *init, uint32_t id)
{
    if (heel_message_send(init->control,
                          &(struct heel_message){.type = HEEL_INIT_HAND_GONE, .id = id}))
        _exit(0);
}

/* If no process can be forked the hand's socket is closed, upon which heeld refuses the connect. */
static void on_hand(struct init *init, struct heel_message *message)
{
    heel_autoclose int socket = heel_message_take_fd(message, 0);
    struct hand *hand;
    pid_t pid = socket < 0 ? -1 : fork();

    if (pid == 0)
        be_hand(init, socket);
    if (pid < 0) {
        tell_hand_gone(init, message->id);
        return;
    }
    hand = heel_xcalloc(1, sizeof *hand);
    *hand = (struct hand){init->hands, message->id, pid};
    init->hands = hand;
}

static void on_stop_hand(struct init *init, struct heel_message *message)
{
    for (const struct hand *hand = init->hands; hand; hand = hand->next)
        if (hand->id == message->id)
            kill(hand->pid, SIGKILL); /* not reaped, so its pid is still its own */
}

static void hand_reaped(struct init *init, pid_t pid)
{
    for (struct hand **at = &init->hands; *at; at = &(*at)->next) {
        heel_autofree struct hand *hand = NULL;

        if ((*at)->pid != pid)
            continue;
        hand = *at;
        *at = hand->next;
        tell_hand_gone(init, hand->id);
        return;
    }
}

/* Everything in the pid namespace goes with it. */
static void on_heeld_gone(void *data)
{
    (void)data;
    _exit(0);
}

static const struct heel_command_ways ways = {start_command, kill_all, on_heeld_gone};

static void reap(struct init *init)
{
    struct signalfd_siginfo info[16];
    struct rusage usage;
    int status;
    pid_t pid;

    while (read(init->children, info, sizeof info) > 0)
        ;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        /* A command that made init its tracer (PTRACE_TRACEME) stops instead of ending, and must
         * not pass for one that has ended. It gets nothing of the kind. */
        if (WIFSTOPPED(status))
            kill(pid, SIGKILL);
        else if (!heel_commands_reaped(&init->commands, pid, status, &usage))
            hand_reaped(init, pid); /* or an orphan */
    }
}

/* ---- the loop ---- */

static const struct {
    uint32_t type;
    void (*handle)(struct init *init, struct heel_message *message);
} requests[] = {
    {HEEL_INIT_HAND, on_hand},
    {HEEL_INIT_STOP_HAND, on_stop_hand},
};

static void receive(struct init *init)
{
    heel_automessage struct heel_message message = {0};

    if (heel_message_receive(init->control, &message) != 1)
        _exit(0);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(requests); i++)
        if (requests[i].type == message.type)
            requests[i].handle(init, &message);
    heel_commands_do(&init->commands, &message);
}

static _Noreturn void loop(struct init *init)
{
    for (;;) {
        struct pollfd events[2] = {{init->children, POLLIN, 0}, {init->control, POLLIN, 0}};

        if (poll(events, 2, -1) < 0)
            continue;
        if (events[0].revents)
            reap(init);
        if (events[1].revents)
            receive(init);
    }
}

void heel_init_run(void *data)
{
    const struct heel_init_start *start = data;
    struct init init = {.control = start->control, .vantage = HEEL_VANTAGE_NONE};
    heel_autoerror struct heel_error *error = NULL;
    int failed;

    become_init(start);
    /* In a copy of a template these are done: its maker had the same network and user namespaces.
     */
    failed = start->works ? 0 : heel_confine_network(&error);
    init.has_own_quotas = start->works || heel_quotas_limit_namespace(start->quotas);
    if (init.control < 0) {
        init.control = be_adopted(start->cradle);
        heel_process_rename("heel-init");
    }
    if (heel_commands_init(&init.commands, init.control, &ways, &init, failed ? NULL : &error))
        failed = -1;
    if (failed || set_up(&init, start, &error)) {
        heel_autobuffer struct heel_buffer payload = {0};

        heel_put_error(&payload, error);
        heel_commands_tell(&init.commands, HEEL_INIT_FAILED, 0, &payload);
        _exit(1);
    }
    close_mounts(start);
    tell_ready(&init);
    loop(&init);
}

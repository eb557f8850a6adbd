/* The holder: what init is to a sandbox with namespaces, where there are none.
 *
 * It is the parent of every command and, as a child subreaper, the heir of everything that detaches
 * itself from one: whatever descends from it is its sandbox, and nothing else is. It confines a
 * nursery, which bears the commands, and stays outside of their Landlock domain itself: so they
 * can't signal or trace it, though they have its uid. It can do what its user can: it opens no path
 * and believes nothing that comes from inside. SIGTERM from heeld or the launcher, the launcher's
 * death, and heeld's, make it kill what descends from it until there is nothing left; only then it
 * ends, and that is what they wait for. So nothing else may make it wait. */
#include "backends/linux/init/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/confine/landlock.h"
#include "backends/linux/init/commands.h"
#include "backends/linux/init/nursery.h"
#include "backends/linux/limits/limits.h"
#include "backends/linux/limits/vantage.h"
#include "backends/linux/processes/descendants.h"
#include "backends/linux/processes/origin.h"
#include "base/text.h"

#define ROUND_MS 20 /* between two rounds of killing, where no death wakes it */

struct holder {
    int control;
    int children; /* signalfd of SIGCHLD */
    int end;      /* signalfd of SIGTERM */
    struct heel_nursery_rules rules;
    struct heel_nursery nursery;
    char *measured;              /* owned; TMPDIR, if what is used is measured */
    struct heel_vantage vantage; /* until heeld has it */
    struct heel_commands commands;
};

/* ---- the end ---- */

/* Whether there is still a child. */
static bool reap_silently(void)
{
    pid_t pid;

    do
        pid = waitpid(-1, NULL, WNOHANG);
    while (pid > 0);
    return pid == 0;
}

static _Noreturn void end(struct holder *holder)
{
    struct pollfd death = {holder->children, POLLIN, 0};
    struct signalfd_siginfo info[16];

    heel_nursery_close(&holder->nursery);
    for (;;) {
        heel_children_kill(NULL, NULL);
        while (read(holder->children, info, sizeof info) > 0)
            ;
        if (!reap_silently())
            _exit(0);
        poll(&death, 1, ROUND_MS);
    }
}

/* ---- setting up ---- */

/* While SIGTERM is not blocked it ends the holder at once: only before there is a command. */
static void accept_signal(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(how, &set, NULL);
}

static void become_holder(const struct heel_holder_start *start)
{
    int keep[] = {start->control};

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    accept_signal(SIG_UNBLOCK);
    heel_process_close_others(keep, 1);
    setsid();
    heel_process_rename("heel-init");
    /* Where the uid is not the sandbox's own, the user's other processes count against these
     * limits, too. */
    heel_quotas_limit(start->quotas);
    /* 0 does not keep a core_pattern pipe from being started, 1 does. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1});
}

static int signal_descriptor(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_needed(struct holder *holder, struct heel_error **err)
{
    holder->children = signal_descriptor(SIGCHLD);
    holder->end = signal_descriptor(SIGTERM);
    holder->commands.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    holder->commands.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (holder->children < 0 || holder->end < 0 || holder->commands.proc < 0 ||
        holder->commands.null < 0)
        return heel_error_set_errno(
            err, errno, "cannot open what a sandbox is watched with: signals, /proc, /dev/null");
    return 0;
}

static int receive_plan(const struct holder *holder, struct heel_plan **plan,
                        struct heel_error **err)
{
    heel_automessage struct heel_message message = {0};
    int got = heel_message_receive(holder->control, &message);

    if (got == 0)
        _exit(0);
    if (got < 0 || message.type != HEEL_INIT_PLAN || message.fd_count > 0)
        return heel_error_set(err, HEEL_INTERNAL, NULL,
                              "a sandbox's holder got something else than a plan first");
    return heel_plan_decode(message.payload, message.length, plan, err);
}

static int take_plan(struct holder *holder, const struct heel_holder_start *start,
                     struct heel_error **err)
{
    heel_autoplan struct heel_plan *plan = NULL;

    if (receive_plan(holder, &plan, err))
        return -1;
    if (!plan->bare)
        return heel_error_set(err, HEEL_INTERNAL, NULL, "a sandbox's holder got a plan of mounts");
    heel_limits_for_commands(&plan->limits, start->quotas, &holder->commands.limits);
    if (heel_limits_measure_processes(&plan->limits))
        holder->measured = heel_xstrdup(plan->paths.temp_dir);
    holder->rules.write_xor_execute = plan->write_xor_execute;
    holder->rules.audited = plan->audited;
    holder->rules.landlock = heel_landlock_prepare(plan, err);
    return holder->rules.landlock < 0 ? -1 : 0;
}

static int set_up(struct holder *holder, const struct heel_holder_start *start,
                  struct heel_error **err)
{
    if (heel_confine_identity(start->uid, start->gid, err) || take_plan(holder, start, err) ||
        open_needed(holder, err))
        return -1;
    /* Credentials changed in between, which may have cleared the first. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) || prctl(PR_SET_DUMPABLE, 0) ||
        prctl(PR_SET_CHILD_SUBREAPER, 1))
        return heel_error_set_errno(err, errno, "cannot make a sandbox's holder the heir of it");
    accept_signal(SIG_BLOCK);
    if (heel_nursery_open(&holder->rules, holder->end, &holder->nursery, err))
        return -1;
    holder->commands.pause.shared = holder->commands.tags.shared = true;
    holder->commands.pause.nursery = holder->nursery.pid;
    return !holder->measured ? 0
                             : heel_vantage_open_bare(holder->measured, holder->nursery.pid,
                                                      &holder->vantage, err);
}

/* ---- commands ---- */

/* Kills those that are found now. A process born meanwhile may escape; the meter, which asked for
 * this, measures again. */
static void kill_all(void *data)
{
    const struct holder *holder = data;
    struct heel_pids pids = {0};

    heel_descendants_list(&pids);
    for (size_t i = 0; i < pids.count; i++)
        if (pids.items[i] != holder->nursery.pid)
            heel_descendant_signal(pids.items[i], SIGKILL);
    heel_pids_clear(&pids);
}

/* Whoever killed the nursery could kill everything in the sandbox and, where it was done with
 * kill(-1), did. What is left goes as well, so that the next nursery's commands are alone in their
 * domain. */
static void replace_nursery(struct holder *holder)
{
    struct pollfd death = {holder->children, POLLIN, 0};
    struct rusage usage;
    int status;
    pid_t pid;

    heel_nursery_close(&holder->nursery);
    for (;;) {
        heel_children_kill(NULL, NULL);
        while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
            heel_commands_reaped(&holder->commands, pid, status, &usage);
        if (pid < 0)
            break;
        poll(&death, 1, ROUND_MS);
    }
    if (heel_nursery_open(&holder->rules, holder->end, &holder->nursery, NULL))
        end(holder);
    holder->commands.pause.nursery = holder->nursery.pid;
}

static pid_t start_command(void *data, const struct heel_spawn *spawn,
                           struct heel_spawn_failure *failure)
{
    struct holder *holder = data;
    pid_t pid = heel_nursery_start(&holder->nursery, holder->end, spawn, failure);

    if (pid > 0 || failure->why != ESRCH || failure->kind != HEEL_START_FAILED)
        return pid;
    replace_nursery(holder);
    return heel_nursery_start(&holder->nursery, holder->end, spawn, failure);
}

static void on_heeld_gone(void *data)
{
    end(data);
}

static const struct heel_command_ways ways = {start_command, kill_all, on_heeld_gone};

static void reap(struct holder *holder)
{
    struct signalfd_siginfo info[16];
    struct rusage usage;
    int status;
    pid_t pid;

    while (read(holder->children, info, sizeof info) > 0)
        ;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        /* A command that made the holder its tracer (PTRACE_TRACEME) stops instead of ending, and
         * must not pass for one that has ended. It gets nothing of the kind. */
        if (WIFSTOPPED(status))
            kill(pid, SIGKILL);
        else if (pid == holder->nursery.pid)
            replace_nursery(holder);
        else
            heel_commands_reaped(&holder->commands, pid, status, &usage);
    }
}

/* ---- the loop ---- */

static void receive(struct holder *holder)
{
    heel_automessage struct heel_message message = {0};

    if (heel_message_receive(holder->control, &message) != 1)
        end(holder);
    heel_commands_do(&holder->commands, &message);
}

static _Noreturn void loop(struct holder *holder)
{
    for (;;) {
        struct pollfd events[] = {
            {holder->children, POLLIN, 0}, {holder->end, POLLIN, 0}, {holder->control, POLLIN, 0}};

        if (poll(events, HEEL_ARRAY_LENGTH(events), -1) < 0)
            continue;
        if (events[1].revents)
            end(holder);
        if (events[0].revents)
            reap(holder);
        if (events[2].revents)
            receive(holder);
    }
}

static void tell_ready(struct holder *holder)
{
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_INIT_READY};

    heel_put_u32(&payload, false); /* no quotas of a user namespace's own */
    heel_put_u32(&payload, 0);
    heel_put_u32(&payload, false); /* nothing connects, so nobody supervises it */
    heel_put_u32(&payload, (uint32_t)getpid());
    heel_put_u32(&payload, (uint32_t)holder->nursery.pid);
    message.payload = payload.data;
    message.length = payload.length;
    heel_vantage_attach(&holder->vantage, &message);
    if (heel_message_send(holder->control, &message))
        end(holder);
    heel_vantage_close(&holder->vantage);
}

static _Noreturn void run(const struct heel_holder_start *start)
{
    struct holder holder = {.control = start->control,
                            .children = -1,
                            .end = -1,
                            .rules = {.landlock = -1},
                            .nursery = {.socket = -1},
                            .vantage = HEEL_VANTAGE_NONE};
    heel_autoerror struct heel_error *error = NULL;

    become_holder(start);
    if (heel_commands_init(&holder.commands, holder.control, &ways, &holder, &error) ||
        set_up(&holder, start, &error)) {
        heel_autobuffer struct heel_buffer payload = {0};

        heel_put_error(&payload, error);
        heel_commands_tell(&holder.commands, HEEL_INIT_FAILED, 0, &payload);
        _exit(1); /* the nursery goes with the holder */
    }
    tell_ready(&holder);
    loop(&holder);
}

int heel_holder_bear(const struct heel_holder_start *start, struct heel_newborn *newborn,
                     struct heel_error **err)
{
    int pidfd = -1;
    pid_t launcher = getpid();
    /* Not clone3: containers, and heel's own sandboxes, have none. */
    long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, NULL);

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != launcher)
            _exit(0);
        run(start);
    }
    if (pid < 0)
        return heel_error_set_errno(err, errno, "cannot start a process for a sandbox");
    *newborn = (struct heel_newborn){(pid_t)pid, pidfd};
    return 0;
}

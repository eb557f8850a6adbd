/* Init: pid 1 of one sandbox, and its kill switch: when it dies, the kernel kills everything in the
 * pid namespace.
 *
 * It makes the sandbox's file system, confines itself, and then starts commands, which inherit that
 * confinement. It reaps them and every orphan, and kills trees. It runs among code that nobody
 * trusts, with the same uid and in the same Landlock domain: it can't be signalled or stopped from
 * inside because it is pid 1, nor traced because it is not dumpable, and it holds nothing worth
 * having: no capability, and no descriptor but its control socket, whose other end trusts nothing
 * that comes from here. It ends when heeld closes that socket, or the launcher dies. */
#include "backends/linux/init.h"

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
#include <time.h>
#include <unistd.h>

#include "backends/linux/confine.h"
#include "backends/linux/hand.h"
#include "backends/linux/limits.h"
#include "backends/linux/origin.h"
#include "backends/linux/pause.h"
#include "backends/linux/protocol.h"
#include "backends/linux/quotas.h"
#include "backends/linux/spawn.h"
#include "backends/linux/terminal.h"
#include "backends/linux/tree.h"
#include "backends/linux/vantage.h"
#include "base/text.h"

#define HOST_NAME "heel"

struct command {
    struct command *next;
    uint32_t id;
    pid_t pid;
    uint64_t tag;
    int64_t started_us;
};

struct hand {
    struct hand *next;
    uint32_t id;
    pid_t pid;
};

struct init {
    int control;
    int children; /* signalfd of SIGCHLD */
    int proc;     /* this pid namespace's /proc */
    int null;     /* stdin of commands that have none */
    bool has_own_quotas;
    struct heel_vantage vantage;     /* until heeld has it */
    struct heel_spawn_limits limits; /* of each command */
    struct heel_tree_tags tags;
    struct command *commands; /* owned; those that were not reaped yet */
    struct heel_pause pause;
    struct heel_supervision supervision;
    struct hand *hands; /* owned; those that were not reaped yet */
};

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Blocks while heeld is busy, which never waits for us. */
static void tell(const struct init *init, uint32_t type, uint32_t id,
                 const struct heel_buffer *payload)
{
    struct heel_message message = {.type = type, .id = id};

    if (payload) {
        message.payload = payload->data;
        message.length = payload->length;
    }
    if (heel_message_send(init->control, &message))
        _exit(0);
}

/* ---- setting up */

static int compare_ints(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

/* Closes every descriptor from 3 on that is not in `keep`, which is sorted on the way. */
static void close_others(int *keep, size_t count)
{
    unsigned from = 3;

    qsort(keep, count, sizeof *keep, compare_ints);
    for (size_t i = 0; i < count; i++) {
        if (keep[i] < (int)from)
            continue;
        if (keep[i] > (int)from)
            close_range(from, (unsigned)keep[i] - 1, 0);
        from = (unsigned)keep[i] + 1;
    }
    close_range(from, ~0U, 0);
}

/* A sibling's control socket held open here would keep that one from noticing heeld's death. */
static void keep_only_own(const struct heel_init_start *start)
{
    heel_autofree int *keep = heel_xcalloc(start->mount_count + 1, sizeof *keep);
    size_t count = 0;

    keep[count++] = start->control >= 0 ? start->control : start->cradle;
    for (size_t i = 0; i < start->mount_count; i++)
        if (start->mount_fds[i] >= 0)
            keep[count++] = start->mount_fds[i];
    close_others(keep, count);
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

/* Waits for the sandbox that it will be. The launcher's end is its death, as heeld's is later. */
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
    init->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    init->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (init->children < 0 || init->proc < 0 || init->null < 0)
        return heel_error_set_errno(err, errno,
                                    "cannot open /proc and /dev/null inside a new sandbox");
    for (int i = 0; i < 3; i++)
        dup2(init->null, i);
    if (heel_tree_tags_init(&init->tags))
        return heel_error_set_errno(err, errno, "cannot get random bytes");
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

static int set_up(struct init *init, const struct heel_init_start *start, struct heel_error **err)
{
    struct heel_plan *plan = NULL;
    int result = -1;

    if (receive_plan(init, &plan, err) == 0 && make_mounts(plan, start, err) == 0 &&
        open_needed(init, err) == 0 && open_vantage(init, plan, err) == 0)
        result = heel_confine_self(plan, &init->supervision, err);
    if (result == 0)
        heel_limits_for_commands(&plan->limits, start->quotas, &init->limits);
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
    message.payload = payload.data;
    message.length = payload.length;
    heel_vantage_attach(&init->vantage, &message);
    if (listener >= 0)
        message.fds[message.fd_count++] = listener;
    if (heel_message_send(init->control, &message))
        _exit(0);
    heel_vantage_close(&init->vantage);
}

/* ---- commands */

static struct command *command_find(const struct init *init, uint32_t id)
{
    struct command *command = init->commands;

    while (command && command->id != id)
        command = command->next;
    return command;
}

static void tell_exit(const struct init *init, uint32_t id, const struct heel_exit *exit)
{
    heel_autobuffer struct heel_buffer payload = {0};

    heel_put_exit(&payload, exit);
    tell(init, HEEL_INIT_EXITED, id, &payload);
}

static void tell_not_started(const struct init *init, uint32_t id, enum heel_start_failure kind,
                             int why)
{
    tell_exit(init, id, &(struct heel_exit){.start_failure = kind, .start_errno = why});
}

/* Takes `master` (-1: the command has no terminal) over. */
static void tell_started(const struct init *init, uint32_t id, int master)
{
    struct heel_message message = {.type = HEEL_INIT_STARTED, .id = id};

    if (master >= 0)
        message.fds[message.fd_count++] = master;
    if (heel_message_send(init->control, &message))
        _exit(0);
}

/* Whether it runs. */
static bool start_command(struct init *init, uint32_t id, struct heel_spawn *spawn)
{
    struct heel_spawn_failure failure;
    int64_t started_us = now_us();
    struct command *command;
    pid_t pid;

    spawn->tag = heel_tree_tag_next(&init->tags);
    pid = heel_spawn(spawn, &failure);
    if (pid < 0) {
        tell_not_started(init, id, failure.kind, failure.why);
        return false;
    }
    command = heel_xcalloc(1, sizeof *command);
    *command = (struct command){init->commands, id, pid, spawn->tag, started_us};
    init->commands = command;
    return true;
}

static void start_on_pipes(struct init *init, const struct heel_message *message, bool has_stdin,
                           struct heel_spawn *spawn)
{
    if (message->fd_count != (has_stdin ? 3U : 2U)) {
        tell_not_started(init, message->id, HEEL_START_FAILED, EMFILE);
        return;
    }
    spawn->stdio[0] = has_stdin ? message->fds[0] : init->null;
    spawn->stdio[1] = message->fds[has_stdin];
    spawn->stdio[2] = message->fds[has_stdin + 1];
    if (start_command(init, message->id, spawn))
        tell_started(init, message->id, -1);
}

static void start_on_terminal(struct init *init, uint32_t id, struct heel_terminal_size size,
                              struct heel_spawn *spawn)
{
    struct heel_terminal terminal;

    if (heel_terminal_open(size, &terminal)) {
        tell_not_started(init, id, HEEL_START_NO_TERMINAL, errno);
        return;
    }
    for (int i = 0; i < 3; i++)
        spawn->stdio[i] = terminal.slave;
    spawn->terminal = true;
    if (start_command(init, id, spawn))
        tell_started(init, id, terminal.master);
    heel_terminal_close(&terminal);
}

static void on_start(struct init *init, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_start_request request;
    struct heel_spawn spawn;

    if (command_find(init, message->id))
        return;
    if (heel_get_start(&reader, &request)) {
        tell_not_started(init, message->id, HEEL_START_FAILED, EPROTO);
        return;
    }
    spawn = (struct heel_spawn){.argv = request.argv,
                                .environment = request.environment,
                                .working_dir = request.working_dir,
                                .limits = &init->limits};
    if (request.terminal.rows > 0)
        start_on_terminal(init, message->id, request.terminal, &spawn);
    else
        start_on_pipes(init, message, request.has_stdin, &spawn);
    heel_start_request_clear(&request);
}

static void on_signal(struct init *init, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    int number = (int)heel_get_u32(&reader);
    uint32_t scope = heel_get_u32(&reader);
    const struct command *command = command_find(init, message->id);

    /* Not reaped, so its pid is still its own, and the session that it leads can't be left by its
     * leader. */
    if (!command || !heel_reader_done(&reader) || number <= 0 || number >= _NSIG)
        return;
    if (scope == HEEL_SIGNAL_TREE)
        heel_tree_signal(&init->tags, init->proc, command->tag, number);
    else
        kill(scope == HEEL_SIGNAL_GROUP ? -command->pid : command->pid, number);
}

static void on_pause(struct init *init, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    bool pause = heel_get_u32(&reader) != 0;
    heel_autobuffer struct heel_buffer payload = {0};
    heel_autoerror struct heel_error *error = NULL;

    if (!heel_reader_done(&reader))
        return;
    if (pause ? heel_pause_begin(&init->pause, init->proc)
              : heel_pause_end(&init->pause, init->proc)) {
        heel_error_set_errno(&error, errno, "cannot %s every process of the sandbox",
                             pause ? "stop" : "continue");
        heel_put_error(&payload, error);
    }
    tell(init, HEEL_INIT_PAUSED, 0, &payload);
}

static void on_kill_tree(struct init *init, struct heel_message *message)
{
    const struct command *command = command_find(init, message->id);

    if (command &&
        heel_tree_kill(&init->tags, init->proc, command->pid, command->tag, init->pause.paused))
        tell(init, HEEL_INIT_TREE_LIVES, message->id, NULL);
}

/* At a stroke, which no fork in progress escapes; not this process, which is the pid namespace's
 * first. */
static void on_kill_all(struct init *init, struct heel_message *message)
{
    (void)init;
    (void)message;
    kill(-1, SIGKILL);
}

/* ---- hands */

static void be_hand(const struct init *init, int socket)
{
    struct heel_hand_start start = {socket, init->proc, init->supervision.pass};
    int keep[] = {socket, init->proc};

    close_others(keep, HEEL_ARRAY_LENGTH(keep));
    heel_process_rename("heel-hand");
    heel_hand_run(&start);
}

/* Where there is no room for another process its socket is closed, which tells heeld. */
static void on_hand(struct init *init, struct heel_message *message)
{
    heel_autoclose int socket = heel_message_take_fd(message, 0);
    struct hand *hand;
    pid_t pid = socket < 0 ? -1 : fork();

    if (pid == 0)
        be_hand(init, socket);
    if (pid < 0)
        return;
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
        return;
    }
}

/* ---- the ends of processes */

static int64_t microseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static struct command *command_take(struct init *init, pid_t pid)
{
    for (struct command **at = &init->commands; *at; at = &(*at)->next) {
        if ((*at)->pid == pid) {
            struct command *command = *at;

            *at = command->next;
            return command;
        }
    }
    return NULL;
}

static void reaped(struct init *init, pid_t pid, int status, const struct rusage *usage)
{
    heel_autofree struct command *command = command_take(init, pid);
    struct heel_exit exit = {
        .signalled = WIFSIGNALED(status),
        .code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
        .user_us = microseconds(usage->ru_utime),
        .system_us = microseconds(usage->ru_stime),
        .max_rss_bytes = (uint64_t)usage->ru_maxrss * 1024,
    };

    if (!command) {
        hand_reaped(init, pid); /* or an orphan */
        return;
    }
    exit.wall_us = now_us() - command->started_us;
    tell_exit(init, command->id, &exit);
}

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
        else
            reaped(init, pid, status, &usage);
    }
}

/* ---- the loop */

static const struct {
    uint32_t type;
    void (*handle)(struct init *init, struct heel_message *message);
} requests[] = {
    {HEEL_INIT_START, on_start},         {HEEL_INIT_SIGNAL, on_signal},
    {HEEL_INIT_KILL_TREE, on_kill_tree}, {HEEL_INIT_KILL_ALL, on_kill_all},
    {HEEL_INIT_PAUSE, on_pause},         {HEEL_INIT_HAND, on_hand},
    {HEEL_INIT_STOP_HAND, on_stop_hand},
};

static void receive(struct init *init)
{
    heel_automessage struct heel_message message = {0};

    if (heel_message_receive(init->control, &message) != 1)
        _exit(0);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(requests); i++) {
        if (requests[i].type == message.type) {
            requests[i].handle(init, &message);
            return;
        }
    }
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
    /* A template's maker has seen to the network and the quotas. */
    failed = start->works ? 0 : heel_confine_network(&error);
    init.has_own_quotas = start->works || heel_quotas_limit_namespace(start->quotas);
    if (init.control < 0) {
        init.control = be_adopted(start->cradle);
        heel_process_rename("heel-init");
    }
    if (failed || set_up(&init, start, &error)) {
        heel_autobuffer struct heel_buffer payload = {0};

        heel_put_error(&payload, error);
        tell(&init, HEEL_INIT_FAILED, 0, &payload);
        _exit(1);
    }
    close_mounts(start);
    tell_ready(&init);
    loop(&init);
}

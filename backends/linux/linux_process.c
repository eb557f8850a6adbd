/* The commands of a sandbox from heeld's side. */
#include "backends/linux/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "backends/linux/limits/limits.h"
#include "backends/linux/linux_sandbox.h"
#include "backends/linux/processes/terminal.h"
#include "backends/linux/processes/tree.h"
#include "backends/linux/supervise/supervised_call.h"

#define LARGE_PIPE (256 * 1024) /* bytes: fewer wake-ups for bulk output */
/* So many commands have one. The kernel counts what all pipes of a user could hold, an ordinary
 * user's to 64 MiB, and beyond that it makes new ones of 8 KiB. */
#define LARGE_PIPES 64

struct linux_process {
    struct heel_process base;
    struct linux_process *next;
    uint32_t id;
    bool started;
    uint64_t tag; /* its tree's, once started; see tree.h */
    bool wants_terminal;
    bool large_pipe;
    bool lost_terminal; /* STARTED came without the terminal: this process had no descriptor left */
    bool killing;       /* HEEL_INIT_KILL_TREE was sent, and its exit has not come yet */
    enum heel_limit limit; /* the limit for which it is being killed */
    uint64_t started_ns;
    const struct heel_process_events *events; /* borrowed from the server */
    void *data;
};

static struct linux_sandbox *sandbox_of(const struct linux_process *process)
{
    return heel_container_of(process->base.sandbox, struct linux_sandbox, base);
}

static struct linux_process *process_of(struct heel_process *base)
{
    return heel_container_of(base, struct linux_process, base);
}

/* ---- starting ---- */

/* The three pipes of a command: its ends, and its starter's. */
struct pipes {
    int theirs[3];
    int ours[3];
};

static void close_fds(const int *fds)
{
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int make_pipe(struct pipes *pipes, int stream)
{
    int ends[2];
    int ours = stream == 0; /* the write end of stdin */

    if (pipe2(ends, O_CLOEXEC))
        return -1;
    pipes->ours[stream] = ends[ours];
    pipes->theirs[stream] = ends[!ours];
    /* Each end has flags of its own: the command's stays blocking, as programs expect. */
    return fcntl(pipes->ours[stream], F_SETFL, O_NONBLOCK | (ours ? O_WRONLY : O_RDONLY));
}

/* Programs open their own streams anew (/dev/stdout, /proc/self/fd/1), and a pipe belongs to who
 * made it. */
static int give_pipe(const struct pipes *pipes, int stream, const struct heel_identity *identity)
{
    if (identity->uid == geteuid() && identity->gid == getegid())
        return 0;
    return fchown(pipes->theirs[stream], identity->uid, identity->gid);
}

static int make_pipes(struct pipes *pipes, const struct linux_sandbox *sandbox, int first,
                      struct heel_error **err)
{
    *pipes = (struct pipes){{-1, -1, -1}, {-1, -1, -1}};
    for (int stream = first; stream < 3; stream++) {
        if (make_pipe(pipes, stream) == 0 && give_pipe(pipes, stream, &sandbox->identity) == 0)
            continue;
        heel_error_set_errno(err, errno, "cannot make the pipes of a command");
        close_fds(pipes->ours);
        close_fds(pipes->theirs);
        return -1;
    }
    return 0;
}

/* A pipe that can't grow works all the same. */
static bool enlarge_pipe(struct linux_backend *backend, const struct pipes *pipes)
{
    if (backend->large_pipes >= LARGE_PIPES || pipes->ours[1] < 0 ||
        fcntl(pipes->ours[1], F_SETPIPE_SZ, LARGE_PIPE) < 0)
        return false;
    backend->large_pipes++;
    return true;
}

static int refuse_spent(struct heel_error **err)
{
    heel_error_set(err, HEEL_RESOURCE_EXHAUSTED, "LIMIT_REACHED",
                   "the sandbox has used up its CPU time (limits.cpu_time): nothing can be started "
                   "in it any more");
    if (err)
        heel_error_add_metadata(*err, "limit", "limits.cpu_time");
    return -1;
}

static int check_startable(const struct linux_sandbox *sandbox, struct heel_error **err)
{
    if (!heel_meter_allows_start(&sandbox->meter))
        return refuse_spent(err);
    if (sandbox->created && !sandbox->dead && !sandbox->killed && !sandbox->ending)
        return 0;
    return heel_error_set(err, HEEL_ABORTED, "SANDBOX_DELETED",
                          "the sandbox has ended or is being deleted");
}

static int send_start(struct linux_process *process, const struct heel_command *command,
                      const struct pipes *pipes, struct heel_error **err)
{
    struct linux_sandbox *sandbox = sandbox_of(process);
    const char *working_dir =
        command->working_dir ? command->working_dir : sandbox->preparation.paths.working_dir;
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_INIT_START, .id = process->id};

    heel_put_start(&payload, command, working_dir, pipes->theirs[0] >= 0);
    if (payload.length > HEEL_MESSAGE_PAYLOAD_MAX)
        return heel_error_set_field(err, "command.argv",
                                    "the arguments and environment of a command may take %d MiB",
                                    HEEL_MESSAGE_PAYLOAD_MAX >> 20);
    message.payload = payload.data;
    message.length = payload.length;
    for (int i = 0; i < 3; i++)
        if (pipes->theirs[i] >= 0)
            message.fds[message.fd_count++] = pipes->theirs[i];
    heel_channel_send(&sandbox->control, &message);
    return 0;
}

int linux_process_start(struct heel_sandbox *base, const struct heel_command *command,
                        bool want_stdin, const struct heel_process_events *events, void *data,
                        struct heel_process **process, struct heel_stdio *stdio,
                        struct heel_error **err)
{
    struct linux_sandbox *sandbox = heel_container_of(base, struct linux_sandbox, base);
    heel_autofree struct linux_process *made = NULL;
    struct pipes pipes;

    /* A terminal is made inside, and comes with the news that the command was started. */
    if (check_startable(sandbox, err) || make_pipes(&pipes, sandbox,
                                                    command->terminal ? 3
                                                    : want_stdin      ? 0
                                                                      : 1,
                                                    err))
        return -1;
    made = heel_xcalloc(1, sizeof *made);
    *made = (struct linux_process){.base = {base},
                                   .id = ++sandbox->last_process,
                                   .wants_terminal = command->terminal,
                                   .started_ns = uv_hrtime(),
                                   .events = events,
                                   .data = data};
    if (send_start(made, command, &pipes, err)) {
        close_fds(pipes.ours);
        close_fds(pipes.theirs);
        return -1;
    }
    linux_sandbox_expect_answer(sandbox);
    made->large_pipe = enlarge_pipe(linux_backend_of(sandbox), &pipes);
    made->next = sandbox->processes;
    sandbox->processes = made;
    *stdio = (struct heel_stdio){pipes.ours[0], pipes.ours[1], pipes.ours[2]};
    *process = &heel_steal(made)->base;
    return 0;
}

/* ---- what init says ---- */

static struct linux_process *find(const struct linux_sandbox *sandbox, uint32_t id)
{
    struct linux_process *process = sandbox->processes;

    while (process && process->id != id)
        process = process->next;
    return process;
}

static void unlink_process(struct linux_process *process)
{
    struct linux_process **at = &sandbox_of(process)->processes;

    while (*at != process)
        at = &(*at)->next;
    *at = process->next;
}

static void finish(struct linux_process *process, const struct heel_exit *exit)
{
    unlink_process(process);
    linux_backend_of(sandbox_of(process))->large_pipes -= process->large_pipe;
    process->events->on_exit(&process->base, exit, process->data);
    free(process);
}

static void on_started(struct linux_process *process, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    int terminal;

    if (process->started)
        return;
    terminal = heel_message_take_fd(message, 0);
    process->tag = heel_get_u64(&reader);
    process->started = true;
    heel_meter_wake(&sandbox_of(process)->meter);
    linux_sandbox_answered(sandbox_of(process));
    if (terminal < 0 && process->wants_terminal) {
        process->lost_terminal = true;
        linux_process_kill_tree(&process->base);
        return;
    }
    process->events->on_started(&process->base, terminal, process->data);
}

/* Also by what a shell returns when its child was killed: 128 + SIGKILL. */
static bool was_killed(const struct heel_exit *exit)
{
    return exit->code == (exit->signalled ? SIGKILL : 128 + SIGKILL);
}

/* A limit counts only if its SIGKILL ended the process: one that exited by itself before is done.
 */
static void note_limit(const struct linux_process *process, struct heel_exit *exit)
{
    struct linux_sandbox *sandbox = sandbox_of(process);

    if (was_killed(exit) && process->limit == HEEL_LIMIT_NONE)
        heel_meter_check_kill(&sandbox->meter);
    exit->limit = HEEL_LIMIT_NONE;
    if (was_killed(exit))
        exit->limit = process->limit;
    else if (exit->signalled)
        exit->limit = heel_limits_behind_signal(&sandbox->preparation.spec.limits, exit->code);
}

/* Which shortage kept a command from getting its terminal: heeld's, the host's or the sandbox's. */
static void note_shortage(const struct linux_process *process, struct heel_exit *exit)
{
    if (process->lost_terminal)
        *exit =
            (struct heel_exit){.start_failure = HEEL_START_NO_DESCRIPTOR, .start_errno = EMFILE};
    else if (exit->start_failure == HEEL_START_NO_TERMINAL && !heel_terminals_exhausted())
        exit->start_failure = HEEL_START_TERMINALS_USED;
}

static void on_exited(struct linux_process *process, struct heel_message *message)
{
    struct linux_backend *backend =
        heel_container_of(sandbox_of(process)->base.backend, struct linux_backend, base);
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_exit exit;

    if (heel_get_exit(&reader, &exit) ||
        process->started != (exit.start_failure == HEEL_START_OK)) {
        linux_sandbox_kill(sandbox_of(process));
        return;
    }
    note_limit(process, &exit);
    note_shortage(process, &exit);
    /* Its last refusals are told before its end, unless the kernel is late with them. */
    if (backend->audit)
        linux_audit_catch_up(backend->audit, sandbox_of(process));
    if (!process->started)
        linux_sandbox_answered(sandbox_of(process));
    if (process->killing)
        linux_sandbox_answered(sandbox_of(process));
    finish(process, &exit);
}

/* The tree can't be killed process by process, so the whole sandbox is. */
static void on_tree_lives(struct linux_process *process, struct heel_message *message)
{
    (void)message;
    linux_sandbox_kill(sandbox_of(process));
}

static const struct {
    uint32_t type;
    void (*handle)(struct linux_process *process, struct heel_message *message);
} reports[] = {
    {HEEL_INIT_STARTED, on_started},
    {HEEL_INIT_EXITED, on_exited},
    {HEEL_INIT_TREE_LIVES, on_tree_lives},
};

void linux_process_on_message(struct linux_sandbox *sandbox, struct heel_message *message)
{
    struct linux_process *process = find(sandbox, message->id);

    if (!process)
        return;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(reports); i++) {
        if (reports[i].type == message->type) {
            reports[i].handle(process, message);
            return;
        }
    }
}

void linux_process_all_dead(struct linux_sandbox *sandbox)
{
    while (sandbox->processes) {
        struct linux_process *process = sandbox->processes;
        struct heel_exit exit = {.signalled = true,
                                 .code = SIGKILL,
                                 .limit = process->limit,
                                 .wall_us = (int64_t)((uv_hrtime() - process->started_ns) / 1000)};

        if (!process->started)
            exit = (struct heel_exit){.start_failure = HEEL_START_FAILED, .start_errno = ESRCH};
        finish(process, &exit);
    }
}

static bool read_tag(pid_t host_pid, uint64_t *tag)
{
    heel_autoclose int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return proc >= 0 && heel_tree_tag_read(proc, host_pid, tag);
}

static struct heel_process *process_of_tag(const struct linux_sandbox *sandbox, uint64_t tag)
{
    for (struct linux_process *process = sandbox->processes; process; process = process->next)
        if (process->started && process->tag == tag)
            return &process->base;
    return NULL;
}

struct heel_process *linux_process_of_pid(const struct linux_sandbox *sandbox, pid_t host_pid)
{
    uint64_t tag;

    return read_tag(host_pid, &tag) ? process_of_tag(sandbox, tag) : NULL;
}

struct heel_process *linux_process_of_call(const struct linux_sandbox *sandbox, pid_t host_pid,
                                           pid_t host_parent, pid_t *pid)
{
    bool bare = sandbox->preparation.bare;
    uint64_t tag;

    *pid = bare ? host_pid : 0;
    if (host_pid > 0 && read_tag(host_pid, &tag)) {
        *pid = bare ? host_pid : heel_pid_inside(host_pid);
        return process_of_tag(sandbox, tag);
    }
    if (host_parent > 0 && read_tag(host_parent, &tag))
        return process_of_tag(sandbox, tag);
    return sandbox->processes && !sandbox->processes->next ? &sandbox->processes->base : NULL;
}

/* ---- what the server wants ---- */

static void send_about(struct linux_process *process, uint32_t type,
                       const struct heel_buffer *payload)
{
    struct linux_sandbox *sandbox = sandbox_of(process);
    struct heel_message message = {
        .type = type, .id = process->id, .payload = payload->data, .length = payload->length};

    if (sandbox->control_open)
        heel_channel_send(&sandbox->control, &message);
}

void linux_process_kill_all(struct linux_sandbox *sandbox, enum heel_limit limit)
{
    if (!sandbox->control_open || sandbox->dead)
        return;
    for (struct linux_process *process = sandbox->processes; process; process = process->next)
        if (process->limit == HEEL_LIMIT_NONE)
            process->limit = limit;
    heel_channel_send(&sandbox->control, &(struct heel_message){.type = HEEL_INIT_KILL_ALL});
}

void linux_process_signal(struct heel_process *process, int signal_number,
                          enum heel_signal_scope scope)
{
    heel_autobuffer struct heel_buffer payload = {0};

    heel_put_u32(&payload, (uint32_t)signal_number);
    heel_put_u32(&payload, (uint32_t)scope);
    send_about(process_of(process), HEEL_INIT_SIGNAL, &payload);
}

void linux_process_kill_tree(struct heel_process *base)
{
    struct linux_process *process = process_of(base);
    struct heel_buffer nothing = {0};

    if (process->killing || sandbox_of(process)->dead)
        return;
    process->killing = true;
    linux_sandbox_expect_answer(sandbox_of(process));
    send_about(process, HEEL_INIT_KILL_TREE, &nothing);
}

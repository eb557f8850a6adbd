#include "backends/linux/init/commands.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/processes/terminal.h"
#include "base/clock.h"
#include "base/text.h"

struct heel_running {
    struct heel_running *next;
    uint32_t id;
    pid_t pid;
    uint64_t tag;
    int64_t started_us;
};

int heel_commands_init(struct heel_commands *commands, int control,
                       const struct heel_command_ways *ways, void *data, struct heel_error **err)
{
    *commands = (struct heel_commands){
        .control = control, .ways = ways, .data = data, .proc = -1, .null = -1};
    if (heel_tree_tags_init(&commands->tags))
        return heel_error_set_errno(err, errno, "cannot get random bytes");
    return 0;
}

void heel_commands_tell(const struct heel_commands *commands, uint32_t type, uint32_t id,
                        const struct heel_buffer *payload)
{
    struct heel_message message = {.type = type, .id = id};

    if (payload) {
        message.payload = payload->data;
        message.length = payload->length;
    }
    if (heel_message_send(commands->control, &message))
        commands->ways->on_heeld_gone(commands->data);
}

static struct heel_running *find(const struct heel_commands *commands, uint32_t id)
{
    struct heel_running *running = commands->running;

    while (running && running->id != id)
        running = running->next;
    return running;
}

static void tell_exit(const struct heel_commands *commands, uint32_t id,
                      const struct heel_exit *exit)
{
    heel_autobuffer struct heel_buffer payload = {0};

    heel_put_exit(&payload, exit);
    heel_commands_tell(commands, HEEL_INIT_EXITED, id, &payload);
}

static void tell_not_started(const struct heel_commands *commands, uint32_t id,
                             enum heel_start_failure kind, int why)
{
    tell_exit(commands, id, &(struct heel_exit){.start_failure = kind, .start_errno = why});
}

/* `master` is -1 where the command has no terminal. */
static void tell_started(const struct heel_commands *commands, uint32_t id, uint64_t tag,
                         int master)
{
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_message message = {.type = HEEL_INIT_STARTED, .id = id};

    heel_put_u64(&payload, tag);
    message.payload = payload.data;
    message.length = payload.length;

    if (master >= 0)
        message.fds[message.fd_count++] = master;
    if (heel_message_send(commands->control, &message))
        commands->ways->on_heeld_gone(commands->data);
}

/* Whether it runs. */
static bool start(struct heel_commands *commands, uint32_t id, struct heel_spawn *spawn)
{
    struct heel_spawn_failure failure;
    int64_t started_us = heel_clock_us();
    struct heel_running *running;
    pid_t pid;

    spawn->tag = heel_tree_tag_next(&commands->tags);
    pid = commands->ways->start(commands->data, spawn, &failure);
    if (pid < 0) {
        tell_not_started(commands, id, failure.kind, failure.why);
        return false;
    }
    running = heel_xcalloc(1, sizeof *running);
    *running = (struct heel_running){commands->running, id, pid, spawn->tag, started_us};
    commands->running = running;
    return true;
}

static void start_on_pipes(struct heel_commands *commands, const struct heel_message *message,
                           bool has_stdin, struct heel_spawn *spawn)
{
    if (message->fd_count != (has_stdin ? 3U : 2U)) {
        tell_not_started(commands, message->id, HEEL_START_FAILED, EMFILE);
        return;
    }
    spawn->stdio[0] = has_stdin ? message->fds[0] : commands->null;
    spawn->stdio[1] = message->fds[has_stdin];
    spawn->stdio[2] = message->fds[has_stdin + 1];
    if (start(commands, message->id, spawn))
        tell_started(commands, message->id, spawn->tag, -1);
}

static void start_on_terminal(struct heel_commands *commands, uint32_t id,
                              struct heel_terminal_size size, struct heel_spawn *spawn)
{
    struct heel_terminal terminal;

    if (heel_terminal_open(size, &terminal)) {
        tell_not_started(commands, id, errno == ENOSPC ? HEEL_START_NO_TERMINAL : HEEL_START_FAILED,
                         errno);
        return;
    }
    for (int i = 0; i < 3; i++)
        spawn->stdio[i] = terminal.slave;
    spawn->terminal = true;
    if (start(commands, id, spawn))
        tell_started(commands, id, spawn->tag, terminal.master);
    heel_terminal_close(&terminal);
}

static void on_start(struct heel_commands *commands, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_start_request request;
    struct heel_spawn spawn;

    if (find(commands, message->id))
        return;
    if (heel_get_start(&reader, &request)) {
        tell_not_started(commands, message->id, HEEL_START_FAILED, EPROTO);
        return;
    }
    spawn = (struct heel_spawn){.argv = request.argv,
                                .environment = request.environment,
                                .working_dir = request.working_dir,
                                .limits = &commands->limits};
    if (request.terminal.rows > 0)
        start_on_terminal(commands, message->id, request.terminal, &spawn);
    else
        start_on_pipes(commands, message, request.has_stdin, &spawn);
    heel_start_request_clear(&request);
}

static struct heel_tree tree_of(const struct heel_commands *commands,
                                const struct heel_running *running)
{
    return (struct heel_tree){&commands->tags, running->tag, commands->proc, &commands->pause};
}

/* While they are stopped by signals SIGSTOP would do nothing, and SIGCONT too much: they count when
 * the sandbox goes on. */
static void note_for_later(struct heel_commands *commands, const struct heel_running *running,
                           uint32_t scope, int number)
{
    struct heel_tree tree = tree_of(commands, running);
    struct heel_pids pids = {0};

    if (scope == HEEL_SIGNAL_TREE)
        heel_tree_list(&tree, &pids);
    else if (scope == HEEL_SIGNAL_GROUP)
        heel_pause_list_group(&commands->pause, commands->proc, running->pid, &pids);
    else
        heel_pids_append(&pids, running->pid);
    if (number == SIGSTOP)
        heel_pause_keep(&commands->pause, &pids);
    else
        heel_pause_let_go(&commands->pause, &pids);
    heel_pids_clear(&pids);
}

static void signal_tree(const struct heel_commands *commands, const struct heel_running *running,
                        int number)
{
    struct heel_tree tree = tree_of(commands, running);

    if (number == SIGKILL)
        heel_tree_kill(&tree, running->pid);
    else if (number == SIGSTOP && commands->pause.mechanism == HEEL_PAUSE_NONE)
        heel_tree_stop(&tree);
    else
        heel_tree_signal(&tree, number);
}

static void on_signal(struct heel_commands *commands, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    int number = (int)heel_get_u32(&reader);
    uint32_t scope = heel_get_u32(&reader);
    const struct heel_running *running = find(commands, message->id);

    /* Not reaped, so its pid is still its own, and the session that it leads can't be left by its
     * leader. */
    if (!running || !heel_reader_done(&reader) || number <= 0 || number >= _NSIG)
        return;
    if (commands->pause.mechanism == HEEL_PAUSE_SIGNALS && (number == SIGSTOP || number == SIGCONT))
        note_for_later(commands, running, scope, number);
    else if (scope == HEEL_SIGNAL_TREE)
        signal_tree(commands, running, number);
    else
        kill(scope == HEEL_SIGNAL_GROUP ? -running->pid : running->pid, number);
}

static void on_group(struct heel_commands *commands, struct heel_message *message)
{
    if (commands->limits.group < 0)
        commands->limits.group = heel_message_take_fd(message, 0);
}

static void on_pause(struct heel_commands *commands, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    uint32_t mechanism = heel_get_u32(&reader);
    heel_autobuffer struct heel_buffer payload = {0};
    heel_autoerror struct heel_error *error = NULL;

    if (!heel_reader_done(&reader) || mechanism > HEEL_PAUSE_FREEZER)
        return;
    if (heel_pause_set(&commands->pause, commands->proc, (enum heel_pause_mechanism)mechanism,
                       &error))
        heel_put_error(&payload, error);
    heel_commands_tell(commands, HEEL_INIT_PAUSED, 0, &payload);
}

static void on_kill_tree(struct heel_commands *commands, struct heel_message *message)
{
    const struct heel_running *running = find(commands, message->id);
    struct heel_tree tree;

    if (!running)
        return;
    tree = tree_of(commands, running);
    if (heel_tree_kill(&tree, running->pid))
        heel_commands_tell(commands, HEEL_INIT_TREE_LIVES, message->id, NULL);
}

static void on_kill_all(struct heel_commands *commands, struct heel_message *message)
{
    (void)message;
    commands->ways->kill_all(commands->data);
}

static const struct {
    uint32_t type;
    void (*handle)(struct heel_commands *commands, struct heel_message *message);
} requests[] = {
    {HEEL_INIT_START, on_start},       {HEEL_INIT_SIGNAL, on_signal},
    {HEEL_INIT_GROUP, on_group},       {HEEL_INIT_KILL_TREE, on_kill_tree},
    {HEEL_INIT_KILL_ALL, on_kill_all}, {HEEL_INIT_PAUSE, on_pause},
};

void heel_commands_do(struct heel_commands *commands, struct heel_message *message)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(requests); i++) {
        if (requests[i].type == message->type) {
            requests[i].handle(commands, message);
            return;
        }
    }
}

static int64_t microseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

static struct heel_running *take(struct heel_commands *commands, pid_t pid)
{
    for (struct heel_running **at = &commands->running; *at; at = &(*at)->next) {
        if ((*at)->pid == pid) {
            struct heel_running *running = *at;

            *at = running->next;
            return running;
        }
    }
    return NULL;
}

bool heel_commands_reaped(struct heel_commands *commands, pid_t pid, int status,
                          const struct rusage *usage)
{
    heel_autofree struct heel_running *running = take(commands, pid);
    struct heel_exit exit = {
        .signalled = WIFSIGNALED(status),
        .code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
        .user_us = microseconds(usage->ru_utime),
        .system_us = microseconds(usage->ru_stime),
        .max_rss_bytes = (uint64_t)usage->ru_maxrss * 1024,
    };

    if (!running)
        return false; /* an orphan */
    exit.wall_us = heel_clock_us() - running->started_us;
    tell_exit(commands, running->id, &exit);
    return true;
}

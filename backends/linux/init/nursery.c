/* The nursery: the one process that a sandbox's commands get their confinement from where there are
 * no namespaces.
 *
 * The holder must stand outside of the commands' Landlock domain, or they could kill it; and
 * they must all be in one, or they could not signal and debug each other. So the holder forks this
 * process, which confines itself and bears every command with that confinement, as the holder's
 * child (CLONE_PARENT): the holder reaps it, and its pid is nobody else's until then. The nursery
 * stands among code that nobody trusts. It can't be traced, as it is not dumpable, and holds
 * nothing worth having; but it can be stopped, which the holder undoes before it asks for anything,
 * and killed, which ends everything in the sandbox: then the holder makes another one. */
#include "backends/linux/init/nursery.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/confine/landlock.h"
#include "backends/linux/processes/origin.h"

#define LOOK_MS 20   /* between looks at whether the nursery was stopped */
#define STOPS_MAX 50 /* looks that may find the nursery stopped, before the holder gives up on it \
                      */

enum {
    READY = 1, /* nursery to holder, first: an error, if it could not confine itself */
    START, /* holder to nursery: tag, limits, then what heeld's START carries, with its descriptors
            */
    STARTED, /* nursery to holder: pid; or 0, why, errno */
};

/* ---- the nursery ---- */

static void reply(int socket, uint32_t type, const struct heel_buffer *payload)
{
    struct heel_message message = {
        .type = type, .payload = payload->data, .length = payload->length};

    if (heel_message_send(socket, &message))
        _exit(0);
}

static int confine(const struct heel_nursery_rules *rules, struct heel_error **err)
{
    if (heel_confine_bare(rules->landlock, rules->audited, rules->write_xor_execute, err))
        return -1;
    if (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL))
        return heel_error_set_errno(err, errno, "cannot make a sandbox's nursery untraceable");
    return 0;
}

static void put_limits(struct heel_buffer *to, const struct heel_spawn_limits *limits)
{
    heel_put_u64(to, limits->processors);
    heel_put_u32(to, (uint32_t)limits->count);
    for (size_t i = 0; i < limits->count; i++) {
        heel_put_u32(to, (uint32_t)limits->items[i].resource);
        heel_put_u64(to, limits->items[i].value);
    }
}

static void get_limits(struct heel_reader *from, struct heel_spawn_limits *limits)
{
    *limits = (struct heel_spawn_limits){.group = -1, .processors = heel_get_u64(from)};
    limits->count = heel_get_u32(from);
    if (limits->count > HEEL_SPAWN_LIMITS_MAX) {
        limits->count = 0;
        from->failed = true;
    }
    for (size_t i = 0; i < limits->count; i++) {
        limits->items[i].resource = (int)heel_get_u32(from);
        limits->items[i].value = heel_get_u64(from);
    }
}

static void put_spawn(struct heel_buffer *to, const struct heel_spawn *spawn)
{
    heel_put_u64(to, spawn->tag);
    heel_put_u32(to, spawn->terminal);
    put_limits(to, spawn->limits);
    heel_put_string(to, spawn->working_dir);
    heel_put_strings(to, spawn->argv);
    heel_put_strings(to, spawn->environment);
}

/* The arrays are the caller's to free, the strings the message's. */
static int get_spawn(struct heel_reader *from, struct heel_spawn *spawn,
                     struct heel_spawn_limits *limits)
{
    spawn->tag = heel_get_u64(from);
    spawn->terminal = heel_get_u32(from) != 0;
    get_limits(from, limits);
    spawn->limits = limits;
    spawn->working_dir = heel_get_string(from);
    spawn->argv = heel_get_strings(from, HEEL_START_STRINGS_MAX);
    spawn->environment = heel_get_strings(from, HEEL_START_STRINGS_MAX);
    return heel_reader_done(from) && spawn->working_dir && spawn->argv[0] ? 0 : -1;
}

static pid_t bear(const struct heel_message *message, struct heel_spawn_failure *failure)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_spawn_limits limits;
    struct heel_spawn spawn = {.for_parent = true};
    pid_t pid = -1;

    if (get_spawn(&reader, &spawn, &limits)) {
        *failure = (struct heel_spawn_failure){HEEL_START_FAILED, EPROTO};
    } else if (message->fd_count != 3) {
        *failure = (struct heel_spawn_failure){HEEL_START_FAILED, EMFILE};
    } else {
        memcpy(spawn.stdio, message->fds, sizeof spawn.stdio);
        pid = heel_spawn(&spawn, failure);
    }
    free((void *)(uintptr_t)spawn.argv);
    free((void *)(uintptr_t)spawn.environment);
    return pid;
}

static void serve(int socket)
{
    heel_automessage struct heel_message message = {0};
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_spawn_failure failure = {0};
    pid_t pid;

    if (heel_message_receive(socket, &message) != 1 || message.type != START)
        _exit(0);
    pid = bear(&message, &failure);
    heel_put_u32(&payload, pid > 0 ? (uint32_t)pid : 0);
    heel_put_u32(&payload, (uint32_t)failure.kind);
    heel_put_u32(&payload, (uint32_t)failure.why);
    reply(socket, STARTED, &payload);
}

static _Noreturn void run(int socket, const struct heel_nursery_rules *rules, pid_t holder)
{
    heel_autobuffer struct heel_buffer payload = {0};
    heel_autoerror struct heel_error *error = NULL;
    int keep[] = {socket, rules->landlock};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != holder)
        _exit(1);
    heel_process_close_others(keep, HEEL_ARRAY_LENGTH(keep));
    heel_process_rename("heel-nursery");
    if (confine(rules, &error))
        heel_put_error(&payload, error);
    reply(socket, READY, &payload);
    if (error)
        _exit(1);
    close(rules->landlock);
    for (;;)
        serve(socket);
}

/* ---- the holder's side ---- */

/* Whether something inside keeps it from answering. */
static bool is_stopped(pid_t pid)
{
    char path[48], text[512];
    heel_autoclose int fd = -1;
    const char *name_end;
    ssize_t length;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (length <= 0)
        return false;
    text[length] = '\0';
    name_end = strrchr(text, ')');
    return name_end && strncmp(name_end, ") T", 3) == 0;
}

/* While the holder waits it can't kill trees or be told to end, so it gives up on a nursery that is
 * stopped again and again. */
static void keep_running(const struct heel_nursery *nursery, unsigned *stops)
{
    if (!is_stopped(nursery->pid))
        return;
    kill(nursery->pid, ++*stops < STOPS_MAX ? SIGCONT : SIGKILL);
}

/* What it says next. 0; -1 where it is dead, or nothing is worth waiting for any more (EINTR). */
static int await(const struct heel_nursery *nursery, int interrupt, uint32_t type,
                 struct heel_message *message)
{
    struct pollfd events[] = {{nursery->socket, POLLIN, 0}, {interrupt, POLLIN, 0}};
    unsigned stops = 0;
    int ready;

    do {
        ready = poll(events, HEEL_ARRAY_LENGTH(events), LOOK_MS);
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready == 0)
            keep_running(nursery, &stops);
    } while (ready <= 0);
    if (!events[0].revents) {
        errno = EINTR;
        return -1;
    }
    if (heel_message_receive(nursery->socket, message) == 1 && message->type == type)
        return 0;
    errno = ESRCH;
    return -1;
}

static int await_ready(const struct heel_nursery *nursery, int interrupt, struct heel_error **err)
{
    heel_automessage struct heel_message message = {0};
    struct heel_reader reader;

    if (await(nursery, interrupt, READY, &message))
        return heel_error_set_errno(err, errno, "a sandbox's nursery did not get ready");
    reader = heel_reader_of(message.payload, message.length);
    return message.length == 0 ? 0 : heel_get_error(&reader, err);
}

int heel_nursery_open(const struct heel_nursery_rules *rules, int interrupt,
                      struct heel_nursery *nursery, struct heel_error **err)
{
    int ends[2];
    pid_t holder = getpid(), pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return heel_error_set_errno(err, errno, "cannot make a socket for a sandbox's nursery");
    pid = fork();
    if (pid == 0)
        run(ends[1], rules, holder);
    close(ends[1]);
    if (pid < 0) {
        int why = errno;

        close(ends[0]);
        return heel_error_set_errno(err, why, "cannot start a sandbox's nursery");
    }
    *nursery = (struct heel_nursery){pid, ends[0]};
    return await_ready(nursery, interrupt, err);
}

static pid_t fail(struct heel_spawn_failure *failure, int why)
{
    *failure = (struct heel_spawn_failure){HEEL_START_FAILED, why};
    return -1;
}

pid_t heel_nursery_start(const struct heel_nursery *nursery, int interrupt,
                         const struct heel_spawn *spawn, struct heel_spawn_failure *failure)
{
    heel_autobuffer struct heel_buffer payload = {0};
    heel_automessage struct heel_message answer = {0};
    struct heel_message request = {.type = START, .fd_count = 3};
    struct heel_reader reader;
    pid_t pid;

    put_spawn(&payload, spawn);
    memcpy(request.fds, spawn->stdio, sizeof spawn->stdio);
    request.payload = payload.data;
    request.length = payload.length;
    kill(nursery->pid, SIGCONT);
    if (heel_message_send(nursery->socket, &request))
        return fail(failure, errno == EPIPE ? ESRCH : errno);
    if (await(nursery, interrupt, STARTED, &answer))
        return fail(failure, errno);
    reader = heel_reader_of(answer.payload, answer.length);
    pid = (pid_t)heel_get_u32(&reader);
    failure->kind = (enum heel_start_failure)heel_get_u32(&reader);
    failure->why = (int)heel_get_u32(&reader);
    if (!heel_reader_done(&reader) || pid < 0)
        return fail(failure, EPROTO);
    return pid > 0 ? pid : -1;
}

void heel_nursery_close(struct heel_nursery *nursery)
{
    if (nursery->socket >= 0)
        close(heel_steal_fd(&nursery->socket));
}

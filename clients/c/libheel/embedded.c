/* A private heeld, as a child on a socket pair.
 *
 * A program that isn't ours may have threads, so nothing of its own can be forked: posix_spawn
 * starts heeld, which serves one connection and exits when that ends. The child's copy of the
 * socket is the only way in and our copy the only hold on it: when this program ends, however it
 * does, the kernel closes that copy and heeld sees the end of the file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/text.h"
#include "clients/c/libheel/client.h"
#include "clients/c/libheel/request.h"

/* Where the child finds its connection. */
#define CHILD_FD 3

/* heeld leaves within its grace period once its connection is gone; after this it is killed. */
#define LEAVE_MS 10000

struct embedded {
    char *program;    /* owned */
    char **arguments; /* owned, with their strings; NULL-terminated */
    bool server_log;
    pid_t pid; /* of the child, 0 while there is none */
    int pidfd; /* of the child, negative where there is none; owned */
};

/* Waits for a child that has lost its connection. Somebody else in this program may have reaped it
 * before; then there is nothing to do, and its pid may already be another's, which is why it is
 * only ever killed by its pidfd. */
static void reap(struct embedded *embedded)
{
    struct pollfd ended = {.fd = embedded->pidfd, .events = POLLIN};

    if (!embedded->pid)
        return;
    if (embedded->pidfd >= 0 && poll(&ended, 1, LEAVE_MS) == 0)
        syscall(SYS_pidfd_send_signal, embedded->pidfd, SIGKILL, NULL, 0);
    while (waitpid(embedded->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (embedded->pidfd >= 0)
        close(embedded->pidfd);
    embedded->pidfd = -1;
    embedded->pid = 0;
}

/* Its own session: a ^C at the terminal is for this program to deal with. Default signals, since
 * what this one ignores or blocks is no business of heeld's. */
static int spawn_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

static int spawn_files(posix_spawn_file_actions_t *files, int connection, bool server_log)
{
    int failure = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    if (!failure)
        failure = posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!failure && !server_log)
        failure = posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!failure)
        failure = posix_spawn_file_actions_adddup2(files, connection, CHILD_FD);
    return failure;
}

static int spawn(struct embedded *embedded, int connection, struct heel_error **err)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    int failure;

    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&files);
    failure = spawn_attributes(&attributes);
    if (!failure)
        failure = spawn_files(&files, connection, embedded->server_log);
    if (!failure)
        failure = posix_spawnp(&embedded->pid, embedded->program, &files, &attributes,
                               embedded->arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (failure) {
        embedded->pid = 0;
        return heel_error_set(
            err, HEEL_UNAVAILABLE, NULL,
            "no server of its own could be started: %s: %s; name heeld with HEEL_HEELD",
            embedded->program, strerror(failure));
    }
    embedded->pidfd = (int)syscall(SYS_pidfd_open, embedded->pid, 0);
    return 0;
}

/* The descriptors 0 to 3 are rebuilt in the child one after the other, so the pair must lie above
 * them. */
static int socket_pair_above(int lowest, int pair[2], struct heel_error **err)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return heel_error_set_errno(err, errno, "no socket pair for a server of its own");
    for (int i = 0; i < 2; i++) {
        int moved = pair[i] > lowest ? pair[i] : fcntl(pair[i], F_DUPFD_CLOEXEC, lowest + 1);

        if (moved == pair[i])
            continue;
        if (moved < 0)
            return heel_error_set_errno(err, errno, "no descriptor for a server of its own");
        close(pair[i]);
        pair[i] = moved;
    }
    return 0;
}

static int embedded_connect(void *state, int *fd, struct heel_error **err)
{
    struct embedded *embedded = state;
    int pair[2] = {-1, -1}, result;

    reap(embedded);
    result = socket_pair_above(CHILD_FD, pair, err);
    if (!result)
        result = spawn(embedded, pair[1], err);
    heel_cleanup_close(&pair[1]);
    if (result)
        heel_cleanup_close(&pair[0]);
    else
        *fd = pair[0];
    return result;
}

static void embedded_free(void *state)
{
    struct embedded *embedded = state;

    reap(embedded);
    for (char **argument = embedded->arguments; *argument; argument++)
        free(*argument);
    free(embedded->arguments);
    free(embedded->program);
    free(embedded);
}

static const struct client_transport embedded_transport = {embedded_connect, embedded_free};

static char *find_program(const struct heel_client_options *options)
{
    const char *program = options->server_program;

    if (!program)
        program = getenv("HEEL_HEELD");
    return heel_xstrdup(program && *program ? program : "heeld");
}

static char **make_arguments(const char *program, const struct heel_client_options *options)
{
    size_t more = 0, count = 0;
    char **arguments;

    while (options->server_arguments && options->server_arguments[more])
        more++;
    arguments = heel_xcalloc(more + 4, sizeof(*arguments));
    arguments[count++] = heel_xstrdup(program);
    arguments[count++] = heel_xstrdup("--connection-fd");
    arguments[count++] = heel_format("%d", CHILD_FD);
    for (size_t i = 0; i < more; i++)
        arguments[count++] = heel_xstrdup(options->server_arguments[i]);
    return arguments;
}

int heel_client_open_embedded(const struct heel_client_options *given, struct heel_client **client,
                              struct heel_error **err)
{
    struct heel_client_options options;
    struct client_connection *connection;
    struct heel_client *opened;
    struct embedded *embedded;

    if (request_read(&options, sizeof(options), given, "heel_client_options", err))
        return -1;
    embedded = heel_xcalloc(1, sizeof(*embedded));
    embedded->program = find_program(&options);
    embedded->arguments = make_arguments(embedded->program, &options);
    embedded->server_log = options.server_log;
    embedded->pidfd = -1;
    opened = client_new(&embedded_transport, embedded,
                        heel_format("its other end, %s", embedded->program), &options);
    connection = client_acquire(opened, err);
    if (!connection) {
        heel_client_close(opened);
        return -1;
    }
    client_release(opened, connection, false);
    *client = opened;
    return 0;
}

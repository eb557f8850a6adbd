/* A hand: the process that makes a sandbox's connects.
 *
 * A program's connect() stops in the kernel and heeld is asked (supervisor.c). heeld must not make
 * the call itself: it could block, and it has rights that the program has not. So it decides, and
 * this process does: it has the namespaces, the uid, the Landlock domain and the system calls of
 * the program, reads the address once from the program's memory, looks where a path leads, waits
 * for heeld's word, and connects the program's own socket to exactly what it saw. Whatever may
 * block (the program's memory, a path, a full backlog, a list of many sockets) blocks this process
 * alone; heeld has others made, and has one killed whose caller is gone.
 *
 * The code around it has the same uid. It can kill and stop a hand, and gets its connects refused;
 * it can't trace one, nor read its memory, because a hand is not dumpable. What a hand has over it
 * is the pass, which lets its own calls through the filter. */
#include "backends/linux/supervise/hand.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/linux/messages/protocol.h"
#include "backends/linux/supervise/connect_decide.h"
#include "backends/linux/supervise/unix_diag.h"

struct hand {
    int socket;
    int diag; /* the list of this network namespace's sockets; -1: it can't be had */
    const struct heel_seccomp_pass *pass;
    int proc;
};

/* One connect. */
struct errand {
    uint32_t id;
    struct heel_hand_request request;
    int socket; /* owned; the caller's */
    int memory; /* owned; its /proc/PID/mem */
    int found;  /* owned; O_PATH of what the path leads to, -1: there is none */
    bool found_socket;
    union {
        struct sockaddr_un path;
        char bytes[HEEL_HAND_NAME_MAX];
    } name;
    size_t length; /* of the name as it was read */
};

static void say(const struct hand *hand, uint32_t type, const struct errand *errand, int error,
                bool bound_here)
{
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_hand_finding finding = {error, bound_here, errand->name.bytes, errand->length};
    struct heel_message message = {.type = type, .id = errand->id};

    heel_put_hand_finding(&payload, &finding);
    message.payload = payload.data;
    message.length = payload.length;
    if (heel_message_send(hand->socket, &message))
        _exit(0);
}

/* heeld's next word on this errand; anything else ends the hand, and so the errand. */
static void hear(const struct hand *hand, const struct errand *errand, struct heel_message *message)
{
    if (heel_message_receive(hand->socket, message) != 1 || message->id != errand->id)
        _exit(0);
}

/* ---- where a path leads ---- */

/* Paths in which the kernel puts the process that asks: for a hand they must lead to its caller's.
 */
static const struct {
    const char *own;
    const char *by_pid;
} selves[] = {
    {"/proc/self/", "/proc/%d/%s"},
    {"/proc/thread-self/", "/proc/%d/%s"},
    {"/dev/fd/", "/proc/%d/fd/%s"},
};

static void ask_for_caller(const struct hand *hand, const struct errand *errand,
                           struct heel_message *answer)
{
    say(hand, HEEL_HAND_WANTS_CALLER, errand, 0, false);
    hear(hand, errand, answer);
}

static int open_relative(const struct hand *hand, const struct errand *errand, const char *path)
{
    heel_automessage struct heel_message caller = {0};
    heel_autoclose int directory = -1;

    ask_for_caller(hand, errand, &caller);
    directory = heel_message_take_fd(&caller, 0);
    if (directory < 0) {
        errno = EACCES;
        return -1;
    }
    return openat(directory, path, O_PATH | O_CLOEXEC);
}

static int open_absolute(const struct hand *hand, const struct errand *errand, const char *path)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(selves); i++) {
        heel_automessage struct heel_message caller = {0};
        heel_autofree char *by_pid = NULL;
        struct heel_reader reader;

        if (!heel_starts_with(path, selves[i].own))
            continue;
        ask_for_caller(hand, errand, &caller);
        reader = heel_reader_of(caller.payload, caller.length);
        by_pid =
            heel_format(selves[i].by_pid, (int)heel_get_u32(&reader), path + strlen(selves[i].own));
        return open(by_pid, O_PATH | O_CLOEXEC);
    }
    return open(path, O_PATH | O_CLOEXEC);
}

/* 0, or an errno as connect() would have given it. */
static int follow(const struct hand *hand, struct errand *errand, const char *path)
{
    struct stat status;

    errand->found =
        path[0] == '/' ? open_absolute(hand, errand, path) : open_relative(hand, errand, path);
    if (errand->found < 0 || fstat(errand->found, &status))
        return errno;
    errand->found_socket = S_ISSOCK(status.st_mode);
    return 0;
}

static bool was_bound_here(const struct hand *hand, const struct errand *errand)
{
    struct heel_socket_file file;

    return hand->diag >= 0 && heel_socket_file_of(hand->proc, errand->found, &file) == 0 &&
           heel_unix_diag_bound(hand->diag, &file);
}

/* Connects by the descriptor: by now the path may lead elsewhere. */
static int connect_found(const struct hand *hand, const struct errand *errand)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "self/fd/%d", errand->found);
    return heel_seccomp_connect(hand->pass, errand->socket, &address, sizeof address) ? errno : 0;
}

static int connect_path(const struct hand *hand, struct errand *errand, size_t path_length)
{
    char path[HEEL_HAND_NAME_MAX + 1];
    heel_automessage struct heel_message decision = {0};
    int error;

    memcpy(path, errand->name.path.sun_path, path_length);
    path[path_length] = '\0';
    error = follow(hand, errand, path);
    if (error)
        return error;
    if (!errand->found_socket)
        return connect_found(hand, errand); /* connect() returns the right errno */
    say(hand, HEEL_HAND_FOUND, errand, 0, was_bound_here(hand, errand));
    hear(hand, errand, &decision);
    return decision.type == HEEL_HAND_GO ? connect_found(hand, errand) : -1;
}

/* ---- one connect ---- */

static int read_name(struct errand *errand)
{
    size_t length = errand->request.length;

    if (pread(errand->memory, errand->name.bytes, length, (off_t)errand->request.address) !=
        (ssize_t)length)
        return EFAULT;
    errand->length = length;
    return 0;
}

/* 0, an errno, or -1: heeld refused it and has told the caller. */
static int run_errand(const struct hand *hand, struct errand *errand)
{
    size_t path_length;
    int error = read_name(errand);

    if (error)
        return error;
    path_length =
        heel_connect_path_length(errand->request.domain, errand->name.bytes, errand->length);
    if (path_length > 0)
        return connect_path(hand, errand, path_length);
    return heel_seccomp_connect(hand->pass, errand->socket, errand->name.bytes,
                                (uint32_t)errand->length)
               ? errno
               : 0;
}

static void close_errand(const struct errand *errand)
{
    close(errand->socket);
    close(errand->memory);
    if (errand->found >= 0)
        close(errand->found);
}

static void on_request(const struct hand *hand, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct errand errand = {.id = message->id, .found = -1};
    int error;

    if (message->type != HEEL_HAND_CONNECT || message->fd_count != 2 ||
        heel_get_hand_request(&reader, &errand.request))
        _exit(0);
    errand.socket = heel_message_take_fd(message, 0);
    errand.memory = heel_message_take_fd(message, 1);
    error = run_errand(hand, &errand);
    close_errand(&errand);
    if (error >= 0)
        say(hand, HEEL_HAND_DONE, &errand, error, false);
}

_Noreturn void heel_hand_run(const struct heel_hand_start *start)
{
    struct hand hand = {start->socket, -1, &start->pass, start->proc};

    prctl(PR_SET_DUMPABLE, 0);
    hand.diag =
        heel_seccomp_socket(&start->pass, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fchdir(start->proc))
        _exit(0);
    for (;;) {
        heel_automessage struct heel_message message = {0};

        if (heel_message_receive(hand.socket, &message) != 1)
            _exit(0);
        on_request(&hand, &message);
    }
}

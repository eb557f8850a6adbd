/* The process outside that probes are aimed at: argv[1] is its folder, argv[2] a mark to be found
 * by. It says what it has as NAME=VALUE, then "ready", then a line for all that reaches it. */
#include "tests/confinement/probes/probe.h"

#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { SIGNALS, TCP, UDP, STREAM, ABSTRACT, DATAGRAM, ABSTRACT_DATAGRAM, WORK, STDIN, COUNT };

static struct pollfd events[COUNT];
static int shm_id, sem_id, msg_id;
static char posix_name[64];

static int unix_socket(int type, const char *path, bool abstract)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
    int fd = socket(AF_UNIX, type, 0);

    snprintf(address.sun_path + abstract, sizeof address.sun_path - 1, "%s", path);
    if (bind(fd, (const struct sockaddr *)&address, length) != 0 ||
        (type == SOCK_STREAM && listen(fd, 64) != 0))
        exit(3);
    if (!abstract)
        chmod(path, 0777);
    return fd;
}

static int internet_socket(int type, const char *name)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET6, type, 0), both = 0;

    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both);
    if (bind(fd, (const struct sockaddr *)&address, length) != 0 ||
        (type == SOCK_STREAM && listen(fd, 64) != 0) ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        exit(3);
    printf("%s=%d\n", name, ntohs(address.sin6_port));
    return fd;
}

static void make_sockets(const char *folder)
{
    char path[3][100], abstract[2][64];

    snprintf(path[0], sizeof path[0], "%s/stream", folder);
    snprintf(path[1], sizeof path[1], "%s/datagram", folder);
    snprintf(path[2], sizeof path[2], "%s/work.sock", folder);
    snprintf(abstract[0], sizeof abstract[0], "heel-victim-%d", getpid());
    snprintf(abstract[1], sizeof abstract[1], "heel-victim-datagram-%d", getpid());
    events[TCP].fd = internet_socket(SOCK_STREAM, "VICTIM_TCP");
    events[UDP].fd = internet_socket(SOCK_DGRAM, "VICTIM_UDP");
    events[STREAM].fd = unix_socket(SOCK_STREAM, path[0], false);
    events[DATAGRAM].fd = unix_socket(SOCK_DGRAM, path[1], false);
    events[WORK].fd = unix_socket(SOCK_STREAM, path[2], false);
    events[ABSTRACT].fd = unix_socket(SOCK_STREAM, abstract[0], true);
    events[ABSTRACT_DATAGRAM].fd = unix_socket(SOCK_DGRAM, abstract[1], true);
    printf("SOCKET=%s\nDATAGRAM=%s\nABSTRACT=%s\nABSTRACT_DATAGRAM=%s\n", path[0], path[1],
           abstract[0], abstract[1]);
}

static void make_objects(void)
{
    int key = 0x48000000 | getpid();

    shm_id = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    sem_id = semget(key, 1, IPC_CREAT | IPC_EXCL | 0600);
    msg_id = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
    snprintf(posix_name, sizeof posix_name, "/heel-victim-%d", getpid());
    close(shm_open(posix_name, O_CREAT | O_EXCL | O_RDWR, 0600));
    close(mq_open(posix_name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL));
    printf("IPC_KEY=%d\nSHM_ID=%d\nPOSIX_NAME=%s\n", key, shm_id, posix_name);
}

static void remove_objects(void)
{
    shmctl(shm_id, IPC_RMID, NULL);
    semctl(sem_id, 0, IPC_RMID);
    msgctl(msg_id, IPC_RMID, NULL);
    shm_unlink(posix_name);
    mq_unlink(posix_name);
}

static void take(int which)
{
    static const char *const names[] = {
        "signal",
        "tcp",
        "udp",
        "unix stream",
        "abstract stream",
        "datagram",
        "abstract datagram",
        "work stream",
    };
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    char data[256];
    ssize_t got = -1;

    if (which == TCP || which == STREAM || which == ABSTRACT || which == WORK)
        close(accept(events[which].fd, NULL, NULL));
    else if (which == UDP)
        got = recvfrom(events[which].fd, data, sizeof data, 0, (struct sockaddr *)&from, &length);
    else
        got = read(events[which].fd, data, sizeof data);
    if (which == UDP && got > 0)
        sendto(events[UDP].fd, "y", 1, 0, (const struct sockaddr *)&from, length);
    puts(names[which]);
}

/* The runner asks whether all has been said: only now that nothing else waits. */
static void answer(void)
{
    char byte;

    if (read(0, &byte, 1) == 1) {
        puts("sync");
        fflush(stdout);
        return;
    }
    remove_objects();
    exit(0);
}

int main(int argc, char **argv)
{
    sigset_t all;

    if (argc < 3)
        return 2;
    setsid();
    sigfillset(&all);
    sigdelset(&all, SIGTERM);
    sigprocmask(SIG_BLOCK, &all, NULL);
    events[SIGNALS].fd = signalfd(-1, &all, 0);
    make_sockets(argv[1]);
    make_objects();
    printf("VICTIM_PID=%d\nVICTIM_MARK=%s\nready\n", getpid(), argv[2]);
    fflush(stdout);
    for (;;) {
        bool busy = false;

        for (int i = 0; i < COUNT; i++)
            events[i].events = POLLIN;
        if (poll(events, COUNT, -1) < 0)
            continue;
        for (int i = 0; i < STDIN; i++)
            if (events[i].revents) {
                busy = true;
                take(i);
            }
        if (!busy && events[STDIN].revents)
            answer();
    }
}

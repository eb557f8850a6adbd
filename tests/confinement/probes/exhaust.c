/* Takes as much as it gets of something that all processes of a user, or of the machine, share;
 * argv[1] is its name, argv[2] how much at most (0: one, and lets go of it). Says "took N ERROR",
 * and holds it until its standard input ends. */
#include "tests/confinement/probes/probe.h"

#include <mqueue.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <time.h>

#define AIO_EVENTS 64
#define SECONDS 60 /* that nothing of this outlasts */

static int pair[2];

static int take_inotify(long number)
{
    (void)number;
    return inotify_init1(IN_CLOEXEC);
}

static int take_aio(long number)
{
    unsigned long context = 0;

    (void)number;
    return (int)syscall(SYS_io_setup, AIO_EVENTS, &context);
}

static int take_terminal(long number)
{
    (void)number;
    return open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static int take_signal(long number)
{
    union sigval value = {0};
    sigset_t set;

    if (number == 0) {
        sigemptyset(&set);
        sigaddset(&set, SIGRTMIN);
        sigprocmask(SIG_BLOCK, &set, NULL);
    }
    return sigqueue(getpid(), SIGRTMIN, value);
}

static int take_timer(long number)
{
    timer_t timer;

    (void)number;
    return timer_create(CLOCK_MONOTONIC, NULL, &timer);
}

static int take_queue(long number)
{
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
    char name[64];
    int queue;

    snprintf(name, sizeof name, "/heel-%d-%ld", getpid(), number);
    queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
    if (queue >= 0)
        mq_unlink(name);
    return queue;
}

static int take_in_flight(long number)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(200 * sizeof(int))];
    } control = {.header = {CMSG_LEN(200 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec data = {"x", 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};

    if (number % 2 == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return -1;
    for (int i = 0; i < 200; i++)
        ((int *)(void *)CMSG_DATA(&control.header))[i] = pair[0];
    return sendmsg(pair[1], &message, MSG_DONTWAIT) < 0 ? -1 : 0;
}

static int take_pipe(long number)
{
    int ends[2];

    (void)number;
    return pipe(ends);
}

static int take_process(long number)
{
    pid_t pid = fork();

    (void)number;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(1);
        for (int i = 0; i < SECONDS && getppid() > 1; i++)
            sleep(1);
        _exit(0);
    }
    return pid;
}

static int take_locked(long number)
{
    int id = shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600), failed;

    (void)number;
    if (id < 0)
        return -1;
    failed = shmctl(id, SHM_LOCK, NULL) != 0 ? errno : 0;
    if (shmat(id, NULL, 0) == (void *)-1 && !failed)
        failed = errno;
    shmctl(id, IPC_RMID, NULL); /* it goes with the last who has it */
    errno = failed;
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*take)(long number);
    } kinds[] = {
        {"inotify", take_inotify},   {"aio", take_aio},      {"terminals", take_terminal},
        {"signals", take_signal},    {"timers", take_timer}, {"queues", take_queue},
        {"flight", take_in_flight},  {"pipes", take_pipe},   {"locked", take_locked},
        {"processes", take_process},
    };
    char byte;

    if (argc < 3)
        return 2;
    alarm(SECONDS);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        long most = atol(argv[2]), taken = 0;

        if (strcmp(argv[1], kinds[i].name) != 0)
            continue;
        while (taken < most && kinds[i].take(taken) >= 0)
            taken++;
        printf("took %ld %s\n", taken, taken < most ? strerrorname_np(errno) : "all");
        fflush(stdout);
        while (read(0, &byte, 1) > 0)
            ;
        return 0;
    }
    return 2;
}

/* Tries to be connected to a socket outside by changing everything under the check: the address in
 * memory, what a path leads to, and the descriptor, each from a thread of its own.
 *
 *     race CONNECTS SECONDS [naive]
 *
 * In the working directory "outside" is the socket that must not be reached; "inside" is made here.
 * With "naive" it runs under a supervisor of its own that does what heel does not: it looks at the
 * address, and lets the call go on. The server outside is who judges. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTORS 2

static const struct sockaddr_un inside = {AF_UNIX, "inside"};
static const struct sockaddr_un outside = {AF_UNIX, "outside"};
static const struct sockaddr_un alias = {AF_UNIX, "alias"};
static struct sockaddr_un flipping;
static int slots[CONNECTORS];
static atomic_long connects, made, flips;
static atomic_bool over;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void *flip_address(void *unused)
{
    while (!over) {
        memcpy(&flipping, ++flips % 2 ? &inside : &outside, sizeof flipping);
    }
    return unused;
}

static void *flip_path(void *unused)
{
    while (!over) {
        syscall(SYS_renameat2, AT_FDCWD, "alias", AT_FDCWD, "other", 2 /* RENAME_EXCHANGE */);
        flips++;
    }
    return unused;
}

static void *flip_descriptor(void *unused)
{
    int internet = socket(AF_INET, SOCK_STREAM, 0);

    while (!over)
        for (int i = 0; i < CONNECTORS; i++) {
            int fresh = socket(AF_UNIX, SOCK_STREAM, 0);

            dup2(internet, slots[i]);
            dup2(fresh, slots[i]);
            close(fresh);
            flips += 2;
        }
    return unused;
}

static void *accept_all(void *server)
{
    while (!over) {
        int peer = accept(*(int *)server, NULL, NULL);

        if (peer >= 0)
            close(peer);
    }
    return NULL;
}

static void *connect_all(void *slot)
{
    while (!over) {
        const struct sockaddr_un *address = ++connects % 2 ? &flipping : &alias;
        int fresh = socket(AF_UNIX, SOCK_STREAM, 0);

        dup2(fresh, *(int *)slot);
        close(fresh);
        if (connect(*(int *)slot, (const struct sockaddr *)address, sizeof *address) == 0)
            made++;
    }
    return NULL;
}

/* ---- the naive supervisor ---- */

static void supervise_naively(int listener)
{
    for (;;) {
        union {
            struct seccomp_notif call;
            char room[512];
        } got = {.room = {0}};
        struct seccomp_notif_resp answer = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        struct sockaddr_un address = {0};
        struct iovec here = {&address, sizeof address};
        struct iovec there = {NULL, sizeof address};
        char target[128] = "";

        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &got))
            continue;
        there.iov_base = (void *)got.call.data.args[1];
        process_vm_readv((pid_t)got.call.pid, &here, 1, &there, 1, 0);
        if (strcmp(address.sun_path, "alias") != 0 ||
            readlink("alias", target, sizeof target - 1) < 0)
            memcpy(target, address.sun_path, sizeof address.sun_path);
        answer.id = got.call.id;
        if (strcmp(target, "inside") != 0) {
            answer.flags = 0;
            answer.error = -ECONNREFUSED;
        }
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

static void run_under_naive_supervisor(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, filter};
    int listener;
    pid_t supervised;

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                            &program);
    if (listener < 0)
        die("listener");
    /* The supervisor is the parent, which makes no connects. */
    supervised = fork();
    if (supervised < 0)
        die("fork");
    if (supervised == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(listener);
        return;
    }
    signal(SIGCHLD, _exit); /* as the child does */
    supervise_naively(listener);
}

/* ----  ---- */

static void start(void *(*run)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, argument))
        die("pthread_create");
}

int main(int argc, char **argv)
{
    long wanted = argc > 2 ? atol(argv[1]) : 0;
    time_t end = time(NULL) + (argc > 2 ? atol(argv[2]) : 0);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);

    unlink("inside"), unlink("alias"), unlink("other");
    if (bind(server, (const struct sockaddr *)&inside, sizeof inside) || listen(server, 4096) ||
        symlink("inside", "alias") || symlink("outside", "other"))
        die("inside");
    if (argc > 3)
        run_under_naive_supervisor();
    for (int i = 0; i < CONNECTORS; i++)
        slots[i] = open("/dev/null", O_RDONLY);
    start(flip_address, NULL);
    start(flip_path, NULL);
    start(flip_descriptor, NULL);
    start(accept_all, &server);
    for (int i = 0; i < CONNECTORS; i++)
        start(connect_all, &slots[i]);
    while (connects < wanted && time(NULL) < end)
        nanosleep(&(const struct timespec){0, 10000000}, NULL);
    over = true;
    printf("connects %ld made %ld flips %ld\n", connects, made, flips);
    fflush(stdout);
    _exit(0);
}

/* argv[1] gives a socket of its own network to whoever listens on the Unix socket "meet" (give), or
 * takes one and connects it to port argv[2] of 127.0.0.1 (take), for two seconds. */
#include "tests/confinement/probes/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

static const struct sockaddr_un meet = {AF_UNIX, "meet"};
static union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
} control;
static char byte = 'x';
static struct iovec data = {&byte, 1};
static struct msghdr message = {
    .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};

static int give(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), gift = socket(AF_INET, SOCK_STREAM, 0);

    control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &gift, sizeof gift);
    if (connect(fd, (const struct sockaddr *)&meet, sizeof meet) != 0 ||
        sendmsg(fd, &message, 0) != 1) {
        printf("given\t%s\n", strerrorname_np(errno));
        return 0;
    }
    puts(read(fd, &byte, 1) == 1 ? "given\tyes" : "given\tno");
    return 0;
}

static int take(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), from, gift;

    if (bind(listener, (const struct sockaddr *)&meet, sizeof meet) != 0 ||
        listen(listener, 1) != 0)
        return 3;
    puts("listening");
    fflush(stdout);
    from = accept(listener, NULL, NULL);
    if (recvmsg(from, &message, 0) != 1 || send(from, "x", 1, 0) != 1)
        return 3;
    memcpy(&gift, CMSG_DATA(&control.header), sizeof gift);
    for (int i = 0; i < 200; i++) {
        if (connect(gift, (const struct sockaddr *)&to, sizeof to) == 0) {
            probe_open("reach a third sandbox", "connected");
            return probe_end();
        }
        usleep(10000);
    }
    probe_shut("reach a third sandbox", "%s", strerrorname_np(errno));
    return probe_end();
}

int main(int argc, char **argv)
{
    alarm(5);
    return argc > 2 ? take(atoi(argv[2])) : give();
}

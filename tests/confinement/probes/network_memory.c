/* Looks for what an earlier user of this network namespace left: counters, connections, ports. With
 * an argument it leaves such things itself, on port argv[1]. */
#include "tests/confinement/probes/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static struct sockaddr_in address = {.sin_family = AF_INET};

static int use_port(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0),
        server;
    char byte;

    if (bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1) != 0)
        return -1;
    if (connect(client, (const struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    server = accept(listener, NULL, NULL);
    shutdown(server, SHUT_WR);
    if (read(client, &byte, 1) != 0)
        return -1;
    close(client);
    close(server);
    close(listener);
    return 0;
}

static void look(const char *way, const char *path, const char *prefix)
{
    char line[1024], last[1024] = "";
    FILE *file = fopen(path, "r");
    bool used = false;

    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, prefix, strlen(prefix)) == 0)
            snprintf(last, sizeof last, "%s", line);
        used |=
            strncmp(prefix, " ", 2) == 0 && strstr(line, ": ") && !strstr(line, "local_address");
    }
    if (strncmp(prefix, "Tcp:", 4) == 0) { /* the fifth number is ActiveOpens */
        int active = 0;

        sscanf(last, "Tcp: %*d %*d %*d %*d %d", &active);
        used = active > 0;
    }
    if (used)
        probe_open(way, "there are some");
    else
        probe_shut(way, "none");
    if (file)
        fclose(file);
}

int main(int argc, char **argv)
{
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
    if (argc > 2)
        return use_port() == 0 ? 0 : 3;
    look("counters", "/proc/net/snmp", "Tcp:");
    look("connections", "/proc/net/tcp", " ");
    if (use_port() == 0)
        probe_shut("a port in use", "free");
    else
        probe_open("a port in use", "%s", strerrorname_np(errno));
    return probe_end();
}

#include "backends/linux/supervise/connect_decide.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

static sa_family_t family_of(const void *name, size_t length)
{
    sa_family_t family = AF_UNSPEC;

    if (length >= sizeof family)
        memcpy(&family, name, sizeof family);
    return family;
}

size_t heel_connect_path_length(int domain, const void *name, size_t length)
{
    if (domain != AF_UNIX || family_of(name, length) != AF_UNIX || length <= PATH_OFFSET ||
        length > sizeof(struct sockaddr_un))
        return 0;
    return strnlen((const char *)name + PATH_OFFSET, length - PATH_OFFSET);
}

bool heel_connect_path_is_absolute(const struct heel_connect *connect)
{
    return heel_connect_path_length(connect->domain, connect->name, connect->length) > 0 &&
           ((const char *)connect->name)[PATH_OFFSET] == '/';
}

int heel_connect_decide(const struct heel_connect *connect, bool bound_here,
                        struct heel_connect_refusal *refusal)
{
    if (heel_connect_path_length(connect->domain, connect->name, connect->length) == 0 ||
        bound_here)
        return 0;
    *refusal = (struct heel_connect_refusal){
        .rule = "a Unix socket can be connected to only while it listens in the same sandbox",
        .remedy = "start the service inside the sandbox; the host's sockets are out of reach at "
                  "every level",
    };
    /* As if the socket's server were gone: programs are prepared for that. */
    return ECONNREFUSED;
}

/* ---- internet addresses ---- */

static bool is_mapped(const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address);
}

/* Loopback, and the unspecified address, which connects there. */
static bool stays_inside(const void *name, size_t length)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    uint32_t address;

    if (family_of(name, length) == AF_INET && length >= sizeof v4) {
        memcpy(&v4, name, sizeof v4);
        address = ntohl(v4.sin_addr.s_addr);
    } else if (family_of(name, length) == AF_INET6 && length >= sizeof v6) {
        memcpy(&v6, name, sizeof v6);
        if (!is_mapped(&v6.sin6_addr))
            return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
        memcpy(&address, &v6.sin6_addr.s6_addr[12], sizeof address);
        address = ntohl(address);
    } else {
        return true;
    }
    return address == INADDR_ANY || address >> 24 == IN_LOOPBACKNET;
}

bool heel_connect_was_cut_off(const struct heel_connect *connect, int error,
                              struct heel_connect_refusal *refusal)
{
    if (connect->domain != AF_INET && connect->domain != AF_INET6)
        return false;
    if ((error != ENETUNREACH && error != EHOSTUNREACH && error != EADDRNOTAVAIL) ||
        stays_inside(connect->name, connect->length))
        return false;
    *refusal = (struct heel_connect_refusal){
        .rule = "the sandbox's network is a loopback of its own and nothing else",
        .remedy = "run what needs the network outside, and hand its results in",
    };
    return true;
}

/* ---- for people ---- */

static void print_inet(const struct heel_connect *connect, struct heel_buffer *to)
{
    char text[INET6_ADDRSTRLEN] = "?";
    const char *protocol = connect->type == SOCK_DGRAM ? "udp" : "tcp";

    if (family_of(connect->name, connect->length) == AF_INET &&
        connect->length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in address;

        memcpy(&address, connect->name, sizeof address);
        inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
        heel_buffer_printf(to, "%s %s:%u", protocol, text, ntohs(address.sin_port));
    } else if (connect->length >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 address;

        memcpy(&address, connect->name, sizeof address);
        inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
        heel_buffer_printf(to, "%s [%s]:%u", protocol, text, ntohs(address.sin6_port));
    }
}

void heel_connect_print(const struct heel_connect *connect, struct heel_buffer *to)
{
    size_t path_length = heel_connect_path_length(connect->domain, connect->name, connect->length);

    if (path_length > 0)
        heel_buffer_append_escaped(to, (const char *)connect->name + PATH_OFFSET, path_length);
    else if (connect->domain == AF_INET || connect->domain == AF_INET6)
        print_inet(connect, to);
}

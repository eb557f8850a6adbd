#include "clients/c/libheel/address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/runtime_dir.h"
#include "base/text.h"
#include "clients/c/libheel/heel/heel.h"

/* A server that doesn't accept leaves connect() on a full backlog waiting without limit. */
#define CONNECT_SECONDS 10

char *address_default_socket(void)
{
    heel_autofree char *dir = heel_runtime_dir();

    return heel_format("%s/heeld.sock", dir);
}

char *heel_default_address(void)
{
    const char *address = getenv("HEEL_ADDRESS");

    return address && *address ? heel_xstrdup(address) : address_default_socket();
}

int address_parse(const char *address, char **path, struct heel_error **err)
{
    const char *rest = address;

    if (heel_starts_with(rest, "unix:"))
        rest += heel_starts_with(rest, "unix:///") ? strlen("unix://") : strlen("unix:");
    else if (!strchr(rest, '/'))
        return heel_error_set_field(
            err, "address",
            "\"%s\" is no address of a server: give a path with a \"/\" in it, or unix:PATH",
            address);
    if (!*rest || strstr(rest, "://"))
        return heel_error_set_field(
            err, "address",
            "\"%s\" is no address of a server: only Unix sockets work yet, as unix:PATH", address);
    *path = heel_xstrdup(rest);
    return 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return heel_xstrdup(".");
    return slash == path ? heel_xstrdup("/") : heel_format("%.*s", (int)(slash - path), path);
}

static int unavailable(const char *path, int connect_errno, struct heel_error **err)
{
    return heel_error_set(err, HEEL_UNAVAILABLE, NULL,
                          "no server listens at %s: start one with heeld (%s)", path,
                          strerror(connect_errno));
}

static int check_folder(const char *path, struct heel_error **err)
{
    heel_autofree char *folder = folder_of(path);
    heel_autoerror struct heel_error *failure = NULL;

    if (!heel_runtime_dir_check(folder, &failure))
        return 0;
    if (failure->code == HEEL_NOT_FOUND)
        return unavailable(path, ENOENT, err);
    return heel_error_propagate(err, &failure);
}

static int check_server(int fd, const char *path, struct heel_error **err)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length))
        return heel_error_set_errno(err, errno, "who listens at %s can't be found out", path);
    if (peer.uid != geteuid())
        return heel_error_set(
            err, HEEL_PERMISSION_DENIED, NULL,
            "the server at %s belongs to user %u, not to you: name one with HEEL_ADDRESS", path,
            (unsigned)peer.uid);
    return 0;
}

/* A path that doesn't fit into a socket address is reached through a descriptor of its folder,
 * which *folder keeps open. */
static int socket_address(const char *path, struct sockaddr_un *address, int *folder,
                          struct heel_error **err)
{
    heel_autofree char *dir = NULL;
    int length;

    address->sun_family = AF_UNIX;
    if (strlen(path) < sizeof(address->sun_path)) {
        strcpy(address->sun_path, path);
        return 0;
    }
    dir = folder_of(path);
    *folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return errno == ENOENT ? unavailable(path, errno, err)
                               : heel_error_set_errno(err, errno, "%s", dir);
    length = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", *folder,
                      strrchr(path, '/') + 1);
    if (length < 0 || (size_t)length >= sizeof(address->sun_path))
        return heel_error_set_field(err, "address", "the name of the socket %s is too long", path);
    return 0;
}

static int connect_errno(int fd, const struct sockaddr_un *address)
{
    struct timeval timeout = {.tv_sec = CONNECT_SECONDS};

    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    while (connect(fd, (const struct sockaddr *)address, sizeof(*address)))
        if (errno != EINTR)
            return errno;
    return 0;
}

int address_connect(const char *path, bool own_only, int *fd, struct heel_error **err)
{
    struct sockaddr_un address = {0};
    heel_autoclose int folder = -1;
    heel_autoclose int connection = -1;
    int failure;

    if (own_only && check_folder(path, err))
        return -1;
    if (socket_address(path, &address, &folder, err))
        return -1;
    connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0)
        return heel_error_set_errno(err, errno, "no socket to reach a server with");
    failure = connect_errno(connection, &address);
    if (failure == ENOENT || failure == ENOTDIR || failure == ECONNREFUSED || failure == EAGAIN)
        return unavailable(path, failure, err);
    if (failure)
        return heel_error_set_errno(err, failure, "the server at %s can't be reached", path);
    if (own_only && check_server(connection, path, err))
        return -1;
    *fd = heel_steal_fd(&connection);
    return 0;
}

#include "clients/c/cli/connect.h"

#include "base/text.h"
#include "clients/c/cli/autostart.h"
#include "clients/c/cli/private_server.h"
#include "clients/c/libheel/address.h"

int cli_connect_private(const struct cli_options *options, bool brief, struct heel_client **client,
                        struct heel_error **err)
{
    int fd;

    if (private_server_prepare(brief, options->namespaces, err) || private_server_connect(&fd, err))
        return -1;
    return heel_client_open_fd(fd, NULL, client, err);
}

static int connect_named(const char *address, struct heel_client **client, struct heel_error **err)
{
    heel_autofree char *path = NULL;
    int fd;

    if (address_parse(address, &path, err) || address_connect(path, false, &fd, err))
        return -1;
    return heel_client_open_fd(fd, NULL, client, err);
}

/* A server that runs has been told already. */
static int refuse_namespaces(const char *address, struct heel_error **err)
{
    return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                          "--namespaces is for a server that heelcli starts, and one listens at %s "
                          "already: give it to that heeld",
                          address);
}

/* Sockets are connected here and now, before libheel initialises gRPC: a server can make its side
 * ready meanwhile, and where nobody listens the launcher of a private server has to be forked
 * before that. */
int cli_connect(const struct cli_options *options, enum cli_need need, struct heel_client **client,
                struct heel_error **err)
{
    const char *address = options->server ? options->server : getenv("HEEL_ADDRESS");
    heel_autoerror struct heel_error *failure = NULL;
    heel_autofree char *path = NULL;
    int fd;

    if (address && *address)
        return options->namespaces ? refuse_namespaces(address, err)
                                   : connect_named(address, client, err);
    path = address_default_socket();
    if (!address_connect(path, true, &fd, &failure)) {
        if (!options->namespaces)
            return heel_client_open_fd(fd, NULL, client, err);
        close(fd);
        return refuse_namespaces(path, err);
    }
    /* Also where somebody else's folder or socket is in the way: nobody is to be kept by that from
     * what needs no server. */
    if (need != CLI_NEEDS_LASTING)
        return cli_connect_private(options, need == CLI_NEEDS_BRIEF, client, err);
    if (failure->code != HEEL_UNAVAILABLE)
        return heel_error_propagate(err, &failure);
    if (options->autostart.given && !options->autostart.on)
        return heel_error_set(err, HEEL_UNAVAILABLE, NULL,
                              "no server listens at %s: start heeld, or leave out --no-autostart",
                              path);
    if (cli_autostart(path, options->namespaces, &fd, err))
        return -1;
    return heel_client_open_fd(fd, NULL, client, err);
}

void cli_disconnect(struct heel_client *client)
{
    heel_client_close(client);
    private_server_stop();
}

#include "tests/bench/ssh_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/child.h"

#define SSH "/usr/bin/ssh"
#define SSHD "/usr/sbin/sshd"
#define KEYGEN "/usr/bin/ssh-keygen"

struct ssh_peer {
    char *socket; /* owned; where sessions find the connection */
    char *key;    /* owned; path of the user's */
    char *server; /* owned; what runs the server */
    char *script; /* owned; of the last session */
    const char *session[9];
};

static int write_file(const char *path, const char *text, struct heel_error **err)
{
    FILE *file = fopen(path, "we");
    bool written;

    if (!file)
        return heel_error_set_errno(err, errno, "%s", path);
    written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written ? 0 : heel_error_set_errno(err, errno, "write %s", path);
}

static int make_key(const char *path, struct heel_error **err)
{
    const char *argv[] = {KEYGEN, "-q", "-t", "ed25519", "-N", "", "-f", path, NULL};

    return child_run(argv, NULL, err);
}

/* The folder may be anywhere and below anybody's, which sshd would mind. */
static int configure(const struct ssh_peer *peer, const char *folder, struct heel_error **err)
{
    heel_autofree char *host_key = heel_format("%s/host", folder);
    heel_autofree char *config = heel_format("%s/config", folder);
    heel_autofree char *text = heel_format("HostKey %s\n"
                                           "AuthorizedKeysFile %s.pub\n"
                                           "AuthenticationMethods publickey\n"
                                           "PermitRootLogin yes\n"
                                           "StrictModes no\n"
                                           "UsePAM no\n"
                                           "LogLevel QUIET\n",
                                           host_key, peer->key);

    if (mkdir(folder, 0700) < 0)
        return heel_error_set_errno(err, errno, "make %s", folder);
    if (make_key(host_key, err) < 0 || make_key(peer->key, err) < 0)
        return -1;
    return write_file(config, text, err);
}

/* Comes back when the connection is authenticated; what serves the sessions stays behind (-f). */
static int connect_master(const struct ssh_peer *peer, struct heel_error **err)
{
    const char *argv[] = {SSH,
                          "-MNfn",
                          "-F",
                          "/dev/null",
                          "-S",
                          peer->socket,
                          "-i",
                          peer->key,
                          "-o",
                          peer->server,
                          "-oIdentitiesOnly=yes",
                          "-oBatchMode=yes",
                          "-oUserKnownHostsFile=/dev/null",
                          "-oStrictHostKeyChecking=no",
                          "-oLogLevel=ERROR",
                          "localhost",
                          NULL};

    return child_run(argv, NULL, err);
}

static int check_installed(struct heel_error **err)
{
    static const char *const programs[] = {SSH, SSHD, KEYGEN};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(programs); i++)
        if (access(programs[i], X_OK) != 0)
            return heel_error_set(err, HEEL_UNAVAILABLE, NULL, "%s is not installed", programs[i]);
    if (geteuid() == 0 && access("/run/sshd", F_OK) != 0)
        return heel_error_set(err, HEEL_UNAVAILABLE, NULL,
                              "/run/sshd is missing, which a root's sshd needs");
    return 0;
}

struct ssh_peer *ssh_peer_open(const char *folder, struct heel_error **err)
{
    autossh struct ssh_peer *peer = heel_xcalloc(1, sizeof *peer);

    peer->key = heel_format("%s/user", folder);
    peer->server = heel_format("ProxyCommand=" SSHD " -i -f %s/config", folder);
    if (check_installed(err) < 0 || configure(peer, folder, err) < 0)
        return NULL;
    peer->socket = heel_format("%s/s", folder);
    return connect_master(peer, err) < 0 ? NULL : heel_steal(peer);
}

const char *const *ssh_peer_session(struct ssh_peer *peer, const char *script)
{
    const char *const argv[] = {SSH, "-tt", "-F", "/dev/null", "-S", peer->socket, "localhost"};

    free(peer->script);
    peer->script = heel_xstrdup(script);
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(argv); i++)
        peer->session[i] = argv[i];
    peer->session[7] = peer->script;
    return peer->session;
}

static void end_master(const struct ssh_peer *peer)
{
    const char *argv[] = {SSH,          "-q", "-F",   "/dev/null", "-S",
                          peer->socket, "-O", "exit", "localhost", NULL};

    child_run(argv, NULL, NULL);
}

void ssh_peer_close(struct ssh_peer *peer)
{
    if (!peer)
        return;
    if (peer->socket && access(peer->socket, F_OK) == 0)
        end_master(peer);
    free(peer->socket);
    free(peer->key);
    free(peer->server);
    free(peer->script);
    free(peer);
}

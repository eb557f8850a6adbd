#include "server/callers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "server/core.h"
#include "server/log.h"
#include "server/service.h"

#define MAX_STREAMS_PER_CONNECTION 16384
#define GROUPS_GUESS 64

/* Each identity has a gRPC server for as long as heeld runs. A user has as many as it has sets of
 * groups, and with a range of /etc/subuid also many uids. */
#define MAX_IDENTITIES_OF_A_USER 64
#define MAX_IDENTITIES 4096

/* SO_PEERGROUPS tells the size that it needs with ERANGE. */
static int read_groups(int fd, struct heel_caller *identity, struct heel_error **err)
{
    socklen_t size = GROUPS_GUESS * sizeof(gid_t);
    heel_autofree gid_t *groups = heel_xmalloc(size);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0 && errno == ERANGE) {
        groups = heel_xrealloc(groups, size, 1);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
            return heel_error_set_errno(err, errno, "SO_PEERGROUPS");
    } else if (size == GROUPS_GUESS * sizeof(gid_t)) {
        size = 0; /* socketpairs have none to tell */
    }
    identity->group_count = size / sizeof(gid_t);
    identity->groups = heel_steal(groups);
    return 0;
}

int callers_identify(int fd, struct heel_caller *identity, struct heel_error **err)
{
    struct heel_caller found = {0};
    struct ucred credentials;
    socklen_t size = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return heel_error_set_errno(err, errno, "SO_PEERCRED");
    found.uid = credentials.uid;
    found.gid = credentials.gid;
    if (read_groups(fd, &found, err) < 0)
        return -1;
    *identity = found;
    return 0;
}

static bool same_identity(const struct heel_caller *left, const struct heel_caller *right)
{
    return left->uid == right->uid && left->gid == right->gid &&
           left->group_count == right->group_count &&
           (left->group_count == 0 ||
            memcmp(left->groups, right->groups, left->group_count * sizeof *left->groups) == 0);
}

static struct owner *find_owner(struct server_core *core, uid_t uid)
{
    struct owner *owner;

    for (owner = core->owners; owner; owner = owner->next) {
        if (owner->uid == uid)
            return owner;
    }
    owner = heel_xcalloc(1, sizeof *owner);
    owner->uid = uid;
    owner->rings = (struct ring_budget){
        .parent = &core->rings,
        .maximum = core->options.max_ring_bytes_per_caller,
    };
    owner->next = core->owners;
    core->owners = owner;
    return owner;
}

static struct caller *new_caller(struct server_core *core, const struct heel_caller *identity)
{
    const struct grpcc_server_options options = {
        .max_receive_bytes = CALLERS_MAX_REQUEST_BYTES,
        .max_concurrent_streams = MAX_STREAMS_PER_CONNECTION,
    };
    struct caller *caller = heel_xcalloc(1, sizeof *caller);

    caller->core = core;
    caller->owner = find_owner(core, identity->uid);
    caller->identity = *identity;
    turns_init(&caller->turns, core->loop);
    caller->server = grpcc_server_new(core->queue, &options);
    service_register(caller);
    grpcc_server_start(caller->server);
    caller->next = core->callers;
    core->callers = caller;
    return caller;
}

static int check_room(const struct server_core *core, uid_t uid, struct heel_error **err)
{
    unsigned of_all = 0, of_user = 0;

    for (const struct caller *caller = core->callers; caller; caller = caller->next) {
        of_all++;
        of_user += caller->identity.uid == uid;
    }
    if (of_user >= MAX_IDENTITIES_OF_A_USER)
        return heel_error_set(err, HEEL_RESOURCE_EXHAUSTED, NULL,
                              "uid %u has come with %u sets of groups, which is the most", uid,
                              of_user);
    if (of_all >= MAX_IDENTITIES)
        return heel_error_set(err, HEEL_RESOURCE_EXHAUSTED, NULL,
                              "callers of %u identities have come, which is the most", of_all);
    return 0;
}

/* Takes the identity's groups over. NULL and *err if there is no room for another identity. */
static struct caller *find_caller(struct server_core *core, struct heel_caller *identity,
                                  struct heel_error **err)
{
    struct caller *caller = core->callers;

    while (caller && !same_identity(&caller->identity, identity))
        caller = caller->next;
    if (!caller && check_room(core, identity->uid, err) == 0)
        return new_caller(core, identity);
    free((void *)identity->groups);
    return caller;
}

static void refuse_connection(int fd, const struct heel_error *error)
{
    log_failure(LOG_LEVEL_WARN, "connection refused", "caller", error);
    close(fd);
}

void callers_add_connection(struct server_core *core, int fd)
{
    heel_autoerror struct heel_error *error = NULL;
    struct heel_caller identity;
    struct caller *caller;

    if (core->draining) {
        close(fd);
        return;
    }
    if (callers_identify(fd, &identity, &error) < 0 ||
        !(caller = find_caller(core, &identity, &error))) {
        refuse_connection(fd, error);
        return;
    }
    log_event(LOG_LEVEL_DEBUG, "connection accepted", LOG_INT("uid", caller->owner->uid));
    grpcc_server_add_connection(caller->server, fd);
}

int callers_admit_stream(struct caller *caller, struct heel_error **err)
{
    const struct server_options *options = &caller->core->options;
    const struct server_quota quota = {
        .kind = "streams",
        .of_all = caller->core->streams,
        .max_of_all = options->max_streams,
        .of_caller = caller->owner->streams,
        .max_of_caller = options->max_streams_per_caller,
    };

    if (server_admit(&quota, err) < 0)
        return -1;
    caller->core->streams++;
    caller->owner->streams++;
    return 0;
}

void callers_stream_over(struct caller *caller)
{
    caller->core->streams--;
    caller->owner->streams--;
}

static void finish_drain_if_done(struct server_core *core)
{
    for (struct caller *caller = core->callers; caller; caller = caller->next) {
        if (!caller->drained)
            return;
    }
    core->on_drained(core);
}

static void on_server_drained(void *context)
{
    struct caller *caller = context;

    caller->drained = true;
    finish_drain_if_done(caller->core);
}

void callers_drain(struct server_core *core, void (*on_drained)(struct server_core *core))
{
    core->on_drained = on_drained;
    for (struct caller *caller = core->callers; caller; caller = caller->next)
        grpcc_server_drain(caller->server, on_server_drained, caller);
    if (!core->callers)
        on_drained(core);
}

void callers_cancel_all(struct server_core *core)
{
    for (struct caller *caller = core->callers; caller; caller = caller->next)
        grpcc_server_cancel_all(caller->server);
}

void callers_free(struct server_core *core)
{
    while (core->callers) {
        struct caller *caller = core->callers;

        core->callers = caller->next;
        grpcc_server_free(caller->server);
        turns_close(&caller->turns);
        free((void *)caller->identity.groups);
        free(caller);
    }
    while (core->owners) {
        struct owner *owner = core->owners;

        core->owners = owner->next;
        events_clear(&owner->events);
        free(owner);
    }
}

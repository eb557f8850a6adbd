/* Making a sandbox: a spare init where there is a fitting one, a new one else. */
#include "backends/linux/launcher/launcher_parts.h"

#include <unistd.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/init/holder.h"
#include "backends/linux/init/init.h"
#include "backends/linux/processes/birth.h"

int launcher_take_pair(struct launcher *launcher, uid_t uid, gid_t gid, int level,
                       struct heel_namespace_pair *pair, struct heel_error **err)
{
    if (heel_namespace_pool_take(&launcher->pool, uid, gid, level, pair))
        return 0;
    return heel_namespace_pair_make(uid, gid, pair, err);
}

static struct heel_launched *adopt_spare(struct launcher *launcher,
                                         const struct heel_create_request *request, int control,
                                         int *pidfd)
{
    pid_t pid = launcher->spare.newborn.pid;

    if (!heel_spare_adopt(&launcher->spare, request->uid, request->gid, request->level, control,
                          pidfd))
        return NULL;
    return heel_launched_find(&launcher->launched, pid);
}

static struct heel_launched *bear(struct launcher *launcher,
                                  const struct heel_create_request *request,
                                  struct heel_init_start *start, int *pidfd,
                                  struct heel_error **err)
{
    struct heel_namespace_pair pair;
    struct heel_birth birth = {.pair = &pair, .mounts = -1, .init = heel_init_run, .data = start};
    struct heel_newborn newborn;

    if (launcher_take_pair(launcher, request->uid, request->gid, request->level, &pair, err))
        return NULL;
    if (request->level >= 0 && pair.templates[request->level].mounts >= 0) {
        birth.mounts = pair.templates[request->level].mounts;
        start->fingerprint = pair.templates[request->level].fingerprint;
        start->works = launcher->instance.path;
    }
    if (heel_birth_give(&birth, &newborn, err)) {
        heel_namespace_pair_close(&pair);
        return NULL;
    }
    *pidfd = newborn.pidfd;
    return heel_launched_add(&launcher->launched, newborn.pid, pair);
}

static struct heel_launched *launch(struct launcher *launcher,
                                    const struct heel_create_request *request,
                                    struct heel_init_start *start, int *pidfd,
                                    struct heel_error **err)
{
    struct heel_launched *launched = NULL;

    launcher_notice_mounts(launcher);
    if (!start->mount_fds)
        launched = adopt_spare(launcher, request, start->control, pidfd);
    if (!launched)
        launched = bear(launcher, request, start, pidfd, err);
    if (launched)
        launched->level = request->level;
    return launched;
}

/* Like launch(), for a sandbox with mounts that only root can make. */
static struct heel_launched *launch_with_mounts(struct launcher *launcher,
                                                const struct heel_create_request *request,
                                                struct heel_init_start *start, int *pidfd,
                                                struct heel_error **err)
{
    struct heel_plan *plan = NULL;
    heel_autofree int *mount_fds = NULL;
    struct heel_launched *launched = NULL;

    if (heel_plan_decode(request->plan, request->plan_length, &plan, err))
        return NULL;
    mount_fds = heel_xcalloc(plan->mount_count, sizeof *mount_fds);
    for (size_t i = 0; i < plan->mount_count; i++)
        mount_fds[i] = -1;
    start->mount_fds = mount_fds;
    start->mount_count = plan->mount_count;
    if (heel_confine_open_named(plan, &request->caller, mount_fds, err) == 0)
        launched = launch(launcher, request, start, pidfd, err);
    for (size_t i = 0; i < plan->mount_count; i++)
        if (mount_fds[i] >= 0)
            close(mount_fds[i]);
    heel_plan_free(plan);
    return launched;
}

/* Without namespaces: nothing is made ahead or shared. */
static struct heel_launched *launch_bare(struct launcher *launcher,
                                         const struct heel_create_request *request, int control,
                                         int *pidfd, struct heel_error **err)
{
    struct heel_holder_start start = {
        .control = control, .uid = request->uid, .gid = request->gid, .quotas = &launcher->quotas};
    const struct heel_namespace_pair none = {.user = -1, .net = -1, .sockstat = -1};
    struct heel_newborn newborn;

    if (heel_holder_bear(&start, &newborn, err))
        return NULL;
    *pidfd = newborn.pidfd;
    return heel_launched_add(&launcher->launched, newborn.pid, none);
}

/* heeld may ask for what its user may have: an ordinary user's heeld for its own uid and gid,
 * root's heeld for any but root's, and for root's if the spec names it (run_as). */
static int check_identity(const struct launcher *launcher,
                          const struct heel_create_request *request, struct heel_error **err)
{
    bool own = request->uid == geteuid() && request->gid == getegid();

    if (launcher->gives_uids ? request->named || (request->uid != 0 && request->gid != 0) : own)
        return 0;
    return heel_error_set(err, HEEL_INTERNAL, NULL,
                          "a sandbox was asked for with uid %u and gid %u", (unsigned)request->uid,
                          (unsigned)request->gid);
}

bool launcher_wants_plan(const struct launcher *launcher, const struct heel_launched *launched)
{
    return launcher->can_share && launched->level >= 0 && launched->pair.uses > 0 &&
           launched->pair.templates[launched->level].mounts < 0;
}

/* A sandbox without a cgroup has its limits measured. So has one without namespaces: its commands
 * are started by the nursery, which could not join.
 */
static void give_cgroup(const struct launcher *launcher, const struct heel_create_request *request,
                        struct heel_launched *launched, int *cgroup)
{
    if (launcher->cgroups.base < 0 || launcher->bare || !heel_cgroup_is_wanted(&request->limits))
        return;
    *cgroup = heel_cgroup_make(&launcher->cgroups, launched->id, &request->limits);
    launched->has_cgroup = *cgroup >= 0;
}

static struct heel_launched *create(struct launcher *launcher, struct heel_message *message,
                                    int *pidfd, int *cgroup, struct heel_error **err)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    heel_autoclose int control = heel_message_take_fd(message, 0);
    struct heel_init_start start = {.control = control, .quotas = &launcher->quotas};
    struct heel_create_request request;
    struct heel_launched *launched = NULL;

    if (control < 0 || heel_get_create(&reader, &request)) {
        heel_error_set(err, HEEL_INTERNAL, NULL, "a request to the launcher was garbled");
        return NULL;
    }
    if (check_identity(launcher, &request, err) == 0)
        launched = launcher->bare ? launch_bare(launcher, &request, control, pidfd, err)
                   : request.plan_length > 0
                       ? launch_with_mounts(launcher, &request, &start, pidfd, err)
                       : launch(launcher, &request, &start, pidfd, err);
    if (launched) {
        launched->id = message->id;
        give_cgroup(launcher, &request, launched, cgroup);
    }
    launcher->next_level = request.level;
    if (launcher->gives_uids && request.next_uid != 0)
        launcher->next_uid = launcher->next_gid = request.next_uid;
    heel_create_request_clear(&request);
    return launched;
}

void launcher_on_create(struct launcher *launcher, struct heel_message *message)
{
    heel_autobuffer struct heel_buffer payload = {0};
    heel_autoerror struct heel_error *error = NULL;
    heel_autoclose int pidfd = -1;
    heel_autoclose int cgroup = -1;
    struct heel_launched *launched = create(launcher, message, &pidfd, &cgroup, &error);

    if (!launched) {
        launcher_reply_error(launcher, HEEL_LAUNCHER_NOT_CREATED, message->id, error);
        return;
    }
    heel_put_u32(&payload, launcher_wants_plan(launcher, launched));
    launcher_reply(launcher, HEEL_LAUNCHER_CREATED, message->id, &payload,
                   (const int[]){pidfd, cgroup}, cgroup < 0 ? 1 : 2);
    if (launcher->options.brief) {
        launcher->makes_spares = false;
        launcher->only = launched->pid;
    }
}

void launcher_on_plan(struct launcher *launcher, struct heel_message *message)
{
    struct heel_launched *launched = heel_launched_find_id(&launcher->launched, message->id);

    if (launched && launched->plan.length == 0)
        heel_buffer_append(&launched->plan, message->payload, message->length);
}

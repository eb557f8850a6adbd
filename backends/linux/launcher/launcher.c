/* The launcher: the process that makes sandboxes.
 *
 * Forked from heeld before that has a second thread, because only a process with one thread can
 * enter user namespaces, and fork() from one with gRPC in it copies locks that nobody will ever
 * release. It is small, keeps nothing of heeld but a socket, and is the parent of every sandbox's
 * init: when it dies they do. It outlives heeld just long enough to kill what that left and to
 * remove its folder. It does what heeld asks, one request after the other, and makes namespaces
 * ahead of time while there are none. */
#include "backends/linux/launcher/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/confine/host.h"
#include "backends/linux/identity/identity.h"
#include "backends/linux/init/holder.h"
#include "backends/linux/init/init.h"
#include "backends/linux/launcher/covers.h"
#include "backends/linux/launcher/launched.h"
#include "backends/linux/launcher/spare.h"
#include "backends/linux/launcher/template.h"
#include "backends/linux/limits/cgroup.h"
#include "backends/linux/limits/quotas.h"
#include "backends/linux/messages/protocol.h"
#include "backends/linux/processes/birth.h"
#include "backends/linux/processes/descendants.h"
#include "backends/linux/processes/namespaces.h"
#include "backends/linux/processes/origin.h"
#include "backends/linux/state/remove_tree.h"
#include "backends/linux/state/state_dir.h"
#include "base/text.h"

#define MOUNTS_QUIET_MS 1000 /* or for this long, when the host's mounts have just changed */
#define SPARE_QUIET_MS \
    3 /* a spare is born when nothing was asked for this long: mounting takes turns, kernel-wide \
       */
#define POOL_KEEP 1        /* pairs that stay ready however long nothing happens */
#define POOL_IDLE_MS 20000 /* others go after this */
#define UNLINKS_MAX 64
#define SWEEP_AGAIN_MS 50 /* after a sweep that found something held, doubled each time */
#define SWEEP_AGAIN_MAX_MS 60000

struct at_death {
    char *path; /* owned */
    dev_t device;
    ino_t inode;
};

struct launcher {
    int socket;
    int children; /* signalfd of SIGCHLD */
    struct heel_backend_options options;
    struct heel_state_instance instance;
    struct heel_namespace_pool pool;
    struct heel_spare spare;
    struct heel_cgroups cgroups;
    struct heel_launched_list launched; /* every one that was not reaped yet */
    struct at_death unlinks[UNLINKS_MAX];
    size_t unlink_count;
    struct heel_covers covers;
    uid_t next_uid; /* the identity that the next sandbox probably has, for the spare */
    gid_t next_gid;
    int next_level;      /* and its level, if its caller names nothing; else -1 */
    int mounts;          /* /proc/self/mountinfo, which tells when the host's mounts change */
    unsigned generation; /* how often they did */
    int spare_quiet_ms;
    int sweep_again_ms; /* when nothing is asked for this long; 0: the last sweep left nothing */
    struct heel_quotas quotas;
    bool gives_uids;   /* each sandbox has one of its own */
    bool bare;         /* and no namespaces */
    bool makes_spares; /* the host supports sandboxes, and more may be asked for */
    bool can_share;    /* templates can be made */
    pid_t only;        /* the one init of a brief heeld, once there is one */
    bool work_done; /* and it is dead: nobody will ask for another, so nobody has to wait for us */
    bool heeld_gone;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void reply(struct launcher *launcher, uint32_t type, uint32_t id,
                  const struct heel_buffer *payload, const int *fds, size_t fd_count)
{
    struct heel_message message = {
        .type = type, .id = id, .payload = payload->data, .length = payload->length};

    while (message.fd_count < fd_count) {
        message.fds[message.fd_count] = fds[message.fd_count];
        message.fd_count++;
    }
    if (heel_message_send(launcher->socket, &message))
        launcher->heeld_gone = true;
}

static void reply_error(struct launcher *launcher, uint32_t type, uint32_t id,
                        const struct heel_error *error)
{
    heel_autobuffer struct heel_buffer payload = {0};

    heel_put_error(&payload, error);
    reply(launcher, type, id, &payload, NULL, 0);
}

/* ---- making one */

/* A spare and the templates show the host's mounts as they were, and keep what was unmounted in
 * use.
 */
static void on_mounts_changed(struct launcher *launcher)
{
    launcher->generation++;
    launcher->spare_quiet_ms = MOUNTS_QUIET_MS;
    heel_spare_drop(&launcher->spare);
    heel_namespace_pool_forget_templates(&launcher->pool);
}

static void notice_mounts(struct launcher *launcher)
{
    struct pollfd event = {launcher->mounts, POLLPRI, 0};

    if (poll(&event, 1, 0) != 0) /* which is told once */
        on_mounts_changed(launcher);
}

static int take_pair(struct launcher *launcher, uid_t uid, gid_t gid, int level,
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

    if (take_pair(launcher, request->uid, request->gid, request->level, &pair, err))
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

    notice_mounts(launcher);
    if (!start->mount_fds)
        launched = adopt_spare(launcher, request, start->control, pidfd);
    if (!launched)
        launched = bear(launcher, request, start, pidfd, err);
    if (launched)
        launched->level = request->level;
    return launched;
}

/* As launch(), with the mounts that only root can make. */
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

/* heeld is trusted as far as its user is: as that user nothing but its own identity, as root never
 * root's unasked. */
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

/* A pair that was used before will probably be used again. */
static bool wants_plan(const struct launcher *launcher, const struct heel_launched *launched)
{
    return launcher->can_share && launched->level >= 0 && launched->pair.uses > 0 &&
           launched->pair.templates[launched->level].mounts < 0;
}

/* Without one its limits are measured: so they are where init does not start the commands itself.
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

static void on_create(struct launcher *launcher, struct heel_message *message)
{
    heel_autobuffer struct heel_buffer payload = {0};
    heel_autoerror struct heel_error *error = NULL;
    heel_autoclose int pidfd = -1;
    heel_autoclose int cgroup = -1;
    struct heel_launched *launched = create(launcher, message, &pidfd, &cgroup, &error);

    if (!launched) {
        reply_error(launcher, HEEL_LAUNCHER_NOT_CREATED, message->id, error);
        return;
    }
    heel_put_u32(&payload, wants_plan(launcher, launched));
    reply(launcher, HEEL_LAUNCHER_CREATED, message->id, &payload, (const int[]){pidfd, cgroup},
          cgroup < 0 ? 1 : 2);
    if (launcher->options.brief) {
        launcher->makes_spares = false;
        launcher->only = launched->pid;
    }
}

static void on_plan(struct launcher *launcher, struct heel_message *message)
{
    struct heel_launched *launched = heel_launched_find_id(&launcher->launched, message->id);

    if (launched && launched->plan.length == 0)
        heel_buffer_append(&launched->plan, message->payload, message->length);
}

/* What is hidden must not show: the sandbox ends instead. */
static void give_up(struct launcher *launcher, uint32_t id)
{
    struct heel_launched *launched = heel_launched_find_id(&launcher->launched, id);

    if (launched)
        kill(launched->pid, SIGKILL);
}

/* Whether `pid` made a mount again. */
static bool covered(struct launcher *launcher, pid_t pid, int status)
{
    uint32_t failed;

    if (!heel_covers_reaped(&launcher->covers, &launcher->launched, pid, status, &failed))
        return false;
    if (failed)
        give_up(launcher, failed);
    return true;
}

static void on_cover(struct launcher *launcher, struct heel_message *message)
{
    struct heel_launched *launched = heel_launched_find_id(&launcher->launched, message->id);
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    struct heel_mount mount = {.kind = (enum heel_mount_kind)heel_get_u32(&reader)};
    heel_autoclose int mounts = heel_message_take_fd(message, 0);

    mount.flags = heel_get_u32(&reader);
    mount.target = (char *)(uintptr_t)heel_get_string(&reader);
    if (!launched || mounts < 0 || !mount.target || !heel_reader_done(&reader))
        return;
    if (heel_covers_start(&launcher->covers, launched, heel_steal_fd(&mounts), &mount))
        give_up(launcher, launched->id);
}

static void on_unlink(struct launcher *launcher, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    const char *path = heel_get_string(&reader);
    struct stat status;

    if (!path || !heel_reader_done(&reader) || launcher->unlink_count == UNLINKS_MAX ||
        lstat(path, &status) || !(S_ISSOCK(status.st_mode) || S_ISREG(status.st_mode)))
        return;
    launcher->unlinks[launcher->unlink_count++] =
        (struct at_death){heel_xstrdup(path), status.st_dev, status.st_ino};
}

static void on_close(struct launcher *launcher, struct heel_message *message)
{
    (void)message;
    while (launcher->unlink_count > 0)
        free(launcher->unlinks[--launcher->unlink_count].path);
}

/* ---- the loop */

static const struct {
    uint32_t type;
    void (*handle)(struct launcher *launcher, struct heel_message *message);
} requests[] = {
    {HEEL_LAUNCHER_CREATE, on_create}, {HEEL_LAUNCHER_PLAN, on_plan},
    {HEEL_LAUNCHER_COVER, on_cover},   {HEEL_LAUNCHER_UNLINK, on_unlink},
    {HEEL_LAUNCHER_CLOSE, on_close},
};

static void dispatch(struct launcher *launcher, struct heel_message *message)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(requests); i++) {
        if (requests[i].type == message->type) {
            requests[i].handle(launcher, message);
            return;
        }
    }
}

static void receive(struct launcher *launcher)
{
    heel_automessage struct heel_message message = {0};
    int got = heel_message_receive(launcher->socket, &message);

    if (got == 1) {
        dispatch(launcher, &message);
        return;
    }
    launcher->heeld_gone = got == 0 || errno != EAGAIN;
}

/* Whether its pair is in use again: a template is being made there. */
static bool start_template(struct launcher *launcher, struct heel_launched *launched)
{
    struct heel_template_maker maker;
    struct heel_launched *making;

    if (!wants_plan(launcher, launched) || launched->plan.length == 0)
        return false;
    if (heel_template_start(&launched->pair, &launched->plan, launcher->instance.path,
                            &launcher->quotas, &maker, NULL)) {
        launcher->can_share = false; /* they are only faster */
        return false;
    }
    launched->pair.generation = launcher->generation;
    making = heel_launched_add(&launcher->launched, maker.newborn.pid, launched->pair);
    making->maker = maker;
    making->level = launched->level;
    return true;
}

static void reaped(struct launcher *launcher, pid_t pid)
{
    struct heel_launched launched;
    bool in_use = false, clean;

    if (!heel_launched_take(&launcher->launched, pid, &launched))
        return;
    launcher->work_done = launcher->work_done || pid == launcher->only;
    if (launched.has_cgroup)
        heel_cgroup_remove(&launcher->cgroups, launched.id);
    if (launcher->bare)
        return;
    heel_spare_died(&launcher->spare, pid);
    if (launched.pair.generation != launcher->generation)
        heel_namespace_pair_forget_templates(&launched.pair);
    clean = heel_namespace_pair_is_clean(&launched.pair);
    if (launched.maker.said < 0) {
        launched.pair.uses++;
        in_use = clean && start_template(launcher, &launched);
    } else if (heel_template_finish(&launched.maker, &launched.pair.templates[launched.level])) {
        launcher->can_share = false;
    } else if (launched.pair.generation != launcher->generation) {
        heel_namespace_pair_forget_templates(&launched.pair);
    }
    if (!in_use && clean)
        heel_namespace_pool_give(&launcher->pool, launched.pair, now_ms());
    else if (!in_use)
        heel_namespace_pair_close(&launched.pair);
    heel_buffer_free(&launched.plan);
}

static bool is_launched(const void *data, pid_t pid)
{
    const struct launcher *launcher = data;

    return heel_launched_find(&launcher->launched, pid) != NULL;
}

static void reap(struct launcher *launcher)
{
    struct signalfd_siginfo info[16];
    int status;
    pid_t pid;

    while (read(launcher->children, info, sizeof info) > 0)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (!covered(launcher, pid, status))
            reaped(launcher, pid);
    /* A holder that was killed, which nobody should do, leaves what it held to its parent. */
    if (launcher->bare)
        heel_children_kill(is_launched, launcher);
}

static bool spare_missing(const struct launcher *launcher)
{
    return launcher->makes_spares && !heel_spare_is_for(&launcher->spare, launcher->next_uid,
                                                        launcher->next_gid, launcher->next_level);
}

static void make_spare(struct launcher *launcher)
{
    struct heel_namespace_pair pair;
    int level = launcher->next_level;

    heel_spare_drop(&launcher->spare);
    launcher->spare_quiet_ms = SPARE_QUIET_MS;
    if (take_pair(launcher, launcher->next_uid, launcher->next_gid, level, &pair, NULL) == 0) {
        if (level >= 0 && pair.templates[level].mounts < 0)
            level = -1;
        if (heel_spare_make(&launcher->spare, &pair, level, launcher->instance.path,
                            &launcher->quotas, NULL) == 0) {
            heel_launched_add(&launcher->launched, launcher->spare.newborn.pid, pair);
            return;
        }
        heel_namespace_pair_close(&pair);
    }
    launcher->makes_spares = false; /* each create tries for itself, and says what is wrong */
}

/* What is held may be a living heeld's. But when a heeld is started right after another was killed,
 * what that one left may be held by a process that is still dying. */
static void sweep(struct launcher *launcher)
{
    bool held = heel_state_sweep(launcher->options.state_dir, launcher->instance.path);
    int later = launcher->sweep_again_ms ? launcher->sweep_again_ms * 2 : SWEEP_AGAIN_MS;

    launcher->sweep_again_ms = !held ? 0 : later < SWEEP_AGAIN_MAX_MS ? later : SWEEP_AGAIN_MAX_MS;
}

/* Nothing is asked for at the moment. */
static void use_leisure(struct launcher *launcher)
{
    if (spare_missing(launcher))
        make_spare(launcher);
    else if (launcher->sweep_again_ms)
        sweep(launcher);
    heel_namespace_pool_trim(&launcher->pool, now_ms() - POOL_IDLE_MS, POOL_KEEP);
}

/* How long nothing must be asked for until there is something to do; -1: there is nothing. */
static int leisure_in_ms(const struct launcher *launcher)
{
    if (spare_missing(launcher))
        return launcher->spare_quiet_ms;
    if (launcher->sweep_again_ms)
        return launcher->sweep_again_ms;
    return launcher->pool.count > POOL_KEEP ? POOL_IDLE_MS : -1;
}

static void loop(struct launcher *launcher)
{
    while (!launcher->heeld_gone && !launcher->work_done) {
        struct pollfd events[] = {{launcher->children, POLLIN, 0},
                                  {launcher->mounts, POLLPRI, 0},
                                  {launcher->socket, POLLIN, 0}};
        int ready = poll(events, HEEL_ARRAY_LENGTH(events), leisure_in_ms(launcher));

        if (ready == 0)
            use_leisure(launcher);
        if (ready > 0 && events[0].revents)
            reap(launcher);
        if (ready > 0 && events[1].revents)
            on_mounts_changed(launcher);
        if (ready > 0 && events[2].revents)
            receive(launcher);
    }
}

/* ---- the beginning and the end */

/* Commands inherit what is ignored. libc does not let go of the two signals that it keeps for
 * itself, and some parents ignore them. */
static void reset_signals(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags, restorer, mask;
    } standard = {SIG_DFL, 0, 0, 0};

    for (int number = 1; number < _NSIG; number++)
        syscall(SYS_rt_sigaction, number, &standard, NULL, sizeof standard.mask);
}

static int block_signals(void)
{
    sigset_t all, children;

    reset_signals();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Everything of heeld's is closed; the standard streams are there, so that no other descriptor ever
 * takes their numbers. */
static void keep_only(int *socket)
{
    int null;

    if (*socket != 3) {
        dup3(*socket, 3, O_CLOEXEC);
        *socket = 3;
    }
    close_range(4, ~0U, 0);
    null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
        if (null >= 0)
            dup2(null, i);
    if (null > 2)
        close(null);
}

static void raise_open_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void predict_identity(struct launcher *launcher)
{
    const struct heel_backend_options *options = &launcher->options;

    launcher->gives_uids = heel_identities_usable(options->uid_first, options->uid_count);
    launcher->next_uid = launcher->gives_uids ? options->uid_first : geteuid();
    launcher->next_gid = launcher->gives_uids ? options->uid_first : getegid();
}

static void open_cgroups(struct launcher *launcher)
{
    heel_autoclose int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    char own[PATH_MAX];
    ssize_t length = fd < 0 ? -1 : read(fd, own, sizeof own - 1);

    own[length > 0 ? length : 0] = '\0';
    heel_cgroups_open("/sys/fs/cgroup", own, getpid(), getppid(), &launcher->cgroups);
}

static int say_hello(struct launcher *launcher)
{
    heel_autobuffer struct heel_buffer hello = {0}, info = {0};
    heel_autoerror struct heel_error *error = NULL;
    struct heel_host_info host = {0};

    if (heel_state_instance_open(launcher->options.state_dir, &launcher->instance, &error)) {
        reply_error(launcher, HEEL_LAUNCHER_FAILED, 0, error);
        return -1;
    }
    if (launcher->options.brief)
        heel_host_assume(launcher->options.namespaces, &host);
    else
        heel_host_probe(launcher->options.namespaces, &host);
    heel_host_add_cgroups(&host, launcher->cgroups.why);
    launcher->bare = !host.namespaces;
    launcher->makes_spares = host.supported && host.namespaces;
    heel_host_info_encode(&host, &info);
    heel_host_info_clear(&host);
    heel_put_string(&hello, launcher->instance.path);
    heel_put_bytes(&hello, info.data, info.length);
    reply(launcher, HEEL_LAUNCHER_HELLO, 0, &hello, &launcher->instance.fd, 1);
    return 0;
}

/* Holders end when there is nothing left of what they hold. */
static void end_holders(struct launcher *launcher)
{
    struct heel_launched launched;
    pid_t pid;

    for (size_t i = 0; i < launcher->launched.count; i++)
        kill(launcher->launched.items[i].pid, SIGTERM);
    while ((pid = waitpid(-1, NULL, 0)) > 0 || errno == EINTR) {
        if (pid > 0)
            heel_launched_take(&launcher->launched, pid, &launched);
        heel_children_kill(is_launched, launcher);
    }
}

static void kill_all(struct launcher *launcher)
{
    for (size_t i = 0; i < launcher->launched.count; i++)
        /* ours and not reaped: nobody else can have its pid */
        kill(launcher->launched.items[i].pid, SIGKILL);
    heel_covers_kill(&launcher->covers);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    for (size_t i = 0; i < launcher->launched.count; i++)
        if (launcher->launched.items[i].has_cgroup)
            heel_cgroup_remove(&launcher->cgroups, launcher->launched.items[i].id);
}

static void remove_instance(const struct launcher *launcher)
{
    heel_autofree char *path = heel_xstrdup(launcher->instance.path);
    char *slash = strrchr(path, '/');
    heel_autoclose int parent = -1;

    *slash = '\0';
    parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0)
        heel_remove_tree(parent, slash + 1, NULL);
}

/* Only while it is still heeld's: another one may have taken the path over. */
static void unlink_files(const struct launcher *launcher)
{
    for (size_t i = 0; i < launcher->unlink_count; i++) {
        const struct at_death *file = &launcher->unlinks[i];
        struct stat status;

        if (lstat(file->path, &status) == 0 && status.st_dev == file->device &&
            status.st_ino == file->inode)
            unlink(file->path);
    }
}

_Noreturn void heel_launcher_run(int socket, const struct heel_backend_options *options)
{
    static struct launcher launcher;

    launcher.options = *options;
    launcher.options.state_dir = heel_xstrdup(options->state_dir);
    launcher.socket = socket;
    setsid();
    umask(022);
    /* Otherwise its own /proc is root's, and it can map no uid. There is nothing in here to be kept
     * from its own user. */
    prctl(PR_SET_DUMPABLE, 1);
    keep_only(&launcher.socket);
    launcher.children = block_signals();
    heel_process_forget_origin("heel-launcher");
    heel_process_forget_favours();
    raise_open_files();
    heel_quotas_read(&launcher.quotas);
    predict_identity(&launcher);
    open_cgroups(&launcher);
    if (launcher.children < 0 || say_hello(&launcher))
        _exit(1);
    heel_spare_init(&launcher.spare);
    launcher.next_level = -1;
    launcher.spare_quiet_ms = SPARE_QUIET_MS;
    launcher.mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    launcher.can_share = launcher.mounts >= 0 && !launcher.bare;
    if (launcher.bare)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (launcher.makes_spares)
        make_spare(&launcher);
    sweep(&launcher);
    loop(&launcher);
    if (launcher.bare)
        end_holders(&launcher);
    else
        kill_all(&launcher);
    unlink_files(&launcher);
    remove_instance(&launcher);
    _exit(0);
}

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
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/linux/confine/host.h"
#include "backends/linux/identity/identity.h"
#include "backends/linux/launcher/launcher_parts.h"
#include "backends/linux/processes/origin.h"

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
        launcher_reply_error(launcher, HEEL_LAUNCHER_FAILED, 0, error);
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
    launcher_reply(launcher, HEEL_LAUNCHER_HELLO, 0, &hello, &launcher->instance.fd, 1);
    return 0;
}

void launcher_reply(struct launcher *launcher, uint32_t type, uint32_t id,
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

void launcher_reply_error(struct launcher *launcher, uint32_t type, uint32_t id,
                          const struct heel_error *error)
{
    heel_autobuffer struct heel_buffer payload = {0};

    heel_put_error(&payload, error);
    launcher_reply(launcher, type, id, &payload, NULL, 0);
}

/* A mask that can't be made again must not leave its file visible: the sandbox is killed instead.
 */
static void give_up(struct launcher *launcher, uint32_t id)
{
    struct heel_launched *launched = heel_launched_find_id(&launcher->launched, id);

    if (launched)
        kill(launched->pid, SIGKILL);
}

bool launcher_end_cover(struct launcher *launcher, pid_t pid, int status)
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

static void on_forget(struct launcher *launcher, struct heel_message *message)
{
    (void)message;
    launcher_on_host_changed(launcher);
}

static const struct {
    uint32_t type;
    void (*handle)(struct launcher *launcher, struct heel_message *message);
} requests[] = {
    {HEEL_LAUNCHER_CREATE, launcher_on_create},
    {HEEL_LAUNCHER_PLAN, launcher_on_plan},
    {HEEL_LAUNCHER_COVER, on_cover},
    {HEEL_LAUNCHER_UNLINK, launcher_on_unlink},
    {HEEL_LAUNCHER_FORGET, on_forget},
    {HEEL_LAUNCHER_CLOSE, launcher_on_close},
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

static void loop(struct launcher *launcher)
{
    while (!launcher->heeld_gone && !launcher->work_done) {
        struct pollfd events[] = {{launcher->children, POLLIN, 0},
                                  {launcher->mounts, POLLPRI, 0},
                                  {launcher->socket, POLLIN, 0}};
        int ready = poll(events, HEEL_ARRAY_LENGTH(events), launcher_leisure_in_ms(launcher));

        if (ready == 0)
            launcher_use_leisure(launcher);
        if (ready > 0 && events[0].revents)
            launcher_reap(launcher);
        if (ready > 0 && events[1].revents)
            launcher_on_host_changed(launcher);
        if (ready > 0 && events[2].revents)
            receive(launcher);
    }
}

/* Turns the child that heeld forked into the launcher. */
static void become_launcher(struct launcher *launcher, int socket,
                            const struct heel_backend_options *options)
{
    launcher->options = *options;
    launcher->options.state_dir = heel_xstrdup(options->state_dir);
    launcher->socket = socket;
    setsid();
    umask(022);
    /* Otherwise its own /proc is root's, and it can map no uid. There is nothing in here to be kept
     * from its own user. */
    prctl(PR_SET_DUMPABLE, 1);
    launcher_keep_only(&launcher->socket);
    launcher->children = launcher_block_signals();
    heel_process_forget_origin("heel-launcher");
    heel_process_forget_favours();
    launcher_raise_open_files();
}

static int get_ready(struct launcher *launcher)
{
    heel_quotas_read(&launcher->quotas);
    predict_identity(launcher);
    open_cgroups(launcher);
    if (launcher->children < 0 || say_hello(launcher))
        return -1;
    heel_spare_init(&launcher->spare);
    launcher->next_level = -1;
    launcher->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    launcher->can_share = launcher->mounts >= 0 && !launcher->bare;
    if (launcher->bare)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
    launcher_make_ahead(launcher);
    return 0;
}

_Noreturn void heel_launcher_run(int socket, const struct heel_backend_options *options)
{
    static struct launcher launcher;

    become_launcher(&launcher, socket, options);
    if (get_ready(&launcher))
        _exit(1);
    loop(&launcher);
    if (launcher.bare)
        launcher_end_holders(&launcher);
    else
        launcher_kill_all(&launcher);
    launcher_remove_leftovers(&launcher);
    _exit(0);
}

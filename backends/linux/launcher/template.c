/* A template's maker: born as an init is, it makes its mounts, hands its mount namespace to the
 * launcher and ends; the namespace lives on in the launcher's descriptor. */
#include "backends/linux/launcher/template.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/limits/quotas.h"
#include "backends/linux/messages/protocol.h"

struct making {
    int socket;
    const struct heel_buffer *plan;
    const char *works;
    const struct heel_quotas *quotas;
};

/* Closes every descriptor of the launcher's: a sibling's control socket that stays open here would
 * hide heeld's death from that sibling. */
static int keep_only(int socket)
{
    if (socket != 3 && dup3(socket, 3, O_CLOEXEC) < 0)
        _exit(1);
    close_range(4, ~0U, 0);
    return 3;
}

static void make(void *data)
{
    const struct making *making = data;
    struct heel_message message = {.type = HEEL_TEMPLATE_MADE, .fd_count = 1};
    heel_autobuffer struct heel_buffer payload = {0};
    struct heel_plan *plan;
    int socket = keep_only(making->socket);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "heel-template");
    message.fds[0] = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (message.fds[0] < 0 || heel_confine_network(NULL) ||
        !heel_quotas_limit_namespace(making->quotas) ||
        heel_plan_decode(making->plan->data, making->plan->length, &plan, NULL) ||
        heel_confine_template(plan, making->works, NULL))
        _exit(1);
    heel_put_u64(&payload, heel_plan_fingerprint(plan));
    message.payload = payload.data;
    message.length = payload.length;
    _exit(heel_message_send(socket, &message) ? 1 : 0);
}

int heel_template_start(const struct heel_namespace_pair *pair, const struct heel_buffer *plan,
                        const char *works, const struct heel_quotas *quotas,
                        struct heel_template_maker *maker, struct heel_error **err)
{
    struct making making = {.plan = plan, .works = works, .quotas = quotas};
    struct heel_birth birth = {.pair = pair, .mounts = -1, .init = make, .data = &making};
    struct heel_newborn newborn;
    int ends[2];
    int result;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return heel_error_set_errno(err, errno, "cannot make a socket for a template");
    making.socket = ends[1];
    result = heel_birth_give(&birth, &newborn, err);
    close(ends[1]);
    if (result) {
        close(ends[0]);
        return -1;
    }
    close(newborn.pidfd);
    *maker = (struct heel_template_maker){{newborn.pid, -1}, ends[0]};
    return 0;
}

int heel_template_finish(struct heel_template_maker *maker, struct heel_template *made)
{
    heel_autoclose int said = heel_steal_fd(&maker->said);
    heel_automessage struct heel_message message = {0};
    struct heel_reader reader;
    struct heel_template template;

    if (heel_message_receive(said, &message) != 1 || message.type != HEEL_TEMPLATE_MADE)
        return -1;
    reader = heel_reader_of(message.payload, message.length);
    template = (struct heel_template){heel_message_take_fd(&message, 0), heel_get_u64(&reader)};
    if (template.mounts < 0)
        return -1;
    *made = template;
    return 0;
}

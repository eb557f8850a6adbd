/* heeld's reader of the kernel's audit records, where it is one: tells sandboxes what Landlock
 * refused to them. A refusal comes as several records, with those of others in between:
 *
 *     ACCESS    what was refused, by which domain
 *     DOMAIN    at a domain's first: who made it, and so whose sandbox it confines
 *     CALL      once the system call returns: who made it
 *     END       and that is all
 *
 * The last two are missing where the administrator's rules exempt the process. Then what is known
 * is told a moment later. Records can be lost, and are never waited for: what is told is true, but
 * not all of the truth. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backends/linux/audit/audit.h"
#include "backends/linux/audit/landlock_refusal.h"
#include "backends/linux/linux.h"
#include "backends/linux/supervise/supervised_call.h"

#define PENDING_MAX 64
#define PENDING_MS 20      /* how long the rest of an event's records is waited for */
#define RECORDS_A_TURN 128 /* so that a sandbox with many refusals doesn't hold up the loop */

/* From Linux 6.13; the build machine's headers are older. */
struct pidfd_info {
    uint64_t mask;
    uint64_t cgroup;
    uint32_t pid;
    uint32_t others[11];
};
#define PIDFD_GET_INFO _IOWR(0xFF, 11, struct pidfd_info)
#define PIDFD_INFO_PID 1

/* A refusal of which more may become known. */
struct pending {
    uint64_t serial;
    uint64_t domain;
    const char *right; /* static */
    char *target;      /* owned */
    pid_t pid;         /* 0: not known */
    pid_t parent;
    char *program; /* owned; or NULL */
};

struct linux_audit {
    struct linux_backend *backend;
    int fd; /* owned */
    uv_poll_t poll;
    uv_timer_t timer;                    /* runs while something is pending */
    struct pending pending[PENDING_MAX]; /* in the order in which they came */
    size_t pending_count;
    unsigned closing; /* handles */
    void (*on_closed)(void *data);
    void *data;
};

/* ---- telling ---- */

static struct linux_sandbox *sandbox_of_domain(const struct linux_audit *audit, uint64_t domain)
{
    struct linux_sandbox *sandbox = audit->backend->sandboxes;

    while (sandbox && sandbox->domain != domain)
        sandbox = sandbox->next;
    return sandbox && sandbox->on_denied && !sandbox->ending ? sandbox : NULL;
}

static void tell_sandbox(struct linux_sandbox *sandbox, const struct pending *refused)
{
    const struct linux_backend *backend =
        heel_container_of(sandbox->base.backend, struct linux_backend, base);
    const char *const own[] = {backend->state_dir, backend->runtime_dir, NULL};
    struct heel_landlock_refusal refusal;
    struct heel_denial denial = {.kind = HEEL_DENIAL_OBSERVED,
                                 .program = refused->program ? refused->program : "",
                                 .target = refused->target,
                                 .right = refused->right};

    denial.process = linux_process_of_call(sandbox, refused->pid, refused->parent, &denial.pid);
    heel_landlock_refusal_explain(refused->right, refused->target, &sandbox->preparation.spec, own,
                                  &refusal);
    denial.rule = refusal.rule;
    denial.remedy = refusal.remedy;
    sandbox->on_denied(&denial, sandbox->denied_data);
    heel_landlock_refusal_clear(&refusal);
}

static void tell(struct linux_audit *audit, const struct pending *refused)
{
    struct linux_sandbox *sandbox = sandbox_of_domain(audit, refused->domain);

    if (sandbox && heel_denial_rate_take(&sandbox->denials, uv_now(audit->backend->loop)))
        tell_sandbox(sandbox, refused);
}

/* Reports the refusal at `index` and takes it out of the list. */
static void settle(struct linux_audit *audit, size_t index)
{
    struct pending refused = audit->pending[index];

    audit->pending_count--;
    memmove(&audit->pending[index], &audit->pending[index + 1],
            (audit->pending_count - index) * sizeof refused);
    tell(audit, &refused);
    free(refused.target);
    free(refused.program);
}

static void settle_all(struct linux_audit *audit)
{
    while (audit->pending_count > 0)
        settle(audit, 0);
    uv_timer_stop(&audit->timer);
}

static void on_time(uv_timer_t *timer)
{
    settle_all(heel_container_of(timer, struct linux_audit, timer));
}

/* ---- records ---- */

static void take_access(struct linux_audit *audit, struct heel_audit_record *record)
{
    if (audit->pending_count == PENDING_MAX)
        settle(audit, 0);
    audit->pending[audit->pending_count++] = (struct pending){.serial = record->serial,
                                                              .domain = record->domain,
                                                              .right = record->right,
                                                              .target = heel_steal(record->target)};
    if (!uv_is_active((uv_handle_t *)&audit->timer))
        uv_timer_start(&audit->timer, on_time, PENDING_MS, 0);
}

/* Programs can make domains of their own, which are not the sandbox's: only its confiner's counts.
 */
static void take_domain(struct linux_audit *audit, struct heel_audit_record *record)
{
    for (struct linux_sandbox *sandbox = audit->backend->sandboxes; sandbox;
         sandbox = sandbox->next)
        if (sandbox->confiner == record->pid && !sandbox->dead)
            sandbox->domain = record->domain;
}

static void take_call(struct linux_audit *audit, struct heel_audit_record *record)
{
    for (size_t i = 0; i < audit->pending_count; i++) {
        struct pending *refused = &audit->pending[i];

        if (refused->serial != record->serial || refused->program)
            continue;
        refused->pid = record->pid;
        refused->parent = record->parent;
        refused->program = heel_xstrdup(record->program);
    }
}

static void take_end(struct linux_audit *audit, struct heel_audit_record *record)
{
    for (size_t i = 0; i < audit->pending_count;)
        if (audit->pending[i].serial == record->serial)
            settle(audit, i);
        else
            i++;
    if (audit->pending_count == 0)
        uv_timer_stop(&audit->timer);
}

static const struct {
    enum heel_audit_type type;
    void (*take)(struct linux_audit *audit, struct heel_audit_record *record);
} takers[] = {
    {HEEL_AUDIT_ACCESS, take_access},
    {HEEL_AUDIT_DOMAIN, take_domain},
    {HEEL_AUDIT_CALL, take_call},
    {HEEL_AUDIT_END, take_end},
};

static void take(struct linux_audit *audit, struct heel_audit_record *record)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(takers); i++)
        if (takers[i].type == record->type)
            takers[i].take(audit, record);
}

static void read_records(struct linux_audit *audit)
{
    for (int i = 0; i < RECORDS_A_TURN; i++) {
        struct heel_audit_record record = {0};
        enum heel_audit_receipt got = heel_audit_receive(audit->fd, &record);

        if (got == HEEL_AUDIT_NONE)
            return;
        if (got == HEEL_AUDIT_RECORD)
            take(audit, &record);
        heel_audit_record_clear(&record);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    if (status < 0)
        uv_poll_stop(poll);
    else
        read_records(heel_container_of(poll, struct linux_audit, poll));
}

void linux_audit_catch_up(struct linux_audit *audit, const struct linux_sandbox *sandbox)
{
    read_records(audit);
    for (size_t i = 0; i < audit->pending_count;)
        if (sandbox->domain && audit->pending[i].domain == sandbox->domain)
            settle(audit, i);
        else
            i++;
}

/* ---- beginning and end ---- */

/* Init is the confiner. Without namespaces it is the nursery, whose pid came with HEEL_INIT_READY.
 */
void linux_audit_expect(struct linux_sandbox *sandbox)
{
    struct pidfd_info info = {.mask = PIDFD_INFO_PID};

    if (!sandbox->preparation.bare && ioctl(sandbox->pidfd, PIDFD_GET_INFO, &info) == 0)
        sandbox->confiner = (pid_t)info.pid;
}

struct linux_audit *linux_audit_open(struct linux_backend *backend)
{
    struct linux_audit *audit;
    int fd = heel_audit_open();

    if (fd < 0)
        return NULL;
    audit = heel_xcalloc(1, sizeof *audit);
    audit->backend = backend;
    audit->fd = fd;
    if (uv_poll_init(backend->loop, &audit->poll, fd)) {
        close(fd);
        free(audit);
        return NULL;
    }
    uv_timer_init(backend->loop, &audit->timer);
    uv_poll_start(&audit->poll, UV_READABLE, on_readable);
    return audit;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct linux_audit *audit = handle->data;
    void (*on_closed)(void *data) = audit->on_closed;
    void *data = audit->data;

    if (--audit->closing > 0)
        return;
    close(audit->fd);
    free(audit);
    on_closed(data);
}

void linux_audit_close(struct linux_audit *audit, void (*on_closed)(void *data), void *data)
{
    audit->on_closed = on_closed;
    audit->data = data;
    audit->closing = 2;
    settle_all(audit);
    audit->poll.data = audit->timer.data = audit;
    uv_close((uv_handle_t *)&audit->poll, on_handle_closed);
    uv_close((uv_handle_t *)&audit->timer, on_handle_closed);
}

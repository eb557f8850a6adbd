#include "backends/linux/report.h"

#include <errno.h>
#include <stdlib.h>

#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/limits/limits.h"
#include "backends/linux/plan/plan_acting.h"
#include "base/text.h"

#define PROTECTIONS "spec.filesystem.protections"
#define NO_SOCKETS "sockets other than pairs refused by seccomp"

/* A row on its way. */
struct row {
    enum heel_enforcement_state state; /* ACTIVE until something is missing */
    struct heel_buffer mechanism;
    struct heel_buffer detail;
};

static void append_to_list(struct heel_buffer *list, const char *separator, const char *text)
{
    if (list->length)
        heel_buffer_append_text(list, separator);
    heel_buffer_append_text(list, text);
}

/* Adds a mechanism to those that enforce the protection. */
static void held_by(struct row *row, const char *mechanism)
{
    append_to_list(&row->mechanism, ", ", mechanism);
}

static void held_by_landlock(struct row *row, const struct heel_report_facts *facts)
{
    heel_autofree char *text = heel_format("Landlock ABI %u", facts->landlock_abi);

    held_by(row, text);
}

/* Marks the protection DEGRADED and says what is missing, and what would mend it. */
static void degrade(struct row *row, const char *why)
{
    if (row->state == HEEL_ENFORCEMENT_ACTIVE)
        row->state = HEEL_ENFORCEMENT_DEGRADED;
    append_to_list(&row->detail, "; ", why);
}

/* Marks the protection DISABLED: the spec switches it off. */
static void disable(struct row *row, const char *why)
{
    row->state = HEEL_ENFORCEMENT_DISABLED;
    heel_buffer_free(&row->mechanism);
    heel_buffer_free(&row->detail);
    heel_buffer_append_text(&row->detail, why);
}

static bool is_permissive(const struct heel_report_facts *facts)
{
    return facts->spec->level == HEEL_LEVEL_PERMISSIVE;
}

static void held_by_namespaces(struct row *row, const struct heel_report_facts *facts,
                               const char *which, const char *without)
{
    if (facts->namespaces)
        held_by(row, which);
    else
        degrade(row, without);
}

/* ---- one function a row ---- */

static void describe_filesystem(const struct heel_report_facts *facts, struct row *row)
{
    if (facts->namespaces)
        held_by(row, "mount namespace");
    held_by_landlock(row, facts);
    if (is_permissive(facts))
        disable(row, "spec.level is PERMISSIVE");
}

/* The groups of hidden paths that are off, as a list; returns whether all are. */
static bool list_open_groups(const struct heel_sandbox_spec *spec, struct heel_buffer *list)
{
    bool all = true;

    for (int i = 0; i < HEEL_PROTECTED_ACTING_FILES; i++) {
        if (heel_protected_group_is_on(spec, (enum heel_protected_group)i))
            all = false;
        else
            append_to_list(list, ", ", heel_protected_group_label((enum heel_protected_group)i));
    }
    return all;
}

static bool hides_some_path(const struct heel_sandbox_spec *spec)
{
    for (size_t i = 0; i < spec->switch_count; i++)
        if (spec->switches[i].path && spec->switches[i].on)
            return true;
    return false;
}

/* Masks and read-only mounts cover the file that a path led to when the sandbox was made. */
static void note_guards(const struct heel_report_facts *facts, struct row *row)
{
    if (facts->plan && facts->plan->unguarded)
        degrade(row, "what the host puts in place of something hidden or protected, by rename, is "
                     "not: it can't be watched (inotify); raise fs.inotify.max_user_instances and "
                     "max_user_watches");
    else if (facts->plan && facts->plan->guarded)
        degrade(row, "what the host puts in place of something hidden or protected, by rename, is "
                     "so again a moment later, not at once");
}

static void describe_hidden_paths(const struct heel_report_facts *facts, struct row *row)
{
    const char *why = is_permissive(facts) ? "spec.level is PERMISSIVE" : PROTECTIONS;
    heel_autobuffer struct heel_buffer open = {0};
    bool all_open = list_open_groups(facts->spec, &open);

    held_by_namespaces(row, facts, "mount namespace",
                       "without a mount namespace it can be asked whether a path is there, how "
                       "large it is and when it changed, though not what is in it");
    if (!facts->namespaces)
        held_by_landlock(row, facts);
    if (all_open && !hides_some_path(facts->spec)) {
        heel_autofree char *text = heel_format("%s; heel's own folders stay hidden", why);

        disable(row, text);
        return;
    }
    if (open.length) {
        heel_autofree char *text = heel_format("%s: off are %s", why, open.data);

        degrade(row, text);
    }
    if (facts->mounts_unknown)
        degrade(row,
                "what is mounted a second time may show, as /proc/self/mountinfo can't be read");
    note_guards(facts, row);
    if (facts->plan && facts->plan->shown.length) {
        heel_autofree char *text = heel_format("the spec shows %s", facts->plan->shown.data);

        degrade(row, text);
    }
}

static void describe_processes(const struct heel_report_facts *facts, struct row *row)
{
    const bool scoped = heel_landlock_scopes(facts->landlock_abi) != 0;

    held_by_namespaces(row, facts, "pid namespace",
                       facts->spec->level == HEEL_LEVEL_STRICT
                           ? "without a pid namespace that a process is there can be found out"
                           : "without a pid namespace all processes and their command lines can be "
                             "seen; at level STRICT only that they are there");
    held_by(row, scoped ? "Landlock domain and signal scope" : "Landlock domain");
    held_by(row, "seccomp");
    if (!facts->namespaces && !scoped)
        degrade(row, "other processes of the same user can be signalled; Linux 6.12 (Landlock "
                     "ABI 6) would refuse it");
}

static void describe_network(const struct heel_report_facts *facts, struct row *row)
{
    if (facts->namespaces) {
        held_by(row, "network namespace with lo only");
        held_by(row, "seccomp");
    } else {
        held_by(row, NO_SOCKETS);
        held_by_landlock(row, facts);
    }
}

static void describe_ipc(const struct heel_report_facts *facts, struct row *row)
{
    held_by(row, facts->namespaces ? "ipc and network namespaces"
                                   : "System V IPC and message queues refused by seccomp");
    if (heel_landlock_scopes(facts->landlock_abi))
        held_by(row, "Landlock scope");
}

static void describe_system_calls(const struct heel_report_facts *facts, struct row *row)
{
    (void)facts;
    held_by(row, "seccomp allow list");
}

static void describe_privileges(const struct heel_report_facts *facts, struct row *row)
{
    if (facts->namespaces)
        held_by(row, "user namespace");
    held_by(row, "no capabilities");
    held_by(row, "no_new_privs");
    if (facts->spec->run_as.given && facts->spec->run_as.uid == 0)
        degrade(row, "spec.run_as is root: without root's capabilities, but what belongs to root "
                     "can be used as its owner can");
}

static void describe_devices(const struct heel_report_facts *facts, struct row *row)
{
    unsigned hardware = facts->spec->hardware;

    if (facts->namespaces) {
        held_by(row, "own /dev");
        held_by(row, "mounts without devices");
    }
    held_by(row, "Landlock");
    if (hardware & HEEL_HARDWARE_GPU)
        degrade(row, "spec.hardware.gpu lends GPUs, whose drivers are a large part of the kernel "
                     "and keep programs apart as they see fit");
    if (hardware & HEEL_HARDWARE_NPU)
        degrade(row, "spec.hardware.npu lends NPUs, of which the same is true");
    if (hardware & HEEL_HARDWARE_ALL)
        disable(row, "spec.hardware.all_devices lends every device that the caller could open");
}

static void describe_host_sockets(const struct heel_report_facts *facts, struct row *row)
{
    if (!facts->namespaces) {
        held_by(row, NO_SOCKETS);
        return;
    }
    held_by(row, "own /run");
    if (heel_landlock_fs_rights(facts->landlock_abi) & HEEL_LANDLOCK_RESOLVE_UNIX) {
        held_by(row, "Landlock");
    } else if (facts->supervises_connects) {
        held_by(row, "supervised connect");
    } else {
        if (facts->supervision_errno == EBUSY)
            degrade(row, "connects can't be supervised, because heeld runs under another "
                         "supervisor (a container's, or another heel's); run it outside");
        else if (facts->supervision_errno)
            degrade(row, "the kernel refused a listener for supervised connects");
        held_by(row, "masks on the usual folders of sockets");
        degrade(row, "a stream socket in a folder that can be read and is not hidden can be "
                     "connected to; Linux 7.1 (Landlock ABI 9) would refuse it");
    }
}

static void describe_acting_files(const struct heel_report_facts *facts, struct row *row)
{
    held_by_namespaces(row, facts, "read-only mounts",
                       "without a mount namespace files in what may be written can't be kept as "
                       "they are");
    held_by(row, "search at the end");
    if (facts->plan && facts->plan->acting->state == HEEL_ENFORCEMENT_DEGRADED)
        degrade(row, facts->plan->acting->detail.data);
    note_guards(facts, row);
    if (!heel_protected_group_is_on(facts->spec, HEEL_PROTECTED_ACTING_FILES))
        disable(row, is_permissive(facts) ? "spec.level is PERMISSIVE"
                                          : PROTECTIONS " switches ACTING_FILES off");
}

static void describe_metadata(const struct heel_report_facts *facts, struct row *row)
{
    if (facts->namespaces)
        held_by(row, "read-only mounts");
    else
        held_by(row, "owner, attributes and inotify refused by seccomp");
    if (facts->own_uid)
        held_by(row, "a uid of its own");
    else if (!facts->namespaces)
        degrade(row, "without a mount namespace mode and times of any file that belongs to the "
                     "sandbox's user can be changed");
    degrade(row, "files that may be read can be locked (flock), which programs that lock them "
                 "wait for; deny those that matter");
    if (is_permissive(facts))
        disable(row, "spec.level is PERMISSIVE");
}

static void describe_kernel_quotas(const struct heel_report_facts *facts, struct row *row)
{
    if (facts->own_uid)
        held_by(row, "a uid of its own");
    held_by(row, "rlimits");
    held_by(row, "seccomp");
    if (facts->namespaces)
        held_by(row, "user namespace");
    else if (!facts->own_uid)
        degrade(row, "without a user namespace processes and pending signals of all sandboxes of a "
                     "user are counted together");
    if (facts->namespaces && !facts->own_quotas)
        degrade(row, "inotify instances are counted per user: /proc/sys/user must be writable for "
                     "heeld, or a sandbox can use up those of its user");
    if (!facts->own_uid)
        degrade(row, "descriptors on their way through sockets, pages of pipes and epoll watches "
                     "are counted per user, and a sandbox can use up those of its user; a heeld "
                     "that root runs gives each sandbox a uid of its own");
}

#define DELEGATE "run heeld in a delegated cgroup v2 subtree (systemd: Delegate=yes)"

static bool sets_limits(const struct heel_limits *limits)
{
    return heel_limits_measure_processes(limits) || limits->cpu_share_milli > 0 ||
           limits->max_file_size_bytes > 0 || limits->max_open_files > 0;
}

static void describe_limits(const struct heel_report_facts *facts, struct row *row)
{
    const struct heel_limits *limits = &facts->spec->limits;

    held_by(row, "rlimits");
    if (facts->cgroup)
        held_by(row, "cgroup v2");
    if (heel_limits_measure_processes(limits))
        held_by(row, "measuring what runs");
    if (limits->memory_bytes > 0 && !facts->cgroup)
        degrade(row, "memory is measured every few milliseconds and stopped when it is too much, "
                     "not refused, and what the kernel keeps for processes (data and files in "
                     "sockets and pipes, System V messages and semaphores, page tables) is not "
                     "counted; " DELEGATE);
    if (!facts->namespaces && heel_limits_measure_processes(limits))
        degrade(row, "without a mount namespace what lies in HOME and TMPDIR is not counted");
    if (!facts->namespaces && !facts->own_uid && limits->memory_bytes > 0)
        degrade(row, "without a user namespace memory files of a program that hides itself "
                     "(PR_SET_DUMPABLE) are not seen");
    if (limits->cpu_share_milli > 0 && !facts->cgroup) {
        held_by(row, "CPU affinity");
        degrade(row, "cpu_share is rounded up to whole processors, and code inside can take "
                     "others; " DELEGATE);
    }
    if (limits->cpu_time_us > 0 && !facts->cgroup)
        degrade(row, "CPU time of processes that live a few milliseconds and that nobody waits for "
                     "is not counted; " DELEGATE);
    if (limits->max_processes > 0 || heel_limits_measure_disk(limits))
        degrade(row, "processes and files are counted every few milliseconds, and what goes beyond "
                     "is stopped then");
    if (heel_limits_measure_disk(limits) && facts->spec->working_dir)
        degrade(row, "what is written to spec.filesystem.working_dir is not counted; leave it "
                     "unset for a directory that is");
    if (!sets_limits(limits))
        disable(row, "spec.limits sets none");
}

static bool names_writable(const struct heel_sandbox_spec *spec)
{
    for (size_t i = 0; i < spec->path_count; i++)
        if (spec->paths[i].access & HEEL_ACCESS_WRITE)
            return true;
    return spec->working_dir != NULL;
}

static void describe_write_xor_execute(const struct heel_report_facts *facts, struct row *row)
{
    if (facts->namespaces)
        held_by(row, "mounts that nothing can be executed on");
    else
        degrade(row, "without a mount namespace what may be written can still be mapped, which is "
                     "how the loader executes it");
    held_by(row, "Landlock");
    held_by(row, "seccomp");
    /* At DEFAULT the whole host is mounted read-only: a second name of a writable file can be read
     * there, but not written. */
    if (facts->spec->level == HEEL_LEVEL_DEFAULT && names_writable(facts->spec))
        degrade(row, "a file that may be written and has a second name (a hard link, a second "
                     "mount) in what DEFAULT reads can be executed by that; STRICT reads less");
    if (!facts->spec->write_xor_execute)
        disable(row, "spec.filesystem.write_xor_execute is off");
}

/* clang-format off */
static const struct {
    const char *name;
    void (*describe)(const struct heel_report_facts *facts, struct row *row);
} protections[HEEL_PROTECTION_COUNT] = {
    [HEEL_PROTECTION_FILESYSTEM] = {"FILESYSTEM", describe_filesystem},
    [HEEL_PROTECTION_HIDDEN_PATHS] = {"HIDDEN_PATHS", describe_hidden_paths},
    [HEEL_PROTECTION_PROCESSES] = {"PROCESSES", describe_processes},
    [HEEL_PROTECTION_NETWORK] = {"NETWORK", describe_network},
    [HEEL_PROTECTION_IPC] = {"IPC", describe_ipc},
    [HEEL_PROTECTION_SYSTEM_CALLS] = {"SYSTEM_CALLS", describe_system_calls},
    [HEEL_PROTECTION_PRIVILEGES] = {"PRIVILEGES", describe_privileges},
    [HEEL_PROTECTION_DEVICES] = {"DEVICES", describe_devices},
    [HEEL_PROTECTION_HOST_SOCKETS] = {"HOST_SOCKETS", describe_host_sockets},
    [HEEL_PROTECTION_ACTING_FILES] = {"ACTING_FILES", describe_acting_files},
    [HEEL_PROTECTION_METADATA] = {"METADATA", describe_metadata},
    [HEEL_PROTECTION_KERNEL_QUOTAS] = {"KERNEL_QUOTAS", describe_kernel_quotas},
    [HEEL_PROTECTION_LIMITS] = {"LIMITS", describe_limits},
    [HEEL_PROTECTION_WRITE_XOR_EXECUTE] = {"WRITE_XOR_EXECUTE", describe_write_xor_execute},
};
/* clang-format on */

static char *take_text(struct heel_buffer *buffer)
{
    char *text = buffer->data ? buffer->data : heel_xstrdup("");

    *buffer = (struct heel_buffer){0};
    return text;
}

void heel_report_make(const struct heel_report_facts *facts, struct heel_report *report)
{
    for (size_t i = 0; i < HEEL_PROTECTION_COUNT; i++) {
        struct row row = {0};

        if (facts->supported)
            protections[i].describe(facts, &row);
        else
            disable(&row, "this host can't run sandboxes");
        report->rows[i] = (struct heel_enforcement){
            .protection = (enum heel_protection)i,
            .state = row.state,
            .mechanism = take_text(&row.mechanism),
            .detail = take_text(&row.detail),
        };
    }
}

void heel_report_copy(const struct heel_report *from, struct heel_report *to)
{
    *to = *from;
    for (size_t i = 0; i < HEEL_PROTECTION_COUNT; i++) {
        to->rows[i].mechanism = heel_xstrdup(from->rows[i].mechanism);
        to->rows[i].detail = heel_xstrdup(from->rows[i].detail);
    }
}

void heel_report_clear(struct heel_report *report)
{
    for (size_t i = 0; i < HEEL_PROTECTION_COUNT; i++) {
        free((void *)(uintptr_t)report->rows[i].mechanism);
        free((void *)(uintptr_t)report->rows[i].detail);
    }
    *report = (struct heel_report){0};
}

static int unavailable(const struct heel_enforcement *row, struct heel_error **err)
{
    static const char *const states[] = {
        [HEEL_ENFORCEMENT_ACTIVE] = "ACTIVE",
        [HEEL_ENFORCEMENT_DEGRADED] = "DEGRADED",
        [HEEL_ENFORCEMENT_DISABLED] = "DISABLED",
    };
    const char *name = heel_report_protection_name(row->protection);

    heel_error_set(err, HEEL_FAILED_PRECONDITION, "PROTECTION_UNAVAILABLE",
                   "spec.require names %s, which is %s for this sandbox: %s", name,
                   states[row->state], row->detail);
    if (err) {
        heel_error_add_metadata(*err, "protection", "%s", name);
        heel_error_add_metadata(*err, "state", "%s", states[row->state]);
        heel_error_add_metadata(*err, "detail", "%s", row->detail);
    }
    return -1;
}

int heel_report_check(const struct heel_report *report, unsigned required, struct heel_error **err)
{
    for (size_t i = 0; i < HEEL_PROTECTION_COUNT; i++)
        if ((required & (1U << i)) && report->rows[i].state != HEEL_ENFORCEMENT_ACTIVE)
            return unavailable(&report->rows[i], err);
    return 0;
}

const char *heel_report_protection_name(enum heel_protection protection)
{
    return protections[protection].name;
}

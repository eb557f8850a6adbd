/* The Linux backend's objects in heeld, shared by its files. All of them live on the loop's thread.
 */
#ifndef HEEL_BACKENDS_LINUX_LINUX_H
#define HEEL_BACKENDS_LINUX_LINUX_H

#include "backends/backend.h"
#include "backends/linux/confine/host.h"
#include "backends/linux/facts/facts_watch.h"
#include "backends/linux/facts/host_mounts.h"
#include "backends/linux/identity/identity.h"
#include "backends/linux/limits/meter.h"
#include "backends/linux/loop/channel.h"
#include "backends/linux/loop/lane.h"
#include "backends/linux/messages/protocol.h"
#include "backends/linux/plan/plan.h"
#include "backends/linux/prepare.h"
#include "backends/linux/report.h"
#include "backends/linux/supervise/denial_rate.h"
#include "backends/linux/supervise/supervisor.h"

struct heel_freezing;
struct linux_audit;
struct linux_guards;
struct linux_sandbox;
struct linux_process;

struct linux_backend {
    struct heel_backend base;
    uv_loop_t *loop;
    char *state_dir;  /* owned */
    char **own_files; /* owned, NULL-terminated; heeld's sockets and the like, hidden from all */
    size_t own_file_count;
    char *runtime_dir;   /* owned; may be NULL */
    char *instance_path; /* owned */
    int instance_fd;     /* owned; holds the instance's lock */
    struct heel_host_info host;
    struct heel_report host_report; /* what this host can enforce */
    struct heel_facts_watch facts;
    struct heel_mount_watch mounts;
    struct heel_identities identities;
    struct heel_work_dirs work_dirs;
    struct heel_channel launcher;
    pid_t launcher_pid;
    bool launcher_gone;
    struct linux_sandbox *sandboxes; /* all that are not freed yet */
    uint32_t last_serial;
    struct heel_lanes preparations; /* by caller */
    struct heel_lane removals;
    struct heel_lane explanations;
    struct heel_meter_clock meter_clock;
    struct linux_audit *audit; /* owned; NULL: the kernel's audit records are not read */
    uv_poll_t launcher_death;
    int launcher_pidfd;
    void (*on_closed)(void *data);
    void *closed_data;
    unsigned large_pipes; /* how many running commands have one; see linux_process.c */
    unsigned explaining;  /* explain() calls that are not answered yet: the end waits for them */
    bool ending;
    unsigned closing; /* handles whose close has not been confirmed */
};

/* A sandbox is made by two paths that run at the same time (the launcher bears its init; a thread
 * makes its directory and plan) and ends through the steps of linux_sandbox_end(). */
struct linux_sandbox {
    struct heel_sandbox base;
    struct linux_sandbox *next, **previous;
    uint32_t serial;
    struct heel_identity identity;
    struct heel_preparation preparation;
    struct heel_lane_work work; /* its preparation, or its removal */
    struct heel_channel control;
    int init_end; /* owned; the peer of `control`; -1 once it was sent to the launcher */
    int pidfd;    /* owned; init's, -1 before it is born */
    uv_poll_t death;
    uv_timer_t watchdog;
    struct heel_report report;           /* of its protections; made with it */
    struct linux_guards *guards;         /* owned; NULL: none of its mounts is guarded */
    struct linux_supervisor *supervisor; /* owned; NULL: its connects aren't supervised */
    int unsupervised; /* errno: why its connects aren't supervised; 0: they need not be */

    struct heel_vantage vantage; /* owned until the meter takes it over */
    int cgroup;                  /* owned; its cgroup's directory; -1: it has none */
    struct heel_meter meter;     /* open while there is something to be measured */

    bool working;     /* its preparation or removal is in the thread pool */
    bool metering;    /* its meter is still in the thread pool */
    bool asked;       /* the launcher was asked for an init and has not answered */
    bool born;        /* an init was born; it may have died since */
    bool plan_wanted; /* the launcher wants the plan when the sandbox ends, for a template */
    bool ready;       /* init has confined itself and takes commands */
    bool dead;        /* init and every process of the sandbox are dead */
    bool killed;      /* heeld has killed init */
    bool created;     /* on_created was run */
    bool ending;      /* it is being destroyed, or could not be made */
    bool removed;     /* its folder was removed, as far as that was possible */
    bool control_open;
    bool has_own_quotas; /* init could set the quotas of its user namespace */
    unsigned closing;    /* handles whose close has not been confirmed */

    struct heel_error *error; /* owned; why it could not be made, or removed */
    heel_on_created *on_created;
    heel_on_lost *on_lost;
    void *data;
    heel_on_denied *on_denied;
    void *denied_data;
    struct heel_denial_rate denials; /* limits how many are reported */
    /* While audit records are read: */
    pid_t confiner;  /* host pid of whoever made the commands' Landlock domain: init or nursery */
    uint64_t domain; /* the domain's id in audit records; 0: not known before the first refusal */
    struct linux_pause {
        enum heel_pause_mechanism mechanism; /* how it is to stand still, or does */
        enum heel_pause_mechanism before;    /* and how it did before, if that fails */
        struct heel_freezing *freezing;      /* owned; while that is waited for */
        struct heel_error *error;            /* owned; why it goes on, while init is told */
        heel_on_paused *on_paused;           /* until it is told */
        void *data;
    } pause;
    heel_on_deleted *on_deleted;
    void *deleted_data;

    struct linux_process *processes;
    uint32_t last_process;
    unsigned unanswered; /* requests that init owes an answer to */
};

/* linux_backend.c */
/* The facts of a report that are the same for every sandbox of this backend; spec and plan are
 * NULL. */
struct heel_report_facts linux_report_facts(const struct linux_backend *backend);
/* Call it when something that the end of the backend waits for is done: the last one frees the
 * backend. */
void linux_end_if_over(struct linux_backend *backend);
/* 0; or -1 and *err, HOST_UNSUPPORTED, where this host lacks what every sandbox needs. */
int linux_check_host(const struct linux_backend *backend, struct heel_error **err);

/* linux_sandbox*.c */
void linux_sandbox_create(struct heel_backend *backend, const struct heel_sandbox_spec *spec,
                          heel_on_created *on_created, heel_on_lost *on_lost, void *data);
void linux_sandbox_pause(struct heel_sandbox *sandbox, bool pause, heel_on_paused *on_paused,
                         void *data);
void linux_sandbox_destroy(struct heel_sandbox *sandbox, heel_on_deleted *on_deleted, void *data);
const struct heel_sandbox_paths *linux_sandbox_paths(const struct heel_sandbox *sandbox);
const struct heel_enforcement *linux_sandbox_enforcement(const struct heel_sandbox *sandbox);
/* What the preparation of a sandbox starts from, but for its working directory. */
void linux_prepare(struct linux_backend *backend, const struct heel_sandbox_spec *spec,
                   const struct heel_identity *identity, struct heel_preparation *preparation);
void linux_sandbox_watch_denials(struct heel_sandbox *sandbox, heel_on_denied *on_denied,
                                 void *data);
/* `wants_plan`: the launcher wants HEEL_LAUNCHER_PLAN when this sandbox ends. */
void linux_sandbox_on_born(struct linux_sandbox *sandbox, int pidfd, bool wants_plan);
void linux_sandbox_on_not_born(struct linux_sandbox *sandbox,
                               struct heel_error *error); /* takes it over */
struct linux_sandbox *linux_sandbox_find(struct linux_backend *backend, uint32_t serial);
/* Kills what runs in it; on_lost follows unless it is being destroyed. */
void linux_sandbox_kill(struct linux_sandbox *sandbox);
/* Init now owes an answer. One that stays silent for too long is killed. */
void linux_sandbox_expect_answer(struct linux_sandbox *sandbox);
void linux_sandbox_answered(struct linux_sandbox *sandbox);

/* linux_guards.c. Makes masks and read-only mounts again where the host replaced the file under
 * one. Opened when the sandbox has its mounts; takes over the watches of `preparation`, and
 * `mounts`, a descriptor of its mount namespace. */
struct linux_guards *linux_guards_open(struct linux_backend *backend, uint32_t serial,
                                       struct heel_preparation *preparation, int mounts);
void linux_guards_close(struct linux_guards *guards, void (*on_closed)(void *data), void *data);

/* linux_audit.c. NULL where the kernel's audit records can't be read, or there are none. */
struct linux_audit *linux_audit_open(struct linux_backend *backend);
/* The sandbox is ready: the next domain record by its confiner is about its domain. */
void linux_audit_expect(struct linux_sandbox *sandbox);
/* Reads the records that the kernel has written so far and reports those of this sandbox, so that
 * none comes after the end of the command that it is about. */
void linux_audit_catch_up(struct linux_audit *audit, const struct linux_sandbox *sandbox);
void linux_audit_close(struct linux_audit *audit, void (*on_closed)(void *data), void *data);

/* explain.c */
void linux_explain(struct heel_backend *backend, const struct heel_policy_question *question,
                   heel_on_explained *on_explained, void *data);

/* linux_process.c */
int linux_process_start(struct heel_sandbox *sandbox, const struct heel_command *command,
                        bool want_stdin, const struct heel_process_events *events, void *data,
                        struct heel_process **process, struct heel_stdio *stdio,
                        struct heel_error **err);
/* Kills every process in the sandbox, because `limit` was exceeded; the sandbox stays. */
void linux_process_kill_all(struct linux_sandbox *sandbox, enum heel_limit limit);
void linux_process_signal(struct heel_process *process, int signal_number,
                          enum heel_signal_scope scope);
void linux_process_kill_tree(struct heel_process *process);
void linux_process_on_message(struct linux_sandbox *sandbox, struct heel_message *message);
/* The command whose tree holds the process with this pid (in heeld's pid namespace); NULL if no
 * running command's does.
 */
struct heel_process *linux_process_of_pid(const struct linux_sandbox *sandbox, pid_t host_pid);
/* The same for the caller of a system call that is over, when the caller may be dead already: then
 * its parent is looked at, and if that is dead too, the command is known only if there is just one.
 * A pid of 0 is not known. *pid is the caller's pid inside the sandbox, or 0. */
struct heel_process *linux_process_of_call(const struct linux_sandbox *sandbox, pid_t host_pid,
                                           pid_t host_parent, pid_t *pid);
/* Init is dead and every process with it: runs on_exit for each. */
void linux_process_all_dead(struct linux_sandbox *sandbox);

#endif

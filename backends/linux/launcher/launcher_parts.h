/* What the launcher's files share: its state, and what each does of its work. One thread, and no
 * call that waits for a sandbox. */
#ifndef HEEL_BACKENDS_LINUX_LAUNCHER_LAUNCHER_PARTS_H
#define HEEL_BACKENDS_LINUX_LAUNCHER_LAUNCHER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "backends/backend.h"
#include "backends/linux/launcher/covers.h"
#include "backends/linux/launcher/launched.h"
#include "backends/linux/launcher/spare.h"
#include "backends/linux/limits/cgroup.h"
#include "backends/linux/limits/quotas.h"
#include "backends/linux/messages/protocol.h"
#include "backends/linux/processes/namespaces.h"
#include "backends/linux/state/state_dir.h"

#define LAUNCHER_UNLINKS_MAX 64

/* A file to be removed at heeld's death, while it is still the same. */
struct launcher_at_death {
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
    struct launcher_at_death unlinks[LAUNCHER_UNLINKS_MAX];
    size_t unlink_count;
    struct heel_covers covers;
    uid_t next_uid; /* the identity that the next sandbox probably has, for the spare */
    gid_t next_gid;
    int next_level;      /* and its level, if its caller names nothing; else -1 */
    int mounts;          /* /proc/self/mountinfo, which tells when the host's mounts change */
    unsigned generation; /* how often they did, or what plans hide */
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

/* launcher.c */
/* Sends an answer to the request with this id; the descriptors stay the caller's. */
void launcher_reply(struct launcher *launcher, uint32_t type, uint32_t id,
                    const struct heel_buffer *payload, const int *fds, size_t fd_count);
void launcher_reply_error(struct launcher *launcher, uint32_t type, uint32_t id,
                          const struct heel_error *error);
/* Whether the child that ended with this wait status was to make a mount again (covers.h). */
bool launcher_end_cover(struct launcher *launcher, pid_t pid, int status);

/* launch.c */
void launcher_on_create(struct launcher *launcher, struct heel_message *message);
/* The plan of a sandbox that ends, to make a template from. */
void launcher_on_plan(struct launcher *launcher, struct heel_message *message);
/* A pair of namespaces for this identity, with a template of this level (-1: without) if there is
 * one. 0, or -1 and *err. */
int launcher_take_pair(struct launcher *launcher, uid_t uid, gid_t gid, int level,
                       struct heel_namespace_pair *pair, struct heel_error **err);
/* Whether a template is to be made from its plan: a pair that was used before will probably be used
 * again. */
bool launcher_wants_plan(const struct launcher *launcher, const struct heel_launched *launched);

/* deaths.c */
/* All that have died by now. */
void launcher_reap(struct launcher *launcher);
/* Both wait until nothing is left. Holders are asked: they end when there is nothing left of what
 * they hold. */
void launcher_end_holders(struct launcher *launcher);
void launcher_kill_all(struct launcher *launcher);

/* leisure.c */
/* At the start: the first spare, and what an earlier heeld left is removed. */
void launcher_make_ahead(struct launcher *launcher);
/* A spare and the templates show the host as it was, and keep what was unmounted in use: they are
 * given up. */
void launcher_on_host_changed(struct launcher *launcher);
/* The same if they have changed and the loop has not seen it yet. */
void launcher_notice_mounts(struct launcher *launcher);
/* Nothing is asked for at the moment. */
void launcher_use_leisure(struct launcher *launcher);
/* How long nothing must be asked for until there is something to do; -1: there is nothing. */
int launcher_leisure_in_ms(const struct launcher *launcher);

/* leftovers.c */
void launcher_on_unlink(struct launcher *launcher, struct heel_message *message);
/* heeld ends in order, and removes them itself. */
void launcher_on_close(struct launcher *launcher, struct heel_message *message);
void launcher_remove_leftovers(const struct launcher *launcher);

/* become.c */
/* A signalfd of SIGCHLD, or -1; all signals are blocked and none is ignored. */
int launcher_block_signals(void);
/* Everything of heeld's is closed but *socket, which is moved; the standard streams are there, so
 * that no other descriptor ever takes their numbers. */
void launcher_keep_only(int *socket);
/* As many descriptors as the hard limit allows. */
void launcher_raise_open_files(void);

#endif

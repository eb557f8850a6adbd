/* What heeld, its launcher and the inits say to each other, and how each message's payload is laid
 * out. Every decoder checks all that it reads, whoever wrote it: an init shares its sandbox with
 * code that nobody trusts. */
#ifndef HEEL_BACKENDS_LINUX_MESSAGES_PROTOCOL_H
#define HEEL_BACKENDS_LINUX_MESSAGES_PROTOCOL_H

#include <stdbool.h>
#include <sys/types.h>

#include "backends/backend.h"
#include "backends/linux/messages/codec.h"
#include "backends/linux/messages/message.h"

enum heel_launcher_message {
    /* launcher to heeld */
    HEEL_LAUNCHER_HELLO = 1,   /* first, once: instance directory, host info; descriptor: the locked
                                  instance directory */
    HEEL_LAUNCHER_FAILED,      /* instead of HELLO: an error */
    HEEL_LAUNCHER_CREATED,     /* id; whether a PLAN is wanted; descriptors: the init's pidfd, and
                                  its cgroup's directory if it has one of its own */
    HEEL_LAUNCHER_NOT_CREATED, /* id; an error */
    /* heeld to launcher */
    HEEL_LAUNCHER_CREATE, /* id; identity, perhaps a plan; descriptor: the init's end of its control
                             socket */
    HEEL_LAUNCHER_PLAN,   /* id, just before its end; its plan, to make a template from */
    HEEL_LAUNCHER_UNLINK, /* a file (a socket) to be removed should heeld die */
    HEEL_LAUNCHER_COVER,  /* id; kind, flags and target of a mount to be made again in the sandbox;
                             descriptor: its mount namespace */
    HEEL_LAUNCHER_FORGET, /* what was made ahead: plans are others now */
    HEEL_LAUNCHER_CLOSE,  /* heeld ends in an orderly way: nothing to be unlinked */
};

enum heel_init_message {
    /* a template's maker to the launcher */
    HEEL_TEMPLATE_MADE = 31, /* fingerprint; descriptor: its mount namespace */
    /* launcher to an init that was born ahead of time */
    HEEL_INIT_ADOPT = 32, /* descriptor: its control socket */
    /* heeld to init */
    HEEL_INIT_PLAN,      /* first, once */
    HEEL_INIT_GROUP,     /* descriptor: by which every command joins a cgroup; before any START */
    HEEL_INIT_START,     /* id; a command; descriptors: its standard streams */
    HEEL_INIT_SIGNAL,    /* id; signal number, scope */
    HEEL_INIT_KILL_TREE, /* id */
    HEEL_INIT_KILL_ALL,  /* every command and whatever else runs; init stays */
    HEEL_INIT_PAUSE,     /* how everything stands still from now on (enum heel_pause_mechanism), or
                            that it goes on */
    HEEL_INIT_HAND,      /* id; a hand is wanted; descriptor: its socket */
    HEEL_INIT_STOP_HAND, /* id */
    /* init to heeld */
    HEEL_INIT_READY,   /* whether it has quotas of its own, why connects aren't supervised (errno),
                          and whether they are; pids of holder and nursery, or 0; descriptors
                          where limits are to be measured (see vantage.h), and, last, the listener
                          if they are */
    HEEL_INIT_MOUNTS,  /* before READY, where the plan says guarded; descriptor: its mount namespace
                        */
    HEEL_INIT_FAILED,  /* instead of READY: an error */
    HEEL_INIT_STARTED, /* id; its tree's tag; descriptor: the master side of its terminal, if it has
                          one */
    HEEL_INIT_EXITED,  /* id; how it ended, or why it never started */
    HEEL_INIT_TREE_LIVES, /* id: KILL_TREE could not get at everything */
    HEEL_INIT_HAND_GONE,  /* id: it is dead, or was never born */
    HEEL_INIT_PAUSED,     /* PAUSE is done; or, with a payload, an error */
};

/* On a hand's own socket. A hand makes one connect at a time; all messages about one connect have
 * the same id. */
enum heel_hand_message {
    /* heeld to hand */
    HEEL_HAND_CONNECT = 96, /* a request; descriptors: the socket, the caller's memory */
    HEEL_HAND_CALLER,       /* answers WANTS_CALLER; its pid inside; descriptor: its directory */
    HEEL_HAND_GO,           /* answers FOUND: make it */
    HEEL_HAND_DROP,         /* answers FOUND: don't */
    /* hand to heeld */
    HEEL_HAND_WANTS_CALLER, /* the path is relative (then the directory is wanted), or begins with
                               what the caller calls itself in /proc (then the pid is) */
    HEEL_HAND_FOUND,        /* a finding; it waits for the decision */
    HEEL_HAND_DONE,         /* a finding; the hand takes the next request */
};

/* A connect as its caller made it. */
struct heel_hand_request {
    int domain;       /* of the socket */
    uint64_t address; /* in the caller's memory */
    uint32_t length;
};

/* What a hand found out about a connect. */
struct heel_hand_finding {
    int error;        /* errno; DONE: how the connect ended */
    bool bound_here;  /* FOUND: the path leads to a socket that was bound in this sandbox */
    const void *name; /* the address as the hand read it; borrowed */
    size_t length;    /* 0 where it could not be read */
};

#define HEEL_HAND_NAME_MAX 128 /* bytes of an address, as for the kernel */

void heel_put_hand_request(struct heel_buffer *to, const struct heel_hand_request *request);
int heel_get_hand_request(struct heel_reader *from, struct heel_hand_request *request);
void heel_put_hand_finding(struct heel_buffer *to, const struct heel_hand_finding *finding);
int heel_get_hand_finding(struct heel_reader *from, struct heel_hand_finding *finding);

void heel_put_error(struct heel_buffer *to, const struct heel_error *error);
/* Always stores an error in *err and returns -1: the one sent, or one that says that it was
 * garbled. */
int heel_get_error(struct heel_reader *from, struct heel_error **err);

void heel_put_exit(struct heel_buffer *to, const struct heel_exit *exit);
int heel_get_exit(struct heel_reader *from, struct heel_exit *exit);

/* Who a sandbox runs as, and what the launcher needs to open for it beforehand. */
struct heel_create_request {
    uid_t uid;
    gid_t gid;
    bool named;     /* the spec's run_as names this uid, which may be root */
    uid_t next_uid; /* as root: who the next sandbox will probably run as; 0: nobody knows */
    int level; /* its level, if its mounts are those of any sandbox of that level; -1: its caller
                  named paths */
    struct heel_caller caller; /* only with a plan; its groups belong to the request once decoded */
    const void *plan;          /* encoded, borrowed; NULL when the launcher has nothing to open */
    size_t plan_length;
    struct heel_limits limits; /* for a cgroup of the sandbox's own */
};

void heel_put_create(struct heel_buffer *to, const struct heel_create_request *request);
int heel_get_create(struct heel_reader *from, struct heel_create_request *request);
void heel_create_request_clear(struct heel_create_request *request);

/* What a START carries: the command, and whether a descriptor for stdin comes before those of
 * stdout and stderr. The arrays belong to the decoded start, the strings to the message. */
struct heel_start_request {
    const char **argv;
    const char **environment;
    const char *working_dir;
    bool has_stdin;
    struct heel_terminal_size terminal; /* all 0: none, and descriptors come with the message */
};

#define HEEL_START_STRINGS_MAX 200000

void heel_put_start(struct heel_buffer *to, const struct heel_command *command,
                    const char *working_dir, bool has_stdin);
int heel_get_start(struct heel_reader *from, struct heel_start_request *request);
void heel_start_request_clear(struct heel_start_request *request);

#endif

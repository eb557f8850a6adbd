/* The commands of one sandbox as the process has them that is their parent and answers to heeld:
 * init, or, without namespaces, the holder. How a command is started and its tree killed is that
 * process's own way. */
#ifndef HEEL_BACKENDS_LINUX_INIT_COMMANDS_H
#define HEEL_BACKENDS_LINUX_INIT_COMMANDS_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "backends/linux/messages/protocol.h"
#include "backends/linux/processes/pause.h"
#include "backends/linux/processes/spawn.h"
#include "backends/linux/processes/tree.h"

struct heel_command_ways {
    /* Starts it as a child of this process. Its pid, or -1 and *failure. */
    pid_t (*start)(void *data, const struct heel_spawn *spawn, struct heel_spawn_failure *failure);
    /* SIGKILL to everything that runs in the sandbox but this process. */
    void (*kill_all)(void *data);
    /* heeld is gone. Does not return. */
    void (*on_heeld_gone)(void *data);
};

struct heel_commands {
    int control; /* borrowed; heeld is at its other end */
    const struct heel_command_ways *ways;
    void *data;                      /* theirs */
    int proc;                        /* /proc of this pid namespace; whose it is they open it */
    int null;                        /* stdin of commands that have none; likewise */
    struct heel_spawn_limits limits; /* of each command */
    struct heel_tree_tags tags;
    struct heel_pause pause;
    struct heel_running *running; /* owned; those that were not reaped yet */
};

/* Draws the key of the tags. 0, or -1 and *err. */
int heel_commands_init(struct heel_commands *commands, int control,
                       const struct heel_command_ways *ways, void *data, struct heel_error **err);

/* Answers heeld, or tells the ways that it is gone; blocks while heeld is busy, which never
 * waits for us. */
void heel_commands_tell(const struct heel_commands *commands, uint32_t type, uint32_t id,
                        const struct heel_buffer *payload);

/* Does what a message of heeld's asks; one of another kind is left alone. */
void heel_commands_do(struct heel_commands *commands, struct heel_message *message);

/* A child was reaped: if it was a command, heeld hears of it. Whether it was one. */
bool heel_commands_reaped(struct heel_commands *commands, pid_t pid, int status,
                          const struct rusage *usage);

#endif

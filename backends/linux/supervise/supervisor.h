/* heeld's side of a sandbox's connects: receives them, decides, and has them made by the sandbox's
 * hands. */
#ifndef HEEL_BACKENDS_LINUX_SUPERVISE_SUPERVISOR_H
#define HEEL_BACKENDS_LINUX_SUPERVISE_SUPERVISOR_H

#include "backends/backend.h"
#include "backends/linux/loop/channel.h"
#include "backends/linux/supervise/denial_rate.h"

struct linux_supervisor;

/* Takes the listener over (closed on failure too). `control` leads to the sandbox's init, and must
 * stay until linux_supervisor_close(). NULL and *err. */
struct linux_supervisor *linux_supervisor_open(uv_loop_t *loop, int listener,
                                               struct heel_channel *control,
                                               struct heel_error **err);

/* Run for each connect that is refused, as often as `rate` (borrowed) allows. host_pid is the
 * caller's pid on the host; denial->process is not set: the callee finds the command. on_refused
 * NULL: nobody is told. */
typedef void linux_on_refused(struct heel_denial *denial, pid_t host_pid, void *data);
void linux_supervisor_watch(struct linux_supervisor *supervisor, struct heel_denial_rate *rate,
                            linux_on_refused *on_refused, void *data);

/* One of its hands is dead, or was never born. */
void linux_supervisor_hand_gone(struct linux_supervisor *supervisor);

/* How many hands were asked for and are not known to be dead. */
unsigned linux_supervisor_hands(const struct linux_supervisor *supervisor);

/* Closes the listener, upon which the kernel fails the calls that still wait (ENOSYS). The
 * supervisor is freed before `on_closed` runs. */
void linux_supervisor_close(struct linux_supervisor *supervisor, void (*on_closed)(void *data),
                            void *data);

#endif

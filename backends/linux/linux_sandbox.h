/* What the files of a sandbox in heeld share among themselves: its steps from being asked for to
 * being gone. All on the loop's thread. */
#ifndef HEEL_BACKENDS_LINUX_LINUX_SANDBOX_H
#define HEEL_BACKENDS_LINUX_LINUX_SANDBOX_H

#include "backends/linux/linux.h"

static inline struct linux_backend *linux_backend_of(const struct linux_sandbox *sandbox)
{
    return heel_container_of(sandbox->base.backend, struct linux_backend, base);
}

static inline struct linux_sandbox *linux_sandbox_of(const struct heel_sandbox *base)
{
    return heel_container_of((struct heel_sandbox *)(uintptr_t)base, struct linux_sandbox, base);
}

/* linux_sandbox.c */
/* The sandbox can't be made, or can't go on. Takes the error over, which may be NULL; of several
 * the first is kept: it is the cause of the others. */
void linux_sandbox_fail(struct linux_sandbox *sandbox, struct heel_error *error);
/* After each event that its making or ending waits for. */
void linux_sandbox_advance(struct linux_sandbox *sandbox);
/* The same, run by the loop and not inside the caller's call. It borrows the watchdog's timer: only
 * for a sandbox whose init is dead or was never born. */
void linux_sandbox_advance_later(struct linux_sandbox *sandbox);

/* linux_sandbox_init.c */
/* The control socket: heeld's end is watched, init's end kept until the launcher gets it. 0, or -1
 * and *err. */
int linux_sandbox_open_control(struct linux_sandbox *sandbox, struct heel_error **err);

/* linux_pause.c */
void linux_pause_on_answer(struct linux_sandbox *sandbox, struct heel_message *message);
/* All in it is dead: what is waited for counts as one of its handles that are being closed. */
void linux_pause_close(struct linux_sandbox *sandbox);

/* linux_sandbox_end.c */
/* Takes the next step if nothing has to be waited for: nobody is alive, nothing is stored, no
 * handle is open. Call it again after each; when all are closed, later and from the loop, the
 * sandbox is freed. */
void linux_sandbox_end(struct linux_sandbox *sandbox);

#endif

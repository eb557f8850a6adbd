/* Forgetting where a forked process came from, and what that one was given. */
#ifndef HEEL_BACKENDS_LINUX_PROCESSES_ORIGIN_H
#define HEEL_BACKENDS_LINUX_PROCESSES_ORIGIN_H

#include <stddef.h>

/* Wipes the arguments and the environment that this process has from the program it was forked
 * from, so that neither its own /proc/PID/cmdline and environ nor its children's tell anything of
 * them, and puts `name` in their place. It has no environment any more. */
void heel_process_forget_origin(const char *name);

/* Gives up what an administrator may have given heeld so that it is served before others (niceness,
 * realtime, a place behind others when memory runs out, locked memory), for this process and what
 * it starts: code in sandboxes would come before everybody else. */
void heel_process_forget_favours(void);

/* Changes the name alone. */
void heel_process_rename(const char *name);

/* Closes every descriptor from 3 on that is not in `keep`, which is sorted on the way. */
void heel_process_close_others(int *keep, size_t count);

#endif

/* Forgetting where a forked process came from. */
#ifndef HEEL_BACKENDS_LINUX_ORIGIN_H
#define HEEL_BACKENDS_LINUX_ORIGIN_H

/* Wipes the arguments and the environment that this process has from the program it was forked
 * from, so that neither its own /proc/PID/cmdline and environ nor its children's tell anything of
 * them, and puts `name` in their place. It has no environment any more. */
void heel_process_forget_origin(const char *name);

/* Changes the name alone. */
void heel_process_rename(const char *name);

#endif

/* The launcher's program; see launcher.c. heel_launcher_start() in backends/backend.h starts it. */
#ifndef HEEL_BACKENDS_LINUX_LAUNCHER_LAUNCHER_H
#define HEEL_BACKENDS_LINUX_LAUNCHER_LAUNCHER_H

#include "backends/backend.h"

/* Runs it in the calling process, which ends with it. `socket` leads to heeld. */
_Noreturn void heel_launcher_run(int socket, const struct heel_backend_options *options);

#endif

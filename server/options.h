/* heeld's command line. */
#ifndef HEEL_SERVER_OPTIONS_H
#define HEEL_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "server/core.h"
#include "server/log.h"

#define OPTIONS_MAX_LISTEN 16

struct options {
    struct server_options server;
    const char *listen[OPTIONS_MAX_LISTEN]; /* paths; none: the default socket */
    size_t listen_count;
    int connection_fd; /* serve this connection alone; negative: none */
    int ready_fd;      /* negative: none */
    enum log_level log_level;
    bool help;
    bool version;
};

/* Parses the command line; strings stay borrowed from argv. 0, or -1 and *err. */
int options_parse(int argc, char **argv, struct options *options, struct heel_error **err);

void options_print_help(void);

#endif

/* The decision on a connect: pure functions of what is known about it. */
#ifndef HEEL_BACKENDS_LINUX_SUPERVISE_CONNECT_DECIDE_H
#define HEEL_BACKENDS_LINUX_SUPERVISE_CONNECT_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Bytes of the path that `name` is for a socket of this domain, as the kernel reads it; 0 if it is
 * none: an abstract name, another family, an address that the kernel will not take. */
size_t heel_connect_path_length(int domain, const void *name, size_t length);

/* A connect, by a socket of this domain and type, to a name of `length` bytes. */
struct heel_connect {
    int domain;
    int type;
    const void *name; /* borrowed */
    size_t length;
};

bool heel_connect_path_is_absolute(const struct heel_connect *connect);

/* Why a connect was refused; static. NULL: heel did not refuse it. */
struct heel_connect_refusal {
    const char *rule;
    const char *remedy;
};

/* May this connect be made, to a path that leads to a socket which was `bound_here`, in the same
 * sandbox? 0, or an errno and *refusal. */
int heel_connect_decide(const struct heel_connect *connect, bool bound_here,
                        struct heel_connect_refusal *refusal);

/* The connect was made and returned this errno (0: success). Whether it failed because the sandbox
 * has no network; then *refusal is set. */
bool heel_connect_was_cut_off(const struct heel_connect *connect, int error,
                              struct heel_connect_refusal *refusal);

/* Appends what was to be reached, as "/run/docker.sock", "tcp 192.0.2.1:443" or "udp
 * [2001:db8::1]:53"; what the program chose is escaped. */
void heel_connect_print(const struct heel_connect *connect, struct heel_buffer *to);

#endif

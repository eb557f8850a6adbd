/* Which Unix sockets were bound in this network namespace: the kernel's list, by SOCK_DIAG. */
#ifndef HEEL_BACKENDS_LINUX_SUPERVISE_UNIX_DIAG_H
#define HEEL_BACKENDS_LINUX_SUPERVISE_UNIX_DIAG_H

#include <stdbool.h>
#include <stdint.h>

/* The file that a path led to, as the kernel numbers it; stat's numbers are others on overlayfs and
 * btrfs. */
struct heel_socket_file {
    uint32_t device; /* the file system's, in the kernel's own encoding */
    uint64_t inode;
};

/* Asks for an open descriptor of the file (O_PATH will do). `proc` is this pid namespace's /proc.
 * 0, or -1 with errno. */
int heel_socket_file_of(int proc, int fd, struct heel_socket_file *file);

/* Whether a socket that listens in the network namespace of `diag`, a NETLINK_SOCK_DIAG socket that
 * nobody else reads from, is bound to that file. Takes time with the number of sockets there. False
 * where it could not be found out. */
bool heel_unix_diag_bound(int diag, const struct heel_socket_file *file);

#endif

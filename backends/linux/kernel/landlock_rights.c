/* Landlock's rights by ABI, and by name. */
#include "backends/linux/kernel/landlock_rights.h"

#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)
#define NET_TCP ((1ULL << 0) | (1ULL << 1)) /* bind and connect */

/* What each ABI added. */
static const struct {
    unsigned abi;
    uint64_t fs;
    uint64_t net;
    uint64_t scopes;
} additions[] = {
    {1, (1ULL << 13) - 1, 0, 0},                          /* Linux 5.13 */
    {2, HEEL_LANDLOCK_REFER, 0, 0},                       /* 5.19 */
    {3, HEEL_LANDLOCK_TRUNCATE, 0, 0},                    /* 6.2 */
    {4, 0, NET_TCP, 0},                                   /* 6.7 */
    {5, HEEL_LANDLOCK_IOCTL_DEV, 0, 0},                   /* 6.10 */
    {6, 0, 0, SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL}, /* 6.12 */
    {9, HEEL_LANDLOCK_RESOLVE_UNIX, 0, 0},                /* 7.1 */
};

static const struct {
    uint64_t right;
    const char *name;
} right_names[] = {
    {HEEL_LANDLOCK_READ_FILE, "read_file"},
    {HEEL_LANDLOCK_READ_DIR, "read_dir"},
    {HEEL_LANDLOCK_EXECUTE, "execute"},
    {HEEL_LANDLOCK_WRITE_FILE, "write_file"},
    {HEEL_LANDLOCK_TRUNCATE, "truncate"},
    {HEEL_LANDLOCK_REMOVE_DIR, "remove_dir"},
    {HEEL_LANDLOCK_REMOVE_FILE, "remove_file"},
    {HEEL_LANDLOCK_MAKE_CHAR, "make_char"},
    {HEEL_LANDLOCK_MAKE_DIR, "make_dir"},
    {HEEL_LANDLOCK_MAKE_REG, "make_reg"},
    {HEEL_LANDLOCK_MAKE_SOCK, "make_sock"},
    {HEEL_LANDLOCK_MAKE_FIFO, "make_fifo"},
    {HEEL_LANDLOCK_MAKE_BLOCK, "make_block"},
    {HEEL_LANDLOCK_MAKE_SYM, "make_sym"},
    {HEEL_LANDLOCK_REFER, "refer"},
    {HEEL_LANDLOCK_IOCTL_DEV, "ioctl_dev"},
    {HEEL_LANDLOCK_RESOLVE_UNIX, "resolve_unix"},
};

uint64_t heel_landlock_fs_rights(unsigned abi)
{
    uint64_t rights = 0;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(additions) && additions[i].abi <= abi; i++)
        rights |= additions[i].fs;
    return rights;
}

uint64_t heel_landlock_net_rights(unsigned abi)
{
    uint64_t rights = 0;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(additions) && additions[i].abi <= abi; i++)
        rights |= additions[i].net;
    return rights;
}

uint64_t heel_landlock_scopes(unsigned abi)
{
    uint64_t scopes = 0;

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(additions) && additions[i].abi <= abi; i++)
        scopes |= additions[i].scopes;
    return scopes;
}

void heel_landlock_print_rights(uint64_t rights, struct heel_buffer *to)
{
    const char *separator = "";

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(right_names); i++) {
        if (!(rights & right_names[i].right))
            continue;
        heel_buffer_printf(to, "%s%s", separator, right_names[i].name);
        separator = "+";
    }
}

/* The host as a policy's verdict looks at it. */
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backends/linux/policy/policy.h"
#include "base/text.h"

#define XFS_MAGIC 0x58465342

/* The file systems whose mounts can be id-mapped, of those that people work on. */
static bool can_lend(const struct statfs *status)
{
    static const unsigned long able[] = {EXT4_SUPER_MAGIC, XFS_MAGIC, BTRFS_SUPER_MAGIC,
                                         TMPFS_MAGIC};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(able); i++)
        if ((unsigned long)status->f_type == able[i])
            return true;
    return false;
}

static char *read_link(const char *path)
{
    char text[PATH_MAX];
    ssize_t length = readlink(path, text, sizeof(text) - 1);

    if (length < 0)
        return heel_xstrdup("");
    text[length] = '\0';
    return heel_xstrdup(text);
}

void heel_policy_look(const struct heel_policy_host *host, const char *path,
                      struct heel_policy_node *node)
{
    struct statfs mount;
    struct stat status;

    (void)host;
    *node = (struct heel_policy_node){0};
    if (lstat(path, &status) < 0)
        return;
    node->mode = status.st_mode;
    node->uid = status.st_uid;
    node->gid = status.st_gid;
    if (S_ISLNK(status.st_mode)) {
        node->link = read_link(path);
    } else if (statfs(path, &mount) == 0) {
        node->read_only = mount.f_flags & ST_RDONLY;
        node->no_execute = mount.f_flags & ST_NOEXEC;
        node->lendable = can_lend(&mount);
    }
}

/* What heeld leaves on disk when it ends without having been closed: its sockets, which it names
 * beforehand, and the folders of its sandboxes. */
#include "backends/linux/launcher/launcher_parts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/linux/state/remove_tree.h"

void launcher_on_unlink(struct launcher *launcher, struct heel_message *message)
{
    struct heel_reader reader = heel_reader_of(message->payload, message->length);
    const char *path = heel_get_string(&reader);
    struct stat status;

    if (!path || !heel_reader_done(&reader) || launcher->unlink_count == LAUNCHER_UNLINKS_MAX ||
        lstat(path, &status) || !(S_ISSOCK(status.st_mode) || S_ISREG(status.st_mode)))
        return;
    launcher->unlinks[launcher->unlink_count++] =
        (struct launcher_at_death){heel_xstrdup(path), status.st_dev, status.st_ino};
}

void launcher_on_close(struct launcher *launcher, struct heel_message *message)
{
    (void)message;
    while (launcher->unlink_count > 0)
        free(launcher->unlinks[--launcher->unlink_count].path);
}

static void remove_instance(const struct launcher *launcher)
{
    heel_autofree char *path = heel_xstrdup(launcher->instance.path);
    char *slash = strrchr(path, '/');
    heel_autoclose int parent = -1;

    *slash = '\0';
    parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0)
        heel_remove_tree(parent, slash + 1, NULL);
}

/* Only while it is still heeld's: another one may have taken the path over. */
static void unlink_files(const struct launcher *launcher)
{
    for (size_t i = 0; i < launcher->unlink_count; i++) {
        const struct launcher_at_death *file = &launcher->unlinks[i];
        struct stat status;

        if (lstat(file->path, &status) == 0 && status.st_dev == file->device &&
            status.st_ino == file->inode)
            unlink(file->path);
    }
}

void launcher_remove_leftovers(const struct launcher *launcher)
{
    unlink_files(launcher);
    remove_instance(launcher);
}

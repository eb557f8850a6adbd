#include "base/runtime_dir.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

/* The root of a user namespace that is nobody to the file system (unshare -r) has no use of root's
 * folders. */
static bool is_root_here(void)
{
    struct stat run;

    return geteuid() == 0 && (stat("/run", &run) < 0 || run.st_uid == 0);
}

char *heel_runtime_dir(void)
{
    const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

    if (is_root_here())
        return heel_xstrdup("/run/heel");
    if (runtime_dir && runtime_dir[0] == '/')
        return heel_format("%s/heel", runtime_dir);
    return heel_format("/tmp/heel-%u", geteuid());
}

char *heel_state_dir(void)
{
    const char *state_home = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    heel_autofree char *runtime_dir = NULL;

    if (is_root_here())
        return heel_xstrdup("/var/lib/heel");
    if (state_home && state_home[0] == '/')
        return heel_format("%s/heel", state_home);
    if (home && home[0] == '/')
        return heel_format("%s/.local/state/heel", home);
    runtime_dir = heel_runtime_dir();
    return heel_format("%s/state", runtime_dir);
}

char *heel_config_dir(void)
{
    const char *config_home = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (config_home && config_home[0] == '/')
        return heel_format("%s/heel", config_home);
    return home && home[0] == '/' ? heel_format("%s/.config/heel", home) : NULL;
}

int heel_runtime_dir_check(const char *path, struct heel_error **err)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return heel_error_set_errno(err, errno, "%s can't be looked at", path);
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return heel_error_set(
            err, HEEL_PERMISSION_DENIED, NULL,
            "%s must be a directory of user %u with mode 0700; remove it or name another socket",
            path, geteuid());
    return 0;
}

int heel_runtime_dir_make(const char *path, struct heel_error **err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return heel_error_set_errno(err, errno, "the folder of heel's socket, %s, can't be made",
                                    path);
    return heel_runtime_dir_check(path, err);
}

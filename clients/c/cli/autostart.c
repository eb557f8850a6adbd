#include "clients/c/cli/autostart.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/runtime_dir.h"
#include "base/text.h"
#include "clients/c/cli/cli.h"
#include "clients/c/cli/report.h"
#include "clients/c/libheel/address.h"

/* It leaves when there has been no sandbox and no call for this long. */
#define IDLE_EXIT "15m"

char *cli_heeld_program(void)
{
    const char *named = getenv("HEEL_HEELD");
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash, *beside;

    if (named && *named)
        return heel_xstrdup(named);
    if (length > 0) {
        self[length] = '\0';
        slash = strrchr(self, '/');
        beside = heel_format("%.*s/heeld", (int)(slash - self), self);
        if (access(beside, X_OK) == 0)
            return beside;
        free(beside);
    }
    return heel_xstrdup("heeld");
}

/* The process that becomes heeld: no child of anybody here, with no terminal, no descriptor but its
 * log and the readiness pipe, and in no directory that could be wanted for something else. */
static void become_heeld(const char *program, const char *namespaces, int log, int ready)
{
    heel_autofree char *ready_text = heel_format("%d", ready);
    int nothing = open("/dev/null", O_RDONLY);

    if (setsid() < 0 || fork() != 0)
        _exit(0);
    umask(077);
    if (chdir("/") || dup2(nothing, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0 || fcntl(ready, F_SETFD, 0))
        _exit(CLI_EXIT_OWN_ERROR);
    execlp(program, program, "--ready-fd", ready_text, "--idle-exit", IDLE_EXIT, "--namespaces",
           namespaces ? namespaces : "auto", (char *)NULL);
    dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
    _exit(CLI_EXIT_OWN_ERROR);
}

/* Whether heeld says that it is ready before it ends: a byte, or the end of the file. */
static bool becomes_ready(int ready)
{
    ssize_t length;
    char byte;

    do
        length = read(ready, &byte, 1);
    while (length < 0 && errno == EINTR);
    return length == 1;
}

/* The last line that heeld wrote tells why it ended. */
static int failed_start(const char *program, const char *log_path, struct heel_error **err)
{
    char text[4096];
    heel_autoclose int log = open(log_path, O_RDONLY | O_CLOEXEC);
    ssize_t length = log < 0 ? 0 : read(log, text, sizeof(text) - 1);
    char *line;

    text[length > 0 ? length : 0] = '\0';
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    line = strrchr(text, '\n');
    return heel_error_set(err, HEEL_UNAVAILABLE, NULL, "%s could not be started: %s; its log is %s",
                          program, line ? line + 1 : text, log_path);
}

static int start(const char *log_path, const char *namespaces, struct heel_error **err)
{
    heel_autofree char *program = cli_heeld_program();
    heel_autoclose int log =
        open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    int ready[2];
    pid_t child;
    bool is_ready;

    if (log < 0)
        return heel_error_set_errno(err, errno, "heeld's log %s can't be written", log_path);
    if (pipe2(ready, O_CLOEXEC))
        return heel_error_set_errno(err, errno, "no pipe for heeld's readiness");
    child = fork();
    if (child == 0)
        become_heeld(program, namespaces, log, ready[1]);
    close(ready[1]);
    if (child > 0)
        waitpid(child, NULL, 0);
    is_ready = child > 0 && becomes_ready(ready[0]);
    close(ready[0]);
    return is_ready ? 0 : failed_start(program, log_path, err);
}

/* A lock that goes with this process. It is on a file of its own: heeld inherits the log, and would
 * keep a lock on that. */
static int lock_folder(const char *folder, struct heel_error **err)
{
    heel_autofree char *path = heel_format("%s/autostart.lock", folder);
    heel_autoclose int lock = -1;

    if (heel_runtime_dir_make(folder, err))
        return -1;
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return heel_error_set_errno(err, errno, "%s can't be opened", path);
    while (flock(lock, LOCK_EX))
        if (errno != EINTR)
            return heel_error_set_errno(err, errno, "%s can't be locked", path);
    return heel_steal_fd(&lock);
}

int cli_autostart(const char *path, const char *namespaces, int *fd, struct heel_error **err)
{
    heel_autofree char *folder = heel_runtime_dir();
    heel_autofree char *log_path = heel_format("%s/heeld.log", folder);
    heel_autoerror struct heel_error *failure = NULL;
    heel_autoclose int lock = lock_folder(folder, err);

    if (lock < 0)
        return -1;
    /* Whoever had the lock before has started one. */
    if (!address_connect(path, true, fd, &failure))
        return 0;
    if (failure->code != HEEL_UNAVAILABLE)
        return heel_error_propagate(err, &failure);
    if (start(log_path, namespaces, err))
        return -1;
    cli_note("no server was running: started your own, which leaves after " IDLE_EXIT
             " without sandboxes (log: %s)",
             log_path);
    return address_connect(path, true, fd, err);
}

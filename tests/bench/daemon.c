#include "tests/bench/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/samples.h"

#define READY_FD 3
#define READY_WAIT_MS 10000
#define STOP_WAIT_MS 15000
#define STOP_INTERVAL_MS 2

/* Its log goes to a file, as a service manager would have it. */
static int spawn(struct daemon *daemon, const char *heeld, int ready, struct heel_error **err)
{
    heel_autofree char *listen = heel_format("unix:%s", daemon->socket);
    heel_autofree char *log = heel_format("%s/log", daemon->folder);
    const char *argv[] = {heeld,        "--listen", listen,    "--state-dir", daemon->state_dir,
                          "--ready-fd", "3",        "--grace", "1s",          NULL};
    posix_spawn_file_actions_t actions;
    int result;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ready, READY_FD);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    result =
        posix_spawn(&daemon->pid, heeld, &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (result)
        daemon->pid = -1;
    return result ? heel_error_set_errno(err, result, "run %s", heeld) : 0;
}

static int not_ready(const struct daemon *daemon, struct heel_error **err)
{
    heel_autofree char *path = heel_format("%s/log", daemon->folder);
    char text[1024] = "";
    FILE *log = fopen(path, "re");
    size_t length = log ? fread(text, 1, sizeof text - 1, log) : 0;

    if (log)
        fclose(log);
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    return heel_error_set(err, HEEL_UNAVAILABLE, NULL, "heeld did not get ready: %s", text);
}

static int wait_until_ready(struct daemon *daemon, int ready, struct heel_error **err)
{
    struct pollfd event = {.fd = ready, .events = POLLIN};
    char byte;

    if (poll(&event, 1, READY_WAIT_MS) != 1 || read(ready, &byte, 1) != 1)
        return not_ready(daemon, err);
    return 0;
}

static int start(struct daemon *daemon, const char *heeld, struct heel_error **err)
{
    heel_autoclose int ours = -1;
    heel_autoclose int theirs = -1;
    double begin;
    int ends[2];

    if (mkdir(daemon->folder, 0711) < 0)
        return heel_error_set_errno(err, errno, "make %s", daemon->folder);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return heel_error_set_errno(err, errno, "make a pipe");
    ours = ends[0];
    theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, READY_FD + 1); /* dup2 on itself keeps CLOEXEC */
    close(ends[1]);
    begin = now_ms();
    if (spawn(daemon, heeld, theirs, err) < 0)
        return -1;
    close(heel_steal_fd(&theirs));
    if (wait_until_ready(daemon, ours, err) < 0)
        return -1;
    daemon->start_ms = now_ms() - begin;
    return 0;
}

struct daemon *daemon_start(const char *heeld, const char *folder, struct heel_error **err)
{
    autodaemon struct daemon *daemon = heel_xcalloc(1, sizeof *daemon);

    daemon->pid = -1;
    daemon->folder = heel_xstrdup(folder);
    daemon->socket = heel_format("%s/s", folder);
    daemon->state_dir = heel_format("%s/state", folder);
    if (start(daemon, heeld, err) < 0)
        return NULL;
    return heel_steal(daemon);
}

static void end_process(pid_t pid)
{
    double deadline = now_ms() + STOP_WAIT_MS;

    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (now_ms() > deadline)
            kill(pid, SIGKILL);
        sleep_ms(STOP_INTERVAL_MS);
    }
}

void daemon_stop(struct daemon *daemon)
{
    if (!daemon)
        return;
    if (daemon->pid > 0)
        end_process(daemon->pid);
    free(daemon->folder);
    free(daemon->socket);
    free(daemon->state_dir);
    free(daemon);
}

static size_t entries_seen;

static int count_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)path;
    (void)status;
    (void)kind;
    entries_seen += place->level > 0;
    return 0;
}

size_t daemon_count_state(const struct daemon *daemon)
{
    entries_seen = 0;
    nftw(daemon->state_dir, count_entry, 16, FTW_PHYS);
    return entries_seen;
}

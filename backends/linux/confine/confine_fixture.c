#include "backends/linux/confine/confine_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"
#include "backends/linux/facts/host_facts.h"

#define NAMESPACES \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
     CLONE_NEWCGROUP)
#define SETUP_FAILED 120 /* init's exit status */

struct fixture {
    const struct heel_plan *plan;
    const int *mount_fds;
    heel_fixture_inside *inside;
    void *data;
    bool timed;
    int ready;  /* read end: the ids are mapped */
    int report; /* write end: why the set-up failed */
};

static void lap(bool wanted, const char *what)
{
    static double last;
    struct timespec now;
    double microseconds;

    clock_gettime(CLOCK_MONOTONIC, &now);
    microseconds = (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
    if (wanted && what)
        fprintf(stderr, "%-10s %7.1f us\n", what, microseconds - last);
    last = microseconds;
}

int heel_fixture_plan(const struct heel_sandbox_spec *spec, uid_t uid, const char *work,
                      const char *const *hidden, struct heel_plan **plan, struct heel_error **err)
{
    struct heel_host_facts *facts = heel_host_facts_gather(NULL);
    struct heel_plan_input input = {
        .spec = spec,
        .facts = facts,
        .work_source = spec->working_dir ? NULL : work,
        .hidden = hidden,
        .uid = uid,
        .gid = uid,
    };
    int result = heel_plan_make(&input, plan, err);

    heel_host_facts_release(facts);
    return result;
}

static int set_up(const struct fixture *fixture, struct heel_error **err)
{
    const struct heel_plan *plan = fixture->plan;
    char byte;

    lap(fixture->timed, "clone");
    if (read(fixture->ready, &byte, 1) != 1)
        return heel_error_set(err, HEEL_INTERNAL, NULL, "the ids could not be mapped");
    if (geteuid() != plan->uid &&
        (syscall(SYS_setgroups, 0, NULL) < 0 || setresgid(plan->gid, plan->gid, plan->gid) < 0 ||
         setresuid(plan->uid, plan->uid, plan->uid) < 0))
        return heel_error_set_errno(err, errno, "can't become user %u", plan->uid);
    lap(fixture->timed, "ids");
    if (heel_confine_network(err) < 0)
        return -1;
    lap(fixture->timed, "network");
    if (heel_confine_mounts(plan, fixture->mount_fds, err) < 0)
        return -1;
    lap(fixture->timed, "mounts");
    if (sethostname("heel", 4) < 0 || chdir(plan->paths.working_dir) < 0)
        return heel_error_set_errno(err, errno, "can't set the host name");
    if (heel_confine_self(plan, NULL, err) < 0)
        return -1;
    lap(fixture->timed, "self");
    prctl(PR_SET_DUMPABLE, 0);
    return 0;
}

static _Noreturn void be_init(const struct fixture *fixture)
{
    struct heel_error *error = NULL;
    pid_t first, pid;
    int status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (set_up(fixture, &error) < 0) {
        dprintf(fixture->report, "%s", error->message);
        _exit(SETUP_FAILED);
    }
    close(fixture->report);
    first = fork();
    if (first == 0) {
        prctl(PR_SET_DUMPABLE, 1);
        close_range(3, ~0U, 0);
        _exit(fixture->inside(fixture->data));
    }
    while ((pid = wait(&status)) > 0 || errno == EINTR)
        if (pid == first)
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    _exit(SETUP_FAILED);
}

static int write_text(pid_t pid, const char *name, const char *text)
{
    heel_autofree char *path = heel_format("/proc/%d/%s", pid, name);
    heel_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

static int map_ids(pid_t pid, const struct heel_plan *plan)
{
    heel_autofree char *uids = heel_format("%u %u 1", plan->uid, plan->uid);
    heel_autofree char *gids = heel_format("%u %u 1", plan->gid, plan->gid);

    if (geteuid() != 0 && write_text(pid, "setgroups", "deny") < 0)
        return -1;
    return write_text(pid, "gid_map", gids) < 0 || write_text(pid, "uid_map", uids) < 0 ? -1 : 0;
}

static int run(struct fixture *fixture, int go, int said, struct heel_error **err)
{
    char why[512];
    ssize_t length;
    int status = 0;
    pid_t pid;

    lap(false, NULL);
    fflush(NULL);
    pid = (pid_t)syscall(SYS_clone, NAMESPACES | SIGCHLD, 0, 0, 0, 0);
    if (pid < 0)
        return heel_error_set_errno(err, errno, "can't make namespaces");
    if (pid == 0) {
        close(go);
        be_init(fixture);
    }
    close(fixture->report);
    if (map_ids(pid, fixture->plan) == 0 && write(go, "x", 1) == 1)
        length = read(said, why, sizeof(why));
    else
        length = -1;
    if (length < 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (length != 0)
        return heel_error_set(err, HEEL_FAILED_PRECONDITION, "SETUP_FAILED", "%.*s",
                              length > 0 ? (int)length : 0, why);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int heel_fixture_run(const struct heel_plan *plan, const struct heel_caller *caller,
                     heel_fixture_inside *inside, void *data, bool timed, struct heel_error **err)
{
    heel_autofree int *mount_fds = heel_xcalloc(plan->mount_count, sizeof(int));
    struct fixture fixture = {.plan = plan, .inside = inside, .data = data, .timed = timed};
    int ready[2], report[2], result;

    if (geteuid() == 0) {
        if (heel_confine_open_named(plan, caller, mount_fds, err) < 0)
            return -1;
        fixture.mount_fds = mount_fds;
    }
    if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0)
        return heel_error_set_errno(err, errno, "can't make a pipe");
    fixture.ready = ready[0];
    fixture.report = report[1];
    result = run(&fixture, ready[1], report[0], err);
    close(ready[0]);
    close(ready[1]);
    close(report[0]);
    for (size_t i = 0; fixture.mount_fds && i < plan->mount_count; i++)
        if (mount_fds[i] >= 0)
            close(mount_fds[i]);
    return result;
}

/* For trying confinement by hand: confine_try [-l strict|default|permissive] [-d WORKING_DIR] [-r|-w|-x|-n PATH]... [-u UID] [-p] [-t] PROGRAM ARGUMENT...
 * runs a program the way a sandbox does, without heeld. -n denies; -p prints the plan; -t prints what each step took. As root, -u gives the uid that it
 * runs as. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/linux/confine.h"
#include "backends/linux/host.h"

#define RULES_MAX 64

static _Noreturn void die(const char *what, const struct heel_error *error)
{
    fprintf(stderr, "confine_try: %s: %s\n", what, error ? error->message : strerror(errno));
    _exit(125);
}

static double microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void lap(bool wanted, const char *what)
{
    static double last;
    double now = microseconds();

    if (wanted && last > 0)
        fprintf(stderr, "%-12s %7.1f us\n", what, now - last);
    last = microseconds();
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        die(path, NULL);
    close(fd);
}

static _Noreturn void run_inside(const struct heel_plan *plan, const int *mount_fds, char **argv, bool timed)
{
    heel_autofree char *home = heel_format("HOME=%s", plan->paths.home_dir);
    heel_autofree char *user = heel_format("USER=%s", plan->paths.user_name);
    char path[] = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", temp[] = "TMPDIR=/tmp", lang[] = "LANG=C.UTF-8";
    char *environment[] = { path, home, user, temp, lang, NULL };
    struct heel_error *error = NULL;

    lap(timed, "map");
    if (heel_confine_network(&error) < 0)
        die("network", error);
    lap(timed, "network");
    if (heel_confine_mounts(plan, mount_fds, &error) < 0)
        die("mounts", error);
    lap(timed, "mounts");
    if (sethostname("heel", 4) < 0)
        die("sethostname", NULL);
    if (heel_confine_self(plan, &error) < 0)
        die("self", error);
    lap(timed, "self");
    if (chdir(plan->paths.working_dir) < 0)
        die("chdir", NULL);
    if (fork() == 0) {
        execvpe(argv[0], argv, environment);
        die(argv[0], NULL);
    }
    for (;;) {
        int status;
        pid_t pid = wait(&status);

        if (pid < 0)
            _exit(125);
        if (pid == 2)
            _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
}

static int launch(const struct heel_plan *plan, const struct heel_caller *caller, char **argv, bool timed)
{
    heel_autofree int *mount_fds = heel_xcalloc(plan->mount_count, sizeof(int));
    struct heel_error *error = NULL;
    int ready[2], status = 0;
    char map[64], path[64];
    pid_t pid;

    if (geteuid() == 0 && heel_confine_open_named(plan, caller, mount_fds, &error) < 0)
        die("named paths", error);
    if (pipe2(ready, O_CLOEXEC) < 0)
        die("pipe", NULL);
    lap(timed, "start");
    pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | SIGCHLD,
                         0, 0, 0, 0);
    if (pid < 0)
        die("clone", NULL);
    if (pid == 0) {
        char byte;

        lap(timed, "clone");
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (read(ready[0], &byte, 1) != 1)
            _exit(125);
        if (geteuid() != plan->uid && (setresgid(plan->gid, plan->gid, plan->gid) < 0 || setresuid(plan->uid, plan->uid, plan->uid) < 0))
            die("identity", NULL);
        run_inside(plan, geteuid() == plan->uid && caller->uid == plan->uid && caller->uid != 0 ? NULL : mount_fds, argv, timed);
    }
    snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
    write_text(path, "deny");
    snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
    snprintf(map, sizeof(map), "%u %u 1", plan->gid, plan->gid);
    write_text(path, map);
    snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
    snprintf(map, sizeof(map), "%u %u 1", plan->uid, plan->uid);
    write_text(path, map);
    if (write(ready[1], "x", 1) != 1)
        die("pipe", NULL);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    struct heel_path_rule rules[RULES_MAX];
    struct heel_sandbox_spec spec = { .id = "try", .level = HEEL_LEVEL_DEFAULT, .paths = rules, .caller = { .uid = geteuid(), .gid = getegid() } };
    const char *hidden[] = { NULL };
    struct heel_plan_input input = { .spec = &spec, .hidden = hidden, .uid = geteuid() ? geteuid() : 70000, .gid = getegid() ? getegid() : 70000 };
    char work[] = "/tmp/confine_try.XXXXXX";
    heel_autobuffer struct heel_buffer text = { 0 };
    struct heel_error *error = NULL;
    struct heel_plan *plan = NULL;
    bool print = false, timed = false;
    int option, result;

    while ((option = getopt(argc, argv, "+l:d:r:w:x:n:u:c:pt")) != -1) {
        switch (option) {
        case 'l':
            spec.level = optarg[0] == 's' ? HEEL_LEVEL_STRICT : optarg[0] == 'p' ? HEEL_LEVEL_PERMISSIVE : HEEL_LEVEL_DEFAULT;
            break;
        case 'd':
            spec.working_dir = optarg;
            break;
        case 'u':
            input.uid = input.gid = (uid_t)atoi(optarg);
            break;
        case 'c':
            spec.caller.uid = spec.caller.gid = (uid_t)atoi(optarg);
            break;
        case 'p':
            print = true;
            break;
        case 't':
            timed = true;
            break;
        case '?':
            return 125;
        default:
            if (spec.path_count == RULES_MAX)
                return 125;
            rules[spec.path_count++] = (struct heel_path_rule){ optarg, option == 'r' ? HEEL_ACCESS_READ : option == 'w' ? HEEL_ACCESS_WRITE :
                                                                option == 'x' ? HEEL_ACCESS_EXECUTE : HEEL_ACCESS_DENY };
        }
    }
    if (!spec.working_dir) {
        if (!mkdtemp(work) || chown(work, input.uid, input.gid) < 0)
            die(work, NULL);
        input.work_source = work;
    }
    input.facts = heel_host_facts_gather();
    lap(timed, "");
    if (heel_plan_make(&input, &plan, &error) < 0)
        die(error->field ? error->field : "plan", error);
    lap(timed, "plan");
    heel_plan_print(plan, &text);
    if (print)
        fputs(text.data, stdout);
    fflush(stdout);
    lap(timed, "print");
    result = optind < argc ? launch(plan, &spec.caller, argv + optind, timed) : 0;
    rmdir(work);
    return result;
}

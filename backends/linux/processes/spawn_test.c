#include "backends/linux/processes/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/processes/tree.h"
#include "base/test.h"
#include "base/text.h"

static char root[] = "/tmp/heel-spawn-XXXXXX";

struct outcome {
    struct heel_spawn_failure failure;
    int status;
    char output[4096];
};

/* Runs it to its end with PATH `path`, and keeps what it printed. */
static struct outcome run(const char *const *argv, const char *path, const char *working_dir)
{
    struct outcome outcome = {0};
    heel_autofree char *path_variable = heel_format("PATH=%s", path);
    const char *environment[] = {"A=b", path ? path_variable : NULL, NULL};
    heel_autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct heel_spawn spawn = {
        .argv = argv, .environment = environment, .working_dir = working_dir, .tag = 4711};
    int ends[2];
    ssize_t got;
    pid_t pid;

    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    spawn.stdio[0] = null;
    spawn.stdio[1] = spawn.stdio[2] = ends[1];
    pid = heel_spawn(&spawn, &outcome.failure);
    close(ends[1]);
    if (pid > 0) {
        while ((got = read(ends[0], outcome.output + strlen(outcome.output),
                           sizeof outcome.output - 1 - strlen(outcome.output))) > 0)
            ;
        REQUIRE(waitpid(pid, &outcome.status, 0) == pid);
    }
    close(ends[0]);
    CHECK_INT(waitpid(-1, NULL, WNOHANG), -1); /* no zombie of an attempt that failed */
    return outcome;
}

static struct outcome run_one(const char *program, const char *path)
{
    const char *argv[] = {program, "argument", NULL};

    return run(argv, path, root);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    heel_autofree char *path = heel_format("%s/%s", root, name);
    heel_autoclose int fd = open(path, O_WRONLY | O_CREAT, 0600);

    REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
            fchmod(fd, mode) == 0);
}

static void check_failure(struct outcome outcome, enum heel_start_failure kind, int why)
{
    CHECK_INT(outcome.failure.kind, kind);
    CHECK_INT(outcome.failure.why, why);
}

static void test_failures(void)
{
    const char *const argv[] = {"/bin/true", NULL};
    heel_autofree char *file = heel_format("%s/plain", root);
    heel_autofree char *both = heel_format("%s:/bin", root);

    write_file("plain", "text", 0644);
    write_file("missing-interpreter", "#!/nonexistent\n", 0755);
    check_failure(run_one("no-such-program", "/usr/bin:/bin"), HEEL_START_NOT_FOUND, ENOENT);
    check_failure(run_one("/no/such", "/bin"), HEEL_START_NOT_FOUND, ENOENT);
    check_failure(run_one("", "/bin"), HEEL_START_NOT_FOUND, ENOENT);
    check_failure(run_one(file, "/bin"), HEEL_START_NOT_EXECUTABLE, EACCES);
    check_failure(run_one("plain", both), HEEL_START_NOT_EXECUTABLE, EACCES);
    check_failure(run_one("/bin", "/bin"), HEEL_START_NOT_EXECUTABLE, EACCES);
    check_failure(run_one("./missing-interpreter", "/bin"), HEEL_START_NOT_FOUND, ENOENT);
    check_failure(run(argv, "/bin", "/nonexistent"), HEEL_START_BAD_DIRECTORY, ENOENT);
    check_failure(run(argv, "/bin", file), HEEL_START_BAD_DIRECTORY, ENOTDIR);
    check_failure(run_one("true", "/nonexistent:/dev/null"), HEEL_START_NOT_FOUND, ENOENT);
}

static void test_path(void)
{
    heel_autofree char *first = heel_format("%s:/bin", root);
    const char *const argv[] = {"cat", "/proc/self/comm", NULL};

    write_file("echo", "#!/bin/sh\necho ours", 0755);
    CHECK_STR(run_one("echo", first).output, "ours\n");
    CHECK_STR(run_one("echo", "/bin").output, "argument\n");
    CHECK_STR(run_one("./echo", "/bin").output, "ours\n");
    CHECK_STR(run_one("echo", "").output, "ours\n"); /* an empty PATH means the working directory */
    CHECK_STR(run_one("echo", "/nonexistent:").output, "ours\n");
    REQUIRE(chmod("echo", 0644) == 0);
    CHECK_STR(run_one("echo", first).output,
              "argument\n");                          /* what can't be executed is passed over */
    CHECK_STR(run(argv, NULL, root).output, "cat\n"); /* no PATH at all */
}

static void test_script_without_interpreter(void)
{
    write_file("script", "echo \"$0 $1\"", 0755);
    CHECK_STR(run_one("./script", "/bin").output, "./script argument\n");
}

static void test_surroundings(void)
{
    static const char *const tag[] = {
        "sh", "-c", "grep -c 'Max file locks *4711 *4711' /proc/self/limits", NULL};
    static const char *const fds[] = {"readlink", "/proc/self/fd/2", "/proc/self/fd/3",
                                      "/proc/self/fd/4", NULL};
    static const char *const leader[] = {
        "sh", "-c", "set -- $(cat /proc/$$/stat); test $1 = $5 && test $1 = $6 && echo $7", NULL};
    static const char *const environment[] = {"/usr/bin/env", NULL};
    static const char *const signals[] = {"sed", "-n", "/^Sig[BC]/p", "/proc/self/status", NULL};
    heel_autoclose int leak = dup2(0, 3) < 0 ? -1 : dup2(0, 4);
    struct outcome open_fds;
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    CHECK_INT(leak, 4);
    CHECK_STR(run(tag, "/bin", "/").output, "1\n");
    open_fds = run(fds, "/bin", "/");
    CHECK(strncmp(open_fds.output, "pipe:", 5) == 0 && strchr(open_fds.output, '\n')[1] == '\0');
    CHECK_STR(run(leader, "/bin", "/").output, "0\n");
    CHECK_STR(run(environment, "/x", "/").output, "A=b\nPATH=/x\n");
    CHECK_STR(run(signals, "/bin", "/").output,
              "SigBlk:\t0000000000000000\nSigCgt:\t0000000000000000\n");
}

static void test_no_process_left(void)
{
    struct rlimit none = {0, 0};
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        heel_test_failures = 0;
        if (geteuid() == 0 && (setgid(65533) || setuid(65533)))
            _exit(77);
        setrlimit(RLIMIT_NPROC, &none);
        check_failure(run_one("/bin/true", "/bin"), HEEL_START_FAILED, EAGAIN);
        _exit(heel_test_failures);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
}

int main(void)
{
    REQUIRE(mkdtemp(root) && chdir(root) == 0);
    test_failures();
    test_path();
    test_script_without_interpreter();
    test_surroundings();
    test_no_process_left();
    REQUIRE(unlink("plain") == 0 && unlink("missing-interpreter") == 0 && unlink("echo") == 0 &&
            unlink("script") == 0);
    REQUIRE(chdir("/") == 0 && rmdir(root) == 0);
    return heel_test_end();
}

/* Landlock by itself, without a mount namespace to lean on: what the rules say holds, and nothing
 * else is allowed. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/linux/confine/host.h"
#include "backends/linux/confine/landlock.h"
#include "backends/linux/plan/plan_build.h"
#include "base/test.h"

static char base[] = "/tmp/landlock_test.XXXXXX";

static int try_open(const char *name, int flags)
{
    heel_autofree char *path = heel_format("%s/%s", base, name);
    heel_autoclose int fd = open(path, flags | O_CLOEXEC, 0644);

    return fd < 0 ? errno : 0;
}

static int connect_abstract(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    heel_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", base);

    if (connect(fd, (struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0)
        return 0;
    return errno;
}

static int listen_abstract(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", base);

    if (bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) < 0)
        return -1;
    return listen(fd, 8) < 0 ? -1 : fd;
}

static void check_confined(void)
{
    heel_autofree char *program = heel_format("%s/writable/true", base),
                       *allowed = heel_format("%s/executable/true", base);
    unsigned abi = heel_landlock_abi();

    CHECK_INT(try_open("readable/file", O_RDONLY), 0);
    CHECK_INT(try_open("readable/file", O_WRONLY), EACCES);
    CHECK_INT(try_open("readable/new", O_CREAT | O_WRONLY), EACCES);
    CHECK_INT(try_open("writable/new", O_CREAT | O_WRONLY), 0);
    CHECK_INT(try_open("writable/new", O_TRUNC | O_WRONLY), 0);
    CHECK_INT(try_open("other", O_RDONLY), EACCES);
    CHECK_INT(try_open("single", O_RDONLY), 0);
    CHECK(execl(program, program, NULL) < 0 && errno == EACCES);
    CHECK_INT(access(allowed, X_OK), 0);
    CHECK_INT(kill(getpid(), 0), 0);
    CHECK_INT(kill(getppid(), 0) < 0 ? errno : 0, abi >= 6 ? EPERM : 0);
    CHECK_INT(connect_abstract(), abi >= 6 ? EPERM : 0);
}

static int run_confined(const struct heel_plan *plan)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        heel_autoerror struct heel_error *error = NULL;

        heel_test_failures = 0;
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (heel_landlock_restrict(plan, &error) < 0)
            HEEL_TEST_FAIL("%s", error->message);
        check_confined();
        _exit(heel_test_end());
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return status;
}

static void add_rule(struct heel_plan *plan, const char *name, uint64_t rights)
{
    heel_autofree char *path = heel_format("%s/%s", base, name);

    heel_plan_add_rule(plan, path, rights, "test");
}

static void rights_grow_with_the_abi(void)
{
    CHECK_INT(heel_landlock_fs_rights(0), 0);
    CHECK_INT(heel_landlock_fs_rights(4) & HEEL_LANDLOCK_IOCTL_DEV, 0);
    CHECK(heel_landlock_fs_rights(5) & HEEL_LANDLOCK_IOCTL_DEV);
    CHECK_INT(heel_landlock_scopes(5), 0);
    CHECK_INT(heel_landlock_scopes(6), 3);
    CHECK_INT(heel_landlock_fs_rights(8) & HEEL_LANDLOCK_RESOLVE_UNIX, 0);
    CHECK(heel_landlock_fs_rights(99) & HEEL_LANDLOCK_RESOLVE_UNIX);
}

int main(void)
{
    heel_autofree char *make = NULL, *remove = NULL;
    heel_autoplan struct heel_plan *plan = heel_xcalloc(1, sizeof(*plan));
    int listener;

    rights_grow_with_the_abi();
    if (heel_landlock_abi() < HEEL_LANDLOCK_ABI_NEEDED) {
        heel_autoerror struct heel_error *error = NULL;

        CHECK_INT(heel_landlock_restrict(plan, &error), -1);
        CHECK(error && error->code == HEEL_FAILED_PRECONDITION);
        return heel_test_failures ? 1 : heel_test_skip("this kernel's Landlock is too old");
    }
    REQUIRE(mkdtemp(base));
    make = heel_format("cd %s && mkdir readable writable executable other && touch readable/file "
                       "single && cp /bin/true writable && "
                       "cp /bin/true executable",
                       base);
    REQUIRE(system(make) == 0);
    listener = listen_abstract();
    REQUIRE(listener >= 0);
    CHECK_INT(connect_abstract(), 0);
    add_rule(plan, "readable", heel_plan_rights_of(HEEL_ACCESS_READ));
    add_rule(plan, "writable", heel_plan_rights_of(HEEL_ACCESS_WRITE));
    add_rule(plan, "executable", heel_plan_rights_of(HEEL_ACCESS_EXECUTE));
    add_rule(plan, "single",
             heel_plan_rights_of(HEEL_ACCESS_READ |
                                 HEEL_ACCESS_WRITE)); /* a file gets what files can have */
    add_rule(plan, "missing", heel_plan_rights_of(HEEL_ACCESS_READ));
    CHECK_INT(run_confined(plan), 0);
    close(listener);
    remove = heel_format("rm -rf %s", base);
    CHECK_INT(system(remove), 0);
    return heel_test_end();
}

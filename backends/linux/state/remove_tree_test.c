#include "backends/linux/state/remove_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

#define DEEP 3000 /* levels; 100,000 take 11 s */

static char root[] = "/tmp/heel-remove-XXXXXX";

/* Everything lies in `root`; "outside" must survive. */
static void begin(void)
{
    strcpy(root + strlen(root) - 6, "XXXXXX");
    REQUIRE(mkdtemp(root) && chdir(root) == 0);
    REQUIRE(mkdir("outside", 0755) == 0 && mkdir("tree", 0755) == 0);
    REQUIRE(close(creat("outside/file", 0644)) == 0);
}

static void finish(void)
{
    CHECK_INT(access("outside/file", F_OK), 0);
    CHECK_INT(unlink("outside/file"), 0);
    CHECK_INT(rmdir("outside"), 0);
    CHECK_INT(chdir("/"), 0);
    CHECK_INT(rmdir(root), 0);
}

static void check_removed(void)
{
    heel_autoerror struct heel_error *error = NULL;

    CHECK_INT(heel_remove_tree(AT_FDCWD, "tree", &error), 0);
    CHECK_STR(error ? error->message : NULL, NULL);
    CHECK_INT(access("tree", F_OK), -1);
}

static void test_absent(void)
{
    begin();
    check_removed();
    check_removed();
    finish();
}

static void make_deep(const char *name, int depth)
{
    int at = open("tree", O_PATH | O_DIRECTORY);

    for (int i = 0; i < depth; i++) {
        int below;

        REQUIRE(mkdirat(at, name, 0755) == 0);
        below = openat(at, name, O_PATH | O_DIRECTORY);
        close(at);
        at = below;
    }
    REQUIRE(close(openat(at, "file", O_WRONLY | O_CREAT, 0644)) == 0);
    close(at);
}

static void test_deep(void)
{
    begin();
    make_deep("d", DEEP);
    make_deep("~0", 50); /* what the remover itself might call something */
    make_deep("a name that is long enough to make a path of a thousand levels too long for any "
              "path buffer",
              1000);
    check_removed();
    finish();
}

static void test_modes(void)
{
    begin();
    REQUIRE(mkdir("tree/a", 0755) == 0 && mkdir("tree/a/b", 0755) == 0 &&
            mkdir("tree/a/b/c", 0755) == 0);
    REQUIRE(close(creat("tree/a/b/c/file", 0)) == 0);
    REQUIRE(chmod("tree/a/b/c", 0) == 0 && chmod("tree/a/b", 0) == 0 && chmod("tree/a", 0500) == 0);
    REQUIRE(mkdir("tree/x", 0755) == 0 && mkdir("tree/x/empty", 0) == 0 &&
            chmod("tree/x", 0444) == 0);
    REQUIRE(chmod("tree", 0) == 0);
    check_removed();
    finish();
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    heel_autoclose int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, path);
    REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
}

static void test_kinds(void)
{
    begin();
    REQUIRE(mkdir("tree/d", 0755) == 0 && mkfifo("tree/d/fifo", 0) == 0);
    make_socket("tree/d/socket");
    REQUIRE(symlink("../../outside", "tree/d/link") == 0 &&
            symlink("../outside", "tree/link") == 0);
    REQUIRE(symlink("/nowhere", "tree/dangling") == 0 && link("outside/file", "tree/d/hard") == 0);
    REQUIRE(close(creat("tree/ \n\xff*", 0644)) == 0);
    check_removed();
    finish();
}

static void test_is_link(void)
{
    begin();
    REQUIRE(rmdir("tree") == 0 && symlink("outside", "tree") == 0);
    check_removed();
    finish();
}

static void test_wide(void)
{
    begin();
    for (int i = 0; i < 3000; i++) {
        char name[64];

        snprintf(name, sizeof name, "tree/%d", i % 300);
        mkdir(name, 0755);
        snprintf(name, sizeof name, "tree/%d/%d", i % 300, i);
        REQUIRE(mkdir(name, 0755) == 0);
        snprintf(name, sizeof name, "tree/%d/%d/f", i % 300, i);
        REQUIRE(close(creat(name, 0644)) == 0);
    }
    check_removed();
    finish();
}

/* Directories that turn into links to the outside and back while they are being removed. */
static atomic_bool swapping;

static void *swap(void *unused)
{
    while (swapping) {
        renameat2(AT_FDCWD, "tree/d", AT_FDCWD, "tree/link", RENAME_EXCHANGE);
        (void)!symlink("../outside", "tree/link"); /* most of these fail at some time or other */
        mkdir("tree/d", 0755);
        mkdir("tree/d/e", 0755);
        (void)!symlink("../../outside", "tree/d/e/link");
    }
    return unused;
}

static void test_swaps(void)
{
    pthread_t thread;

    begin();
    swapping = true;
    REQUIRE(pthread_create(&thread, NULL, swap, NULL) == 0);
    for (int i = 0; i < 200; i++) {
        mkdir("tree", 0755);
        heel_remove_tree(AT_FDCWD, "tree", NULL);
    }
    swapping = false;
    pthread_join(thread, NULL);
    check_removed();
    unlink("outside/e/link"); /* the swapper's own: it went through the link */
    rmdir("outside/e");
    finish();
}

/* In a child, whose mount namespace ends with it. */
static int remove_with_mount(void)
{
    heel_autoerror struct heel_error *error = NULL;

    heel_test_failures = 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
        return heel_test_skip("no user namespaces: the mount case");
    REQUIRE(mount("outside", "tree/a/b/mount", NULL, MS_BIND, NULL) == 0);
    CHECK_INT(heel_remove_tree(AT_FDCWD, "tree", &error), -1);
    CHECK(error && strstr(error->message, "cannot remove"));
    CHECK_INT(access("tree/a/file", F_OK), -1);
    CHECK_INT(access("outside/file", F_OK), 0);
    return heel_test_end();
}

static void test_mount(void)
{
    pid_t pid;
    int status;

    begin();
    REQUIRE(mkdir("tree/a", 0755) == 0 && mkdir("tree/a/b", 0755) == 0 &&
            mkdir("tree/a/b/mount", 0755) == 0);
    REQUIRE(close(creat("tree/a/file", 0644)) == 0);
    pid = fork();
    if (pid == 0)
        _exit(remove_with_mount());
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
    check_removed();
    finish();
}

int main(void)
{
    /* Modes mean nothing to root. */
    if (geteuid() == 0 && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
        return heel_test_skip("can't become an ordinary user");
    /* So few that a descriptor per level would show. */
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){32, 32});
    umask(022);
    test_absent();
    test_deep();
    test_modes();
    test_kinds();
    test_is_link();
    test_wide();
    test_swaps();
    test_mount();
    return heel_test_end();
}

/* Where servers are looked for, and whom to trust there. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/test.h"
#include "base/text.h"
#include "clients/c/libheel/address.h"
#include "clients/c/libheel/heel/heel.h"

static const struct {
    const char *address, *path; /* no path: refused */
} addresses[] = {
    {"unix:/run/x", "/run/x"},
    {"unix:///run/x", "/run/x"},
    {"/run/x", "/run/x"},
    {"./x", "./x"},
    {"a/b", "a/b"},
    {"unix:x", "x"},
    {"localhost:80", NULL},
    {"heeld.sock", NULL},
    {"unix:", NULL},
    {"tcp://127.0.0.1:1", NULL},
    {"dns:///host", NULL},
    {"", NULL},
};

static void test_parse(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(addresses); i++) {
        heel_autoerror struct heel_error *error = NULL;
        heel_autofree char *path = NULL;

        CHECK_INT(address_parse(addresses[i].address, &path, &error), addresses[i].path ? 0 : -1);
        CHECK_STR(path, addresses[i].path);
        CHECK_INT(heel_error_code(error),
                  addresses[i].path ? HEEL_ERROR_NONE : HEEL_ERROR_INVALID_ARGUMENT);
    }
}

static void check_default(const char *expected)
{
    heel_autofree char *address = heel_default_address();

    CHECK_STR(address, expected);
}

static void test_default(void)
{
    heel_autofree char *in_tmp = heel_format("/tmp/heel-%u/heeld.sock", (unsigned)geteuid());
    bool root = geteuid() == 0;

    unsetenv("HEEL_ADDRESS");
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    check_default(root ? "/run/heel/heeld.sock" : "/run/user/7/heel/heeld.sock");
    unsetenv("XDG_RUNTIME_DIR");
    check_default(root ? "/run/heel/heeld.sock" : in_tmp);
    setenv("HEEL_ADDRESS", "unix:/elsewhere", 1);
    check_default("unix:/elsewhere");
}

static int listen_in(const char *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    heel_autofree char *before = getcwd(NULL, 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
    REQUIRE(!chdir(folder));
    REQUIRE(!bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 1));
    REQUIRE(!chdir(before));
    return fd;
}

static enum heel_error_code connect_code(const char *path, bool own_only)
{
    heel_autoerror struct heel_error *error = NULL;
    heel_autoclose int fd = -1;

    CHECK_INT(address_connect(path, own_only, &fd, &error), error ? -1 : 0);
    return heel_error_code(error);
}

/* A folder that others can enter is no place for one's own server; a socket that was named is the
 * caller's business. */
static void test_connect(const char *top)
{
    heel_autofree char *path = heel_format("%s/s", top);
    int listener = listen_in(top, "s");

    CHECK_INT(connect_code(path, true), HEEL_ERROR_NONE);
    REQUIRE(!chmod(top, 0777));
    CHECK_INT(connect_code(path, true), HEEL_ERROR_PERMISSION_DENIED);
    CHECK_INT(connect_code(path, false), HEEL_ERROR_NONE);
    REQUIRE(!chmod(top, 0700));
    close(listener);
    CHECK_INT(connect_code(path, true), HEEL_ERROR_UNAVAILABLE);
    unlink(path);
    CHECK_INT(connect_code(path, true), HEEL_ERROR_UNAVAILABLE);
    CHECK_INT(connect_code("/nowhere/at/all", true), HEEL_ERROR_UNAVAILABLE);
}

/* Longer than a socket address can be. */
static void test_long_path(const char *top)
{
    heel_autofree char *folder = heel_format("%s/%0150d", top, 0);
    heel_autofree char *path = heel_format("%s/s", folder);
    int listener;

    REQUIRE(!mkdir(folder, 0700));
    listener = listen_in(folder, "s");
    CHECK_INT(connect_code(path, true), HEEL_ERROR_NONE);
    close(listener);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    char top[] = "/tmp/heel-test-XXXXXX";

    REQUIRE(mkdtemp(top));
    test_parse();
    test_default();
    test_connect(top);
    test_long_path(top);
    rmdir(top);
    return heel_test_end();
}

#include "backends/linux/limits/disk_use.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

static const struct heel_disk_use everything = {UINT64_MAX, UINT64_MAX};
static char folder[] = "/tmp/heel-disk-XXXXXX";

static struct heel_disk_use measure(const struct heel_disk_use *most)
{
    heel_autoclose int top = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct heel_disk_use use;

    heel_disk_use_measure(top, most, &use);
    return use;
}

static void start(void)
{
    strcpy(folder, "/tmp/heel-disk-XXXXXX");
    REQUIRE(mkdtemp(folder) && chdir(folder) == 0);
}

static void end(void)
{
    heel_autofree char *command = heel_format("chmod -R u+rwx %s; rm -rf %s", folder, folder);

    REQUIRE(chdir("/") == 0 && system(command) == 0);
}

static void make_file(const char *name, size_t bytes)
{
    heel_autoclose int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    heel_autofree char *data = heel_xcalloc(1, bytes + 1);

    memset(data, 1, bytes);
    REQUIRE(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
}

static void test_names(void)
{
    start();
    CHECK_INT((long)measure(&everything).inodes, 0);
    make_file("one", 100000);
    REQUIRE(link("one", "other") == 0 && symlink("/usr", "link") == 0 && mkdir("d", 0700) == 0);
    make_file("d/two", 100000);
    CHECK_INT((long)measure(&everything).inodes, 5); /* nothing of /usr */
    CHECK(measure(&everything).bytes >= 200000);
    CHECK(measure(&everything).bytes < 300000); /* one of two names is half a file */
    end();
}

static void test_holes(void)
{
    start();
    make_file("sparse", 1);
    REQUIRE(truncate("sparse", 1L << 32) == 0);
    CHECK(measure(&everything).bytes < 100000);
    end();
}

static void test_depth(void)
{
    enum { LEVELS = 3000 }; /* of a path that is longer than the kernel takes */

    start();
    for (int i = 0; i < LEVELS; i++)
        REQUIRE(mkdir("d", 0700) == 0 && chdir("d") == 0);
    CHECK_INT((long)measure(&everything).inodes, LEVELS);
    end();
}

static void test_unreadable(void)
{
    start();
    REQUIRE(mkdir("d", 0700) == 0);
    make_file("d/one", 100000);
    REQUIRE(chmod("d", 0300) == 0);
    CHECK_INT((long)measure(&everything).inodes, 2);
    end();
}

static void test_enough_is_enough(void)
{
    const struct heel_disk_use few = {UINT64_MAX, 10};

    start();
    for (char name[] = "a"; *name <= 'z'; (*name)++)
        make_file(name, 1);
    CHECK_INT((long)measure(&few).inodes, 11);
    end();
}

int main(void)
{
    test_names();
    test_holes();
    test_depth();
    test_unreadable();
    test_enough_is_enough();
    return heel_test_end();
}

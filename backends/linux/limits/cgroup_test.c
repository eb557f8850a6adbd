/* On a folder that stands for the tree: what is written where. That the kernel heeds it is shown by
 * tests/kernels. */
#include "backends/linux/limits/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

static char root[] = "/tmp/heel-cgroup-XXXXXX";

static void put(const char *path, const char *text)
{
    heel_autofree char *whole = heel_format("%s/%s", root, path);
    FILE *file = fopen(whole, "w");

    if (!file)
        HEEL_TEST_FAIL("can't write %s", whole);
    fputs(text, file);
    fclose(file);
}

static void make(const char *path)
{
    heel_autofree char *whole = heel_format("%s/%s", root, path);

    CHECK_INT(mkdir(whole, 0755), 0);
}

/* What the file begins with; "" if it isn't there. */
static const char *get(const char *path)
{
    static char text[256];
    heel_autofree char *whole = heel_format("%s/%s", root, path);
    FILE *file = fopen(whole, "r");

    text[0] = '\0';
    if (file) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
    }
    return text;
}

static void test_none(void)
{
    struct heel_cgroups cgroups;

    heel_cgroups_open(root, "12:memory:/user\n1:name=systemd:/\n", 10, 11, &cgroups);
    CHECK_INT(cgroups.base, -1);
    CHECK(strstr(cgroups.why, "no cgroup v2"));
    heel_cgroups_close(&cgroups);
    make("empty");
    heel_cgroups_open(root, "0::/empty\n", 10, 11, &cgroups);
    CHECK_INT(cgroups.base, -1);
    heel_cgroups_close(&cgroups);
}

static bool exists(const char *path)
{
    heel_autofree char *whole = heel_format("%s/%s", root, path);

    return access(whole, F_OK) == 0;
}

static void test_delegated(void)
{
    heel_autofree char *own = heel_format("mine/heel-%d-1", (int)getpid());
    struct heel_cgroups cgroups;

    make("mine");
    make("mine/heel-server");
    put("mine/cgroup.type", "domain");
    put("mine/cgroup.subtree_control", "");
    put("mine/cgroup.procs", "");
    put("mine/heel-server/cgroup.procs", "");
    make("mine/heel-999999999-1"); /* no process can have that pid */
    make(own);
    heel_cgroups_open(root, "5:cpu:/\n0::/mine\n", 10, 11, &cgroups);
    CHECK(!cgroups.why);
    CHECK_STR(get("mine/cgroup.subtree_control"), "+memory +pids +cpu");
    CHECK_STR(get("mine/heel-server/cgroup.procs"), "10"); /* the last of the two that came */
    CHECK(!exists("mine/heel-999999999-1"));
    CHECK(exists(own));
    heel_cgroups_close(&cgroups);
}

static void test_lines(void)
{
    heel_autoclose int group = open(root, O_RDONLY | O_DIRECTORY);

    put("memory.events", "low 0\noom 4\noom_kill 3\noom_group_kill 9\n");
    CHECK_INT((long)heel_cgroup_read(group, "memory.events", "oom_kill"), 3);
    CHECK_INT((long)heel_cgroup_read(group, "memory.events", "oom"), 4);
    CHECK_INT((long)heel_cgroup_read(group, "memory.events", "none"), 0);
    CHECK_INT((long)heel_cgroup_read(group, "absent", "oom"), 0);
}

static void test_wanted(void)
{
    CHECK(!heel_cgroup_is_wanted(&(struct heel_limits){.disk_bytes = 1, .max_open_files = 16}));
    CHECK(heel_cgroup_is_wanted(&(struct heel_limits){.memory_bytes = 1}));
    CHECK(heel_cgroup_is_wanted(&(struct heel_limits){.cpu_share_milli = 1}));
}

int main(void)
{
    heel_autofree char *remove = NULL;
    int result;

    CHECK(mkdtemp(root) != NULL);
    test_none();
    test_delegated();
    test_lines();
    test_wanted();
    result = heel_test_end();
    remove = heel_format("rm -rf %s", root);
    return system(remove) ? 1 : result;
}

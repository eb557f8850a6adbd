/* Where something can be seen a second time, on made-up hosts and by the kernel's own list. */
#include "backends/linux/facts/host_mounts.h"

#include "base/test.h"

static const char host[] = "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
                           "27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                           "28 27 8:2 / /home rw shared:2 master:1 - ext4 /dev/sda2 rw\n"
                           "29 27 8:2 /alice /srv/with\\040space rw - ext4 /dev/sda2 rw\n"
                           "30 27 8:2 /alice/src /srv/part rw - ext4 /dev/sda2 rw\n"
                           "31 27 8:2 /bob /srv/bob rw - ext4 /dev/sda2 rw\n"
                           "32 27 8:1 / /mnt/root rw - ext4 /dev/sda1 rw\n"
                           "33 27 0:30 / /srv/covered rw - tmpfs none rw\n"
                           "34 27 8:2 / /srv/covered rw - ext4 /dev/sda2 rw\n"
                           "35 27 0:40 / /only rw - tmpfs none rw\n"
                           "36 27 0:41 / /other/proc rw - proc none rw\n"
                           "garbage\n"
                           "37 27\n"
                           "38 27 8:2 /alice /home/alice/again rw - ext4 /dev/sda2 rw";

/* Each of `wanted`, which ends with NULL, and no other. */
static void check_aliases(const struct heel_host_mounts *mounts, const char *path,
                          const char *const *wanted)
{
    char **aliases = heel_host_mounts_aliases(mounts, path);
    size_t count = 0, expected = 0;

    while (aliases && aliases[count])
        count++;
    for (; wanted[expected]; expected++) {
        size_t i = 0;

        while (i < count && strcmp(aliases[i], wanted[expected]) != 0)
            i++;
        if (i == count)
            HEEL_TEST_FAIL("%s: %s is missing", path, wanted[expected]);
    }
    CHECK_INT(count, expected);
    heel_host_mounts_free_paths(aliases);
}

static void made_up_hosts(void)
{
    struct heel_host_mounts *mounts = heel_host_mounts_parse(host);

    CHECK_INT(mounts->count, 11);
    check_aliases(mounts, "/home/alice",
                  (const char *[]){"/srv/with space", "/srv/part", "/srv/covered/alice", NULL});
    check_aliases(mounts, "/home/alice/.ssh",
                  (const char *[]){"/srv/with space/.ssh", "/srv/covered/alice/.ssh",
                                   "/home/alice/again/.ssh", NULL});
    check_aliases(mounts, "/var/lib/heel", (const char *[]){"/mnt/root/var/lib/heel", NULL});
    check_aliases(mounts, "/", (const char *[]){NULL});
    check_aliases(mounts, "/only/x", (const char *[]){NULL});
    check_aliases(mounts, "/srv/bobby", (const char *[]){"/mnt/root/srv/bobby", NULL});
    check_aliases(NULL, "/home/alice", (const char *[]){NULL});
    heel_host_mounts_release(mounts);
    mounts = heel_host_mounts_parse("");
    CHECK_INT(mounts->count, 0);
    check_aliases(mounts, "/home/alice", (const char *[]){NULL});
    heel_host_mounts_release(mounts);
}

static void kernel_interfaces_are_told(void)
{
    struct heel_host_mounts *mounts = heel_host_mounts_parse(host);
    size_t kernels = 0;

    for (size_t i = 0; i < mounts->count; i++)
        kernels += heel_host_mount_is_kernels(&mounts->items[i]);
    CHECK_INT(kernels, 2);
    heel_host_mounts_release(mounts);
}

static void the_present_state_is_shared(void)
{
    struct heel_mount_watch watch;
    struct heel_host_mounts *held;

    heel_mount_watch_open(&watch);
    REQUIRE(watch.latest && watch.latest->count > 0);
    held = heel_host_mounts_hold(heel_mount_watch_latest(&watch));
    CHECK(heel_mount_watch_latest(&watch) == held);
    heel_mount_watch_close(&watch);
    CHECK(held->count > 0);
    heel_host_mounts_release(held);
}

int main(void)
{
    made_up_hosts();
    kernel_interfaces_are_told();
    the_present_state_is_shared();
    return heel_test_end();
}

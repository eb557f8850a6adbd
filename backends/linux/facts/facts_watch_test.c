/* Facts are gathered again when what they were gathered from comes to be, and only then. */
#include "backends/linux/facts/facts_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

static char base[] = "/tmp/heel-facts-watch-XXXXXX";

static char *in_base(const char *name)
{
    return heel_format("%s/%s", base, name);
}

static void write_file(const char *path)
{
    FILE *file = fopen(path, "w");

    REQUIRE(file && fclose(file) == 0);
}

static bool is_masked(const struct heel_host_facts *facts, const char *path)
{
    for (size_t i = 0; i < facts->mask_count; i++)
        if (strcmp(facts->masks[i].path, path) == 0)
            return true;
    return false;
}

/* What is named comes, goes, and comes again with the folder that it is in. */
static void what_comes_is_masked(void)
{
    heel_autofree char *folder = in_base("kube"), *file = in_base("kube/config");
    struct heel_facts_watch watch;
    const struct heel_host_facts *first;

    REQUIRE(setenv("KUBECONFIG", file, 1) == 0);
    heel_facts_watch_open(&watch);
    REQUIRE(watch.inotify >= 0);
    first = watch.latest;
    CHECK(!is_masked(first, file));
    CHECK(heel_facts_watch_latest(&watch) == first);
    for (int i = 0; i < 2; i++) {
        REQUIRE(mkdir(folder, 0700) == 0);
        write_file(file);
        CHECK(is_masked(heel_facts_watch_latest(&watch), file));
        REQUIRE(unlink(file) == 0 && rmdir(folder) == 0);
    }
    heel_facts_watch_close(&watch);
}

static void what_nobody_asked_for_changes_nothing(void)
{
    heel_autofree char *other = in_base("other");
    struct heel_facts_watch watch;
    const struct heel_host_facts *first;

    heel_facts_watch_open(&watch);
    first = watch.latest;
    write_file(other);
    CHECK(heel_facts_watch_latest(&watch) == first);
    REQUIRE(unlink(other) == 0);
    heel_facts_watch_close(&watch);
}

/* Who made a plan of the old ones may still be at it. */
static void facts_last_as_long_as_they_are_held(void)
{
    heel_autofree char *file = in_base("config");
    struct heel_facts_watch watch;
    struct heel_host_facts *held;

    REQUIRE(setenv("KUBECONFIG", file, 1) == 0);
    heel_facts_watch_open(&watch);
    held = heel_host_facts_hold(watch.latest);
    write_file(file);
    CHECK(heel_facts_watch_latest(&watch) != held);
    CHECK(!is_masked(held, file));
    heel_host_facts_release(held);
    REQUIRE(unlink(file) == 0);
    heel_facts_watch_close(&watch);
}

int main(void)
{
    REQUIRE(mkdtemp(base));
    what_comes_is_masked();
    what_nobody_asked_for_changes_nothing();
    facts_last_as_long_as_they_are_held();
    CHECK(rmdir(base) == 0);
    return heel_test_end();
}

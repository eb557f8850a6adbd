/* Two heelds never have the same uid, unless the first has ended. */
#include "backends/linux/identity/uid_locks.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

static void one_has_it(const char *folder)
{
    int first = heel_uid_locks_open(folder), second = heel_uid_locks_open(folder);

    REQUIRE(first >= 0 && second >= 0);
    CHECK(heel_uid_lock(first, 1879048192));
    CHECK(heel_uid_lock(first, 1879048192)); /* its own */
    CHECK(!heel_uid_lock(second, 1879048192));
    CHECK(heel_uid_lock(second, 1879048193));
    CHECK(!heel_uid_lock(first, 1879048193));
    close(first);
    CHECK(heel_uid_lock(second, 1879048192));
    close(second);
}

static void without_a_folder_all_are_free(const char *folder)
{
    heel_autofree char *absent = heel_format("%s/no/such", folder);
    int locks = heel_uid_locks_open(absent);

    CHECK_INT(locks, -1);
    CHECK(heel_uid_lock(locks, 1));
}

static void nobody_elses_folder_is_used(const char *folder)
{
    REQUIRE(chmod(folder, 0777) == 0);
    CHECK_INT(heel_uid_locks_open(folder), -1);
    REQUIRE(chmod(folder, 0700) == 0);
}

int main(void)
{
    char base[] = "/tmp/heel-uid-locks-XXXXXX";
    heel_autofree char *folder = NULL, *file = NULL;

    REQUIRE(mkdtemp(base));
    folder = heel_format("%s/run", base);
    file = heel_format("%s/uids", folder);
    one_has_it(folder);
    without_a_folder_all_are_free(folder);
    nobody_elses_folder_is_used(folder);
    unlink(file);
    rmdir(folder);
    rmdir(base);
    return heel_test_end();
}

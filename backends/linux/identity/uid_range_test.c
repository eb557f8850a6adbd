/* Ranges against made-up files of users, groups and what is given to them. */
#include "backends/linux/identity/uid_range.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

static char etc[] = "/tmp/heel-etc-XXXXXX";
static const char *const names[] = {"passwd", "group", "subuid", "subgid"};

static char *path_of(const char *name)
{
    return heel_format("%s/%s", etc, name);
}

static void write_file(const char *name, const char *text)
{
    heel_autofree char *path = path_of(name);
    heel_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void check_free(uid_t first, uid_t last)
{
    heel_autoerror struct heel_error *error = NULL;

    CHECK_INT(heel_uid_range_check(first, last - first + 1, etc, &error), 0);
    CHECK_STR(error ? error->message : NULL, NULL);
}

static void check_taken(uid_t first, uid_t last, const char *entry)
{
    heel_autoerror struct heel_error *error = NULL;

    CHECK_INT(heel_uid_range_check(first, last - first + 1, etc, &error), -1);
    REQUIRE(error);
    CHECK_INT(error->code, HEEL_INVALID_ARGUMENT);
    if (!strstr(error->message, entry))
        HEEL_TEST_FAIL("%s does not name %s", error->message, entry);
}

static void nothing_is_said_by_absent_files(void)
{
    check_free(1, 4294967293U);
}

static void each_file_is_looked_at(void)
{
    write_file("passwd", "root:x:0:0:root:/root:/bin/sh\n\nbad line\n+::::::\n"
                         "ann:x:1000:5000:Ann, 70000:/home/ann:/bin/sh\n");
    write_file("group", "staff:x:3000:ann,60000\n");
    write_file("subuid", "ann:100000:65536\nnone:7000:0\nbob:4294901760:99999");
    write_file("subgid", "ann:200000:10\n");
    check_free(1, 999);
    check_taken(1, 1000, "\"ann:x:1000:5000:Ann, 70000:/home/ann:/bin/sh\" in");
    check_taken(1000, 1000, "/passwd");
    check_free(1001, 2999);
    check_taken(2000, 4000, "\"staff:x:3000:ann,60000\"");
    check_free(3001, 99999);
    check_taken(3001, 100000, "\"ann:100000:65536\" in");
    check_taken(165535, 165535, "/subuid");
    check_taken(120000, 120001, "/subuid");
    check_free(165536, 199999);
    check_taken(199999, 200000, "/subgid");
    check_free(200010, 4294901759U);
    check_taken(4294967000U, 4294967293U, "bob");
}

static void a_count_may_be_any_number(void)
{
    write_file("subuid", "eve:300000:9223372036854775807\n");
    check_taken(300001, 300002, "eve");
    check_free(250000, 299999);
}

static void clean_up(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(names); i++) {
        heel_autofree char *path = path_of(names[i]);

        CHECK_INT(unlink(path), 0);
    }
    CHECK_INT(rmdir(etc), 0);
}

int main(void)
{
    REQUIRE(mkdtemp(etc));
    nothing_is_said_by_absent_files();
    each_file_is_looked_at();
    a_count_may_be_any_number();
    clean_up();
    return heel_test_end();
}

#include "server/complaints.h"

#include "backends/backend.h"
#include "base/test.h"

#define ANY (HEEL_ACCESS_READ | HEEL_ACCESS_WRITE | HEEL_ACCESS_EXECUTE)

static const struct {
    const char *line;
    const char *path; /* NULL: none */
    unsigned accesses;
    bool absent;
} table[] = {
    {"cat: /etc/shadow: Permission denied", "/etc/shadow", ANY, false},
    {"cat: /root/.ssh/id_rsa: No such file or directory", "/root/.ssh/id_rsa", HEEL_ACCESS_READ,
     true},
    {"touch: cannot touch '/etc/x y': Read-only file system", "/etc/x y", HEEL_ACCESS_WRITE, false},
    {"touch: cannot touch `/etc/x': Permission denied", "/etc/x", ANY, false},
    {"sh: 1: cannot create /etc/x: Permission denied", "/etc/x", ANY, false},
    {"bash: line 1: /usr/bin/x: Permission denied", "/usr/bin/x", ANY, false},
    {"PermissionError: [Errno 13] Permission denied: '/etc/shadow'", "/etc/shadow", ANY, false},
    {"Error: EACCES: permission denied, open '/root/x'", "/root/x", ANY, false},
    {"open /root/x: permission denied", "/root/x", ANY, false},
    {"mkdir: cannot create directory 'sub': Operation not permitted", "/work/sub",
     HEEL_ACCESS_WRITE, false},
    {"./run.sh: Permission denied", "/work/./run.sh", ANY, false},
    {"/usr/bin/cat: /etc/shadow: Permission denied", "/etc/shadow", ANY, false},
    {"Permission denied (publickey).", NULL, 0, false},
    {"all is well at /etc/passwd", NULL, 0, false},
    {"", NULL, 0, false},
};

static void test_lines(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct complaint found[COMPLAINTS_MAX];
        size_t count = complaints_find(table[i].line, strlen(table[i].line), "/work", found);

        CHECK_INT(count, table[i].path != NULL);
        if (count == 1) {
            CHECK_STR(found[0].path, table[i].path);
            CHECK_INT(found[0].accesses, table[i].accesses);
            CHECK_INT(found[0].absent, table[i].absent);
        }
        complaints_clear(found, count);
    }
}

static void test_bounds(void)
{
    struct complaint found[COMPLAINTS_MAX];
    char text[64 * 40], *at = text;
    size_t count;

    for (int i = 0; i < 40; i++)
        at +=
            sprintf(at, "cat: /x/%d: Permission denied\ncat: /x/%d: Permission denied\n", i / 2, i);
    count = complaints_find(text, (size_t)(at - text), "/", found);
    CHECK_INT(count, COMPLAINTS_MAX);
    CHECK_STR(found[0].path, "/x/0");
    CHECK_STR(found[1].path, "/x/1");
    complaints_clear(found, count);
}

int main(void)
{
    test_lines();
    test_bounds();
    return heel_test_end();
}

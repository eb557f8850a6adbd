/* On records as Linux 6.18 wrote them, and on what it never would. */
#include "backends/linux/audit/audit_record.h"

#include "base/test.h"
#include "base/text.h"

#define STAMP "audit(1795271164.685:713): "

#define autorecord __attribute__((cleanup(heel_audit_record_clear)))

static void check_access(const char *words, const char *right, const char *target)
{
    autorecord struct heel_audit_record record = {0};
    heel_autofree char *text = heel_format(STAMP "domain=1abe9ad63 %s", words);

    CHECK_INT(heel_audit_record_parse(HEEL_AUDIT_ACCESS, text, &record), 0);
    CHECK_INT(record.type, HEEL_AUDIT_ACCESS);
    CHECK_INT(record.serial, 713);
    CHECK_INT(record.domain, 0x1abe9ad63);
    CHECK_STR(record.right, right);
    CHECK_STR(record.target, target);
}

static void test_accesses(void)
{
    check_access("blockers=fs.read_file path=\"/etc/passwd\" dev=\"vda\" ino=1196040", "read",
                 "/etc/passwd");
    check_access("blockers=fs.read_dir path=\"/proc/1\" dev=\"proc\" ino=1617", "read", "/proc/1");
    check_access("blockers=fs.make_reg path=\"/tmp\" dev=\"vda\" ino=246947", "write", "/tmp");
    check_access("blockers=fs.remove_dir path=\"/usr\" dev=\"vda\" ino=246969", "write", "/usr");
    check_access("blockers=fs.execute,fs.read_file path=\"/tmp/aud.sh\" dev=\"vda\" ino=9994428",
                 "execute", "/tmp/aud.sh");
    check_access("blockers=fs.read_file,fs.write_file path=\"/x\" dev=\"vda\" ino=1", "write",
                 "/x");
    check_access("blockers=fs.make_reg,fs.refer path=\"/var\" dev=\"vda\" ino=395592", "write",
                 "/var");
    check_access("blockers=scope.signal opid=1600 ocomm=\"python3\"", "signal", "process 1600");
    check_access("blockers=ptrace opid=1600 ocomm=\"python3\"", "ptrace", "process 1600");
    check_access("blockers=scope.abstract_unix_socket path=00616273", "connect", "\\x00abs");
    check_access("blockers=net.connect_tcp daddr=127.0.0.1 dest=80", "connect",
                 "127.0.0.1 port 80");
    check_access("blockers=net.bind_tcp src=1024", "bind", "port 1024");
}

/* Spaces and quotes come in hexadecimal, so that no name passes for another word. */
static void test_names_that_programs_chose(void)
{
    check_access("blockers=fs.read_file path=2F7462206C6F6361740A2270617468 dev=\"vda\" ino=1",
                 "read", "/tb locat\\n\\\"path");
    check_access("blockers=fs.read_file path=2F1B5B33316D dev=\"vda\" ino=1", "read", "/\\x1b[31m");
    check_access("blockers=fs.read_file path=\"/domain=2\" dev=\"vda\" ino=1", "read", "/domain=2");
    check_access("blockers=fs.read_file path=\"<too_long>\" dev=\"vda\" ino=1", "read",
                 "<too_long>");
}

static void test_domains(void)
{
    autorecord struct heel_audit_record record = {0};

    CHECK_INT(heel_audit_record_parse(HEEL_AUDIT_DOMAIN,
                                      STAMP "domain=1abe9ad63 status=allocated mode=enforcing "
                                            "pid=1642 uid=0 exe=\"/usr/bin/x\" comm=\"x\"",
                                      &record),
              0);
    CHECK_INT(record.domain, 0x1abe9ad63);
    CHECK_INT(record.pid, 1642);
    CHECK_INT(heel_audit_record_parse(HEEL_AUDIT_DOMAIN,
                                      STAMP "domain=1abe9ad63 status=deallocated denials=49",
                                      &record),
              -1);
}

#define CALL \
    STAMP "arch=c000003e syscall=257 success=no exit=-13 a0=ffffff9c a1=7f a2=80000 a3=0 items=0 " \
          "ppid=1642 pid=1643 auid=4294967295 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 " \
          "fsgid=0 tty=(none) ses=4294967295 comm=\"sh\" "

static void check_call(const char *text, const char *program)
{
    autorecord struct heel_audit_record record = {0};

    CHECK_INT(heel_audit_record_parse(HEEL_AUDIT_CALL, text, &record), 0);
    CHECK_INT(record.serial, 713);
    CHECK_INT(record.pid, 1643);
    CHECK_INT(record.parent, 1642);
    CHECK_STR(record.program, program);
}

static void test_calls(void)
{
    check_call(CALL "exe=\"/usr/bin/dash\" key=(null)", "/usr/bin/dash");
    check_call(CALL "exe=2F61206270 key=(null)", "/a bp");
    check_call(CALL "exe=(null) key=(null)", "");
    check_call(CALL "key=(null)", "");
}

static void test_ends(void)
{
    autorecord struct heel_audit_record record = {0};

    CHECK_INT(heel_audit_record_parse(HEEL_AUDIT_END, STAMP, &record), 0);
    CHECK_INT(record.type, HEEL_AUDIT_END);
    CHECK_INT(record.serial, 713);
}

static void test_what_makes_no_sense(void)
{
    static const struct {
        unsigned type;
        const char *text;
    } records[] = {
        {HEEL_AUDIT_ACCESS, ""},
        {HEEL_AUDIT_ACCESS, "audit("},
        {HEEL_AUDIT_ACCESS, "audit(1:2"},
        {HEEL_AUDIT_ACCESS, "audit(1.1:): domain=1 blockers=fs.read_file path=\"/\""},
        {HEEL_AUDIT_ACCESS, "audit(1.1:-1): domain=1 blockers=fs.read_file path=\"/\""},
        {HEEL_AUDIT_ACCESS, STAMP},
        {HEEL_AUDIT_ACCESS, STAMP "blockers=fs.read_file path=\"/\""},
        {HEEL_AUDIT_ACCESS, STAMP "domain= blockers=fs.read_file path=\"/\""},
        {HEEL_AUDIT_ACCESS, STAMP "domain=xyz blockers=fs.read_file path=\"/\""},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1ffffffffffffffff blockers=fs.read_file path=\"/\""},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 path=\"/\""},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers= path=\"/\""},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers=fs.something path=\"/\""},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers=fs.read_file"},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers=fs.read_file path="},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers=fs.read_file path=\"\""},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers=fs.read_file path=\""},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers=fs.read_file path=2"},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers=fs.read_file path=2G"},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers=fs.read_file path=(null)"},
        {HEEL_AUDIT_ACCESS, STAMP "domain=1 blockers=scope.signal opid=99999999999"},
        {HEEL_AUDIT_DOMAIN, STAMP "domain=1 status=allocated pid=0"},
        {HEEL_AUDIT_DOMAIN, STAMP "status=allocated pid=1"},
        {HEEL_AUDIT_CALL, STAMP "pid=1"},
        {HEEL_AUDIT_CALL, STAMP "ppid=1"},
        {HEEL_AUDIT_CALL, STAMP "pid=-1 ppid=1"},
        {HEEL_AUDIT_END, "1320"},
        {1305, STAMP "op=set audit_enabled=1"},
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(records); i++) {
        autorecord struct heel_audit_record record = {0};

        if (heel_audit_record_parse(records[i].type, records[i].text, &record) != -1)
            HEEL_TEST_FAIL("taken: %u %s", records[i].type, records[i].text);
    }
}

/* Cut anywhere, a record is refused or taken for less; the sanitizers watch. */
static void test_cut_records(void)
{
    static const char whole[] =
        STAMP "domain=1abe9ad63 blockers=fs.execute,fs.read_file path=2F61 dev=\"vda\" ino=9";

    for (size_t length = 0; length < sizeof whole; length++) {
        autorecord struct heel_audit_record record = {0};
        heel_autofree char *cut = heel_format("%.*s", (int)length, whole);

        if (heel_audit_record_parse(HEEL_AUDIT_ACCESS, cut, &record) == 0)
            CHECK(strncmp(record.target, "/a", strlen(record.target)) == 0);
    }
}

int main(void)
{
    test_accesses();
    test_names_that_programs_chose();
    test_domains();
    test_calls();
    test_ends();
    test_what_makes_no_sense();
    test_cut_records();
    return heel_test_end();
}

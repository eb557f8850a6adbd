/* No source of this backend gives a reason that the contract does not have. */
#include "backends/linux/messages/reasons.h"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

#define FOLDER "backends/linux"
#define FOLDERS_OPEN 8 /* at a time */
#define SETTER "heel_error_set("
#define REASONS_AT_LEAST 15 /* fewer mean that the sources were not found, or not understood */

static int seen;

/* What follows the second comma of a call's arguments. */
static const char *third_argument(const char *arguments)
{
    int depth = 0, commas = 0;

    for (; *arguments && commas < 2; arguments++) {
        depth += *arguments == '(';
        depth -= *arguments == ')';
        commas += *arguments == ',' && depth == 0;
    }
    return arguments + strspn(arguments, " \n");
}

static void check_call(const char *file, const char *arguments)
{
    const char *reason = third_argument(arguments);
    heel_autofree char *word = NULL;

    if (reason[0] != '"')
        return;
    word = heel_format("%.*s", (int)strcspn(reason + 1, "\""), reason + 1);
    seen++;
    if (!heel_reason_find(word))
        HEEL_TEST_FAIL("%s: \"%s\" is no reason of the contract", file, word);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* nftw's callback. */
static int check_file(const char *path, const struct stat *status, int type, struct FTW *at)
{
    heel_autoclose int fd = -1;
    heel_autofree char *text = NULL;

    (void)status, (void)at;
    if (type != FTW_F || !ends_with(path, ".c") || ends_with(path, "_test.c"))
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    text = heel_xcalloc(1, 1 << 20);
    REQUIRE(fd >= 0 && read(fd, text, (1 << 20) - 1) > 0);
    for (const char *call = strstr(text, SETTER); call; call = strstr(call, SETTER)) {
        call += strlen(SETTER);
        check_call(path, call);
    }
    return 0;
}

static void test_sources(void)
{
    REQUIRE(nftw(FOLDER, check_file, FOLDERS_OPEN, 0) == 0);
    CHECK(seen >= REASONS_AT_LEAST);
}

static void test_table(void)
{
    CHECK_STR(heel_reason_find("SETUP_FAILED"), "SETUP_FAILED");
    CHECK_STR(heel_reason_find("SETUP_FAILE"), NULL);
    CHECK_STR(heel_reason_find(""), NULL);
}

int main(void)
{
    test_table();
    test_sources();
    return heel_test_end();
}

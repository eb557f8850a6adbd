/* What programs switch on is undone, and nothing else is. */
#include <string.h>

#include "base/test.h"
#include "clients/c/libheel/terminal_modes.h"

/* What is always said. */
#define HARMLESS "\033>\033[0m\033(B\017"

static struct terminal_modes seen(const char *output)
{
    struct terminal_modes modes = {0};

    terminal_modes_see(&modes, output, strlen(output));
    return modes;
}

static void check_undone(const char *output, const char *wanted)
{
    struct terminal_modes modes = seen(output), by_byte = {0};
    char undone[TERMINAL_MODES_BYTES + 1];

    undone[terminal_modes_undo(&modes, undone)] = '\0';
    CHECK_STR(undone, wanted);
    for (const char *at = output; *at; at++)
        terminal_modes_see(&by_byte, at, 1);
    undone[terminal_modes_undo(&by_byte, undone)] = '\0';
    CHECK_STR(undone, wanted);
}

static void check_redone(const char *output, const char *wanted)
{
    struct terminal_modes modes = seen(output);
    char redone[TERMINAL_MODES_BYTES + 1];

    redone[terminal_modes_redo(&modes, redone)] = '\0';
    CHECK_STR(redone, wanted);
}

static void test_undo(void)
{
    check_undone("", HARMLESS);
    check_undone("plain \033[1;31mred\033[m text\r\n", HARMLESS);
    check_undone("\033[?1049h", "\033[?1049l" HARMLESS);
    check_undone("\033[?1049h\033[?25l\033[?1000;1006h",
                 "\033[?25h\033[?1000l\033[?1006l\033[?1049l" HARMLESS);
    check_undone("\033[?1049h...\033[?1049l\033[?25l...\033[?25h", HARMLESS);
    check_undone("\033[?7l", "\033[?7h" HARMLESS);
    check_undone("\033[?12h\033[?4242h", HARMLESS); /* modes that nobody needs put back */
    check_undone("\033[25l\033[1049h", HARMLESS);   /* not private: others */
    check_undone("\033[>4;2m", "\033[>4m" HARMLESS);
    check_undone("\033[>4;2m\033[>4m", HARMLESS);
    check_undone("\033[2;10r", "\0337\033[r\0338" HARMLESS);
    check_undone("\033[2;10r\033[r", HARMLESS);
    check_undone("\033[?1049h\033[?25l\033[2;10r\033c", HARMLESS);
    check_undone("\033[?99999999999999999999h\033[;;;;;;;;;;;;;;;;;;;;1h", HARMLESS);
    check_undone("\033[?25", "\030" HARMLESS); /* cut off */
    check_undone("\033\033[?25l", "\033[?25h" HARMLESS);
}

static void test_redo(void)
{
    check_redone("", "");
    check_redone("\033[?1049h\033[?25l\033[>4;2m", "\033[>4;2m\033[?25l\033[?1049h");
    check_redone("\033[?1049h\033[?1049l", "");
}

/* All that there is fits. */
static void test_room(void)
{
    char undone[TERMINAL_MODES_BYTES];
    struct terminal_modes modes = {
        .changed = UINT32_MAX, .region = true, .other_keys = true, .state = 1};

    CHECK(terminal_modes_undo(&modes, undone) <= sizeof(undone));
    CHECK(terminal_modes_redo(&modes, undone) <= sizeof(undone));
}

int main(void)
{
    test_undo();
    test_redo();
    test_room();
    return heel_test_end();
}

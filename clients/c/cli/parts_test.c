/* The small parts: which word was meant, what to exit with, what to say about it. */
#include "base/cleanup.h"
#include "base/test.h"
#include "clients/c/cli/exit_code.h"
#include "clients/c/cli/nearest.h"

static const struct {
    const char *a, *b;
    size_t distance;
} distances[] = {
    {"", "", 0},         {"", "abc", 3},       {"run", "run", 0},        {"rnu", "run", 1},
    {"runn", "run", 1},  {"ru", "run", 1},     {"kitten", "sitting", 3}, {"levle", "level", 1},
    {"abcd", "badc", 2}, {"create", "get", 4},
};

static void test_distance(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(distances); i++) {
        CHECK_INT(cli_edit_distance(distances[i].a, distances[i].b), distances[i].distance);
        CHECK_INT(cli_edit_distance(distances[i].b, distances[i].a), distances[i].distance);
    }
}

static const struct {
    const char *word, *nearest;
} words[] = {
    {"rnu", "run"},  {"creat", "create"},  {"dele", "delete"},
    {"lst", "list"}, {"delete", "delete"}, {"xyzzy", NULL},
    {"r", NULL},     {"ex", NULL},         {"exce", "exec"},
};

static void test_nearest(void)
{
    static const char *const candidates[] = {"run", "create", "exec", "list", "get", "delete"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(words); i++) {
        const char *best = NULL;

        for (size_t j = 0; j < HEEL_ARRAY_LENGTH(candidates); j++)
            cli_nearest(words[i].word, candidates[j], &best);
        CHECK_STR(best, words[i].nearest);
    }
}

static const struct {
    struct heel_exit_status status;
    int code;
    const char *message;
} ends[] = {
    {{HEEL_EXIT_EXITED, false, 0, 0, "", HEEL_LIMIT_NONE}, 0, NULL},
    {{HEEL_EXIT_EXITED, false, 7, 0, "", HEEL_LIMIT_NONE}, 7, NULL},
    {{HEEL_EXIT_EXITED, false, 255, 0, "not for people", HEEL_LIMIT_NONE}, 255, NULL},
    {{HEEL_EXIT_SIGNALED, true, 0, 9, "", HEEL_LIMIT_NONE}, 137, NULL},
    {{HEEL_EXIT_SIGNALED, true, 0, 15, "", HEEL_LIMIT_NONE}, 143, NULL},
    {{HEEL_EXIT_TIMEOUT, true, 0, 9, "it took 5s", HEEL_LIMIT_NONE}, 124, "it took 5s"},
    {{HEEL_EXIT_TIMEOUT, true, 0, 9, "", HEEL_LIMIT_NONE},
     124,
     "the command took longer than its timeout and was killed"},
    {{HEEL_EXIT_DELETED, true, 0, 9, "", HEEL_LIMIT_NONE},
     125,
     "the sandbox was deleted while the command ran"},
    {{HEEL_EXIT_OOM, true, 0, 9, "too much", HEEL_LIMIT_MEMORY_BYTES}, 137, "too much"},
    {{HEEL_EXIT_LIMIT, true, 0, 25, "", HEEL_LIMIT_MAX_FILE_SIZE_BYTES},
     153,
     "the sandbox went beyond a limit, and the command was killed"},
    {{HEEL_EXIT_DISCONNECTED, true, 0, 9, "", HEEL_LIMIT_NONE},
     125,
     "the connection of the command was lost"},
    {{HEEL_EXIT_START_FAILED, false, 127, 0, "x: no such program", HEEL_LIMIT_NONE},
     127,
     "x: no such program"},
    {{HEEL_EXIT_START_FAILED, false, 126, 0, "", HEEL_LIMIT_NONE},
     126,
     "the command could not be started"},
    {{(enum heel_exit_reason)0, false, 0, 0, "", HEEL_LIMIT_NONE},
     125,
     "the command ended for a reason that this heelcli doesn't know: use a newer one"},
    {{(enum heel_exit_reason)99, false, 3, 0, "a later reason", HEEL_LIMIT_NONE},
     125,
     "a later reason"},
};

static void test_ends(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(ends); i++) {
        CHECK_INT(cli_exit_code(&ends[i].status), ends[i].code);
        CHECK_STR(cli_exit_message(&ends[i].status), ends[i].message);
    }
}

int main(void)
{
    test_distance();
    test_nearest();
    test_ends();
    return heel_test_end();
}

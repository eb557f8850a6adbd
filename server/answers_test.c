#include "server/answers.h"

#include "base/test.h"

static void keep(struct answers *answers, int number, size_t response_bytes)
{
    heel_autofree char *id = heel_format("p%d", number);
    heel_autofree char *bytes = heel_xcalloc(response_bytes, 1);
    struct heel_buffer command = {0}, response = {0};

    heel_buffer_append_text(&command, "command");
    heel_buffer_append(&response, bytes, response_bytes);
    answers_keep(answers, id, &command, &response);
}

static void test_count_is_bounded(void)
{
    struct answers answers = {0};

    for (int i = 0; i < ANSWERS_MAX_COUNT + 10; i++)
        keep(&answers, i, 10);
    CHECK_INT(answers.count, ANSWERS_MAX_COUNT);
    CHECK(answers_find(&answers, "p9") == NULL);
    CHECK(answers_find(&answers, "p10") != NULL);
    answers_clear(&answers);
    CHECK_INT(answers.count, 0);
}

static void test_bytes_are_bounded(void)
{
    struct answers answers = {0};

    for (int i = 0; i < 6; i++)
        keep(&answers, i, 1 << 20);
    CHECK_INT(answers_find(&answers, "p5")->response.length, 1 << 20);
    CHECK_INT(answers_find(&answers, "p3")->response.length, 1 << 20);
    CHECK_INT(answers_find(&answers, "p2")->response.length, 0); /* the commands take some, too */
    answers_clear(&answers);
}

/* What was asked counts like what was answered. */
static void test_what_was_asked_counts(void)
{
    heel_autofree char *bytes = heel_xcalloc(3 << 20, 1);
    struct answers answers = {0};

    for (int i = 0; i < 2; i++) {
        struct heel_buffer command = {0}, response = {0};

        heel_buffer_append(&command, bytes, 3 << 20);
        heel_buffer_append_text(&response, "response");
        answers_keep(&answers, i == 0 ? "old" : "new", &command, &response);
    }
    CHECK_INT(answers_find(&answers, "new")->command.length, 3 << 20);
    CHECK_INT(answers_find(&answers, "old")->command.length, 0);
    CHECK_INT(answers_find(&answers, "old")->response.length, 0);
    answers_clear(&answers);
}

static void test_a_budget_that_is_exceeded(void)
{
    struct ring_budget budget = {.maximum = 1500};
    struct answers first = {.budget = &budget}, second = {.budget = &budget};

    keep(&first, 1, 1000);
    keep(&second, 2, 1000);
    keep(&second, 3, 1000);
    CHECK_INT(answers_find(&first, "p1")->response.length, 1000);
    CHECK_INT(answers_find(&second, "p2")->response.length, 0);
    CHECK_INT(answers_find(&second, "p3")->response.length, 1000);
    answers_clear(&first);
    answers_clear(&second);
    CHECK_INT(budget.used, 0);
}

int main(void)
{
    test_count_is_bounded();
    test_bytes_are_bounded();
    test_what_was_asked_counts();
    test_a_budget_that_is_exceeded();
    return heel_test_end();
}

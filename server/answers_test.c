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
    CHECK_INT(answers_find(&answers, "p2")->response.length, 1 << 20);
    CHECK_INT(answers_find(&answers, "p1")->response.length, 0);
    answers_clear(&answers);
}

int main(void)
{
    test_count_is_bounded();
    test_bytes_are_bounded();
    return heel_test_end();
}

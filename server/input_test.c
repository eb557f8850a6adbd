#include "server/input.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/test.h"

struct stage {
    uv_loop_t loop;
    struct input input;
    int reader;
    int progress; /* how often on_progress was run */
};

static void on_progress(void *data)
{
    struct stage *stage = data;

    stage->progress++;
}

static void stage_open(struct stage *stage)
{
    int ends[2];

    REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    *stage = (struct stage){.reader = ends[0]};
    uv_loop_init(&stage->loop);
    input_open(&stage->input, &stage->loop, ends[1], on_progress, stage);
}

static void stage_close(struct stage *stage)
{
    input_close(&stage->input, NULL);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&stage->loop), 0);
    if (stage->reader >= 0)
        close(stage->reader);
}

/* Reads what is in the pipe now. */
static size_t drain(int reader)
{
    static char bytes[65536];
    size_t total = 0;
    ssize_t got;

    while ((got = read(reader, bytes, sizeof bytes)) > 0)
        total += (size_t)got;
    return total;
}

/* A reader that never catches up: what it has read must not stay in memory. */
static void test_what_was_sent_is_forgotten(void)
{
    static char bytes[65536];
    struct stage stage;

    stage_open(&stage);
    for (int i = 0; i < 4; i++)
        input_write(&stage.input, bytes, sizeof bytes);
    for (int i = 0; i < 1000; i++) {
        CHECK(drain(stage.reader) > 0);
        input_write(&stage.input, bytes, sizeof bytes);
        CHECK(input_waiting(&stage.input) > 0);
    }
    CHECK(stage.input.waiting.length <= 8 * sizeof bytes);
    stage_close(&stage);
}

static void test_what_the_pipe_does_not_take_waits(void)
{
    static char bytes[300000];
    struct stage stage;
    size_t got;

    stage_open(&stage);
    input_write(&stage.input, bytes, sizeof bytes);
    CHECK(input_waiting(&stage.input) > 0);
    CHECK_INT(stage.input.taken + input_waiting(&stage.input), sizeof bytes);
    input_finish(&stage.input);
    for (got = 0; got < sizeof bytes; uv_run(&stage.loop, UV_RUN_NOWAIT))
        got += drain(stage.reader);
    CHECK_INT(got, sizeof bytes);
    CHECK_INT(stage.input.taken, sizeof bytes);
    CHECK(stage.progress > 0);
    CHECK_INT(read(stage.reader, bytes, 1), 0); /* finished: end of file */
    stage_close(&stage);
}

static void test_nobody_reads_any_more(void)
{
    struct stage stage;

    stage_open(&stage);
    close(stage.reader);
    stage.reader = -1;
    input_write(&stage.input, "abc", 3);
    input_write(&stage.input, "de", 2);
    CHECK_INT(stage.input.taken, 5);
    CHECK_INT(input_waiting(&stage.input), 0);
    stage_close(&stage);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_what_was_sent_is_forgotten();
    test_what_the_pipe_does_not_take_waits();
    test_nobody_reads_any_more();
    return heel_test_end();
}

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

static void on_newcomer(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    *(bool *)poll->data = true;
    uv_poll_stop(poll);
}

/* Whoever gets the number of a descriptor that was closed must not lose it from the loop when the
 * input itself goes. */
static void test_its_number_is_another_ones(void)
{
    struct stage stage;
    int ends[2], number;
    bool readable = false;
    uv_poll_t newcomer;

    stage_open(&stage);
    number = stage.input.fd;
    input_finish(&stage.input);
    REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    REQUIRE(ends[0] == number || dup2(ends[0], number) == number);
    REQUIRE(uv_poll_init(&stage.loop, &newcomer, number) == 0);
    newcomer.data = &readable;
    uv_poll_start(&newcomer, UV_READABLE, on_newcomer);
    uv_run(&stage.loop, UV_RUN_NOWAIT);
    input_close(&stage.input, NULL);
    CHECK_INT(write(ends[1], "x", 1), 1);
    uv_run(&stage.loop, UV_RUN_NOWAIT);
    CHECK(readable);
    uv_close((uv_handle_t *)&newcomer, NULL);
    stage_close(&stage);
    close(ends[1]);
    close(number);
    if (ends[0] != number)
        close(ends[0]);
}

/* Who frees the input is told when it may, also where its pipe was closed a moment ago. */
static void on_closed(uv_handle_t *handle)
{
    struct input *input = handle->data;

    on_progress(input->data);
}

static void test_its_end_is_told(void)
{
    struct stage stage;

    stage_open(&stage);
    input_finish(&stage.input);
    CHECK(input_close(&stage.input, on_closed));
    uv_run(&stage.loop, UV_RUN_DEFAULT);
    CHECK_INT(stage.progress, 1);
    CHECK(!input_close(&stage.input, on_closed));
    stage_close(&stage);

    stage_open(&stage);
    input_finish(&stage.input);
    uv_run(&stage.loop, UV_RUN_DEFAULT);
    CHECK(!input_close(&stage.input, on_closed));
    stage_close(&stage);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_what_was_sent_is_forgotten();
    test_what_the_pipe_does_not_take_waits();
    test_nobody_reads_any_more();
    test_its_number_is_another_ones();
    test_its_end_is_told();
    return heel_test_end();
}

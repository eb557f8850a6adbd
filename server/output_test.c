#include "server/output.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/test.h"

struct stage {
    uv_loop_t loop;
    struct output output;
    int writer;
    int readable; /* how often on_readable was run */
};

static void on_readable(void *data)
{
    struct stage *stage = data;

    stage->readable++;
}

static void stage_open(struct stage *stage)
{
    int ends[2];

    REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    *stage = (struct stage){.writer = ends[1]};
    uv_loop_init(&stage->loop);
    output_open(&stage->output, &stage->loop, ends[0], on_readable, stage);
}

static void stage_close(struct stage *stage)
{
    output_close(&stage->output, NULL);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&stage->loop), 0);
    if (stage->writer >= 0)
        close(stage->writer);
}

static void test_nothing_is_read_unasked(void)
{
    struct stage stage;
    char byte;

    stage_open(&stage);
    CHECK_INT(output_read(&stage.output, &byte, 1), -1);
    CHECK_INT(write(stage.writer, "ab", 2), 2);
    uv_run(&stage.loop, UV_RUN_NOWAIT);
    CHECK_INT(stage.readable, 0);
    output_wait(&stage.output);
    uv_run(&stage.loop, UV_RUN_ONCE);
    uv_run(&stage.loop, UV_RUN_NOWAIT);
    CHECK_INT(stage.readable, 1); /* once for each wait */
    CHECK_INT(output_read(&stage.output, &byte, 1), 1);
    CHECK_INT(byte, 'a');
    CHECK_INT(stage.output.offset, 1);
    stage_close(&stage);
}

static void test_end_of_file(void)
{
    struct stage stage;
    char bytes[8];

    stage_open(&stage);
    CHECK_INT(write(stage.writer, "ab", 2), 2);
    close(stage.writer);
    stage.writer = -1;
    CHECK_INT(output_read(&stage.output, bytes, sizeof bytes), 2);
    CHECK_INT(output_read(&stage.output, bytes, sizeof bytes), 0);
    CHECK(stage.output.ended);
    stage_close(&stage);
}

/* Something that the command left behind holds the pipe and writes on. */
static void test_only_what_the_pipe_held_counts(void)
{
    struct stage stage;
    char bytes[8];

    stage_open(&stage);
    CHECK_INT(write(stage.writer, "abc", 3), 3);
    output_command_over(&stage.output);
    CHECK_INT(write(stage.writer, "later", 5), 5);
    CHECK_INT(output_read(&stage.output, bytes, 2), 2);
    CHECK_INT(output_read(&stage.output, bytes, sizeof bytes), 1);
    CHECK_INT(output_read(&stage.output, bytes, sizeof bytes), 0);
    stage_close(&stage);
}

static void test_none(void)
{
    struct output output;
    char byte;

    output_open(&output, NULL, -1, NULL, NULL);
    CHECK_INT(output_read(&output, &byte, 1), 0);
    output_wait(&output);
    output_command_over(&output);
    CHECK(!output_close(&output, NULL));
}

int main(void)
{
    test_nothing_is_read_unasked();
    test_end_of_file();
    test_only_what_the_pipe_held_counts();
    test_none();
    return heel_test_end();
}

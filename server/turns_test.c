#include "server/turns.h"

#include "base/test.h"

#define STREAMS 200

static struct {
    uv_loop_t loop;
    struct turns turns;
    struct turn streams[STREAMS];
    unsigned given[STREAMS]; /* how often on_turn was run */
} stage;

static void on_turn(struct turn *turn)
{
    stage.given[turn - stage.streams]++;
}

static void open_stage(void)
{
    uv_loop_init(&stage.loop);
    turns_init(&stage.turns, &stage.loop);
    for (int i = 0; i < STREAMS; i++) {
        stage.streams[i] = (struct turn){.on_turn = on_turn};
        stage.given[i] = 0;
    }
}

static void close_stage(void)
{
    for (int i = 0; i < STREAMS; i++)
        turns_end(&stage.turns, &stage.streams[i]);
    turns_close(&stage.turns);
    uv_run(&stage.loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&stage.loop), 0);
}

/* Stream `i` writes as much as it may, up to `most` messages; how many it could. */
static unsigned write_on(int i, unsigned most)
{
    unsigned count = 0;

    while (count < most && turns_take(&stage.turns, &stage.streams[i])) {
        turns_end(&stage.turns, &stage.streams[i]);
        count++;
    }
    return count;
}

static void test_alone_nobody_waits(void)
{
    open_stage();
    CHECK_INT(write_on(0, 10000), 10000);
    close_stage();
}

/* The transport always serves stream 1 first. */
static void test_one_that_starves_is_waited_for(void)
{
    open_stage();
    CHECK(turns_take(&stage.turns, &stage.streams[0]));
    CHECK(write_on(1, 10000) < 200);
    CHECK_INT(stage.given[1], 0);
    turns_end(&stage.turns, &stage.streams[0]);
    CHECK_INT(stage.given[1], 1);
    close_stage();
}

/* Each time anew, and soon. */
static void test_as_often_as_it_starves(void)
{
    open_stage();
    for (int i = 0; i < 100; i++) {
        CHECK(turns_take(&stage.turns, &stage.streams[0]));
        CHECK(write_on(1, 10000) < 200);
        turns_end(&stage.turns, &stage.streams[0]);
        turns_end(&stage.turns, &stage.streams[1]);
    }
    close_stage();
}

static void test_all_go_on_when_the_last_is_done(void)
{
    open_stage();
    for (int i = 0; i < STREAMS; i++)
        CHECK(turns_take(&stage.turns, &stage.streams[i]));
    for (int i = 1; i < STREAMS; i++)
        turns_end(&stage.turns, &stage.streams[i]);
    for (int i = 1; i < STREAMS; i++)
        CHECK(!turns_take(&stage.turns, &stage.streams[i]));
    turns_end(&stage.turns, &stage.streams[0]);
    for (int i = 1; i < STREAMS; i++)
        CHECK_INT(stage.given[i], 1);
    CHECK(turns_take(&stage.turns, &stage.streams[0]));
    close_stage();
}

/* A client that never reads stream 0 holds the others up for less and less of the time. */
static void test_one_that_is_not_read_is_left_behind(void)
{
    unsigned messages = 0, pauses = 0;

    open_stage();
    CHECK(turns_take(&stage.turns, &stage.streams[0]));
    for (; messages < 100000; pauses++) {
        messages += write_on(1, 100000 - messages);
        if (messages < 100000)
            uv_run(&stage.loop, UV_RUN_ONCE); /* nothing moves: the pause ends */
        turns_end(&stage.turns, &stage.streams[1]);
    }
    CHECK(pauses > 2);
    CHECK(pauses < 100000 / 64 / 16);
    close_stage();
}

static void test_who_goes_waits_no_more(void)
{
    open_stage();
    CHECK(turns_take(&stage.turns, &stage.streams[0]));
    write_on(1, 10000);
    CHECK(!turns_take(&stage.turns, &stage.streams[2]));
    turns_end(&stage.turns, &stage.streams[1]);
    turns_end(&stage.turns, &stage.streams[0]);
    CHECK_INT(stage.given[1], 0);
    CHECK_INT(stage.given[2], 1);
    close_stage();
}

int main(void)
{
    test_alone_nobody_waits();
    test_one_that_starves_is_waited_for();
    test_as_often_as_it_starves();
    test_all_go_on_when_the_last_is_done();
    test_one_that_is_not_read_is_left_behind();
    test_who_goes_waits_no_more();
    return heel_test_end();
}

#include "tests/bench/crowd.h"

#include "base/text.h"

struct crowd {
    struct grpcc_queue *queue;    /* owned */
    struct exec_stream **streams; /* owned, and so is each */
    size_t count;
};

struct crowd *crowd_open(struct grpcc_channel *channel, const struct exec_command *command,
                         size_t count)
{
    struct crowd *crowd = heel_xcalloc(1, sizeof *crowd);

    crowd->queue = grpcc_queue_new(NULL);
    crowd->streams = heel_xcalloc(count, sizeof(struct exec_stream *));
    for (; crowd->count < count; crowd->count++)
        crowd->streams[crowd->count] = exec_stream_open(channel, crowd->queue, command);
    return crowd;
}

int crowd_start(struct crowd *crowd, struct heel_error **err)
{
    for (size_t i = 0; i < crowd->count; i++)
        if (exec_stream_start(crowd->streams[i], err) < 0)
            return heel_error_wrap(err, "stream %zu", i + 1);
    return 0;
}

static bool have_all(const struct crowd *crowd, uint64_t bytes)
{
    uint64_t received = 0;
    bool are_done = true;

    for (size_t i = 0; i < crowd->count; i++) {
        received += exec_stream_received(crowd->streams[i]);
        are_done = are_done && exec_stream_is_done(crowd->streams[i]);
    }
    return are_done || received >= bytes;
}

int crowd_read(struct crowd *crowd, uint64_t bytes, struct heel_error **err)
{
    for (size_t i = 0; i < crowd->count; i++)
        exec_stream_want(crowd->streams[i], UINT64_MAX);
    while (!have_all(crowd, bytes))
        grpcc_queue_poll(crowd->queue, -1);
    for (size_t i = 0; i < crowd->count; i++)
        if (exec_stream_check(crowd->streams[i], err) < 0)
            return heel_error_wrap(err, "stream %zu", i + 1);
    return 0;
}

double crowd_share_of_slowest(const struct crowd *crowd)
{
    uint64_t least = UINT64_MAX, most = 0;

    for (size_t i = 0; i < crowd->count; i++) {
        uint64_t received = exec_stream_received(crowd->streams[i]);

        least = received < least ? received : least;
        most = received > most ? received : most;
    }
    return most > 0 ? (double)least / (double)most : 0;
}

void crowd_free(struct crowd *crowd)
{
    if (!crowd)
        return;
    for (size_t i = 0; i < crowd->count; i++)
        exec_stream_free(crowd->streams[i]);
    grpcc_queue_free(crowd->queue);
    free(crowd->streams);
    free(crowd);
}

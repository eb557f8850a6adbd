/* Turns at writing output to the clients of one caller.
 *
 * Once its HTTP/2 window is what holds a connection up, gRPC serves whoever writes anew before
 * those that wait for the window, and some of many full streams get next to nothing. So it is
 * looked at each round, of about as many messages as there are streams writing, whether one is
 * still waiting that was there when the round began. If so nobody else begins until all are done.
 *
 * A client that doesn't read one of its streams must not keep the others from theirs: nobody is
 * waited for once nothing moves any more, and less and less often where that didn't help. */
#ifndef HEEL_SERVER_TURNS_H
#define HEEL_SERVER_TURNS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* Of one stream, embedded in it; zeroed but for on_turn. */
struct turn {
    struct turn *next, *previous;
    enum { TURN_NONE, TURN_WAITING, TURN_TAKEN } state;
    uint64_t number; /* counts the turns that were taken */
    /* It has waited, and is taken now. Run from turns_end() of another one, or from the loop. */
    void (*on_turn)(struct turn *turn);
};

struct turn_list {
    struct turn *first, *last; /* borrowed */
};

/* Of one caller, embedded in it. */
struct turns {
    struct turn_list taken; /* oldest first */
    struct turn_list waiting;
    uint64_t number; /* the last one taken */
    uint64_t ended;  /* so many are over */
    struct {
        uint64_t number;
        uint64_t ended;
    } round;           /* the same when it began */
    unsigned patience; /* how many rounds with some that are late pass until they are waited for */
    unsigned rounds_left;
    bool pausing;       /* for those that are late: nobody else begins */
    bool helps;         /* and one of them got through */
    uint64_t late;      /* the number of the last of them */
    uint64_t last_look; /* `ended` when it was last looked whether anything moves */
    uv_timer_t *timer;  /* owned; looks, in a pause */
};

void turns_init(struct turns *turns, uv_loop_t *loop);

/* The loop must run once more. */
void turns_close(struct turns *turns);

/* Whether it is this one's turn. If not, it waits for it, unless it did already. */
bool turns_take(struct turns *turns, struct turn *turn);

/* Whether so many write that each should take no more than a piece at a time. */
bool turns_are_many(const struct turns *turns);

/* The turn is over, or not wanted any more; fine without one. Others may be given theirs. */
void turns_end(struct turns *turns, struct turn *turn);

#endif

#include "server/turns.h"

#include <stdlib.h>

#include "base/text.h"

#define LOOK_MS 10        /* nothing moves if no turn ends for so long */
#define SHORTEST_ROUND 64 /* turns that end */
#define MOST_PATIENCE 64
#define MANY 64 /* of so many each may have a large pipe, and with that large messages */

static void append(struct turn_list *list, struct turn *turn)
{
    turn->next = NULL;
    turn->previous = list->last;
    if (list->last)
        list->last->next = turn;
    else
        list->first = turn;
    list->last = turn;
}

static void take_out(struct turn_list *list, struct turn *turn)
{
    if (turn->previous)
        turn->previous->next = turn->next;
    else
        list->first = turn->next;
    if (turn->next)
        turn->next->previous = turn->previous;
    else
        list->last = turn->previous;
    turn->next = turn->previous = NULL;
}

static void begin(struct turns *turns, struct turn *turn)
{
    turn->state = TURN_TAKEN;
    turn->number = ++turns->number;
    append(&turns->taken, turn);
}

static void begin_round(struct turns *turns)
{
    turns->round.number = turns->number;
    turns->round.ended = turns->ended;
}

/* ---- pauses ---- */

/* on_turn may end turns, and even begin the next pause. */
static void end_pause(struct turns *turns)
{
    uv_timer_stop(turns->timer);
    turns->pausing = false;
    if (turns->helps)
        turns->patience = 1;
    else if (turns->patience < MOST_PATIENCE)
        turns->patience *= 2;
    turns->rounds_left = turns->patience;
    begin_round(turns);
    while (!turns->pausing && turns->waiting.first) {
        struct turn *turn = turns->waiting.first;

        take_out(&turns->waiting, turn);
        begin(turns, turn);
        turn->on_turn(turn);
    }
}

static void look(uv_timer_t *timer)
{
    struct turns *turns = timer->data;

    if (turns->ended == turns->last_look)
        end_pause(turns);
    else
        turns->last_look = turns->ended;
}

static void begin_pause(struct turns *turns, uint64_t late)
{
    turns->pausing = true;
    turns->helps = false;
    turns->late = late;
    turns->last_look = turns->ended;
    uv_timer_start(turns->timer, look, LOOK_MS, LOOK_MS);
}

/* The list is in the order of the numbers, and who was there before the round is at its head. */
static void end_round(struct turns *turns)
{
    uint64_t late = turns->round.number;

    begin_round(turns);
    if (turns->taken.first && turns->taken.first->number <= late && --turns->rounds_left == 0)
        begin_pause(turns, late);
}

/* As long as there are streams writing: each could have had one turn. */
static bool is_round_over(const struct turns *turns)
{
    uint64_t ended = turns->ended - turns->round.ended;

    return ended >= SHORTEST_ROUND && ended >= turns->number - turns->ended;
}

/* ---- for streams ---- */

bool turns_take(struct turns *turns, struct turn *turn)
{
    if (turn->state != TURN_NONE)
        return turn->state == TURN_TAKEN;
    if (!turns->pausing) {
        begin(turns, turn);
        return true;
    }
    turn->state = TURN_WAITING;
    append(&turns->waiting, turn);
    return false;
}

bool turns_are_many(const struct turns *turns)
{
    return turns->waiting.first || turns->number - turns->ended > MANY;
}

static void end_taken(struct turns *turns, struct turn *turn)
{
    take_out(&turns->taken, turn);
    turns->ended++;
    turns->helps |= turns->pausing && turn->number <= turns->late;
    if (turns->pausing && !turns->taken.first)
        end_pause(turns);
    else if (!turns->pausing && is_round_over(turns))
        end_round(turns);
}

void turns_end(struct turns *turns, struct turn *turn)
{
    bool was_taken = turn->state == TURN_TAKEN;

    if (turn->state == TURN_WAITING)
        take_out(&turns->waiting, turn);
    turn->state = TURN_NONE;
    if (was_taken)
        end_taken(turns, turn);
}

void turns_init(struct turns *turns, uv_loop_t *loop)
{
    *turns = (struct turns){
        .patience = 1, .rounds_left = 1, .timer = heel_xcalloc(1, sizeof *turns->timer)};
    uv_timer_init(loop, turns->timer);
    turns->timer->data = turns;
}

static void on_closed(uv_handle_t *timer)
{
    free(timer);
}

void turns_close(struct turns *turns)
{
    uv_close((uv_handle_t *)heel_steal(turns->timer), on_closed);
}

#include "backends/linux/limits/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define EVENTS_BYTES 256 /* more than cgroup.events says */

struct heel_freezing {
    int state;  /* owned; cgroup.freeze */
    int events; /* owned; cgroup.events, which is readable out of band when it has changed */
    uv_poll_t change;
    uv_timer_t patience;
    unsigned open_handles;
    heel_on_frozen *on_frozen;
    void *data;
    void (*on_closed)(void *data);
    void *closed_data;
};

static int open_state(int group)
{
    return openat(group, "cgroup.freeze", O_WRONLY | O_CLOEXEC);
}

static int set_state(int state, char frozen)
{
    return state >= 0 && write(state, &frozen, 1) == 1 ? 0 : -1;
}

int heel_freezer_thaw(int group, struct heel_error **err)
{
    heel_autoclose int state = open_state(group);

    if (set_state(state, '0'))
        return heel_error_set_errno(err, errno, "cannot thaw the cgroup of a sandbox");
    return 0;
}

static bool is_frozen(const struct heel_freezing *freezing)
{
    char text[EVENTS_BYTES];
    ssize_t length = pread(freezing->events, text, sizeof text - 1, 0);

    if (length <= 0)
        return false;
    text[length] = '\0';
    return heel_starts_with(text, "frozen 1") || strstr(text, "\nfrozen 1");
}

static void end(struct heel_freezing *freezing, bool frozen)
{
    uv_poll_stop(&freezing->change);
    uv_timer_stop(&freezing->patience);
    freezing->on_frozen(frozen, freezing->data);
}

static void on_patience(uv_timer_t *timer)
{
    struct heel_freezing *freezing = heel_container_of(timer, struct heel_freezing, patience);
    bool frozen = is_frozen(freezing);

    if (!frozen)
        set_state(freezing->state, '0');
    end(freezing, frozen);
}

/* It counts as changed until it is read for the first time, too. */
static void on_change(uv_poll_t *poll, int status, int events)
{
    struct heel_freezing *freezing = heel_container_of(poll, struct heel_freezing, change);

    (void)status;
    (void)events;
    if (is_frozen(freezing))
        end(freezing, true);
}

/* 0, or an errno. */
static int watch(struct heel_freezing *freezing, uv_loop_t *loop, uint64_t patience_ms)
{
    int result = uv_poll_init(loop, &freezing->change, freezing->events);

    if (result)
        return -result;
    uv_timer_init(loop, &freezing->patience);
    freezing->open_handles = 2;
    uv_poll_start(&freezing->change, UV_PRIORITIZED, on_change);
    uv_timer_start(&freezing->patience, on_patience, patience_ms, 0);
    return 0;
}

static void release(struct heel_freezing *freezing)
{
    if (freezing->state >= 0)
        close(freezing->state);
    if (freezing->events >= 0)
        close(freezing->events);
    free(freezing);
}

/* All that it takes to thaw it is there before it is frozen. */
struct heel_freezing *heel_freezing_open(uv_loop_t *loop, int group, uint64_t patience_ms,
                                         heel_on_frozen *on_frozen, void *data,
                                         struct heel_error **err)
{
    struct heel_freezing *freezing = heel_xcalloc(1, sizeof *freezing);
    int why;

    freezing->on_frozen = on_frozen;
    freezing->data = data;
    freezing->state = open_state(group);
    freezing->events = openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);
    why =
        freezing->state < 0 || freezing->events < 0 || set_state(freezing->state, '1') ? errno : 0;
    if (why == 0)
        why = watch(freezing, loop, patience_ms);
    if (why == 0)
        return freezing;
    set_state(freezing->state, '0');
    release(freezing);
    heel_error_set_errno(err, why, "cannot freeze the cgroup of a sandbox");
    return NULL;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct heel_freezing *freezing = handle->data;
    void (*on_closed)(void *data) = freezing->on_closed;
    void *data = freezing->closed_data;

    if (--freezing->open_handles > 0)
        return;
    release(freezing);
    on_closed(data);
}

void heel_freezing_close(struct heel_freezing *freezing, void (*on_closed)(void *data), void *data)
{
    freezing->on_closed = on_closed;
    freezing->closed_data = data;
    freezing->change.data = freezing->patience.data = freezing;
    uv_close((uv_handle_t *)&freezing->change, on_handle_closed);
    uv_close((uv_handle_t *)&freezing->patience, on_handle_closed);
}

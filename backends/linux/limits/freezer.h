/* The freezer of a cgroup: the kernel lets nothing in it run, which nothing in it notices, until it
 * is thawed. What is killed meanwhile dies. */
#ifndef HEEL_BACKENDS_LINUX_LIMITS_FREEZER_H
#define HEEL_BACKENDS_LINUX_LIMITS_FREEZER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"

/* One freeze that is waited for. */
struct heel_freezing;

/* All stand still; or not within the time (false), and it was thawed again. */
typedef void heel_on_frozen(bool frozen, void *data);

/* Begins to freeze the cgroup of a directory (borrowed until the end); on_frozen is run later, from
 * the loop, unless it is closed before. Call heel_freezing_close() in any case. NULL and *err where
 * it can't be begun. */
struct heel_freezing *heel_freezing_open(uv_loop_t *loop, int group, uint64_t patience_ms,
                                         heel_on_frozen *on_frozen, void *data,
                                         struct heel_error **err);

/* Nothing of it is left when on_closed is run. The cgroup stays as it is. */
void heel_freezing_close(struct heel_freezing *freezing, void (*on_closed)(void *data), void *data);

/* 0, or -1 and *err. It may not be over yet. */
int heel_freezer_thaw(int group, struct heel_error **err);

#endif

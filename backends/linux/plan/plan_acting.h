/* The part of a plan that keeps files from acting outside later. */
#ifndef HEEL_BACKENDS_LINUX_PLAN_PLAN_ACTING_H
#define HEEL_BACKENDS_LINUX_PLAN_PLAN_ACTING_H

#include "backends/linux/plan/acting_search.h"
#include "backends/linux/plan/plan_build.h"

/* What a plan found, and how well it can be kept. Stays with heeld. */
struct heel_plan_acting {
    struct heel_acting_places places;
    struct heel_acting_files files;
    enum heel_enforcement_state state;
    struct heel_buffer detail;
};

/* Looks for them in everything that the spec lets be written, and adds the mounts that keep those
 * that are there as they are. 0, or -1 and *err where the caller's identity can't be taken on. */
int heel_plan_add_acting(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                         size_t count, struct heel_error **err);
/* Looks again when the sandbox has ended: what acts outside, lies where it could write and in what
 * is not removed with it, and was not there before. `caller` as in the plan's spec; `found` is to
 * be cleared. 0, or -1 and *err where the caller's identity can't be taken on. */
int heel_plan_find_new_acting(const struct heel_plan *plan, const struct heel_caller *caller,
                              struct heel_acting_files *found, struct heel_error **err);

void heel_plan_acting_free(struct heel_plan_acting *acting); /* NULL is fine */

#endif

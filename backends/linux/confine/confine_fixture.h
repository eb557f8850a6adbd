/* A sandbox without heeld, for tests and for confine_try: the same calls in the same order as the
 * launcher and init make. */
#ifndef HEEL_BACKENDS_LINUX_CONFINE_CONFINE_FIXTURE_H
#define HEEL_BACKENDS_LINUX_CONFINE_CONFINE_FIXTURE_H

#include "backends/linux/plan/plan.h"

/* What runs inside, as a child of the sandbox's init; its result is the exit status. */
typedef int heel_fixture_inside(void *data);

/* Makes a plan from `spec` for `uid` (and gid of the same number), with an own working directory at
 * `work` unless the spec names one. */
int heel_fixture_plan(const struct heel_sandbox_spec *spec, uid_t uid, const char *work,
                      const char *const *hidden, struct heel_plan **plan, struct heel_error **err);

/* Runs `inside` in a sandbox that is made for it. Its exit status, 128 + signal, or -1 and *err if
 * the sandbox could not be made. With `timed`, prints what each step took. */
int heel_fixture_run(const struct heel_plan *plan, const struct heel_caller *caller,
                     heel_fixture_inside *inside, void *data, bool timed, struct heel_error **err);

#endif

/* Templates: mount namespaces of which new sandboxes get copies, made once per namespace pair and
 * level; see confine_template.c for what is in them. */
#ifndef HEEL_BACKENDS_LINUX_LAUNCHER_TEMPLATE_H
#define HEEL_BACKENDS_LINUX_LAUNCHER_TEMPLATE_H

#include "backends/linux/processes/birth.h"
#include "base/text.h"

/* A process that makes one. */
struct heel_quotas;

struct heel_template_maker {
    struct heel_newborn newborn; /* its pidfd is closed already */
    int said;                    /* owned; where it tells what it made; -1: there is no maker */
};

/* Starts making one in `pair` from an encoded plan, for working directories that lie in `works`. 0,
 * or -1 and *err. The maker ends by itself. */
int heel_template_start(const struct heel_namespace_pair *pair, const struct heel_buffer *plan,
                        const char *works, const struct heel_quotas *quotas,
                        struct heel_template_maker *maker, struct heel_error **err);

/* Takes what a maker that has ended made. 0; or -1, and *made is left alone. */
int heel_template_finish(struct heel_template_maker *maker, struct heel_template *made);

#endif

/* How the parts of the plan's computation put it together. */
#ifndef HEEL_BACKENDS_LINUX_PLAN_PLAN_BUILD_H
#define HEEL_BACKENDS_LINUX_PLAN_PLAN_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/linux/facts/caller_path.h"
#include "backends/linux/facts/host_facts.h"
#include "backends/linux/facts/paths.h"
#include "backends/linux/plan/plan.h"

#define HEEL_PLAN_WORK "/work"

/* Flags of what the system shows read-only. One call restricts all of it, so /etc and /sys at
 * STRICT are like /usr to the mounts; that nothing in them is executed is for Landlock to see to.
 */
#define HEEL_MOUNT_BASE (HEEL_MOUNT_EXECUTABLE | HEEL_MOUNT_OPTIONAL)

/* What the level itself lets be seen of the host: the nearest path decides; rights 0 is a mask or
 * something of the sandbox's own. */
struct heel_plan_view {
    char *path;      /* owned */
    unsigned access; /* bits of enum heel_access */
};

/* A path that the spec names, after it was resolved. */
struct heel_plan_named {
    struct heel_caller_path path;
    unsigned access;    /* of all rules on it, added up */
    const char *origin; /* a literal */
    char *field;        /* owned; of the first that named it */
};

/* A switch of a path, after it was resolved. */
struct heel_plan_switch {
    char *path; /* owned */
    bool on;
};

struct heel_plan_builder {
    const struct heel_plan_input *input;
    struct heel_plan *plan;       /* owned by whoever makes the plan */
    struct heel_plan_view *views; /* owned */
    size_t view_count;
    struct heel_plan_switch *switches; /* owned */
    size_t switch_count;
};

/* Each appends; strings are copied. The mount that is returned is valid until the next one is
 * added. */
struct heel_mount *heel_plan_add_mount(struct heel_plan *plan, enum heel_mount_kind kind,
                                       unsigned flags, const char *source, const char *target,
                                       const char *origin);
struct heel_rule *heel_plan_add_rule(struct heel_plan *plan, const char *path, uint64_t rights,
                                     const char *origin);

void heel_plan_drop_mounts(struct heel_plan *plan);

/* A host path that the level shows, with `access`, as a bind mount and a Landlock rule. */
void heel_plan_show(struct heel_plan_builder *builder, const char *path, unsigned access,
                    const char *origin);
/* Says that `path` inside is no longer what it is on the host. */
void heel_plan_note_view(struct heel_plan_builder *builder, const char *path, unsigned access);
/* What the level allows at `path`. */
unsigned heel_plan_level_access(const struct heel_plan_builder *builder, const char *path);

/* enum heel_access bits as mount flags and as Landlock rights. */
unsigned heel_plan_flags_of(unsigned access);
uint64_t heel_plan_rights_of(unsigned access);

/* Resolves what was named with named->access and named->field; the rest of it is zero. 0, or -1 and
 * *err naming the field. */
int heel_plan_resolve_named(const struct heel_plan_input *input, const char *path,
                            struct heel_plan_named *named, struct heel_error **err);
/* Adds it to `all`, which has room, or its access to what is there; takes it over. */
void heel_plan_keep_named(struct heel_plan_named *all, size_t *count,
                          struct heel_plan_named *named);
void heel_plan_clear_named(struct heel_plan_named *named);

/* How many paths the switches may add to those that the spec names. */
size_t heel_plan_switch_room(const struct heel_plan_input *input);
/* Resolves the switches of paths; what they or the groups show that the level doesn't is added to
 * what the spec names. 0, or -1 and *err. */
int heel_plan_take_switches(struct heel_plan_builder *builder, struct heel_plan_named *all,
                            size_t *count, struct heel_error **err);
/* The switch of exactly this path, or NULL. */
const struct heel_plan_switch *heel_plan_find_switch(const struct heel_plan_builder *builder,
                                                     const char *path);
void heel_plan_clear_switches(struct heel_plan_builder *builder);
/* The caller's own home, or another's. */
enum heel_protected_group heel_plan_group_of_home(const struct heel_plan_input *input,
                                                  const struct heel_host_user *user);

/* The level's own mounts and rules: system, devices, scratch, home, identity files. */
void heel_plan_add_system(struct heel_plan_builder *builder);
/* Masks on what is protected and on heel's own folders, wherever the level or a grant would show
 * it. */
void heel_plan_add_hidden(struct heel_plan_builder *builder, const struct heel_plan_named *named,
                          size_t count);
/* The hardware that the spec asks for. FAILED_PRECONDITION where there is none, or none that the
 * sandbox could open. */
int heel_plan_add_hardware(struct heel_plan_builder *builder, struct heel_error **err);
/* The caller's working directory and path rules; sorts them. */
int heel_plan_add_named(struct heel_plan_builder *builder, struct heel_plan_named *named,
                        size_t count, struct heel_error **err);

/* All of the above without a mount namespace: rules alone, on the host's own paths. Sorts `named`.
 */
int heel_plan_add_bare(struct heel_plan_builder *builder, struct heel_plan_named *named,
                       size_t count, struct heel_error **err);

/* What a rule of the caller's comes to where the level gives `level`: it takes nothing away but
 * the right to write. */
unsigned heel_plan_effective_access(unsigned level, const struct heel_plan_named *named);
/* Sorts, and refuses what denies the working directory. */
int heel_plan_sort_named(const struct heel_plan_builder *builder, struct heel_plan_named *named,
                         size_t count, struct heel_error **err);

/* Whether the level shows this entry of "/". */
bool heel_plan_shows_top(const struct heel_plan_builder *builder, const char *path);

/* Nothing that may be written may be executed: for a plan that is complete. */
void heel_plan_separate_writing(struct heel_plan *plan);

/* Puts every mount behind those that it lies in. */
void heel_plan_sort_mounts(struct heel_plan *plan);

/* The rule that denies `path`, or NULL. */
const struct heel_plan_named *heel_plan_find_deny(const struct heel_plan_named *named, size_t count,
                                                  const char *path);
/* Whether the level or a grant lets `path` be seen inside. */
bool heel_plan_is_visible(const struct heel_plan_builder *builder,
                          const struct heel_plan_named *named, size_t count, const char *path);

#endif

#include "backends/linux/plan/plan_siblings.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/linux/plan/plan_build.h"

/* Each rule is opened when the sandbox is made, and kept by the kernel for as long as it lives. */
#define RULES_MAX 32768

struct heel_grant *heel_grants_add(struct heel_grants *grants, const char *path, uint64_t rights,
                                   const char *origin)
{
    size_t at = 0;

    while (at < grants->count && strcmp(grants->items[at].path, path) != 0)
        at++;
    if (at == grants->count) {
        grants->items = heel_xrealloc(grants->items, at + 1, sizeof(*grants->items));
        grants->items[grants->count++] = (struct heel_grant){.path = heel_xstrdup(path)};
    }
    grants->items[at] =
        (struct heel_grant){.path = grants->items[at].path, .rights = rights, .origin = origin};
    return &grants->items[at];
}

void heel_grants_clear(struct heel_grants *grants)
{
    for (size_t i = 0; i < grants->count; i++)
        free(grants->items[i].path);
    free(grants->items);
    *grants = (struct heel_grants){0};
}

void heel_siblings_add(struct heel_siblings *siblings, const char *name, uint64_t device,
                       uint64_t inode)
{
    if (siblings->count == siblings->capacity) {
        siblings->capacity = siblings->capacity * 2 + 16;
        siblings->items =
            heel_xrealloc(siblings->items, siblings->capacity, sizeof(*siblings->items));
    }
    siblings->items[siblings->count++] =
        (struct heel_sibling){.name = heel_xstrdup(name), .device = device, .inode = inode};
}

static void cleanup_siblings(struct heel_siblings *siblings)
{
    for (size_t i = 0; i < siblings->count; i++)
        free(siblings->items[i].name);
    free(siblings->items);
}
#define auto_siblings __attribute__((cleanup(cleanup_siblings)))

int heel_siblings_of_host(void *data, const char *directory, struct heel_siblings *siblings)
{
    DIR *stream = opendir(directory);

    (void)data;
    if (!stream)
        return -1;
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        struct stat status;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
            S_ISLNK(status.st_mode))
            continue;
        heel_siblings_add(siblings, entry->d_name, status.st_dev, status.st_ino);
    }
    closedir(stream);
    return 0;
}

/* ---- from grants to rules ---- */

struct expansion {
    struct heel_plan *plan;
    const struct heel_grants *grants; /* sorted: what lies below one follows it */
    heel_list_directory *list;
    void *data;
    struct heel_error **err;
};

/* A path on the way: the grant that holds at it, the rights that rules above it give already, and
 * the grants strictly below it. */
struct place {
    const char *path;
    const struct heel_grant *grant; /* the nearest one at or above it */
    bool is_granted_itself;
    uint64_t device, inode; /* of an entry without a grant */
    uint64_t given;
    size_t first, end;
};

static int expand(struct expansion *expansion, struct place place);

static int refuse_more_rules(const char *path, struct heel_error **err)
{
    heel_error_set(err, HEEL_FAILED_PRECONDITION, "HOST_UNSUPPORTED",
                   "without namespaces of its own this sandbox needs more than %d rules, the last "
                   "for \"%s\": deny or hide less in directories that have so many entries",
                   RULES_MAX, path);
    if (err) {
        heel_error_add_metadata(*err, "feature", "namespaces");
        heel_error_add_metadata(*err, "have", "none");
        heel_error_add_metadata(*err, "need", "user namespaces, or at most %d rules", RULES_MAX);
    }
    return -1;
}

static int add_rule(struct expansion *expansion, const struct place *place, uint64_t rights)
{
    struct heel_rule *rule;

    if (!(rights & ~place->given))
        return 0;
    if (expansion->plan->rule_count >= RULES_MAX)
        return refuse_more_rules(place->path, expansion->err);
    rule = heel_plan_add_rule(expansion->plan, place->path, rights, place->grant->origin);
    rule->device = place->device;
    rule->inode = place->inode;
    if (place->is_granted_itself)
        rule->flags = place->grant->flags;
    return 0;
}

/* The grants at or below `path`, out of those in [first, end). */
static size_t end_of(const struct heel_grants *grants, const char *path, size_t first, size_t end)
{
    while (first < end && heel_path_is_at_or_below(grants->items[first].path, path))
        first++;
    return first;
}

/* `path` lies directly below `above`, and the grants [first, end) at or below it. */
static int descend(struct expansion *expansion, const struct place *above, const char *path,
                   size_t first, size_t end)
{
    const struct heel_grant *grant = &expansion->grants->items[first];
    bool itself = strcmp(grant->path, path) == 0;
    struct place place = {
        .path = path,
        .grant = itself ? grant : above->grant,
        .is_granted_itself = itself,
        .device = itself ? grant->device : 0,
        .inode = itself ? grant->inode : 0,
        .given = above->given,
        .first = first + itself,
        .end = end,
    };

    return expand(expansion, place);
}

/* No grant below has less than this directory: they need not open it, and only add rules. */
static int expand_additions(struct expansion *expansion, const struct place *place)
{
    const struct heel_grants *grants = expansion->grants;

    for (size_t i = place->first; i < place->end;) {
        const char *path = grants->items[i].path;
        size_t end = end_of(grants, path, i, place->end);

        if (descend(expansion, place, path, i, end) < 0)
            return -1;
        i = end;
    }
    return 0;
}

/* The entry of `directory` that `path` is or lies in. */
static char *entry_towards(const char *directory, const char *path)
{
    size_t start = strcmp(directory, "/") == 0 ? 1 : strlen(directory) + 1;

    return strndup(path, start + strcspn(path + start, "/"));
}

static bool leads_to_grant(const struct heel_grants *grants, const struct place *place,
                           const char *path)
{
    for (size_t i = place->first; i < place->end; i++)
        if (heel_path_is_at_or_below(grants->items[i].path, path))
            return true;
    return false;
}

static int expand_siblings(struct expansion *expansion, const struct place *place)
{
    auto_siblings struct heel_siblings siblings = {0};
    const char *separator = strcmp(place->path, "/") == 0 ? "" : "/";

    if (expansion->list(expansion->data, place->path, &siblings) < 0)
        return 0;
    for (size_t i = 0; i < siblings.count; i++) {
        const struct heel_sibling *sibling = &siblings.items[i];
        heel_autofree char *path = heel_format("%s%s%s", place->path, separator, sibling->name);
        struct place entry = {.path = path,
                              .grant = place->grant,
                              .device = sibling->device,
                              .inode = sibling->inode,
                              .given = place->given};

        if (leads_to_grant(expansion->grants, place, path))
            continue;
        if (add_rule(expansion, &entry, place->grant->rights) < 0)
            return -1;
    }
    return 0;
}

static int expand_ways(struct expansion *expansion, const struct place *place)
{
    const struct heel_grants *grants = expansion->grants;

    for (size_t i = place->first; i < place->end;) {
        heel_autofree char *entry = entry_towards(place->path, grants->items[i].path);
        size_t end = end_of(grants, entry, i, place->end);

        if (descend(expansion, place, entry, i, end) < 0)
            return -1;
        i = end;
    }
    return 0;
}

static int expand(struct expansion *expansion, struct place place)
{
    uint64_t common = place.grant->rights;

    for (size_t i = place.first; i < place.end; i++)
        common &= expansion->grants->items[i].rights;
    if (add_rule(expansion, &place, common) < 0)
        return -1;
    place.given |= common;
    if (!(place.grant->rights & ~place.given))
        return expand_additions(expansion, &place);
    if (expand_siblings(expansion, &place) < 0)
        return -1;
    return expand_ways(expansion, &place);
}

static int compare_grants(const void *a, const void *b)
{
    const struct heel_grant *left = a, *right = b;

    return heel_path_compare(left->path, right->path);
}

int heel_plan_add_grants(struct heel_plan *plan, struct heel_grants *grants,
                         heel_list_directory *list, void *data, struct heel_error **err)
{
    static const struct heel_grant nothing = {.rights = 0, .origin = ""};
    struct expansion expansion = {
        .plan = plan, .grants = grants, .list = list, .data = data, .err = err};

    if (grants->count == 0)
        return 0;
    qsort(grants->items, grants->count, sizeof(*grants->items), compare_grants);
    return expand_additions(&expansion,
                            &(struct place){.path = "", .grant = &nothing, .end = grants->count});
}

/* Walks a path as the kernel would inside: through the plan's mounts, in their order, and along the
 * links that are met. */
#include "backends/linux/policy/policy_walk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/linux/plan/plan_build.h"

#define LINKS_MAX 40       /* the kernel's own limit */
#define STEP_REST_SHARE 16 /* what is still to be walked is only copied */

static void clear_place(struct heel_policy_place *place)
{
    free(place->node.link);
    *place = (struct heel_policy_place){0};
}

static void set_node(struct heel_policy_place *place, struct heel_policy_node node)
{
    free(place->node.link);
    place->node = node;
}

bool heel_policy_is_masked(const struct heel_policy_place *place)
{
    return place->narrow && place->narrow->kind == HEEL_MOUNT_MASK;
}

/* ---- what the mounts make of a path ---- */

/* Whether `path` is a directory that the new root has because something is mounted below it. */
static bool leads_somewhere(const struct heel_plan *plan, const char *path)
{
    for (size_t i = 1; i < plan->mount_count; i++)
        if (heel_path_is_at_or_below(plan->mounts[i].target, path) &&
            strcmp(plan->mounts[i].target, path) != 0)
            return true;
    return false;
}

static struct heel_policy_node own_directory(const struct heel_plan *plan, unsigned mode)
{
    return (struct heel_policy_node){.mode = S_IFDIR | mode, .uid = plan->uid, .gid = plan->gid};
}

static void show_root(const struct heel_policy_walk *walk, const struct heel_mount *mount,
                      const char *path, struct heel_policy_place *place)
{
    struct heel_policy_node node = {0};

    place->shown = mount;
    if (!path[1] || leads_somewhere(walk->plan, path))
        node = own_directory(walk->plan, 0755);
    set_node(place, node);
}

static void show_host(const struct heel_policy_walk *walk, const struct heel_mount *mount,
                      const char *path, struct heel_policy_place *place)
{
    heel_autofree char *source = heel_format("%s%s", mount->source, path + strlen(mount->target));
    struct heel_policy_node node = {0};

    if (!(mount->flags & HEEL_MOUNT_OWN))
        walk->host->look(walk->host, source, &node);
    else if (strcmp(path, mount->target) == 0)
        node = own_directory(walk->plan, 0700);
    else if (leads_somewhere(walk->plan, path))
        node = own_directory(walk->plan, 0755);
    /* An absent source is skipped where it is optional; elsewhere no sandbox would be made. */
    if (!node.mode && strcmp(path, mount->target) == 0)
        return;
    clear_place(place);
    *place = (struct heel_policy_place){.shown = mount, .node = node};
}

/* A directory if it leads to another mount below: in a tmpfs it is made at its path, in a mask at
 * the mask's source. Else nothing.
 */
static struct heel_policy_node node_of_ways(const struct heel_policy_walk *walk,
                                            const struct heel_mount *mount, const char *path)
{
    heel_autofree char *source = heel_format("%s%s", mount->source, path + strlen(mount->target));

    return leads_somewhere(walk->plan, path) || leads_somewhere(walk->plan, source)
               ? own_directory(walk->plan, 0755)
               : (struct heel_policy_node){0};
}

static void show_scratch(const struct heel_policy_walk *walk, const struct heel_mount *mount,
                         const char *path, struct heel_policy_place *place)
{
    bool itself = strcmp(path, mount->target) == 0;
    bool in_root = place->shown == walk->plan->mounts;

    if (itself && (mount->flags & HEEL_MOUNT_OPTIONAL) && !in_root && !S_ISDIR(place->node.mode))
        return;
    clear_place(place);
    place->shown = mount;
    if (itself)
        place->node = own_directory(walk->plan, mount->mode);
    else
        place->node = node_of_ways(walk, mount, path);
}

/* /proc and /sys: files that are the same for every process look as they do outside. Files of
 * /proc/self have the same permissions as outside but belong to the sandbox's uid. Other processes'
 * can't be told. */
static void look_at_kernel(const struct heel_policy_walk *walk, const char *path,
                           struct heel_policy_place *place)
{
    bool of_itself = heel_path_is_at_or_below(path, "/proc/self") ||
                     heel_path_is_at_or_below(path, "/proc/thread-self");
    bool of_another = heel_starts_with(path, "/proc/") && strspn(path + 6, "0123456789") > 0;

    if (!of_another)
        walk->host->look(walk->host, path, &place->node);
    if (of_itself)
        place->node.uid = walk->plan->uid;
    if (of_another || (of_itself && !S_ISREG(place->node.mode) && !S_ISDIR(place->node.mode))) {
        set_node(place, (struct heel_policy_node){0});
        place->own = true;
    }
    place->node.read_only = place->node.no_execute = false;
}

static void show_kernel(const struct heel_policy_walk *walk, const struct heel_mount *mount,
                        const char *path, struct heel_policy_place *place)
{
    clear_place(place);
    place->shown = mount;
    if (strcmp(path, mount->target) == 0)
        place->node = own_directory(walk->plan, mount->kind == HEEL_MOUNT_MQUEUE ? 01777 : 0555);
    else if (mount->kind == HEEL_MOUNT_PROC || mount->kind == HEEL_MOUNT_SYSFS)
        look_at_kernel(walk, path, place);
    else
        place->own = true;
}

static void narrow(const struct heel_policy_walk *walk, const struct heel_mount *mount,
                   const char *path, struct heel_policy_place *place)
{
    (void)walk;
    if ((place->node.mode || place->own || strcmp(path, mount->target) != 0) &&
        !heel_policy_is_masked(place))
        place->narrow = mount;
}

static void show_directory(const struct heel_policy_walk *walk, const struct heel_mount *mount,
                           const char *path, struct heel_policy_place *place)
{
    if (strcmp(path, mount->target) == 0 && !place->node.mode)
        set_node(place, own_directory(walk->plan, mount->mode));
}

/* A link is made only where nothing is there yet: what is there came with a mount of the host's. */
static void show_link(const struct heel_policy_walk *walk, const struct heel_mount *mount,
                      const char *path, struct heel_policy_place *place)
{
    if (strcmp(path, mount->target) == 0 && place->shown == walk->plan->mounts && !place->node.mode)
        set_node(place, (struct heel_policy_node){.mode = S_IFLNK | 0777,
                                                  .link = heel_xstrdup(mount->source)});
}

/* A FILE is mounted over what is there, or made in the new root; it is never made in a mount of the
 * host's. */
static void show_file(const struct heel_policy_walk *walk, const struct heel_mount *mount,
                      const char *path, struct heel_policy_place *place)
{
    if (strcmp(path, mount->target) != 0 ||
        (!place->node.mode && place->shown != walk->plan->mounts))
        return;
    clear_place(place);
    place->shown = mount;
    place->node = (struct heel_policy_node){
        .mode = S_IFREG | mount->mode, .uid = walk->plan->uid, .gid = walk->plan->gid};
}

static bool has_own_root(const struct heel_plan *plan)
{
    return plan->mount_count > 0 && plan->mounts[0].kind == HEEL_MOUNT_TMPFS;
}

/* Everything that the plan does at or above `path`, in its order: the last that applies counts. */
static struct heel_policy_place place_at(const struct heel_policy_walk *walk, const char *path)
{
    static void (*const operations[])(const struct heel_policy_walk *, const struct heel_mount *,
                                      const char *, struct heel_policy_place *) = {
        [HEEL_MOUNT_BIND] = show_host,       [HEEL_MOUNT_TMPFS] = show_root,
        [HEEL_MOUNT_SCRATCH] = show_scratch, [HEEL_MOUNT_PROC] = show_kernel,
        [HEEL_MOUNT_SYSFS] = show_kernel,    [HEEL_MOUNT_DEVPTS] = show_kernel,
        [HEEL_MOUNT_MQUEUE] = show_kernel,   [HEEL_MOUNT_MASK] = narrow,
        [HEEL_MOUNT_READ_ONLY] = narrow,     [HEEL_MOUNT_DIR] = show_directory,
        [HEEL_MOUNT_SYMLINK] = show_link,    [HEEL_MOUNT_FILE] = show_file,
    };
    struct heel_policy_place place = {0};

    if (!has_own_root(walk->plan))
        walk->host->look(walk->host, path, &place.node);
    for (size_t i = 0; i < walk->plan->mount_count; i++) {
        const struct heel_mount *mount = &walk->plan->mounts[i];

        if (heel_path_is_at_or_below(path, mount->target) &&
            mount->kind < HEEL_ARRAY_LENGTH(operations) && operations[mount->kind])
            operations[mount->kind](walk, mount, path, &place);
    }
    return place;
}

/* ---- the walk ---- */

unsigned heel_policy_permitted(const struct heel_policy_walk *walk,
                               const struct heel_policy_place *place)
{
    const struct heel_policy_node *node = &place->node;
    bool lent = walk->host->lends_root_files && node->lendable && place->shown &&
                (place->shown->flags & HEEL_MOUNT_NAMED);
    uid_t uid = lent && node->uid == 0 ? walk->plan->uid : node->uid;
    gid_t gid = lent && node->gid == 0 ? walk->plan->gid : node->gid;
    bool in_group = gid == walk->plan->gid;

    if (place->own)
        return 7;
    if (uid == walk->plan->uid)
        return node->mode >> 6 & 7;
    for (size_t i = 0; i < walk->host->group_count; i++)
        in_group |= walk->host->groups[i] == gid;
    return in_group ? node->mode >> 3 & 7 : node->mode & 7;
}

enum heel_policy_refusal heel_policy_why_missing(const struct heel_policy_place *place)
{
    const struct heel_mount *mount = place->shown;

    if (!mount || mount->kind == HEEL_MOUNT_PROC || mount->kind == HEEL_MOUNT_SYSFS)
        return HEEL_POLICY_NOT_THERE;
    if (mount->kind == HEEL_MOUNT_BIND)
        return mount->flags & HEEL_MOUNT_OWN ? HEEL_POLICY_NOT_MADE : HEEL_POLICY_NOT_THERE;
    return mount->flags & HEEL_MOUNT_WRITABLE ? HEEL_POLICY_NOT_MADE : HEEL_POLICY_NOT_SHOWN;
}

/* What a step costs: the kernel walks the path anew for each mount that shows it. */
static bool spend(const struct heel_policy_walk *walk)
{
    uint64_t *effort = walk->host->effort;
    uint64_t cost =
        strlen(walk->path) + strlen(walk->rest) / STEP_REST_SHARE + walk->plan->mount_count;

    if (!effort)
        return true;
    *effort -= cost < *effort ? cost : *effort;
    return *effort > 0;
}

/* Whether the walk may go on below where it stands. */
static enum heel_policy_refusal check_passage(const struct heel_policy_walk *walk)
{
    const struct heel_policy_place *place = &walk->place;

    if (place->own)
        return HEEL_POLICY_ALLOWED;
    if (!place->node.mode)
        return heel_policy_why_missing(place);
    if (heel_policy_is_masked(place))
        return HEEL_POLICY_MASKED;
    if (!S_ISDIR(place->node.mode))
        return HEEL_POLICY_NOT_A_DIRECTORY;
    return heel_policy_permitted(walk, place) & 1 ? HEEL_POLICY_ALLOWED : HEEL_POLICY_PERMISSIONS;
}

static void stand_at(struct heel_policy_walk *walk, char *path)
{
    clear_place(&walk->parent);
    walk->parent = walk->place;
    walk->place = place_at(walk, path[0] ? path : "/");
    free(walk->path);
    walk->path = path;
}

static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strndup(path, slash ? (size_t)(slash - path) : 0);
}

/* The walk goes on where the link, at which it stands, leads. */
static enum heel_policy_refusal follow(struct heel_policy_walk *walk)
{
    const char *text = walk->place.node.link;
    char *rest;

    if (++walk->links > LINKS_MAX)
        return HEEL_POLICY_LOOP;
    rest = heel_format("%s%s%s", text, walk->rest[0] ? "/" : "", walk->rest);
    free(walk->rest);
    walk->rest = rest;
    stand_at(walk, rest[0] == '/' ? heel_xstrdup("") : parent_of(walk->path));
    return HEEL_POLICY_ALLOWED;
}

static enum heel_policy_refusal take_step(struct heel_policy_walk *walk, const char *name)
{
    enum heel_policy_refusal refusal = check_passage(walk);

    if (!refusal && !spend(walk))
        refusal = HEEL_POLICY_TOO_FAR;
    if (refusal)
        return refusal;
    stand_at(walk, strcmp(name, "..") == 0 ? parent_of(walk->path)
                                           : heel_format("%s/%s", walk->path, name));
    return S_ISLNK(walk->place.node.mode) && !heel_policy_is_masked(&walk->place)
               ? follow(walk)
               : HEEL_POLICY_ALLOWED;
}

/* What was asked for, when the walk has to stop before `name`. */
static void note_end(struct heel_policy_walk *walk, const char *name)
{
    walk->end = heel_format("%s/%s%s", walk->path, name, walk->rest);
}

enum heel_policy_refusal heel_policy_walk(struct heel_policy_walk *walk,
                                          const struct heel_plan *plan,
                                          const struct heel_policy_host *host, const char *path)
{
    enum heel_policy_refusal refusal = HEEL_POLICY_ALLOWED;

    *walk = (struct heel_policy_walk){.plan = plan, .host = host, .rest = heel_xstrdup(path)};
    stand_at(walk, heel_xstrdup(""));
    while (walk->rest[0] && !refusal) {
        size_t skip = strspn(walk->rest, "/");
        size_t length = strcspn(walk->rest + skip, "/");
        heel_autofree char *name = strndup(walk->rest + skip, length);

        memmove(walk->rest, walk->rest + skip + length, strlen(walk->rest + skip + length) + 1);
        if (length == 0 || strcmp(name, ".") == 0)
            continue;
        refusal = take_step(walk, name);
        if (refusal)
            note_end(walk, name);
    }
    if (!refusal)
        walk->end = heel_xstrdup(walk->path[0] ? walk->path : "/");
    return refusal;
}

void heel_policy_walk_clear(struct heel_policy_walk *walk)
{
    clear_place(&walk->place);
    clear_place(&walk->parent);
    free(walk->path);
    free(walk->rest);
    free(walk->end);
}

#include "backends/linux/launcher/covers.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/linux/confine/confine.h"
#include "base/text.h"

#define OF_ONE_SANDBOX_MAX 64
#define FAILURES_MAX 10 /* while what is there keeps being replaced */

static void forget(struct heel_covers *covers, struct heel_cover *cover)
{
    close(cover->mounts);
    free(cover->mount.target);
    *cover = covers->items[--covers->count];
}

static int start(struct heel_cover *cover, const struct heel_launched *launched)
{
    const struct heel_namespace_pair *pair = &launched->pair;

    cover->again = false;
    cover->pid = fork();
    if (cover->pid == 0)
        _exit(heel_confine_cover(pair->user, cover->mounts, pair->uid, pair->gid, &cover->mount));
    return cover->pid < 0 ? -1 : 0;
}

/* The process that makes this mount in this sandbox, or NULL. *of_it: how many such processes the
 * sandbox has. */
static struct heel_cover *find(const struct heel_covers *covers, uint32_t id,
                               const struct heel_mount *mount, size_t *of_it)
{
    struct heel_cover *found = NULL;

    *of_it = 0;
    for (size_t i = 0; i < covers->count; i++) {
        struct heel_cover *cover = &covers->items[i];

        if (cover->id != id)
            continue;
        ++*of_it;
        if (cover->mount.kind == mount->kind && strcmp(cover->mount.target, mount->target) == 0)
            found = cover;
    }
    return found;
}

static struct heel_cover *add(struct heel_covers *covers)
{
    if (covers->count == covers->capacity) {
        covers->capacity = covers->capacity * 2 + 8;
        covers->items = heel_xrealloc(covers->items, covers->capacity, sizeof *covers->items);
    }
    return &covers->items[covers->count++];
}

int heel_covers_start(struct heel_covers *covers, const struct heel_launched *launched, int mounts,
                      const struct heel_mount *mount)
{
    heel_autoclose int owned = mounts;
    size_t of_it;
    struct heel_cover *cover = find(covers, launched->id, mount, &of_it);

    if (cover) {
        cover->again = true;
        return 0;
    }
    if (of_it == OF_ONE_SANDBOX_MAX)
        return -1;
    cover = add(covers);
    *cover = (struct heel_cover){
        .id = launched->id,
        .mounts = heel_steal_fd(&owned),
        .mount = {.kind = mount->kind,
                  .flags = mount->flags,
                  .target = heel_xstrdup(mount->target)},
    };
    if (start(cover, launched)) {
        forget(covers, cover);
        return -1;
    }
    return 0;
}

/* Whether it is to be tried once more. */
static bool judge(struct heel_cover *cover, int status, uint32_t *failed)
{
    cover->failures = status == 0 ? 0 : cover->failures + 1;
    if (status != 0 && (!cover->again || cover->failures == FAILURES_MAX)) {
        *failed = cover->id;
        return false;
    }
    return cover->again;
}

bool heel_covers_reaped(struct heel_covers *covers, struct heel_launched_list *launched, pid_t pid,
                        int status, uint32_t *failed)
{
    *failed = 0;
    for (size_t i = 0; i < covers->count; i++) {
        struct heel_cover *cover = &covers->items[i];
        const struct heel_launched *in;

        if (cover->pid != pid)
            continue;
        in = judge(cover, status, failed) ? heel_launched_find_id(launched, cover->id) : NULL;
        if (in && start(cover, in) == 0)
            return true;
        if (in)
            *failed = cover->id;
        forget(covers, cover);
        return true;
    }
    return false;
}

void heel_covers_kill(const struct heel_covers *covers)
{
    for (size_t i = 0; i < covers->count; i++)
        kill(covers->items[i].pid, SIGKILL);
}

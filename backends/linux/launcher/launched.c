#include "backends/linux/launcher/launched.h"

struct heel_launched *heel_launched_add(struct heel_launched_list *list, pid_t pid,
                                        struct heel_namespace_pair pair)
{
    struct heel_launched *added;

    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 16;
        list->items = heel_xrealloc(list->items, list->capacity, sizeof *list->items);
    }
    added = &list->items[list->count++];
    *added = (struct heel_launched){.pid = pid, .level = -1, .pair = pair, .maker.said = -1};
    return added;
}

struct heel_launched *heel_launched_find(const struct heel_launched_list *list, pid_t pid)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].pid == pid)
            return &list->items[i];
    return NULL;
}

struct heel_launched *heel_launched_find_id(struct heel_launched_list *list, uint32_t id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].id == id)
            return &list->items[i];
    return NULL;
}

bool heel_launched_take(struct heel_launched_list *list, pid_t pid, struct heel_launched *taken)
{
    struct heel_launched *found = heel_launched_find(list, pid);

    if (!found)
        return false;
    *taken = *found;
    *found = list->items[--list->count];
    return true;
}

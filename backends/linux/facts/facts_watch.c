#include "backends/linux/facts/facts_watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/text.h"

#define NEWCOMERS (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR)

/* A name that something is to come under in a folder. */
struct heel_awaited {
    int folder; /* inotify's number */
    char *name; /* owned */
};

static void add(struct heel_facts_watch *watch, int folder, const char *name)
{
    watch->awaited = heel_xrealloc(watch->awaited, watch->count + 1, sizeof *watch->awaited);
    watch->awaited[watch->count++] =
        (struct heel_awaited){folder, strndup(name, strcspn(name, "/"))};
}

/* Each step of a path, as any of them can be replaced, down to the first that is absent. */
static void await(void *data, const char *path)
{
    struct heel_facts_watch *watch = data;

    for (const char *slash = path; slash && slash[1]; slash = strchr(slash + 1, '/')) {
        heel_autofree char *folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
        int number = inotify_add_watch(watch->inotify, folder, NEWCOMERS);

        if (number < 0)
            return;
        add(watch, number, slash + 1);
    }
}

/* Each path is awaited before it is looked at, so that nothing comes unnoticed. */
static void gather(struct heel_facts_watch *watch)
{
    const struct heel_facts_observer observer = {await, watch};

    watch->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    watch->latest = heel_host_facts_gather(watch->inotify < 0 ? NULL : &observer);
}

static void forget(struct heel_facts_watch *watch)
{
    if (watch->inotify >= 0)
        close(heel_steal_fd(&watch->inotify));
    for (size_t i = 0; i < watch->count; i++)
        free(watch->awaited[i].name);
    free(heel_steal(watch->awaited));
    watch->count = 0;
    heel_host_facts_release(heel_steal(watch->latest));
}

static bool is_awaited(const struct heel_facts_watch *watch, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW)
        return true;
    for (size_t i = 0; i < watch->count && event->len > 0; i++)
        if (watch->awaited[i].folder == event->wd &&
            strcmp(watch->awaited[i].name, event->name) == 0)
            return true;
    return false;
}

static bool has_news(const struct heel_facts_watch *watch)
{
    _Alignas(struct inotify_event) char bytes[4096];
    bool news = false;
    ssize_t length;

    while (watch->inotify >= 0 && (length = read(watch->inotify, bytes, sizeof bytes)) > 0) {
        const struct inotify_event *event;

        for (ssize_t at = 0; at < length; at += (ssize_t)(sizeof *event + event->len)) {
            event = (const struct inotify_event *)(const void *)(bytes + at);
            news |= is_awaited(watch, event);
        }
    }
    return news;
}

void heel_facts_watch_open(struct heel_facts_watch *watch)
{
    *watch = (struct heel_facts_watch){.inotify = -1};
    gather(watch);
}

struct heel_host_facts *heel_facts_watch_latest(struct heel_facts_watch *watch)
{
    struct heel_host_facts *before;

    if (!has_news(watch))
        return watch->latest;
    before = heel_steal(watch->latest); /* until there are others, so that they differ */
    forget(watch);
    gather(watch);
    heel_host_facts_release(before);
    return watch->latest;
}

void heel_facts_watch_close(struct heel_facts_watch *watch)
{
    forget(watch);
}

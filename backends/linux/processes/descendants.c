#include "backends/linux/processes/descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/linux/processes/process_stat.h"
#include "base/text.h"

#define CLIMBS_MAX 8
#define ANCESTORS_MAX 4096 /* ends a walk that reused pids lead in a circle */

void heel_pids_clear(struct heel_pids *pids)
{
    free(pids->items);
    *pids = (struct heel_pids){0};
}

bool heel_pids_have(const struct heel_pids *pids, pid_t pid)
{
    for (size_t i = 0; i < pids->count; i++)
        if (pids->items[i] == pid)
            return true;
    return false;
}

void heel_pids_append(struct heel_pids *pids, pid_t pid)
{
    if (pids->count == pids->capacity) {
        pids->capacity = pids->capacity * 2 + 64;
        pids->items = heel_xrealloc(pids->items, pids->capacity, sizeof *pids->items);
    }
    pids->items[pids->count++] = pid;
}

void heel_pids_remove(struct heel_pids *pids, const struct heel_pids *others)
{
    size_t kept = 0;

    for (size_t i = 0; i < pids->count; i++)
        if (!heel_pids_have(others, pids->items[i]))
            pids->items[kept++] = pids->items[i];
    pids->count = kept;
}

/* A file of /proc/PID/task/TID/children: pids with a space behind each. */
static void append_file(struct heel_pids *pids, const char *path)
{
    FILE *file = fopen(path, "re");
    int pid;

    if (!file)
        return;
    while (fscanf(file, "%d", &pid) == 1)
        heel_pids_append(pids, (pid_t)pid);
    fclose(file);
}

bool heel_descendants_supported(void)
{
    return access("/proc/thread-self/children", R_OK) == 0;
}

/* Every thread may have children of its own. */
static void append_children_of(struct heel_pids *pids, pid_t pid)
{
    char path[96];
    DIR *threads;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    threads = opendir(path);
    if (!threads)
        return;
    for (struct dirent *entry = readdir(threads); entry; entry = readdir(threads)) {
        int thread = atoi(entry->d_name);

        if (thread <= 0)
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, thread);
        append_file(pids, path);
    }
    closedir(threads);
}

void heel_children_list(struct heel_pids *pids)
{
    append_file(pids, "/proc/thread-self/children");
}

static void append_theirs(struct heel_pids *pids, size_t next)
{
    while (next < pids->count)
        append_children_of(pids, pids->items[next++]);
}

void heel_descendants_list(struct heel_pids *pids)
{
    size_t before = pids->count;

    heel_children_list(pids);
    append_theirs(pids, before);
}

void heel_descendants_of(pid_t root, struct heel_pids *pids)
{
    size_t before = pids->count;

    append_children_of(pids, root);
    append_theirs(pids, before);
}

/* 0 if it can't be known. */
static pid_t parent_of(pid_t pid)
{
    struct heel_process_stat stat;

    return heel_process_stat_read(AT_FDCWD, pid, &stat) ? stat.parent : 0;
}

/* An ancestor that dies meanwhile leaves its children to this process, or to another descendant. */
static bool climb(pid_t pid, bool *broken)
{
    pid_t self = getpid();

    *broken = false;
    for (unsigned i = 0; pid > 1 && i < ANCESTORS_MAX; i++) {
        pid = parent_of(pid);
        *broken = pid == 0 && i > 0;
        if (pid == self)
            return true;
    }
    return false;
}

bool heel_is_descendant(pid_t pid)
{
    bool broken = true, found = false;

    for (int i = 0; broken && !found && i < CLIMBS_MAX; i++)
        found = climb(pid, &broken);
    return found;
}

void heel_descendant_signal(pid_t pid, int number)
{
    heel_autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (pidfd >= 0 && heel_is_descendant(pid))
        syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

/* A child that was not reaped keeps its pid, and a process group that has its number can only be
 * its own. */
size_t heel_children_kill(bool (*spares)(const void *data, pid_t pid), const void *data)
{
    struct heel_pids children = {0};
    size_t hit = 0;

    heel_children_list(&children);
    for (size_t i = 0; i < children.count; i++) {
        pid_t pid = children.items[i];

        if (spares && spares(data, pid))
            continue;
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        hit++;
    }
    heel_pids_clear(&children);
    return hit;
}

#include "tests/bench/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* ---- files of lines such as "Name:   123 kB" ---- */

static bool find_line(const char *path, const char *name, double *kib)
{
    FILE *file = fopen(path, "re");
    size_t length = strlen(name);
    char line[256];
    bool found = false;

    while (file && !found && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, length) != 0 || line[length] != ':')
            continue;
        *kib = strtod(line + length + 1, NULL);
        found = true;
    }
    if (file)
        fclose(file);
    return found;
}

double procfs_meminfo(const char *name)
{
    double kib = 0;

    find_line("/proc/meminfo", name, &kib);
    return kib;
}

/* ---- one process ---- */

static void read_statm(pid_t pid, double *resident, double *shared)
{
    heel_autofree char *path = heel_format("/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "re");
    double page = (double)sysconf(_SC_PAGESIZE) / 1024;

    *resident = *shared = 0;
    if (!file)
        return;
    if (fscanf(file, "%*s %lf %lf", resident, shared) != 2)
        *resident = *shared = 0;
    *resident *= page;
    *shared *= page;
    fclose(file);
}

struct memory procfs_memory_of(pid_t pid)
{
    heel_autofree char *path = heel_format("/proc/%d/smaps_rollup", (int)pid);
    struct memory memory = {0};
    double resident, shared;

    read_statm(pid, &resident, &shared);
    memory.rss = resident;
    memory.pss_is_known =
        find_line(path, "Pss", &memory.pss) && find_line(path, "Rss", &memory.rss);
    if (!memory.pss_is_known)
        memory.pss = resident - shared;
    return memory;
}

/* ---- trees ---- */

struct process {
    pid_t pid;
    pid_t parent;
};

struct processes {
    struct process *all; /* owned */
    size_t count;
};

/* What follows the name in /proc/PID/stat: the state, the parent, and so on. False if there is no
 * such process. */
static bool read_stat(pid_t pid, char *line, size_t size, const char **fields)
{
    heel_autofree char *path = heel_format("/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");

    *fields = NULL;
    if (!file)
        return false;
    if (fgets(line, (int)size, file))
        *fields = strrchr(line, ')');
    fclose(file);
    return *fields != NULL;
}

static pid_t read_parent(pid_t pid)
{
    char line[512];
    const char *fields;
    int parent;

    if (!read_stat(pid, line, sizeof line, &fields) || sscanf(fields, ") %*c %d", &parent) != 1)
        return -1;
    return parent;
}

static struct processes list_processes(void)
{
    struct processes list = {0};
    DIR *proc = opendir("/proc");
    size_t capacity = 0;

    for (struct dirent *entry = proc ? readdir(proc) : NULL; entry; entry = readdir(proc)) {
        pid_t pid = (pid_t)atoi(entry->d_name);

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (list.count == capacity)
            list.all = heel_xrealloc(list.all, capacity = capacity * 2 + 256, sizeof *list.all);
        list.all[list.count++] = (struct process){pid, read_parent(pid)};
    }
    if (proc)
        closedir(proc);
    return list;
}

/* Moves whatever is below `root` to the front of the list; returns how many that are. */
static size_t sort_out(struct processes *list, pid_t root)
{
    size_t below = 0;

    for (size_t done = 0; done <= below; done++) {
        pid_t parent = done == 0 ? root : list->all[done - 1].pid;

        for (size_t i = below; i < list->count; i++) {
            struct process process = list->all[i];

            if (process.parent != parent)
                continue;
            list->all[i] = list->all[below];
            list->all[below++] = process;
        }
    }
    return below;
}

static void add_memory(struct memory *sum, pid_t pid)
{
    struct memory memory = procfs_memory_of(pid);

    sum->pss += memory.pss;
    sum->pss_is_known = sum->pss_is_known && memory.pss_is_known;
}

struct memory procfs_memory_of_tree(pid_t pid)
{
    struct memory sum = procfs_memory_of(pid);
    struct processes list = list_processes();
    size_t below = sort_out(&list, pid);

    sum.rss = 0;
    for (size_t i = 0; i < below; i++)
        add_memory(&sum, list.all[i].pid);
    free(list.all);
    return sum;
}

struct memory procfs_memory_of_children(pid_t pid)
{
    struct memory sum = {.pss_is_known = true};
    struct processes list = list_processes();

    for (size_t i = 0; i < list.count; i++)
        if (list.all[i].parent == pid)
            add_memory(&sum, list.all[i].pid);
    free(list.all);
    return sum;
}

size_t procfs_count_below(pid_t pid)
{
    struct processes list = list_processes();
    size_t below = sort_out(&list, pid);

    free(list.all);
    return below;
}

pid_t procfs_first_child(pid_t pid)
{
    struct processes list = list_processes();
    pid_t child = sort_out(&list, pid) > 0 ? list.all[0].pid : -1;

    free(list.all);
    return child;
}

double procfs_cpu_ms(pid_t pid)
{
    char line[512];
    const char *fields;
    double own_user, own_system, user, system;

    if (!read_stat(pid, line, sizeof line, &fields) ||
        sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lf %lf %lf %lf", &own_user,
               &own_system, &user, &system) != 4)
        return 0;
    return (own_user + own_system + user + system) * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

size_t procfs_open_files_limit(pid_t pid)
{
    static const char name[] = "Max open files";
    heel_autofree char *path = heel_format("/proc/%d/limits", (int)pid);
    FILE *file = fopen(path, "re");
    char line[256];
    size_t limit = 0;

    while (file && limit == 0 && fgets(line, sizeof line, file))
        if (heel_starts_with(line, name))
            limit = strtoul(line + sizeof name - 1, NULL, 10);
    if (file)
        fclose(file);
    return limit;
}

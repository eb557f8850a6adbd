/* Finds processes that are none of its own, in the procfs at PROC: the victim's number, name,
 * command line. */
#include "tests/confinement/probes/probe.h"

#include <dirent.h>

static bool has_mark(const char *pid, const char *name)
{
    char path[512], text[4096];
    ssize_t got = -1;
    int fd;

    snprintf(path, sizeof path, "%s/%s/%s", probe_env("PROC"), pid, name);
    fd = open(path, O_RDONLY);
    if (fd >= 0) {
        got = read(fd, text, sizeof text);
        close(fd);
    }
    return got > 0 &&
           memmem(text, (size_t)got, probe_env("VICTIM_MARK"), strlen(probe_env("VICTIM_MARK")));
}

int main(void)
{
    DIR *proc = opendir(probe_env("PROC"));
    const char *found = NULL;
    char path[64];

    for (struct dirent *entry = proc ? readdir(proc) : NULL; entry && !found; entry = readdir(proc))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            has_mark(entry->d_name, "cmdline"))
            found = entry->d_name;
    if (found)
        probe_open("listing", "process %s has the mark in its command line", found);
    else
        probe_shut("listing", "only processes of the sandbox");
    snprintf(path, sizeof path, "%d", probe_number("VICTIM_PID"));
    if (has_mark(path, "cmdline"))
        probe_open("by number", "read");
    else
        probe_shut("by number", "nothing of it");
    probe_call("getpgid",
               getpgid(probe_number("VICTIM_PID")) == probe_number("VICTIM_PID") ? 0 : -1);
    return probe_end();
}

/* Reads about the host's network where files tell of it: interfaces, connections, locks. */
#include "tests/confinement/probes/probe.h"

#include <dirent.h>

static void list_interfaces(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    char found[256] = "";

    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "lo") != 0)
            snprintf(found, sizeof found, "%s", entry->d_name);
    if (found[0])
        probe_open(path, "%s", found);
    else if (probe_is_control())
        probe_absent(path, "this machine has none");
    else
        probe_shut(path, "none but lo");
    if (folder)
        closedir(folder);
}

/* Whether a line of the file has the text. */
static void look_for(const char *path, const char *text)
{
    FILE *file = fopen(path, "r");
    char line[1024];
    bool found = false;

    while (file && !found && fgets(line, sizeof line, file))
        found = strstr(line, text) != NULL;
    if (found)
        probe_open(path, "has %s", text);
    else
        probe_shut(path, "%s", file ? "nothing of it" : strerrorname_np(errno));
    if (file)
        fclose(file);
}

int main(void)
{
    char port[16];

    list_interfaces("/sys/class/net");
    list_interfaces("/sys/devices/virtual/net");
    snprintf(port, sizeof port, ":%04X ", (unsigned)probe_number("VICTIM_TCP"));
    look_for("/proc/net/tcp6", port);
    look_for("/proc/self/net/tcp6", port);
    snprintf(port, sizeof port, ":%04X ", (unsigned)probe_number("VICTIM_UDP"));
    look_for("/proc/net/udp6", port);
    look_for("/proc/locks", probe_env("LOCKED_INODE"));
    return probe_end();
}

/* Reads what the kernel tells root only: addresses, logs, memory, keys. */
#include "tests/confinement/probes/probe.h"

/* The first address of the file that isn't zero. */
static void try_addresses(const char *path)
{
    char line[512];
    FILE *file = fopen(path, "r");
    unsigned long address = 0;

    while (file && address == 0 && fgets(line, sizeof line, file))
        address = strtoul(line, NULL, 16);
    if (address)
        probe_open(path, "tells addresses");
    else
        probe_shut(path, "%s", file ? "zeros" : strerrorname_np(errno));
    if (file)
        fclose(file);
}

static void try_read(const char *path)
{
    char bytes[8];
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    ssize_t got = -1;

    if (fd < 0 && errno == ENOENT && probe_is_control()) {
        probe_absent(path, "this kernel has none");
        return;
    }
    if (fd >= 0 && strcmp(path, "/proc/kmsg") == 0)
        got = 1; /* what is read is gone from there */
    else if (fd >= 0)
        got = read(fd, bytes, sizeof bytes);
    if (got > 0)
        probe_open(path, "read");
    else
        probe_shut(path, "%s", fd < 0 ? strerrorname_np(errno) : "empty");
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    static const char *const files[] = {
        "/proc/kcore",
        "/proc/kmsg",
        "/proc/kpagecount",
        "/proc/kpageflags",
        "/proc/kpagecgroup",
        "/proc/slabinfo",
        "/proc/vmallocinfo",
        "/proc/pagetypeinfo",
        "/proc/timer_list",
        "/proc/keys",
        "/proc/sched_debug",
        "/proc/latency_stats",
        "/proc/self/stack",
        "/proc/tty/driver/serial",
        "/sys/kernel/debug/sched/debug",
        "/sys/kernel/tracing/trace",
        "/sys/kernel/security/lsm",
        "/sys/firmware/acpi/tables/FACP",
        "/sys/firmware/dmi/tables/DMI",
        "/sys/devices/virtual/dmi/id/product_uuid",
    };

    try_addresses("/proc/kallsyms");
    try_addresses("/proc/iomem");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        try_read(files[i]);
    return probe_end();
}

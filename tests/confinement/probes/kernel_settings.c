/* Opens, for writing, files by which the kernel is set up. Nothing is written. */
#include "tests/confinement/probes/probe.h"

int main(void)
{
    static const char *const files[] = {
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/domainname",
        "/proc/sys/kernel/randomize_va_space",
        "/proc/sys/kernel/pid_max",
        "/proc/sys/kernel/ns_last_pid",
        "/proc/sys/kernel/shmmax",
        "/proc/sys/kernel/msgmni",
        "/proc/sys/fs/mqueue/msg_max",
        "/proc/sys/fs/suid_dumpable",
        "/proc/sys/fs/protected_symlinks",
        "/proc/sys/fs/binfmt_misc/register",
        "/proc/sys/user/max_user_namespaces",
        "/proc/sys/user/max_inotify_instances",
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/sys/net/ipv4/ip_unprivileged_port_start",
        "/proc/sys/net/ipv4/ping_group_range",
        "/proc/sys/vm/overcommit_memory",
        "/proc/sys/vm/drop_caches",
        "/proc/sysrq-trigger",
        "/proc/self/root/proc/sys/kernel/core_pattern",
        "/proc/irq/default_smp_affinity",
        "/proc/mtrr",
        "/proc/acpi/wakeup",
        "/sys/kernel/uevent_helper",
        "/sys/kernel/mm/ksm/run",
        "/sys/kernel/mm/transparent_hugepage/enabled",
        "/sys/power/state",
        "/sys/power/wake_lock",
        "/sys/devices/system/cpu/cpu1/online",
        "/sys/devices/system/cpu/microcode/reload",
        "/sys/fs/cgroup/cgroup.procs",
        "/sys/fs/cgroup/release_agent",
        "/sys/fs/cgroup/memory/cgroup.procs",
        "/sys/fs/cgroup/systemd/release_agent",
        "/sys/module/kernel/parameters/panic",
        "/sys/kernel/profiling",
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (probe_is_control() && access(files[i], F_OK) != 0)
            probe_absent(files[i], "this kernel has none");
        else
            probe_fd(files[i], open(files[i], O_WRONLY));
    }
    return probe_end();
}

/* Large and little used parts of the kernel. Arguments that can't work: only the refusal counts. */
#include "tests/confinement/probes/probe.h"

int main(void)
{
    char zeros[256] = {0};
    int handle[34] = {128}, mount_id;

    probe_permission("bpf", syscall(SYS_bpf, 0, zeros, 72));
    probe_permission("perf_event_open", syscall(SYS_perf_event_open, zeros, 0, -1, -1, 0));
    probe_permission("userfaultfd", syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */));
    probe_permission("add_key",
                     syscall(SYS_add_key, "user", "heel-probe", "x", 1, -1 /* thread */));
    probe_permission("request_key", syscall(SYS_request_key, "user", "heel-probe", NULL, 0));
    probe_permission("keyctl", syscall(SYS_keyctl, 0, -1, 1));
    probe_permission("keyctl SESSION_TO_PARENT", syscall(SYS_keyctl, 18));
    probe_permission("name_to_handle_at",
                     syscall(SYS_name_to_handle_at, AT_FDCWD, ".", handle, &mount_id, 0));
    probe_permission("open_by_handle_at",
                     syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY));
    probe_permission("fanotify_init", syscall(SYS_fanotify_init, 0x200 /* FAN_REPORT_FID */, 0));
    probe_permission("fanotify_mark", syscall(SYS_fanotify_mark, -1, 1, 1, -1, "."));
    probe_permission("quotactl", syscall(SYS_quotactl, 0x800001U << 8, NULL, 0, NULL));
    probe_permission("quotactl_fd", syscall(443, -1, 0, 0, NULL));
    probe_permission("syslog", syscall(SYS_syslog, 10 /* size of the buffer */, NULL, 0));
    probe_permission("modify_ldt", syscall(SYS_modify_ldt, 0, zeros, 16));
    if (!probe_is_control()) /* it would hang up the terminal of whoever runs the tests */
        probe_permission("vhangup", syscall(SYS_vhangup));
    probe_permission("lsm_set_self_attr", syscall(460, 0, NULL, 0, 0));
    probe_permission("lookup_dcookie", syscall(SYS_lookup_dcookie, 0UL, zeros, 1));
    return probe_end();
}

/* Finds mounts, and mount namespaces, other than its own. */
#include "tests/confinement/probes/probe.h"

#include <sys/ioctl.h>

#define STATMOUNT 457
#define LISTMOUNT 458
#define MNT_GET_NEXT 0x8010b70bUL
#define MNT_GET_PREV 0x8010b70cUL
#define ALL_MOUNTS UINT64_MAX

static void list_mounts(const char *way, long call)
{
    struct {
        uint32_t size, spare;
        uint64_t mount, parameter, namespace;
    } request = {sizeof request, 0, ALL_MOUNTS, 0, strtoull(probe_env("MOUNT_NAMESPACE"), NULL, 0)};
    uint64_t answer[64];

    if (call == STATMOUNT) {
        request.mount = strtoull(probe_env("MOUNT"), NULL, 0);
        request.parameter = 2; /* STATMOUNT_MNT_BASIC */
        probe_call(way, syscall(call, &request, answer, sizeof answer, 0));
    } else {
        probe_call(way, syscall(call, &request, answer, 64, 0));
    }
}

int main(void)
{
    int own = open("/proc/self/ns/mnt", O_RDONLY);
    uint64_t info[2] = {16};

    list_mounts("the mounts outside", LISTMOUNT);
    list_mounts("a mount outside", STATMOUNT);
    probe_fd("the next mount namespace", ioctl(own, MNT_GET_NEXT, info));
    probe_fd("the one before", ioctl(own, MNT_GET_PREV, info));
    return probe_end();
}

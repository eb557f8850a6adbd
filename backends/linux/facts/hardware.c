#include "backends/linux/facts/hardware.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define DEPTH_MAX 4
#define NODES_MAX 1024

#define GPU HEEL_HARDWARE_GPU
#define NPU HEEL_HARDWARE_NPU
#define NEVER 0

/* The first that fits counts. What fits none is shown where all devices are asked for. */
/* clang-format off */
const struct heel_hardware_pattern heel_hardware_patterns[] = {
    {GPU, "/dev/nvidia[0-9]*", "an NVIDIA GPU"},
    {GPU, "/dev/nvidiactl", "NVIDIA's driver"},
    {GPU, "/dev/nvidia-uvm*", "NVIDIA's unified memory, which CUDA needs"},
    {GPU, "/dev/nvidia-modeset", "NVIDIA's driver"},
    {GPU, "/dev/nvidia-caps/*", "slices of an NVIDIA GPU"},
    {GPU, "/dev/nvidia-caps-imex-channels/*", "memory shared between NVIDIA GPUs"},
    {GPU, "/dev/nvmap", "NVIDIA Tegra's memory"},
    {GPU, "/dev/nvhost-*", "NVIDIA Tegra's engines"},
    {GPU, "/dev/dri/renderD[0-9]*", "a GPU of AMD, Intel or another maker, to compute on"},
    {GPU, "/dev/dri/card[0-9]*", "the same, with its displays"},
    {GPU, "/dev/kfd", "AMD's compute driver (ROCm)"},
    {GPU, "/dev/mali[0-9]*", "an ARM Mali GPU"},
    {GPU, "/dev/dxg", "the GPU of Windows under WSL"},
    {NPU, "/dev/accel/accel[0-9]*", "an accelerator of the kernel's own framework"},
    {NPU, "/dev/apex_[0-9]*", "a Google Edge TPU"},
    {NPU, "/dev/neuron[0-9]*", "AWS Inferentia or Trainium"},
    {NPU, "/dev/davinci[0-9]*", "a Huawei Ascend NPU"},
    {NPU, "/dev/davinci_manager", "Ascend's driver"},
    {NPU, "/dev/devmm_svm", "Ascend's memory"},
    {NPU, "/dev/hisi_hdc", "Ascend's driver"},
    {NPU, "/dev/hailo[0-9]*", "a Hailo NPU"},

    {NEVER, "/dev/mem", "the machine's memory"},
    {NEVER, "/dev/kmem", "the machine's memory"},
    {NEVER, "/dev/port", "the machine's ports"},
    {NEVER, "/dev/nvram", "the firmware's settings"},
    {NEVER, "/dev/mei*", "the firmware"},
    {NEVER, "/dev/ipmi*", "the machine's management"},
    {NEVER, "/dev/cpu/*/*", "the processor's registers"},
    {NEVER, "/dev/cpu_dma_latency", "settings of the whole machine"},
    {NEVER, "/dev/watchdog*", "resets the machine"},
    {NEVER, "/dev/kmsg", "the kernel's log"},
    {NEVER, "/dev/sg[0-9]*", "disks, without their file systems"},
    {NEVER, "/dev/bsg/*", "disks, without their file systems"},
    {NEVER, "/dev/nvme*", "disks, without their file systems"},
    {NEVER, "/dev/ng[0-9]*", "disks, without their file systems"},
    {NEVER, "/dev/tty", "each sandbox has terminals of its own"},
    {NEVER, "/dev/tty[0-9]*", "other terminals"},
    {NEVER, "/dev/ttyS*", "consoles"},
    {NEVER, "/dev/ttyprintk", "the kernel's log"},
    {NEVER, "/dev/hvc*", "consoles"},
    {NEVER, "/dev/console", "the console"},
    {NEVER, "/dev/vcs*", "what terminals show"},
    {NEVER, "/dev/ptmx", "each sandbox has terminals of its own"},
    {NEVER, "/dev/input/*", "what people type"},
    {NEVER, "/dev/hidraw*", "what people type"},
    {NEVER, "/dev/uinput", "types in people's place"},
    {NEVER, "/dev/uhid", "types in people's place"},
    {NEVER, "/dev/kvm", "no device, but a large part of the kernel"},
    {NEVER, "/dev/vhost*", "no device, but a large part of the kernel"},
    {NEVER, "/dev/vfio/*", "devices whose drivers were taken away"},
    {NEVER, "/dev/fuse", "no device, but file systems"},
    {NEVER, "/dev/cuse", "no device, but makes such"},
    {NEVER, "/dev/net/*", "no device, but networks"},
    {NEVER, "/dev/ppp", "no device, but networks"},
    {NEVER, "/dev/userfaultfd", "no device, but holds the kernel up"},
    {NEVER, "/dev/loop-control", "no device, but disks"},
    {NEVER, "/dev/btrfs-control", "no device, but file systems"},
    {NEVER, "/dev/autofs", "no device, but file systems"},
    {NEVER, "/dev/mapper/*", "no device, but disks"},
    {NEVER, "/dev/snapshot", "the machine's memory"},
    {NEVER, "/dev/tpm*", "the machine's keys"},
};
/* clang-format on */

const size_t heel_hardware_pattern_count = HEEL_ARRAY_LENGTH(heel_hardware_patterns);

const char *heel_hardware_match(unsigned hardware, const char *path, mode_t mode)
{
    if (!S_ISCHR(mode)) /* a disk is no hardware to compute on */
        return NULL;
    for (size_t i = 0; i < heel_hardware_pattern_count; i++) {
        const struct heel_hardware_pattern *known = &heel_hardware_patterns[i];

        if (fnmatch(known->pattern, path, FNM_PATHNAME) != 0)
            continue;
        if (!known->hardware)
            return NULL;
        return hardware & (known->hardware | HEEL_HARDWARE_ALL) ? known->reason : NULL;
    }
    return hardware & HEEL_HARDWARE_ALL ? "all devices" : NULL;
}

const char *heel_hardware_field(enum heel_hardware hardware)
{
    return hardware == HEEL_HARDWARE_GPU   ? "spec.hardware.gpu"
           : hardware == HEEL_HARDWARE_NPU ? "spec.hardware.npu"
                                           : "spec.hardware.all_devices";
}

void heel_hardware_append_patterns(enum heel_hardware hardware, struct heel_buffer *to)
{
    const char *separator = "";

    for (size_t i = 0; i < heel_hardware_pattern_count; i++) {
        if (!(heel_hardware_patterns[i].hardware & hardware))
            continue;
        heel_buffer_printf(to, "%s%s", separator, heel_hardware_patterns[i].pattern);
        separator = ", ";
    }
}

/* ---- this machine's ---- */

static void take(unsigned hardware, const char *path, const struct stat *status,
                 struct heel_hardware_nodes *nodes)
{
    const char *reason = heel_hardware_match(hardware, path, status->st_mode);

    if (!reason || nodes->count == NODES_MAX)
        return;
    nodes->items = heel_xrealloc(nodes->items, nodes->count + 1, sizeof(*nodes->items));
    nodes->items[nodes->count++] = (struct heel_hardware_node){
        .path = heel_xstrdup(path),
        .reason = reason,
        .mode = status->st_mode,
        .uid = status->st_uid,
        .gid = status->st_gid,
        .callers = faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0,
    };
}

/* File systems of their own lie in there, too, with whatever their users made. */
static bool is_own_filesystem(const char *path)
{
    return strcmp(path, "/dev/pts") == 0 || strcmp(path, "/dev/shm") == 0 ||
           strcmp(path, "/dev/mqueue") == 0 || strcmp(path, "/dev/hugepages") == 0;
}

static void search(unsigned hardware, const char *directory, unsigned depth,
                   struct heel_hardware_nodes *nodes)
{
    DIR *stream = opendir(directory);

    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        heel_autofree char *path = heel_format("%s/%s", directory, entry->d_name);
        struct stat status;

        if (entry->d_name[0] == '.' || lstat(path, &status) < 0)
            continue;
        if (!S_ISDIR(status.st_mode))
            take(hardware, path, &status, nodes);
        else if (depth < DEPTH_MAX && !is_own_filesystem(path))
            search(hardware, path, depth + 1, nodes);
    }
    if (stream)
        closedir(stream);
}

void heel_hardware_find(unsigned hardware, const char *directory, struct heel_hardware_nodes *nodes)
{
    *nodes = (struct heel_hardware_nodes){0};
    search(hardware, directory, 1, nodes);
}

void heel_hardware_nodes_clear(struct heel_hardware_nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++)
        free(nodes->items[i].path);
    free(nodes->items);
    *nodes = (struct heel_hardware_nodes){0};
}

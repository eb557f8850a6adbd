/* Which nodes of made-up hosts are shown. */
#include "backends/linux/facts/hardware.h"

#include <sys/stat.h>

#include "base/test.h"
#include "base/text.h"

#define GPU HEEL_HARDWARE_GPU
#define NPU HEEL_HARDWARE_NPU
#define ALL HEEL_HARDWARE_ALL

/* What there is, and which asking shows it. */
static const struct {
    const char *path;
    mode_t mode;
    unsigned shown_by;
} nodes[] = {
    {"/dev/nvidia0", S_IFCHR, GPU | ALL},
    {"/dev/nvidiactl", S_IFCHR, GPU | ALL},
    {"/dev/nvidia-uvm", S_IFCHR, GPU | ALL},
    {"/dev/nvidia-uvm-tools", S_IFCHR, GPU | ALL},
    {"/dev/nvidia-caps/nvidia-cap1", S_IFCHR, GPU | ALL},
    {"/dev/dri/renderD128", S_IFCHR, GPU | ALL},
    {"/dev/dri/card0", S_IFCHR, GPU | ALL},
    {"/dev/kfd", S_IFCHR, GPU | ALL},
    {"/dev/dxg", S_IFCHR, GPU | ALL},
    {"/dev/nvidia0", S_IFREG, 0},
    {"/dev/accel/accel0", S_IFCHR, NPU | ALL},
    {"/dev/apex_0", S_IFCHR, NPU | ALL},
    {"/dev/neuron0", S_IFCHR, NPU | ALL},
    {"/dev/davinci3", S_IFCHR, NPU | ALL},
    {"/dev/video0", S_IFCHR, ALL},
    {"/dev/snd/pcmC0D0p", S_IFCHR, ALL},
    {"/dev/ttyUSB0", S_IFCHR, ALL},
    {"/dev/bus/usb/001/002", S_IFCHR, ALL},
    {"/dev/sda", S_IFBLK, 0},
    {"/dev/dm-0", S_IFBLK, 0},
    {"/dev/nvme0", S_IFCHR, 0},
    {"/dev/sg1", S_IFCHR, 0},
    {"/dev/mem", S_IFCHR, 0},
    {"/dev/kmsg", S_IFCHR, 0},
    {"/dev/tty", S_IFCHR, 0},
    {"/dev/tty1", S_IFCHR, 0},
    {"/dev/ttyS0", S_IFCHR, 0},
    {"/dev/console", S_IFCHR, 0},
    {"/dev/vcsa1", S_IFCHR, 0},
    {"/dev/input/event0", S_IFCHR, 0},
    {"/dev/uinput", S_IFCHR, 0},
    {"/dev/kvm", S_IFCHR, 0},
    {"/dev/vhost-net", S_IFCHR, 0},
    {"/dev/vfio/vfio", S_IFCHR, 0},
    {"/dev/fuse", S_IFCHR, 0},
    {"/dev/net/tun", S_IFCHR, 0},
    {"/dev/loop-control", S_IFCHR, 0},
    {"/dev/mapper/control", S_IFCHR, 0},
    {"/dev/cpu/0/msr", S_IFCHR, 0},
    {"/dev/tpmrm0", S_IFCHR, 0},
};

static void each_node_is_shown_by_what_it_belongs_to(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(nodes); i++)
        for (unsigned wanted = 1; wanted <= ALL; wanted <<= 1) {
            bool shown = heel_hardware_match(wanted, nodes[i].path, nodes[i].mode) != NULL;

            if (shown != ((nodes[i].shown_by & wanted) != 0))
                HEEL_TEST_FAIL("%s is %s by %u", nodes[i].path, shown ? "shown" : "not shown",
                               wanted);
        }
}

static void every_pattern_has_a_reason(void)
{
    for (size_t i = 0; i < heel_hardware_pattern_count; i++)
        CHECK(strncmp(heel_hardware_patterns[i].pattern, "/dev/", 5) == 0 &&
              heel_hardware_patterns[i].reason[0]);
}

static void what_is_looked_for_is_named(void)
{
    heel_autobuffer struct heel_buffer text = {0};

    heel_hardware_append_patterns(NPU, &text);
    CHECK(strstr(text.data, "/dev/accel/accel[0-9]*, ") != NULL);
    CHECK(strstr(text.data, "nvidia") == NULL);
    CHECK_STR(heel_hardware_field(NPU), "spec.hardware.npu");
}

static void harmless_nodes_of_this_machine_are_found(void)
{
    struct heel_hardware_nodes found;
    size_t zero = 0, memory = 0;

    heel_hardware_find(ALL, "/dev", &found);
    for (size_t i = 0; i < found.count; i++) {
        zero += strcmp(found.items[i].path, "/dev/zero") == 0 && found.items[i].callers;
        memory += strcmp(found.items[i].path, "/dev/mem") == 0;
    }
    CHECK_INT(zero, 1);
    CHECK_INT(memory, 0);
    heel_hardware_nodes_clear(&found);
}

int main(void)
{
    each_node_is_shown_by_what_it_belongs_to();
    every_pattern_has_a_reason();
    what_is_looked_for_is_named();
    harmless_nodes_of_this_machine_are_found();
    return heel_test_end();
}

/* The hardware that a spec asks for: its nodes in the sandbox's own /dev, each by itself, and at
 * STRICT what its libraries read in /etc. They find the device by walking /sys, which is then shown
 * as at DEFAULT (plan_system.c); /proc/driver is in every /proc, and /usr is shown at every level.
 */
#include <string.h>

#include "backends/linux/facts/hardware.h"
#include "backends/linux/kernel/landlock_rights.h"
#include "backends/linux/plan/plan_build.h"

#define ORIGIN "spec.hardware"
#define NODE \
    (HEEL_LANDLOCK_READ_FILE | HEEL_LANDLOCK_WRITE_FILE | HEEL_LANDLOCK_TRUNCATE | \
     HEEL_LANDLOCK_IOCTL_DEV)

/* Where loaders look for the drivers of OpenCL, Vulkan and OpenGL. */
static const char *const settings[] = {"/etc/OpenCL", "/etc/vulkan", "/etc/glvnd", "/etc/egl",
                                       "/etc/nvidia"};

/* A sandbox with its caller's uid can open what the caller can. Any other can open what the node's
 * mode gives to everybody: nodes keep the host's owners and modes. */
static bool can_open(const struct heel_plan_builder *builder, const struct heel_hardware_node *node)
{
    const struct heel_plan_input *input = builder->input;
    unsigned shift = node->uid == input->uid ? 6 : node->gid == input->gid ? 3 : 0;

    if (input->uid == input->spec->caller.uid)
        return node->callers;
    return node->callers && (node->mode >> shift & 6) == 6;
}

static bool is_there(const struct heel_plan *plan, const char *target)
{
    for (size_t i = 0; i < plan->mount_count; i++)
        if (strcmp(plan->mounts[i].target, target) == 0)
            return true;
    return false;
}

static void add_node(struct heel_plan_builder *builder, const struct heel_hardware_node *node)
{
    if (is_there(builder->plan, node->path))
        return;
    if (!builder->input->bare)
        heel_plan_add_mount(builder->plan, HEEL_MOUNT_BIND,
                            HEEL_MOUNT_WRITABLE | HEEL_MOUNT_DEVICES, node->path, node->path,
                            ORIGIN);
    heel_plan_add_rule(builder->plan, node->path, NODE, ORIGIN);
}

static int refuse(const struct heel_plan_builder *builder, enum heel_hardware hardware,
                  const struct heel_hardware_nodes *found, struct heel_error **err)
{
    const char *field = heel_hardware_field(hardware);
    heel_autobuffer struct heel_buffer wanted = {0};

    heel_hardware_append_patterns(hardware, &wanted);
    if (found->count > 0)
        heel_error_set(err, HEEL_FAILED_PRECONDITION, "HOST_UNSUPPORTED",
                       "%s: \"%s\" (mode %04o, uid %u, gid %u) can't be opened by the sandbox, "
                       "which runs as uid %u; let that user or everybody read and write it",
                       field, found->items[0].path, found->items[0].mode & 07777,
                       (unsigned)found->items[0].uid, (unsigned)found->items[0].gid,
                       (unsigned)builder->input->uid);
    else
        heel_error_set(err, HEEL_FAILED_PRECONDITION, "HOST_UNSUPPORTED",
                       "%s: this host has none of %s", field, wanted.data);
    if (err) {
        heel_error_set_field_path(*err, field);
        heel_error_add_metadata(*err, "feature", "%s", field);
        heel_error_add_metadata(*err, "have", "%s", found->count ? found->items[0].path : "none");
        heel_error_add_metadata(*err, "need", "%s", wanted.data ? wanted.data : "");
    }
    return -1;
}

/* Adds every node that the sandbox could open. A GPU or NPU that was asked for must have one. */
static int add_nodes(struct heel_plan_builder *builder, enum heel_hardware hardware,
                     struct heel_error **err)
{
    struct heel_hardware_nodes nodes;
    struct heel_saved_identity saved;
    size_t shown = 0;
    int result = 0;

    if (heel_caller_assume(&builder->input->spec->caller, &saved, err) < 0)
        return -1;
    heel_hardware_find(hardware, "/dev", &nodes);
    heel_caller_restore(&saved);
    for (size_t i = 0; i < nodes.count; i++) {
        if (!can_open(builder, &nodes.items[i]))
            continue;
        add_node(builder, &nodes.items[i]);
        shown++;
    }
    if (shown == 0 && hardware != HEEL_HARDWARE_ALL)
        result = refuse(builder, hardware, &nodes, err);
    heel_hardware_nodes_clear(&nodes);
    return result;
}

static void add_settings(struct heel_plan_builder *builder)
{
    if (builder->input->spec->level != HEEL_LEVEL_STRICT || builder->input->bare)
        return;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(settings); i++)
        heel_plan_add_mount(builder->plan, HEEL_MOUNT_BIND, HEEL_MOUNT_BASE, settings[i],
                            settings[i], ORIGIN);
}

int heel_plan_add_hardware(struct heel_plan_builder *builder, struct heel_error **err)
{
    static const enum heel_hardware kinds[] = {HEEL_HARDWARE_GPU, HEEL_HARDWARE_NPU,
                                               HEEL_HARDWARE_ALL};
    unsigned wanted = builder->input->spec->hardware;

    if (!wanted)
        return 0;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(kinds); i++)
        if ((wanted & kinds[i]) && add_nodes(builder, kinds[i], err) < 0)
            return -1;
    add_settings(builder);
    return 0;
}

/* The names of the contract's enums, without their prefixes. */
#include <string.h>

#include "clients/c/libheel/heel/heel.h"
#include "heel/v1/sandbox.pb-c.h"

static const char *value_name(const ProtobufCEnumDescriptor *descriptor, const char *prefix,
                              int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);

    return value ? value->name + strlen(prefix) : "UNKNOWN";
}

const char *heel_protection_name(enum heel_protection protection)
{
    return value_name(&heel__v1__protection__descriptor, "PROTECTION_", (int)protection);
}

const char *heel_protected_group_name(enum heel_protected_group group)
{
    return value_name(&heel__v1__protected_group__descriptor, "PROTECTED_GROUP_", (int)group);
}

const char *heel_enforcement_state_name(enum heel_enforcement_state state)
{
    return value_name(&heel__v1__enforcement_state__descriptor, "ENFORCEMENT_STATE_", (int)state);
}

const char *heel_sandbox_state_name(enum heel_sandbox_state state)
{
    return value_name(&heel__v1__sandbox_state__descriptor, "SANDBOX_STATE_", (int)state);
}

const char *heel_level_name(enum heel_level level)
{
    return value_name(&heel__v1__isolation_level__descriptor, "ISOLATION_LEVEL_", (int)level);
}

const char *heel_exit_reason_name(enum heel_exit_reason reason)
{
    return value_name(&heel__v1__exit_reason__descriptor, "EXIT_REASON_", (int)reason);
}

const char *heel_process_state_name(enum heel_process_state state)
{
    return value_name(&heel__v1__process_state__descriptor, "PROCESS_STATE_", (int)state);
}

const char *heel_sandbox_event_name(enum heel_sandbox_event event)
{
    return value_name(&heel__v1__sandbox_event_kind__descriptor, "SANDBOX_EVENT_KIND_", (int)event);
}

const char *heel_policy_kind_name(enum heel_policy_kind kind)
{
    return value_name(&heel__v1__policy_entry_kind__descriptor, "POLICY_ENTRY_KIND_", (int)kind);
}

/* From libheel's structures to the messages of heel.v1. Messages live in an arena and borrow the
 * caller's strings: they last for the call that they are made for. */
#ifndef HEEL_LIBHEEL_REQUEST_H
#define HEEL_LIBHEEL_REQUEST_H

#include "base/error.h"
#include "clients/c/libheel/arena.h"
#include "clients/c/libheel/heel/heel.h"
#include "heel/v1/sandbox.pb-c.h"

/* Fills `own` (`own_size` bytes) from a structure of the caller's that begins with its size: what
 * an older one lacks is zero; a newer one that sets what this library doesn't know is refused, as
 * is one without HEEL_INIT. NULL is all zero. 0, or -1 and *err naming `type`. */
int request_read(void *own, size_t own_size, const void *given, const char *type,
                 struct heel_error **err);

/* 0 is none: NULL. */
Google__Protobuf__Duration *request_duration(struct arena *arena, int64_t milliseconds);

/* The entries of a map<string, string> whose entry type is `entry`; to be cast to that type's
 * pointers. NULL if there are none. */
void *request_pairs(struct arena *arena, const ProtobufCMessageDescriptor *entry,
                    const struct heel_pair *pairs, size_t count);

/* NULL and *err where the structure is none of this library's; a NULL spec is an empty one. */
Heel__V1__SandboxSpec *request_spec(struct arena *arena, const struct heel_spec *spec,
                                    struct heel_error **err);
Heel__V1__Command *request_command(struct arena *arena, const struct heel_command *command,
                                   struct heel_error **err);

/* 0, or -1 and *err where both members are set. */
int request_check_target(struct heel_target target, struct heel_error **err);

/* The same text as a message may hold it, since protobuf-c knows no const. NULL gives the empty
 * string. */
char *request_text(const char *text);

#endif

/* From the messages of heel.v1 to the structures that libheel's callers get. */
#ifndef HEEL_LIBHEEL_RESULT_H
#define HEEL_LIBHEEL_RESULT_H

#include "clients/c/libheel/arena.h"
#include "clients/c/libheel/heel/heel.h"
#include "heel/v1/sandbox.pb-c.h"

/* What stands behind every result that callers free: the answer, whose strings the public structure
 * borrows, the part of it that JSON shows, and the arrays between the two. */
struct result {
    ProtobufCMessage *response;    /* owned */
    const ProtobufCMessage *shown; /* borrowed from response */
    struct arena arena;
};

void result_free(struct result *result);
char *result_json(const struct result *result, unsigned indent);

/* Each fills a public structure whose strings are borrowed from the message. */
void result_sandbox(struct arena *arena, const Heel__V1__Sandbox *message,
                    struct heel_sandbox_info *info);
void result_spec(struct arena *arena, const Heel__V1__SandboxSpec *message, struct heel_spec *spec);
void result_enforcement(struct arena *arena, Heel__V1__Enforcement *const *messages, size_t count,
                        const struct heel_enforcement **rows);
void result_process(struct arena *arena, const Heel__V1__Process *message,
                    struct heel_process_info *info);
/* NULL-terminated. */
const char *const *result_strings(struct arena *arena, char *const *strings, size_t count);
int64_t result_time_ms(const Google__Protobuf__Timestamp *time); /* NULL is 0 */
/* Copies the texts. */
void result_denials(struct arena *arena, Heel__V1__Denial *const *messages, size_t count,
                    bool truncated, struct heel_denials *denials);
void result_exit_status(const Heel__V1__ExitStatus *message, struct heel_exit_status *status);
/* NULL gives none. The strings are copied into the arena, as a message of a stream doesn't last. */
void result_acting_files(struct arena *arena, const Heel__V1__ActingFiles *message,
                         struct heel_acting_files *files);
void result_usage(const Heel__V1__ResourceUsage *message, struct heel_usage *usage);

#endif

/* The calls that the benches make, through the generated blocking stubs. */
#ifndef HEEL_TESTS_BENCH_CLIENT_H
#define HEEL_TESTS_BENCH_CLIENT_H

#include "base/error.h"
#include "heel/v1/sandbox.grpc-c.h"

/* A connection of its own to the server at the socket `path`. NULL and *err if nobody listens. */
struct grpcc_channel *client_connect(const char *path, struct heel_error **err);

/* A sandbox with the default spec; the caller owns *id. */
int client_create(struct grpcc_channel *channel, char **id, struct heel_error **err);

/* A sandbox as `spec` says; the caller owns *id. */
int client_create_with(struct grpcc_channel *channel, Heel__V1__SandboxSpec *spec, char **id,
                       struct heel_error **err);

/* Runs argv, of `count` entries, in the sandbox `id`, and gives what it wrote to standard output;
 * the caller owns *output. An exit status other than 0 is an error with what it wrote to standard
 * error. */
int client_run_program(struct grpcc_channel *channel, const char *id, const char *const *argv,
                       size_t count, char **output, struct heel_error **err);

/* Runs /bin/true in the sandbox `id`; in one made for that where it is NULL. */
int client_run(struct grpcc_channel *channel, const char *id, struct heel_error **err);

int client_delete(struct grpcc_channel *channel, const char *id, struct heel_error **err);

/* How many sandboxes the server lists, at most 1,000. */
int client_count(struct grpcc_channel *channel, size_t *count, struct heel_error **err);

/* Turns a status into an error; frees it. Returns -1. */
int client_failed(const char *what, struct grpcc_status *status, struct heel_error **err);

HEEL_DEFINE_AUTOFREE(channel, struct grpcc_channel, grpcc_channel_free);
#define autochannel HEEL_AUTOFREE(channel)

#endif

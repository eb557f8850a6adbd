/* A server of heel.v1 that runs nothing: it plays the parts that tests of libheel ask for, so that
 * they can be had at will and without a sandbox. It runs in a thread of the test.
 *
 * What Exec plays is argv[0]:
 *   echo          sends standard input back; ends with code 7 when that does
 *   flood N       sends N chunks of 64 KiB on standard output, then ends with code 0
 *   deaf          never takes standard input; a signal ends it
 *   lose          cuts the connection
 *   refuse        ends the stream with NOT_FOUND, reason SANDBOX_NOT_FOUND
 *   silent        says nothing until it is cancelled */
#ifndef HEEL_TESTS_FAKE_SERVER_H
#define HEEL_TESTS_FAKE_SERVER_H

#include <stddef.h>

struct fake_server;

/* Listens at `path`, or serves the connection `fd` alone where `path` is NULL. */
struct fake_server *fake_server_start(const char *path, int fd);

/* Cuts every connection and ends. */
void fake_server_stop(struct fake_server *server);

/* Counted since the start. */
unsigned fake_server_cancelled(const struct fake_server *server);
unsigned long long fake_server_chunks_sent(const struct fake_server *server);

#endif

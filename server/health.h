/* grpc.health.v1: SERVING until the server drains. */
#ifndef HEEL_SERVER_HEALTH_H
#define HEEL_SERVER_HEALTH_H

struct caller;
struct server_core;

void health_register(struct caller *caller);

/* Tells everybody who watches that the server serves no more, and ends their streams. */
void health_stop(struct server_core *core);

#endif

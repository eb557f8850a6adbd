/* seccomp's user notifications of connect(): receiving and answering them, and fetching what the
 * caller passed. Nothing here waits for anything that a sandbox controls. */
#ifndef HEEL_BACKENDS_LINUX_SUPERVISE_SUPERVISED_CALL_H
#define HEEL_BACKENDS_LINUX_SUPERVISE_SUPERVISED_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A thread that called connect(). It can't go on before it is answered, so that as long as the call
 * is waiting `thread` is nobody else's number. */
struct heel_supervised_call {
    uint64_t id;
    pid_t thread; /* in heeld's pid namespace; 0: it is in none that heeld sees */
    int fd;       /* the arguments */
    uint64_t address;
    int length;
};

/* Whether heel_supervised_receive() would find one; only then it does not block. *gone: no process
 * with this filter is left. */
bool heel_supervised_pending(int listener, bool *gone);

/* 0, or -1 with errno: ENOENT when the caller has died meanwhile. */
int heel_supervised_receive(int listener, struct heel_supervised_call *call);

/* Whether the caller is still waiting. If it is, its pid was not reused, so what was fetched by
 * that pid before this call is the caller's. */
bool heel_supervised_waiting(int listener, uint64_t id);

/* Lets it go on with this result: 0 or an errno. */
void heel_supervised_answer(int listener, uint64_t id, int error);

/* The caller's socket, to which *socket is another descriptor. 0, or an errno for the caller. The
 * descriptor may turn out to be no socket (ENOTSOCK), and is to be closed with a closer then,
 * too. */
int heel_supervised_fetch_socket(const struct heel_supervised_call *call, int *socket);

/* The caller's memory to be read from, and its working directory: descriptors, or -1 with errno. */
int heel_supervised_open_memory(const struct heel_supervised_call *call);
int heel_supervised_open_directory(const struct heel_supervised_call *call);

/* The pid of its process inside the sandbox, 0 if that can't be found out; and the path of its
 * program, which the caller owns. */
pid_t heel_supervised_pid(const struct heel_supervised_call *call);
pid_t heel_pid_inside(pid_t thread); /* of any thread of heeld's pid namespace */
char *heel_supervised_program(const struct heel_supervised_call *call);

#endif

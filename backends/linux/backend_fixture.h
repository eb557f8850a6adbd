/* heeld's part, played by a test: one backend on one loop, in a folder of its own. Everything here
 * fails the test where it doesn't succeed. */
#ifndef HEEL_BACKENDS_LINUX_BACKEND_FIXTURE_H
#define HEEL_BACKENDS_LINUX_BACKEND_FIXTURE_H

#include "backends/backend.h"

#define FIXTURE_PATIENCE_MS 20000 /* before a wait counts as failed */
#define FIXTURE_PAUSE_MS 5        /* between looks at what sends no event */

enum fixture_user { FIXTURE_ORDINARY, FIXTURE_CONTAINER_ROOT, FIXTURE_ROOT };

/* The one that a test has. */
extern struct backend_fixture {
    enum fixture_user user;
    char folder[32];
    char *state; /* owned; the state directory, in `folder` */
    uv_loop_t loop;
    pid_t launcher_pid;
    struct heel_backend *backend;
} fixture;

/* Runs `test`, which returns an exit status, in a child for each kind of user that this process can
 * become: only a process with one thread may start a launcher, and a loop leaves libuv's threads
 * behind. The exit status of all together. */
int fixture_main(int (*test)(void));

/* Makes the folder and opens the backend. 0, or the exit status of a skipped test where the host
 * can't hold sandboxes. */
int fixture_set_up(void);

/* Removes the folder, in which nothing may be left. The backend was closed. */
void fixture_tear_down(void);

struct heel_backend_options fixture_options(void);
void fixture_open(void);
void fixture_close(void);

/* The same; when the end is told `*count` must be `wanted`. */
void fixture_close_when(const int *count, int wanted);

/* Runs the loop until *flag, for FIXTURE_PATIENCE_MS at most. */
void fixture_wait_for(const bool *flag);

/* A callback that sets the bool that `flag` points to. */
void fixture_set_flag(void *flag);

/* ---- sandboxes ---- */

struct box {
    struct heel_sandbox *sandbox;
    bool created, failed, lost, deleted;
    enum heel_code code;
    char *message; /* owned by the test; NULL unless `failed` */
};

struct heel_sandbox_spec box_spec(const char *id);
void box_create(struct box *box, const char *id);
void box_destroy(struct box *box);

/* Callbacks for sandboxes that are made in another way; `data` is the box. */
void box_on_created(struct heel_sandbox *sandbox, const struct heel_error *error, void *data);
void box_on_lost(struct heel_sandbox *sandbox, void *data);
void box_on_deleted(const struct heel_sandbox_end *end, void *data);

/* ---- commands ---- */

struct run {
    struct heel_process *process;
    struct heel_stdio stdio;
    bool started, exited;
    struct heel_exit exit;
};

void box_start(const struct box *box, struct run *run, const char *const *argv, bool want_stdin);
void box_start_shell(const struct box *box, struct run *run, const char *script);

/* Runs a script, which must print exactly this to stdout. */
void box_check_output(const struct box *box, const char *script, const char *expected);

/* Waits for the end and closes the streams; all of stdout, the caller's to free. */
char *run_output(struct run *run);

/* Waits until the command has written something, and is known to have been started. */
void run_await_output(const struct run *run);

/* ---- what is left ---- */

int fixture_count_entries(const char *path); /* of a directory; 0 where there is none */
int fixture_count_fds(void);                 /* of this process */
int fixture_count_instances(void);           /* in the state directory */

/* A sleep's argument that no other process has; the caller's to free. */
char *fixture_unique_sleep(void);

/* Processes on this machine with `word` among their arguments. */
int fixture_count_processes(const char *word);

/* Waits until there are so many: a shell says that it is there before it becomes the sleep, who
 * becomes another program has no arguments for a moment, and what is killed takes its time. */
void fixture_check_processes(const char *word, int expected);

/* The init of the sandbox in which the one process with `word` was started. */
pid_t fixture_init_of(const char *word);

#endif

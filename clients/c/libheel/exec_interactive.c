/* A person's terminal, connected to a command's. */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "clients/c/libheel/exec.h"
#include "clients/c/libheel/raw_terminal.h"
#include "clients/c/libheel/request.h"
#include "clients/c/libheel/sink.h"

#define READ_BYTES ((size_t)4096)
#define KEYS_MAX 8
#define REDRAW_MS 100

struct interactive {
    struct heel_exec *exec;
    int in;
    struct sink out;
    bool raw;                     /* `in` is a terminal */
    volatile sig_atomic_t redraw; /* the size that was told last is a wrong one */
    char keys[KEYS_MAX];
    size_t key_count;
    size_t typed; /* of the detach keys, in a row */
    bool detached;
    bool input_ended;
    int write_errno;
    struct heel_buffer rest; /* what could not be written yet */
    size_t rest_start;
};

/* ---- detach keys ---- */

/* One of "ctrl-p", "ctrl-]" or "x". Where the next begins, or NULL. */
static const char *parse_key(const char *text, char *key)
{
    if (heel_starts_with(text, "ctrl-") && text[5]) {
        int letter = toupper((unsigned char)text[5]);

        if (letter < '@' || letter > '_')
            return NULL;
        *key = (char)(letter & 0x1f);
        text += 6;
    } else {
        *key = *text++;
    }
    if (*text == ',')
        return text + 1;
    return *text == '\0' ? text : NULL;
}

static int parse_keys(struct interactive *self, const char *text, struct heel_error **err)
{
    const char *at = text;

    while (at && *at && self->key_count < KEYS_MAX)
        at = parse_key(at, &self->keys[self->key_count++]);
    if (text && (!at || *at))
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "\"%s\" are no detach keys: give up to %d as in ctrl-p,ctrl-q", text,
                              KEYS_MAX);
    return 0;
}

/* Passes on what was typed but for the detach keys, which are held back while they may become
 * complete. */
static void take_typed(struct interactive *self, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length && !self->detached; i++) {
        if (self->key_count > 0 && bytes[i] == self->keys[self->typed]) {
            self->detached = ++self->typed == self->key_count;
            continue;
        }
        heel_exec_write(self->exec, self->keys, self->typed);
        self->typed = 0;
        if (self->key_count > 0 && bytes[i] == self->keys[0])
            self->detached = ++self->typed == self->key_count;
        else
            heel_exec_write(self->exec, &bytes[i], 1);
    }
}

static void take_input(struct interactive *self)
{
    char bytes[READ_BYTES];
    ssize_t length = read(self->in, bytes, sizeof(bytes));

    if (length > 0 && self->key_count > 0) {
        take_typed(self, bytes, (size_t)length);
    } else if (length > 0) {
        heel_exec_write(self->exec, bytes, (size_t)length);
    } else if (length == 0 || (errno != EINTR && errno != EAGAIN)) {
        self->input_ended = true;
        heel_exec_close_input(self->exec);
    }
}

/* ---- size ---- */

/* Programs draw their screen anew when its size changes, and only then. So it changes twice, the
 * second time when something was drawn, or a moment later: a program that sees both changes at once
 * sees none. */
static void on_resized(bool redraw, void *data)
{
    struct interactive *self = data;
    unsigned rows, columns;

    if (!raw_terminal_size(self->in, &rows, &columns))
        return;
    self->redraw = redraw;
    heel_exec_resize(self->exec, rows, redraw && columns > 1 ? columns - 1 : columns);
}

static void settle_size(struct interactive *self)
{
    if (self->redraw)
        on_resized(false, self);
}

/* ---- output ---- */

/* A terminal that takes nothing for a while holds up the command, but not the keys. */
static void write_rest(struct interactive *self)
{
    const char *bytes = self->rest.data + self->rest_start;
    long written = sink_write(&self->out, bytes, self->rest.length - self->rest_start);

    if (written < 0) {
        self->write_errno = errno;
        return;
    }
    self->rest_start += (size_t)written;
    if (self->rest_start < self->rest.length)
        return;
    self->rest.length = self->rest_start = 0;
    heel_exec_release(self->exec);
}

static void on_output(struct heel_exec *exec, struct heel_bytes bytes, void *data)
{
    struct interactive *self = data;

    /* Before the terminal gets it: a signal may come in between. */
    if (self->raw)
        raw_terminal_saw(bytes.data, bytes.length);
    heel_buffer_append(&self->rest, bytes.data, bytes.length);
    settle_size(self);
    heel_exec_hold(exec);
}

/* ---- the loop ---- */

static void wait_for_something(struct interactive *self)
{
    bool wants_input = !self->input_ended && !self->exec->exited &&
                       exec_input_room(self->exec) >= READ_BYTES + KEYS_MAX;
    struct pollfd watched[] = {
        {.fd = heel_exec_fd(self->exec), .events = POLLIN},
        {.fd = wants_input ? self->in : -1, .events = POLLIN},
        {.fd = self->rest.length > 0 ? self->out.out : -1, .events = POLLOUT},
    };

    int ready = poll(watched, HEEL_ARRAY_LENGTH(watched), self->redraw ? REDRAW_MS : -1);

    if (ready == 0)
        settle_size(self);
    if (ready <= 0)
        return;
    if (watched[1].revents)
        take_input(self);
    if (watched[2].revents)
        write_rest(self);
}

static void run(struct interactive *self)
{
    bool more = true;

    while ((more || self->rest.length > 0) && !self->detached && !self->write_errno) {
        more = heel_exec_dispatch(self->exec);
        if (more || self->rest.length > 0)
            wait_for_something(self);
    }
}

static int finish(struct interactive *self, enum heel_interactive_end *end,
                  struct heel_exit_status *status, struct heel_error **err)
{
    *end = self->detached ? HEEL_INTERACTIVE_DETACHED : HEEL_INTERACTIVE_EXITED;
    if (self->detached)
        return 0;
    if (self->write_errno)
        return heel_error_set_errno(err, self->write_errno, "cannot write to the terminal");
    return heel_exec_finish(self->exec, status, err);
}

int heel_exec_interactive(struct heel_exec *exec, int in_fd, int out_fd,
                          const struct heel_interactive *given, enum heel_interactive_end *end,
                          struct heel_exit_status *status, struct heel_error **error)
{
    struct interactive self = {
        .exec = exec, .in = in_fd, .out = sink_new(out_fd), .raw = isatty(in_fd)};
    struct heel_interactive options;
    int result;

    if (request_read(&options, sizeof(options), given, "heel_interactive", error) ||
        parse_keys(&self, options.detach_keys, error))
        return -1;
    exec_redirect(exec, on_output, &self);
    if (self.raw && raw_terminal_begin(in_fd, out_fd, on_resized, &self)) {
        exec_redirect(exec, NULL, NULL);
        return heel_error_set_errno(error, errno, "cannot make the terminal raw");
    }
    on_resized(exec->attached, &self);
    run(&self);
    if (self.raw)
        raw_terminal_end();
    sink_close(&self.out);
    exec_redirect(exec, NULL, NULL);
    result = finish(&self, end, status, error);
    heel_buffer_free(&self.rest);
    return result;
}

#include "server/process_stream.h"

#include <string.h>

#include "base/text.h"
#include "server/core.h"
#include "server/edge.h"
#include "server/service.h"
#include "server/signals.h"

#define MAX_STDIN_WAITING (1u << 20)
#define MAX_STDIN_SHARES 4096           /* of several writers, who may send a byte at a time */
#define STDIN_TAKEN_BYTES (256u * 1024) /* told before output that never ends */
#define MAX_SIZE 65535
#define SHARE_BYTES 65536 /* of one message, where many write: what any pipe gives at once */
#define SMALL_BYTES 4096  /* of output: written without waiting for a turn, as somebody may type */

static void pump(struct process_stream *self);
static void start_read(struct process_stream *self);

static const struct command_facts *facts_of(const struct process_stream *self)
{
    return self->reader.process->facts;
}

bool process_stream_is_cancelled(const struct process_stream *self)
{
    return grpcc_call_is_cancelled(grpcc_stream_call(self->stream));
}

/* ---- ends ---- */

static void on_done(struct grpcc_stream *stream, void *data)
{
    struct process_stream *self = data;

    (void)stream;
    turns_end(&self->caller->turns, &self->turn);
    process_detach(&self->reader);
    if (self->admitted)
        callers_stream_over(self->caller);
    grpcc_status_free(self->refusal);
    edge_free_acting_files(self->acting_files);
    self->kind->free(self);
}

static void finish(struct process_stream *self, struct grpcc_status *status)
{
    self->finished = true;
    process_detach(&self->reader);
    grpcc_stream_finish(self->stream, status, on_done);
}

/* The checks name fields as in unary requests; in the requests of these streams the same fields are
 * inside of `start`. */
static struct grpcc_status *status_of(const struct heel_error *error)
{
    struct grpcc_status *status = service_status(error);

    for (size_t i = 0; i < status->field_count; i++) {
        char *field = status->fields[i].field;

        if (!heel_starts_with(field, "sandbox_id") && !heel_starts_with(field, "process_id") &&
            !heel_starts_with(field, "spec."))
            continue;
        status->fields[i].field = heel_format("start.%s", field);
        grpcc_status_add_metadata(status, "field", status->fields[i].field);
        free(field);
    }
    return status;
}

void process_stream_fail(struct process_stream *self, const struct heel_error *error)
{
    finish(self, status_of(error));
}

void process_stream_give_up(struct process_stream *self)
{
    finish(self, grpcc_status_new(HEEL_CANCELLED, "the caller gave up"));
}

/* ---- to the client ---- */

static void on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct process_stream *self = data;

    (void)stream;
    (void)ok; /* a broken stream is cancelled, too */
    self->writing = false;
    turns_end(&self->caller->turns, &self->turn);
    pump(self);
}

/* What there was to write may be gone by now. */
static void on_turn(struct turn *turn)
{
    struct process_stream *self = heel_container_of(turn, struct process_stream, turn);

    pump(self);
    if (!self->writing)
        turns_end(&self->caller->turns, turn);
}

static void write_message(struct process_stream *self, int which, void *payload)
{
    self->writing = true;
    self->kind->write(self->stream, which, payload, on_written);
}

static void write_started(struct process_stream *self)
{
    Heel__V1__ProcessStarted started = HEEL__V1__PROCESS_STARTED__INIT;

    self->started_told = true;
    started.process_id = facts_of(self)->id;
    started.sandbox_id = facts_of(self)->sandbox_id;
    write_message(self, HEEL__V1__EXEC_RESPONSE__MESSAGE_STARTED, &started);
}

static void write_stdin_taken(struct process_stream *self)
{
    Heel__V1__StdinTaken taken = HEEL__V1__STDIN_TAKEN__INIT;

    self->stdin_told = taken.offset = self->reader.stdin_taken;
    write_message(self, HEEL__V1__EXEC_RESPONSE__MESSAGE_STDIN_TAKEN, &taken);
}

static void write_chunk(struct process_stream *self, const struct process_news *news)
{
    Heel__V1__OutputChunk chunk = HEEL__V1__OUTPUT_CHUNK__INIT;

    chunk.data =
        (ProtobufCBinaryData){.len = news->length, .data = (uint8_t *)(uintptr_t)news->bytes};
    chunk.offset = news->offset;
    write_message(self,
                  news->stream == PROCESS_STDOUT ? HEEL__V1__EXEC_RESPONSE__MESSAGE_STDOUT
                                                 : HEEL__V1__EXEC_RESPONSE__MESSAGE_STDERR,
                  &chunk);
}

static void write_gap(struct process_stream *self, const struct process_news *news)
{
    Heel__V1__OutputGap gap = HEEL__V1__OUTPUT_GAP__INIT;

    gap.stream = news->stream == PROCESS_STDOUT ? HEEL__V1__OUTPUT_STREAM__OUTPUT_STREAM_STDOUT
                                                : HEEL__V1__OUTPUT_STREAM__OUTPUT_STREAM_STDERR;
    gap.from = news->offset;
    gap.to = news->gap_end;
    write_message(self, HEEL__V1__EXEC_RESPONSE__MESSAGE_GAP, &gap);
}

static void on_exited_written(struct grpcc_stream *stream, bool ok, void *data)
{
    (void)stream;
    (void)ok;
    finish(data, NULL);
}

static void write_exited(struct process_stream *self)
{
    const struct command_facts *facts = facts_of(self);
    Heel__V1__ProcessExited exited = HEEL__V1__PROCESS_EXITED__INIT;

    exited.status = command_facts_new_status(facts);
    exited.usage = edge_new_usage(&facts->exit);
    exited.acting_files = self->acting_files;
    exited.n_denials = facts->denials.count;
    exited.denials = facts->denials.items; /* borrowed */
    exited.denials_truncated = facts->denials.truncated;
    self->finished = true;
    self->kind->write(self->stream, HEEL__V1__EXEC_RESPONSE__MESSAGE_EXITED, &exited,
                      on_exited_written);
    heel__v1__exit_status__free_unpacked(exited.status, NULL);
    heel__v1__resource_usage__free_unpacked(exited.usage, NULL);
}

void process_stream_end(struct process_stream *self)
{
    if (self->refusal)
        finish(self, heel_steal(self->refusal));
    else
        write_exited(self);
}

static void over(struct process_stream *self)
{
    if (self->over)
        return;
    self->over = true;
    self->kind->over(self);
}

static bool is_our_turn(struct process_stream *self, struct process_news *news)
{
    struct turns *turns = &self->caller->turns;

    if (news->length <= SMALL_BYTES)
        return true;
    if (news->length > SHARE_BYTES && turns_are_many(turns))
        news->length = SHARE_BYTES;
    return turns_take(turns, &self->turn);
}

/* Whether there was something that is being written, or ends the stream. */
static bool write_news(struct process_stream *self)
{
    struct process_news news = process_next(&self->reader);

    switch (news.kind) {
    case PROCESS_NO_NEWS:
        return false;
    case PROCESS_OUTPUT:
        if (!is_our_turn(self, &news))
            return false;
        write_chunk(self, &news);
        process_take(&self->reader, &news);
        return true;
    case PROCESS_GAP:
        write_gap(self, &news);
        process_take(&self->reader, &news);
        return true;
    case PROCESS_EXITED:
        over(self);
        return true;
    }
    return false;
}

static bool owes_stdin_taken(const struct process_stream *self, uint64_t least)
{
    return self->started_told && self->reader.stdin_taken - self->stdin_told >= least;
}

/* Whether the command could not be started for want of something that may be there another time.
 * That ends the stream with an error instead of an exit status. */
static bool refuse_unstarted(struct process_stream *self)
{
    heel_autoerror struct heel_error *error = NULL;

    if (command_facts_check_start(facts_of(self), &error) == 0)
        return false;
    self->refusal = status_of(error);
    return true;
}

/* Sends whatever is next, one message at a time. */
static void pump(struct process_stream *self)
{
    struct server_process *process = self->reader.process;
    bool abandoned = self->refusal || process_stream_is_cancelled(self);

    if (self->writing || self->finished || self->over || !process)
        return;
    if (abandoned) {
        if (process->facts->exited)
            over(self);
    } else if (refuse_unstarted(self)) {
        over(self);
    } else if (process->started && !self->started_told) {
        write_started(self);
    } else if (owes_stdin_taken(self, STDIN_TAKEN_BYTES)) {
        write_stdin_taken(self);
    } else if (process->started || process->facts->exited) {
        if (!write_news(self) && owes_stdin_taken(self, 1))
            write_stdin_taken(self);
    }
}

static void on_news(struct process_reader *reader)
{
    struct process_stream *self = heel_container_of(reader, struct process_stream, reader);

    start_read(self);
    pump(self);
}

/* ---- from the client ---- */

static int take_signal(struct process_stream *self, const Heel__V1__SendSignal *request,
                       struct heel_error **err)
{
    struct signal_request signal;

    if (signals_check(request, "signal", &signal, err) < 0)
        return -1;
    if (self->reader.process->command)
        command_signal(self->reader.process->command, signal.number, signal.scope);
    return 0;
}

static int take_resize(struct process_stream *self, const Heel__V1__ResizeTerminal *request,
                       struct heel_error **err)
{
    struct heel_terminal_size size = {(unsigned short)request->rows,
                                      (unsigned short)request->columns};

    if (request->rows < 1 || request->rows > MAX_SIZE)
        return heel_error_set_field(err, "resize.rows", "resize.rows must be 1 to %d", MAX_SIZE);
    if (request->columns < 1 || request->columns > MAX_SIZE)
        return heel_error_set_field(err, "resize.columns", "resize.columns must be 1 to %d",
                                    MAX_SIZE);
    return self->reader.process->command ? command_resize(self->reader.process->command, size, err)
                                         : 0;
}

static int take_request(struct process_stream *self, const struct process_request *request,
                        struct heel_error **err)
{
    struct server_process *process = self->reader.process;

    switch (request->kind) {
    case PROCESS_REQUEST_START:
        return heel_error_set_field(err, "start", "only the first message of %s can be start",
                                    self->kind->name);
    case PROCESS_REQUEST_STDIN:
        process_write(&self->reader, request->bytes.data, request->bytes.len);
        return 0;
    case PROCESS_REQUEST_CLOSE_STDIN:
        if (process->command)
            input_finish(&process->command->in);
        return 0;
    case PROCESS_REQUEST_SIGNAL:
        return take_signal(self, request->signal, err);
    case PROCESS_REQUEST_RESIZE:
        return take_resize(self, request->resize, err);
    default:
        return heel_error_set_field(err, "message",
                                    "this server doesn't know the message that was sent");
    }
}

/* A client that breaks the protocol has lost its stream, and the command goes with it if it would
 * go with the connection. */
static void refuse(struct process_stream *self, const struct heel_error *error)
{
    if (!process_dies_with(&self->reader)) {
        process_stream_fail(self, error);
        return;
    }
    self->refusal = status_of(error);
    if (self->reader.process->command)
        command_kill(self->reader.process->command,
                     HEEL__V1__EXIT_REASON__EXIT_REASON_DISCONNECTED);
    pump(self);
}

static int refuse_no_start(const struct process_stream *self, struct heel_error **err)
{
    return heel_error_set_field(err, "start", "the first message of %s must be start",
                                self->kind->name);
}

static int take_first(struct process_stream *self, const ProtobufCMessage *message,
                      struct heel_error **err)
{
    if (!message || self->kind->read(message).kind != PROCESS_REQUEST_START)
        return refuse_no_start(self, err);
    self->accepted = true;
    return self->kind->start(self, message, err);
}

static void on_message(struct grpcc_stream *stream, const ProtobufCMessage *message, void *data)
{
    heel_autoerror struct heel_error *error = NULL;
    struct process_stream *self = data;
    struct process_request request;

    (void)stream;
    self->reading = false;
    if (self->finished)
        return;
    if (!self->accepted) {
        if (take_first(self, message, &error) < 0)
            process_stream_fail(self, error);
        return;
    }
    /* Half-close leaves standard input open; what comes after the end is ignored. */
    if (!message || self->refusal || !self->reader.process || facts_of(self)->exited)
        return;
    request = self->kind->read(message);
    if (take_request(self, &request, &error) < 0) {
        refuse(self, error);
        return;
    }
    start_read(self);
    pump(self);
}

static bool takes_stdin(const struct server_process *process)
{
    return process->command && input_waiting(&process->command->in) <= MAX_STDIN_WAITING &&
           process->input.count <= MAX_STDIN_SHARES;
}

/* Before there is a process nobody takes a message, and none is read. */
static void start_read(struct process_stream *self)
{
    const struct server_process *process = self->reader.process;

    if (self->reading || self->finished || self->refusal || !process || !takes_stdin(process))
        return;
    self->reading = true;
    grpcc_stream_read(self->stream, on_message);
}

static void on_cancel(struct grpcc_stream *stream, void *data)
{
    struct process_stream *self = data;

    (void)stream;
    if (!self->reader.process || self->finished)
        return;
    if (!process_dies_with(&self->reader)) {
        process_stream_give_up(self);
        return;
    }
    if (self->reader.process->command)
        command_kill(self->reader.process->command,
                     HEEL__V1__EXIT_REASON__EXIT_REASON_DISCONNECTED);
    pump(self);
}

/* ---- beginning ---- */

int process_stream_attach(struct process_stream *self, struct server_process *process,
                          struct heel_error **err)
{
    self->reader.on_news = on_news;
    if (process_attach(process, &self->reader, err) < 0)
        return -1;
    start_read(self);
    pump(self);
    return 0;
}

void process_stream_open(struct process_stream *self, const struct process_stream_kind *kind,
                         struct grpcc_stream *stream, struct caller *caller)
{
    heel_autoerror struct heel_error *error = NULL;

    service_begin(grpcc_stream_call(stream), caller, kind->name);
    self->kind = kind;
    self->caller = caller;
    self->stream = stream;
    self->turn.on_turn = on_turn;
    grpcc_stream_set_data(stream, self);
    self->admitted = callers_admit_stream(caller, &error) == 0;
    if (!self->admitted) {
        process_stream_fail(self, error);
        return;
    }
    self->reading = true;
    grpcc_stream_on_cancel(stream, on_cancel);
    grpcc_stream_read(stream, on_message);
}

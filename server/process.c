#include "server/process.h"

#include <string.h>

#include "base/text.h"
#include "server/core.h"
#include "server/inference.h"
#include "server/spec.h"
#include "server/stdin_shares.h"

#define DEFAULT_RING_BYTES 1048576
#define READS_PER_TURN 16                /* of one output; then others have a turn */
#define PIECE_BYTES ((size_t)256 * 1024) /* of one message */
#define KEPT_COUNT 256                   /* processes that are over, of one sandbox */
#define KEPT_BYTES ((uint64_t)16 << 20)

/* ---- lists ---- */

static void list_add(struct process_list *list, struct server_process *process)
{
    process->previous = list->last;
    if (list->last)
        list->last->next = process;
    else
        list->first = process;
    list->last = process;
}

static void list_remove(struct process_list *list, struct server_process *process)
{
    if (process->previous)
        process->previous->next = process->next;
    else
        list->first = process->next;
    if (process->next)
        process->next->previous = process->previous;
    else
        list->last = process->previous;
    process->next = process->previous = NULL;
}

static void release(struct server_process *process)
{
    if (--process->references > 0)
        return;
    if (process->command)
        command_free(process->command);
    for (int i = 0; i < PROCESS_CHANNELS; i++)
        ring_free(&process->outputs[i].ring);
    stdin_shares_clear(&process->input);
    command_facts_free(process->facts);
    heel_buffer_free(&process->canonical);
    free(process);
}

static void leave_sandbox(struct server_process *process)
{
    list_remove(&process->sandbox->processes, process);
    process->sandbox = NULL;
    release(process);
}

static uint64_t kept_bytes(const struct server_process *process)
{
    uint64_t bytes = 0;

    for (int i = 0; i < PROCESS_CHANNELS; i++)
        bytes += process->outputs[i].ring.end - process->outputs[i].ring.first;
    return bytes + process->canonical.length;
}

/* Lets go of those that are over, oldest first, but never of the last one, nor of one that somebody
 * reads. Of all others where its caller has used up the memory for output: rings may go beyond it,
 * and there are many sandboxes. */
static void forget_old(struct server_sandbox *sandbox)
{
    struct server_process *newer;
    uint64_t bytes = 0;
    unsigned count = 0;

    for (struct server_process *process = sandbox->processes.last; process; process = newer) {
        newer = process->previous;
        if (!process->facts->exited || process->readers)
            continue;
        bytes += kept_bytes(process);
        if (count++ > 0 && (count > KEPT_COUNT || bytes > KEPT_BYTES ||
                            ring_budget_is_exceeded(&sandbox->owner->rings)))
            leave_sandbox(process);
    }
}

/* ---- from the pipes into the rings ---- */

/* What must stay in a ring: with WHEN_FULL_BLOCK everything that the slowest of the required
 * readers was not sent; where none is required, what the one furthest ahead was not. */
static uint64_t keep_from(const struct server_process *process, enum process_channel stream)
{
    uint64_t keep = UINT64_MAX;

    if (process->drop_oldest)
        return process->outputs[stream].ring.end;
    for (const struct process_reader *reader = process->readers; reader; reader = reader->next)
        if (reader->required && reader->offsets[stream] < keep)
            keep = reader->offsets[stream];
    return keep == UINT64_MAX ? process->outputs[stream].taken : keep;
}

static struct output *output_of(const struct server_process *process, enum process_channel stream)
{
    return stream == PROCESS_STDOUT ? &process->command->out : &process->command->err;
}

/* Whether bytes came. A full ring is not waited for here: process_take() comes back to it. */
static bool fill(struct server_process *process, enum process_channel stream)
{
    struct output *output = output_of(process, stream);
    struct process_output *kept = &process->outputs[stream];
    uint64_t before = kept->ring.end;

    kept->held = false;
    for (int turn = 0; !output->ended && (turn < READS_PER_TURN || process->facts->exited);
         turn++) {
        size_t room;
        char *at = ring_reserve(&kept->ring, keep_from(process, stream), &room);
        ssize_t got = at ? output_read(output, at, room) : 0;

        kept->held = !at;
        if (!at || got < 0)
            break;
        ring_commit(&kept->ring, (size_t)got);
    }
    if (!kept->held)
        output_wait(output);
    return kept->ring.end > before;
}

static bool is_drained(const struct server_process *process)
{
    return !process->command ||
           (process->facts->exited && process->command->out.ended && process->command->err.ended);
}

/* Nothing more will come: the descriptors go, and memory that is not needed. */
static void let_go_of_command(struct server_process *process)
{
    command_free(heel_steal(process->command));
    for (int i = 0; i < PROCESS_CHANNELS; i++)
        ring_settle(&process->outputs[i].ring);
}

static void tell_each_but(const struct server_process *process, const struct process_reader *one)
{
    struct process_reader *next;

    for (struct process_reader *reader = process->readers; reader; reader = next) {
        next = reader->next;
        if (reader != one)
            reader->on_news(reader);
    }
}

/* What one reader takes can be news for the others. They are told after those that are being told,
 * and not from inside, so that the stack needs no more for many than for one. */
static void tell_readers_but(struct server_process *process, const struct process_reader *one)
{
    process->more_news = true;
    if (process->telling)
        return;
    process->telling = true;
    process->references++;
    while (process->more_news) {
        process->more_news = false;
        tell_each_but(process, one);
    }
    process->telling = false;
    release(process);
}

static void tell_readers(struct server_process *process)
{
    tell_readers_but(process, NULL);
}

static void on_inferred(void *data);

static uint64_t latest(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

/* Why it failed, as far as the sandbox had to do with it. */
static void infer(struct server_process *process)
{
    enum process_channel channel =
        command_facts_has_terminal(process->facts) ? PROCESS_STDOUT : PROCESS_STDERR;
    const struct ring *ring = &process->outputs[channel].ring;
    heel_autobuffer struct heel_buffer text = {0};
    uint64_t offset = ring->end > INFERENCE_TEXT_BYTES ? ring->end - INFERENCE_TEXT_BYTES : 0;
    const char *piece;
    size_t length;

    if (!process->sandbox || process->inferring || process->inferred == ring->end)
        return;
    for (offset = latest(offset, latest(ring->first, process->inferred));
         (piece = ring_at(ring, offset, &length)); offset += length)
        heel_buffer_append(&text, piece, length);
    process->inferred = ring->end;
    process->inferring = inference_start(process->sandbox, process->facts, text.data, text.length,
                                         on_inferred, process);
    if (process->inferring)
        process->references++;
}

/* Who waits for the end is told when the inference is done that began with it. What came after the
 * end, from those that it left behind, is looked at when nothing more can come. */
static void on_inferred(void *data)
{
    struct server_process *process = data;

    process->inferring = false;
    if (!process->command)
        infer(process);
    if (!process->inferring)
        command_facts_settle(process->facts);
    tell_readers(process);
    release(process);
}

/* Whether there is news. */
static bool fill_all(struct server_process *process)
{
    bool news = false;

    if (!process->command)
        return false;
    for (int i = 0; i < PROCESS_CHANNELS; i++)
        news |= fill(process, (enum process_channel)i);
    if (!is_drained(process))
        return news;
    let_go_of_command(process);
    infer(process);
    return true;
}

/* ---- the command's events ---- */

static void tell_started(struct server_process *process)
{
    struct process_waiter *waiters = heel_steal(process->start_waiters);

    while (waiters) {
        struct process_waiter *waiter = waiters;

        waiters = waiter->next;
        waiter->on_started(waiter, process);
    }
}

static void on_started(struct server_command *command, void *data)
{
    struct server_process *process = data;

    (void)command;
    process->started = true;
    tell_started(process);
    tell_readers(process);
}

static void on_readable(struct server_command *command, void *data)
{
    (void)command;
    if (fill_all(data))
        tell_readers(data);
}

static void on_input(struct server_command *command, void *data)
{
    struct server_process *process = data;

    stdin_shares_take(&process->input, input_taken(&command->in));
    tell_readers(process);
}

static void on_exited(struct server_command *command, void *data)
{
    struct server_process *process = data;

    (void)command;
    process->references++;
    tell_started(process);
    fill_all(process);
    infer(process);
    if (!process->inferring)
        command_facts_settle(process->facts);
    tell_readers(process);
    if (process->sandbox && command_facts_check_start(process->facts, NULL) < 0)
        leave_sandbox(process); /* nothing but an error was told of it */
    else if (process->sandbox)
        forget_old(process->sandbox);
    release(process);
}

static const struct command_events events = {
    .on_started = on_started,
    .on_readable = on_readable,
    .on_input = on_input,
    .on_exited = on_exited,
};

/* ---- starting ---- */

static void set_policies(struct server_process *process, const Heel__V1__Command *request,
                         bool kill_on_disconnect, struct ring_budget *budget)
{
    const Heel__V1__OutputPolicy *policy = request->output;
    size_t ring_bytes =
        policy && policy->ring_bytes > 0 ? (size_t)policy->ring_bytes : DEFAULT_RING_BYTES;

    process->drop_oldest =
        policy && policy->when_full == HEEL__V1__WHEN_FULL__WHEN_FULL_DROP_OLDEST;
    process->kill_on_disconnect =
        request->disconnect_case == HEEL__V1__COMMAND__DISCONNECT_KILL_ON_DISCONNECT
            ? request->kill_on_disconnect
            : kill_on_disconnect;
    for (int i = 0; i < PROCESS_CHANNELS; i++)
        ring_init(&process->outputs[i].ring, ring_bytes, budget);
}

struct server_process *process_start(struct server_sandbox *sandbox,
                                     const Heel__V1__Command *request, bool kill_on_disconnect,
                                     struct heel_error **err)
{
    struct server_process *process = heel_xcalloc(1, sizeof *process);

    process->command = command_start(sandbox, request, true, &events, process, err);
    if (!process->command) {
        free(process);
        return NULL;
    }
    process->command->record = process;
    process->facts = process->command->facts;
    process->sandbox = sandbox;
    process->references = 1;
    stdin_shares_init(&process->input);
    set_policies(process, request, kill_on_disconnect, &sandbox->owner->rings);
    if (request->process_id[0])
        spec_append_canonical_command(request, &process->canonical);
    list_add(&sandbox->processes, process);
    output_wait(&process->command->out);
    output_wait(&process->command->err);
    return process;
}

void process_when_started(struct server_process *process, struct process_waiter *waiter)
{
    if (process->started || process->facts->exited) {
        waiter->on_started(waiter, process);
        return;
    }
    waiter->next = process->start_waiters;
    process->start_waiters = waiter;
}

static Heel__V1__OutputRange *describe_range(const struct ring *ring)
{
    Heel__V1__OutputRange *range = heel_xmalloc(sizeof *range);

    heel__v1__output_range__init(range);
    range->first = ring->first;
    range->end = ring->end;
    return range;
}

Heel__V1__Process *process_describe(const struct server_process *process)
{
    Heel__V1__Process *message = command_facts_describe(process->facts);

    message->stdout = describe_range(&process->outputs[PROCESS_STDOUT].ring);
    message->stderr = describe_range(&process->outputs[PROCESS_STDERR].ring);
    message->readers = process->reader_count;
    message->kill_on_disconnect = process->kill_on_disconnect;
    return message;
}

/* ---- readers ---- */

int process_attach(struct server_process *process, struct process_reader *reader,
                   struct heel_error **err)
{
    static const char *const fields[] = {"start.stdout_offset", "start.stderr_offset"};

    for (int i = 0; i < PROCESS_CHANNELS; i++) {
        uint64_t end = process->outputs[i].ring.end;

        if (reader->offsets[i] <= end)
            continue;
        heel_error_set(err, HEEL_OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE",
                       "%s is %llu, and the process has written %llu bytes", fields[i],
                       (unsigned long long)reader->offsets[i], (unsigned long long)end);
        if (err) {
            heel_error_set_field_path(*err, fields[i]);
            heel_error_add_metadata(*err, "end", "%llu", (unsigned long long)end);
        }
        return -1;
    }
    reader->process = process;
    reader->previous = NULL;
    reader->next = process->readers;
    if (reader->next)
        reader->next->previous = reader;
    process->readers = reader;
    process->reader_count++;
    process->references++;
    return 0;
}

bool process_dies_with(const struct process_reader *reader)
{
    return reader->process && reader->process->kill_on_disconnect &&
           reader->process->reader_count == 1;
}

void process_detach(struct process_reader *reader)
{
    struct server_process *process = heel_steal(reader->process);

    if (!process)
        return;
    if (reader->previous)
        reader->previous->next = reader->next;
    else
        process->readers = reader->next;
    if (reader->next)
        reader->next->previous = reader->previous;
    process->reader_count--;
    stdin_shares_forget(&process->input, reader);
    if (fill_all(process)) /* others no longer wait for this one */
        tell_readers(process);
    if (process->sandbox && process->facts->exited)
        forget_old(process->sandbox);
    release(process);
}

static struct process_news news_of(const struct process_reader *reader, enum process_channel stream)
{
    const struct ring *ring = &reader->process->outputs[stream].ring;
    struct process_news news = {.stream = stream, .offset = reader->offsets[stream]};

    if (news.offset < ring->first) {
        news.kind = PROCESS_GAP;
        news.gap_end = ring->first;
    } else {
        news.bytes = ring_at(ring, news.offset, &news.length);
        if (news.length > PIECE_BYTES)
            news.length = PIECE_BYTES;
        news.kind = news.length > 0 ? PROCESS_OUTPUT : PROCESS_NO_NEWS;
    }
    return news;
}

struct process_news process_next(struct process_reader *reader)
{
    enum process_channel first = reader->stderr_first ? PROCESS_STDERR : PROCESS_STDOUT;
    enum process_channel second = reader->stderr_first ? PROCESS_STDOUT : PROCESS_STDERR;
    struct process_news news = news_of(reader, first);

    if (news.kind == PROCESS_NO_NEWS)
        news = news_of(reader, second);
    if (news.kind == PROCESS_NO_NEWS && is_drained(reader->process) && !reader->process->inferring)
        news.kind = PROCESS_EXITED;
    return news;
}

void process_take(struct process_reader *reader, const struct process_news *news)
{
    struct server_process *process = reader->process;
    struct process_output *output = &process->outputs[news->stream];

    reader->stderr_first = news->stream == PROCESS_STDOUT;
    reader->offsets[news->stream] =
        news->kind == PROCESS_GAP ? news->gap_end : news->offset + news->length;
    if (reader->offsets[news->stream] > output->taken)
        output->taken = reader->offsets[news->stream];
    if (output->held && fill_all(process))
        tell_readers_but(process, reader);
}

void process_write(struct process_reader *reader, const void *bytes, size_t length)
{
    struct server_process *process = reader->process;

    if (!process->command || process->facts->exited)
        return;
    input_write(&process->command->in, bytes, length);
    stdin_shares_add(&process->input, reader, length);
    stdin_shares_take(&process->input, input_taken(&process->command->in));
}

/* ---- those of a sandbox ---- */

bool process_find(const struct server_sandbox *sandbox, const char *id, struct process_found *found,
                  struct heel_error **err)
{
    for (struct server_process *process = sandbox->processes.first; process;
         process = process->next) {
        if (strcmp(process->facts->id, id) != 0)
            continue;
        *found = (struct process_found){process->facts, process->command, process};
        return true;
    }
    for (struct server_command *command = sandbox->commands; command; command = command->next) {
        if (strcmp(command->facts->id, id) != 0)
            continue;
        *found = (struct process_found){command->facts, command, NULL};
        return true;
    }
    heel_error_set(err, HEEL_NOT_FOUND, "PROCESS_NOT_FOUND",
                   "sandbox %s has no process %s, or keeps it no more", sandbox->id, id);
    if (err) {
        heel_error_add_metadata(*err, "sandbox_id", "%s", sandbox->id);
        heel_error_add_metadata(*err, "process_id", "%s", id);
    }
    return false;
}

void processes_release(struct server_sandbox *sandbox)
{
    while (sandbox->processes.first)
        leave_sandbox(sandbox->processes.first);
}

#include "clients/c/libheel/exec.h"

#include <string.h>

/* How much is in flight (half of what the contract allows: more would make nothing faster), in one
 * request, and kept here for the next ones. */
#define WINDOW_BYTES ((uint64_t)512 << 10)
#define REQUEST_BYTES ((size_t)128 << 10)
#define PENDING_BYTES ((size_t)256 << 10)

static size_t unsent(const struct exec_input *input)
{
    return input->pending.length - input->pending_start;
}

size_t exec_input_room(const struct heel_exec *exec)
{
    const struct exec_input *input = &exec->input;

    if (exec->over || exec->exited || input->close_wanted)
        return SIZE_MAX;
    return PENDING_BYTES - unsent(input);
}

static void compact(struct exec_input *input)
{
    if (!input->pending_start)
        return;
    memmove(input->pending.data, input->pending.data + input->pending_start, unsent(input));
    input->pending.length -= input->pending_start;
    input->pending_start = 0;
}

size_t heel_exec_write(struct heel_exec *exec, const void *bytes, size_t length)
{
    struct exec_input *input = &exec->input;
    size_t room = exec_input_room(exec);

    if (room == SIZE_MAX)
        return length;
    if (length > room) {
        length = room;
        input->starved = true;
    }
    compact(input);
    heel_buffer_append(&input->pending, bytes, length);
    exec_write_next(exec);
    return length;
}

void heel_exec_close_input(struct heel_exec *exec)
{
    exec->input.close_wanted = true;
    exec_write_next(exec);
}

static size_t next_length(const struct exec_input *input)
{
    uint64_t in_flight = input->sent - input->taken;
    size_t length = unsent(input);

    if (in_flight >= WINDOW_BYTES)
        return 0;
    if (length > REQUEST_BYTES)
        length = REQUEST_BYTES;
    return length < WINDOW_BYTES - in_flight ? length : (size_t)(WINDOW_BYTES - in_flight);
}

bool exec_input_next(struct heel_exec *exec, Heel__V1__ExecRequest *request)
{
    static Heel__V1__CloseStdin close_stdin = HEEL__V1__CLOSE_STDIN__INIT;
    struct exec_input *input = &exec->input;
    size_t length = next_length(input);

    if (length) {
        request->message_case = HEEL__V1__EXEC_REQUEST__MESSAGE_STDIN;
        request->stdin.data = (uint8_t *)input->pending.data + input->pending_start;
        request->stdin.len = length;
        input->pending_start += length;
        input->sent += length;
        return true;
    }
    if (!input->close_wanted || input->close_sent || unsent(input))
        return false;
    input->close_sent = true;
    request->message_case = HEEL__V1__EXEC_REQUEST__MESSAGE_CLOSE_STDIN;
    request->close_stdin = &close_stdin;
    return true;
}

/* Run after every write and every StdinTaken, so there is room again whenever some of it went. */
void exec_input_progress(struct heel_exec *exec)
{
    struct exec_input *input = &exec->input;

    if (!input->starved || unsent(input) > PENDING_BYTES / 2)
        return;
    input->starved = false;
    if (exec->events.on_writable)
        exec->events.on_writable(exec, exec->data);
}

void exec_input_taken(struct heel_exec *exec, uint64_t offset)
{
    if (offset > exec->input.taken && offset <= exec->input.sent)
        exec->input.taken = offset;
    exec_write_next(exec);
}

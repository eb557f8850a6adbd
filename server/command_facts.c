#include "server/command_facts.h"

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "server/edge.h"

#define ARGV_BYTES 4096 /* what is remembered of the arguments */
#define RETRY_MS 100
#define DEFAULT_ROWS 24
#define DEFAULT_COLUMNS 80
#define DEFAULT_TYPE "xterm-256color"

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void copy_arguments(struct command_facts *facts, const Heel__V1__Command *request)
{
    size_t bytes = 0;

    facts->argv = heel_xcalloc(request->n_argv + 1, sizeof *facts->argv);
    for (size_t i = 0; i < request->n_argv; i++) {
        bytes += strlen(request->argv[i]) + 1;
        if (i > 0 && bytes > ARGV_BYTES)
            return;
        facts->argv[facts->argc++] = heel_xstrdup(request->argv[i]);
    }
}

static void copy_terminal(struct command_facts *facts, const Heel__V1__Terminal *terminal)
{
    if (!terminal) {
        facts->terminal_type = heel_xstrdup("");
        return;
    }
    facts->size.rows = terminal->rows ? (unsigned short)terminal->rows : DEFAULT_ROWS;
    facts->size.columns = terminal->columns ? (unsigned short)terminal->columns : DEFAULT_COLUMNS;
    facts->terminal_type = heel_xstrdup(terminal->type[0] ? terminal->type : DEFAULT_TYPE);
}

struct command_facts *command_facts_new(const Heel__V1__Command *request, const char *id,
                                        const char *sandbox_id, uint64_t sequence)
{
    struct command_facts *facts = heel_xcalloc(1, sizeof *facts);

    facts->id = heel_xstrdup(id);
    facts->sandbox_id = heel_xstrdup(sandbox_id);
    facts->sequence = sequence;
    facts->start_time_ms = now_ms();
    facts->working_dir = request->working_dir[0] ? heel_xstrdup(request->working_dir) : NULL;
    copy_arguments(facts, request);
    copy_terminal(facts, request->terminal);
    return facts;
}

void command_facts_free(struct command_facts *facts)
{
    if (!facts)
        return;
    for (size_t i = 0; i < facts->argc; i++)
        free(facts->argv[i]);
    free(facts->argv);
    free(facts->id);
    free(facts->sandbox_id);
    free(facts->terminal_type);
    free(facts->limit_message);
    free(facts->working_dir);
    denials_clear(&facts->denials);
    free(facts);
}

void command_facts_end(struct command_facts *facts, const struct heel_exit *exit)
{
    facts->exit = *exit;
    facts->exited = true;
    facts->end_time_ms = now_ms();
}

void command_facts_settle(struct command_facts *facts)
{
    facts->settled = true;
    while (facts->waiters) {
        struct command_waiter *waiter = facts->waiters;

        command_facts_wait_no_more(waiter);
        waiter->on_settled(waiter, facts);
    }
}

void command_facts_wait(struct command_facts *facts, struct command_waiter *waiter)
{
    waiter->next = facts->waiters;
    waiter->previous = &facts->waiters;
    if (waiter->next)
        waiter->next->previous = &waiter->next;
    facts->waiters = waiter;
}

void command_facts_wait_no_more(struct command_waiter *waiter)
{
    if (!waiter->previous)
        return;
    *waiter->previous = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    waiter->previous = NULL;
}

int command_facts_check_start(const struct command_facts *facts, struct heel_error **err)
{
    static const struct {
        const char *limit;
        const char *remedy;
    } shortages[] = {
        [HEEL_START_NO_TERMINAL] = {"kernel.pty.max",
                                    "the host has no terminal left: raise the sysctl "
                                    "kernel.pty.max, or end processes that have one"},
        [HEEL_START_TERMINALS_USED] = {"terminals of one sandbox",
                                       "the sandbox has as many terminals as it may: end processes "
                                       "that have one"},
        [HEEL_START_NO_DESCRIPTOR] =
            {EDGE_OPEN_FILES, "the server has no file descriptor left; " EDGE_RAISE_OPEN_FILES},
    };
    enum heel_start_failure failure = facts->exit.start_failure;

    if (!facts->exited || facts->reason != HEEL__V1__EXIT_REASON__EXIT_REASON_UNSPECIFIED ||
        failure >= HEEL_ARRAY_LENGTH(shortages) || !shortages[failure].limit)
        return 0;
    heel_error_set(err, HEEL_RESOURCE_EXHAUSTED, "LIMIT_REACHED", "%s", shortages[failure].remedy);
    if (err) {
        heel_error_add_metadata(*err, "limit", "%s", shortages[failure].limit);
        (*err)->retry_after_ms = RETRY_MS;
    }
    return -1;
}

Heel__V1__ExitStatus *command_facts_new_status(const struct command_facts *facts)
{
    return edge_new_exit_status(&facts->exit, facts->reason, command_facts_program(facts),
                                facts->limit_message);
}

static Heel__V1__Terminal *describe_terminal(const struct command_facts *facts)
{
    Heel__V1__Terminal *terminal = heel_xmalloc(sizeof *terminal);

    heel__v1__terminal__init(terminal);
    terminal->rows = facts->size.rows;
    terminal->columns = facts->size.columns;
    terminal->type = heel_xstrdup(facts->terminal_type);
    return terminal;
}

static void describe_end(const struct command_facts *facts, Heel__V1__Process *message)
{
    message->end_time = edge_new_timestamp_ms(facts->end_time_ms);
    message->status = command_facts_new_status(facts);
    message->usage = edge_new_usage(&facts->exit);
}

Heel__V1__Process *command_facts_describe(const struct command_facts *facts)
{
    Heel__V1__Process *message = heel_xmalloc(sizeof *message);

    heel__v1__process__init(message);
    message->process_id = heel_xstrdup(facts->id);
    message->sandbox_id = heel_xstrdup(facts->sandbox_id);
    message->state = facts->exited ? HEEL__V1__PROCESS_STATE__PROCESS_STATE_EXITED
                                   : HEEL__V1__PROCESS_STATE__PROCESS_STATE_RUNNING;
    message->argv = heel_xcalloc(facts->argc, sizeof *message->argv);
    for (size_t i = 0; i < facts->argc; i++)
        message->argv[message->n_argv++] = heel_xstrdup(facts->argv[i]);
    message->start_time = edge_new_timestamp_ms(facts->start_time_ms);
    if (command_facts_has_terminal(facts))
        message->terminal = describe_terminal(facts);
    message->n_denials = facts->denials.count;
    message->denials = denials_describe(&facts->denials);
    message->denials_truncated = facts->denials.truncated;
    if (facts->exited)
        describe_end(facts, message);
    return message;
}

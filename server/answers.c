#include "server/answers.h"

#include <stdbool.h>
#include <string.h>

static void answer_free(struct answer *answer)
{
    free(answer->process_id);
    heel_buffer_free(&answer->command);
    heel_buffer_free(&answer->response);
    free(answer);
}

static size_t size_of(const struct answer *answer)
{
    return answer->command.length + answer->response.length;
}

static void forget_contents(struct answers *answers, struct answer *answer)
{
    ring_budget_charge(answers->budget, size_of(answer), 0);
    heel_buffer_free(&answer->command);
    heel_buffer_free(&answer->response);
}

static void forget_beyond_bounds(struct answers *answers)
{
    size_t bytes = 0, count = 0;

    for (struct answer **link = &answers->newest; *link; link = &(*link)->next) {
        bool scarce = link != &answers->newest && ring_budget_is_exceeded(answers->budget);

        bytes += size_of(*link);
        if (bytes > ANSWERS_MAX_BYTES || scarce)
            forget_contents(answers, *link);
        if (++count > ANSWERS_MAX_COUNT) {
            ring_budget_charge(answers->budget, size_of(*link), 0);
            answer_free(*link);
            *link = NULL;
            answers->count--;
            return;
        }
    }
}

void answers_keep(struct answers *answers, const char *process_id, struct heel_buffer *command,
                  struct heel_buffer *response)
{
    struct answer *answer = heel_xcalloc(1, sizeof *answer);

    answer->process_id = heel_xstrdup(process_id);
    answer->command = *command;
    answer->response = *response;
    *command = (struct heel_buffer){0};
    *response = (struct heel_buffer){0};
    answer->next = answers->newest;
    answers->newest = answer;
    answers->count++;
    ring_budget_charge(answers->budget, 0, size_of(answer));
    forget_beyond_bounds(answers);
}

const struct answer *answers_find(const struct answers *answers, const char *process_id)
{
    for (const struct answer *answer = answers->newest; answer; answer = answer->next) {
        if (strcmp(answer->process_id, process_id) == 0)
            return answer;
    }
    return NULL;
}

void answers_clear(struct answers *answers)
{
    while (answers->newest) {
        struct answer *answer = answers->newest;

        answers->newest = answer->next;
        ring_budget_charge(answers->budget, size_of(answer), 0);
        answer_free(answer);
    }
    answers->count = 0;
}

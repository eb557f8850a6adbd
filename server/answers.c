#include "server/answers.h"

#include <string.h>

static void answer_free(struct answer *answer)
{
    free(answer->process_id);
    heel_buffer_free(&answer->command);
    heel_buffer_free(&answer->response);
    free(answer);
}

static void forget_beyond_bounds(struct answers *answers)
{
    size_t bytes = 0, count = 0;

    for (struct answer **link = &answers->newest; *link; link = &(*link)->next) {
        bytes += (*link)->response.length;
        if (bytes > ANSWERS_MAX_BYTES)
            heel_buffer_free(&(*link)->response);
        if (++count > ANSWERS_MAX_COUNT) {
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
        answer_free(answer);
    }
    answers->count = 0;
}

/* heeld's log: one line an event on stderr, as in
 *     time=2026-01-02T03:04:05.678Z level=info event="sandbox created" sandbox=a uid=1000
 * Text that came from outside is always quoted and escaped. No secrets, no environment values, no
 * arguments of commands. */
#ifndef HEEL_SERVER_LOG_H
#define HEEL_SERVER_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_OFF,
};

/* key=value; `text` wins over `number` if it is set. */
struct log_field {
    const char *key;
    const char *text;
    int64_t number;
};

#define LOG_TEXT(name, value) ((struct log_field){.key = (name), .text = (value) ? (value) : ""})
#define LOG_INT(name, value) ((struct log_field){.key = (name), .number = (int64_t)(value)})

/* What is below `level` is dropped. The default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* "debug", "info", "warn", "error", "off". 0, or -1 where it is none of them. */
int log_level_parse(const char *name, enum log_level *level);

void log_fields(enum log_level level, const char *event, const struct log_field *fields,
                size_t count);

/* log_event(LOG_LEVEL_INFO, "sandbox created", LOG_TEXT("sandbox", id), LOG_INT("uid", uid)); at
 * least one field. */
#define log_event(level, event, ...) \
    log_fields(level, event, (const struct log_field[]){__VA_ARGS__}, \
               sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/* The event with the error's code, reason and message. */
void log_failure(enum log_level level, const char *event, const char *subject,
                 const struct heel_error *error);

#endif

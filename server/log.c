#include "server/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static enum log_level log_threshold = LOG_LEVEL_INFO;
static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

void log_set_level(enum log_level level)
{
    log_threshold = level;
}

int log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return -1;
}

static void append_time(struct heel_buffer *line)
{
    struct timespec now;
    struct tm utc;
    char text[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    heel_buffer_printf(line, "time=%s.%03ldZ", text, now.tv_nsec / 1000000);
}

static void append_field(struct heel_buffer *line, const struct log_field *field)
{
    if (!field->text) {
        heel_buffer_printf(line, " %s=%lld", field->key, (long long)field->number);
        return;
    }
    heel_buffer_printf(line, " %s=\"", field->key);
    heel_buffer_append_escaped(line, field->text, strlen(field->text));
    heel_buffer_append_text(line, "\"");
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields,
                size_t count)
{
    heel_autobuffer struct heel_buffer line = {0};
    ssize_t written;

    if (level < log_threshold)
        return;
    append_time(&line);
    heel_buffer_printf(&line, " level=%s event=\"%s\"", level_names[level], event);
    for (size_t i = 0; i < count; i++)
        append_field(&line, &fields[i]);
    heel_buffer_append_text(&line, "\n");
    /* One write a line, so that lines of several threads or processes don't mix. A log that can't
     * be written is nobody's error. */
    written = write(STDERR_FILENO, line.data, line.length);
    (void)written;
}

void log_failure(enum log_level level, const char *event, const char *subject,
                 const struct heel_error *error)
{
    log_event(level, event, LOG_TEXT("subject", subject),
              LOG_TEXT("code", heel_code_name(error->code)), LOG_TEXT("reason", error->reason),
              LOG_TEXT("message", error->message));
}

#include "server/log.h"

#include <unistd.h>

#include "base/test.h"

static char logged[1024];

/* Redirects stderr into a pipe for the time of one event. */
static void capture_event(enum log_level level, const char *text)
{
    int ends[2], saved = dup(STDERR_FILENO);
    ssize_t got;

    REQUIRE(pipe(ends) == 0);
    dup2(ends[1], STDERR_FILENO);
    log_event(level, "event", LOG_TEXT("text", text), LOG_INT("number", 7));
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    got = read(ends[0], logged, sizeof logged - 1);
    logged[got > 0 ? got : 0] = '\0';
    close(ends[0]);
}

int main(void)
{
    capture_event(LOG_LEVEL_INFO, "a\n\x1b[31m\"b\"");
    CHECK(strstr(logged, " level=info event=\"event\" text=\"a\\n\\x1b[31m\\\"b\\\"\" number=7\n"));
    CHECK(strncmp(logged, "time=2", 6) == 0);
    capture_event(LOG_LEVEL_DEBUG, "dropped");
    CHECK_STR(logged, "");
    log_set_level(LOG_LEVEL_DEBUG);
    capture_event(LOG_LEVEL_DEBUG, NULL);
    CHECK(strstr(logged, "level=debug"));
    return heel_test_end();
}

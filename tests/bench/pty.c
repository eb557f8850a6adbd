#include "tests/bench/pty.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/samples.h"

#define WAIT_MS 10000
#define LOOK_MS 5
#define GREETING_MAX 4096

struct pty {
    int master; /* owned */
    pid_t pid;
};

static int start(struct pty *pty, const char *const *argv, struct heel_error **err)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 80};

    pty->pid = forkpty(&pty->master, NULL, NULL, &size);
    if (pty->pid == 0) {
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pty->pid < 0 ? heel_error_set_errno(err, errno, "make a terminal") : 0;
}

/* EIO: nobody has the other side any more. */
static ssize_t read_some(struct pty *pty, char *bytes, size_t size, struct heel_error **err)
{
    struct pollfd event = {.fd = pty->master, .events = POLLIN};
    int ready;
    ssize_t got;

    do
        ready = poll(&event, 1, WAIT_MS);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return heel_error_set(err, HEEL_DEADLINE_EXCEEDED, NULL, "nothing comes from the terminal");
    got = read(pty->master, bytes, size);
    return got > 0 ? got : heel_error_set_errno(err, errno, "read the terminal");
}

static int wait_for_greeting(struct pty *pty, const char *greeting, struct heel_error **err)
{
    char text[GREETING_MAX + 1] = "";
    size_t length = 0;

    while (!strstr(text, greeting)) {
        heel_autoerror struct heel_error *why = NULL;
        ssize_t got =
            length < GREETING_MAX ? read_some(pty, text + length, GREETING_MAX - length, &why) : -1;

        if (got < 0)
            return heel_error_set(err, HEEL_UNAVAILABLE, NULL, "it said only \"%s\"", text);
        length += (size_t)got;
        text[length] = '\0';
    }
    return 0;
}

/* The master shows the settings of the terminal itself. */
static int wait_until_raw(const struct pty *pty, struct heel_error **err)
{
    double deadline = now_ms() + WAIT_MS;
    struct termios settings;

    while (tcgetattr(pty->master, &settings) || (settings.c_lflag & ECHO)) {
        if (now_ms() > deadline)
            return heel_error_set(err, HEEL_DEADLINE_EXCEEDED, NULL, "the echo stays on");
        sleep_ms(LOOK_MS);
    }
    return 0;
}

struct pty *pty_open(const char *const *argv, const char *greeting, bool relays,
                     struct heel_error **err)
{
    autopty struct pty *pty = heel_xcalloc(1, sizeof *pty);

    pty->master = -1;
    if (start(pty, argv, err) < 0 || wait_for_greeting(pty, greeting, err) < 0 ||
        (relays && wait_until_raw(pty, err) < 0)) {
        heel_error_wrap(err, "%s", argv[0]);
        return NULL;
    }
    return heel_steal(pty);
}

int pty_echo(struct pty *pty, char character, struct heel_error **err)
{
    char bytes[16];
    ssize_t got;

    if (write(pty->master, &character, 1) != 1)
        return heel_error_set_errno(err, errno, "write to the terminal");
    got = read_some(pty, bytes, sizeof bytes, err);
    if (got < 0)
        return -1;
    if (got != 1 || bytes[0] != character)
        return heel_error_set(err, HEEL_DATA_LOSS, NULL, "the echo of '%c' is \"%.*s\"", character,
                              (int)got, bytes);
    return 0;
}

void pty_close(struct pty *pty)
{
    if (!pty)
        return;
    if (pty->master >= 0)
        close(pty->master);
    if (pty->pid > 0) {
        kill(pty->pid, SIGKILL);
        waitpid(pty->pid, NULL, 0);
    }
    free(pty);
}

#include "clients/c/libheel/raw_terminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "clients/c/libheel/terminal_modes.h"

/* SIGSEGV and its like as well: a crash leaves a usable terminal. */
static const int ending[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE};

/* For the handlers, which get nothing else. */
static struct {
    volatile sig_atomic_t begun; /* the handlers are installed */
    volatile sig_atomic_t raw;
    int in, out;
    struct termios settings, raw_settings;
    struct terminal_modes modes;
    void (*on_resized)(bool redraw, void *data);
    void *data;
    struct sigaction before[HEEL_ARRAY_LENGTH(ending)];
    struct sigaction before_stop, before_continue, before_resize;
} terminal;

bool raw_terminal_size(int fd, unsigned *rows, unsigned *columns)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) || size.ws_row == 0 || size.ws_col == 0)
        return false;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return true;
}

void raw_terminal_saw(const char *bytes, size_t length)
{
    terminal_modes_see(&terminal.modes, bytes, length);
}

/* ---- there and back: async-signal-safe ---- */

static void write_modes(size_t (*modes)(const struct terminal_modes *modes, char *to))
{
    char sequences[TERMINAL_MODES_BYTES];
    size_t length = modes(&terminal.modes, sequences);

    if (isatty(terminal.out) && write(terminal.out, sequences, length) < 0)
        return; /* it is gone */
}

/* In the background the terminal is somebody else's, who has set it as they want it. */
static bool is_in_background(void)
{
    pid_t foreground = tcgetpgrp(terminal.in);

    return foreground >= 0 && foreground != getpgrp();
}

/* Flushes: replies to what a program asked of the terminal would otherwise be typed into the user's
 * shell. */
static void put_back(void)
{
    int saved = errno;

    if (!terminal.raw)
        return;
    terminal.raw = 0;
    if (!is_in_background()) {
        write_modes(terminal_modes_undo);
        tcsetattr(terminal.in, TCSAFLUSH, &terminal.settings);
    }
    errno = saved;
}

/* Where this is in the background, tcsetattr stops until it is not. */
static void make_raw_again(void)
{
    int saved = errno;

    if (terminal.raw || tcsetattr(terminal.in, TCSANOW, &terminal.raw_settings))
        return;
    terminal.raw = 1;
    write_modes(terminal_modes_redo);
    terminal.on_resized(true, terminal.data);
    errno = saved;
}

/* ---- signals ---- */

/* Does what the signal did before. Comes back from a stop, and where the program has a handler. */
static void pass_on(int number, const struct sigaction *before)
{
    sigset_t one, blocked;

    sigaction(number, before, NULL);
    sigemptyset(&one);
    sigaddset(&one, number);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &one, &blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, NULL);
}

static void on_ending(int number)
{
    put_back();
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(ending); i++)
        if (ending[i] == number)
            pass_on(number, &terminal.before[i]);
}

static void handle(int number, void (*handler)(int number), struct sigaction *before)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, before);
}

/* Stops with the terminal as it was, and comes back to a raw one. A process group that nobody could
 * continue does not stop at all. */
static void on_stop(int number)
{
    put_back();
    pass_on(number, &terminal.before_stop);
    handle(number, on_stop, NULL);
    make_raw_again();
}

/* After a stop that left no time to put anything back (SIGSTOP) the user's shell has. */
static void on_continue(int number)
{
    (void)number;
    terminal.raw = 0;
    make_raw_again();
}

static void on_resize(int number)
{
    (void)number;
    terminal.on_resized(false, terminal.data);
}

/* What is ignored was meant to be, as by nohup. */
static void take_signals(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(ending); i++) {
        sigaction(ending[i], NULL, &terminal.before[i]);
        if (terminal.before[i].sa_handler != SIG_IGN)
            handle(ending[i], on_ending, NULL);
    }
    handle(SIGTSTP, on_stop, &terminal.before_stop);
    handle(SIGCONT, on_continue, &terminal.before_continue);
    handle(SIGWINCH, on_resize, &terminal.before_resize);
}

static void give_signals_back(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(ending); i++)
        sigaction(ending[i], &terminal.before[i], NULL);
    sigaction(SIGTSTP, &terminal.before_stop, NULL);
    sigaction(SIGCONT, &terminal.before_continue, NULL);
    sigaction(SIGWINCH, &terminal.before_resize, NULL);
}

int raw_terminal_begin(int in, int out, void (*on_resized)(bool redraw, void *data), void *data)
{
    if (terminal.begun) {
        errno = EBUSY;
        return -1;
    }
    if (tcgetattr(in, &terminal.settings))
        return -1;
    terminal.in = in;
    terminal.out = out;
    terminal.on_resized = on_resized;
    terminal.data = data;
    terminal.modes = (struct terminal_modes){0};
    terminal.raw_settings = terminal.settings;
    cfmakeraw(&terminal.raw_settings);
    terminal.begun = 1;
    take_signals();
    if (tcsetattr(in, TCSADRAIN, &terminal.raw_settings) == 0) {
        terminal.raw = 1;
        return 0;
    }
    terminal.begun = 0;
    give_signals_back();
    return -1;
}

void raw_terminal_end(void)
{
    if (!terminal.begun)
        return;
    put_back();
    give_signals_back();
    terminal.begun = 0;
}

#include "clients/c/libheel/raw_terminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"

/* What full-screen programs switch on and, if they are killed, leave on: application keypad and
 * cursor keys, mouse reports, focus reports, bracketed paste, the alternate screen, a hidden
 * cursor, colours, another character set. Each is a no-op where it is off. */
static const char reset_modes[] =
    "\033>\033[?1l\033[?1000l\033[?1002l\033[?1003l\033[?1005l\033[?1006l\033[?1015l\033[?1004l"
    "\033[?2004l\033[?1049l\033[?25h\033[0m\033(B\017";

static const int ending[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE};

/* For the handlers, which get nothing else. */
static struct {
    volatile sig_atomic_t raw;
    int in, out;
    struct termios settings, raw_settings;
    void (*on_resized)(void *data);
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

/* Async-signal-safe, as everything below that handlers use. Replies to what the program asked of
 * the terminal would otherwise be typed into the user's shell. */
static void put_back(void)
{
    int saved = errno;

    if (isatty(terminal.out) && write(terminal.out, reset_modes, sizeof(reset_modes) - 1) < 0)
        errno = saved;
    tcsetattr(terminal.in, TCSAFLUSH, &terminal.settings);
    errno = saved;
}

static void raise_default(int number)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t one;

    sigaction(number, &standard, NULL);
    sigemptyset(&one);
    sigaddset(&one, number);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static void on_ending(int number)
{
    if (terminal.raw)
        put_back();
    raise_default(number);
}

static void on_stop(int number);

static void handle(int number, void (*handler)(int number), struct sigaction *before)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, before);
}

/* Stops with the terminal as it was, and comes back to a raw one. */
static void on_stop(int number)
{
    if (terminal.raw)
        put_back();
    raise_default(number);
    handle(number, on_stop, NULL);
}

static void on_continue(int number)
{
    (void)number;
    if (!terminal.raw)
        return;
    tcsetattr(terminal.in, TCSANOW, &terminal.raw_settings);
    if (terminal.on_resized)
        terminal.on_resized(terminal.data);
}

static void on_resize(int number)
{
    (void)number;
    if (terminal.on_resized)
        terminal.on_resized(terminal.data);
}

static void take_signals(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(ending); i++)
        handle(ending[i], on_ending, &terminal.before[i]);
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

int raw_terminal_begin(int in, int out, void (*on_resized)(void *data), void *data)
{
    if (terminal.raw) {
        errno = EBUSY;
        return -1;
    }
    if (tcgetattr(in, &terminal.settings))
        return -1;
    terminal.in = in;
    terminal.out = out;
    terminal.on_resized = on_resized;
    terminal.data = data;
    terminal.raw_settings = terminal.settings;
    cfmakeraw(&terminal.raw_settings);
    take_signals();
    terminal.raw = 1;
    if (tcsetattr(in, TCSADRAIN, &terminal.raw_settings) == 0)
        return 0;
    terminal.raw = 0;
    give_signals_back();
    return -1;
}

void raw_terminal_end(void)
{
    if (!terminal.raw)
        return;
    put_back();
    terminal.raw = 0;
    give_signals_back();
}

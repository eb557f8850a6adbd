/* What programs do all day, timed from within, so that the same program can be timed inside a
 * sandbox and outside: chore FOLDER open|stat FILE, or chore FOLDER run TIMES PROGRAM
 * [ARGUMENT...], in that folder. Prints the nanoseconds that one took; of many, since the machine
 * has other things to do as well, the median of batches. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES 101 /* each so short that few are interrupted */
#define CALLS_PER_BATCH 100

static const char *file;
static char **program;

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "chore: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_read_close(void)
{
    char byte;
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, &byte, 1) != 1 || close(fd) < 0)
        fail(file);
}

static void stat_once(void)
{
    struct stat status;

    if (stat(file, &status) < 0)
        fail(file);
}

/* What it prints is not part of the answer. */
static void run_program(void)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    errno = posix_spawn(&pid, program[0], &actions, NULL, program, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (errno || waitpid(pid, &status, 0) < 0)
        fail(program[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "chore: %s ended with wait status %d\n", program[0], status);
        exit(1);
    }
}

static double time_batch(void (*once)(void), int calls)
{
    double begin = now_ns();

    for (int i = 0; i < calls; i++)
        once();
    return (now_ns() - begin) / calls;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double time_call(void (*once)(void))
{
    double batches[BATCHES];

    for (int i = 0; i < BATCHES; i++)
        batches[i] = time_batch(once, CALLS_PER_BATCH);
    qsort(batches, BATCHES, sizeof batches[0], compare);
    return batches[BATCHES / 2];
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    if (chdir(argv[1]) < 0)
        fail(argv[1]);
    file = argv[3];
    program = &argv[4];
    if (strcmp(argv[2], "open") == 0)
        printf("%.0f\n", time_call(open_read_close));
    else if (strcmp(argv[2], "stat") == 0)
        printf("%.0f\n", time_call(stat_once));
    else if (strcmp(argv[2], "run") == 0 && argc > 4)
        printf("%.0f\n", time_batch(run_program, atoi(argv[3])));
    else
        return 2;
    return 0;
}

/* Threads flip a path and a link between what may be read and what is denied, under the opens. */
#include "tests/confinement/probes/probe.h"

#include <pthread.h>

#define TRIES 20000

static char path[64] = "allowed/secret";
static volatile bool over;

static void *flip_path(void *unused)
{
    (void)unused;
    while (!over) {
        memcpy(path, "denied//secret", 15);
        __asm__ volatile("" ::: "memory");
        memcpy(path, "allowed/secret", 15);
        __asm__ volatile("" ::: "memory");
    }
    return NULL;
}

static void *flip_link(void *unused)
{
    (void)unused;
    while (!over) {
        if (symlink("allowed", "next") != 0 || rename("next", "flip") != 0 ||
            symlink("denied", "next") != 0 || rename("next", "flip") != 0)
            continue;
    }
    return NULL;
}

static void race(const char *way, void *(*flip)(void *), const char *name)
{
    pthread_t thread;
    char text[16] = "";
    unsigned through = 0;

    over = false;
    pthread_create(&thread, NULL, flip, NULL);
    for (int i = 0; i < TRIES && through == 0; i++) {
        int fd = open(name, O_RDONLY);

        if (fd < 0)
            continue;
        if (read(fd, text, sizeof text) > 0 && memcmp(text, "denied", 6) == 0)
            through++;
        close(fd);
    }
    over = true;
    pthread_join(thread, NULL);
    if (through)
        probe_open(way, "read what is denied");
    else
        probe_shut(way, "%d tries", TRIES);
}

int main(void)
{
    race("the string", flip_path, path);
    race("a link", flip_link, "flip/secret");
    unlink("flip");
    unlink("next");
    return probe_end();
}

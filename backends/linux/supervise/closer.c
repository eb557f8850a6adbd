#include "backends/linux/supervise/closer.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define WAITING_MAX 64
#define IDLE_SECONDS 1 /* after which the thread goes */

struct heel_closer {
    pthread_mutex_t lock;
    pthread_cond_t more;
    int fds[WAITING_MAX];
    unsigned count;    /* waiting */
    unsigned reserved; /* to come */
    bool running;      /* there is a thread */
    bool abandoned;    /* by its owner: whoever is last frees it */
};

struct heel_closer *heel_closer_new(void)
{
    struct heel_closer *closer = heel_xcalloc(1, sizeof *closer);

    pthread_mutex_init(&closer->lock, NULL);
    pthread_cond_init(&closer->more, NULL);
    return closer;
}

static void destroy(struct heel_closer *closer)
{
    pthread_cond_destroy(&closer->more);
    pthread_mutex_destroy(&closer->lock);
    free(closer);
}

/* Locked. Waits for something to close; false once there has been nothing for a while. */
static bool wait_for_more(struct heel_closer *closer)
{
    int result = 0;

    while (closer->count == 0 && !closer->abandoned && (result == 0 || closer->reserved > 0)) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += IDLE_SECONDS;
        result = pthread_cond_timedwait(&closer->more, &closer->lock, &until);
    }
    return closer->count > 0;
}

/* Locked. The one that has waited longest. */
static int take_first(struct heel_closer *closer)
{
    int first = closer->fds[0];

    closer->count--;
    memmove(closer->fds, closer->fds + 1, closer->count * sizeof closer->fds[0]);
    return first;
}

static void *run(void *data)
{
    struct heel_closer *closer = data;
    bool last;

    pthread_mutex_lock(&closer->lock);
    while (wait_for_more(closer)) {
        int fd = take_first(closer);

        pthread_mutex_unlock(&closer->lock);
        close(fd);
        pthread_mutex_lock(&closer->lock);
    }
    closer->running = false;
    last = closer->abandoned;
    pthread_mutex_unlock(&closer->lock);
    if (last)
        destroy(closer);
    return NULL;
}

/* Locked. Signals are the other threads' business. */
static bool start(struct heel_closer *closer)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    closer->running = pthread_create(&thread, &attributes, run, closer) == 0;
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return closer->running;
}

bool heel_closer_reserve(struct heel_closer *closer)
{
    bool room;

    pthread_mutex_lock(&closer->lock);
    room = closer->count + closer->reserved < WAITING_MAX && (closer->running || start(closer));
    closer->reserved += room;
    pthread_mutex_unlock(&closer->lock);
    return room;
}

void heel_closer_take(struct heel_closer *closer, int fd)
{
    pthread_mutex_lock(&closer->lock);
    closer->reserved--;
    if (fd >= 0) {
        closer->fds[closer->count++] = fd;
        pthread_cond_signal(&closer->more);
    }
    pthread_mutex_unlock(&closer->lock);
}

void heel_closer_free(struct heel_closer *closer)
{
    bool last;

    if (!closer)
        return;
    pthread_mutex_lock(&closer->lock);
    closer->abandoned = true;
    last = !closer->running;
    pthread_cond_signal(&closer->more);
    pthread_mutex_unlock(&closer->lock);
    if (last)
        destroy(closer);
}

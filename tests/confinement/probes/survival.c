/* Has memory that stays, while others are killed for want of it; and the first page, which the
 * kernel's null pointers lead to. */
#include "tests/confinement/probes/probe.h"

#include <sys/mman.h>

#define LOCKED (64UL << 20)

static int lock_memory(void)
{
    void *at = mmap(NULL, LOCKED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at != MAP_FAILED && mlock(at, LOCKED) == 0 ? 0 : errno;
}

static int survive(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);

    return fd >= 0 && write(fd, "-999", 4) == 4 ? 0 : errno;
}

static int survive_a_little(void)
{
    char text[16] = "";
    int fd = open("/proc/self/oom_score_adj", O_RDWR);
    ssize_t length = read(fd, text, sizeof text - 1);

    if (length <= 0)
        return errno;
    length = snprintf(text, sizeof text, "%d", atoi(text) - 1);
    return write(fd, text, (size_t)length) == length ? 0 : errno;
}

static int page_zero(void)
{
    return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED
               ? errno
               : 0;
}

int main(void)
{
    if (strcmp(probe_env("MEMORY"), "first page") == 0) {
        probe_child("mmap", page_zero);
        return probe_end();
    }
    probe_child("64 MiB locked", lock_memory);
    probe_child("oom_score_adj -999", survive);
    probe_child("oom_score_adj one less", survive_a_little);
    return probe_end();
}

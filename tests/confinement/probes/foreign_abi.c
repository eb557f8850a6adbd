/* Enters the kernel by its 32-bit and x32 doors, whose numbers mean other calls. */
#include "tests/confinement/probes/probe.h"

#include <sys/mman.h>

#define X32 0x40000000L

static long int80(long number, long first, long second)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second) : "memory");
    return result;
}

static int getpid_32(void)
{
    return int80(20, 0, 0) > 0 ? 0 : ENOSYS;
}

static int socketcall_32(void)
{
    unsigned *arguments =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    long result;

    arguments[0] = 16; /* AF_NETLINK */
    arguments[1] = 3;
    arguments[2] = 9; /* audit */
    result = int80(102, 1, (long)arguments);
    return result >= 0 ? 0 : (int)-result;
}

static int getpid_x32(void)
{
    return syscall(SYS_getpid | X32) > 0 ? 0 : errno;
}

static int execve_x32(void)
{
    return syscall(520 | X32, NULL, NULL, NULL) < 0 && errno == ENOSYS ? ENOSYS : 0;
}

int main(void)
{
    probe_child("int 0x80: getpid", getpid_32);
    probe_child("int 0x80: socketcall", socketcall_32);
    if (probe_is_control() && getpid_x32() == ENOSYS) {
        probe_absent("x32", "this kernel has none");
        return probe_end();
    }
    probe_child("x32: getpid", getpid_x32);
    probe_child("x32: execve", execve_x32);
    return probe_end();
}

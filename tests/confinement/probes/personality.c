/* Turns off address randomisation, or makes memory executable. */
#include "tests/confinement/probes/probe.h"

#include <sys/personality.h>

#define HIGH (1UL << 32)

int main(void)
{
    probe_call("ADDR_NO_RANDOMIZE", syscall(SYS_personality, (unsigned long)ADDR_NO_RANDOMIZE));
    probe_call("READ_IMPLIES_EXEC", syscall(SYS_personality, (unsigned long)READ_IMPLIES_EXEC));
    probe_call("PER_LINUX32", syscall(SYS_personality, (unsigned long)PER_LINUX32));
    probe_call("MMAP_PAGE_ZERO", syscall(SYS_personality, (unsigned long)MMAP_PAGE_ZERO));
    probe_call("high bits", syscall(SYS_personality, ADDR_NO_RANDOMIZE | HIGH));
    return probe_end();
}

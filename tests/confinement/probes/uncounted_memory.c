/* Takes memory that counts as no process's: files of secret memory, which keep their pages when
 * nobody maps them, and the machine's huge pages, which are no part of a resident set. */
#include "tests/confinement/probes/probe.h"

#include <sys/mman.h>

#define SIZE (2UL << 20)
#define HUGETLB_FILE 4U /* MFD_HUGETLB */

/* Nothing is touched, so no page is taken from a pool that somebody needs. */
static int mapped(unsigned long high)
{
    long result = syscall(SYS_mmap, NULL, SIZE, PROT_READ,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE | high, -1, 0);

    return result == -1 ? errno : 0;
}

static int huge_mapping(void)
{
    return mapped(0);
}

static int huge_mapping_with_high_bits(void)
{
    return mapped(1UL << 32);
}

int main(void)
{
    probe_fd("memfd_secret", (int)syscall(SYS_memfd_secret, 0));
    probe_child("MAP_HUGETLB", huge_mapping);
    probe_child("MAP_HUGETLB with high bits", huge_mapping_with_high_bits);
    probe_fd("MFD_HUGETLB", (int)syscall(SYS_memfd_create, "huge", HUGETLB_FILE));
    return probe_end();
}

/* The victim's System V objects, by key and by number, and POSIX ones by name. */
#include "tests/confinement/probes/probe.h"

#include <mqueue.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

int main(void)
{
    int key = probe_number("IPC_KEY");
    struct shmid_ds status;
    void *memory;

    probe_call("shmget", shmget(key, 0, 0));
    probe_call("semget", semget(key, 0, 0));
    probe_call("msgget", msgget(key, 0));
    memory = shmat(probe_number("SHM_ID"), NULL, SHM_RDONLY);
    probe_call("shmat by number", memory == (void *)-1 ? -1 : 0);
    probe_call("shmctl by number", shmctl(probe_number("SHM_ID"), IPC_STAT, &status));
    probe_fd("shm_open", shm_open(probe_env("POSIX_NAME"), O_RDWR, 0));
    probe_fd("mq_open", mq_open(probe_env("POSIX_NAME"), O_RDWR));
    return probe_end();
}

/* Executes what it has written: in every folder that may be written, and in no folder at all. */
#include "tests/confinement/probes/probe.h"

#include <sys/mman.h>
#include <sys/sendfile.h>

#define LOADER "/lib64/ld-linux-x86-64.so.2"
#define NAME "written-program"

static const char *folder;

static void copy_program(int to)
{
    int from = open("/bin/true", O_RDONLY);

    while (sendfile(to, from, NULL, 1 << 20) > 0)
        ;
    close(from);
}

static const char *path_of(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A program, or the script "#!" of one that may be run, to be executed. */
static const char *write_program(const char *script)
{
    const char *path = path_of(NAME);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);

    if (fd < 0)
        _exit(3);
    if (script)
        dprintf(fd, "%s", script);
    else
        copy_program(fd);
    close(fd);
    return path;
}

static int by_execve(void)
{
    const char *program = write_program(NULL);

    execl(program, program, NULL);
    return errno;
}

static int by_script(void)
{
    const char *program = write_program("#!/bin/true\n");

    execl(program, program, NULL);
    return errno;
}

static int by_loader(void)
{
    execl(LOADER, "ld.so", write_program(NULL), NULL);
    return errno;
}

static int map(int fd, int protection)
{
    void *mapped = mmap(NULL, 4096, protection, MAP_PRIVATE, fd, 0);

    if (mapped == MAP_FAILED)
        return errno;
    return mprotect(mapped, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : errno;
}

static int by_mapping(void)
{
    return map(open(write_program(NULL), O_RDONLY), PROT_READ | PROT_EXEC);
}

static int by_protecting(void)
{
    return map(open(write_program(NULL), O_RDONLY), PROT_READ);
}

static int by_nameless_file(void)
{
    int written = open(folder, O_TMPFILE | O_RDWR, 0755), fd;
    char path[64];

    copy_program(written);
    snprintf(path, sizeof path, "/proc/self/fd/%d", written);
    fd = open(path, O_RDONLY);
    close(written);
    fexecve(fd, (char *[]){"true", NULL}, (char *[]){NULL});
    return errno;
}

static int memory_file(void)
{
    int fd = memfd_create("program", 0);

    if (fd < 0)
        _exit(1);
    copy_program(fd);
    return fd;
}

static int by_memory_file(void)
{
    fexecve(memory_file(), (char *[]){"true", NULL}, (char *[]){NULL});
    return errno;
}

static int by_mapped_memory_file(void)
{
    return map(memory_file(), PROT_READ | PROT_EXEC);
}

static int by_loaded_memory_file(void)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", memory_file());
    execl(LOADER, "ld.so", path, NULL);
    return errno;
}

static void try_folder(const char *name, const char *path)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } ways[] = {
        {"execve", by_execve},       {"#!", by_script},
        {"ld.so", by_loader},        {"mmap PROT_EXEC", by_mapping},
        {"mprotect", by_protecting}, {"a nameless file", by_nameless_file},
    };

    folder = path;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char way[128];

        snprintf(way, sizeof way, "%s in %s", ways[i].name, name);
        probe_child(way, ways[i].run);
    }
    unlink(path_of(NAME));
}

int main(void)
{
    if (freopen("/dev/null", "w", stderr) == NULL)
        return 3;
    try_folder("the working directory", ".");
    try_folder("HOME", probe_is_control() ? "." : getenv("HOME"));
    try_folder("/tmp", "/tmp");
    try_folder("/dev/shm", "/dev/shm");
    probe_child("memfd, fexecve", by_memory_file);
    probe_child("memfd, mmap", by_mapped_memory_file);
    probe_child("memfd, ld.so", by_loaded_memory_file);
    return probe_end();
}

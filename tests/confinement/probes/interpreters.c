/* Has the kernel run OUTSIDE/program, which STRICT doesn't show, as the interpreter of a file of
 * its own. */
#include "tests/confinement/probes/probe.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void write_script(int fd, const char *interpreter)
{
    dprintf(fd, "#!%s\n", interpreter);
    fchmod(fd, 0700);
    close(fd);
}

static int make(const char *name)
{
    return open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700);
}

static int run(const char *path)
{
    execl(path, path, NULL);
    return errno;
}

static int by_script(void)
{
    write_script(make("script"), probe_path("OUTSIDE", "program"));
    return run("./script");
}

static int by_two_scripts(void)
{
    write_script(make("inner"), probe_path("OUTSIDE", "program"));
    write_script(make("outer"), "./inner");
    return run("./outer");
}

static int by_memory(void)
{
    char path[64];
    int fd = memfd_create("script", 0);

    dprintf(fd, "#!%s\n", probe_path("OUTSIDE", "program"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return run(path);
}

/* A copy of this program that names ./i as its dynamic linker. */
static int by_program(void)
{
    static char image[1 << 22];
    int from = open("/proc/self/exe", O_RDONLY), to = make("program");
    ssize_t size = read(from, image, sizeof image);
    const Elf64_Ehdr *header = (const void *)image;
    const Elf64_Phdr *segments = (const void *)(image + header->e_phoff);

    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_INTERP)
            strcpy(image + segments[i].p_offset, "./i");
    if (write(to, image, (size_t)size) != size || close(to) != 0 ||
        symlink(probe_path("OUTSIDE", "linker"), "i") != 0)
        return errno;
    return run("./program");
}

int main(int argc, char **argv)
{
    if (argc == 1 && strcmp(argv[0], "./program") == 0)
        return 0;
    probe_child("a script's", by_script);
    probe_child("a script's script's", by_two_scripts);
    probe_child("a script's in memory", by_memory);
    probe_child("a program's", by_program);
    return probe_end();
}

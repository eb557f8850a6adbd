#include "tests/bench/playground.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/child.h"

#define FOLDERS 100
#define FILES_PER_FOLDER 100
#define UNITS 8 /* of the project */

static int make_folder(const char *path, struct heel_error **err)
{
    if (mkdir(path, 0777) < 0 || chmod(path, 0777) < 0)
        return heel_error_set_errno(err, errno, "make %s", path);
    return 0;
}

static int write_file(const char *path, const char *text, struct heel_error **err)
{
    FILE *file = fopen(path, "we");
    int result = file ? fputs(text, file) : EOF;

    if (file && fclose(file) == EOF)
        result = EOF;
    return result == EOF ? heel_error_set_errno(err, errno, "write %s", path) : 0;
}

static int copy_program(const char *from, const char *to, struct heel_error **err)
{
    const char *argv[] = {"/bin/cp", from, to, NULL};

    return child_run(argv, NULL, err);
}

/* ---- the tree ---- */

static int fill_folder(const char *path, struct heel_error **err)
{
    if (make_folder(path, err) < 0)
        return -1;
    for (int i = 0; i < FILES_PER_FOLDER; i++) {
        heel_autofree char *file = heel_format("%s/file%d", path, i);

        if (write_file(file, file, err) < 0)
            return -1;
    }
    return 0;
}

static int run_git(const char *tree, const char *const *arguments, struct heel_error **err)
{
    const char *argv[16] = {
        PLAYGROUND_GIT, "-C", tree, "-c", "user.name=bench", "-c", "user.email=bench@localhost"};
    size_t count = 7;

    while (*arguments && count < HEEL_ARRAY_LENGTH(argv) - 1)
        argv[count++] = *arguments++;
    return child_run(argv, NULL, err);
}

static int make_tree(const char *tree, struct heel_error **err)
{
    static const char *const init[] = {"init", "-q", NULL};
    static const char *const add[] = {"add", ".", NULL};
    static const char *const commit[] = {"commit", "-q", "-m", "everything", NULL};

    if (make_folder(tree, err) < 0)
        return -1;
    for (int i = 0; i < FOLDERS; i++) {
        heel_autofree char *folder = heel_format("%s/folder%d", tree, i);

        if (fill_folder(folder, err) < 0)
            return -1;
    }
    if (access(PLAYGROUND_GIT, X_OK) < 0)
        return 0;
    if (run_git(tree, init, err) < 0 || run_git(tree, add, err) < 0)
        return -1;
    return run_git(tree, commit, err);
}

/* ---- the project ---- */

static int write_unit(const char *project, int number, struct heel_error **err)
{
    heel_autofree char *path = heel_format("%s/unit%d.c", project, number);
    heel_autofree char *text =
        heel_format("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
                    "int unit%d(const char *text);\n"
                    "int unit%d(const char *text)\n{\n"
                    "    char copy[64];\n"
                    "    snprintf(copy, sizeof copy, \"%%s %d\", text);\n"
                    "    return (int)strlen(copy) + abs(%d);\n}\n",
                    number, number, number, number);

    return write_file(path, text, err);
}

static int make_project(const char *project, struct heel_error **err)
{
    static const char *const outs[] = {"inside", "outside"};
    heel_autofree char *makefile = heel_format("%s/Makefile", project);
    heel_autofree char *start = heel_format("%s/main.c", project);

    if (make_folder(project, err) < 0)
        return -1;
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(outs); i++) {
        heel_autofree char *out = heel_format("%s/%s", project, outs[i]);

        if (make_folder(out, err) < 0)
            return -1;
    }
    for (int i = 0; i < UNITS; i++)
        if (write_unit(project, i, err) < 0)
            return -1;
    if (write_file(start, "int main(void)\n{\n    return 0;\n}\n", err) < 0)
        return -1;
    return write_file(makefile,
                      "objects = $(patsubst %.c,$(OUT)/%.o,$(wildcard *.c))\n"
                      "$(OUT)/program: $(objects)\n\tgcc -o $@ $^\n"
                      "$(OUT)/%.o: %.c\n\tgcc -c -O1 -o $@ $<\n",
                      err);
}

int playground_make(const char *path, const char *chore, struct heel_error **err)
{
    heel_autofree char *program = heel_format("%s/chore", path);
    heel_autofree char *input = heel_format("%s/input", path);
    heel_autofree char *tree = heel_format("%s/tree", path);
    heel_autofree char *project = heel_format("%s/project", path);

    if (make_folder(path, err) < 0 || copy_program(chore, program, err) < 0 ||
        write_file(input, "input\n", err) < 0 || make_tree(tree, err) < 0)
        return -1;
    return make_project(project, err);
}

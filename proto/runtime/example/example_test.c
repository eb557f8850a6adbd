/* example_test README SOURCE PROGRAM: the C code in the README is the source of the program, which
 * prints what the README says. */
#include <stdio.h>

#include "base/test.h"
#include "base/text.h"

static void read_all(FILE *from, struct heel_buffer *to)
{
    size_t got;

    REQUIRE(from);
    do {
        got = fread(heel_buffer_reserve(to, 4096), 1, 4096, from);
        to->length += got;
    } while (got);
    heel_buffer_append_text(to, "");
}

static void read_file(const char *path, struct heel_buffer *to)
{
    FILE *file = fopen(path, "r");

    read_all(file, to);
    fclose(file);
}

/* What stands between the line `begin` and the next line of backquotes. */
static char *block(const char *text, const char *begin)
{
    const char *from = strstr(text, begin), *to;

    REQUIRE(from);
    from += strlen(begin);
    to = strstr(from, "```");
    REQUIRE(to);
    return heel_format("%.*s", (int)(to - from), from);
}

int main(int argc, char **argv)
{
    heel_autobuffer struct heel_buffer readme = {0}, source = {0}, output = {0};
    heel_autofree char *command = NULL, *code = NULL, *printed = NULL;
    FILE *run;

    REQUIRE(argc == 4);
    read_file(argv[1], &readme);
    read_file(argv[2], &source);
    code = block(readme.data, "```c\n");
    CHECK(strcmp(code, source.data) == 0);
    command = heel_format("exec %s", argv[3]);
    run = popen(command, "r");
    read_all(run, &output);
    CHECK_INT(pclose(run), 0);
    printed = block(readme.data, "```text\n");
    CHECK_STR(output.data, printed);
    return heel_test_end();
}

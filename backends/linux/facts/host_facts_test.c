/* Protected paths follow the variables of heeld's user. */
#include "backends/linux/facts/host_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "base/text.h"

static char *base; /* canonical */

/* Below the base, with the directories above it. The caller's. */
static char *make_file(const char *name)
{
    char *path = heel_format("%s/%s", base, name);
    int fd;

    for (char *slash = strchr(path + strlen(base) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        REQUIRE(mkdir(path, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    close(fd);
    return path;
}

static bool is_masked(const struct heel_host_facts *facts, const char *path,
                      enum heel_protected_group group)
{
    for (size_t i = 0; i < facts->mask_count; i++)
        if (strcmp(facts->masks[i].path, path) == 0 && facts->masks[i].group == group)
            return true;
    return false;
}

/* Each variable of the table, and what it moves. */
static void every_variable_counts(void)
{
    for (size_t i = 0; i < heel_protected_path_count; i++) {
        const struct heel_protected_path *row = &heel_protected_paths[i];
        heel_autofree char *name = NULL, *value = NULL, *file = NULL;
        struct heel_host_facts *facts;

        if (!row->variable)
            continue;
        name = heel_format("v%zu/%s", i, row->suffix ? row->suffix : "file");
        file = make_file(name);
        value = row->suffix ? heel_format("%s/v%zu", base, i) : heel_xstrdup(file);
        setenv(row->variable, value, 1);
        facts = heel_host_facts_gather(NULL);
        if (!is_masked(facts, file, row->group))
            HEEL_TEST_FAIL("%s=%s hides no %s", row->variable, value, file);
        heel_host_facts_release(facts);
        unsetenv(row->variable);
    }
}

static void xdg_variables_move_what_lies_below(void)
{
    static const struct {
        const char *variable, *file;
        enum heel_protected_group group;
    } cases[] = {
        {"XDG_CONFIG_HOME", "xdg/gh", HEEL_PROTECTED_CREDENTIALS},
        {"XDG_CONFIG_HOME", "xdg/gcloud", HEEL_PROTECTED_CLOUD},
        {"XDG_CONFIG_HOME", "xdg/chromium", HEEL_PROTECTED_BROWSER},
        {"XDG_DATA_HOME", "xdg/keyrings", HEEL_PROTECTED_KEYCHAIN},
        {"XDG_CACHE_HOME", "xdg/mozilla", HEEL_PROTECTED_BROWSER},
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(cases); i++) {
        heel_autofree char *file = make_file(cases[i].file),
                           *directory = heel_format("%s/xdg", base);
        struct heel_host_facts *facts;

        setenv(cases[i].variable, directory, 1);
        facts = heel_host_facts_gather(NULL);
        if (!is_masked(facts, file, cases[i].group))
            HEEL_TEST_FAIL("%s hides no %s", cases[i].variable, file);
        heel_host_facts_release(facts);
        unsetenv(cases[i].variable);
    }
}

static void lists_count_as_a_whole_and_in_parts(void)
{
    heel_autofree char *first = make_file("kube/one"), *second = make_file("kube/two"),
                       *odd = make_file("kube/a:b"), *value = NULL;
    struct heel_host_facts *facts;

    value = heel_format(":%s::%s:relative:%s/missing", first, second, base);
    setenv("KUBECONFIG", value, 1);
    setenv("NETRC", odd, 1);
    facts = heel_host_facts_gather(NULL);
    CHECK(is_masked(facts, first, HEEL_PROTECTED_CLOUD));
    CHECK(is_masked(facts, second, HEEL_PROTECTED_CLOUD));
    CHECK(is_masked(facts, odd, HEEL_PROTECTED_CREDENTIALS));
    heel_host_facts_release(facts);
    unsetenv("KUBECONFIG");
    unsetenv("NETRC");
}

/* What is no file of the user's is not hidden: that would break programs, not keep secrets. */
static void mistakes_hide_nothing(void)
{
    static const char *const values[] = {"/", "/dev/null", "/usr", "-", "", "relative/path", ":"};
    struct heel_host_facts *before = heel_host_facts_gather(NULL);

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(values); i++) {
        struct heel_host_facts *facts;

        setenv("GNUPGHOME", values[i], 1);
        setenv("HISTFILE", values[i], 1);
        facts = heel_host_facts_gather(NULL);
        if (facts->mask_count != before->mask_count)
            HEEL_TEST_FAIL("\"%s\" hides something", values[i]);
        heel_host_facts_release(facts);
    }
    unsetenv("GNUPGHOME");
    unsetenv("HISTFILE");
    heel_host_facts_release(before);
}

int main(void)
{
    char template[] = "/tmp/host_facts_test.XXXXXX";
    heel_autofree char *command = NULL;

    REQUIRE(mkdtemp(template));
    base = realpath(template, NULL);
    every_variable_counts();
    xdg_variables_move_what_lies_below();
    lists_count_as_a_whole_and_in_parts();
    mistakes_hide_nothing();
    command = heel_format("rm -rf '%s'", base);
    REQUIRE(system(command) == 0);
    return heel_test_end();
}

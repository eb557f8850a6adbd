/* The command line: every flag of every verb, and what people get wrong. */
#include "base/test.h"
#include "base/text.h"
#include "clients/c/cli/flags.h"

/* The verbs themselves are another library's; one with the flags of two of them does for all. */
static int run_nothing(const struct cli_options *options, struct heel_error **err)
{
    (void)options;
    (void)err;
    return 0;
}

static const struct cli_verb verb = {
    .name = "run",
    .arguments = "COMMAND",
    .example = "heelcli run ls",
    .flags = {cli_spec_flags, cli_limit_flags, cli_command_flags, cli_create_flags,
              cli_server_flags, cli_output_flags},
    .least_arguments = 1,
    .most_arguments = -1,
    .run = run_nothing,
};

/* The arguments live to the end of the scope, as the options that borrow from them do. */
#define PARSE(options, ...) \
    char *UNIQUE(arguments)[] = {__VA_ARGS__, NULL}; \
    REQUIRE(!cli_flags_parse(&verb, UNIQUE(arguments), options, NULL))
#define UNIQUE(name) UNIQUE_2(name, __LINE__)
#define UNIQUE_2(name, line) UNIQUE_3(name, line)
#define UNIQUE_3(name, line) name##line

static void test_values(void)
{
    struct cli_options options = {0};

    PARSE(&options, "--level", "strict", "--timeout=1h30m", "--readable", "/a", "--deny=/a/b",
          "--env", "A=1=2", "--env", "B=", "--env=A=3", "--keep-working-dir", "--label", "job=42",
          "--id", "x", "--output=json", "--network", "deny", "--server", "/s", "--no-autostart",
          "--ttl", "1d", "--unprotect", "user-home", "--protect=/h/.npmrc", "--require",
          "host-sockets", "--run-as", "1000:1001", "ls", "-l");
    CHECK_INT(options.level, HEEL_LEVEL_STRICT);
    CHECK_INT(options.timeout_ms, 5400000);
    CHECK_INT(options.ttl_ms, 86400000);
    REQUIRE(options.switch_count == 2);
    CHECK(!options.switches[0].path && !options.switches[0].on);
    CHECK_INT(options.switches[0].group, HEEL_PROTECTED_USER_HOME);
    CHECK(options.switches[1].on);
    CHECK_STR(options.switches[1].path, "/h/.npmrc");
    CHECK(options.has_run_as && options.run_as.uid == 1000 && options.run_as.gid == 1001);
    REQUIRE(options.required_count == 1);
    CHECK_INT(options.required[0], HEEL_PROTECTION_HOST_SOCKETS);
    REQUIRE(options.path_count == 2);
    CHECK_STR(options.paths[0].path, "/a");
    CHECK_INT(options.paths[1].access, HEEL_ACCESS_DENY);
    REQUIRE(options.variables.count == 2);
    CHECK_STR(options.variables.items[0].value, "3"); /* the later one wins */
    CHECK_STR(options.variables.items[1].value, "");
    CHECK(options.keep_working_dir.on && options.json);
    CHECK(options.autostart.given && !options.autostart.on);
    CHECK_INT(options.network, HEEL_NETWORK_DENY_ALL);
    CHECK_INT(options.argument_count, 2);
    CHECK_STR(options.arguments[1], "-l");
    cli_options_clear(&options);
}

/* What takes no value can be switched off, and the last one counts. */
static void test_booleans(void)
{
    struct cli_options options = {0};

    PARSE(&options, "--no-gpu", "--npu", "--no-npu", "--no-all-devices", "--all-devices",
          "--autostart", "ls");
    CHECK(options.gpu.given && !options.gpu.on);
    CHECK(options.npu.given && !options.npu.on);
    CHECK(options.all_devices.given && options.all_devices.on);
    CHECK(options.autostart.given && options.autostart.on);
    CHECK(!options.keep_working_dir.given && !options.keep_working_dir.on);
    CHECK_STR(options.spec_flag, "gpu");
    cli_options_clear(&options);
}

static const struct cli_verb lettered = {
    .name = "start",
    .arguments = "COMMAND",
    .example = "heelcli start ls",
    .flags = {cli_terminal_flags, cli_kill_flags, cli_spec_flags},
    .most_arguments = -1,
    .run = run_nothing,
};

static void check_letters(char **arguments, bool well, bool terminal, const char *signal_name)
{
    heel_autoerror struct heel_error *error = NULL;
    struct cli_options options = {0};

    CHECK_INT(cli_flags_parse(&lettered, arguments, &options, &error), well ? 0 : -1);
    CHECK(options.terminal.on == terminal);
    if (signal_name)
        CHECK_STR(options.signal_name, signal_name);
    cli_options_clear(&options);
}

static void test_letters(void)
{
    check_letters((char *[]){"-it", "ls", "-x", NULL}, true, true, NULL);
    check_letters((char *[]){"-i", "-t", NULL}, true, true, NULL);
    check_letters((char *[]){"-ts", "KILL", NULL}, true, true, "KILL");
    check_letters((char *[]){"-s9", "-t", NULL}, true, true, "9");
    check_letters((char *[]){"-st", NULL}, true, false, "t");
    check_letters((char *[]){"-is", NULL}, false, false, NULL);
    check_letters((char *[]){"-ix", NULL}, false, false, NULL);
    check_letters((char *[]){"-terminal", NULL}, false, true, NULL);
}

/* Which flags are of a new sandbox is what shell has to know. */
static void test_spec_flag(void)
{
    char *none[] = {"--env", "A=1", "-t", NULL}, *some[] = {"-t", "--level=strict", NULL};
    struct cli_options options = {0};

    REQUIRE(!cli_flags_parse(&verb, (char *[]){"--env", "A=1", "ls", NULL}, &options, NULL));
    CHECK(!options.spec_flag);
    cli_options_clear(&options);
    REQUIRE(!cli_flags_parse(&lettered, some, &options, NULL));
    CHECK_STR(options.spec_flag, "level");
    cli_options_clear(&options);
    CHECK_INT(cli_flags_parse(&lettered, none, &options, NULL), -1);
    cli_options_clear(&options);
}

/* Flags end at the first argument that is none, and at "--". */
static void test_end_of_flags(void)
{
    struct cli_options options = {0};

    PARSE(&options, "sh", "-c", "ls", "--level", "strict");
    CHECK_INT(options.argument_count, 5);
    CHECK_INT(options.level, HEEL_LEVEL_UNSET);
    cli_options_clear(&options);
    PARSE(&options, "--", "--level", "--");
    CHECK_INT(options.argument_count, 2);
    CHECK_STR(options.arguments[0], "--level");
    cli_options_clear(&options);
    PARSE(&options, "-");
    CHECK_STR(options.arguments[0], "-");
}

static void test_paths(void)
{
    heel_autofree char *here = getcwd(NULL, 0);
    heel_autofree char *absent = heel_format("%s/not-there", here);
    struct cli_options options = {0};

    PARSE(&options, "--working-dir", "./", "--writable", "not-there", "--readable", "/abs/../x",
          "--executable", ".", "ls");
    CHECK_STR(options.working_dir, here);
    CHECK_STR(options.paths[2].path, here);
    CHECK_STR(options.paths[0].path, absent);
    CHECK_STR(options.paths[1].path, "/abs/../x");
    cli_options_clear(&options);
}

/* Who refuses a link that a sandbox may have made has to see it. */
static void test_links(void)
{
    heel_autofree char *here = getcwd(NULL, 0);
    heel_autofree char *directory = heel_format("%s/flags.XXXXXX", getenv("TEST_TMPDIR"));
    heel_autofree char *link = NULL;
    struct cli_options options = {0};

    REQUIRE(mkdtemp(directory) && chdir(directory) == 0 && symlink("/", "link") == 0);
    link = heel_format("%s/link", directory);
    PARSE(&options, "--readable", "link", "--working-dir", ".//link", "ls");
    CHECK_STR(options.paths[0].path, link);
    CHECK_STR(options.working_dir, link);
    cli_options_clear(&options);
    REQUIRE(unlink("link") == 0 && chdir(here) == 0 && rmdir(directory) == 0);
}

static void test_passthrough(void)
{
    struct cli_options options = {0};

    setenv("HEEL_TEST_SET", "value", 1);
    unsetenv("HEEL_TEST_UNSET");
    PARSE(&options, "--env-passthrough", "HEEL_TEST_SET", "--env-passthrough=HEEL_TEST_UNSET",
          "ls");
    REQUIRE(options.variables.count == 1);
    CHECK_STR(options.variables.items[0].name, "HEEL_TEST_SET");
    CHECK_STR(options.variables.items[0].value, "value");
    cli_options_clear(&options);
}

static const struct {
    char *arguments[3];
    const char *message;
} mistakes[] = {
    {{"--levle", "strict"}, "run has no flag --levle; did you mean --level?"},
    {{"--read=/x"}, "run has no flag --read; did you mean --readable?"},
    {{"--zzz"}, "run has no flag --zzz: see heelcli help run"},
    {{"-v"}, "run has no flag -v: see heelcli help run"},
    {{"--level"}, "--level needs a value, as in --level strict"},
    {{"--level=", "x"}, "--level: \"\" is no level: give strict, default or permissive"},
    {{"--keep-working-dir=yes", "x"},
     "--keep-working-dir takes no value: leave out \"yes\", or give --no-keep-working-dir"},
    {{"--no-gpu=1", "x"}, "--gpu takes no value: leave out \"1\", or give --no-gpu"},
    {{"--no-gp", "x"}, "run has no flag --no-gp; did you mean --no-gpu?"},
    {{"--no-level", "x"}, "run has no flag --no-level: see heelcli help run"},
    {{"--gpq", "x"}, "run has no flag --gpq; did you mean --gpu?"},
    {{"--network", "allow_all", "x"},
     "--network: allow_all comes in a later version: only deny works now"},
    {{"--unprotect", "clouds", "x"},
     "--unprotect: \"clouds\" is no group and has no slash, as a path has: the groups are "
     "user-home, other-homes, credentials, cloud, browser, keychain, history, packages, personal, "
     "services, acting-files"},
    {{"--run-as", "no-such-user", "x"},
     "--run-as: there is no user \"no-such-user\" here; UID:GID needs none"},
    {{"--run-as", "1:", "x"}, "--run-as: \"1:\" must be UID:GID, as in 1000:1000"},
    {{"--run-as", "root:0", "x"}, "--run-as: \"root:0\" must be UID:GID, as in 1000:1000"},
    {{"--run-as", "4294967296:1", "x"},
     "--run-as: \"4294967296:1\" must be UID:GID, as in 1000:1000"},
    {{"--network", "moon", "x"}, "--network: \"moon\" is no network policy: give deny"},
    {{"--timeout", "30", "x"},
     "--timeout: \"30\" is no duration: write it as in 500ms, 30s, 5m or 1h30m"},
    {{"--timeout", "-1s", "x"},
     "--timeout: \"-1s\" is no duration: write it as in 500ms, 30s, 5m or 1h30m"},
    {{"--env", "NAME", "x"},
     "--env: \"NAME\" is not of the form NAME=VALUE; --env-passthrough takes a name alone"},
    {{"--env", "=x", "x"},
     "--env: \"=x\" is not of the form NAME=VALUE; --env-passthrough takes a name alone"},
    {{"--env-passthrough", "A=1", "x"},
     "--env-passthrough: \"A=1\" is no name of a variable; --env takes NAME=VALUE"},
    {{"--readable", "", "x"}, "--readable: the path is empty"},
    {{"--output", "xml", "x"}, "--output: \"xml\" is no output format: give text or json"},
    {{"--"}, "run needs COMMAND, as in: heelcli run ls"},
};

static void test_mistakes(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(mistakes); i++) {
        char *arguments[4] = {mistakes[i].arguments[0], mistakes[i].arguments[1],
                              mistakes[i].arguments[2], NULL};
        heel_autoerror struct heel_error *error = NULL;
        struct cli_options options = {0};

        CHECK_INT(cli_flags_parse(&verb, arguments, &options, &error), -1);
        REQUIRE(error);
        CHECK_STR(error->message, mistakes[i].message);
        cli_options_clear(&options);
    }
}

static void test_too_many(void)
{
    const struct cli_verb one = {
        .name = "get", .arguments = "SANDBOX", .least_arguments = 1, .most_arguments = 1};
    heel_autoerror struct heel_error *error = NULL;
    struct cli_options options = {0};

    CHECK_INT(cli_flags_parse(&one, (char *[]){"a", "--output", NULL}, &options, &error), -1);
    CHECK_STR(heel_error_message(error),
              "get takes no argument \"--output\"; flags come before arguments");
}

/* Help is asked for wherever flags are, and then nothing is missing. */
static void test_help(void)
{
    struct cli_options options = {0};

    PARSE(&options, "--level", "strict", "--help");
    CHECK(options.help);
}

int main(void)
{
    test_values();
    test_booleans();
    test_letters();
    test_spec_flag();
    test_end_of_flags();
    test_paths();
    test_links();
    test_passthrough();
    test_mistakes();
    test_too_many();
    test_help();
    return heel_test_end();
}

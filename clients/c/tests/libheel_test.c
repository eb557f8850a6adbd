/* libheel's unary calls, errors and connections, against a server that plays its part. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/test.h"
#include "base/text.h"
#include "clients/c/libheel/heel/heel.h"
#include "clients/c/tests/fake_server.h"

static const struct heel_spec full_spec = {
    HEEL_INIT(heel_spec),
    .level = HEEL_LEVEL_STRICT,
    .working_dir = "/src",
    .paths =
        (const struct heel_path_rule[]){{"/data", HEEL_ACCESS_READ}, {"/data/x", HEEL_ACCESS_DENY}},
    .path_count = 2,
    .network = HEEL_NETWORK_DENY_ALL,
    .wall_time_ms = 90500,
    .max_output_bytes = 4096,
    .variables = (const struct heel_pair[]){{"CI", "1"}},
    .variable_count = 1,
    .ttl_ms = 3600000,
    .idle_ttl_ms = 1,
    .labels = (const struct heel_pair[]){{"job", "42"}},
    .label_count = 1,
    .switches = (const struct heel_protection_switch[]){{.group = HEEL_PROTECTED_CLOUD},
                                                        {.path = "/home/me/.aws", .on = true}},
    .switch_count = 2,
    .required = (const enum heel_protection[]){HEEL_PROTECTION_NETWORK},
    .required_count = 1,
};

static void check_spec(const struct heel_spec *spec)
{
    CHECK_INT(spec->level, HEEL_LEVEL_STRICT);
    CHECK_STR(spec->working_dir, "/src");
    REQUIRE(spec->path_count == 2);
    CHECK_STR(spec->paths[1].path, "/data/x");
    CHECK_INT(spec->paths[1].access, HEEL_ACCESS_DENY);
    CHECK_INT(spec->network, HEEL_NETWORK_DENY_ALL);
    CHECK_INT(spec->wall_time_ms, 90500);
    CHECK_INT(spec->max_output_bytes, 4096);
    REQUIRE(spec->variable_count == 1);
    CHECK_STR(spec->variables[0].name, "CI");
    CHECK_STR(spec->variables[0].value, "1");
    CHECK_INT(spec->ttl_ms, 3600000);
    CHECK_INT(spec->idle_ttl_ms, 1);
    REQUIRE(spec->label_count == 1);
    CHECK_STR(spec->labels[0].value, "42");
    REQUIRE(spec->switch_count == 2);
    CHECK(!spec->switches[0].path && !spec->switches[0].on);
    CHECK_STR(heel_protected_group_name(spec->switches[0].group), "CLOUD");
    CHECK_STR(spec->switches[1].path, "/home/me/.aws");
    CHECK(spec->switches[1].on);
    REQUIRE(spec->required_count == 1);
    CHECK_INT(spec->required[0], HEEL_PROTECTION_NETWORK);
}

/* What goes out comes back. */
static void test_create(struct heel_client *client)
{
    struct heel_sandbox_info *sandbox;

    REQUIRE(!heel_sandbox_create(client, "mine", &full_spec, NULL, &sandbox, NULL));
    CHECK_STR(sandbox->id, "mine");
    CHECK_INT(sandbox->state, HEEL_SANDBOX_READY);
    CHECK_STR(sandbox->working_dir, "/work");
    check_spec(&sandbox->spec);
    heel_sandbox_info_free(sandbox);
}

static void test_defaults(struct heel_client *client)
{
    struct heel_sandbox_info *sandbox;

    REQUIRE(!heel_sandbox_create(client, NULL, NULL, NULL, &sandbox, NULL));
    CHECK_STR(sandbox->id, "made-up");
    CHECK_INT(sandbox->spec.level, HEEL_LEVEL_UNSET);
    CHECK(sandbox->spec.working_dir == NULL);
    heel_sandbox_info_free(sandbox);
}

static void test_error(struct heel_client *client)
{
    struct heel_error *error = NULL;
    struct heel_sandbox_info *sandbox;

    CHECK_INT(heel_sandbox_get(client, "gone", NULL, &sandbox, &error), -1);
    REQUIRE(error);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_NOT_FOUND);
    CHECK_STR(heel_error_code_name(heel_error_code(error)), "NOT_FOUND");
    CHECK_STR(heel_error_message(error), "there is no such sandbox");
    CHECK_STR(heel_error_reason(error), "SANDBOX_NOT_FOUND");
    CHECK_STR(heel_error_field(error), "sandbox_id");
    CHECK_INT(heel_error_retry_after_ms(error), 1500);
    CHECK_STR(heel_error_metadata(error, "sandbox_id"), "gone");
    CHECK(heel_error_metadata(error, "other") == NULL);
    REQUIRE(heel_error_metadata_count(error) == 1);
    CHECK_STR(heel_error_metadata_at(error, 0).name, "sandbox_id");
    CHECK_STR(heel_error_metadata_at(error, 0).value, "gone");
    CHECK(heel_error_metadata_at(error, 1).name == NULL);
    {
        heel_autofree char *json = heel_error_json(error);

        CHECK_STR(
            json,
            "{\"error\":{\"code\":\"NOT_FOUND\",\"reason\":\"SANDBOX_NOT_FOUND\",\"message\":"
            "\"there is no "
            "such sandbox\",\"field\":\"sandbox_id\",\"metadata\":{\"sandbox_id\":\"gone\"}}}");
    }
    heel_error_free(error);
    CHECK_INT(heel_sandbox_get(client, "gone", NULL, &sandbox, NULL), -1);
}

static void test_pages(struct heel_client *client)
{
    struct heel_sandbox_page *page;
    struct heel_list list = {HEEL_INIT(heel_list), .page_size = 1};

    REQUIRE(!heel_sandbox_list(client, NULL, NULL, &page, NULL));
    REQUIRE(page->count == 1);
    CHECK_STR(page->sandboxes[0]->id, "first");
    CHECK_STR(page->next_page_token, "more");
    {
        heel_autofree char *json = heel_sandbox_info_json(page->sandboxes[0], 0);
        heel_autofree char *all = heel_sandbox_page_json(page, 0);

        CHECK_STR(json, "{\"sandboxId\":\"first\"}");
        CHECK_STR(all, "{\"sandboxes\":[{\"sandboxId\":\"first\"}],\"nextPageToken\":\"more\"}");
    }
    heel_sandbox_page_free(page);
    list.page_token = "more";
    REQUIRE(!heel_sandbox_list(client, &list, NULL, &page, NULL));
    CHECK_STR(page->sandboxes[0]->id, "second");
    CHECK_STR(page->next_page_token, "");
    heel_sandbox_page_free(page);
}

static void test_update_and_delete(struct heel_client *client)
{
    const struct heel_update update = {HEEL_INIT(heel_update), .set_idle_ttl = true};
    struct heel_sandbox_info *sandbox;
    struct heel_deletion *deletion;

    REQUIRE(!heel_sandbox_update(client, "mine", &update, NULL, &sandbox, NULL));
    CHECK_STR(sandbox->home_dir, "idle_ttl"); /* where the fake server puts the mask */
    heel_sandbox_info_free(sandbox);
    REQUIRE(!heel_sandbox_delete(client, "mine", true, NULL, &deletion, NULL));
    CHECK_STR(deletion->kept_working_dir, "/kept");
    heel_deletion_free(deletion);
    CHECK_INT(heel_sandbox_delete(client, "mine", false, NULL, NULL, NULL), 0);
}

static void test_run(struct heel_client *client)
{
    const char *argv[] = {"cat", NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv,
                                         .input = {"a\0b", 3}};
    heel_autofree char *json = NULL;
    struct heel_run_result *result;

    REQUIRE(!heel_run(client, heel_in_sandbox("mine"), &command, NULL, &result, NULL));
    CHECK_INT(result->status.reason, HEEL_EXIT_TIMEOUT);
    CHECK(result->status.signaled);
    CHECK_INT(result->status.signal, 9);
    CHECK_STR(result->status.message, "too long");
    CHECK_INT(result->output.length, 3);
    CHECK_INT(memcmp(result->output.data, "a\0b", 3), 0);
    CHECK(!result->output_truncated && result->errors_truncated);
    json = heel_run_result_json(result, 0);
    CHECK(strstr(json, "\"stdout\":\"YQBi\"") && strstr(json, "\"stderrTruncated\":true"));
    heel_run_result_free(result);
}

static void test_deadline(struct heel_client *client, const struct fake_server *server)
{
    const char *argv[] = {"hang", NULL};
    const struct heel_command command = {HEEL_INIT(heel_command), .argv = argv};
    const struct heel_call call = {HEEL_INIT(heel_call), .timeout_ms = 50};
    struct heel_error *error = NULL;
    struct heel_run_result *result;

    (void)server;
    CHECK_INT(heel_run(client, heel_in_new_sandbox(NULL), &command, &call, &result, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_DEADLINE_EXCEEDED);
    heel_error_free(error);
}

static void test_server_info(struct heel_client *client)
{
    struct heel_server_info *info;

    REQUIRE(!heel_server_info_get(client, NULL, &info, NULL));
    CHECK_STR(info->version, "9.9.9");
    REQUIRE(info->protection_count == 1 && info->feature_count == 1);
    CHECK_STR(heel_protection_name(info->protections[0].protection), "NETWORK");
    CHECK_STR(heel_enforcement_state_name(info->protections[0].state), "DEGRADED");
    CHECK_STR(info->protections[0].detail, "it is fake");
    CHECK_STR(info->features[0], "fake");
    heel_server_info_free(info);
}

/* A structure without HEEL_INIT, one from a later header, and one from an earlier one. */
static void test_struct_versions(struct heel_client *client)
{
    struct {
        struct heel_spec spec;
        int64_t later_member;
    } later = {.spec = {.size = sizeof(later)}, .later_member = 1};
    const struct heel_spec none = {.level = HEEL_LEVEL_STRICT};
    struct heel_spec earlier = full_spec;
    struct heel_sandbox_info *sandbox;
    struct heel_error *error = NULL;

    CHECK_INT(heel_sandbox_create(client, "x", &none, NULL, &sandbox, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_INVALID_ARGUMENT);
    heel_error_free(error);
    CHECK_INT(heel_sandbox_create(client, "x", &later.spec, NULL, &sandbox, NULL), -1);
    later.later_member = 0;
    REQUIRE(!heel_sandbox_create(client, "x", &later.spec, NULL, &sandbox, NULL));
    heel_sandbox_info_free(sandbox);
    earlier.size = offsetof(struct heel_spec, labels);
    REQUIRE(!heel_sandbox_create(client, "x", &earlier, NULL, &sandbox, NULL));
    CHECK_INT(sandbox->spec.label_count, 0);
    CHECK_INT(sandbox->spec.idle_ttl_ms, 1);
    heel_sandbox_info_free(sandbox);
}

/* Calls that are made of every function, from several threads at once. */
static void *call_often(void *argument)
{
    for (int i = 0; i < 50; i++)
        test_run(argument);
    return NULL;
}

static void test_threads(struct heel_client *client)
{
    pthread_t threads[4];

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(threads); i++)
        REQUIRE(!pthread_create(&threads[i], NULL, call_often, client));
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(threads); i++)
        pthread_join(threads[i], NULL);
}

/* A lost server: calls fail with UNAVAILABLE as long as there is none, and the next one after that
 * connects again. */
static void test_reconnect(const char *path)
{
    struct fake_server *server = fake_server_start(path, -1);
    struct heel_error *error = NULL;
    struct heel_server_info *info;
    struct heel_client *client;

    REQUIRE(!heel_client_open(path, NULL, &client, NULL));
    test_server_info(client);
    fake_server_stop(server);
    CHECK_INT(heel_server_info_get(client, NULL, &info, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_UNAVAILABLE);
    heel_error_free(error);
    server = fake_server_start(path, -1);
    test_server_info(client);
    heel_client_close(client);
    fake_server_stop(server);
}

static void test_no_server(void)
{
    struct heel_error *error = NULL;
    struct heel_client *client;

    CHECK_INT(heel_client_open("/nowhere/heeld.sock", NULL, &client, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_UNAVAILABLE);
    heel_error_free(error);
    error = NULL;
    CHECK_INT(heel_client_open("localhost:50051", NULL, &client, &error), -1);
    CHECK_INT(heel_error_code(error), HEEL_ERROR_INVALID_ARGUMENT);
    heel_error_free(error);
}

int main(void)
{
    int pair[2];
    struct fake_server *server;
    struct heel_client *client;
    char path[] = "/tmp/heel-test-XXXXXX/s";

    REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    server = fake_server_start(NULL, pair[1]);
    REQUIRE(!heel_client_open_fd(pair[0], NULL, &client, NULL));
    test_create(client);
    test_defaults(client);
    test_error(client);
    test_pages(client);
    test_update_and_delete(client);
    test_run(client);
    test_deadline(client, server);
    test_server_info(client);
    test_struct_versions(client);
    test_threads(client);
    heel_client_close(client);
    fake_server_stop(server);

    path[sizeof(path) - 3] = '\0';
    REQUIRE(mkdtemp(path));
    path[sizeof(path) - 3] = '/';
    test_reconnect(path);
    unlink(path);
    path[sizeof(path) - 3] = '\0';
    rmdir(path);
    test_no_server();
    return heel_test_end();
}

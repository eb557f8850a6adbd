#include "proto/generator/names.h"

#include "base/cleanup.h"
#include "base/test.h"

static void check(char *(*function)(const char *), const char *name, const char *expected)
{
    heel_autofree char *actual = function(name);

    CHECK_STR(actual, expected);
}

/* What protoc-c 1.4.1 makes of the same names. */
static void test_like_protoc_c(void)
{
    static const struct {
        const char *name, *type, *stem;
    } cases[] = {
        {"heel.v1.CreateSandboxRequest", "Heel__V1__CreateSandboxRequest",
         "heel__v1__create_sandbox_request"},
        {"a.Outer.Inner", "A__Outer__Inner", "a__outer__inner"},
        {"lower_case.under_score2", "LowerCase__UnderScore2", "lower_case__under_score2"},
        {"HTTPRequest", "HTTPRequest", "httprequest"},
        {"p.V2Beta3Thing", "P__V2Beta3Thing", "p__v2_beta3_thing"},
        {"camelCase.x1Y", "CamelCase__X1Y", "camel_case__x1_y"},
        {"With_Upper", "WithUpper", "with__upper"},
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(cases); i++) {
        check(names_message_type, cases[i].name, cases[i].type);
        check(names_message_stem, cases[i].name, cases[i].stem);
    }
}

static void test_snake(void)
{
    check(names_snake, "heel.v1.SandboxService", "heel_v1_sandbox_service");
    check(names_snake, "CreateSandbox", "create_sandbox");
    check(names_snake, "GetHTTPInfo2", "get_http_info2");
    check(names_snake, "HTTP", "http");
    check(names_snake, "V2Beta", "v2_beta");
    check(names_snake, "already_snake", "already_snake");
    check(names_snake, "x", "x");
}

static void test_file_stem(void)
{
    check(names_file_stem, "heel/v1/sandbox.proto", "heel/v1/sandbox");
    check(names_file_stem, "x.protodevel", "x");
    check(names_file_stem, "odd", "odd");
}

int main(void)
{
    test_like_protoc_c();
    test_snake();
    test_file_stem();
    return heel_test_end();
}

/* The generated header, first and alone in a file. */
#include "generator/tests/golden.grpc-c.h"

#include "base/test.h"

/* The table says what the .proto file does, and the descriptors are protoc-c's. */
int main(void)
{
    const struct grpcc_method *method = &golden_v2beta1_golden_service_get_http_info2_method;
    struct golden_v2beta1_golden_service_handlers handlers = {.talk2_me = NULL};

    CHECK_STR(method->path, "/golden.v2beta1.GoldenService/GetHTTPInfo2");
    CHECK_INT(method->kind, GRPCC_UNARY);
    CHECK_STR(method->request->c_name, "Golden__V2beta1__Outer__Inner2Outer");
    CHECK_STR(method->response->c_name, "Elsewhere__AbbrHTTPReply");
    CHECK_INT(golden_v2beta1_golden_service_collect_method.kind, GRPCC_CLIENT_STREAMING);
    CHECK_INT(golden_v2beta1_golden_service_watch_method.kind, GRPCC_SERVER_STREAMING);
    CHECK_INT(golden_v2beta1_golden_service_talk2_me_method.kind, GRPCC_BIDI_STREAMING);
    CHECK(!handlers.talk2_me);
    return heel_test_end();
}

// The generated header in C++: it compiles, and links with what C has compiled.
#include "generator/tests/golden.grpc-c.h"

int main()
{
    golden_v2beta1_golden_service_handlers handlers = {};
    grpcc_status *status = grpcc_status_new(5, "not found");

    handlers.talk2_me = nullptr;
    grpcc_status_free(status);
    return golden_v2beta1_golden_service_talk2_me_method.kind == GRPCC_BIDI_STREAMING &&
                   !handlers.talk2_me
               ? 0
               : 1;
}

/* Generated messages find their imports: those of another library and the well-known types. */
#include <google/protobuf/compiler/plugin.pb-c.h>
#include <google/protobuf/duration.pb-c.h>

#include "base/test.h"
#include "messages/whole.pb-c.h"

int main(void)
{
    Google__Protobuf__Duration age = GOOGLE__PROTOBUF__DURATION__INIT;
    age.seconds = 42;
    Messages__Part part = MESSAGES__PART__INIT;
    part.name = (char *)"wheel";
    part.age = &age;
    Messages__Part *parts[] = {&part};
    Messages__Whole whole = MESSAGES__WHOLE__INIT;
    whole.n_parts = 1;
    whole.parts = parts;

    uint8_t wire[64];
    size_t size = messages__whole__pack(&whole, wire);
    Messages__Whole *copy = messages__whole__unpack(NULL, size, wire);
    REQUIRE(copy != NULL);
    CHECK_STR(copy->parts[0]->name, "wheel");
    CHECK_INT(copy->parts[0]->age->seconds, 42);
    messages__whole__free_unpacked(copy, NULL);

    CHECK_STR(google__protobuf__compiler__code_generator_request__descriptor.name,
              "google.protobuf.compiler.CodeGeneratorRequest");
    return heel_test_end();
}

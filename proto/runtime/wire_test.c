#include "proto/runtime/wire.h"

#include "base/test.h"
#include "runtime/tests/kitchen_sink.pb-c.h"
#include "runtime/tests/legacy.pb-c.h"

#define SINK (&grpcc__tests__sink__descriptor)

/* Field numbers as tags: number << 3 | type. Those above 15 take two bytes. */
static const struct {
    const char *name;
    const char *data;
    size_t length;
    const char *path; /* NULL where the message is good, "" where it is refused without a field */
    const char *problem;
} cases[] = {
#define BYTES(text) text, sizeof(text) - 1
    {"empty", BYTES(""), NULL, NULL},
    {"scalar", BYTES("\x08\x01"), NULL, NULL},
    {"negative int32", BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), NULL, NULL},
    {"scalar given twice", BYTES("\x08\x01\x08\x02"), NULL, NULL},
    {"eleven-byte varint", BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "int32_value",
     "has a malformed varint"},
    {"varint above 64 bits", BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "int32_value",
     "has a malformed varint"},
    {"unterminated varint", BYTES("\x08\xff"), "int32_value", "has a malformed varint"},
    {"tag alone", BYTES("\x08"), "int32_value", "has a malformed varint"},
    {"field number 0", BYTES("\x00\x01"), "", "has a malformed tag"},
    {"field number 0, spelled long", BYTES("\x80\x00\x01"), "", "has a malformed tag"},
    {"largest field number", BYTES("\xf8\xff\xff\xff\x0f\x01"), NULL, NULL},
    {"field number 2^29", BYTES("\x80\x80\x80\x80\x10\x01"), "", "has a malformed tag"},
    {"six-byte tag", BYTES("\x88\x80\x80\x80\x80\x00\x01"), "", "has a malformed tag"},
    {"unterminated tag", BYTES("\x88\x80"), "", "has a malformed tag"},
    {"group", BYTES("\x0b\x0c"), "int32_value", "has an unsupported wire type"},
    {"unknown group", BYTES("\xcb\x3e\xcc\x3e"), "1001", "has an unsupported wire type"},
    {"wire type 7", BYTES("\x0f"), "int32_value", "has an unsupported wire type"},
    {"unknown field", BYTES("\xc8\x3e\x05"), NULL, NULL},
    {"unknown field cut short", BYTES("\xca\x3e\x05x"), "1001", "has a length beyond its end"},
    {"fixed32 cut short", BYTES("\x3d\x01\x02\x03"), "fixed32_value", "is cut short"},
    {"fixed64 cut short", BYTES("\x41\x01\x02\x03\x04\x05\x06\x07"), "fixed64_value",
     "is cut short"},
    {"bytes for a number", BYTES("\x0a\x01x"), "int32_value",
     "has another type on the wire than it is declared with"},
    {"number for a string", BYTES("\x70\x01"), "string_value",
     "has another type on the wire than it is declared with"},
    {"number for a message", BYTES("\x88\x01\x01"), "leaf",
     "has another type on the wire than it is declared with"},
    {"fixed32 for a varint", BYTES("\x0d\x01\x02\x03\x04"), "int32_value",
     "has another type on the wire than it is declared with"},
    {"number for a repeated string", BYTES("\x90\x02\x01"), "string_list[0]",
     "has another type on the wire than it is declared with"},
    {"string",
     BYTES("\x72\x03"
           "a\xc3\xa4"),
     NULL, NULL},
    {"NUL in a string",
     BYTES("\x72\x03"
           "a\0b"),
     "string_value", "holds a NUL character"},
    {"bad UTF-8",
     BYTES("\x72\x02"
           "a\xff"),
     "string_value", "is not UTF-8"},
    {"bad UTF-8 after eight bytes",
     BYTES("\x72\x0a"
           "abcdefgh\xc3."),
     "string_value", "is not UTF-8"},
    {"surrogate",
     BYTES("\x72\x03"
           "\xed\xa0\x80"),
     "string_value", "is not UTF-8"},
    {"NUL in bytes",
     BYTES("\x7a\x03"
           "a\0\xff"),
     NULL, NULL},
    {"string longer than the message",
     BYTES("\x72\x04"
           "abc"),
     "string_value", "has a length beyond its end"},
    {"length of 2^31",
     BYTES("\x72\x80\x80\x80\x80\x08"
           "abc"),
     "string_value", "has a length beyond its end"},
    {"length of 2^64 - 1", BYTES("\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "string_value",
     "has a length beyond its end"},
    {"length in six bytes",
     BYTES("\x72\x81\x80\x80\x80\x80\x00"
           "a"),
     "string_value", "has a length beyond its end"},
    {"second of three strings",
     BYTES("\x92\x02\x01"
           "a\x92\x02\x01\xff\x92\x02\x01"
           "c"),
     "string_list[1]", "is not UTF-8"},
    {"nested string", BYTES("\x8a\x01\x03\x0a\x01\xff"), "leaf.name", "is not UTF-8"},
    {"string in the second element", BYTES("\xaa\x02\x00\xaa\x02\x03\x0a\x01\xff"),
     "leaf_list[1].name", "is not UTF-8"},
    {"nested tag", BYTES("\x8a\x01\x01\x80"), "leaf", "has a malformed tag"},
    {"nested length",
     BYTES("\x8a\x01\x03\x0a\x05"
           "a"),
     "leaf.name", "has a length beyond its end"},
    {"key of a map", BYTES("\xca\x02\x03\x0a\x01\xff"), "labels[0].key", "is not UTF-8"},
    {"value of a map", BYTES("\xd2\x02\x05\x12\x03\x0a\x01\xff"), "leaf_by_number[0].value.name",
     "is not UTF-8"},
    {"message given twice", BYTES("\x8a\x01\x00\x8a\x01\x00"), "leaf", "is given twice"},
    {"message of a oneof given twice", BYTES("\xb2\x03\x00\xb2\x03\x00"), "choice_leaf",
     "is given twice"},
    {"two members of a oneof",
     BYTES("\xa2\x03\x01"
           "a\xb2\x03\x00\x98\x03\x01"),
     NULL, NULL},
    {"packed", BYTES("\xaa\x01\x03\x01\x80\x01"), NULL, NULL},
    {"packed and not", BYTES("\xaa\x01\x02\x01\x02\xa8\x01\x03"), NULL, NULL},
    {"packed although declared not to be", BYTES("\xb2\x02\x02\x01\x02"), NULL, NULL},
    {"empty packed", BYTES("\xaa\x01\x00"), NULL, NULL},
    {"unterminated varint in packed", BYTES("\xaa\x01\x02\x01\x80"), "int32_list[0]",
     "has a malformed varint"},
    {"packed bools in ten bytes", BYTES("\x8a\x02\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     NULL, NULL},
    {"odd length of packed fixed32",
     BYTES("\xda\x01\x05"
           "abcde"),
     "fixed32_list[0]", "has a length that is no multiple of its elements'"},
    {"odd length of packed doubles",
     BYTES("\x82\x02\x04"
           "abcd"),
     "double_list[0]", "has a length that is no multiple of its elements'"},
    {"unknown enum value", BYTES("\x80\x01\x63"), NULL, NULL},
    {"field in an empty message", BYTES("\x9a\x05\x02\x08\x01"), NULL, NULL},
    {"tag in an empty message", BYTES("\x9a\x05\x01\x08"), "hollow.1", "has a malformed varint"},
#undef BYTES
};

/* A copy of exactly its size, so that a sanitizer sees a read beyond the end. */
static uint8_t *exact_copy(const char *data, size_t length)
{
    uint8_t *copy = heel_xmalloc(length);

    memcpy(copy, data, length);
    return copy;
}

static void check_refusal(const char *name, const struct grpcc_status *status, const char *path,
                          const char *problem)
{
    heel_autofree char *message = heel_format("%s %s", *path ? path : "the message", problem);

    if (strcmp(status->message, message) != 0)
        HEEL_TEST_FAIL("%s: \"%s\", expected \"%s\"", name, status->message, message);
    CHECK_INT(status->code, 3);
    CHECK_STR(status->reason, "INVALID_MESSAGE");
    CHECK_INT(status->field_count, *path != '\0');
    if (status->field_count)
        CHECK_STR(status->fields[0].field, path);
}

static void test_cases(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(cases); i++) {
        heel_autofree uint8_t *data = exact_copy(cases[i].data, cases[i].length);
        grpcc_autostatus struct grpcc_status *status = NULL;
        int result = grpcc_wire_check(SINK, data, cases[i].length, NULL, &status);

        if (result != (cases[i].path ? -1 : 0) || (result != 0) != (status != NULL)) {
            HEEL_TEST_FAIL("%s: %d, %s", cases[i].name, result,
                           status ? status->message : "no status");
        } else if (status) {
            check_refusal(cases[i].name, status, cases[i].path, cases[i].problem);
        } else {
            ProtobufCMessage *message =
                protobuf_c_message_unpack(SINK, NULL, cases[i].length, data);

            if (!message)
                HEEL_TEST_FAIL("%s: passed the check, and was not unpacked", cases[i].name);
            protobuf_c_message_free_unpacked(message, NULL);
        }
    }
}

/* Sink.child inside Sink.child ..., `levels` messages altogether. */
static void nest(struct heel_buffer *wire, unsigned levels)
{
    for (unsigned i = 1; i < levels; i++) {
        struct heel_buffer outer = {0};
        size_t length = wire->length;

        heel_buffer_append(&outer, "\x8a\x05", 2);
        for (; length >= 0x80; length >>= 7)
            heel_buffer_append(&outer, (char[]){(char)(length | 0x80)}, 1);
        heel_buffer_append(&outer, (char[]){(char)length}, 1);
        heel_buffer_append(&outer, wire->data, wire->length);
        heel_buffer_free(wire);
        *wire = outer;
    }
}

static void test_depth(void)
{
    for (unsigned levels = 31; levels <= 33; levels++) {
        heel_autobuffer struct heel_buffer wire = {0};
        grpcc_autostatus struct grpcc_status *status = NULL;

        nest(&wire, levels);
        CHECK_INT(grpcc_wire_check(SINK, (uint8_t *)wire.data, wire.length, NULL, &status),
                  levels <= 32 ? 0 : -1);
        if (status)
            CHECK(strstr(status->message, ".child is nested too deeply") != NULL);
    }
    CHECK_INT(grpcc_wire_check(SINK, (const uint8_t *)"\x8a\x01\x00", 3,
                               &(struct grpcc_wire_limits){1, 10}, NULL),
              -1);
}

static void test_budget(void)
{
    static const struct {
        const char *data;
        size_t length, elements;
    } counted[] = {
        {"\x08\x01\x08\x01", 4, 2},
        {"\xaa\x01\x03\x01\x02\x03", 6, 4}, /* the field and three varints */
        {"\xda\x01\x08\x01\x02\x03\x04\x01\x02\x03\x04", 11, 3},
        {"\x8a\x01\x04\x10\x01\x10\x02", 7, 3}, /* the field and two inside */
        {"\xc8\x3e\x05\xc8\x3e\x05", 6, 2},     /* unknown ones */
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(counted); i++) {
        const uint8_t *data = (const uint8_t *)counted[i].data;
        struct grpcc_wire_limits limits = {8, counted[i].elements};

        CHECK_INT(grpcc_wire_check(SINK, data, counted[i].length, &limits, NULL), 0);
        limits.max_elements--;
        CHECK_INT(grpcc_wire_check(SINK, data, counted[i].length, &limits, NULL), -1);
    }
}

static void check_unknown(const char *data, size_t length, const char *prefix, const char *expected,
                          bool expected_enum)
{
    ProtobufCMessage *message =
        protobuf_c_message_unpack(SINK, NULL, length, (const uint8_t *)data);
    heel_autobuffer struct heel_buffer path = {0};
    bool unknown_enum = !expected_enum;

    REQUIRE(message);
    heel_buffer_append_text(&path, prefix);
    CHECK_INT(grpcc_message_find_unknown(message, &path, &unknown_enum), expected != NULL);
    CHECK_STR(path.data, expected ? expected : prefix);
    if (expected)
        CHECK_INT(unknown_enum, expected_enum);
    protobuf_c_message_free_unpacked(message, NULL);
}

static void test_find_unknown(void)
{
    check_unknown("\x08\x01\x80\x01\x05", 5, "", NULL, false);
    check_unknown("\x80\x01\xfd\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "spec", NULL,
                  false); /* -3 */
    check_unknown("\x80\x01\x02", 3, "spec", "spec.colour", true);
    check_unknown("\xc8\x3e\x05", 3, "", "1001", false);
    check_unknown("\xa2\x02\x03\x01\x05\x04", 6, "", "colour_list[2]", true);
    check_unknown("\xaa\x02\x00\xaa\x02\x02\x18\x09", 8, "spec", "spec.leaf_list[1].colour", true);
    check_unknown("\xb2\x03\x02\x28\x01", 5, "", "choice_leaf.5", false);
    check_unknown("\xc0\x03\x07", 3, "", "choice_colour", true);
    check_unknown("\xd2\x02\x04\x12\x02\x28\x01", 7, "", "leaf_by_number[0].value.5", false);
    check_unknown("\xd2\x02\x02\x08\x07", 5, "", NULL, false); /* a map's value that is absent */
}

/* Required fields are left to the unpacker. */
static void test_legacy(void)
{
    const uint8_t *no_id = (const uint8_t *)"\x10\x01";
    const ProtobufCMessageDescriptor *legacy = &grpcc__tests__legacy__descriptor;

    CHECK_INT(grpcc_wire_check(legacy, no_id, 2, NULL, NULL), 0);
    CHECK(protobuf_c_message_unpack(legacy, NULL, 2, no_id) == NULL);
}

int main(void)
{
    test_cases();
    test_depth();
    test_budget();
    test_find_unknown();
    test_legacy();
    return heel_test_end();
}

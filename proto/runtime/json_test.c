#include "proto/runtime/json.h"

#include <locale.h>

#include "base/test.h"
#include "proto/runtime/tests/random_message.h"
#include "runtime/tests/kitchen_sink.pb-c.h"
#include "runtime/tests/legacy.pb-c.h"

#define SINK (&grpcc__tests__sink__descriptor)
#define LEAF (&grpcc__tests__leaf__descriptor)

static char *print(const ProtobufCMessage *message, const struct grpcc_json_options *options)
{
    struct heel_buffer text = {0};

    grpcc_json_print(message, options, &text);
    return text.data;
}

/* What the message that the text stands for looks like when it is printed; or the error. */
static char *reprint(const ProtobufCMessageDescriptor *type, const char *text, size_t length)
{
    heel_autofree char *exact = heel_xmalloc(length);
    grpcc_autostatus struct grpcc_status *status = NULL;
    ProtobufCMessage *message;
    char *result;

    memcpy(exact, text, length);
    message = grpcc_json_parse(type, exact, length, &status);
    if (!message) {
        REQUIRE(status);
        CHECK_INT(status->code, 3);
        CHECK_STR(status->reason, "INVALID_MESSAGE");
        return heel_xstrdup(status->message);
    }
    CHECK(status == NULL);
    result = print(message, NULL);
    protobuf_c_message_free_unpacked(message, NULL);
    return result;
}

/* `out` NULL: the same as `in`. */
static const struct {
    const char *in, *out;
} good[] = {
    {"{}", NULL},
    {" \t\r\n{ } \n", "{}"},
    {"{\"int32Value\":-2147483648}", NULL},
    {"{\"int32_value\":2147483647}", "{\"int32Value\":2147483647}"},
    {"{\"int32Value\":\"12\"}", "{\"int32Value\":12}"},
    {"{\"int32Value\":1.2e1}", "{\"int32Value\":12}"},
    {"{\"int32Value\":120.0E-1}", "{\"int32Value\":12}"},
    {"{\"int32Value\":0e999999999999}", "{}"},
    {"{\"int32Value\":-0}", "{}"},
    {"{\"int32Value\":null}", "{}"},
    {"{\"int64Value\":\"-9223372036854775808\"}", NULL},
    {"{\"int64Value\":9223372036854775807}", "{\"int64Value\":\"9223372036854775807\"}"},
    {"{\"uint64Value\":\"18446744073709551615\"}", NULL},
    {"{\"uint64Value\":1844674407370955161.5e1}", "{\"uint64Value\":\"18446744073709551615\"}"},
    {"{\"uint32Value\":4294967295,\"sint32Value\":-5,\"sint64Value\":\"-6\",\"fixed32Value\":7,"
     "\"fixed64Value\":\"8\","
     "\"sfixed32Value\":-9,\"sfixed64Value\":\"-10\"}",
     NULL},
    {"{\"floatValue\":0.1,\"doubleValue\":0.1}", NULL},
    {"{\"floatValue\":3.4028235e+38,\"doubleValue\":1.7976931348623157e+308}", NULL},
    {"{\"floatValue\":\"NaN\",\"doubleValue\":\"-Infinity\"}", NULL},
    {"{\"floatValue\":\"Infinity\",\"doubleValue\":\"1.5\"}",
     "{\"floatValue\":\"Infinity\",\"doubleValue\":1.5}"},
    {"{\"doubleValue\":1e-400}", "{}"},
    {"{\"boolValue\":true}", NULL},
    {"{\"boolValue\":false}", "{}"},
    {"{\"stringValue\":\"a\\\"\\\\\\b\\f\\n\\r\\t/\"}", NULL},
    {"{\"stringValue\":\"\\/\\u0041\\u00e4\\u20ac\\ud83d\\udc1f\"}",
     "{\"stringValue\":\"/A\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f\"}"},
    {"{\"stringValue\":\"\x7f\xc2\x85\xc2\xa0\\u001f\"}",
     "{\"stringValue\":\"\\u007f\\u0085\xc2\xa0\\u001f\"}"},
    {"{\"bytesValue\":\"+/8=\"}", NULL},
    {"{\"bytesValue\":\"-_8\"}", "{\"bytesValue\":\"+/8=\"}"},
    {"{\"bytesList\":[\"\",\"AA==\",\"AAA=\",\"AAAA\",\"AAAAAA==\"]}", NULL},
    {"{\"colour\":\"COLOUR_BLUE\"}", NULL},
    {"{\"colour\":5}", "{\"colour\":\"COLOUR_BLUE\"}"},
    {"{\"colour\":77}", NULL},
    {"{\"colour\":\"COLOUR_CRIMSON\"}", "{\"colour\":\"COLOUR_RED\"}"},
    {"{\"colour\":\"COLOUR_NEGATIVE\"}", NULL},
    {"{\"leaf\":{}}", NULL},
    {"{\"leaf\":null,\"int32List\":null,\"labels\":null,\"choiceLeaf\":null,\"duration\":null}",
     "{}"},
    {"{\"leaf\":{\"name\":\"x\",\"labels\":{\"a\":\"b\"}}}", NULL},
    {"{\"int32List\":[],\"labels\":{}}", "{}"},
    {"{\"int32List\":[1,2,3],\"int64List\":[\"1\"],\"boolList\":[true,false],\"stringList\":[\"\"],"
     "\"colourList\":"
     "[\"COLOUR_RED\",9],\"leafList\":[{},{\"number\":1}]}",
     NULL},
    {"{\"labels\":{\"b\":\"2\",\"a\":\"1\",\"\":\"\"}}",
     "{\"labels\":{\"\":\"\",\"a\":\"1\",\"b\":\"2\"}}"},
    {"{\"leafByNumber\":{\"2\":{},\"-1\":{\"name\":\"n\"}}}",
     "{\"leafByNumber\":{\"-1\":{\"name\":\"n\"},\"2\":{}}}"},
    {"{\"doubleByBool\":{\"false\":0,\"true\":1.5}}", NULL},
    {"{\"bytesById\":{\"18446744073709551615\":\"AA==\"},\"colourByOffset\":{\"-9\":\"COLOUR_RED\","
     "\"10\":\"COLOUR_BLUE\"}}",
     NULL},
    {"{\"choiceInt\":0}", NULL},
    {"{\"choiceString\":\"\"}", NULL},
    {"{\"choiceBytes\":\"\"}", NULL},
    {"{\"choiceLeaf\":{}}", NULL},
    {"{\"choiceBool\":false}", NULL},
    {"{\"choiceInt\":1,\"choiceString\":null}", "{\"choiceInt\":1}"},
    {"{\"duration\":\"1.500s\"}", NULL},
    {"{\"duration\":\"1.5s\"}", "{\"duration\":\"1.500s\"}"},
    {"{\"duration\":\"-0.000000001s\"}", NULL},
    {"{\"duration\":\"-315576000000s\"}", NULL},
    {"{\"duration\":\"0s\"}", NULL},
    {"{\"duration\":\"0.000120s\"}", NULL},
    {"{\"timestamp\":\"1970-01-01T00:00:00Z\"}", NULL},
    {"{\"timestamp\":\"0001-01-01T00:00:00Z\"}", NULL},
    {"{\"timestamp\":\"9999-12-31T23:59:59.999999999Z\"}", NULL},
    {"{\"timestamp\":\"2000-02-29T12:00:00.5+01:30\"}",
     "{\"timestamp\":\"2000-02-29T10:30:00.500Z\"}"},
    {"{\"timestamp\":\"1969-12-31T23:59:59-00:30\"}", "{\"timestamp\":\"1970-01-01T00:29:59Z\"}"},
    {"{\"timestamp\":\"2024-02-29T00:00:00Z\"}", NULL},
    {"{\"mask\":\"labels,idleTtl.someName\"}", NULL},
    {"{\"mask\":\"\"}", NULL},
    {"{\"int64Wrapper\":\"0\",\"stringWrapper\":\"\",\"boolWrapper\":false,\"bytesWrapper\":\"\","
     "\"doubleWrapper\":0}",
     NULL},
    {"{\"int64Wrapper\":7}", "{\"int64Wrapper\":\"7\"}"},
    {"{\"empty\":{}}", NULL},
    {"{\"durationList\":[\"1s\",\"2s\"],\"timestampByName\":{\"a\":\"1970-01-01T00:00:00Z\"}}",
     NULL},
    {"{\"child\":{\"child\":{\"int32Value\":1}},\"children\":[{}],\"hollow\":{}}", NULL},
    {"{\"Leading\":1,\"CapitalLetter\":2,\"with9digit\":3,\"doubleUnderscore\":4}", NULL},
    {"{\"_leading\":1,\"Capital_letter\":2,\"with_9digit\":3,\"double__underscore\":4}",
     "{\"Leading\":1,\"CapitalLetter\":2,\"with9digit\":3,\"doubleUnderscore\":4}"},
    {"{\"pairs\":[{\"key\":\"k\",\"value\":\"v\"}]}", NULL},
    {"{\"largestNumber\":1}", NULL},
};

/* What the error says after "line 1, column "; */
static const struct {
    const char *in, *error;
} bad[] = {
    {"", "1: the message is cut short: expected an object"},
    {"[]", "1: the message must be an object"},
    {"\"x\"", "1: the message must be an object"},
    {"{", "2: the message is cut short: expected a name in quotes"},
    {"{}{}", "3: the message has something after its end"},
    {"{,}", "2: the message is no valid JSON: expected a name in quotes"},
    {"{\"int32Value\":1,}", "17: the message is no valid JSON: expected a value after \",\""},
    {"{\"int32Value\" 1}", "15: the message is no valid JSON: expected \":\""},
    {"{\"int32Value\":1 \"leaf\":{}}", "17: the message is no valid JSON: expected \",\" or \"}\""},
    {"{int32Value:1}", "2: the message is no valid JSON: expected a name in quotes"},
    {"{'int32Value':1}", "2: the message is no valid JSON: expected a name in quotes"},
    {"{\"int32Value\":1}//", "17: the message has something after its end"},
    {"{\"none\":1}", "2: the message has no field \"none\""},
    {"{\"int32Value\\u0000\":1}", "2: the message has no field \"int32Value\\x00\""},
    {"{\"leaf\":{\"none\":1}}", "10: leaf has no field \"none\""},
    {"{\"int32Value\":1,\"int32Value\":2}", "17: the message has the field int32_value twice"},
    {"{\"int32Value\":1,\"int32_value\":2}", "17: the message has the field int32_value twice"},
    {"{\"int32Value\":null,\"int32Value\":2}", "20: the message has the field int32_value twice"},
    {"{\"choiceInt\":1,\"choiceString\":\"\"}",
     "31: choice_string is the second member of a oneof"},
    {"{\"int32Value\":2147483648}", "15: int32_value is no integer from -2147483648 to 2147483647"},
    {"{\"int32Value\":1.5}", "15: int32_value is no integer from -2147483648 to 2147483647"},
    {"{\"int32Value\":1e10}", "15: int32_value is no integer from -2147483648 to 2147483647"},
    {"{\"int32Value\":1e-1}", "15: int32_value is no integer from -2147483648 to 2147483647"},
    {"{\"int32Value\":1e999999999999}",
     "15: int32_value is no integer from -2147483648 to 2147483647"},
    {"{\"int32Value\":\"\"}", "15: int32_value is no integer from -2147483648 to 2147483647"},
    {"{\"int32Value\":\" 1\"}", "15: int32_value is no integer from -2147483648 to 2147483647"},
    {"{\"int32Value\":\"0x10\"}", "15: int32_value is no integer from -2147483648 to 2147483647"},
    {"{\"int32Value\":true}", "15: int32_value must be a number"},
    {"{\"int32Value\":01}", "15: int32_value is no valid JSON: expected a number"},
    {"{\"int32Value\":+1}", "15: int32_value is no valid JSON: expected a number"},
    {"{\"int32Value\":1.}", "15: int32_value is no valid JSON: expected a number"},
    {"{\"int32Value\":1e}", "15: int32_value is no valid JSON: expected a number"},
    {"{\"int32Value\":-}", "15: int32_value is no valid JSON: expected a number"},
    {"{\"int32Value\":1x}", "15: int32_value is no valid JSON: expected a number"},
    {"{\"int32Value\":nul}", "15: int32_value is no valid JSON: expected null"},
    {"{\"uint32Value\":-1}", "16: uint32_value is no integer from 0 to 4294967295"},
    {"{\"uint64Value\":18446744073709551616}",
     "16: uint64_value is no integer from 0 to 18446744073709551615"},
    {"{\"int64Value\":9223372036854775808}",
     "15: int64_value is no integer from -9223372036854775808 to 9223372036854775807"},
    {"{\"int64Value\":-9223372036854775809}",
     "15: int64_value is no integer from -9223372036854775808 to 9223372036854775807"},
    {"{\"doubleValue\":1e400}", "16: double_value is out of range"},
    {"{\"floatValue\":1e39}", "15: float_value is out of range"},
    {"{\"doubleValue\":NaN}", "16: double_value is no valid JSON: expected a number"},
    {"{\"doubleValue\":\"nan\"}",
     "16: double_value is no number, \"NaN\", \"Infinity\" or \"-Infinity\""},
    {"{\"boolValue\":1}", "14: bool_value must be true or false"},
    {"{\"boolValue\":\"true\"}", "14: bool_value must be true or false"},
    {"{\"boolValue\":True}", "14: bool_value is no valid JSON: expected true or false"},
    {"{\"stringValue\":1}", "16: string_value must be a string"},
    {"{\"stringValue\":\"a", "16: string_value is cut short: expected the end of the string"},
    {"{\"stringValue\":\"a\n\"}", "16: string_value holds a control character that isn't escaped"},
    {"{\"stringValue\":\"a\\u0000b\"}", "16: string_value holds a NUL character"},
    {"{\"stringValue\":\"a\xff\"}", "16: string_value is not UTF-8"},
    {"{\"stringValue\":\"\xed\xa0\x80\"}", "16: string_value is not UTF-8"},
    {"{\"stringValue\":\"\\ud800\"}", "16: string_value holds half a surrogate pair"},
    {"{\"stringValue\":\"\\udc00\"}", "16: string_value holds half a surrogate pair"},
    {"{\"stringValue\":\"\\udc00\\udc00\"}", "16: string_value holds half a surrogate pair"},
    {"{\"stringValue\":\"\\ud800\\u0041\"}", "16: string_value holds half a surrogate pair"},
    {"{\"stringValue\":\"\\x\"}",
     "16: string_value is no valid JSON: expected a known escape sequence"},
    {"{\"stringValue\":\"\\u12g4\"}",
     "16: string_value is no valid JSON: expected four hexadecimal digits after \\u"},
    {"{\"bytesValue\":\"A\"}", "15: bytes_value is no base64"},
    {"{\"bytesValue\":\"AA=\"}", "15: bytes_value is no base64"},
    {"{\"bytesValue\":\"A===\"}", "15: bytes_value is no base64"},
    {"{\"bytesValue\":\"AA AA\"}", "15: bytes_value is no base64"},
    {"{\"colour\":\"RED\"}", "11: colour is \"RED\", which is no value of grpcc.tests.Colour"},
    {"{\"colour\":1.5}", "11: colour is no integer from -2147483648 to 2147483647"},
    {"{\"leaf\":[]}", "9: leaf must be an object"},
    {"{\"int32List\":1}", "14: int32_list must be an array"},
    {"{\"int32List\":[1,null]}", "17: int32_list[1] must be a number"},
    {"{\"int32List\":[1,]}", "17: int32_list is no valid JSON: expected a value after \",\""},
    {"{\"int32List\":[1}", "16: int32_list is no valid JSON: expected \",\" or \"]\""},
    {"{\"leafList\":[{},{\"name\":1}]}", "25: leaf_list[1].name must be a string"},
    {"{\"labels\":[]}", "11: labels must be an object"},
    {"{\"labels\":{\"a\":null}}", "16: labels[\"a\"] must be a string"},
    {"{\"labels\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}}",
     "35: labels has the same key in entries 1 and 3"},
    {"{\"leafByNumber\":{\"1\":{},\"1e0\":{}}}",
     "33: leaf_by_number has the same key in entries 1 and 2"},
    {"{\"leafByNumber\":{\"x\":{}}}",
     "18: leaf_by_number[\"x\"] is no integer from -2147483648 to 2147483647"},
    {"{\"leafByNumber\":{\"1\":{\"number\":\"x\"}}}",
     "32: leaf_by_number[\"1\"].number is no integer from -2147483648 to 2147483647"},
    {"{\"doubleByBool\":{\"1\":1}}",
     "18: double_by_bool[\"1\"] has a key that is neither \"true\" nor \"false\""},
    {"{\"labels\":{\"\\u001b[2J\":1}}", "24: labels[\"\\x1b[2J\"] must be a string"},
    {"{\"duration\":\"1\"}", "13: duration is no duration such as \"90s\" or \"0.250s\""},
    {"{\"duration\":\"1.s\"}", "13: duration is no duration such as \"90s\" or \"0.250s\""},
    {"{\"duration\":\"315576000001s\"}",
     "13: duration is no duration such as \"90s\" or \"0.250s\""},
    {"{\"duration\":\"1.0000000001s\"}",
     "13: duration is no duration such as \"90s\" or \"0.250s\""},
    {"{\"duration\":\"--1s\"}", "13: duration is no duration such as \"90s\" or \"0.250s\""},
    {"{\"duration\":{}}", "13: duration must be a string"},
    {"{\"timestamp\":\"2023-02-29T00:00:00Z\"}",
     "14: timestamp is no timestamp such as \"2024-05-17T09:30:00Z\""},
    {"{\"timestamp\":\"1900-02-29T00:00:00Z\"}",
     "14: timestamp is no timestamp such as \"2024-05-17T09:30:00Z\""},
    {"{\"timestamp\":\"2023-13-01T00:00:00Z\"}",
     "14: timestamp is no timestamp such as \"2024-05-17T09:30:00Z\""},
    {"{\"timestamp\":\"2023-01-01T24:00:00Z\"}",
     "14: timestamp is no timestamp such as \"2024-05-17T09:30:00Z\""},
    {"{\"timestamp\":\"2023-01-01T00:00:60Z\"}",
     "14: timestamp is no timestamp such as \"2024-05-17T09:30:00Z\""},
    {"{\"timestamp\":\"2023-01-01T00:00:00\"}",
     "14: timestamp is no timestamp such as \"2024-05-17T09:30:00Z\""},
    {"{\"timestamp\":\"2023-01-01 00:00:00Z\"}",
     "14: timestamp is no timestamp such as \"2024-05-17T09:30:00Z\""},
    {"{\"timestamp\":\"0001-01-01T00:00:00+00:01\"}",
     "14: timestamp is no timestamp such as \"2024-05-17T09:30:00Z\""},
    {"{\"mask\":\"idle_ttl\"}", "9: mask is no list of field paths such as \"labels,idleTtl\""},
    {"{\"mask\":\"a,,b\"}", "9: mask is no list of field paths such as \"labels,idleTtl\""},
    {"{\"any\":{}}", "8: any has the type google.protobuf.Any, which can't be given in JSON here"},
    {"{\"pairs\":{\"k\":\"v\"}}", "10: pairs must be an array"},
};

static void test_good(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(good); i++) {
        heel_autofree char *result = reprint(SINK, good[i].in, strlen(good[i].in));

        CHECK_STR(result, good[i].out ? good[i].out : good[i].in);
    }
}

static void test_bad(void)
{
    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(bad); i++) {
        heel_autofree char *result = reprint(SINK, bad[i].in, strlen(bad[i].in));
        heel_autofree char *expected = heel_format("line 1, column %s", bad[i].error);

        CHECK_STR(result, expected);
    }
}

static void test_position_and_field(void)
{
    static const char text[] = "{\n  \"stringValue\": \"\xc3\xa4\", \"leafList\": [\n    "
                               "{\"name\": \"\xc3\xa4\", \"number\": true}]}";
    grpcc_autostatus struct grpcc_status *status = NULL;

    CHECK(grpcc_json_parse(SINK, text, sizeof(text) - 1, &status) == NULL);
    REQUIRE(status && status->field_count == 1);
    CHECK_STR(status->message, "line 3, column 29: leaf_list[0].number must be a number");
    CHECK_STR(status->fields[0].field, "leaf_list[0].number");
    CHECK_STR(status->fields[0].description, "must be a number");
    CHECK(grpcc_json_parse(SINK, "x", 1, NULL) == NULL);
}

static void test_depth(void)
{
    for (int levels = 63; levels <= 65; levels++) {
        heel_autobuffer struct heel_buffer text = {0};
        heel_autofree char *result = NULL;

        for (int i = 1; i < levels; i++)
            heel_buffer_append_text(&text, "{\"child\":");
        heel_buffer_append_text(&text, "{}");
        for (int i = 1; i < levels; i++)
            heel_buffer_append_text(&text, "}");
        result = reprint(SINK, text.data, text.length);
        if (levels <= 64)
            CHECK_STR(result, text.data);
        else
            CHECK(strstr(result, "child is nested too deeply") != NULL);
    }
}

static void test_layout(void)
{
    const char *text = "{\"name\":\"n\",\"labels\":{\"a\":\"1\",\"b\":\"2\"}}";
    const struct grpcc_json_options indented = {.indent = 2, .emit_defaults = true};
    ProtobufCMessage *message = grpcc_json_parse(LEAF, text, strlen(text), NULL);
    heel_autofree char *result = NULL;

    REQUIRE(message);
    result = print(message, &indented);
    CHECK_STR(result,
              "{\n  \"name\": \"n\",\n  \"number\": 0,\n  \"colour\": \"COLOUR_UNSPECIFIED\",\n"
              "  \"labels\": {\n    \"a\": \"1\",\n    \"b\": \"2\"\n  }\n}");
    protobuf_c_message_free_unpacked(message, NULL);
}

static void test_options(void)
{
    Grpcc__Tests__Leaf leaf = GRPCC__TESTS__LEAF__INIT;
    Grpcc__Tests__Sink sink = GRPCC__TESTS__SINK__INIT;
    heel_autofree char *defaults =
        print(&leaf.base, &(struct grpcc_json_options){.emit_defaults = true});
    heel_autofree char *names = NULL, *empty = NULL;

    sink.int32_value = 1;
    sink.n_string_list = 0;
    names = print(&sink.base, &(struct grpcc_json_options){.proto_names = true});
    empty = print(&leaf.base, &(struct grpcc_json_options){.indent = 4});
    CHECK_STR(defaults,
              "{\"name\":\"\",\"number\":0,\"colour\":\"COLOUR_UNSPECIFIED\",\"labels\":{}}");
    CHECK_STR(names, "{\"int32_value\":1}");
    CHECK_STR(empty, "{}");
}

/* What has no form in JSON is shown as it is. */
static void test_print_without_form(void)
{
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Protobuf__Timestamp timestamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
    Grpcc__Tests__Sink sink = GRPCC__TESTS__SINK__INIT;
    char *paths[] = {(char *)"Capital"};
    heel_autofree char *result = NULL;

    duration.seconds = 1;
    duration.nanos = -1;
    timestamp.seconds = INT64_MAX;
    mask.n_paths = 1;
    mask.paths = paths;
    sink.duration = &duration;
    sink.timestamp = &timestamp;
    sink.mask = &mask;
    sink.string_value = (char *)"a\xff\xc3"
                                "b";
    result = print(&sink.base, NULL);
    CHECK_STR(
        result,
        "{\"stringValue\":\"a\xef\xbf\xbd\xef\xbf\xbd"
        "b\",\"duration\":{\"seconds\":\"1\",\"nanos\":-1},"
        "\"timestamp\":{\"seconds\":\"9223372036854775807\"},\"mask\":{\"paths\":[\"Capital\"]}}");
}

/* A map on the wire may hold a key twice, and an entry without a value. */
static void test_print_odd_map(void)
{
    static const uint8_t wire[] = "\xca\x02\x06\x0a\x01k\x12\x01"
                                  "1\xca\x02\x06\x0a\x01k\x12\x01"
                                  "2\xd2\x02\x02\x08\x07";
    ProtobufCMessage *message = protobuf_c_message_unpack(SINK, NULL, sizeof(wire) - 1, wire);
    heel_autofree char *result = NULL;

    REQUIRE(message);
    result = print(message, NULL);
    CHECK_STR(result, "{\"labels\":{\"k\":\"2\"},\"leafByNumber\":{\"7\":{}}}");
    protobuf_c_message_free_unpacked(message, NULL);
}

static void test_legacy(void)
{
    static const struct {
        const char *in, *out;
    } legacy[] = {
        {"{\"id\":1}", NULL},
        {"{\"id\":0,\"count\":0,\"name\":\"\",\"data\":\"\",\"flag\":false}", NULL},
        {"{\"id\":1,\"packedList\":[1,2],\"inner\":{\"id\":2,\"name\":\"x\"}}", NULL},
        {"{\"name\":3}", "line 1, column 9: name must be a string"},
    };

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(legacy); i++) {
        heel_autofree char *result =
            reprint(&grpcc__tests__legacy__descriptor, legacy[i].in, strlen(legacy[i].in));

        CHECK_STR(result, legacy[i].out ? legacy[i].out : legacy[i].in);
    }
}

static void check_same(const ProtobufCMessage *one, const ProtobufCMessage *other)
{
    size_t length = protobuf_c_message_get_packed_size(one);
    heel_autofree uint8_t *bytes = heel_xmalloc(length), *other_bytes = NULL;

    if (protobuf_c_message_get_packed_size(other) != length) {
        HEEL_TEST_FAIL("%zu bytes became %zu", length, protobuf_c_message_get_packed_size(other));
        return;
    }
    other_bytes = heel_xmalloc(length);
    protobuf_c_message_pack(one, bytes);
    protobuf_c_message_pack(other, other_bytes);
    CHECK(memcmp(bytes, other_bytes, length) == 0);
}

/* Whatever is printed, in any layout, is parsed to the same bytes; and every prefix of it is an
 * error. */
static void test_round_trip(const ProtobufCMessageDescriptor *type, unsigned rounds, uint64_t seed)
{
    for (unsigned i = 0; i < rounds; i++) {
        ProtobufCMessage *message = random_message(type, 2, &seed), *parsed;
        const struct grpcc_json_options options = {
            .indent = i % 3, .emit_defaults = i % 2, .proto_names = i % 5 == 0};
        grpcc_autostatus struct grpcc_status *status = NULL;
        heel_autofree char *text = NULL;

        text = print(message, &options);
        parsed = grpcc_json_parse(type, text, strlen(text), &status);
        if (!parsed)
            HEEL_TEST_FAIL("%s\n%s", status->message, text);
        else
            check_same(message, parsed);
        protobuf_c_message_free_unpacked(message, NULL);
        protobuf_c_message_free_unpacked(parsed, NULL);
        for (unsigned cut = 0; cut < 3; cut++) {
            size_t length = random_next(&seed) % strlen(text);

            CHECK(grpcc_json_parse(type, text, length, NULL) == NULL);
        }
    }
}

/* Damaged text must be survived. */
static void test_damaged(const ProtobufCMessageDescriptor *type, unsigned rounds, uint64_t seed)
{
    for (unsigned i = 0; i < rounds; i++) {
        ProtobufCMessage *message = random_message(type, 1, &seed);
        heel_autofree char *text = print(message, NULL);
        size_t length = strlen(text);

        protobuf_c_message_free_unpacked(message, NULL);
        for (unsigned step = 0; step < 20; step++) {
            heel_autofree char *exact = heel_xmalloc(length);

            text[random_next(&seed) % length] =
                "{}[]\",:\\u0eE.-n\x80\xc3"[random_next(&seed) % 17];
            memcpy(exact, text, length);
            protobuf_c_message_free_unpacked(grpcc_json_parse(type, exact, length, NULL), NULL);
        }
    }
}

/* A decimal comma in the program's locale must not reach JSON. */
static void test_locale(void)
{
    static const char *names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR", "nl_NL.UTF-8"};

    for (size_t i = 0; i < HEEL_ARRAY_LENGTH(names); i++) {
        if (setlocale(LC_ALL, names[i])) {
            test_good();
            setlocale(LC_ALL, "C");
            return;
        }
    }
    printf("no locale with a decimal comma is installed: that check was left out\n");
}

int main(void)
{
    test_good();
    test_bad();
    test_position_and_field();
    test_depth();
    test_layout();
    test_options();
    test_print_without_form();
    test_print_odd_map();
    test_legacy();
    test_round_trip(LEAF, 300, 5);
    test_round_trip(SINK, 300, 6);
    test_round_trip(&grpcc__tests__legacy__descriptor, 300, 7);
    test_damaged(LEAF, 500, 8);
    test_damaged(SINK, 200, 9);
    test_locale();
    return heel_test_end();
}

#include "proto/runtime/status.h"

#include "base/test.h"

static struct grpcc_status *full_status(void)
{
    struct grpcc_status *status = grpcc_status_new(3, "bad \xc3\xa4rgument");

    grpcc_status_set_info(status, "heel.v1", "INVALID_FIELD");
    grpcc_status_add_metadata(status, "field", "old");
    grpcc_status_add_metadata(status, "field", "spec.level");
    grpcc_status_add_metadata(status, "empty", "");
    grpcc_status_add_field(status, "spec.level", "is unknown");
    grpcc_status_add_field(status, "spec.argv[1]", "is too long");
    grpcc_status_add_precondition(status, "LANDLOCK", "kernel", "needs ABI 4");
    grpcc_status_set_retry(status, 1500);
    return status;
}

static void check_full(const struct grpcc_status *status)
{
    CHECK_STR(status->domain, "heel.v1");
    CHECK_STR(status->reason, "INVALID_FIELD");
    CHECK_INT(status->metadata_count, 2);
    CHECK_STR(grpcc_status_metadata(status, "field"), "spec.level");
    CHECK_STR(grpcc_status_metadata(status, "empty"), "");
    CHECK_STR(grpcc_status_metadata(status, "none"), NULL);
    REQUIRE(status->field_count == 2);
    CHECK_STR(status->fields[0].field, "spec.level");
    CHECK_STR(status->fields[1].description, "is too long");
    REQUIRE(status->precondition_count == 1);
    CHECK_STR(status->preconditions[0].type, "LANDLOCK");
    CHECK_STR(status->preconditions[0].subject, "kernel");
    CHECK_STR(status->preconditions[0].description, "needs ABI 4");
    CHECK_INT(status->retry_delay_ms, 1500);
}

static void test_round_trip(void)
{
    grpcc_autostatus struct grpcc_status *sent = full_status();
    grpcc_autostatus struct grpcc_status *received = grpcc_status_new(3, "from the other header");
    heel_autofree uint8_t *details = NULL;
    size_t length = 0;

    check_full(sent);
    details = grpcc_status_encode_details(sent, &length);
    REQUIRE(details);
    grpcc_status_decode_details(received, details, length);
    check_full(received);
    CHECK_STR(received->message, "from the other header");
}

/* What every other language's decoder expects, byte by byte. */
static void test_wire_form(void)
{
    static const char expected[] =
        "\x08\x0e\x12\x01m\x1a\x30\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
        "\x12\x04\x0a\x02\x08\x03";
    grpcc_autostatus struct grpcc_status *status = grpcc_status_new(14, "m");
    heel_autofree uint8_t *details = NULL;
    size_t length = 0;

    grpcc_status_set_retry(status, 3000);
    details = grpcc_status_encode_details(status, &length);
    REQUIRE(details && length == sizeof(expected) - 1);
    CHECK(memcmp(details, expected, length) == 0);
}

static void test_no_details(void)
{
    grpcc_autostatus struct grpcc_status *status = grpcc_status_new(5, NULL);
    size_t length = 77;

    CHECK_STR(status->message, "");
    CHECK(grpcc_status_encode_details(status, &length) == NULL);
    CHECK_INT(length, 77);
    grpcc_status_free(NULL);
}

/* Every prefix and every changed byte of valid details must be survived; sanitizers watch. */
static void test_malformed(void)
{
    grpcc_autostatus struct grpcc_status *sent = full_status();
    heel_autofree uint8_t *details = NULL;
    size_t length = 0;

    details = grpcc_status_encode_details(sent, &length);
    for (size_t cut = 0; cut < length; cut++) {
        grpcc_autostatus struct grpcc_status *received = grpcc_status_new(3, "");
        heel_autofree uint8_t *copy = malloc(cut ? cut : 1);

        memcpy(copy, details, cut);
        grpcc_status_decode_details(received, copy, cut);
    }
    for (size_t at = 0; at < length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            grpcc_autostatus struct grpcc_status *received = grpcc_status_new(3, "");

            details[at] ^= (uint8_t)(1 << bit);
            grpcc_status_decode_details(received, details, length);
            details[at] ^= (uint8_t)(1 << bit);
            CHECK_STR(received->message, "");
        }
    }
}

static void test_unknown_detail_is_skipped(void)
{
    static const uint8_t details[] = "\x1a\x06\x0a\x01x\x12\x01y\x1a\x02\x08\x07\x20\x05";
    grpcc_autostatus struct grpcc_status *status = grpcc_status_new(2, "m");

    grpcc_status_decode_details(status, details, sizeof(details) - 1);
    CHECK_STR(status->reason, NULL);
    CHECK_INT(status->code, 2);
    CHECK_INT(status->retry_delay_ms, -1);
}

int main(void)
{
    test_round_trip();
    test_wire_form();
    test_no_details();
    test_malformed();
    test_unknown_detail_is_skipped();
    return heel_test_end();
}

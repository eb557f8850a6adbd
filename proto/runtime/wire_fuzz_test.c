/* Damaged messages, always the same ones: what passes the check is unpacked, packed again and freed
 * under the sanitizers' eyes. */
#include "base/test.h"
#include "proto/runtime/tests/random_message.h"
#include "proto/runtime/wire.h"
#include "runtime/tests/kitchen_sink.pb-c.h"
#include "runtime/tests/legacy.pb-c.h"

static const struct grpcc_wire_limits limits = {.max_depth = 8, .max_elements = 20000};

static size_t passed, refused;

static void try(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t length)
{
    heel_autofree uint8_t *copy = heel_xmalloc(length), *again = NULL;
    grpcc_autostatus struct grpcc_status *status = NULL;
    heel_autobuffer struct heel_buffer path = {0};
    ProtobufCMessage *message;
    bool unknown_enum;

    memcpy(copy, data, length);
    if (grpcc_wire_check(descriptor, copy, length, &limits, &status)) {
        refused++;
        CHECK(status && status->code == 3);
        return;
    }
    passed++;
    message = protobuf_c_message_unpack(descriptor, NULL, length, copy);
    if (!message) {
        CHECK(descriptor ==
              &grpcc__tests__legacy__descriptor); /* a required field may be missing */
        return;
    }
    grpcc_message_find_unknown(message, &path, &unknown_enum);
    again = heel_xmalloc(protobuf_c_message_get_packed_size(message));
    length = protobuf_c_message_pack(message, again);
    CHECK_INT(grpcc_wire_check(descriptor, again, length, &limits, NULL), 0);
    protobuf_c_message_free_unpacked(message, NULL);
}

/* One of: a flipped bit, a random byte, a copied range, a removed range, a cut. */
static size_t damage(uint8_t *data, size_t length, uint64_t *state)
{
    size_t at = random_next(state) % length, other = random_next(state) % length;
    size_t span = random_next(state) % 16;

    if (at + span > length || other + span > length)
        span = 0;
    switch (random_next(state) % 5) {
    case 0:
        data[at] ^= (uint8_t)(1u << (random_next(state) % 8));
        return length;
    case 1:
        data[at] = (uint8_t)random_next(state);
        return length;
    case 2:
        memmove(data + at, data + other, span);
        return length;
    case 3:
        memmove(data + at, data + at + span, length - at - span);
        return length - span;
    default:
        return at;
    }
}

static void fuzz(const ProtobufCMessageDescriptor *descriptor, unsigned rounds, uint64_t seed)
{
    for (unsigned round = 0; round < rounds; round++) {
        ProtobufCMessage *message = random_message(descriptor, 3, &seed);
        size_t length = protobuf_c_message_get_packed_size(message);
        heel_autofree uint8_t *data = heel_xmalloc(length);

        CHECK_INT(protobuf_c_message_pack(message, data), length);
        protobuf_c_message_free_unpacked(message, NULL);
        if (length > 30000)
            continue;
        CHECK_INT(grpcc_wire_check(descriptor, data, length, &limits, NULL), 0);
        for (unsigned step = 0; step < 40 && length > 0; step++) {
            length = damage(data, length, &seed);
            try(descriptor, data, length);
        }
    }
}

int main(void)
{
    fuzz(&grpcc__tests__leaf__descriptor, 1500, 1);
    fuzz(&grpcc__tests__sink__descriptor, 400, 2);
    fuzz(&grpcc__tests__legacy__descriptor, 800, 3);
    printf("%zu passed the check, %zu were refused\n", passed, refused);
    CHECK(passed > 1000);
    CHECK(refused > 1000);
    return heel_test_end();
}

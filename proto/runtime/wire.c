#include "proto/runtime/wire.h"

#include <stdio.h>
#include <string.h>

#include "proto/runtime/wire_format.h"

#define INVALID_ARGUMENT 3

static const struct grpcc_wire_limits default_limits = {.max_depth = 32, .max_elements = 262144};

struct walk {
    struct grpcc_wire_limits limits;
    size_t elements;             /* seen so far */
    struct grpcc_status *status; /* owned; set once, by refuse() */
};

/* A message that is being walked. The frames form a chain from the innermost one out, from which a
 * refusal names the path. */
struct frame {
    const struct frame *parent; /* NULL for the outermost */
    const ProtobufCMessageDescriptor *descriptor;
    const uint8_t *start;
    struct grpcc_wire_reader reader;
    struct grpcc_wire_field wire; /* the field that is being looked at; number 0 before the first */
    const ProtobufCFieldDescriptor *field; /* its descriptor, or NULL */
};

/* How many fields with the number of the current one came before it. */
static size_t current_index(const struct frame *frame)
{
    struct grpcc_wire_reader reader = {frame->start, frame->reader.end};
    struct grpcc_wire_field wire;
    const char *problem;
    size_t index = 0;

    while (grpcc_wire_read(&reader, &wire, &problem) == 1 && reader.at < frame->reader.at)
        index += wire.number == frame->wire.number;
    return index;
}

static void append_path(const struct frame *frame, struct heel_buffer *path)
{
    if (frame->parent)
        append_path(frame->parent, path);
    if (frame->wire.number == 0)
        return;
    if (path->length)
        heel_buffer_append_text(path, ".");
    if (!frame->field) {
        heel_buffer_printf(path, "%u", frame->wire.number);
        return;
    }
    heel_buffer_append_text(path, frame->field->name);
    if (frame->field->label == PROTOBUF_C_LABEL_REPEATED)
        heel_buffer_printf(path, "[%zu]", current_index(frame));
}

static int refuse(struct walk *walk, const struct frame *frame, const char *problem)
{
    heel_autobuffer struct heel_buffer path = {0};
    heel_autofree char *message = NULL;

    append_path(frame, &path);
    message = heel_format("%s %s", path.length ? path.data : "the message", problem);
    walk->status = grpcc_status_new(INVALID_ARGUMENT, message);
    grpcc_status_set_info(walk->status, GRPCC_STATUS_DOMAIN, "INVALID_MESSAGE");
    if (path.length)
        grpcc_status_add_field(walk->status, path.data, problem);
    return -1;
}

/* Most text is ASCII: eight bytes at a time. */
static size_t ascii_prefix(const uint8_t *data, size_t length)
{
    size_t done = 0;

    for (; length - done >= sizeof(uint64_t); done += sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, data + done, sizeof(word));
        if (word & 0x8080808080808080u)
            break;
    }
    return done;
}

static int check_string(struct walk *walk, const struct frame *frame)
{
    const struct grpcc_wire_field *wire = &frame->wire;
    size_t ascii = ascii_prefix(wire->data, wire->length);

    if (memchr(wire->data, '\0', wire->length))
        return refuse(walk, frame, "holds a NUL character");
    if (!heel_utf8_valid((const char *)wire->data + ascii, wire->length - ascii))
        return refuse(walk, frame, "is not UTF-8");
    return 0;
}

static enum grpcc_wire_type wire_type_of(ProtobufCType type)
{
    static const enum grpcc_wire_type types[] = {
        [PROTOBUF_C_TYPE_INT32] = GRPCC_WIRE_VARINT,
        [PROTOBUF_C_TYPE_SINT32] = GRPCC_WIRE_VARINT,
        [PROTOBUF_C_TYPE_SFIXED32] = GRPCC_WIRE_FIXED32,
        [PROTOBUF_C_TYPE_INT64] = GRPCC_WIRE_VARINT,
        [PROTOBUF_C_TYPE_SINT64] = GRPCC_WIRE_VARINT,
        [PROTOBUF_C_TYPE_SFIXED64] = GRPCC_WIRE_FIXED64,
        [PROTOBUF_C_TYPE_UINT32] = GRPCC_WIRE_VARINT,
        [PROTOBUF_C_TYPE_FIXED32] = GRPCC_WIRE_FIXED32,
        [PROTOBUF_C_TYPE_UINT64] = GRPCC_WIRE_VARINT,
        [PROTOBUF_C_TYPE_FIXED64] = GRPCC_WIRE_FIXED64,
        [PROTOBUF_C_TYPE_FLOAT] = GRPCC_WIRE_FIXED32,
        [PROTOBUF_C_TYPE_DOUBLE] = GRPCC_WIRE_FIXED64,
        [PROTOBUF_C_TYPE_BOOL] = GRPCC_WIRE_VARINT,
        [PROTOBUF_C_TYPE_ENUM] = GRPCC_WIRE_VARINT,
        [PROTOBUF_C_TYPE_STRING] = GRPCC_WIRE_BYTES,
        [PROTOBUF_C_TYPE_BYTES] = GRPCC_WIRE_BYTES,
        [PROTOBUF_C_TYPE_MESSAGE] = GRPCC_WIRE_BYTES,
    };

    return types[type];
}

static int count_elements(struct walk *walk, const struct frame *frame, size_t count)
{
    if (count > walk->limits.max_elements - walk->elements)
        return refuse(walk, frame, "has too many elements");
    walk->elements += count;
    return 0;
}

/* Fixed-width elements are counted by their length, varints one by one. */
static int check_packed(struct walk *walk, const struct frame *frame)
{
    struct grpcc_wire_reader packed = {frame->wire.data, frame->wire.data + frame->wire.length};
    enum grpcc_wire_type type = wire_type_of(frame->field->type);
    size_t count = 0;
    uint64_t value;

    if (type != GRPCC_WIRE_VARINT) {
        size_t size = type == GRPCC_WIRE_FIXED32 ? 4 : 8;

        if (frame->wire.length % size)
            return refuse(walk, frame, "has a length that is no multiple of its elements'");
        return count_elements(walk, frame, frame->wire.length / size);
    }
    for (; packed.at < packed.end; count++)
        if (!grpcc_wire_read_varint(&packed, &value))
            return refuse(walk, frame, "has a malformed varint");
    return count_elements(walk, frame, count);
}

static int check_message(struct walk *walk, struct frame *frame, unsigned depth);

static int check_submessage(struct walk *walk, struct frame *frame, unsigned depth)
{
    const uint8_t *data = frame->wire.data;
    struct frame inner = {
        .parent = frame,
        .descriptor = frame->field->descriptor,
        .start = data,
        .reader = {data, data + frame->wire.length},
    };

    if (depth >= walk->limits.max_depth)
        return refuse(walk, frame, "is nested too deeply");
    return check_message(walk, &inner, depth + 1);
}

static int check_value(struct walk *walk, struct frame *frame, unsigned depth)
{
    const ProtobufCFieldDescriptor *field = frame->field;
    enum grpcc_wire_type expected = wire_type_of(field->type);

    if (frame->wire.type != expected) {
        if (field->label == PROTOBUF_C_LABEL_REPEATED && frame->wire.type == GRPCC_WIRE_BYTES)
            return check_packed(walk, frame);
        return refuse(walk, frame, "has another type on the wire than it is declared with");
    }
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return check_string(walk, frame);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return check_submessage(walk, frame, depth);
    return 0;
}

/* True the second time for a message-typed field that isn't repeated. `seen` has a bit for each
 * field of the message. */
static bool is_second_message(const struct frame *frame, uint8_t *seen)
{
    size_t index = (size_t)(frame->field - frame->descriptor->fields);
    uint8_t bit = (uint8_t)(1u << (index % 8));
    bool before;

    if (frame->field->type != PROTOBUF_C_TYPE_MESSAGE ||
        frame->field->label == PROTOBUF_C_LABEL_REPEATED)
        return false;
    before = (seen[index / 8] & bit) != 0;
    seen[index / 8] |= bit;
    return before;
}

/* Recursion is bounded by max_depth; `seen` has its size from the generated code, not from the
 * peer. */
static int check_message(struct walk *walk, struct frame *frame, unsigned depth)
{
    uint8_t seen[frame->descriptor->n_fields / 8 + 1];
    const char *problem;
    int more;

    memset(seen, 0, sizeof(seen));
    while ((more = grpcc_wire_read(&frame->reader, &frame->wire, &problem)) == 1) {
        frame->field = protobuf_c_message_descriptor_get_field(frame->descriptor,
                                                               frame->wire.number);
        if (count_elements(walk, frame, 1))
            return -1;
        if (!frame->field)
            continue;
        if (is_second_message(frame, seen))
            return refuse(walk, frame, "is given twice");
        if (check_value(walk, frame, depth))
            return -1;
    }
    if (more < 0) {
        frame->field = protobuf_c_message_descriptor_get_field(frame->descriptor,
                                                               frame->wire.number);
        return refuse(walk, frame, problem);
    }
    return 0;
}

int grpcc_wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
                     size_t length, const struct grpcc_wire_limits *limits,
                     struct grpcc_status **status)
{
    struct walk walk = {.limits = limits ? *limits : default_limits};
    struct frame outermost = {
        .descriptor = descriptor,
        .start = data,
        .reader = {data, data + length},
    };

    if (check_message(&walk, &outermost, 1) == 0)
        return 0;
    if (status)
        *status = walk.status;
    else
        grpcc_status_free(walk.status);
    return -1;
}

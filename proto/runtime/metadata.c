#include "proto/runtime/internal.h"

#include <string.h>

int grpcc_outgoing_add(struct grpcc_outgoing *outgoing, const char *key, const void *value,
                       size_t length)
{
    grpc_metadata entry = {.key = grpc_slice_from_copied_string(key),
                           .value = grpc_slice_from_copied_buffer(value, length)};

    if (!grpc_header_key_is_legal(entry.key) ||
        (!grpc_is_binary_header(entry.key) && !grpc_header_nonbin_value_is_legal(entry.value))) {
        grpc_slice_unref(entry.key);
        grpc_slice_unref(entry.value);
        return -1;
    }
    outgoing->entries =
        heel_xrealloc(outgoing->entries, outgoing->count + 1, sizeof(*outgoing->entries));
    outgoing->entries[outgoing->count++] = entry;
    return 0;
}

void grpcc_outgoing_clear(struct grpcc_outgoing *outgoing)
{
    for (size_t i = 0; i < outgoing->count; i++) {
        grpc_slice_unref(outgoing->entries[i].key);
        grpc_slice_unref(outgoing->entries[i].value);
    }
    free(outgoing->entries);
    *outgoing = (struct grpcc_outgoing){0};
}

void grpcc_incoming_init(struct grpcc_incoming *incoming)
{
    *incoming = (struct grpcc_incoming){0};
    grpc_metadata_array_init(&incoming->array);
}

/* Copies a slice to `*at` with a NUL behind it, and moves *at past that. */
static const char *copy_text(grpc_slice slice, char **at)
{
    char *copy = *at;
    size_t length = GRPC_SLICE_LENGTH(slice);

    memcpy(copy, GRPC_SLICE_START_PTR(slice), length);
    copy[length] = '\0';
    *at += length + 1;
    return copy;
}

/* gRPC's slices end in no NUL. One block of memory holds the entries and all their text. */
static void copy_entries(struct grpcc_incoming *incoming)
{
    const grpc_metadata_array *array = &incoming->array;
    size_t bytes = 0;
    char *at;

    if (incoming->entries)
        return;
    for (size_t i = 0; i < array->count; i++)
        bytes += GRPC_SLICE_LENGTH(array->metadata[i].key) +
                 GRPC_SLICE_LENGTH(array->metadata[i].value) + 2;
    incoming->entries = heel_xmalloc(array->count * sizeof(*incoming->entries) + bytes);
    incoming->count = array->count;
    at = (char *)(incoming->entries + array->count);
    for (size_t i = 0; i < array->count; i++) {
        incoming->entries[i].key = copy_text(array->metadata[i].key, &at);
        incoming->entries[i].value = copy_text(array->metadata[i].value, &at);
        incoming->entries[i].length = GRPC_SLICE_LENGTH(array->metadata[i].value);
    }
}

const struct grpcc_metadata *grpcc_incoming_find(struct grpcc_incoming *incoming, const char *key)
{
    copy_entries(incoming);
    for (size_t i = 0; i < incoming->count; i++)
        if (strcmp(incoming->entries[i].key, key) == 0)
            return &incoming->entries[i];
    return NULL;
}

void grpcc_incoming_report(struct grpcc_incoming *incoming,
                           const struct grpcc_call_options *options, bool trailing)
{
    if (!options || !options->on_metadata)
        return;
    copy_entries(incoming);
    for (size_t i = 0; i < incoming->count; i++)
        options->on_metadata(&incoming->entries[i], trailing, options->on_metadata_data);
}

void grpcc_incoming_clear(struct grpcc_incoming *incoming)
{
    free(incoming->entries);
    grpc_metadata_array_destroy(&incoming->array);
    *incoming = (struct grpcc_incoming){0};
}

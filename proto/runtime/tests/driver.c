#include "proto/runtime/tests/driver.h"

#include <stdio.h>

#include "base/test.h"
#include "base/text.h"

/* Every call into the runtime goes through this, every callback checks that it is not inside one.
 */
#define INTO_RUNTIME(driver, call) \
    do { \
        bool was_inside = (driver)->inside; \
        (driver)->inside = true; \
        call; \
        (driver)->inside = was_inside; \
    } while (0)

static void enter_callback(struct driver *driver)
{
    CHECK(!driver->inside);
    CHECK(!driver->over);
}

static void note_end(struct driver *driver, const struct grpcc_status *status)
{
    driver->over = true;
    driver->code = status ? status->code : 0;
    if (!driver->code)
        return;
    snprintf(driver->text, sizeof(driver->text), "%s", status->message);
    driver->status = grpcc_status_new(status->code, status->message);
    if (status->reason)
        grpcc_status_set_info(driver->status, status->domain, status->reason);
    for (size_t i = 0; i < status->metadata_count; i++)
        grpcc_status_add_metadata(driver->status, status->metadata[i].key,
                                  status->metadata[i].value);
    for (size_t i = 0; i < status->field_count; i++)
        grpcc_status_add_field(driver->status, status->fields[i].field,
                               status->fields[i].description);
    for (size_t i = 0; i < status->precondition_count; i++)
        grpcc_status_add_precondition(driver->status, status->preconditions[i].type,
                                      status->preconditions[i].subject,
                                      status->preconditions[i].description);
    grpcc_status_set_retry(driver->status, status->retry_delay_ms);
}

static void check_payload(const struct driver *driver, const Grpcc__Echo__EchoResponse *response)
{
    if (driver->kind == GRPCC_CLIENT_STREAMING)
        return;
    CHECK_INT(response->payload.len, driver->payload);
    CHECK(response->payload.len == 0 ||
          memcmp(response->payload.data, driver->bytes, driver->payload) == 0);
}

static void next_request(struct driver *driver, Grpcc__Echo__EchoRequest *request)
{
    grpcc__echo__echo_request__init(request);
    request->payload = (ProtobufCBinaryData){driver->payload, driver->bytes};
    request->count = driver->messages;
    driver->left -= driver->left > 0;
    if (!driver->left)
        request->fail_code = driver->fail_code;
}

/* ---- streams ---- */

static void write_next(struct driver *driver);
static void read_next(struct driver *driver);

static void on_written(struct grpcc_stream *stream, bool ok, void *data)
{
    struct driver *driver = data;

    (void)stream;
    enter_callback(driver);
    CHECK(driver->writing);
    driver->writing = false;
    if (!ok)
        return;
    driver->written++;
    /* A chat's echo may have been faster than the completion of the write. */
    if (driver->kind == GRPCC_CLIENT_STREAMING ||
        driver->received == driver->messages - driver->left)
        write_next(driver);
}

static void write_next(struct driver *driver)
{
    Grpcc__Echo__EchoRequest request;

    if (!driver->left) {
        if (!driver->never_half_closes)
            INTO_RUNTIME(driver, grpcc_stream_half_close(driver->stream));
        return;
    }
    next_request(driver, &request);
    driver->writing = true;
    if (driver->kind == GRPCC_CLIENT_STREAMING)
        INTO_RUNTIME(driver, grpcc_echo_echo_service_collect_write_request(driver->stream, &request,
                                                                           on_written));
    else
        INTO_RUNTIME(driver, grpcc_echo_echo_service_chat_write_request(driver->stream, &request,
                                                                        on_written));
}

static void on_response(struct grpcc_stream *stream, const Grpcc__Echo__EchoResponse *response,
                        void *data)
{
    struct driver *driver = data;

    CHECK(stream == driver->stream);
    enter_callback(driver);
    CHECK(driver->reading);
    driver->reading = false;
    if (!response) {
        driver->ended_by_null = true;
        return;
    }
    driver->received++;
    driver->last_index = response->index;
    check_payload(driver, response);
    if (driver->kind == GRPCC_BIDI_STREAMING && !driver->writing)
        write_next(driver);
    read_next(driver);
}

static void read_next(struct driver *driver)
{
    driver->reading = true;
    if (driver->kind == GRPCC_CLIENT_STREAMING)
        INTO_RUNTIME(driver,
                     grpcc_echo_echo_service_collect_read_response(driver->stream, on_response));
    else if (driver->kind == GRPCC_SERVER_STREAMING)
        INTO_RUNTIME(driver,
                     grpcc_echo_echo_service_repeat_read_response(driver->stream, on_response));
    else
        INTO_RUNTIME(driver,
                     grpcc_echo_echo_service_chat_read_response(driver->stream, on_response));
}

static void on_status(struct grpcc_stream *stream, const struct grpcc_status *status, void *data)
{
    struct driver *driver = data;

    CHECK(stream == driver->stream);
    enter_callback(driver);
    CHECK(!driver->reading);
    CHECK(!driver->writing);
    driver->echoed_trailer = grpcc_call_trailer(grpcc_stream_call(stream), "echoed-binary-bin");
    note_end(driver, status);
}

static void open_stream(struct driver *driver)
{
    struct grpcc_channel *channel = driver->fixture->channel;
    struct grpcc_queue *queue = driver->fixture->queue;
    Grpcc__Echo__EchoRequest request;

    if (driver->kind == GRPCC_SERVER_STREAMING) {
        driver->left = 1;
        next_request(driver, &request);
        INTO_RUNTIME(driver, driver->stream = grpcc_echo_echo_service_repeat_open(
                                 channel, queue, &request, &driver->options, on_status, driver));
    } else if (driver->kind == GRPCC_CLIENT_STREAMING) {
        INTO_RUNTIME(driver, driver->stream = grpcc_echo_echo_service_collect_open(
                                 channel, queue, &driver->options, on_status, driver));
    } else {
        INTO_RUNTIME(driver, driver->stream = grpcc_echo_echo_service_chat_open(
                                 channel, queue, &driver->options, on_status, driver));
    }
    if (driver->kind != GRPCC_SERVER_STREAMING)
        write_next(driver);
    if (!driver->never_reads)
        read_next(driver);
}

/* ---- unary ---- */

static void on_reply(const Grpcc__Echo__EchoResponse *response, const struct grpcc_status *status,
                     void *data)
{
    struct driver *driver = data;

    enter_callback(driver);
    CHECK((response == NULL) != (status == NULL));
    if (response) {
        driver->received++;
        check_payload(driver, response);
    }
    note_end(driver, status);
}

static void start_unary(struct driver *driver)
{
    Grpcc__Echo__EchoRequest request;

    driver->left = 1;
    next_request(driver, &request);
    INTO_RUNTIME(driver, driver->call = grpcc_echo_echo_service_unary_start(
                             driver->fixture->channel, driver->fixture->queue, &request,
                             &driver->options, on_reply, driver));
}

/* ---- all kinds ---- */

void driver_start(struct driver *driver, struct fixture *fixture)
{
    driver->fixture = fixture;
    driver->left = driver->messages;
    driver->bytes = heel_xmalloc(driver->payload);
    for (size_t i = 0; i < driver->payload; i++)
        driver->bytes[i] = (uint8_t)(i * 7);
    if (driver->kind == GRPCC_UNARY)
        start_unary(driver);
    else
        open_stream(driver);
}

void driver_cancel(struct driver *driver)
{
    if (driver->over)
        return;
    if (driver->stream)
        INTO_RUNTIME(driver, grpcc_stream_cancel(driver->stream));
    else
        INTO_RUNTIME(driver, grpcc_call_cancel(driver->call));
}

void driver_resume_reading(struct driver *driver)
{
    read_next(driver);
}

void driver_run(struct driver *driver)
{
    fixture_run_until(driver->fixture, &driver->over);
    free(heel_steal(driver->bytes));
}

void driver_clear(struct driver *driver)
{
    grpcc_status_free(heel_steal(driver->status));
    free(heel_steal(driver->bytes));
}

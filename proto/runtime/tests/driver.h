/* A client call of any kind that goes through its whole life by itself, and checks every promise
 * about callbacks on the way: none from inside a call into the runtime, one for each operation, the
 * status last and once. */
#ifndef GRPCC_TESTS_DRIVER_H
#define GRPCC_TESTS_DRIVER_H

#include "proto/runtime/tests/fixture.h"

enum { DRIVER_TEXT = 64 };

struct driver {
    /* To be filled in before driver_start. */
    enum grpcc_kind kind;
    unsigned messages; /* to send, or to ask for */
    size_t payload;    /* bytes of each */
    int fail_code;     /* of the last message sent */
    bool never_reads;
    bool never_half_closes;
    struct grpcc_call_options options;

    /* What came of it. */
    bool over;
    int code;
    char text[DRIVER_TEXT];
    struct grpcc_status
        *status; /* owned: a copy of what matters for the details; NULL unless it failed */
    unsigned written;
    unsigned received;
    unsigned last_index;
    bool ended_by_null;
    bool echoed_trailer; /* streams: the server's echo of binary metadata came */

    /* Inner state. */
    struct fixture *fixture;
    struct grpcc_stream *stream;
    struct grpcc_client_call *call;
    uint8_t *bytes;
    unsigned left;
    bool inside;
    bool reading;
    bool writing;
};

void driver_start(struct driver *driver, struct fixture *fixture);

/* Nothing if it is over. */
void driver_cancel(struct driver *driver);

/* Of a call that was started with never_reads. */
void driver_resume_reading(struct driver *driver);

/* Steps until it is over, then frees what it holds; `code` and the like stay. */
void driver_run(struct driver *driver);
void driver_clear(struct driver *driver);

#endif

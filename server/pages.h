/* Pages of a list: AIP-158's page_size and page_token, bounded in bytes besides. */
#ifndef HEEL_SERVER_PAGES_H
#define HEEL_SERVER_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct page {
    uint64_t after; /* sequence of the last entry of the page before */
    size_t size;    /* the most entries */
    size_t count;   /* entries so far */
    size_t bytes;   /* of them */
};

/* Of a request. 0, or -1 and *err. */
int page_open(struct page *page, int32_t page_size, const char *page_token,
              struct heel_error **err);

/* -1 and *err: the request's states[index] is UNSPECIFIED, or none that is known here. */
int page_refuse_state(size_t index, struct heel_error **err);

/* Whether one more entry, of so many packed bytes, fits; if so it is counted. An empty page takes
 * an entry of any size. */
bool page_takes(struct page *page, size_t bytes);

/* The token of the page after the entry with this sequence; owned by the caller. */
char *page_token(uint64_t last);

#endif

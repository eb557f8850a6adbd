#include "server/pages.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"

#define DEFAULT_PAGE_SIZE 100
#define MAX_PAGE_SIZE 1000
#define MAX_PAGE_BYTES (1000u * 1024) /* answers stay under 1 MiB */
#define ENTRY_BYTES 8                 /* tag and length of one entry in the page */

static int parse_token(const char *token, uint64_t *after, struct heel_error **err)
{
    char *end;

    if (token[0] == '\0')
        return 0;
    errno = 0;
    *after = strtoull(token, &end, 10);
    if (*end != '\0' || token[0] < '0' || token[0] > '9' || errno == ERANGE)
        return heel_error_set_field(err, "page_token",
                                    "page_token must be a next_page_token of an earlier answer");
    return 0;
}

int page_refuse_state(size_t index, struct heel_error **err)
{
    heel_autofree char *field = heel_format("states[%zu]", index);

    return heel_error_set_field(err, field, "%s must be a state that this server knows", field);
}

int page_open(struct page *page, int32_t page_size, const char *page_token, struct heel_error **err)
{
    uint64_t after = 0;

    if (page_size < 0)
        return heel_error_set_field(err, "page_size", "page_size must not be negative");
    if (parse_token(page_token, &after, err) < 0)
        return -1;
    *page = (struct page){
        .after = after,
        .size = page_size == 0              ? DEFAULT_PAGE_SIZE
                : page_size > MAX_PAGE_SIZE ? MAX_PAGE_SIZE
                                            : (size_t)page_size,
    };
    return 0;
}

bool page_takes(struct page *page, size_t bytes)
{
    if (page->count > 0 &&
        (page->count == page->size || page->bytes + bytes + ENTRY_BYTES > MAX_PAGE_BYTES))
        return false;
    page->count++;
    page->bytes += bytes + ENTRY_BYTES;
    return true;
}

char *page_token(uint64_t last)
{
    return heel_format("%llu", (unsigned long long)last);
}

/* What was found out about the host, as bytes, on its way from the launcher to heeld. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/linux/confine/host.h"

#define CHECKS_MAX 64

struct reader {
    const char *data;
    size_t left;
    bool bad;
};

static void put_number(struct heel_buffer *to, uint32_t value)
{
    heel_buffer_append(to, &value, sizeof(value));
}

static void put_text(struct heel_buffer *to, const char *text)
{
    put_number(to, (uint32_t)strlen(text) + 1);
    heel_buffer_append(to, text, strlen(text) + 1);
}

static uint32_t get_number(struct reader *from)
{
    uint32_t value = 0;

    if (from->bad || from->left < sizeof(value)) {
        from->bad = true;
        return 0;
    }
    memcpy(&value, from->data, sizeof(value));
    from->data += sizeof(value);
    from->left -= sizeof(value);
    return value;
}

/* Borrowed from the bytes; "" once anything was wrong. */
static const char *get_text(struct reader *from)
{
    size_t size = get_number(from);
    const char *text = from->data;

    if (from->bad || size == 0 || size > from->left || memchr(text, 0, size) != text + size - 1) {
        from->bad = true;
        return "";
    }
    from->data += size;
    from->left -= size;
    return text;
}

void heel_host_info_encode(const struct heel_host_info *info, struct heel_buffer *to)
{
    put_text(to, info->kernel_release);
    put_number(to, info->landlock_abi);
    put_number(to, info->namespaces);
    put_number(to, info->supported);
    put_number(to, (uint32_t)info->check_count);
    for (size_t i = 0; i < info->check_count; i++) {
        const struct heel_host_check *check = &info->checks[i];

        put_number(to, check->required);
        put_number(to, check->passed);
        put_text(to, check->name);
        put_text(to, check->have);
        put_text(to, check->need);
        put_text(to, check->remedy);
    }
}

/* The strings of a check live behind its `have`, which heel_host_info_clear() frees. */
static void get_check(struct reader *from, struct heel_host_check *check)
{
    const char *texts[4];
    size_t sizes[4], total = 0, at = 0;
    char *room;

    check->required = get_number(from) != 0;
    check->passed = get_number(from) != 0;
    for (size_t i = 0; i < 4; i++)
        texts[i == 0   ? 1
              : i == 1 ? 0
                       : i] = get_text(from); /* have first, as it is what is freed */
    for (size_t i = 0; i < 4; i++)
        total += sizes[i] = strlen(texts[i]) + 1;
    room = heel_xmalloc(total);
    for (size_t i = 0; i < 4; at += sizes[i++])
        memcpy(room + at, texts[i], sizes[i]);
    check->have = room;
    check->name = room + sizes[0];
    check->need = check->name + sizes[1];
    check->remedy = check->need + sizes[2];
}

int heel_host_info_decode(const void *data, size_t length, struct heel_host_info *info,
                          struct heel_error **err)
{
    struct reader from = {.data = data, .left = length};
    struct heel_host_info made = {.backend = "linux"};
    size_t count;

    strncpy(made.kernel_release, get_text(&from), sizeof(made.kernel_release) - 1);
    made.landlock_abi = get_number(&from);
    made.namespaces = get_number(&from) != 0;
    made.supported = get_number(&from) != 0;
    count = get_number(&from);
    if (count > CHECKS_MAX)
        from.bad = true;
    if (!from.bad)
        made.checks = heel_xcalloc(count + 1, sizeof(*made.checks));
    while (!from.bad && made.check_count < count)
        get_check(&from, &made.checks[made.check_count++]);
    if (from.bad || from.left > 0) {
        heel_host_info_clear(&made);
        return heel_error_set(err, HEEL_INTERNAL, "INTERNAL",
                              "the launcher's report on the host is damaged");
    }
    *info = made;
    return 0;
}

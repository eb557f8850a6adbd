/* What was found out about the host, as bytes, on its way from the launcher to heeld. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/linux/confine/host.h"
#include "backends/linux/messages/codec.h"

#define CHECKS_MAX 64

/* "" once anything was wrong. */
static const char *get_text(struct heel_reader *from)
{
    const char *text = heel_get_string(from);

    if (!text)
        from->failed = true;
    return text ? text : "";
}

void heel_host_info_encode(const struct heel_host_info *info, struct heel_buffer *to)
{
    heel_put_string(to, info->kernel_release);
    heel_put_u32(to, info->landlock_abi);
    heel_put_u32(to, info->namespaces);
    heel_put_u32(to, info->supported);
    heel_put_u32(to, (uint32_t)info->check_count);
    for (size_t i = 0; i < info->check_count; i++) {
        const struct heel_host_check *check = &info->checks[i];

        heel_put_u32(to, check->required);
        heel_put_u32(to, check->passed);
        heel_put_string(to, check->have);
        heel_put_string(to, check->name);
        heel_put_string(to, check->need);
        heel_put_string(to, check->remedy);
    }
}

/* The four strings lie in one allocation, `have` first: it is what heel_host_info_clear() frees. */
static void get_check(struct heel_reader *from, struct heel_host_check *check)
{
    const char *texts[4];
    size_t sizes[4], total = 0, at = 0;
    char *room;

    check->required = heel_get_u32(from) != 0;
    check->passed = heel_get_u32(from) != 0;
    for (size_t i = 0; i < 4; i++) {
        texts[i] = get_text(from);
        total += sizes[i] = strlen(texts[i]) + 1;
    }
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
    struct heel_reader from = heel_reader_of(data, length);
    struct heel_host_info made = {.backend = "linux"};
    size_t count;

    strncpy(made.kernel_release, get_text(&from), sizeof(made.kernel_release) - 1);
    made.landlock_abi = heel_get_u32(&from);
    made.namespaces = heel_get_u32(&from) != 0;
    made.supported = heel_get_u32(&from) != 0;
    count = heel_get_u32(&from);
    if (count > CHECKS_MAX)
        from.failed = true;
    if (!from.failed)
        made.checks = heel_xcalloc(count + 1, sizeof(*made.checks));
    while (!from.failed && made.check_count < count)
        get_check(&from, &made.checks[made.check_count++]);
    if (!heel_reader_done(&from)) {
        heel_host_info_clear(&made);
        return heel_error_set(err, HEEL_INTERNAL, "INTERNAL",
                              "the launcher's report on the host is damaged");
    }
    *info = made;
    return 0;
}

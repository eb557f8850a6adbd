#include "clients/c/cli/private_server.h"

#include "server/embedded.h"

static struct heel_embedded *embedded;

int private_server_prepare(bool brief, const char *namespaces, struct heel_error **err)
{
    enum heel_namespaces when = HEEL_NAMESPACES_AUTO;

    if (namespaces && heel_namespaces_parse(namespaces, &when))
        return heel_error_set(err, HEEL_INVALID_ARGUMENT, NULL,
                              "--namespaces %s: expected auto, require or never", namespaces);
    embedded = heel_embedded_prepare(brief, when, err);
    return embedded ? 0 : -1;
}

int private_server_connect(int *fd, struct heel_error **err)
{
    int connection = heel_embedded_connect(embedded, err);

    if (connection < 0)
        return -1;
    *fd = connection;
    return 0;
}

const struct heel_error *private_server_error(void)
{
    return embedded ? heel_embedded_error(embedded) : NULL;
}

void private_server_leave(void)
{
    heel_embedded_leave(embedded);
}

void private_server_stop(void)
{
    heel_embedded_stop(embedded);
    embedded = NULL;
}

static const struct heel_host_info *host(void)
{
    return embedded ? heel_embedded_host(embedded) : NULL;
}

bool private_server_is_supported(void)
{
    const struct heel_host_info *info = host();

    return info && info->supported;
}

bool private_server_has_namespaces(void)
{
    const struct heel_host_info *info = host();

    return info && info->namespaces;
}

size_t private_server_check_count(void)
{
    const struct heel_host_info *info = host();

    return info ? info->check_count : 0;
}

struct private_server_check private_server_check(size_t index)
{
    const struct heel_host_check *check = &host()->checks[index];

    return (struct private_server_check){
        .name = check->name,
        .required = check->required,
        .passed = check->passed,
        .have = check->have ? check->have : "",
        .need = check->need ? check->need : "",
        .remedy = check->remedy ? check->remedy : "",
    };
}

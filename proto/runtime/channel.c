#include "proto/runtime/internal.h"

#include <fcntl.h>
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <pthread.h>

/* Completion queues that blocking calls have used and others may use again; more concurrent calls
 * than that make their own. */
enum { IDLE_PLUCKS = 8, DEFAULT_MAX_RECEIVE_BYTES = 4 << 20 };

struct grpcc_channel {
    grpc_channel *core;                       /* owned */
    pthread_mutex_t mutex;                    /* blocking calls come from any thread */
    grpc_completion_queue *idle[IDLE_PLUCKS]; /* owned */
    size_t idle_count;
};

/* Turns off what costs time or memory for each channel or call and is of no use here: service
 * configs, retries (which keep a copy of what was sent), proxies from the environment. */
static void fill_args(struct grpcc_args *args, const struct grpcc_channel_options *options)
{
    static const struct grpcc_channel_options defaults;

    if (!options)
        options = &defaults;
    grpcc_args_add(args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                   options->max_receive_bytes ? options->max_receive_bytes
                                              : DEFAULT_MAX_RECEIVE_BYTES);
    grpcc_args_add(args, GRPC_ARG_ENABLE_RETRIES, 0);
    grpcc_args_add(args, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    grpcc_args_add(args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    grpcc_args_add_common(args, options->keepalive_ms, options->keepalive_timeout_ms);
}

static struct grpcc_channel *wrap(grpc_channel *core)
{
    struct grpcc_channel *channel = heel_xcalloc(1, sizeof(*channel));

    channel->core = core;
    pthread_mutex_init(&channel->mutex, NULL);
    return channel;
}

struct grpcc_channel *grpcc_channel_from_fd(int fd, const struct grpcc_channel_options *options)
{
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    struct grpcc_args args = {0};
    grpc_channel_args all;
    grpc_channel *core;

    fill_args(&args, options);
    all = (grpc_channel_args){.num_args = args.count, .args = args.entries};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    core = grpc_channel_create_from_fd("localhost", fd, credentials, &all);
    grpc_channel_credentials_release(credentials);
    return wrap(core);
}

struct grpcc_channel *grpcc_channel_new(const char *target,
                                        const struct grpcc_channel_options *options)
{
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
    struct grpcc_args args = {0};
    grpc_channel_args all;
    grpc_channel *core;

    fill_args(&args, options);
    all = (grpc_channel_args){.num_args = args.count, .args = args.entries};
    core = grpc_channel_create(target, credentials, &all);
    grpc_channel_credentials_release(credentials);
    return wrap(core);
}

static void destroy_pluck(grpc_completion_queue *cq)
{
    grpc_completion_queue_shutdown(cq);
    grpc_completion_queue_destroy(cq);
}

void grpcc_channel_free(struct grpcc_channel *channel)
{
    if (!channel)
        return;
    for (size_t i = 0; i < channel->idle_count; i++)
        destroy_pluck(channel->idle[i]);
    grpc_channel_destroy(channel->core);
    pthread_mutex_destroy(&channel->mutex);
    free(channel);
}

grpc_call *grpcc_channel_create_call(struct grpcc_channel *channel, grpc_completion_queue *cq,
                                     const struct grpcc_method *method, gpr_timespec deadline)
{
    return grpc_channel_create_call(channel->core, NULL, GRPC_PROPAGATE_DEFAULTS, cq,
                                    grpc_slice_from_static_string(method->path), NULL, deadline,
                                    NULL);
}

grpc_completion_queue *grpcc_channel_borrow_pluck(struct grpcc_channel *channel)
{
    grpc_completion_queue *cq = NULL;

    pthread_mutex_lock(&channel->mutex);
    if (channel->idle_count)
        cq = channel->idle[--channel->idle_count];
    pthread_mutex_unlock(&channel->mutex);
    return cq ? cq : grpc_completion_queue_create_for_pluck(NULL);
}

void grpcc_channel_return_pluck(struct grpcc_channel *channel, grpc_completion_queue *cq)
{
    pthread_mutex_lock(&channel->mutex);
    if (channel->idle_count < IDLE_PLUCKS)
        channel->idle[channel->idle_count++] = heel_steal(cq);
    pthread_mutex_unlock(&channel->mutex);
    if (cq)
        destroy_pluck(cq);
}

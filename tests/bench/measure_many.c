/* The memory of idle sandboxes, many of them. */
#include "base/text.h"
#include "tests/bench/bench.h"
#include "tests/bench/procfs.h"

#define SETTLE_MS 1000

enum { PSS, INIT, SERVER, KERNEL, CREATE };

/* KiB that are not free or could be freed at once: what processes and the kernel hold. */
static double kernel_in_use(void)
{
    return procfs_meminfo("SUnreclaim") + procfs_meminfo("PageTables") +
           procfs_meminfo("KernelStack") + procfs_meminfo("Percpu");
}

static int create_all(struct grpcc_channel *channel, size_t count, struct samples *took,
                      struct heel_error **err)
{
    for (size_t i = 0; i < count; i++) {
        heel_autofree char *id = NULL;
        double begin = now_ms();

        if (client_create(channel, &id, err) < 0)
            return heel_error_wrap(err, "sandbox %zu", i + 1);
        samples_add(took, now_ms() - begin);
    }
    return 0;
}

static int fill(struct bench *bench, const struct measurement *self, struct daemon *daemon,
                struct grpcc_channel *channel, struct heel_error **err)
{
    size_t count = bench_count(bench, 1000, 50);
    autosamples struct samples took = {0};
    struct memory all;
    double server, kernel;

    server = procfs_memory_of(daemon->pid).rss;
    kernel = kernel_in_use();
    if (create_all(channel, count, &took, err) < 0)
        return -1;
    sleep_ms(SETTLE_MS);
    all = procfs_memory_of_tree(daemon->pid);
    bench_add_value(bench, self, PSS, all.pss / (double)count,
                    heel_format("%zu sandboxes%s", count,
                                all.pss_is_known ? "" : "; without what they share with files"));
    bench_add_value(bench, self, INIT, (double)procfs_count_below(daemon->pid) / (double)count,
                    NULL);
    bench_add_value(bench, self, SERVER,
                    (procfs_memory_of(daemon->pid).rss - server) / (double)count, NULL);
    bench_add_value(bench, self, KERNEL, (kernel_in_use() - kernel) / (double)count, NULL);
    bench_add_median(bench, self, CREATE, &took);
    return 0;
}

static int run(struct bench *bench, const struct measurement *self, struct heel_error **err)
{
    autodaemon struct daemon *daemon = bench_start_daemon(bench, "many", err);
    autochannel struct grpcc_channel *channel = daemon ? client_connect(daemon->socket, err) : NULL;

    return channel ? fill(bench, self, daemon, channel, err) : -1;
}

const struct measurement measure_many = {
    .name = "many",
    .targets =
        {
            [PSS] = {"PSS per idle sandbox, all of heel's processes", "KiB", TARGET_NONE, 0},
            [INIT] = {"processes per idle sandbox", "", TARGET_NONE, 0},
            [SERVER] = {"heeld's growth per idle sandbox", "KiB", TARGET_NONE, 0},
            [KERNEL] = {"the kernel's growth per idle sandbox", "KiB", TARGET_NONE, 0},
            [CREATE] = {"CreateSandbox while they are made", "ms", TARGET_NONE, 0},
        },
    .run = run,
};

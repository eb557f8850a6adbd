#include "backends/linux/identity/identity.h"

#include <stdio.h>
#include <unistd.h>

#include "backends/linux/identity/uid_locks.h"
#include "base/text.h"

#define RETRY_MS 100

bool heel_identities_usable(uid_t first, uid_t count)
{
    FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned long inside, outside, length;
    bool usable = false;

    if (!map)
        return geteuid() == 0; /* no user namespaces in this kernel */
    while (!usable && fscanf(map, "%lu %lu %lu", &inside, &outside, &length) == 3)
        usable = first >= inside && (unsigned long)first + count <= inside + length;
    fclose(map);
    return usable && geteuid() == 0;
}

bool heel_identities_alone(void)
{
    FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned long inside, outside, length, total = 0;

    if (!map)
        return false;
    while (fscanf(map, "%lu %lu %lu", &inside, &outside, &length) == 3)
        total += length;
    fclose(map);
    return total == 1;
}

static bool names_host_paths(const struct heel_sandbox_spec *spec)
{
    return spec->working_dir || spec->path_count > 0 || spec->keep_working_dir;
}

/* 0 if none is left. */
static uid_t take_fresh(struct heel_identities *identities)
{
    while (identities->fresh < identities->count) {
        uid_t uid = identities->first + identities->fresh++;

        if (heel_uid_lock(identities->locks, uid))
            return uid;
    }
    return 0;
}

uid_t heel_identity_next(struct heel_identities *identities)
{
    if (identities->next != 0)
        return identities->next;
    if (identities->returned_count > 0)
        identities->next = identities->returned[--identities->returned_count];
    else
        identities->next = take_fresh(identities);
    return identities->next;
}

static int exhausted(const struct heel_identities *identities, struct heel_error **err)
{
    heel_error_set(err, HEEL_RESOURCE_EXHAUSTED, "LIMIT_REACHED",
                   "all %u uids of --uid-range are in use by sandboxes",
                   (unsigned)identities->count);
    if (err) {
        heel_error_add_metadata(*err, "limit", "uids");
        heel_error_add_metadata(*err, "maximum", "%u", (unsigned)identities->count);
        (*err)->retry_after_ms = RETRY_MS;
    }
    return -1;
}

static int take_from_range(struct heel_identities *identities, struct heel_identity *identity,
                           struct heel_error **err)
{
    uid_t uid = heel_identity_next(identities);

    if (uid == 0)
        return exhausted(identities, err);
    identities->next = 0;
    *identity = (struct heel_identity){.uid = uid, .gid = (gid_t)uid, .from_range = true};
    return 0;
}

static int take_own(const struct heel_identities *identities, const struct heel_sandbox_spec *spec,
                    struct heel_identity *identity, struct heel_error **err)
{
    *identity = (struct heel_identity){.uid = geteuid(), .gid = getegid()};
    if (geteuid() == 0 && !identities->alone)
        return heel_error_set(err, HEEL_FAILED_PRECONDITION, "SETUP_FAILED",
                              "--uid-range isn't in heeld's user namespace, and nothing runs as "
                              "root unasked: give heeld a range out of /proc/self/uid_map, or name "
                              "root in spec.run_as");
    /* Otherwise the sandbox would open with root's rights what the caller may not. */
    if (geteuid() == 0 && spec->caller.uid != 0 && names_host_paths(spec))
        return heel_error_set(err, HEEL_PERMISSION_DENIED, "PATH_NOT_ACCESSIBLE",
                              "this heeld has no uid but root's, so no other user can name host "
                              "paths");
    return 0;
}

static int refuse_named(const struct heel_run_as *run_as, const char *why, struct heel_error **err)
{
    heel_error_set(err, HEEL_PERMISSION_DENIED, "IDENTITY_NOT_ALLOWED",
                   "spec.run_as names uid %u and gid %u: %s", (unsigned)run_as->uid,
                   (unsigned)run_as->gid, why);
    if (err) {
        heel_error_set_field_path(*err, "spec.run_as");
        heel_error_add_metadata(*err, "uid", "%u", (unsigned)run_as->uid);
        heel_error_add_metadata(*err, "gid", "%u", (unsigned)run_as->gid);
    }
    return -1;
}

static bool is(const struct heel_run_as *run_as, uid_t uid, gid_t gid)
{
    return run_as->uid == uid && run_as->gid == gid;
}

static int take_named(const struct heel_identities *identities,
                      const struct heel_sandbox_spec *spec, struct heel_identity *identity,
                      struct heel_error **err)
{
    const struct heel_run_as *run_as = &spec->run_as;
    const bool own = is(run_as, geteuid(), getegid());

    if (geteuid() != 0 && !own)
        return refuse_named(run_as, "sandboxes of an ordinary user's heeld run as that user", err);
    if (geteuid() == 0 && spec->caller.uid != 0 && !is(run_as, spec->caller.uid, spec->caller.gid))
        return refuse_named(run_as, "only root may name anybody but itself", err);
    if (!own && !identities->own)
        return refuse_named(run_as, "this heeld's user namespace has no uids to give", err);
    if (identities->own && run_as->uid - identities->first < identities->count)
        return refuse_named(run_as, "the uids of --uid-range are given to one sandbox each", err);
    if (run_as->uid != 0 && run_as->gid == 0)
        return refuse_named(run_as, "no sandbox but root's runs with root's group", err);
    *identity =
        (struct heel_identity){.uid = run_as->uid, .gid = run_as->gid, .named = geteuid() == 0};
    return 0;
}

int heel_identity_take(struct heel_identities *identities, const struct heel_sandbox_spec *spec,
                       struct heel_identity *identity, struct heel_error **err)
{
    if (spec->run_as.given)
        return take_named(identities, spec, identity, err);
    if (!identities->own)
        return take_own(identities, spec, identity, err);
    if (spec->caller.uid == 0 || !names_host_paths(spec))
        return take_from_range(identities, identity, err);
    if (spec->caller.gid == 0)
        return heel_error_set(err, HEEL_PERMISSION_DENIED, NULL,
                              "a caller whose group is root's can't name host paths: no sandbox "
                              "runs with root's group");
    *identity = (struct heel_identity){.uid = spec->caller.uid, .gid = spec->caller.gid};
    return 0;
}

void heel_identity_return(struct heel_identities *identities, const struct heel_identity *identity)
{
    if (!identity->from_range)
        return;
    if (identities->returned_count == identities->returned_capacity) {
        identities->returned_capacity = identities->returned_capacity * 2 + 16;
        identities->returned = heel_xrealloc(identities->returned, identities->returned_capacity,
                                             sizeof *identities->returned);
    }
    identities->returned[identities->returned_count++] = identity->uid;
}

void heel_identities_free(struct heel_identities *identities)
{
    free(identities->returned);
    if (identities->locks >= 0)
        close(identities->locks);
    *identities = (struct heel_identities){.locks = -1};
}

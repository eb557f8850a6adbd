#include "server/process_ids.h"

#include "server/process.h"
#include "server/sandboxes.h"

static int taken(const struct server_sandbox *sandbox, const char *id, struct heel_error **err)
{
    heel_error_set(err, HEEL_ALREADY_EXISTS, "PROCESS_EXISTS",
                   "the process id %s is in use in this sandbox by another command, or by one "
                   "whose output can't be given twice",
                   id);
    if (err) {
        heel_error_add_metadata(*err, "sandbox_id", "%s", sandbox->id);
        heel_error_add_metadata(*err, "process_id", "%s", id);
    }
    return -1;
}

int process_id_check_free(const struct server_sandbox *sandbox, const char *id,
                          struct heel_error **err)
{
    struct process_found found;

    if (answers_find(&sandbox->answers, id))
        return taken(sandbox, id, err);
    return process_find(sandbox, id, &found, NULL) ? taken(sandbox, id, err) : 0;
}

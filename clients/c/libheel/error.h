/* From the status of a call to the error that libheel's callers get. */
#ifndef HEEL_LIBHEEL_ERROR_H
#define HEEL_LIBHEEL_ERROR_H

#include "base/error.h"
#include "proto/runtime/status.h"

/* Stores the error that `status` (borrowed, not OK) stands for in *err and returns -1. `address`
 * names the server where it was lost. */
int error_from_status(struct heel_error **err, const struct grpcc_status *status,
                      const char *address);

#endif

/* Whether there is room for the descriptors of what begins now. gRPC ends a program that runs out
 * of them while it starts or connects. */
#ifndef HEEL_BASE_DESCRIPTORS_LEFT_H
#define HEEL_BASE_DESCRIPTORS_LEFT_H

#include "base/error.h"

/* 0 where this process can open `count` descriptors more, else -1 and *err. */
int heel_need_descriptors(unsigned count, struct heel_error **err);

#endif

/* Why a request fails, in the words of the contract. */
#ifndef HEEL_BACKENDS_LINUX_MESSAGES_REASONS_H
#define HEEL_BACKENDS_LINUX_MESSAGES_REASONS_H

/* The table's own copy of a reason that this backend gives; NULL for anything else. */
const char *heel_reason_find(const char *reason);

#endif

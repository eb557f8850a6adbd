/* The socket on which the kernel tells its audit records to whoever may read them, beside the audit
 * daemon and without disturbing it. Whether there are any is the administrator's to say: nothing
 * here changes what the machine audits. */
#ifndef HEEL_BACKENDS_LINUX_AUDIT_AUDIT_H
#define HEEL_BACKENDS_LINUX_AUDIT_AUDIT_H

#include "backends/linux/audit/audit_record.h"

#define HEEL_AUDIT_LANDLOCK_ABI 7 /* from which on Landlock writes any */

/* A non-blocking descriptor, the caller's, on which records come from now on. -1 with errno:
 * ENODATA where auditing is switched off; EPERM or ECONNREFUSED where this process may not read,
 * as ordinary users and containers may not; EPROTONOSUPPORT where the kernel can't audit. */
int heel_audit_open(void);

enum heel_audit_receipt {
    HEEL_AUDIT_RECORD,
    HEEL_AUDIT_OTHER, /* nothing of use, or a sign that some were lost */
    HEEL_AUDIT_NONE,  /* no more for now */
};

/* The next record, for the caller to clear. */
enum heel_audit_receipt heel_audit_receive(int fd, struct heel_audit_record *record);

#endif

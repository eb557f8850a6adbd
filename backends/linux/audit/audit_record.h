/* The kernel's audit records, as far as they tell what Landlock refused and to whom. A record is a
 * line of name=value words. What programs chose stands in it in quotes, or in hexadecimal where it
 * holds a space, a quote or anything else that could pass for another word. */
#ifndef HEEL_BACKENDS_LINUX_AUDIT_AUDIT_RECORD_H
#define HEEL_BACKENDS_LINUX_AUDIT_AUDIT_RECORD_H

#include <stdint.h>
#include <sys/types.h>

/* The types of messages on the audit socket that are read; AUDIT_* in linux/audit.h, the last two
 * of Linux 6.15. */
enum heel_audit_type {
    HEEL_AUDIT_CALL = 1300,   /* who made the system call that the event is about */
    HEEL_AUDIT_END = 1320,    /* the last of an event's */
    HEEL_AUDIT_ACCESS = 1423, /* an access that a Landlock domain refused */
    HEEL_AUDIT_DOMAIN = 1424, /* whose domain that is; once in its life */
};

/* What one record says. Records with the same serial are about one event, and other events' come in
 * between. */
struct heel_audit_record {
    enum heel_audit_type type;
    uint64_t serial;
    uint64_t domain;   /* ACCESS and DOMAIN */
    const char *right; /* ACCESS; static: "read", "write", "execute", "connect", … */
    char *target;      /* ACCESS; owned; escaped */
    pid_t pid;         /* DOMAIN: who made it; CALL: the process. In the first pid namespace */
    pid_t parent;      /* CALL: its parent */
    char *program;     /* CALL: its program's path, owned, escaped; "" where it is not known */
};

/* 0; or -1: it is of another type, says something else, or makes no sense. `text` ends with a NUL.
 */
int heel_audit_record_parse(unsigned type, const char *text, struct heel_audit_record *record);
void heel_audit_record_clear(struct heel_audit_record *record);

#endif

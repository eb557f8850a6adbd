/* What the seccomp filter says of each system call, as data. The tool seccomp_compile turns it into
 * the filter's program when heel is built. */
#ifndef HEEL_BACKENDS_LINUX_SECCOMP_SECCOMP_SETS_H
#define HEEL_BACKENDS_LINUX_SECCOMP_SECCOMP_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The system calls of the architecture that heel is built for (syscall_table_ARCH.c). */
struct heel_syscall {
    const char *name;
    int number;
};
extern const struct heel_syscall heel_syscalls[];
extern const size_t heel_syscall_count;
extern const uint32_t heel_seccomp_architecture; /* AUDIT_ARCH_… */

/* A group. Every system call of every table is in exactly one; what is in no table answers ENOSYS.
 */
struct heel_seccomp_set {
    const char *name;
    const char *reason;
    int refusal;                 /* errno, or 0: allowed (but see the argument rules) */
    const char *const *syscalls; /* NULL-terminated */
};
extern const struct heel_seccomp_set heel_seccomp_sets[];
extern const size_t heel_seccomp_set_count;

#define HEEL_SECCOMP_CONDITIONS 3
#define HEEL_SECCOMP_VALUES 20

/* Flag in `argument`: the test is on the upper 32 bits. The kernel ignores those of arguments that
 * are int or unsigned int, not those of pointers. */
#define HEEL_SECCOMP_UPPER 8U

enum heel_seccomp_test {
    HEEL_SECCOMP_ANY,        /* no condition */
    HEEL_SECCOMP_IS,         /* argument & mask is values[0] */
    HEEL_SECCOMP_IS_NONE_OF, /* argument & mask is none of the values */
    HEEL_SECCOMP_HAS,        /* argument has any of the bits in mask */
};

struct heel_seccomp_condition {
    enum heel_seccomp_test test;
    unsigned argument;
    uint32_t mask;
    unsigned count;
    uint32_t values[HEEL_SECCOMP_VALUES];
};

/* As a refusal: the call returns 0 and does nothing, for calls whose failure makes programs give
 * up. */
#define HEEL_SECCOMP_PRETEND 0

/* An allowed system call is refused all the same where all conditions hold. */
struct heel_seccomp_rule {
    const char *syscall;
    const char *reason;
    int refusal; /* errno, or HEEL_SECCOMP_PRETEND */
    struct heel_seccomp_condition conditions[HEEL_SECCOMP_CONDITIONS];
};
extern const struct heel_seccomp_rule heel_seccomp_rules[];
extern const size_t heel_seccomp_rule_count;

/* What is refused besides where a sandbox has no namespaces: a filter of its own on top of the
 * other. It lets pass what is in none of these sets. */
extern const struct heel_seccomp_set heel_seccomp_bare_sets[];
extern const size_t heel_seccomp_bare_set_count;
extern const struct heel_seccomp_rule heel_seccomp_bare_rules[];
extern const size_t heel_seccomp_bare_rule_count;

/* What is refused besides where nothing that is written may be executed, in the same way. */
extern const struct heel_seccomp_set heel_seccomp_write_xor_execute_sets[];
extern const size_t heel_seccomp_write_xor_execute_set_count;

/* What the supervising filter adds for one system call. Init and its hands pass a secret in
 * argument registers that the call doesn't use; with it the call is allowed whatever the rules say.
 * Without it heeld is asked (`asks`), or the rules decide. */
struct heel_seccomp_supervision {
    const char *syscall;
    const char *reason;
    bool asks;
};
extern const struct heel_seccomp_supervision heel_seccomp_supervisions[];
extern const size_t heel_seccomp_supervision_count;

/* The pass lies in this argument and the next, both halves of each. */
#define HEEL_SECCOMP_PASS_ARGUMENT 3
#define HEEL_SECCOMP_PASS_WORDS 4

/* One program's data. */
struct heel_seccomp_source {
    const char *name; /* of the array that the program becomes */
    const struct heel_seccomp_set *sets;
    size_t set_count;
    const struct heel_seccomp_rule *rules;
    size_t rule_count;
    bool passes_others;
    const struct heel_seccomp_supervision *supervisions;
    size_t supervision_count;
};

enum heel_seccomp_filter {
    HEEL_SECCOMP_FILTER,
    HEEL_SECCOMP_BARE_FILTER,
    HEEL_SECCOMP_WRITE_XOR_EXECUTE_FILTER,
    HEEL_SECCOMP_SUPERVISING_FILTER, /* the first with supervision */
    HEEL_SECCOMP_SOURCES,
};
void heel_seccomp_get_source(enum heel_seccomp_filter filter, struct heel_seccomp_source *source);

/* NULL if it is in no set; -1 if the table does not have it. */
const struct heel_seccomp_set *heel_seccomp_find_set(const struct heel_seccomp_source *source,
                                                     const char *syscall);
int heel_syscall_number(const char *name);

#endif

/* Scope-bound ownership: a local that is declared with one of these attributes is released when it
 * leaves its scope, and heel_steal() is the one way to carry it out alive. A type with its own
 * _free has its own attribute beside its API, made with HEEL_DEFINE_AUTOFREE. */
#ifndef HEEL_BASE_CLEANUP_H
#define HEEL_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void heel_cleanup_free(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;

    free(*pointer);
}

static inline void heel_cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Memory from malloc, freed at the end of the scope; NULL is fine. */
#define heel_autofree __attribute__((cleanup(heel_cleanup_free)))

/* A file descriptor, closed at the end of the scope; negative means none. */
#define heel_autoclose __attribute__((cleanup(heel_cleanup_close)))

/* Yields the pointer that `pointer` (an lvalue) holds and leaves NULL behind: ownership moves to
 * whoever takes the value. */
#define heel_steal(pointer) \
    __extension__({ \
        __typeof__(pointer) *heel_steal_from = &(pointer); \
        __typeof__(pointer) heel_stolen = *heel_steal_from; \
        *heel_steal_from = NULL; \
        heel_stolen; \
    })

/* The same for a file descriptor: leaves -1 behind. */
static inline int heel_steal_fd(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}

/* Defines `attribute` for pointers to `type`, released with `release(type *)`, which must accept
 * NULL. */
#define HEEL_DEFINE_AUTOFREE(attribute, type, release) \
    static inline void heel_cleanup_##attribute(type **pointer) \
    { \
        release(*pointer); \
    } \
    struct heel_require_semicolon

#define HEEL_AUTOFREE(attribute) __attribute__((cleanup(heel_cleanup_##attribute)))

/* The structure of type `type` whose member `member` is at `pointer`. */
#define heel_container_of(pointer, type, member) \
    ((type *)(void *)((char *)(pointer) - __builtin_offsetof(type, member)))

#define HEEL_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif

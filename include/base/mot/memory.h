/* memory.h: allocation that cannot overflow and reports its failure, and the arena of a step.
 *
 * An arena is one block, sized once. A step takes its buffers from it in order, marks before and rewinds after,
 * so that the steady state of a step allocates nothing:
 *
 *      base                      used                 high            size
 *      |  taken | taken | taken |  free               :               |
 *                               ^ mot_arena_mark() returns this; mot_arena_rewind() sets it
 */
#ifndef MOT_MEMORY_H
#define MOT_MEMORY_H

#include <stddef.h>

#include "mot/status.h"

#define MOT_ALIGNMENT ((size_t)64)

/* `count` elements of `size` bytes, zeroed, aligned to 64; NULL when memory is short or the product overflows.
 * Never NULL for count 0. Released with mot_free(). */
void *mot_calloc(size_t count, size_t size);
void mot_free(void *memory);

/* As mot_calloc, into *pointer; on failure *pointer is NULL and the sentence names `what` and the size. */
mot_status mot_allocate(void *pointer, size_t count, size_t size, const char *what);

/* As mot_allocate, for what has room for much and mostly needs little: what is never written takes no memory. Aligned as
 * malloc aligns. */
mot_status mot_allocate_sparse(void *pointer, size_t count, size_t size, const char *what);

/* A growing array's memory: room for `need` elements of `size` bytes; at first just that, then at least a quarter more
 * than before, so that growing piece by piece stays cheap and little lies idle. Contents are kept; `*memory` and
 * `*capacity` are untouched on failure. Not zeroed: what is never
 * written takes no memory. */
mot_status mot_reserve(void *memory, size_t *capacity, size_t need, size_t size, const char *what);

/* From now on larger blocks of this process are promised alone: they take no memory before they are written, even where they are more
 * than the machine has. For a process that is asked what a run would take, and computes nothing. */
void mot_memory_plan(void);

/* Bytes of all that mot_calloc gave and mot_free has not got back: a rank's own memory, without libraries. */
size_t mot_memory_held(void);

/* Bytes of this process in the machine's memory, now and at most so far (Linux's VmRSS, VmHWM); 0 where that is not
 * known. */
typedef struct mot_resident {
    size_t now, peak;
} mot_resident;
mot_resident mot_memory_resident(void);

typedef struct mot_arena {
    unsigned char *base;     /* owned */
    size_t size, used, high; /* bytes; `high` is the largest `used` ever, for the memory report */
} mot_arena;

mot_status mot_arena_init(mot_arena *arena, size_t bytes);
void mot_arena_free(mot_arena *arena);

/* `count` elements of `size` bytes, aligned to 64, not zeroed. The arena was sized for its users, so running out is
 * a bug in the sizing: asserted, never returned. */
void *mot_arena_take(mot_arena *arena, size_t count, size_t size);

/* Bytes that one take of `count` elements of `size` bytes uses: what the sizing functions add up. */
size_t mot_arena_bytes(size_t count, size_t size);

static inline size_t mot_arena_mark(const mot_arena *arena)
{
    return arena->used;
}

static inline void mot_arena_rewind(mot_arena *arena, size_t mark)
{
    arena->used = mark;
}

#endif

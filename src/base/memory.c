#include "mot/memory.h"

#include <assert.h>
#include <malloc.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static atomic_size_t held; /* bytes, as the allocator rounds them */

static size_t round_up(size_t bytes)
{
    return (bytes + MOT_ALIGNMENT - 1) / MOT_ALIGNMENT * MOT_ALIGNMENT;
}

/* ---- what is only asked about ---- */

typedef struct planned {
    void *memory;
    size_t bytes;
} planned;

enum { LEAST_PLANNED = 1 << 16 };
static struct {
    bool on;
    pthread_mutex_t lock;
    void *blocks; /* a tree (tsearch) */
} plan = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int by_place(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t)((const planned *)a)->memory, y = (uintptr_t)((const planned *)b)->memory;
    return (x > y) - (x < y);
}

void mot_memory_plan(void)
{
    plan.on = true;
}

/* Pages that are there when they are written, zeroed; NULL: not to be had. */
static void *plan_block(size_t bytes)
{
    planned *block = malloc(sizeof *block);
    if (block == NULL) return NULL;
    *block = (planned){mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), bytes};
    if (block->memory == MAP_FAILED) {
        free(block);
        return NULL;
    }
    pthread_mutex_lock(&plan.lock);
    const void *const kept = tsearch(block, &plan.blocks, by_place);
    pthread_mutex_unlock(&plan.lock);
    void *const memory = block->memory;
    if (kept == NULL) {
        munmap(memory, bytes);
        free(block);
        return NULL;
    }
    atomic_fetch_add_explicit(&held, bytes, memory_order_relaxed);
    return memory;
}

static bool free_planned(void *memory)
{
    const planned wanted = {.memory = memory};
    planned *block = NULL;
    if (!plan.on) return false;
    pthread_mutex_lock(&plan.lock);
    planned *const *const found = tfind(&wanted, &plan.blocks, by_place);
    if (found != NULL) {
        block = *found;
        tdelete(&wanted, &plan.blocks, by_place);
    }
    pthread_mutex_unlock(&plan.lock);
    if (block == NULL) return false;
    munmap(block->memory, block->bytes);
    atomic_fetch_sub_explicit(&held, block->bytes, memory_order_relaxed);
    free(block);
    return true;
}

/* ---- what is used ---- */

/* Zeroed where it is `clear`; *bytes gets its size. */
static void *allocate(size_t count, size_t size, bool clear, size_t *bytes)
{
    if (__builtin_mul_overflow(count, size, bytes) || *bytes > SIZE_MAX / 2) return NULL;
    if (*bytes == 0) *bytes = 1;
    if (plan.on && *bytes >= LEAST_PLANNED) return plan_block(*bytes);
    void *memory = NULL; /* not a byte more than asked for, so that the address sanitizer sees who goes beyond */
    if (posix_memalign(&memory, MOT_ALIGNMENT, *bytes) != 0) return NULL;
    atomic_fetch_add_explicit(&held, malloc_usable_size(memory), memory_order_relaxed);
    if (clear) memset(memory, 0, *bytes);
    return memory;
}

void *mot_calloc(size_t count, size_t size)
{
    size_t bytes;
    return allocate(count, size, true, &bytes);
}

void mot_free(void *memory)
{
    if (memory == NULL || free_planned(memory)) return;
    atomic_fetch_sub_explicit(&held, malloc_usable_size(memory), memory_order_relaxed);
    free(memory);
}

size_t mot_memory_held(void)
{
    return atomic_load_explicit(&held, memory_order_relaxed);
}

mot_resident mot_memory_resident(void)
{
    mot_resident resident = {0};
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        size_t kib;
        if (sscanf(line, "VmRSS: %zu kB", &kib) == 1) resident.now = kib << 10;
        if (sscanf(line, "VmHWM: %zu kB", &kib) == 1) resident.peak = kib << 10;
    }
    if (file != NULL) fclose(file);
    return resident;
}

static mot_status give(void *pointer, void *memory, size_t count, size_t size, const char *what)
{
    memcpy(pointer, &memory, sizeof memory);
    if (memory == NULL)
        return mot_fail(MOT_ERR_MEMORY, "not enough memory for %s: %zu x %zu bytes", what, count, size);
    return MOT_OK;
}

mot_status mot_allocate(void *pointer, size_t count, size_t size, const char *what)
{
    return give(pointer, mot_calloc(count, size), count, size, what);
}

mot_status mot_allocate_sparse(void *pointer, size_t count, size_t size, const char *what)
{
    if (plan.on) return mot_allocate(pointer, count, size, what);
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory != NULL) atomic_fetch_add_explicit(&held, malloc_usable_size(memory), memory_order_relaxed);
    return give(pointer, memory, count, size, what);
}

mot_status mot_reserve(void *memory, size_t *capacity, size_t need, size_t size, const char *what)
{
    if (need <= *capacity) return MOT_OK;
    const size_t more = *capacity + *capacity / 4 + 16, wanted = *capacity > 0 && more > need ? more : need;
    void *old;
    memcpy(&old, memory, sizeof old);
    size_t bytes;
    void *grown = allocate(wanted, size, false, &bytes);
    if (grown == NULL)
        return mot_fail(MOT_ERR_MEMORY, "not enough memory for %s: %zu x %zu bytes", what, wanted, size);
    if (old != NULL) memcpy(grown, old, *capacity * size);
    mot_free(old);
    memcpy(memory, &grown, sizeof grown);
    *capacity = wanted;
    return MOT_OK;
}

mot_status mot_arena_init(mot_arena *arena, size_t bytes)
{
    *arena = (mot_arena){0};
    return mot_reserve(&arena->base, &arena->size, round_up(bytes > 0 ? bytes : 1), 1, "the workspace of a step"); /* which zeroes nothing */
}

void mot_arena_free(mot_arena *arena)
{
    mot_free(arena->base);
    *arena = (mot_arena){0};
}

size_t mot_arena_bytes(size_t count, size_t size)
{
    return round_up(count * size);
}

void *mot_arena_take(mot_arena *arena, size_t count, size_t size)
{
    size_t bytes = mot_arena_bytes(count, size);
    assert(bytes <= arena->size - arena->used);
    void *memory = arena->base + arena->used;
    arena->used += bytes;
    if (arena->used > arena->high) arena->high = arena->used;
    return memory;
}

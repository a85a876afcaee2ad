#include "mot/memory.h"

#include <assert.h>
#include <malloc.h>
#include <pthread.h>
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

enum { LEAST_PLANNED = 1 << 16, MOST_PLANNED = 4096 };
static struct {
    pthread_mutex_t lock;
    bool on;
    size_t count;
    struct {
        void *memory;
        size_t bytes;
    } block[MOST_PLANNED];
} plan = {.lock = PTHREAD_MUTEX_INITIALIZER};

void mot_memory_plan(void)
{
    plan.on = true;
}

/* Pages that are there when they are written; NULL: not planned, or not to be had. */
static void *plan_block(size_t bytes)
{
    void *memory = MAP_FAILED;
    if (!plan.on || bytes < LEAST_PLANNED) return NULL;
    pthread_mutex_lock(&plan.lock);
    if (plan.count < MOST_PLANNED)
        memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) {
        plan.block[plan.count].memory = memory;
        plan.block[plan.count++].bytes = bytes;
        atomic_fetch_add_explicit(&held, bytes, memory_order_relaxed);
    }
    pthread_mutex_unlock(&plan.lock);
    return memory != MAP_FAILED ? memory : NULL;
}

static bool free_planned(void *memory)
{
    bool found = false;
    if (!plan.on) return false;
    pthread_mutex_lock(&plan.lock);
    for (size_t i = plan.count; i > 0 && !found; --i) {
        found = plan.block[i - 1].memory == memory;
        if (!found) continue;
        munmap(memory, plan.block[i - 1].bytes);
        atomic_fetch_sub_explicit(&held, plan.block[i - 1].bytes, memory_order_relaxed);
        plan.block[i - 1] = plan.block[--plan.count];
    }
    pthread_mutex_unlock(&plan.lock);
    return found;
}

/* ---- what is used ---- */

/* Zeroed where it is `clear`; *bytes gets its size. */
static void *allocate(size_t count, size_t size, bool clear, size_t *bytes)
{
    if (__builtin_mul_overflow(count, size, bytes) || *bytes > SIZE_MAX / 2) return NULL;
    if (*bytes == 0) *bytes = 1;
    void *memory = plan_block(*bytes);
    if (memory != NULL) return memory;
    /* Not a byte more than asked for, so that the address sanitizer sees who goes beyond. */
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
    void *memory = plan.on ? mot_calloc(count, size) : calloc(count > 0 ? count : 1, size);
    if (memory != NULL && !plan.on) atomic_fetch_add_explicit(&held, malloc_usable_size(memory), memory_order_relaxed);
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

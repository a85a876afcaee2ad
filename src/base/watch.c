#include "mot/watch.h"

#include <stdatomic.h>

static _Atomic(const char *) phase_now, part_now;
static _Atomic int64_t step_now;
static atomic_int whom_now = MOT_WATCH_NOBODY;
static _Atomic uint64_t progress_now;

void mot_watch_progress(void)
{
    atomic_fetch_add_explicit(&progress_now, 1, memory_order_relaxed);
}

void mot_watch_part(const char *part, mot_gidx step)
{
    atomic_store_explicit(&part_now, part, memory_order_relaxed);
    atomic_store_explicit(&step_now, step, memory_order_relaxed);
    mot_watch_progress();
}

void mot_watch_phase(const char *phase)
{
    atomic_store_explicit(&phase_now, phase, memory_order_relaxed);
    mot_watch_wait(MOT_WATCH_NOBODY);
}

void mot_watch_wait(int whom)
{
    atomic_store_explicit(&whom_now, whom, memory_order_relaxed);
    mot_watch_progress();
}

mot_watch_place mot_watch_look(void)
{
    return (mot_watch_place){
        .phase = atomic_load_explicit(&phase_now, memory_order_relaxed),
        .part = atomic_load_explicit(&part_now, memory_order_relaxed),
        .step = atomic_load_explicit(&step_now, memory_order_relaxed),
        .whom = atomic_load_explicit(&whom_now, memory_order_relaxed),
        .progress = atomic_load_explicit(&progress_now, memory_order_relaxed),
    };
}

/* rehearsal_memory.h: which samples of old tasks of a stream (stream.h) are held, to be learned from again.
 *
 * After tasks 0 .. t-1 the memory holds some samples of each of them:
 *
 *      task        a size M is shared alike by the old tasks
 *      class       by the classes of the old tasks; a class that several tasks have counts in each of them
 *      reservoir   M samples drawn from all that were seen, every one alike (what Vitter's algorithm R gives)
 *
 * Every training sample has a key, a random number that is a function of (seed, index) alone, and of those among which it is
 * chosen the ones with the smallest keys are held. So nothing depends on ranks or on the past, and what is held of a task
 * later was held before: no sample comes back that had been let go, as if the memory were all there is of the past.
 *
 * What shares do not divide goes to the earliest task, or class; what a task or class has no samples for goes to the others.
 *
 * Not collective. */
#ifndef MOT_REHEARSAL_MEMORY_H
#define MOT_REHEARSAL_MEMORY_H

#include "mot/stream.h"

typedef enum mot_memory_form { MOT_MEMORY_TASK, MOT_MEMORY_CLASS, MOT_MEMORY_RESERVOIR } mot_memory_form;
typedef enum mot_memory_unit {
    MOT_MEMORY_SAMPLES, /* M of them */
    MOT_MEMORY_BYTES,   /* as many as have these bytes as they are stored */
    MOT_MEMORY_EACH,    /* so many a task, or a class: it grows; of no reservoir */
} mot_memory_unit;

typedef struct mot_memory_size {
    mot_gidx amount;
    mot_memory_unit unit;
} mot_memory_size;

typedef struct mot_memory {
    int tasks;        /* 0 .. tasks-1 */
    mot_gidx *first;  /* [tasks + 1] */
    mot_gidx *sample; /* [first[tasks]]: of task t, in ascending order, sample[first[t]] .. sample[first[t + 1] - 1]: their
                         indices in the train split; both owned */
} mot_memory;

/* "500", "4 MiB", "20 a class" (form class), "200 a task" (form task). False: it is none for this form. */
bool mot_memory_size_parse(const char *text, mot_memory_form form, mot_memory_size *size);

/* What is held of the first `tasks` tasks of `train`, a split that is a stream. */
mot_status mot_memory_choose(mot_memory *memory, mot_memory_form form, mot_memory_size size,
                             const mot_dataset *train, int tasks, uint64_t seed);
void mot_memory_free(mot_memory *memory);

#endif

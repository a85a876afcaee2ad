/* sampler.h: which samples a stage of a stream of tasks learns from, batch by batch.
 *
 * A stage is cut into legs of whole steps, and a batch of a leg into shares of two pools, new samples and old ones:
 *
 *      step of the stage   0 1 2 3 4 5 6 7 | 8 9 | 10 11
 *      leg                 0               | 1   | 2
 *      a batch             new, old        | old | old          hybrid: similar tasks beside the new one, others behind it
 *
 * Each pool of a leg is gone through in an order of its own, epoch after epoch (order.h), so a position of the run's stream of
 * samples has the same sample on any rank, whenever it is asked for. Not collective; never fails. */
#ifndef MOT_SAMPLER_H
#define MOT_SAMPLER_H

#include <stdbool.h>

#include "mot/types.h"

typedef struct mot_sample_pool {
    mot_gidx count;        /* samples; 0: there is no such pool */
    const mot_gidx *index; /* [count]: which of the data set they are, owned by whoever filled the pool; NULL: */
    mot_gidx first;        /* those from here on */
    size_t of_batch;       /* how many samples of a batch are of it */
} mot_sample_pool;

typedef struct mot_leg {
    mot_gidx end;     /* the step of the stage behind its last one */
    mot_sample_pool pool[2]; /* whose of_batch are a batch together */
} mot_leg;

typedef struct mot_sampler {
    uint64_t seed;
    int stage;        /* keys the orders */
    bool shuffled;    /* else pools are gone through as they stand */
    size_t batch;     /* samples */
    mot_gidx first;   /* of all batches of the run, the one of the stage's first step */
    mot_gidx skipped; /* batches that a run which went back has left out: orders go on behind them */
    int legs;
    mot_leg *leg; /* [legs], owned by whoever made them; steps behind the last one are its */
} mot_sampler;

/* The sample at `position` of the stream: batch position / batch, of which it is the position % batch. */
mot_gidx mot_sampler_index(const mot_sampler *sampler, mot_gidx position);

#endif

/* batch_private.h: what the two files of batches share. */
#ifndef MOT_BATCH_PRIVATE_H
#define MOT_BATCH_PRIVATE_H

#include <stdatomic.h>

#include "mot/batch.h"

static inline size_t mot_up_to_8(size_t bytes)
{
    return (bytes + 7) / 8 * 8;
}

/* Every rank has all samples. */
static inline bool mot_batch_whole(const mot_batch *batch)
{
    return batch->gate != NULL && batch->gate->kind->spread;
}

/* Whether there are samples behind the last one. */
bool mot_batch_goes_on(const mot_batch_source *source);

/* The samples from batch->first; only some of them if they are no longer wanted (may be NULL). */
mot_status mot_batch_read(mot_batch *batch, const mot_comm *comm, const mot_batch_source *source, bool first,
                          const atomic_bool *unwanted);

/* Samples that are made by threads which have nothing else to do. */
typedef struct batch_making {
    mot_batch *batch; /* and what follows: not owned */
    const mot_comm *comm;
    const mot_batch_source *source;
    const atomic_bool *unwanted; /* NULL: they are wanted */
    size_t pieces;
    atomic_bool failed;
} batch_making;

/* Whether threads can make them at all: samples of this source that are made anew each time they are asked for. */
bool mot_batch_can_be_made(const mot_batch *batch, const mot_batch_source *source);
/* Begins the samples from batch->first; false: there are too few for it. All that is given must stay until the end, which
 * returns when they are there, or when they are no longer wanted and nobody is at them. */
bool mot_batch_begin_making(batch_making *all, mot_batch *batch, const mot_comm *comm,
                            const mot_batch_source *source, const atomic_bool *unwanted);
mot_status mot_batch_end_making(batch_making *all);

#endif

/* split.h: who works on which rows of a chunk, where experts with many rows are helped.
 *
 * An expert's rows, in global order, are cut into strips (expert.h). Its owner keeps the first ones; when its rank has
 * more rows than its fair share, strips from the end go to ranks that have less:
 *
 *      expert 0 (rank 0)   | strip 0 | strip 1 | strip 2 | strip 3 | 4 |       fair: 3 strips a rank
 *      worked on by        | rank 0                      | rank 1      |       two shares
 *
 * Every rank knows all choices, so everyone finds the same split without talking. Whole strips move, and strips are
 * added in order, so no bit depends on it. Not collective; every rank must pass the same arguments. */
#ifndef MOT_SPLIT_H
#define MOT_SPLIT_H

#include "mot/placement.h"

/* Rows [first, first + rows) of an expert, worked on by one rank. */
typedef struct mot_share {
    int expert, worker;
    size_t first, rows; /* first is a multiple of the strip */
} mot_share;

typedef struct mot_split {
    int experts, ranks;
    size_t shares;
    /* By expert, then first; the first of an expert is the owner's, and may be empty; no rank has two of one expert; owned. */
    mot_share *share;
    size_t *first; /* [experts + 1]: shares of expert e are [first[e], first[e + 1]); owned */
    struct mot_split_memory {
        size_t room;
        size_t *rows, *seen, *at; /* [experts] */
        size_t *load;             /* [ranks] */
        int *order;               /* [experts] */
        bool *helps;              /* [ranks] */
    } memory;                     /* private */
} mot_split;

mot_status mot_split_init(mot_split *split, const mot_placement *placement);
void mot_split_free(mot_split *split);

/* For rows 0 .. rows - 1 of a chunk that chose expert[row], in global order, and strips of `strip` rows. A strip moves
 * only where that shortens its owner's work although it counts an eighth more elsewhere, and an eighth of a strip besides
 * (weights go there, and gradients come back). MOT_ERR_MEMORY: perhaps on one rank only, and the split is to be built anew. */
mot_status mot_split_build(mot_split *split, const mot_placement *placement, size_t rows,
                           const int32_t *expert, size_t strip);

/* Goes through the chunk's rows once more: after a rewind, the share of the next row, which chose `expert`. */
void mot_split_rewind(mot_split *split);
size_t mot_split_next(mot_split *split, int expert);

#endif

/* partition.h: which things go together.
 *
 * An affinity says how much every two of n things have to do with each other. They are dealt to at most `groups` groups, such that
 * modularity is the largest (Newman and Girvan 2004):
 *
 *      Q = sum_g [ w_gg - v_g^2 ],   w_gg: share of all weight within g,   v_g: share of all weight that g's things have
 *
 * The first term wants nothing cut, the second wants groups alike, and many: with less of it (Reichardt and Bornholdt 2006) what
 * is confused a little is put into one group before what hangs together a little is. Weight that all pairs have alike,
 * w_ij = v_i v_j, says nothing. A group that would not pay stays empty.
 *
 * It is found by passes of moves from many random beginnings: in a pass every thing moves once, the best move first, even if it
 * loses, and what follows the best moment is taken back (Kernighan and Lin 1970; Fiduccia and Mattheyses 1982). That is no proof
 * that there is none better.
 *
 * A pure function of its arguments; not collective. */
#ifndef MOT_PARTITION_H
#define MOT_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mot/status.h"

/* How much things have to do with each other, by whoever knows; a table of all pairs need not be there. */
typedef struct mot_affinity {
    /* Those of thing i with each of all: weight [n], of at least 0, the diagonal counted; of j with i as of i with j. Asked again
     * and again, n times a pass. */
    void (*weights)(const void *of, size_t i, double *weight);
    /* Whether to give up: asked every time a thing moves, which are some n looks (NULL: never). */
    bool (*stop)(const void *of);
    const void *of;
} mot_affinity;

/* group [n], the result: numbers from 0 on, in the order of each group's first thing. *within: sum of w_gg. Without any weight all
 * are of one group, and it is 1. MOT_ERR_MEMORY; MOT_STOPPED: given up.
 *
 * A pass takes n rows of weights and n^2 looks, and only where all things want the same few groups as many times more as there are
 * groups; there are at most 50 passes from each beginning, and 4 to 64 beginnings. */
mot_status mot_partition(size_t n, size_t groups, const mot_affinity *affinity, uint64_t seed, int *group, double *within);

/* Bytes that it takes meanwhile. */
size_t mot_partition_bytes(size_t n, size_t groups);

#endif

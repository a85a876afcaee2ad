/* partition.h: which things go together.
 *
 * `weight` says how much every two of n things have to do with each other. They are dealt to at most `groups` groups, such that
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

#include <stddef.h>
#include <stdint.h>

#include "mot/status.h"

/* weight [n, n]: symmetric, of at least 0, the diagonal counted; group [n], the result: numbers from 0 on, in the order of each
 * group's first thing. *within: sum of w_gg. Without any weight all are of one group, and it is 1. MOT_ERR_MEMORY. */
mot_status mot_partition(size_t n, size_t groups, const double *weight, uint64_t seed, int *group, double *within);

#endif

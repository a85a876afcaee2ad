/* plan.h: one chunk's routing, built once from the choices and used in every direction.
 *
 * A row is one (sample, chosen expert). Every rank holds the whole choice table, so a plan is built without talking:
 * who holds a sample (its home) and who owns an expert are known to all, and each rank works out what it sends and
 * what it will receive. Rows travel as follows (three ranks, this is rank 1):
 *
 *   home side, in the order of the send buffer          owner side, in the order of the receive buffer
 *   | to rank 0 | to rank 1 | to rank 2 |      ==>      | from rank 0 | from rank 1 | from rank 2 |
 *     within a peer: by (sample, choice)                  within a peer: by (sample, choice)
 *
 * COMBINE is the same picture read from right to left. On the owner's side the rows of one expert, in global sample
 * order whatever rank they came from, are
 *
 *   row[group_first[e] .. group_first[e + 1])   numbers on the owner's side, for the e-th local expert
 *
 * so what an expert computes does not depend on the number of ranks. Both buffers are thought ones: a row's bytes lie in
 * the buffer of its node (layout.h), at home_place or owner_place of its number here. Where experts with many rows are helped (split.h),
 * "owner" stands for the rank that works on a row, and a rank's groups are its local experts' shares (perhaps empty)
 * followed by those of other ranks' experts, its guests. A plan assumes neither one layer nor that rows
 * start at the rank that read them: `home` is any map. Not collective; every rank must pass the same arguments. */
#ifndef MOT_PLAN_H
#define MOT_PLAN_H

#include "mot/layout.h"
#include "mot/placement.h"
#include "mot/split.h"

typedef struct mot_plan {
    int ranks, rank;
    size_t rows_home, rows_owner;         /* rows this rank sends in a dispatch, and receives */
    size_t *home_first, *owner_first;     /* [ranks + 1]: rows of peer r are [first[r], first[r + 1]) */
    int32_t *home_sample, *home_choice;   /* [rows_home]: which sample of the chunk, which of its K choices */
    int32_t *owner_sample, *owner_choice; /* [rows_owner] */
    size_t groups, *group_first;          /* local experts, then guests; [groups + 1] */
    int *group_expert;                    /* [groups] */
    size_t *group_from; /* [groups]: which of its expert's rows a group begins with; 0 for local experts */
    uint32_t *row;      /* [rows_owner]: numbers on the owner's side, by group */
    mot_layout layout;  /* of the node's buffer, where rows have one length */
    uint32_t *home_place, *owner_place; /* [rows_home], [rows_owner]: places in it */
    mot_layout own_layout; /* where each has its own; it and its places are what they are after a build with units */
    uint32_t *home_unit, *owner_unit; /* [rows_home], [rows_owner] */
    struct mot_plan_memory {
        size_t home, owner;  /* rows there is room for */
        size_t *cursor;      /* [2 * ranks + experts], and 2 * ranks more for units */
        size_t *share_group; /* [shares]: this rank's */
        size_t shares;       /* there is room for */
    } memory;                /* private */
} mot_plan;

/* Makes an empty plan for the ranks of `nodes` (not owned, must outlive the plan) and the local experts of its rank. */
mot_status mot_plan_init(mot_plan *plan, const mot_placement *placement, const mot_nodes *nodes);
void mot_plan_free(mot_plan *plan);

/* Builds the plan of samples [0, samples) of a chunk: home[s] is the rank that holds sample s, expert[s * choices + k]
 * its k-th expert (all in range, distinct within a sample: asserted). `split`: built from the same choices, or NULL:
 * owners work on all rows of their experts. `units`: units that each sample's rows take in an
 * exchange of them (exchange.h), or NULL: there is none. Reuses memory: allocates only when the plan
 * grows beyond any before. Cost: two passes over samples * choices. On failure its rows are as they were:
 * MOT_ERR_INPUT, alike on every rank, when samples * choices, or the units of all rows, exceed INT_MAX (which keeps the rows of every message
 * within MPI's count); MOT_ERR_MEMORY, perhaps on one rank only. */
mot_status mot_plan_build(mot_plan *plan, const mot_placement *placement, size_t samples, size_t choices,
                          const int *home, const int32_t *expert, mot_split *split, const uint32_t *units);

#endif

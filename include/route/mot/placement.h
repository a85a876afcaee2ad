/* placement.h: where every expert lives. The same table on every rank; any count on any rank, a rank may own none. */
#ifndef MOT_PLACEMENT_H
#define MOT_PLACEMENT_H

#include "mot/status.h"
#include "mot/types.h"

typedef struct mot_placement {
    int experts, ranks;
    bool dedicated;   /* rank 0 works on no expert; never so when it is alone */
    int *owner;       /* [experts]: the rank that owns expert e; owned */
    int *first;       /* [ranks + 1]: rank r owns local[first[r]] .. local[first[r + 1] - 1]; owned */
    int *local;       /* [experts]: experts by rank, ascending within a rank; owned */
    int *local_index; /* [experts]: place of expert e among its owner's experts; owned */
} mot_placement;

/* From the text of the configuration: "even" deals experts in contiguous runs that differ by one at most, over all
 * ranks or, `dedicated`, over the ranks but 0 (when there is another one); "[[0,1],[2],[]]" lists rank by rank (fewer
 * lists than ranks: the rest own none). MOT_ERR_INPUT: more lists than ranks ("placement names 3 ranks, the job has
 * 2"), an expert missing, twice or out of range, rank 0 listed with experts although dedicated, bad syntax. A
 * placement with several lists on ONE rank gives that rank everything: one rank alone runs every configuration; the
 * caller asks for this by `fold`, which maps list r to rank r % ranks instead of failing (with a dedicated coordinator,
 * round the ranks but 0). Alone, a dedicated coordinator owns what is placed. On failure the placement is empty. */
mot_status mot_placement_init(mot_placement *placement, const char *text, int experts, int ranks,
                              bool dedicated, bool fold);
/* The same where `experts` of the `all` that the text is about are left, whose numbers were origin[experts], ascending:
 * "even" deals those that are left; of lists the others drop out. */
mot_status mot_placement_left(mot_placement *placement, const char *text, int all, int experts,
                              const int *origin, int ranks, bool dedicated, bool fold);
/* The placement of as many experts and ranks as `like`, with these owners ([experts], copied). */
mot_status mot_placement_assign(mot_placement *placement, const mot_placement *like, const int *owner);
void mot_placement_free(mot_placement *placement);

/* What moving experts would change; shares are of the whole load, on the rank that has most of it. */
typedef struct mot_moves {
    int experts; /* that change their rank */
    double share_before, share_after;
} mot_moves;

/* Where the experts had better live if their loads, load[experts] (rows, say; none negative), stay what they were:
 *
 *      loads   8 | 1 | 1 | 2          loads   8 |         moves 2, the share of the busiest rank falls
 *      rank    0 | 0 | 0 | 1    ==>   rank    0 | 1 1 1   from 10/12 to 8/12
 *
 * Experts with the largest loads are dealt first, each to the rank with the least so far; then once more, so that an
 * expert stays where it is as long as its rank stays below the largest load found. Ties go to the present owner, then
 * to the lowest rank, so whoever knows the loads finds the same placement. No rank gets more experts than
 * mot_placement_most. Where the largest load would not fall by a twentieth, nothing moves. `better` is a placement of
 * its own in either case. Not collective. */
mot_status mot_placement_balance(mot_placement *better, const mot_placement *now, const int64_t *load,
                                 mot_moves *moves);

/* Experts that a rank may come to own by balancing: twice its even share, or what some rank owns already. */
int mot_placement_most(const mot_placement *placement);

static inline int mot_placement_count(const mot_placement *placement, int rank)
{
    return placement->first[rank + 1] - placement->first[rank];
}

/* The first rank that works on experts; those behind it do as well. And how many these are. */
static inline int mot_placement_first_worker(const mot_placement *placement)
{
    return placement->dedicated ? 1 : 0;
}
static inline int mot_placement_workers(const mot_placement *placement)
{
    return placement->ranks - mot_placement_first_worker(placement);
}

#endif

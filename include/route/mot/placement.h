/* placement.h: where every expert lives. The same table on every rank; any count on any rank, a rank may own none. */
#ifndef MOT_PLACEMENT_H
#define MOT_PLACEMENT_H

#include "mot/status.h"
#include "mot/types.h"

typedef struct mot_placement {
    int experts, ranks;
    bool dedicated;   /* rank 0 is to work on no expert */
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
void mot_placement_free(mot_placement *placement);

static inline int mot_placement_count(const mot_placement *placement, int rank)
{
    return placement->first[rank + 1] - placement->first[rank];
}

#endif

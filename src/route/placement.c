#include "mot/placement.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"

enum { NOWHERE = -1 };

static bool is_even(const char *text)
{
    return strcmp(text, "even") == 0;
}

static void place_evenly(mot_placement *placement)
{
    const int first = mot_placement_first_worker(placement);
    const size_t experts = (size_t)placement->experts, owners = (size_t)mot_placement_workers(placement);
    for (size_t r = 0; r < owners; r++)
        for (size_t e = mot_part_first(experts, owners, r); e < mot_part_first(experts, owners, r + 1); e++)
            placement->owner[e] = first + (int)r;
}

/* The text being read, and where. */
typedef struct reader {
    const char *text, *at;
} reader;

static bool accept(reader *in, char wanted)
{
    while (isspace((unsigned char)*in->at)) in->at++;
    if (*in->at != wanted) return false;
    if (wanted != '\0') in->at++;
    return true;
}

static mot_status expected(const reader *in, const char *what)
{
    return mot_fail(MOT_ERR_INPUT, "placement \"%s\": expected %s at character %td", in->text, what,
                    in->at - in->text + 1);
}

static mot_status read_expert(mot_placement *placement, reader *in, int list)
{
    char *end;
    const long expert = strtol(in->at, &end, 10);
    if (end == in->at) return expected(in, "the number of an expert");
    if (expert < 0 || expert >= placement->experts)
        return mot_fail(MOT_ERR_INPUT, "placement: expert %.*s outside [0, %d)", (int)(end - in->at), in->at,
                        placement->experts);
    in->at = end;
    const int before = placement->owner[expert];
    if (before == list)
        return mot_fail(MOT_ERR_INPUT, "placement names expert %ld twice for rank %d", expert, list);
    if (before != NOWHERE)
        return mot_fail(MOT_ERR_INPUT, "placement names expert %ld twice, for ranks %d and %d", expert,
                        before, list);
    placement->owner[expert] = list;
    return MOT_OK;
}

/* [[0,1],[2],[]]: the owner of an expert becomes the number of its list; `*lists` how many there are. */
static mot_status read_lists(mot_placement *placement, const char *text, int *lists)
{
    reader in = {text, text};
    *lists = 0;
    if (!accept(&in, '['))
        return mot_fail(MOT_ERR_INPUT, "placement \"%s\": expected even, or a list a rank: [[0, 1], [2], []]",
                        text);
    if (!accept(&in, ']')) {
        do {
            if (!accept(&in, '[')) return expected(&in, "the [ of a rank's list");
            const int list = (*lists)++;
            if (accept(&in, ']')) continue;
            do {
                const mot_status status = read_expert(placement, &in, list);
                if (status != MOT_OK) return status;
            } while (accept(&in, ','));
            if (!accept(&in, ']')) return expected(&in, "a comma or ]");
        } while (accept(&in, ','));
        if (!accept(&in, ']')) return expected(&in, "a comma or ]");
    }
    return accept(&in, '\0') ? MOT_OK : expected(&in, "nothing more");
}

static mot_status place_as_listed(mot_placement *placement, const char *text, bool dedicated, bool fold)
{
    int lists;
    mot_status status = read_lists(placement, text, &lists);
    if (status != MOT_OK) return status;
    const int ranks = placement->ranks;
    if (lists > ranks && !fold)
        return mot_fail(MOT_ERR_INPUT, "placement names %d ranks, the job has %d", lists, ranks);
    for (int e = 0; e < placement->experts; e++) {
        const int list = placement->owner[e];
        if (list == NOWHERE)
            return mot_fail(MOT_ERR_INPUT, "placement leaves expert %d of %d without a rank", e,
                            placement->experts);
        if (list == 0 && dedicated)
            return mot_fail(MOT_ERR_INPUT, "placement gives expert %d to rank 0, the dedicated coordinator",
                            e);
        /* A folded list stays off a dedicated coordinator too. */
        placement->owner[e] = list < ranks ? list : dedicated ? 1 + (list - 1) % (ranks - 1) : list % ranks;
    }
    return MOT_OK;
}

/* A counting sort of the experts by owner. */
static void index_by_rank(mot_placement *placement)
{
    int *first = placement->first;
    for (int e = 0; e < placement->experts; e++) {
        assert(placement->owner[e] >= 0 && placement->owner[e] < placement->ranks);
        placement->local_index[e] = first[placement->owner[e] + 1]++;
    }
    for (int r = 0; r < placement->ranks; r++) first[r + 1] += first[r];
    assert(first[placement->ranks] == placement->experts);
    for (int e = 0; e < placement->experts; e++)
        placement->local[first[placement->owner[e]] + placement->local_index[e]] = e;
}

static mot_status make_room(mot_placement *placement)
{
    const size_t experts = (size_t)placement->experts;
    mot_status status;
    MOT_TRY(mot_allocate(&placement->owner, experts, sizeof(int), "the placement"));
    MOT_TRY(mot_allocate(&placement->first, (size_t)placement->ranks + 1, sizeof(int), "the placement"));
    MOT_TRY(mot_allocate(&placement->local, experts, sizeof(int), "the placement"));
    MOT_TRY(mot_allocate(&placement->local_index, experts, sizeof(int), "the placement"));
done:
    return status;
}

mot_status mot_placement_init(mot_placement *placement, const char *text, int experts, int ranks,
                              bool dedicated, bool fold)
{
    assert(experts >= 0 && ranks > 0);
    mot_status status = MOT_OK;
    /* Alone, the coordinator does everything. */
    dedicated = dedicated && ranks > 1;
    *placement = (mot_placement){.experts = experts, .ranks = ranks, .dedicated = dedicated};
    MOT_TRY(make_room(placement));
    for (int e = 0; e < experts; e++) placement->owner[e] = NOWHERE;
    if (is_even(text))
        place_evenly(placement);
    else
        MOT_TRY(place_as_listed(placement, text, dedicated, fold));
    index_by_rank(placement);

done:
    if (status != MOT_OK) mot_placement_free(placement);
    return status;
}

mot_status mot_placement_assign(mot_placement *placement, const mot_placement *like, const int *owner)
{
    mot_status status;
    *placement = (mot_placement){
        .experts = like->experts, .ranks = like->ranks, .dedicated = like->dedicated};
    MOT_TRY(make_room(placement));
    memcpy(placement->owner, owner, (size_t)like->experts * sizeof *owner);
    index_by_rank(placement);
done:
    if (status != MOT_OK) mot_placement_free(placement);
    return status;
}

mot_status mot_placement_left(mot_placement *placement, const char *text, int all, int experts,
                              const int *origin, int ranks, bool dedicated, bool fold)
{
    mot_placement whole;
    if (is_even(text)) return mot_placement_init(placement, text, experts, ranks, dedicated, fold);
    *placement = (mot_placement){0};
    mot_status status = mot_placement_init(&whole, text, all, ranks, dedicated, fold);
    if (status != MOT_OK) return status;
    for (int e = 0; e < experts; e++) whole.owner[e] = whole.owner[origin[e]]; /* which is not before e */
    whole.experts = experts;
    status = mot_placement_assign(placement, &whole, whole.owner);
    mot_placement_free(&whole);
    return status;
}

void mot_placement_free(mot_placement *placement)
{
    mot_free(placement->owner);
    mot_free(placement->first);
    mot_free(placement->local);
    mot_free(placement->local_index);
    *placement = (mot_placement){0};
}

#include "mot/split.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mot/memory.h"

mot_status mot_split_init(mot_split *split, const mot_placement *placement)
{
    const size_t E = (size_t)placement->experts, ranks = (size_t)placement->ranks;
    const char *what = "a split";
    mot_status status;
    *split = (mot_split){.experts = placement->experts, .ranks = placement->ranks};
    MOT_TRY(mot_allocate(&split->first, E + 1, sizeof(size_t), what));
    MOT_TRY(mot_allocate(&split->memory.rows, E, sizeof(size_t), what));
    MOT_TRY(mot_allocate(&split->memory.seen, E, sizeof(size_t), what));
    MOT_TRY(mot_allocate(&split->memory.at, E, sizeof(size_t), what));
    MOT_TRY(mot_allocate(&split->memory.order, E, sizeof(int), what));
    MOT_TRY(mot_allocate(&split->memory.load, ranks, sizeof(size_t), what));
    MOT_TRY(mot_allocate(&split->memory.helps, ranks, sizeof(bool), what));
done:
    if (status != MOT_OK) mot_split_free(split);
    return status;
}

void mot_split_free(mot_split *split)
{
    mot_free(split->share);
    mot_free(split->first);
    mot_free(split->memory.rows);
    mot_free(split->memory.seen);
    mot_free(split->memory.at);
    mot_free(split->memory.order);
    mot_free(split->memory.load);
    mot_free(split->memory.helps);
    *split = (mot_split){0};
}

static mot_status push(mot_split *split, mot_share share)
{
    const mot_status status = mot_reserve(&split->share, &split->memory.room, split->shares + 1, sizeof share,
                                          "a split");
    if (status == MOT_OK) split->share[split->shares++] = share;
    return status;
}

/* The rank with the least to do that does not help this expert yet; -1: none. */
static int least_loaded(const mot_split *split, int lowest)
{
    int best = -1;
    for (int r = lowest; r < split->ranks; ++r) {
        if (split->memory.helps[r]) continue;
        if (best < 0 || split->memory.load[r] < split->memory.load[best]) best = r;
    }
    return best;
}

/* What moves costs an eighth of itself, and of a strip: weights go there, gradients come back. A strip is 5,000 operations a
 * parameter where nothing else is configured (mot_expert_strip), 70 ns at 70 GFLOP/s: an eighth is what both take on a network of
 * 1 GB/s. */
enum { COST = 8 };

/* Where to cut rows [0, left) so that about `want` rows, in whole strips and at least one, go; `left`: nowhere. */
static size_t cut(size_t left, size_t want, size_t strip, size_t mine, size_t theirs)
{
    if (left == 0) return 0;
    size_t at = want >= left ? 0 : (left - want + strip / 2) / strip * strip;
    at = MOT_MIN(at, (left - 1) / strip * strip);
    /* Half of it may still pay where all of it does not. */
    while (at < left && theirs + (left - at) + ((left - at) + strip) / COST >= mine) at += strip;
    return MOT_MIN(at, left);
}

/* Gives away the last strips of one expert while its owner has more than the fair share; then what is left is the
 * owner's. */
static mot_status split_expert(mot_split *split, int expert, int owner, size_t fair, int lowest, size_t strip)
{
    size_t *load = split->memory.load, left = split->memory.rows[expert];
    mot_status status = MOT_OK;
    memset(split->memory.helps, 0, (size_t)split->ranks * sizeof(bool));
    split->memory.helps[owner] = true;
    while (load[owner] > fair) {
        const int helper = least_loaded(split, lowest);
        if (helper < 0 || load[helper] >= fair) break;
        const size_t want = MOT_MIN(load[owner] - fair, fair - load[helper]);
        const size_t at = cut(left, want, strip, load[owner], load[helper]);
        if (at == left) break;
        MOT_TRY(push(split, (mot_share){expert, helper, at, left - at}));
        split->memory.helps[helper] = true;
        load[owner] -= left - at;
        load[helper] += left - at;
        left = at;
    }
    MOT_TRY(push(split, (mot_share){expert, owner, 0, left}));
done:
    return status;
}

/* The owner's share before another that begins with it, which is when it is empty. */
static int in_order(const void *left, const void *right)
{
    const mot_share *a = left, *b = right;
    if (a->expert != b->expert) return a->expert - b->expert;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    return (a->rows > b->rows) - (a->rows < b->rows);
}

/* 1. Count the rows of every expert and of every owner. 2. Experts with the most rows first, so that few of them are
 * split, give strips away. 3. Sort the shares. */
mot_status mot_split_build(mot_split *split, const mot_placement *placement, size_t rows,
                           const int32_t *expert, size_t strip)
{
    assert(placement->experts == split->experts && placement->ranks == split->ranks && strip > 0);
    const int E = split->experts, lowest = mot_placement_first_worker(placement);
    size_t *count = split->memory.rows, *load = split->memory.load;
    int *order = split->memory.order;
    mot_status status = MOT_OK;

    memset(count, 0, (size_t)E * sizeof *count);
    memset(load, 0, (size_t)split->ranks * sizeof *load);
    for (size_t r = 0; r < rows; ++r) ++count[expert[r]];
    for (int e = 0; e < E; ++e) load[placement->owner[e]] += count[e];
    const size_t workers = (size_t)mot_placement_workers(placement), fair = (rows + workers - 1) / workers;

    for (int e = 0; e < E; ++e) { /* an insertion sort, falling, stable */
        int at = e;
        for (; at > 0 && count[order[at - 1]] < count[e]; --at) order[at] = order[at - 1];
        order[at] = e;
    }
    split->shares = 0;
    for (int i = 0; i < E; ++i)
        MOT_TRY(split_expert(split, order[i], placement->owner[order[i]], fair, lowest, strip));

    qsort(split->share, split->shares, sizeof *split->share, in_order);
    size_t at = 0;
    for (int e = 0; e < E; ++e) {
        split->first[e] = at;
        while (at < split->shares && split->share[at].expert == e) ++at;
    }
    split->first[E] = at;
    assert(at == split->shares);
    mot_split_rewind(split);
done:
    return status;
}

void mot_split_rewind(mot_split *split)
{
    memset(split->memory.seen, 0, (size_t)split->experts * sizeof(size_t));
    memcpy(split->memory.at, split->first, (size_t)split->experts * sizeof(size_t));
}

size_t mot_split_next(mot_split *split, int expert)
{
    const size_t row = split->memory.seen[expert]++;
    size_t *at = &split->memory.at[expert];
    while (row >= split->share[*at].first + split->share[*at].rows) ++*at;
    assert(*at < split->first[expert + 1]);
    return *at;
}

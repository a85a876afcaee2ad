/* Experts find other ranks from their loads. */
#include <assert.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/placement.h"

enum { WORTH = 20 }; /* the largest load has to fall by more than its WORTH-th part */

/* One dealing of the experts, in `order`. */
typedef struct deal {
    const mot_placement *now;
    const int64_t *load; /* [experts] */
    int *order, *owner;  /* [experts]: falling by load; the result */
    int64_t *sum;        /* [ranks] */
    int *count, most;    /* [ranks]: experts; as many at most */
} deal;

int mot_placement_most(const mot_placement *placement)
{
    const int workers = mot_placement_workers(placement);
    int most = 2 * ((placement->experts + workers - 1) / workers);
    for (int r = 0; r < placement->ranks; ++r) most = MOT_MAX(most, mot_placement_count(placement, r));
    return most;
}

static int64_t largest(const deal *d)
{
    int64_t most = 0;
    for (int r = 0; r < d->now->ranks; ++r) most = MOT_MAX(most, d->sum[r]);
    return most;
}

/* The rank with the least so far that has room; `present` where others are no better. There is room somewhere, since
 * the ranks together may own all experts twice. */
static int least_loaded(const deal *d, int present)
{
    int best = d->count[present] < d->most ? present : -1;
    for (int r = mot_placement_first_worker(d->now); r < d->now->ranks; ++r)
        if (d->count[r] < d->most && (best < 0 || d->sum[r] < d->sum[best])) best = r;
    assert(best >= 0);
    return best;
}

/* An expert stays while its rank has no more than `allowed` with it. Returns the largest load of a rank. */
static int64_t deal_experts(deal *d, int64_t allowed)
{
    memset(d->sum, 0, (size_t)d->now->ranks * sizeof *d->sum);
    memset(d->count, 0, (size_t)d->now->ranks * sizeof *d->count);
    for (int i = 0; i < d->now->experts; ++i) {
        const int e = d->order[i], present = d->now->owner[e];
        const bool stays = d->sum[present] + d->load[e] <= allowed && d->count[present] < d->most;
        const int rank = stays ? present : least_loaded(d, present);
        d->owner[e] = rank;
        d->sum[rank] += d->load[e];
        ++d->count[rank];
    }
    return largest(d);
}

/* An insertion sort, falling, stable. */
static void sort_experts(deal *d)
{
    for (int e = 0; e < d->now->experts; ++e) {
        int at = e;
        for (; at > 0 && d->load[d->order[at - 1]] < d->load[e]; --at) d->order[at] = d->order[at - 1];
        d->order[at] = e;
    }
}

/* The owners of a placement whose largest load is `d`'s result, or those of now where that is not worth the moves. */
static void choose_owners(deal *d, mot_moves *moves)
{
    const mot_placement *now = d->now;
    int64_t all = 0;
    for (int e = 0; e < now->experts; ++e) {
        d->sum[now->owner[e]] += d->load[e];
        all += d->load[e];
    }
    const int64_t before = largest(d);
    sort_experts(d);
    const int64_t dealt = deal_experts(d, -1);
    int64_t after = deal_experts(d, dealt);
    if (after > dealt) after = deal_experts(d, -1); /* staying cost something */
    if ((before - after) * WORTH <= before) {
        memcpy(d->owner, now->owner, (size_t)now->experts * sizeof *d->owner);
        after = before;
    }
    *moves = (mot_moves){.share_before = all > 0 ? (double)before / (double)all : 0,
                         .share_after = all > 0 ? (double)after / (double)all : 0};
    for (int e = 0; e < now->experts; ++e) moves->experts += d->owner[e] != now->owner[e];
}

mot_status mot_placement_balance(mot_placement *better, const mot_placement *now, const int64_t *load,
                                 mot_moves *moves)
{
    const size_t E = (size_t)now->experts, ranks = (size_t)now->ranks;
    const char *what = "a better placement";
    deal d = {.now = now, .load = load, .most = mot_placement_most(now)};
    mot_status status;
    *better = (mot_placement){0};
    MOT_TRY(mot_allocate(&d.order, E, sizeof(int), what));
    MOT_TRY(mot_allocate(&d.owner, E, sizeof(int), what));
    MOT_TRY(mot_allocate(&d.sum, ranks, sizeof(int64_t), what));
    MOT_TRY(mot_allocate(&d.count, ranks, sizeof(int), what));
    choose_owners(&d, moves);
    MOT_TRY(mot_placement_assign(better, now, d.owner));
done:
    mot_free(d.count);
    mot_free(d.sum);
    mot_free(d.owner);
    mot_free(d.order);
    return status;
}

#include "mot/partition.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"
#include "mot/types.h"
#include "mot/vector.h"

/* Beginnings, of which most come to the best end where things are few; and fewer, where a pass takes long. */
enum { MOST_STARTS = 64, LEAST_STARTS = 4, MOST_PASSES = 50 };
static const double worth = 1e9; /* moves that are looked at, about, over all beginnings */

/* Things are looked at so many at once: neighbours, in each of the arrays by thing, which have room for whole blocks. */
enum { AT_ONCE = 2, BLOCK = AT_ONCE * MOT_WIDE_LANES };
#define EACH _Pragma("GCC unroll 2") for (int k = 0; k < AT_ONCE; ++k)

typedef double wide_anywhere __attribute__((vector_size(MOT_VECTOR_BYTES), aligned(sizeof(double)), may_alias));

/* Groups are numbered by doubles, which stand in vectors beside what they gain. Arrays of [room] are by thing. */
typedef struct partition {
    size_t n, room, groups;
    const mot_affinity *affinity;
    double all;     /* weight */
    double *weight; /* [room]: of the thing that was asked for last, of sum 1 over all things */
    double *volume; /* [room]: row sums */
    double *to;     /* [groups, room]: weight from a thing to those of a group, without itself */
    double *filled; /* [groups]: volume */
    double *number; /* [groups]: in the order of first things */
    double *now, *best; /* [room] */
    /* Of a pass: the most that a thing gains by a move, and to which group; -inf for those that may not move again, 0 for others
     * [room]; how many of a block may; and the things that have [moved], in turn, and whence. */
    double *most, *where, *barred, *whence;
    size_t *may, *turn, moved;
} partition;

static const double *weights_of(partition *p, size_t i)
{
    p->affinity->weights(p->affinity->of, i, p->weight);
    for (size_t j = 0; j < p->n; ++j) p->weight[j] /= p->all;
    return p->weight;
}

static inline mot_wide load(const double *x, int k)
{
    return *(const wide_anywhere *)(x + k * MOT_WIDE_LANES);
}

/* What Q gains when a thing goes to a group, for the block of things that begins at `b` and the groups from `from` to `end`: the first
 * of the best, of these and the one that was best so far. */
static void find_best(partition *p, size_t b, size_t from, size_t end)
{
    mot_wide to_own[AT_ONCE], rest[AT_ONCE], most[AT_ONCE], where[AT_ONCE];
    double own[BLOCK], own_filled[BLOCK];
    for (size_t l = 0; l < BLOCK; ++l) {
        const size_t g = (size_t)p->now[b + l];
        own[l] = p->to[g * p->room + b + l];
        own_filled[l] = p->filled[g];
    }
    EACH to_own[k] = load(own, k);
    EACH rest[k] = load(own_filled, k) - load(p->volume + b, k);
    EACH most[k] = load(p->most + b, k);
    EACH where[k] = load(p->where + b, k);
    for (size_t g = from; g < end; ++g) {
        const double *to = p->to + g * p->room + b;
        const mot_wide number = mot_wide_all((double)g), filled = mot_wide_all(p->filled[g]);
        EACH {
            const mot_wide gained = 2 * (load(to, k) - to_own[k]) - 2 * load(p->volume + b, k) * (filled - rest[k]) +
                                    load(p->barred + b, k);
            const mot_wide_int better = ((gained > most[k]) | ((gained == most[k]) & (number < where[k]))) &
                                        (load(p->now + b, k) != number);
            most[k] = mot_wide_select(better, gained, most[k]);
            where[k] = mot_wide_select(better, number, where[k]);
        }
    }
    EACH *(wide_anywhere *)(p->most + b + k * MOT_WIDE_LANES) = most[k];
    EACH *(wide_anywhere *)(p->where + b + k * MOT_WIDE_LANES) = where[k];
}

static void find_best_of_all(partition *p, size_t b)
{
    for (size_t l = 0; l < BLOCK; ++l) {
        p->most[b + l] = -HUGE_VAL;
        p->where[b + l] = (double)p->groups;
    }
    find_best(p, b, 0, p->groups);
}

/* Whether a thing of the block is of one of two groups, or would have gone there. */
static bool concerns(const partition *p, size_t b, size_t from, size_t to)
{
    const mot_wide one = mot_wide_all((double)from), other = mot_wide_all((double)to);
    mot_wide_int any = {0};
    EACH any |= (load(p->now + b, k) == one) | (load(p->now + b, k) == other);
    EACH any |= (load(p->where + b, k) == one) | (load(p->where + b, k) == other);
    int64_t some = 0;
    for (int l = 0; l < MOT_WIDE_LANES; ++l) some |= any[l];
    return some != 0;
}

/* What others gain by moves from and to groups that thing i neither leaves nor joins stays what it was. */
static void move(partition *p, size_t i)
{
    const size_t from = (size_t)p->now[i], to = (size_t)p->where[i];
    const double *weight = weights_of(p, i); /* of i to j, which is that of j to i */
    double *restrict to_from = p->to + from * p->room, *restrict to_to = p->to + to * p->room;
    p->turn[p->moved] = i;
    p->whence[p->moved++] = p->now[i];
    p->filled[from] -= p->volume[i];
    p->filled[to] += p->volume[i];
    p->now[i] = (double)to;
    p->most[i] = p->barred[i] = -HUGE_VAL;
    --p->may[i / BLOCK];
    for (size_t b = 0; b < p->n; b += BLOCK) {
        if (p->may[b / BLOCK] == 0) continue;
        for (size_t j = b; j < b + BLOCK; ++j) {
            to_from[j] -= weight[j];
            to_to[j] += weight[j];
        }
        if (concerns(p, b, from, to)) {
            find_best_of_all(p, b);
        } else {
            find_best(p, b, from, from + 1);
            find_best(p, b, to, to + 1);
        }
    }
}

/* Sums anew, so that errors of rounding do not add up; thing by thing for all things at once, since weight of i to j is that of j to i. */
static void count(partition *p)
{
    memset(p->to, 0, p->groups * p->room * sizeof *p->to);
    memset(p->filled, 0, p->groups * sizeof *p->filled);
    for (size_t j = 0; j < p->n; ++j) {
        const size_t g = (size_t)p->now[j];
        const double *weight = weights_of(p, j);
        double *restrict to = p->to + g * p->room;
        const double own = to[j];
        for (size_t i = 0; i < p->n; ++i) to[i] += weight[i];
        to[j] = own;
        p->filled[g] += p->volume[j];
    }
}

static void begin_pass(partition *p)
{
    count(p);
    p->moved = 0;
    for (size_t b = 0; b < p->room; b += BLOCK) {
        p->may[b / BLOCK] = MOT_MIN((size_t)BLOCK, p->n - b);
        for (size_t i = b; i < b + BLOCK; ++i) p->barred[i] = i < p->n ? 0 : -HUGE_VAL;
        find_best_of_all(p, b);
    }
}

/* The first of those that gain most. */
static size_t best_move(const partition *p)
{
    size_t best = 0;
    for (size_t i = 1; i < p->n; ++i)
        if (p->most[i] > p->most[best]) best = i;
    return best;
}

/* *better: it got better. `now` is the best of the pass, its beginning included. */
static mot_status pass(partition *p, bool *better)
{
    const double least = 1e-12;
    double sum = 0, best = least;
    size_t kept = 0;
    begin_pass(p);
    while (p->moved < p->n && p->groups > 1) {
        const size_t i = best_move(p);
        if (p->affinity->stop != NULL && p->affinity->stop(p->affinity->of)) return mot_fail(MOT_STOPPED, "stopped on request");
        sum += p->most[i];
        move(p, i);
        if (sum <= best) continue;
        best = sum;
        kept = p->moved;
    }
    while (p->moved > kept) {
        --p->moved;
        p->now[p->turn[p->moved]] = p->whence[p->moved];
    }
    *better = kept > 0;
    return MOT_OK;
}

static double share_within(partition *p)
{
    double within = 0;
    for (size_t i = 0; i < p->n; ++i) {
        const double *weight = weights_of(p, i);
        for (size_t j = 0; j < p->n; ++j)
            if (p->now[i] == p->now[j]) within += weight[j];
    }
    return within;
}

static double modularity(partition *p)
{
    double q = share_within(p);
    count(p);
    for (size_t g = 0; g < p->groups; ++g) q -= p->filled[g] * p->filled[g];
    return q;
}

static void begin(partition *p, uint64_t seed, uint32_t start)
{
    for (size_t i = 0; i < p->n; ++i)
        p->now[i] = (double)(mot_random(seed, MOT_STREAM_PARTITION, start, (uint32_t)i, 0, 0).word[0] % p->groups);
}

static mot_status search(partition *p, uint64_t seed)
{
    const double looks = (double)p->n * (double)p->n * (double)p->groups;
    const double starts = MOT_MAX((double)LEAST_STARTS, MOT_MIN((double)MOST_STARTS, worth / looks));
    double best = -HUGE_VAL;
    mot_status status = MOT_OK;
    for (uint32_t start = 0; start < (uint32_t)starts; ++start) {
        bool better = true;
        begin(p, seed, start);
        for (int passes = 0; passes < MOST_PASSES && better; ++passes) MOT_TRY(pass(p, &better));
        const double q = modularity(p);
        if (q <= best + 1e-12) continue;
        best = q;
        memcpy(p->best, p->now, p->n * sizeof *p->now);
    }
    memcpy(p->now, p->best, p->n * sizeof *p->now);
done:
    return status;
}

/* Groups by the order of their first things. */
static void number(partition *p, int *group)
{
    int numbers = 0;
    for (size_t g = 0; g < p->groups; ++g) p->number[g] = -1;
    for (size_t i = 0; i < p->n; ++i) {
        double *const of = &p->number[(size_t)p->now[i]];
        if (*of < 0) *of = numbers++;
        group[i] = (int)*of;
    }
}

static size_t room_for(size_t n)
{
    return (n + BLOCK - 1) / BLOCK * BLOCK;
}

size_t mot_partition_bytes(size_t n, size_t groups)
{
    const size_t room = room_for(n);
    groups = MOT_MIN(n, groups);
    return (room * (groups + 8) + 2 * groups) * sizeof(double) + (n + room / BLOCK) * sizeof(size_t);
}

static mot_status create(partition *p)
{
    const char *what = "a partition";
    double **const by_thing[] = {&p->weight, &p->volume, &p->now, &p->best, &p->most, &p->where, &p->barred, &p->whence};
    mot_status status;
    for (size_t a = 0; a < MOT_COUNT(by_thing); ++a) MOT_TRY(mot_allocate(by_thing[a], p->room, sizeof **by_thing[a], what));
    MOT_TRY(mot_allocate(&p->to, p->groups * p->room, sizeof *p->to, what));
    MOT_TRY(mot_allocate(&p->filled, p->groups, sizeof *p->filled, what));
    MOT_TRY(mot_allocate(&p->number, p->groups, sizeof *p->number, what));
    MOT_TRY(mot_allocate(&p->may, p->room / BLOCK, sizeof *p->may, what));
    MOT_TRY(mot_allocate(&p->turn, p->n, sizeof *p->turn, what));
done:
    return status;
}

static void destroy(partition *p)
{
    void *const arrays[] = {p->weight, p->volume, p->now, p->best,   p->most, p->where, p->barred,
                            p->whence, p->to,     p->filled, p->number, p->may,  p->turn};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

mot_status mot_partition(size_t n, size_t groups, const mot_affinity *affinity, uint64_t seed, int *group, double *within)
{
    partition p = {.n = n, .room = room_for(n), .groups = MOT_MIN(n, groups), .affinity = affinity, .all = 1};
    double all = 0;
    mot_status status;
    MOT_TRY(create(&p));
    *within = 1;
    memset(group, 0, n * sizeof *group);
    for (size_t i = 0; i < n; ++i) {
        const double *weight = weights_of(&p, i);
        for (size_t j = 0; j < n; ++j) all += weight[j];
    }
    if (!(all > 0)) goto done;
    p.all = all;
    for (size_t i = 0; i < n; ++i) {
        const double *weight = weights_of(&p, i);
        for (size_t j = 0; j < n; ++j) p.volume[i] += weight[j];
    }
    MOT_TRY(search(&p, seed));
    *within = share_within(&p);
    number(&p, group);
done:
    destroy(&p);
    return status;
}

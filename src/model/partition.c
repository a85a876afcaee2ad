#include "mot/partition.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"
#include "mot/types.h"

/* Beginnings, of which most come to the best end where things are few; and fewer, where a pass takes long. */
enum { MOST_STARTS = 64, LEAST_STARTS = 4, MOST_PASSES = 50 };
static const double worth = 1e9; /* moves that are looked at, about, over all beginnings */

typedef struct partition {
    size_t n, groups;
    double *weight; /* [n, n], of sum 1 */
    double *volume; /* [n]: row sums */
    double *to;     /* [n, groups]: weight from a thing to those of a group, without itself */
    double *filled; /* [groups]: volume */
    int *now, *best_of_pass, *best;
    bool *moved; /* [n] */
} partition;

/* What Q gains when thing i goes to group g. */
static double gain(const partition *p, size_t i, size_t g)
{
    const size_t own = (size_t)p->now[i];
    const double *to = p->to + i * p->groups, v = p->volume[i];
    return 2 * (to[g] - to[own]) - 2 * v * (p->filled[g] - (p->filled[own] - v));
}

static void move(partition *p, size_t i, size_t g)
{
    const size_t own = (size_t)p->now[i];
    const double *weight = p->weight + i * p->n; /* of j to i, which is that of i to j, and stands in a row */
    for (size_t j = 0; j < p->n; ++j) {
        if (j == i) continue;
        p->to[j * p->groups + own] -= weight[j];
        p->to[j * p->groups + g] += weight[j];
    }
    p->filled[own] -= p->volume[i];
    p->filled[g] += p->volume[i];
    p->now[i] = (int)g;
}

/* Sums anew, so that errors of rounding do not add up. */
static void count(partition *p)
{
    memset(p->to, 0, p->n * p->groups * sizeof *p->to);
    memset(p->filled, 0, p->groups * sizeof *p->filled);
    for (size_t i = 0; i < p->n; ++i) {
        p->filled[p->now[i]] += p->volume[i];
        for (size_t j = 0; j < p->n; ++j)
            if (j != i) p->to[i * p->groups + (size_t)p->now[j]] += p->weight[i * p->n + j];
    }
}

/* Whether it got better; `now` is the best of the pass, its beginning included. */
static bool pass(partition *p)
{
    const double least = 1e-12;
    double sum = 0, best = least;
    bool better = false;
    count(p);
    memset(p->moved, 0, p->n * sizeof *p->moved);
    memcpy(p->best_of_pass, p->now, p->n * sizeof *p->now);
    for (size_t moves = 0; moves < p->n; ++moves) {
        double most = -HUGE_VAL;
        size_t thing = 0, group = 0;
        for (size_t i = 0; i < p->n; ++i)
            for (size_t g = 0; !p->moved[i] && g < p->groups; ++g) {
                const double gained = g != (size_t)p->now[i] ? gain(p, i, g) : -HUGE_VAL;
                if (gained <= most) continue;
                most = gained;
                thing = i;
                group = g;
            }
        if (most == -HUGE_VAL) break; /* one group alone */
        p->moved[thing] = true;
        move(p, thing, group);
        sum += most;
        if (sum <= best) continue;
        best = sum;
        better = true;
        memcpy(p->best_of_pass, p->now, p->n * sizeof *p->now);
    }
    memcpy(p->now, p->best_of_pass, p->n * sizeof *p->now);
    return better;
}

static double share_within(const partition *p)
{
    double within = 0;
    for (size_t i = 0; i < p->n; ++i)
        for (size_t j = 0; j < p->n; ++j)
            if (p->now[i] == p->now[j]) within += p->weight[i * p->n + j];
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
        p->now[i] = (int)(mot_random(seed, MOT_STREAM_PARTITION, start, (uint32_t)i, 0, 0).word[0] % p->groups);
}

static void search(partition *p, uint64_t seed)
{
    const double looks = (double)p->n * (double)p->n * (double)p->groups;
    const double starts = MOT_MAX((double)LEAST_STARTS, MOT_MIN((double)MOST_STARTS, worth / looks));
    double best = -HUGE_VAL;
    for (uint32_t start = 0; start < (uint32_t)starts; ++start) {
        begin(p, seed, start);
        for (int passes = 0; passes < MOST_PASSES && pass(p); ++passes) continue;
        const double q = modularity(p);
        if (q <= best + 1e-12) continue;
        best = q;
        memcpy(p->best, p->now, p->n * sizeof *p->now);
    }
    memcpy(p->now, p->best, p->n * sizeof *p->now);
}

/* Groups by the order of their first things. */
static void number(const partition *p, int *group)
{
    int numbers = 0;
    for (size_t i = 0; i < p->n; ++i) {
        group[i] = -1;
        for (size_t j = 0; j < i && group[i] < 0; ++j)
            if (p->now[j] == p->now[i]) group[i] = group[j];
        if (group[i] < 0) group[i] = numbers++;
    }
}

static mot_status create(partition *p)
{
    const char *what = "a partition";
    mot_status status;
    MOT_TRY(mot_allocate(&p->weight, p->n * p->n, sizeof *p->weight, what));
    MOT_TRY(mot_allocate(&p->volume, p->n, sizeof *p->volume, what));
    MOT_TRY(mot_allocate(&p->to, p->n * p->groups, sizeof *p->to, what));
    MOT_TRY(mot_allocate(&p->filled, p->groups, sizeof *p->filled, what));
    MOT_TRY(mot_allocate(&p->now, p->n, sizeof *p->now, what));
    MOT_TRY(mot_allocate(&p->best_of_pass, p->n, sizeof *p->best_of_pass, what));
    MOT_TRY(mot_allocate(&p->best, p->n, sizeof *p->best, what));
    MOT_TRY(mot_allocate(&p->moved, p->n, sizeof *p->moved, what));
done:
    return status;
}

static void destroy(partition *p)
{
    void *const arrays[] = {p->weight, p->volume, p->to, p->filled, p->now, p->best_of_pass, p->best, p->moved};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

mot_status mot_partition(size_t n, size_t groups, const double *weight, uint64_t seed, int *group, double *within)
{
    partition p = {.n = n, .groups = MOT_MIN(n, groups)};
    double all = 0;
    mot_status status;
    MOT_TRY(create(&p));
    *within = 1;
    memset(group, 0, n * sizeof *group);
    for (size_t i = 0; i < n * n; ++i) all += weight[i];
    if (!(all > 0)) goto done;
    for (size_t i = 0; i < n * n; ++i) {
        p.weight[i] = weight[i] / all;
        p.volume[i / n] += p.weight[i];
    }
    search(&p, seed);
    *within = share_within(&p);
    number(&p, group);
done:
    destroy(&p);
    return status;
}

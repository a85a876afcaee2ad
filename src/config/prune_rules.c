/* The rules of action prune (prune_rule), of which action_prune.c gathers what they ask:
 *
 *      oracle    of each neuron of the teacher the student that is nearest to it stays: what knowing the teacher would give
 *      cluster   students whose directions have a cosine of prune_cosine or more in magnitude are one cluster, of which one
 *                stays, or none where as many point one way as the other
 *      group     groups leave, the one without which the loss is least first, as long as that costs at most
 *                prune_tolerance of what a student gives; then, of a group that together gives what one student gives,
 *                one stays. All groups of up to so many are tried that there are a million of them at most
 *      single    groups leave as above, but of one student each: the way that does not work
 *
 * What a student gives is half the mean square of its output, with hermite 3 E[P^2] = 0.88 whatever its directions are: what
 * the loss grows by when a student leaves that is needed. With prune_keep = N groups (or students) leave until N are left,
 * whatever that costs. The loss without S follows from sums over samples,
 *
 *      loss - sum_S <r, o_i> + sum_SS <o_i, o_j> / 2
 *
 * Why a group may be worth one: neurons with one gate are a tensor, sum u^3 (u^3: u x u x u), and that of a regular pentagon
 * is 0. So five students may cancel each other, and four at the places of a pentagon are the fifth turned round: they learn
 * an expert of the teacher exactly, though the nearest has a cosine of cos 36 deg = 0.81 with it, and there they stay, since
 * at that place the loss is flat to second order and is left like 1 / t^2. One of them alone goes on to the teacher. */
#include "prune.h"

#include <math.h>
#include <string.h>

#include "mot/memory.h"

enum { MOST_GROUPS = 1 << 20 };

double mot_prune_loss(const students *s)
{
    double loss = s->loss;
    for (size_t e = 0; e < s->E; ++e) {
        if (s->keep[e]) continue;
        loss -= s->with_rest[e];
        for (size_t f = 0; f < s->E; ++f)
            if (!s->keep[f]) loss += s->product[e * s->E + f] / 2;
    }
    return loss;
}

size_t mot_prune_kept(const students *s)
{
    size_t count = 0;
    for (size_t e = 0; e < s->E; ++e) count += s->keep[e];
    return count;
}

typedef struct sums {
    double loss;   /* when the group leaves as well: those that are not kept are gone, and so is the group */
    double alone;  /* its members' mean squares, added up */
    double united; /* mean square of the sum of their outputs */
} sums;

typedef struct group {
    size_t member[MOT_MAX_EXPERTS], count;
    sums of;
} group;

static void leave(students *s, const group *gone)
{
    for (size_t i = 0; i < gone->count; ++i) s->keep[gone->member[i]] = false;
}

/* Of a group the one stays with whom alone the loss is least. */
static void keep_best(students *s, const group *of)
{
    double least = INFINITY;
    size_t best = of->member[0];
    leave(s, of);
    for (size_t i = 0; i < of->count; ++i) {
        const size_t e = of->member[i];
        s->keep[e] = true;
        const double loss = mot_prune_loss(s);
        s->keep[e] = false;
        if (loss >= least) continue;
        least = loss;
        best = e;
    }
    s->keep[best] = true;
}

/* ---- oracle and cluster ---- */

static void by_oracle(students *s, const mot_teacher *teacher)
{
    memset(s->keep, 0, s->E * sizeof *s->keep);
    for (size_t j = 0; j < (size_t)teacher->config.experts; ++j) {
        double most = -INFINITY;
        size_t best = 0;
        for (size_t e = 0; e < s->E; ++e) {
            const double cosine = mot_neuron_sum(s->w + e * s->D, teacher->w + j * s->D, s->D);
            if (s->keep[e] || cosine <= most) continue;
            most = cosine;
            best = e;
        }
        s->keep[best] = true;
    }
}

/* Marks the cluster of `first` among those that are in none; sign [E]: which way each points. */
static void find_cluster(const students *s, size_t first, int *cluster, int *sign)
{
    cluster[first] = (int)first;
    sign[first] = 1;
    for (bool more = true; more;) {
        more = false;
        for (size_t e = 0; e < s->E; ++e)
            for (size_t f = 0; f < s->E && cluster[e] < 0; ++f) {
                const double cosine = mot_neuron_sum(s->w + e * s->D, s->w + f * s->D, s->D);
                if (cluster[f] != (int)first || fabs(cosine) < s->stage->prune.cosine) continue;
                cluster[e] = (int)first;
                sign[e] = cosine > 0 ? sign[f] : -sign[f];
                more = true;
            }
    }
}

/* Of the cluster's members one that points the way of most stays; none, where they cancel each other. at: room. */
static void keep_one(students *s, int first, const int *cluster, const int *sign, group *at)
{
    int way = 0;
    at->count = 0;
    for (size_t e = 0; e < s->E; ++e) way += cluster[e] == first ? sign[e] : 0;
    for (size_t e = 0; e < s->E; ++e) {
        if (cluster[e] != first) continue;
        s->keep[e] = false;
        if (sign[e] * way > 0) at->member[at->count++] = e;
    }
    if (way != 0) keep_best(s, at);
}

static mot_status by_cluster(students *s)
{
    int *cluster, *sign = NULL;
    group *at = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&cluster, s->E, sizeof *cluster, "clusters"));
    MOT_TRY(mot_allocate(&sign, s->E, sizeof *sign, "clusters"));
    MOT_TRY(mot_allocate(&at, 1, sizeof *at, "clusters"));
    for (size_t e = 0; e < s->E; ++e) cluster[e] = -1;
    for (size_t e = 0; e < s->E; ++e)
        if (cluster[e] < 0) find_cluster(s, e, cluster, sign);
    for (size_t e = 0; e < s->E; ++e)
        if (cluster[e] == (int)e) keep_one(s, (int)e, cluster, sign, at);
done:
    mot_free(at);
    mot_free(sign);
    mot_free(cluster);
    return status;
}

/* ---- groups ---- */

static void add_member(const students *s, group *at, size_t e)
{
    const double square = s->product[e * s->E + e];
    double with_gone = 0, with_group = 0;
    for (size_t f = 0; f < s->E; ++f)
        if (!s->keep[f]) with_gone += s->product[e * s->E + f];
    for (size_t i = 0; i < at->count; ++i) with_group += s->product[e * s->E + at->member[i]];
    at->of.loss += square / 2 - s->with_rest[e] + with_gone + with_group;
    at->of.alone += square;
    at->of.united += square + 2 * with_group;
    at->member[at->count++] = e;
}

typedef bool group_better(const group *one, const group *other);

static bool costs_less(const group *one, const group *other)
{
    return one->of.loss < other->of.loss;
}

/* As many students would give what they give together. */
static double worth(const group *at)
{
    return at->count > 0 ? (double)at->count * at->of.united / at->of.alone : 0;
}

/* It is worth one student, rounded, and has more that are too many than the other one. */
static bool is_one(const group *one, const group *other)
{
    const double is = worth(one);
    return is >= 0.5 && is < 1.5 && (double)one->count - is > (double)other->count - worth(other);
}

/* Tries all groups of up to `most` that begin with `at` and go on behind `from`. */
static void try_groups(const students *s, size_t from, size_t most, group_better *better, group *at, group *best)
{
    for (size_t e = from; e < s->E; ++e) {
        if (!s->keep[e]) continue;
        const sums before = at->of;
        add_member(s, at, e);
        if (better(at, best)) *best = *at;
        if (at->count < most) try_groups(s, e + 1, most, better, at, best);
        --at->count;
        at->of = before;
    }
}

/* The size up to which there are not more groups among so many than can be tried. */
static size_t largest_group(size_t left)
{
    double groups = 0, of_size = 1;
    size_t size = 0;
    while (size < left) {
        of_size *= (double)(left - size) / (double)(size + 1);
        groups += of_size;
        if (groups > MOST_GROUPS) break;
        ++size;
    }
    return MOT_MAX(size, (size_t)1);
}

/* Groups leave, the cheapest first; of `most` at most (0: of as many as can be tried). at, best: room. */
static void let_go(students *s, size_t most, group *at, group *best)
{
    const size_t target = s->stage->prune.keep > 0 ? (size_t)s->stage->prune.keep : 1;
    double one = 0;
    for (size_t e = 0; e < s->E; ++e) one += s->product[e * s->E + e] / 2 / (double)s->E;
    *at = (group){.of.loss = s->loss};
    for (size_t left = s->E; left > target; left = mot_prune_kept(s)) {
        best->of.loss = INFINITY;
        try_groups(s, 0, MOT_MIN(most > 0 ? most : largest_group(left), left - target), costs_less, at, best);
        if (s->stage->prune.keep == 0 && best->of.loss > at->of.loss + s->stage->prune.tolerance * one) break;
        leave(s, best);
        at->of.loss = best->of.loss;
    }
}

/* One stays of each group that is worth one. */
static void unite(students *s, group *at, group *best)
{
    for (;;) {
        *at = *best = (group){.count = 0};
        try_groups(s, 0, largest_group(mot_prune_kept(s)), is_one, at, best);
        if (best->count == 0) return;
        keep_best(s, best);
    }
}

static mot_status by_groups(students *s)
{
    const bool single = s->stage->prune.rule == MOT_PRUNE_SINGLE;
    group *at = NULL, *best = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&at, 1, sizeof *at, "groups"));
    MOT_TRY(mot_allocate(&best, 1, sizeof *best, "groups"));
    let_go(s, single ? 1 : 0, at, best);
    if (!single && s->stage->prune.keep == 0) unite(s, at, best);
done:
    mot_free(best);
    mot_free(at);
    return status;
}

mot_status mot_prune_choose(students *s, const mot_teacher *teacher)
{
    switch (s->stage->prune.rule) {
    case MOT_PRUNE_ORACLE: by_oracle(s, teacher); return MOT_OK;
    case MOT_PRUNE_CLUSTER: return by_cluster(s);
    case MOT_PRUNE_GROUP:
    case MOT_PRUNE_SINGLE: return by_groups(s);
    }
    return MOT_OK;
}

/* routing.h: random routings for the tests of plan and exchange, in every shape that has an edge. */
#ifndef MOT_TEST_ROUTING_H
#define MOT_TEST_ROUTING_H

#include <stdio.h>

#include "ck.h"
#include "mot/memory.h"
#include "mot/plan.h"
#include "mot/rng.h"

/* How samples choose: experts in turn; at random; one expert first for all; only the upper half of the
 * experts. */
enum { CHOICE_IN_TURN, CHOICE_RANDOM, CHOICE_ONE, CHOICE_HALF, CHOICE_KINDS };
/* Who holds the samples: contiguous slices; at random; all of them the last rank. */
enum { HOME_SLICES, HOME_RANDOM, HOME_LAST, HOME_KINDS };
/* Where experts live: even; even but for the coordinator; all on the last rank; dealt at random; two to one
 * on the first ranks, the others own none. */
enum { PLACE_EVEN, PLACE_DEDICATED, PLACE_LAST, PLACE_RANDOM, PLACE_UNEVEN, PLACE_KINDS };

typedef struct routing {
    int ranks, experts;
    size_t samples, choices;
    mot_placement placement;
    int *home;       /* [samples] */
    int32_t *expert; /* [samples, choices] */
} routing;

typedef struct dice {
    uint64_t seed;
    uint32_t thrown;
} dice;

/* A number in [0, n). */
static inline size_t dice_throw(dice *d, size_t n)
{
    return mot_random(d->seed, MOT_STREAM_TEST, d->thrown++, 0, 0, 0).word[0] % n;
}

static inline void dice_shuffle(dice *d, int *values, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        const size_t j = dice_throw(d, i);
        const int kept = values[i - 1];
        values[i - 1] = values[j];
        values[j] = kept;
    }
}

/* The text that a user would write for this kind of placement. */
static inline void routing_place(routing *r, dice *d, int kind)
{
    char text[2048] = "even";
    if (kind >= PLACE_LAST) {
        int list[64] = {0};
        for (int e = 0; e < r->experts; e++)
            list[e] = kind == PLACE_LAST     ? r->ranks - 1
                      : kind == PLACE_RANDOM ? (int)dice_throw(d, (size_t)r->ranks)
                                             : MOT_MIN(e / 2, r->ranks - 1);
        size_t at = 0;
        for (int rank = 0; rank < r->ranks; rank++) {
            at += (size_t)snprintf(text + at, sizeof text - at, "%s[", rank == 0 ? "[" : ", ");
            const char *comma = "";
            for (int e = 0; e < r->experts; e++) {
                if (list[e] != rank) continue;
                at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", comma, e);
                comma = ",";
            }
            at += (size_t)snprintf(text + at, sizeof text - at, "]");
        }
        snprintf(text + at, sizeof text - at, "]");
    }
    mot_ck_ok(mot_placement_init(&r->placement, text, r->experts, r->ranks, kind == PLACE_DEDICATED, false));
}

/* Routing number `number` for `ranks` ranks: the kinds follow the number, so that a few hundred numbers meet
 * every combination; the rest is thrown. Equal on every rank that passes the same arguments. */
static inline void routing_init(routing *r, uint64_t seed, uint32_t number, int ranks, size_t most_samples)
{
    static const int experts[] = {1, 2, 3, 8, 13};
    const size_t samples[] = {0, 1, 2, (size_t)ranks - 1, 37, most_samples};
    dice d = {.seed = seed + UINT64_C(1000003) * number};
    uint32_t n = number;
    const int choice_kind = (int)(n % CHOICE_KINDS), home_kind = (int)((n /= CHOICE_KINDS) % HOME_KINDS);
    const int place_kind = (int)((n /= HOME_KINDS) % PLACE_KINDS);
    *r = (routing){.ranks = ranks, .experts = experts[dice_throw(&d, MOT_COUNT(experts))]};
    r->samples = MOT_MIN(samples[dice_throw(&d, MOT_COUNT(samples))], most_samples);
    const size_t choices[] = {1, MOT_MIN(2, (size_t)r->experts), (size_t)r->experts};
    r->choices = choices[dice_throw(&d, MOT_COUNT(choices))];
    routing_place(r, &d, place_kind);

    r->home = mot_calloc(r->samples, sizeof(int));
    r->expert = mot_calloc(r->samples * r->choices, sizeof(int32_t));
    ck_assert(r->home != NULL && r->expert != NULL);
    if (home_kind == HOME_SLICES)
        for (int rank = 0; rank < ranks; rank++)
            for (size_t s = mot_part_first(r->samples, (size_t)ranks, (size_t)rank);
                 s < mot_part_first(r->samples, (size_t)ranks, (size_t)rank + 1); s++)
                r->home[s] = rank;
    else
        for (size_t s = 0; s < r->samples; s++)
            r->home[s] = home_kind == HOME_LAST ? ranks - 1 : (int)dice_throw(&d, (size_t)ranks);

    const int all = r->experts, favourite = (int)dice_throw(&d, (size_t)all);
    const int from = choice_kind == CHOICE_HALF ? MOT_MIN(all / 2, all - (int)r->choices) : 0;
    for (size_t s = 0; s < r->samples; s++) {
        int order[64] = {0};
        for (int e = 0; e < all - from; e++)
            order[e] = choice_kind == CHOICE_IN_TURN ? (int)((s * r->choices + (size_t)e) % (size_t)all)
                       : choice_kind == CHOICE_ONE   ? (favourite + e) % all
                                                     : from + e;
        if (choice_kind == CHOICE_RANDOM || choice_kind == CHOICE_HALF)
            dice_shuffle(&d, order, (size_t)(all - from));
        for (size_t k = 0; k < r->choices; k++) r->expert[s * r->choices + k] = order[k];
    }
}

static inline void routing_free(routing *r)
{
    mot_placement_free(&r->placement);
    mot_free(r->home);
    mot_free(r->expert);
    *r = (routing){0};
}

static inline mot_status routing_plan(const routing *r, mot_plan *plan, const mot_nodes *nodes)
{
    const mot_status status = mot_plan_init(plan, &r->placement, nodes);
    return status != MOT_OK
               ? status
               : mot_plan_build(plan, &r->placement, r->samples, r->choices, r->home, r->expert, NULL, NULL);
}

/* Which ranks are a node: each by itself; all together; neighbours; every second; the first alone. */
enum { NODES_ALONE, NODES_ONE, NODES_NEIGHBOURS, NODES_WOVEN, NODES_UNEVEN, NODES_KINDS };

static inline int routing_colour(int kind, int rank)
{
    return kind == NODES_ALONE        ? rank
           : kind == NODES_ONE        ? 0
           : kind == NODES_NEIGHBOURS ? rank / 2
           : kind == NODES_WOVEN      ? rank % 2
                                      : rank > 0;
}

/* Without a communicator. */
static inline void routing_nodes(mot_nodes *nodes, int ranks, int rank, int kind)
{
    int colour[64];
    ck_assert(ranks <= 64);
    for (int i = 0; i < ranks; i++) colour[i] = routing_colour(kind, i);
    mot_ck_ok(mot_nodes_map(nodes, ranks, rank, colour));
}

/* Who owns the expert of row (s, k). */
static inline int routing_owner(const routing *r, size_t s, size_t k)
{
    return r->placement.owner[r->expert[s * r->choices + k]];
}

#endif

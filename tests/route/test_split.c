/* The split of experts with many rows over ranks, and the plans made with it, against double loops over all rows. */
#include "mot/split.h"

#include <string.h>

#include "routing.h"

static const size_t strips[] = {1, 2, 5, 16, 1000};

static size_t rows_of(const routing *r, int expert)
{
    size_t rows = 0;
    for (size_t i = 0; i < r->samples * r->choices; i++) rows += r->expert[i] == expert;
    return rows;
}

static size_t largest(const size_t *load, int ranks)
{
    size_t most = 0;
    for (int i = 0; i < ranks; i++) most = MOT_MAX(most, load[i]);
    return most;
}

/* Every expert's rows are dealt once, in whole strips, the owner's first; nobody ends with much more than the fair
 * share who need not, and the largest load never grows. */
static void check_shares(const routing *r, const mot_split *split, size_t strip)
{
    size_t load[64] = {0}, owned[64] = {0}, at = 0, total = 0;
    const int lowest = r->placement.dedicated ? 1 : 0;
    for (int e = 0; e < r->experts; e++) {
        bool works[64] = {false};
        size_t row = 0;
        const size_t rows = rows_of(r, e);
        owned[r->placement.owner[e]] += rows;
        total += rows;
        ck_assert_uint_eq(split->first[e], at);
        for (; at < split->first[e + 1]; at++) {
            const mot_share *share = &split->share[at];
            ck_assert_int_eq(share->expert, e);
            ck_assert_uint_eq(share->first, row);
            ck_assert_uint_eq(row % strip, 0);
            ck_assert(share->worker >= lowest && share->worker < r->ranks && !works[share->worker]);
            works[share->worker] = true;
            if (at == split->first[e])
                ck_assert_int_eq(share->worker, r->placement.owner[e]);
            else
                ck_assert_uint_gt(share->rows, 0);
            row += share->rows;
            load[share->worker] += share->rows;
        }
        ck_assert_uint_eq(row, rows);
    }
    ck_assert_uint_eq(at, split->shares);
    const size_t workers = (size_t)(r->ranks - lowest), fair = (total + workers - 1) / workers;
    ck_assert_uint_le(largest(load, r->ranks), largest(owned, r->ranks));
    ck_assert_uint_le(largest(load, r->ranks), fair + 2 * strip);
}

/* Who works on row i: the share that its place among its expert's rows falls into. */
static const mot_share *share_of(const routing *r, const mot_split *split, size_t i)
{
    size_t place = 0;
    const int e = r->expert[i];
    for (size_t j = 0; j < i; j++) place += r->expert[j] == e;
    for (size_t s = split->first[e]; s < split->first[e + 1]; s++)
        if (place >= split->share[s].first && place < split->share[s].first + split->share[s].rows)
            return &split->share[s];
    return NULL;
}

/* The plan of rank `me` with this split. */
static void check_plan(const routing *r, mot_split *split, const mot_share *const *share, int me)
{
    mot_plan plan;
    const size_t rows = r->samples * r->choices;
    mot_nodes nodes;
    routing_nodes(&nodes, r->ranks, me, NODES_ALONE);
    mot_ck_ok(mot_plan_init(&plan, &r->placement, &nodes));
    mot_ck_ok(mot_plan_build(&plan, &r->placement, r->samples, r->choices, r->home, r->expert, split, NULL));
    size_t home = 0, owner = 0, at = 0;
    for (int peer = 0; peer < r->ranks; peer++) {
        ck_assert_uint_eq(plan.home_first[peer], home);
        ck_assert_uint_eq(plan.owner_first[peer], owner);
        for (size_t i = 0; i < rows; i++) {
            const int s = (int)(i / r->choices), k = (int)(i % r->choices);
            if (r->home[s] == me && share[i]->worker == peer) {
                ck_assert(plan.home_sample[home] == s && plan.home_choice[home] == k);
                home++;
            }
            if (r->home[s] == peer && share[i]->worker == me) {
                ck_assert(plan.owner_sample[owner] == s && plan.owner_choice[owner] == k);
                owner++;
            }
        }
    }
    ck_assert(plan.rows_home == home && plan.rows_owner == owner);

    /* Local experts first, guests after them, each with the rows of its share in global order. */
    const size_t local = (size_t)mot_placement_count(&r->placement, me);
    ck_assert_uint_ge(plan.groups, local);
    for (size_t g = 0; g < plan.groups; g++) {
        const int e = plan.group_expert[g];
        ck_assert_int_eq(r->placement.owner[e] == me, g < local);
        ck_assert(g >= local || r->placement.local_index[e] == (int)g);
        ck_assert(g <= local || e > plan.group_expert[g - 1]);
        ck_assert_uint_eq(plan.group_first[g], at);
        for (size_t i = 0; i < rows; i++) {
            if (r->expert[i] != e || share[i]->worker != me) continue;
            ck_assert_uint_eq(plan.group_from[g], share[i]->first);
            ck_assert_uint_lt(at, plan.rows_owner);
            const uint32_t place = plan.row[at++];
            ck_assert_int_eq(plan.owner_sample[place], (int)(i / r->choices));
            ck_assert_int_eq(plan.owner_choice[place], (int)(i % r->choices));
        }
        ck_assert_uint_eq(plan.group_first[g + 1], at);
    }
    ck_assert_uint_eq(at, plan.rows_owner);
    mot_plan_free(&plan);
    mot_nodes_free(&nodes);
}

START_TEST(a_split_is_what_the_double_loop_says)
{
    const int ranks = _i;
    size_t given_away = 0;
    for (uint32_t number = 0; number < CHOICE_KINDS * HOME_KINDS * PLACE_KINDS; number++) {
        routing r;
        mot_split split;
        routing_init(&r, 90, number + 100 * (uint32_t)ranks, ranks, 60);
        mot_ck_ok(mot_split_init(&split, &r.placement));
        const size_t rows = r.samples * r.choices;
        const mot_share **share = mot_calloc(rows, sizeof *share);
        for (size_t s = 0; s < MOT_COUNT(strips); s++) {
            mot_ck_ok(mot_split_build(&split, &r.placement, rows, r.expert, strips[s]));
            check_shares(&r, &split, strips[s]);
            given_away += split.shares - (size_t)r.experts;
            for (size_t i = 0; i < rows; i++) {
                share[i] = share_of(&r, &split, i);
                ck_assert_ptr_eq(share[i], &split.share[mot_split_next(&split, r.expert[i])]);
            }
            for (int me = 0; me < ranks; me++) check_plan(&r, &split, share, me);
        }
        mot_free(share);
        mot_split_free(&split);
        routing_free(&r);
    }
    ck_assert((given_away > 0) == (ranks > 1));
}
END_TEST

/* 80 % of 128 rows want one of 8 experts, two ranks, strips of 13: as even as strips allow. */
START_TEST(a_hot_expert_is_halved)
{
    mot_placement placement;
    mot_split split;
    int32_t expert[128];
    for (int i = 0; i < 128; i++) expert[i] = i % 5 < 4 ? 2 : i / 5 % 8;
    mot_ck_ok(mot_placement_init(&placement, "even", 8, 2, false, false));
    mot_ck_ok(mot_split_init(&split, &placement));
    mot_ck_ok(mot_split_build(&split, &placement, 128, expert, 13));
    ck_assert_uint_eq(split.shares, 9);
    size_t load[2] = {0};
    for (size_t i = 0; i < split.shares; i++) load[split.share[i].worker] += split.share[i].rows;
    ck_assert(load[0] >= 58 && load[0] <= 70);

    /* Where all is even already nothing moves. */
    for (int i = 0; i < 128; i++) expert[i] = i % 8;
    mot_ck_ok(mot_split_build(&split, &placement, 128, expert, 1));
    ck_assert_uint_eq(split.shares, 8);
    mot_split_free(&split);
    mot_split_free(&split);
    mot_placement_free(&placement);
}
END_TEST

/* Experts of 35, 35, 29 and 29 rows, two on each of two ranks, strips of 16: the three rows behind the second strip of both
 * long ones are strips, too, and worth moving. */
START_TEST(short_strips_even_out)
{
    mot_placement placement;
    mot_split split;
    int32_t expert[128];
    for (int i = 0; i < 128; i++) expert[i] = i < 35 ? 0 : i < 70 ? 1 : i < 99 ? 2 : 3;
    mot_ck_ok(mot_placement_init(&placement, "even", 4, 2, false, false));
    mot_ck_ok(mot_split_init(&split, &placement));
    mot_ck_ok(mot_split_build(&split, &placement, 128, expert, 16));
    size_t load[2] = {0};
    for (size_t i = 0; i < split.shares; i++) load[split.share[i].worker] += split.share[i].rows;
    ck_assert_uint_eq(split.shares, 6);
    ck_assert_uint_eq(load[0], 64);
    ck_assert_uint_eq(load[1], 64);
    mot_split_free(&split);
    mot_placement_free(&placement);
}
END_TEST

static void split_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_split_is_what_the_double_loop_says, 1, 9);
    tcase_add_test(tcase, a_hot_expert_is_halved);
    tcase_add_test(tcase, short_strips_even_out);
}

MOT_CK_MAIN("split", split_tests)

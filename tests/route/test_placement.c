/* The placement table: what a text means, and what is said about a text that means nothing. */
#include "mot/placement.h"

#include <string.h>

#include "ck.h"
#include "mot/rng.h"

static const struct {
    const char *text;
    int experts, ranks;
    bool dedicated, fold;
    int owner[8];
} good[] = {
    {"even", 8, 1, false, false, {0, 0, 0, 0, 0, 0, 0, 0}},
    {"even", 8, 3, false, false, {0, 0, 0, 1, 1, 1, 2, 2}},
    {"even", 8, 3, true, false, {1, 1, 1, 1, 2, 2, 2, 2}},
    {"even", 3, 1, true, false, {0, 0, 0}},
    {"even", 2, 4, false, false, {0, 1}},
    {"even", 2, 4, true, false, {1, 2}},
    {"even", 0, 2, false, false, {0}},
    {"[[0,1],[2],[]]", 3, 3, false, false, {0, 0, 1}},
    {"[[], [2, 0], [1]]", 3, 3, true, false, {1, 2, 1}},
    {" [ [ 1 ] ,\n [ 0 ] ] ", 2, 5, false, false, {1, 0}},
    {"[[0,1],[2],[],[3]]", 4, 1, false, true, {0, 0, 0, 0}},
    {"[[0,1],[2],[],[3]]", 4, 2, false, true, {0, 0, 1, 1}},
    {"[[0,1],[2],[],[3]]", 4, 6, false, true, {0, 0, 1, 3}},
    {"[[],[0],[1],[2],[3]]", 4, 3, true, true, {1, 2, 1, 2}},
    {"[[],[0],[1]]", 2, 1, true, true, {0, 0}},
    {"[[1,0]]", 2, 1, true, false, {0, 0}},
    {"[]", 0, 2, false, false, {0}},
    {"[[],[]]", 0, 2, false, false, {0}},
};

static const struct {
    const char *text;
    int experts, ranks;
    bool dedicated, fold;
    const char *sentence;
} bad[] = {
    {"[[0],[1],[2]]", 3, 2, false, false, "placement names 3 ranks, the job has 2"},
    {"[[0],[1],[]]", 2, 2, false, false, "placement names 3 ranks, the job has 2"},
    {"[[0],[2]]", 3, 2, false, false, "placement leaves expert 1 of 3 without a rank"},
    {"[]", 1, 2, false, false, "placement leaves expert 0 of 1 without a rank"},
    {"[[0,1],[1]]", 2, 2, false, false, "placement names expert 1 twice, for ranks 0 and 1"},
    {"[[0,1,0]]", 2, 2, false, false, "placement names expert 0 twice for rank 0"},
    {"[[0],[8]]", 8, 2, false, false, "placement: expert 8 outside [0, 8)"},
    {"[[0],[-1]]", 8, 2, false, false, "placement: expert -1 outside [0, 8)"},
    {"[[99999999999999999999]]", 8, 2, false, false, "placement: expert 99999999999999999999 outside [0, 8)"},
    {"[[0],[1]]", 2, 2, true, false, "placement gives expert 0 to rank 0, the dedicated coordinator"},
    {"", 2, 2, false, false, "placement \"\": expected even, or a list a rank: [[0, 1], [2], []]"},
    {"odd", 2, 2, false, false, "placement \"odd\": expected even, or a list a rank: [[0, 1], [2], []]"},
    {"[0,1]", 2, 2, false, false, "placement \"[0,1]\": expected the [ of a rank's list at character 2"},
    {"[[0,1],]", 2, 2, false, false,
     "placement \"[[0,1],]\": expected the [ of a rank's list at character 8"},
    {"[[0,]]", 2, 2, false, false, "placement \"[[0,]]\": expected the number of an expert at character 5"},
    {"[[a]]", 2, 2, false, false, "placement \"[[a]]\": expected the number of an expert at character 3"},
    {"[[0 1]]", 2, 2, false, false, "placement \"[[0 1]]\": expected a comma or ] at character 5"},
    {"[[0]", 2, 2, false, false, "placement \"[[0]\": expected a comma or ] at character 5"},
    {"[[0", 2, 2, false, false, "placement \"[[0\": expected a comma or ] at character 4"},
    {"[[0],[1]] x", 2, 2, false, false, "placement \"[[0],[1]] x\": expected nothing more at character 11"},
};

/* first, local and local_index say what owner says. */
static void check_index(const mot_placement *p)
{
    int at = 0;
    ck_assert_int_eq(p->first[0], 0);
    for (int r = 0; r < p->ranks; r++) {
        for (int e = 0; e < p->experts; e++) {
            if (p->owner[e] != r) continue;
            ck_assert_int_eq(p->local[at], e);
            ck_assert_int_eq(p->local_index[e], at - p->first[r]);
            at++;
        }
        ck_assert_int_eq(p->first[r + 1], at);
    }
    ck_assert_int_eq(at, p->experts);
}

START_TEST(good_texts_place_every_expert)
{
    mot_placement p;
    mot_ck_ok(mot_placement_init(&p, good[_i].text, good[_i].experts, good[_i].ranks, good[_i].dedicated,
                                 good[_i].fold));
    ck_assert_int_eq(p.experts, good[_i].experts);
    ck_assert_int_eq(p.ranks, good[_i].ranks);
    for (int e = 0; e < p.experts; e++)
        ck_assert_msg(p.owner[e] == good[_i].owner[e], "\"%s\": expert %d on rank %d, not %d", good[_i].text,
                      e, p.owner[e], good[_i].owner[e]);
    check_index(&p);
    mot_placement_free(&p);
}
END_TEST

START_TEST(bad_texts_get_their_sentence)
{
    mot_placement p;
    ck_assert_int_eq(
        mot_placement_init(&p, bad[_i].text, bad[_i].experts, bad[_i].ranks, bad[_i].dedicated, bad[_i].fold),
        MOT_ERR_INPUT);
    ck_assert_str_eq(mot_error_message(), bad[_i].sentence);
    ck_assert_ptr_null(p.owner);
    mot_placement_free(&p);
}
END_TEST

/* Those that are left are dealt anew, or live where the text has them. */
START_TEST(some_are_left)
{
    static const struct {
        const char *text;
        int ranks;
        bool fold;
        int owner[3];
    } left[] = {{"even", 3, false, {0, 1, 2}},
                {"[[4,0],[1],[3,2]]", 4, false, {0, 2, 0}},
                {"[[4,0],[1],[3,2]]", 1, true, {0, 0, 0}},
                {"[[],[0,1,2,3,4]]", 2, false, {1, 1, 1}}};
    static const int origin[] = {0, 2, 4};
    mot_placement p;
    mot_ck_ok(mot_placement_left(&p, left[_i].text, 5, 3, origin, left[_i].ranks, false, left[_i].fold));
    ck_assert_int_eq(p.experts, 3);
    ck_assert_mem_eq(p.owner, left[_i].owner, sizeof left[_i].owner);
    check_index(&p);
    mot_placement_free(&p);
}
END_TEST

/* Runs that differ by one at most, in order, for any number of experts and ranks. */
START_TEST(even_is_even)
{
    const int ranks = _i;
    for (int dedicated = 0; dedicated < 2; dedicated++) {
        for (int experts = 0; experts <= 40; experts++) {
            mot_placement p;
            mot_ck_ok(mot_placement_init(&p, "even", experts, ranks, dedicated, false));
            const int owners = dedicated && ranks > 1 ? ranks - 1 : ranks;
            for (int e = 1; e < experts; e++) ck_assert_int_ge(p.owner[e], p.owner[e - 1]);
            for (int r = 0; r < ranks; r++) {
                const int count = mot_placement_count(&p, r);
                const bool idle = r < ranks - owners;
                ck_assert_int_ge(count, idle ? 0 : experts / owners);
                ck_assert_int_le(count, idle ? 0 : (experts + owners - 1) / owners);
            }
            check_index(&p);
            mot_placement_free(&p);
        }
    }
}
END_TEST

/* ---- balancing ---- */

static const struct {
    const char *text;
    int experts, ranks;
    bool dedicated;
    int64_t load[8];
    int owner[8], moves; /* after it */
} balanced[] = {
    {"even", 4, 2, false, {8, 1, 1, 2}, {0, 1, 1, 1}, 1},
    {"even", 8, 2, false, {28, 1, 1, 1, 1, 1, 1, 1}, {0, 1, 1, 1, 1, 1, 1, 1}, 3},
    {"even", 8, 3, true, {28, 1, 1, 1, 1, 1, 1, 1}, {1, 2, 2, 2, 2, 2, 2, 2}, 3},
    {"even", 8, 2, false, {0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 1, 1, 1, 1}, 0},
    {"even", 4, 2, false, {5, 5, 5, 5}, {0, 0, 1, 1}, 0},
    {"even", 4, 2, false, {50, 52, 50, 48}, {0, 0, 1, 1}, 0}, /* 2 % to be had */
    {"even", 4, 2, false, {0, 50, 0, 40}, {0, 0, 1, 1}, 0},   /* nothing wins by moving what has no load */
    {"even", 4, 2, false, {95, 5, 0, 0}, {0, 0, 1, 1}, 0},    /* exactly a twentieth */
    {"even", 4, 2, false, {94, 6, 0, 0}, {0, 1, 1, 1}, 1},    /* a little more */
    {"even", 6, 2, false, {90, 80, 70, 1, 2, 3}, {0, 1, 1, 0, 0, 0}, 5},
    {"[[0,1,2,3,4,5],[]]", 6, 2, false, {9, 0, 0, 0, 0, 9}, {0, 0, 0, 0, 0, 1}, 1},
    {"even", 3, 1, true, {7, 1, 1}, {0, 0, 0}, 0},
    {"even", 2, 4, false, {9, 1}, {0, 1}, 0},
    {"even", 0, 2, false, {0}, {0}, 0},
};

START_TEST(balances_as_one_would)
{
    mot_placement now, better;
    mot_moves moves;
    mot_ck_ok(mot_placement_init(&now, balanced[_i].text, balanced[_i].experts, balanced[_i].ranks,
                                 balanced[_i].dedicated, false));
    mot_ck_ok(mot_placement_balance(&better, &now, balanced[_i].load, &moves));
    for (int e = 0; e < now.experts; e++)
        ck_assert_msg(better.owner[e] == balanced[_i].owner[e], "%d: expert %d on rank %d, not %d", _i, e,
                      better.owner[e], balanced[_i].owner[e]);
    ck_assert_int_eq(moves.experts, balanced[_i].moves);
    check_index(&better);
    mot_placement_free(&better);
    mot_placement_free(&now);
}
END_TEST

static int64_t largest_load(const int *owner, const int64_t *load, int experts, int ranks)
{
    int64_t sum[4] = {0}, most = 0;
    for (int e = 0; e < experts; e++) sum[owner[e]] += load[e];
    for (int r = 0; r < ranks; r++) most = MOT_MAX(most, sum[r]);
    return most;
}

/* The least that any placement reaches: all of them are tried. */
static int64_t least_of_all(const int64_t *load, int experts, int lowest, int ranks)
{
    const int workers = ranks - lowest;
    int64_t best = INT64_MAX;
    int placements = 1;
    for (int e = 0; e < experts; e++) placements *= workers;
    for (int p = 0; p < placements; p++) {
        int owner[8], rest = p;
        for (int e = 0; e < experts; e++, rest /= workers) owner[e] = lowest + rest % workers;
        best = MOT_MIN(best, largest_load(owner, load, experts, ranks));
    }
    return best;
}

static int draw(int trial, int what, int below)
{
    const mot_random4 random = mot_random(4, MOT_STREAM_TEST, (uint32_t)trial, (uint32_t)what, 0, 0);
    return (int)(random.word[0] % (uint32_t)below);
}

/* Against all placements: between the best there is and what dealing the largest first promises, 4/3 of it (where no
 * rank runs out of room), and a twentieth that is not worth the moves. */
START_TEST(balances_nearly_as_well_as_can_be)
{
    int moved = 0;
    for (int trial = 300 * _i; trial < 300 * (_i + 1); trial++) {
        const int experts = 1 + draw(trial, 0, 7), ranks = 1 + draw(trial, 1, 4);
        const int dedicated = ranks > 1 && draw(trial, 2, 4) == 0, kind = draw(trial, 3, 4);
        int64_t load[8];
        int owner[8];
        mot_placement even, now, better, again;
        mot_moves moves, moves_again;
        for (int e = 0; e < experts; e++) {
            const int x = draw(trial, 10 + e, 1000);
            load[e] = kind == 0 ? x : kind == 1 ? x % 4 : kind == 2 ? (e == 0 ? 3000 : x % 50) : x % 2 * x;
            owner[e] = dedicated + draw(trial, 20 + e, ranks - dedicated);
        }
        mot_ck_ok(mot_placement_init(&even, "even", experts, ranks, dedicated, false));
        mot_ck_ok(mot_placement_assign(&now, &even, owner));
        mot_ck_ok(mot_placement_balance(&better, &now, load, &moves));
        mot_ck_ok(mot_placement_balance(&again, &now, load, &moves_again));
        check_index(&better);

        const int64_t before = largest_load(owner, load, experts, ranks),
                      after = largest_load(better.owner, load, experts, ranks),
                      least = least_of_all(load, experts, dedicated, ranks);
        int differ = 0, most = mot_placement_most(&now);
        int64_t all = 0;
        for (int e = 0; e < experts; e++) {
            differ += better.owner[e] != owner[e];
            all += load[e];
            ck_assert_int_eq(better.owner[e], again.owner[e]);
        }
        ck_assert_int_eq(moves.experts, differ);
        for (int r = 0; r < ranks; r++) ck_assert_int_le(mot_placement_count(&better, r), most);
        if (dedicated) ck_assert_int_eq(mot_placement_count(&better, 0), 0);
        ck_assert(after >= least);
        if (moves.experts > 0)
            ck_assert_msg(20 * after < 19 * before, "trial %d: moves from %d to %d", trial, (int)before,
                          (int)after);
        else
            ck_assert(after == before);
        if (most >= experts) ck_assert(after * 3 * 19 <= least * 4 * 20);
        if (all > 0) {
            ck_assert_double_eq(moves.share_before, (double)before / (double)all);
            ck_assert_double_eq(moves.share_after, (double)after / (double)all);
        }
        moved += moves.experts > 0;
        mot_placement_free(&again);
        mot_placement_free(&better);
        mot_placement_free(&now);
        mot_placement_free(&even);
    }
    ck_assert_int_gt(moved, 50);
}
END_TEST

/* No rank ends up with more than twice its share, however cheap the experts. */
START_TEST(no_rank_owns_too_many)
{
    enum { E = 40 };
    int64_t load[E];
    mot_placement now, better;
    mot_moves moves;
    for (int e = 0; e < E; e++) load[e] = e % 10 == 0 && e < 30 ? 1000 : 30; /* the last rank could take 33 */
    mot_ck_ok(mot_placement_init(&now, "even", E, 4, false, false));
    ck_assert_int_eq(mot_placement_most(&now), 20);
    mot_ck_ok(mot_placement_balance(&better, &now, load, &moves));
    ck_assert_int_gt(moves.experts, 0);
    int most = 0;
    for (int r = 0; r < 4; r++) most = MOT_MAX(most, mot_placement_count(&better, r));
    ck_assert_int_eq(most, 19);
    mot_placement_free(&better);
    mot_placement_free(&now);
}
END_TEST

static void placement_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, good_texts_place_every_expert, 0, (int)MOT_COUNT(good));
    tcase_add_loop_test(tcase, some_are_left, 0, 4);
    tcase_add_loop_test(tcase, bad_texts_get_their_sentence, 0, (int)MOT_COUNT(bad));
    tcase_add_loop_test(tcase, even_is_even, 1, 12);
    tcase_add_loop_test(tcase, balances_as_one_would, 0, (int)MOT_COUNT(balanced));
    tcase_add_loop_test(tcase, balances_nearly_as_well_as_can_be, 0, 10);
    tcase_add_test(tcase, no_rank_owns_too_many);
}

MOT_CK_MAIN("placement", placement_tests)

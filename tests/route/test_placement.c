/* The placement table: what a text means, and what is said about a text that means nothing. */
#include "mot/placement.h"

#include <string.h>

#include "ck.h"

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

static void placement_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, good_texts_place_every_expert, 0, (int)MOT_COUNT(good));
    tcase_add_loop_test(tcase, bad_texts_get_their_sentence, 0, (int)MOT_COUNT(bad));
    tcase_add_loop_test(tcase, even_is_even, 1, 12);
}

MOT_CK_MAIN("placement", placement_tests)

/* What a stage of a stream learns from, against a dull walk through its legs. */
#include <string.h>

#include "ck.h"
#include "mot/sampler.h"

enum { BATCH = 8, NEW = 20, OLD = 5, STEPS = 12, DONE = 100 };
static const mot_gidx old[OLD] = {3, 1, 4, 15, 9};

static mot_sampler *sampler(bool shuffled)
{
    static mot_leg leg[2];
    static mot_sampler s;
    leg[0] = (mot_leg){10, {{.count = NEW, .first = 50, .of_batch = 6}, {.count = OLD, .index = old, .of_batch = 2}}};
    leg[1] = (mot_leg){STEPS, {{.count = OLD, .index = old, .of_batch = BATCH}, {0}}};
    s = (mot_sampler){.seed = 5, .stage = 1, .shuffled = shuffled, .batch = BATCH, .first = DONE, .legs = 2, .leg = leg};
    return &s;
}

static bool is_old(mot_gidx sample)
{
    for (size_t i = 0; i < OLD; ++i)
        if (old[i] == sample) return true;
    return false;
}

START_TEST(batches_have_their_shares)
{
    for (int shuffled = 0; shuffled < 2; ++shuffled) {
        const mot_sampler *s = sampler(shuffled);
        for (mot_gidx step = 0; step < STEPS; ++step) {
            int of_old = 0;
            for (mot_gidx p = 0; p < BATCH; ++p) {
                const mot_gidx sample = mot_sampler_index(s, (DONE + step) * BATCH + p);
                ck_assert(is_old(sample) || (sample >= 50 && sample < 50 + NEW));
                of_old += is_old(sample);
            }
            ck_assert_int_eq(of_old, step < 10 ? 2 : BATCH);
        }
    }
}
END_TEST

/* In each leg a pool's samples come equally often, up to one; new ones once in the first epoch. */
START_TEST(pools_are_gone_through)
{
    const mot_sampler *s = sampler(true);
    int seen[128] = {0}, later[128] = {0};
    for (mot_gidx p = 0; p < 10 * BATCH; ++p) ++seen[mot_sampler_index(s, DONE * BATCH + p)];
    for (mot_gidx p = 0; p < 2 * BATCH; ++p) ++later[mot_sampler_index(s, (DONE + 10) * BATCH + p)];
    for (int i = 50; i < 50 + NEW; ++i) ck_assert_int_eq(seen[i], 10 * 6 / NEW);
    for (size_t i = 0; i < OLD; ++i) ck_assert_int_eq(seen[old[i]], 10 * 2 / OLD);
    for (size_t i = 0; i < OLD; ++i) ck_assert(later[old[i]] == 3 || later[old[i]] == 4);
}
END_TEST

START_TEST(unshuffled_pools_stand_as_they_are)
{
    const mot_sampler *s = sampler(false);
    for (mot_gidx step = 0; step < 10; ++step)
        for (mot_gidx p = 0; p < BATCH; ++p)
            ck_assert_int_eq(mot_sampler_index(s, (DONE + step) * BATCH + p),
                             p < 6 ? 50 + (step * 6 + p) % NEW : old[(step * 2 + p - 6) % OLD]);
}
END_TEST

/* Another stage, leg or seed has another order; behind a batch that was left out the next one comes. */
START_TEST(orders_differ_and_go_on)
{
    mot_sampler *s = sampler(true);
    mot_gidx first[BATCH], second[BATCH];
    int same_stage = 0, same_seed = 0;
    for (mot_gidx p = 0; p < BATCH; ++p) first[p] = mot_sampler_index(s, DONE * BATCH + p);
    for (mot_gidx p = 0; p < BATCH; ++p) second[p] = mot_sampler_index(s, (DONE + 1) * BATCH + p);
    s->stage = 2;
    for (mot_gidx p = 0; p < BATCH; ++p) same_stage += mot_sampler_index(s, DONE * BATCH + p) == first[p];
    s->stage = 1;
    s->seed = 6;
    for (mot_gidx p = 0; p < BATCH; ++p) same_seed += mot_sampler_index(s, DONE * BATCH + p) == first[p];
    s->seed = 5;
    s->skipped = 1;
    s->first = DONE + 1;
    for (mot_gidx p = 0; p < BATCH; ++p) ck_assert_int_eq(mot_sampler_index(s, (DONE + 1) * BATCH + p), second[p]);
    ck_assert(same_stage < BATCH && same_seed < BATCH);
}
END_TEST

static void sampler_tests(TCase *tcase)
{
    tcase_add_test(tcase, batches_have_their_shares);
    tcase_add_test(tcase, pools_are_gone_through);
    tcase_add_test(tcase, unshuffled_pools_stand_as_they_are);
    tcase_add_test(tcase, orders_differ_and_go_on);
}

MOT_CK_MAIN("sampler", sampler_tests)

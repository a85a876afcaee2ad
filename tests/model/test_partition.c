/* Groups of things against all that there could be, and against groups that were put there. */
#include "mot/partition.h"

#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/rng.h"

enum { MOST = 31 };

static double weight[MOST * MOST], within;
static int group[MOST], again[MOST];

static double draw(uint32_t a, uint32_t b)
{
    return mot_uniform(mot_random(77, MOT_STREAM_TEST, a, b, 0, 0).word[0]);
}

/* Q as the header has it, and the share of weight within groups. */
static double modularity(size_t n, const int *of, double *inside)
{
    double all = 0, q = 0, volume[MOST] = {0};
    for (size_t i = 0; i < n * n; ++i) all += weight[i];
    *inside = 0;
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < n; ++j) {
            volume[of[i]] += weight[i * n + j] / all;
            if (of[i] == of[j]) *inside += weight[i * n + j] / all;
        }
    q = *inside;
    for (size_t g = 0; g < n; ++g) q -= volume[g] * volume[g];
    return q;
}

static void random_weights(size_t n, uint32_t trial)
{
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j <= i; ++j)
            weight[i * n + j] = weight[j * n + i] = pow(draw(trial, (uint32_t)(i * n + j)), 4);
}

/* Of 7 things in 3 groups there are 2187 ways. */
START_TEST(none_is_better)
{
    enum { n = 7, GROUPS = 3, WAYS = 2187 };
    for (uint32_t trial = 0; trial < 40; ++trial) {
        double best = -1, inside;
        random_weights(n, trial);
        for (int way = 0; way < WAYS; ++way) {
            for (int i = 0, rest = way; i < n; ++i, rest /= GROUPS) again[i] = rest % GROUPS;
            best = fmax(best, modularity(n, again, &inside));
        }
        mot_ck_ok(mot_partition(n, GROUPS, weight, trial, group, &within));
        ck_assert_double_eq_tol(modularity(n, group, &inside), best, 1e-12);
        ck_assert_double_eq_tol(within, inside, 1e-12);
    }
}
END_TEST

/* Thing i is of source i % sources, in which all is confused four times as often as between sources. */
START_TEST(groups_that_are_there_are_found)
{
    for (size_t sources = 2; sources <= 6; ++sources)
        for (uint32_t trial = 0; trial < 3; ++trial) {
            const size_t n = 31;
            random_weights(n, 100 + trial);
            for (size_t i = 0; i < n * n; ++i)
                weight[i] = weight[i] / 4 + (i / n % sources == i % n % sources) + 20 * (i / n == i % n);
            mot_ck_ok(mot_partition(n, sources, weight, trial, group, &within));
            for (size_t i = 0; i < n; ++i) ck_assert_int_eq(group[i], (int)(i % sources));
        }
}
END_TEST

/* A source that hangs together but loosely stays whole, though two others are confused more: then all groups are alike. */
START_TEST(a_loose_source_stays_whole)
{
    enum { n = 30 };
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < n; ++j) {
            const size_t a = i % 3, b = j % 3;
            const bool parts = a == 0 && b == 0 && (i < 18) != (j < 18);
            weight[i * n + j] = parts ? 0.1 : a == 0 && b == 0 ? 1.8 : a == b ? 1 : a > 0 && b > 0 ? 0.3 : 0;
        }
    mot_ck_ok(mot_partition(n, 3, weight, 1, group, &within));
    for (size_t i = 0; i < n; ++i) ck_assert_int_eq(group[i], (int)(i % 3));
}
END_TEST

START_TEST(numbers_are_those_of_first_things)
{
    for (uint32_t trial = 0; trial < 5; ++trial) {
        int next = 0;
        random_weights(20, 200 + trial);
        mot_ck_ok(mot_partition(20, 5, weight, 1, group, &within));
        for (size_t i = 0; i < 20; ++i) {
            ck_assert_int_le(group[i], next);
            next += group[i] == next;
        }
        ck_assert_int_le(next, 5);
        mot_ck_ok(mot_partition(20, 5, weight, 1, again, &within)); /* the same once more */
        ck_assert_int_eq(memcmp(group, again, 20 * sizeof *group), 0);
    }
}
END_TEST

START_TEST(little_is_no_trouble)
{
    memset(weight, 0, sizeof weight);
    memset(group, 7, sizeof group);
    mot_ck_ok(mot_partition(5, 3, weight, 1, group, &within)); /* nothing to do with each other */
    for (size_t i = 0; i < 5; ++i) ck_assert_int_eq(group[i], 0);
    ck_assert(within == 1);
    weight[0] = 2;
    mot_ck_ok(mot_partition(1, 3, weight, 1, group, &within));
    ck_assert_int_eq(group[0], 0);
    random_weights(6, 300);
    mot_ck_ok(mot_partition(6, 1, weight, 1, group, &within));
    for (size_t i = 0; i < 6; ++i) ck_assert_int_eq(group[i], 0);
    ck_assert_double_eq_tol(within, 1, 1e-12);
    for (size_t i = 0; i < 9; ++i) weight[i] = i % 4 == 0; /* each to itself alone; more groups than things */
    mot_ck_ok(mot_partition(3, 9, weight, 1, group, &within));
    for (size_t i = 0; i < 3; ++i) ck_assert_int_eq(group[i], (int)i);
}
END_TEST

static void partition_tests(TCase *tcase)
{
    tcase_add_test(tcase, none_is_better);
    tcase_add_test(tcase, groups_that_are_there_are_found);
    tcase_add_test(tcase, a_loose_source_stays_whole);
    tcase_add_test(tcase, numbers_are_those_of_first_things);
    tcase_add_test(tcase, little_is_no_trouble);
}

MOT_CK_MAIN("partition", partition_tests)

/* Groups of things against all that there could be, and against groups that were put there. */
#include "mot/partition.h"

#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/rng.h"

enum { MOST = 31 };

static double weight[MOST * MOST], within;
static int group[MOST], again[MOST];

/* The table as an affinity. */
static size_t things, asked, most_asked;
static void row_of(const void *of, size_t i, double *row)
{
    memcpy(row, (const double *)of + i * things, things * sizeof *row);
}
static bool stop(const void *of)
{
    (void)of;
    return ++asked > most_asked;
}
static mot_status partition(size_t n, size_t groups, uint64_t seed, int *result)
{
    things = n;
    asked = 0;
    most_asked = SIZE_MAX;
    return mot_partition(n, groups, &(mot_affinity){row_of, stop, weight}, seed, result, &within);
}

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
        mot_ck_ok(partition(n, GROUPS, trial, group));
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
            mot_ck_ok(partition(n, sources, trial, group));
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
    mot_ck_ok(partition(n, 3, 1, group));
    for (size_t i = 0; i < n; ++i) ck_assert_int_eq(group[i], (int)(i % 3));
}
END_TEST

START_TEST(numbers_are_those_of_first_things)
{
    for (uint32_t trial = 0; trial < 5; ++trial) {
        int next = 0;
        random_weights(20, 200 + trial);
        mot_ck_ok(partition(20, 5, 1, group));
        for (size_t i = 0; i < 20; ++i) {
            ck_assert_int_le(group[i], next);
            next += group[i] == next;
        }
        ck_assert_int_le(next, 5);
        mot_ck_ok(partition(20, 5, 1, again)); /* the same once more */
        ck_assert_int_eq(memcmp(group, again, 20 * sizeof *group), 0);
    }
}
END_TEST

/* The twin: every pass looks at all moves of all things. */
enum { MOST_GROUPS = 8 };
static double table[MOST * MOST], volume[MOST], to[MOST][MOST_GROUPS], filled[MOST_GROUPS];

static void count(size_t n, const int *of)
{
    memset(to, 0, sizeof to);
    memset(filled, 0, sizeof filled);
    for (size_t i = 0; i < n; ++i) {
        filled[of[i]] += volume[i];
        for (size_t j = 0; j < n; ++j)
            if (j != i) to[i][of[j]] += table[i * n + j];
    }
}

static bool twin_pass(size_t n, size_t groups, int *of)
{
    bool moved[MOST] = {false}, better = false;
    int best_of[MOST];
    double sum = 0, best = 1e-12;
    count(n, of);
    memcpy(best_of, of, n * sizeof *of);
    for (size_t moves = 0; moves < n; ++moves) {
        double most = -HUGE_VAL;
        size_t thing = 0, group_of = 0;
        for (size_t i = 0; i < n; ++i)
            for (size_t g = 0; g < groups; ++g) {
                const size_t own = (size_t)of[i];
                if (moved[i] || g == own) continue;
                const double gained = 2 * (to[i][g] - to[i][own]) - 2 * volume[i] * (filled[g] - (filled[own] - volume[i]));
                if (gained <= most) continue;
                most = gained;
                thing = i;
                group_of = g;
            }
        const size_t own = (size_t)of[thing];
        for (size_t j = 0; j < n; ++j) {
            if (j == thing) continue;
            to[j][own] -= table[j * n + thing];
            to[j][group_of] += table[j * n + thing];
        }
        filled[own] -= volume[thing];
        filled[group_of] += volume[thing];
        of[thing] = (int)group_of;
        moved[thing] = true;
        sum += most;
        if (sum <= best) continue;
        best = sum;
        better = true;
        memcpy(best_of, of, n * sizeof *of);
    }
    memcpy(of, best_of, n * sizeof *of);
    return better;
}

/* From the same beginnings, by the same number of them: fewer things and groups than there is work for. */
static void twin_partition(size_t n, size_t groups, uint64_t seed, int *of)
{
    int now[MOST], name[MOST_GROUPS], names = 0;
    double all = 0, best = -HUGE_VAL;
    for (size_t i = 0; i < n * n; ++i) all += weight[i];
    memset(volume, 0, sizeof volume);
    for (size_t i = 0; i < n * n; ++i) {
        table[i] = weight[i] / all;
        volume[i / n] += table[i];
    }
    for (uint32_t start = 0; start < 64; ++start) {
        double q = 0;
        for (size_t i = 0; i < n; ++i)
            now[i] = (int)(mot_random(seed, MOT_STREAM_PARTITION, start, (uint32_t)i, 0, 0).word[0] % groups);
        for (int passes = 0; passes < 50 && twin_pass(n, groups, now); ++passes) continue;
        for (size_t i = 0; i < n * n; ++i)
            if (now[i / n] == now[i % n]) q += table[i];
        count(n, now);
        for (size_t g = 0; g < groups; ++g) q -= filled[g] * filled[g];
        if (q <= best + 1e-12) continue;
        best = q;
        memcpy(of, now, n * sizeof *of);
    }
    for (size_t g = 0; g < groups; ++g) name[g] = -1;
    for (size_t i = 0; i < n; ++i) {
        if (name[of[i]] < 0) name[of[i]] = names++;
        of[i] = name[of[i]];
    }
}

START_TEST(groups_are_those_of_the_twin)
{
    for (uint32_t trial = 0; trial < 40; ++trial) {
        const size_t n = 9 + trial % 23, groups = 2 + trial % (MOST_GROUPS - 1);
        random_weights(n, 400 + trial);
        if (trial % 4 == 0) /* ties */
            for (size_t i = 0; i < n * n; ++i) weight[i] = floor(4 * weight[i]);
        mot_ck_ok(partition(n, groups, trial, group));
        twin_partition(n, groups, trial, again);
        ck_assert_int_eq(memcmp(group, again, n * sizeof *group), 0);
    }
}
END_TEST

START_TEST(it_gives_up_when_asked)
{
    random_weights(20, 500);
    things = 20;
    for (most_asked = 0; most_asked < 60; most_asked += 7) {
        asked = 0;
        ck_assert_int_eq(mot_partition(20, 4, &(mot_affinity){row_of, stop, weight}, 1, group, &within), MOT_STOPPED);
        ck_assert_uint_eq(asked, most_asked + 1);
    }
}
END_TEST

START_TEST(little_is_no_trouble)
{
    memset(weight, 0, sizeof weight);
    memset(group, 7, sizeof group);
    mot_ck_ok(partition(5, 3, 1, group)); /* nothing to do with each other */
    for (size_t i = 0; i < 5; ++i) ck_assert_int_eq(group[i], 0);
    ck_assert(within == 1);
    weight[0] = 2;
    mot_ck_ok(partition(1, 3, 1, group));
    ck_assert_int_eq(group[0], 0);
    random_weights(6, 300);
    mot_ck_ok(partition(6, 1, 1, group));
    for (size_t i = 0; i < 6; ++i) ck_assert_int_eq(group[i], 0);
    ck_assert_double_eq_tol(within, 1, 1e-12);
    for (size_t i = 0; i < 9; ++i) weight[i] = i % 4 == 0; /* each to itself alone; more groups than things */
    mot_ck_ok(partition(3, 9, 1, group));
    for (size_t i = 0; i < 3; ++i) ck_assert_int_eq(group[i], (int)i);
}
END_TEST

static void partition_tests(TCase *tcase)
{
    tcase_add_test(tcase, none_is_better);
    tcase_add_test(tcase, groups_that_are_there_are_found);
    tcase_add_test(tcase, a_loose_source_stays_whole);
    tcase_add_test(tcase, numbers_are_those_of_first_things);
    tcase_add_test(tcase, groups_are_those_of_the_twin);
    tcase_add_test(tcase, it_gives_up_when_asked);
    tcase_add_test(tcase, little_is_no_trouble);
}

MOT_CK_MAIN("partition", partition_tests)

/* Statistics against values known from elsewhere (R's quantile() and lm(), Wilson's formula by hand). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/rng.h"
#include "mot/statistics.h"
#include "mot/types.h"

START_TEST(quantiles)
{
    double values[] = {7, -1.5, 3, 12, 0.25, 3}, before[6];
    memcpy(before, values, sizeof before);
    /* sorted: -1.5 0.25 3 3 7 12 */
    ck_assert_double_eq(mot_quantile(values, 6, 0), -1.5);
    ck_assert_double_eq(mot_quantile(values, 6, 1), 12);
    ck_assert_double_eq(mot_median(values, 6), 3);
    ck_assert_double_eq_tol(mot_quantile(values, 6, 0.25), 0.9375, 1e-12); /* place 1.25 */
    ck_assert_double_eq_tol(mot_quantile(values, 6, 0.9), 9.5, 1e-12);     /* place 4.5 */
    ck_assert_double_eq_tol(mot_quantile(values, 6, 0.1), -0.625, 1e-12);  /* place 0.5 */
    ck_assert(memcmp(values, before, sizeof before) == 0);
    ck_assert_double_eq(mot_median((double[]){4}, 1), 4);
    ck_assert_double_eq(mot_median((double[]){-1, 0}, 2), -0.5);
    ck_assert_double_nan(mot_median(values, 0));
}
END_TEST

/* R: quantile(1:10, c(.05, .25, .975)) is 1.45 3.25 9.775. */
START_TEST(quantiles_as_in_r)
{
    const double values[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    ck_assert_double_eq_tol(mot_quantile(values, 10, 0.05), 1.45, 1e-12);
    ck_assert_double_eq_tol(mot_quantile(values, 10, 0.25), 3.25, 1e-12);
    ck_assert_double_eq_tol(mot_quantile(values, 10, 0.975), 9.775, 1e-12);
}
END_TEST

START_TEST(summary)
{
    const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    mot_summary s = mot_summarize(values, 8);
    ck_assert_uint_eq(s.count, 8);
    ck_assert_double_eq(s.mean, 5);
    ck_assert_double_eq_tol(s.deviation, sqrt(32. / 7), 1e-12);
    ck_assert_double_eq(s.min, 2);
    ck_assert_double_eq(s.quarter, 4);
    ck_assert_double_eq(s.median, 4.5);
    ck_assert_double_eq(s.three_quarters, 5.5);
    ck_assert_double_eq(s.max, 9);
    s = mot_summarize(values, 1);
    ck_assert_double_eq(s.mean, 2);
    ck_assert_double_nan(s.deviation);
    s = mot_summarize(values, 0);
    ck_assert_double_nan(s.mean);
    ck_assert_double_nan(s.max);
}
END_TEST

/* Anscombe's first set: y = 3.0001 + 0.5001 x, R^2 = 0.6665, residual sum of squares 13.763. */
START_TEST(line)
{
    const double x[] = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
    const double y[] = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
    mot_line fit = mot_line_fit(x, y, 11);
    ck_assert_double_eq_tol(fit.a, 3.00009, 1e-5);
    ck_assert_double_eq_tol(fit.b, 0.50009, 1e-5);
    ck_assert_double_eq_tol(fit.r2, 0.66654, 1e-5);
    ck_assert_double_eq_tol(fit.residual, 13.76269, 1e-5);
    fit = mot_line_fit((double[]){1, 2}, (double[]){3, 3}, 2);
    ck_assert_double_eq(fit.a, 3);
    ck_assert_double_eq(fit.b, 0);
    ck_assert_double_nan(fit.r2);
    ck_assert_double_nan(mot_line_fit((double[]){0.1, 0.1, 0.1}, (double[]){1, 2, 3}, 3).b);
    ck_assert_double_nan(mot_line_fit(x, y, 0).a);
}
END_TEST

START_TEST(exact_power_law)
{
    const double x[] = {1, 2, 4, 8, 16, 1000},
                 truth[][3] = {{0.5, 2, 3},  {1, 0, 0.25},  {1.7, 10, 1e-3},
                               {0.05, 1, 1}, {3, -5, 1e-6}, {0.333, 1e-3, 1e-4}};
    for (size_t k = 0; k < MOT_COUNT(truth); ++k) {
        double t[6];
        for (int i = 0; i < 6; ++i) t[i] = truth[k][1] + truth[k][2] * pow(x[i], truth[k][0]);
        mot_power fit;
        mot_ck_ok(mot_power_fit(x, t, 6, &fit));
        ck_assert_double_eq_tol(fit.p, truth[k][0], 1e-7);
        ck_assert_double_eq_tol(fit.a, truth[k][1], 1e-5 * (1 + fabs(truth[k][1])));
        ck_assert_double_eq_tol(fit.b / truth[k][2], 1, 1e-5);
        ck_assert_double_eq_tol(fit.r2, 1, 1e-9);
        ck_assert_double_ge(fit.residual, 0);
    }
}
END_TEST

START_TEST(no_power_law)
{
    const double x[] = {1, 2, 4, 8}, falling[] = {4, 3, 2, 1}, flat[] = {2, 2, 2, 2}, twice[] = {1, 2, 1, 2};
    mot_power fit;
    mot_ck_ok(mot_power_fit(x, falling, 4, &fit));
    ck_assert_double_nan(fit.p);
    ck_assert_double_eq(fit.b, 0);
    ck_assert_double_eq(fit.a, 2.5);
    ck_assert_double_eq(fit.r2, 0);
    ck_assert_double_eq_tol(fit.residual, 5, 1e-12);
    mot_ck_ok(mot_power_fit(x, flat, 4, &fit));
    ck_assert_double_nan(fit.p);
    ck_assert_double_eq(fit.a, 2);
    mot_ck_ok(mot_power_fit(twice, falling, 4, &fit));
    ck_assert_double_nan(fit.a);
    mot_ck_ok(mot_power_fit(x, falling, 2, &fit));
    ck_assert_double_nan(fit.a);
}
END_TEST

enum { PLACES = 6 };

/* t = 1 + 2 x^0.6, each seed with its own factor and each point with noise, of `noise` both. */
static void make_points(int seeds, uint32_t draw, double noise, double *x, double *t, int *seed)
{
    for (int s = 0; s < seeds; ++s) {
        double of_seed[2], of_point[2];
        mot_random4 r = mot_random(1, MOT_STREAM_TEST, draw, (uint32_t)s, 1000, 0);
        mot_normal_pair(r.word[0], r.word[1], of_seed);
        for (int i = 0; i < PLACES; ++i) {
            const int k = s * PLACES + i;
            r = mot_random(1, MOT_STREAM_TEST, draw, (uint32_t)s, (uint32_t)i, 0);
            mot_normal_pair(r.word[0], r.word[1], of_point);
            x[k] = pow(2, i);
            t[k] = (1 + 2 * pow(x[k], 0.6)) * (1 + noise * (of_seed[0] + of_point[0]));
            seed[k] = 2 * s; /* not all indices occur */
        }
    }
}

/* Where the truth lies in the interval: of 200 samples of `seeds` seeds, how many. */
static int covered(int seeds)
{
    double x[20 * PLACES], t[20 * PLACES];
    int seed[20 * PLACES], inside = 0;
    for (uint32_t draw = 0; draw < 200; ++draw) {
        make_points(seeds, draw, 0.02, x, t, seed);
        mot_power_interval interval;
        mot_ck_ok(mot_power_bootstrap(x, t, seed, (size_t)seeds * PLACES, 100, draw, &interval));
        ck_assert_int_eq(interval.without, 0);
        ck_assert_double_lt(interval.p.low, interval.p.high);
        inside += interval.p.low <= 0.6 && 0.6 <= interval.p.high;
    }
    return inside;
}

START_TEST(bootstrap_covers)
{
    const int of_20 = covered(20), of_5 = covered(5);
    printf("covered of 200: %d with 20 seeds, %d with 5\n", of_20, of_5);
    ck_assert_int_ge(of_20, 174);
    ck_assert_int_le(of_20, 199);
    ck_assert_int_ge(of_5, 140);
}
END_TEST

START_TEST(bootstrap_repeats_and_refuses)
{
    double x[4 * PLACES], t[4 * PLACES];
    int seed[4 * PLACES];
    make_points(4, 0, 0.05, x, t, seed);
    mot_power_interval one, same, other;
    mot_ck_ok(mot_power_bootstrap(x, t, seed, 4 * PLACES, 50, 1, &one));
    mot_ck_ok(mot_power_bootstrap(x, t, seed, 4 * PLACES, 50, 1, &same));
    mot_ck_ok(mot_power_bootstrap(x, t, seed, 4 * PLACES, 50, 2, &other));
    ck_assert(one.p.low == same.p.low && one.p.high == same.p.high);
    ck_assert(one.p.low != other.p.low);
    ck_assert_int_eq(one.resamples, 50);
    ck_assert_int_eq(mot_power_bootstrap(x, t, seed, PLACES, 50, 1, &one), MOT_ERR_INPUT); /* one seed */
    ck_assert_int_eq(mot_power_bootstrap(x, t, seed, 4 * PLACES, 0, 1, &one), MOT_ERR_INPUT);
    for (int i = 0; i < 4 * PLACES; ++i) t[i] = -x[i];
    ck_assert_int_eq(mot_power_bootstrap(x, t, seed, 4 * PLACES, 50, 1, &one), MOT_ERR_INPUT);
    ck_assert_int_eq(one.without, 50);
    seed[0] = 4 * PLACES;
    ck_assert_int_eq(mot_power_bootstrap(x, t, seed, 4 * PLACES, 50, 1, &one), MOT_ERR_INPUT);
}
END_TEST

START_TEST(wilson)
{
    mot_interval i = mot_wilson(9, 10);
    ck_assert_double_eq_tol(i.low, 0.59585, 1e-5);
    ck_assert_double_eq_tol(i.high, 0.98212, 1e-5);
    i = mot_wilson(0, 10);
    ck_assert_double_eq(i.low, 0);
    ck_assert_double_eq_tol(i.high, 0.27753, 1e-5);
    i = mot_wilson(10, 10);
    ck_assert_double_eq_tol(i.low, 0.72247, 1e-5);
    ck_assert_double_eq(i.high, 1);
    i = mot_wilson(0, 0);
    ck_assert(i.low == 0 && i.high == 1);
}
END_TEST

/* R: t.test(c(2, 4, 4, 4, 5, 5, 7, 9))$conf.int is 3.212518 6.787482 with t(7) = 2.364624; of two values t(1) = 12.7062. */
START_TEST(mean_interval)
{
    mot_interval i = mot_mean_interval((double[]){2, 4, 4, 4, 5, 5, 7, 9}, 8);
    ck_assert_double_eq_tol(i.low, 3.212518, 2e-3);
    ck_assert_double_eq_tol(i.high, 6.787482, 2e-3);
    i = mot_mean_interval((double[]){1, 2}, 2);
    ck_assert_double_eq_tol(i.high, 1.5 + 12.706205 / 2, 1e-6);
    i = mot_mean_interval((double[]){1}, 1);
    ck_assert(isnan(i.low) && isnan(i.high));
}
END_TEST

/* Anscombe's first set again, of which R's confint(lm(y ~ x)) has the slope from 0.2333701 to 0.7668117; its ranks by hand:
 * R's cor(x, y, method = "spearman") is 0.8181818. */
START_TEST(slope_and_ranks)
{
    const double x[] = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
    const double y[] = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
    mot_interval i = mot_line_slope(x, y, 11);
    ck_assert_double_eq_tol(i.low, 0.2333701, 2e-5);
    ck_assert_double_eq_tol(i.high, 0.7668117, 2e-5);
    /* y = 2 x and 1/2, -1, 1/2 beside it: residual 1.5, xx 2, t 12.7062 */
    i = mot_line_slope((double[]){0, 1, 2}, (double[]){0.5, 1, 4.5}, 3);
    ck_assert_double_eq_tol((i.high - i.low) / 2, 12.706205 * sqrt(1.5 / 2), 1e-6);
    ck_assert_double_nan(mot_line_slope(x, y, 2).low);
    mot_correlation c = mot_spearman(x, y, 11);
    ck_assert_double_eq_tol(c.r, 0.8181818, 1e-7);
    ck_assert_double_eq_tol(c.interval.low, tanh(atanh(c.r) - 1.959963985 * sqrt((1 + c.r * c.r / 2) / 8)), 1e-9);
    c = mot_spearman((double[]){1, 2, 2, 3}, (double[]){4, 1, 1, -7}, 4);
    ck_assert_double_eq_tol(c.r, -1, 1e-12);
    c = mot_spearman((double[]){1, 2, 2, 3}, (double[]){1, 2, 3, 4}, 4); /* ranks 1 2.5 2.5 4: 4.5 / sqrt(4.5 * 5) */
    ck_assert_double_eq_tol(c.r, 4.5 / sqrt(22.5), 1e-12);
    ck_assert_double_nan(mot_spearman(x, x, 3).interval.low);
    ck_assert_double_nan(mot_spearman((double[]){1, 1, 1, 1}, x, 4).r);
}
END_TEST

static void statistics_tests(TCase *tcase)
{
    tcase_add_test(tcase, quantiles);
    tcase_add_test(tcase, quantiles_as_in_r);
    tcase_add_test(tcase, summary);
    tcase_add_test(tcase, line);
    tcase_add_test(tcase, exact_power_law);
    tcase_add_test(tcase, no_power_law);
    if (!mot_ck_short()) tcase_add_test(tcase, bootstrap_covers); /* the same figures in any build */
    tcase_add_test(tcase, bootstrap_repeats_and_refuses);
    tcase_add_test(tcase, wilson);
    tcase_add_test(tcase, mean_interval);
    tcase_add_test(tcase, slope_and_ranks);
}

MOT_CK_MAIN("statistics", statistics_tests)

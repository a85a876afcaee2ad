/* What the study of rehearsal asks of its numbers: means, paired differences, and what chance does to points that share it. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/rng.h"
#include "rehearsal_study.h"

enum { RUNS = 100, COLUMNS = 50 };
static double theory[COLUMNS], value[COLUMNS * RUNS];
static rehearsal_numbers numbers = {.runs = RUNS, .columns = COLUMNS, .theory = theory, .value = value};

/* Numbers of mean `mean` and deviation `deviation` (divided by RUNS - 1) exactly. */
static void fill(size_t column, uint32_t draw, double mean, double deviation)
{
    double *x = value + column * RUNS, sum = 0, squares = 0;
    float z[RUNS];
    mot_normal_row(1, MOT_STREAM_TEST, (uint32_t[]){draw, 0, 0, 0}, 1, z, RUNS);
    for (size_t i = 0; i < RUNS; ++i) sum += (double)z[i] / RUNS;
    for (size_t i = 0; i < RUNS; ++i) squares += ((double)z[i] - sum) * ((double)z[i] - sum);
    for (size_t i = 0; i < RUNS; ++i) x[i] = mean + deviation * ((double)z[i] - sum) / sqrt(squares / (RUNS - 1));
}

START_TEST(means_and_differences)
{
    fill(0, 0, 2, 5);
    fill(1, 1, 1, 5);
    for (size_t i = 0; i < RUNS; ++i) value[RUNS + i] += value[i]; /* now paired: the second is the first and 1 more, with noise */
    theory[0] = 1.5, theory[1] = 4;
    const rehearsal_mean mean = mot_rehearsal_mean(&numbers, 0), off = mot_rehearsal_difference(&numbers, 1, 0);
    ck_assert_double_eq_tol(mean.mean, 2, 1e-12);
    ck_assert_double_eq_tol(mean.error, 0.5, 1e-12);
    ck_assert_double_eq_tol(mean.z, 1, 1e-9);
    ck_assert_double_eq_tol(off.mean, 1, 1e-12);
    ck_assert_double_eq_tol(off.error, 0.5, 1e-12);
    ck_assert_double_eq_tol(off.theory, 2.5, 1e-12);
    ck_assert_double_eq_tol(off.z, -3, 1e-9);
}
END_TEST

/* Fifty points of which each is by itself, and fifty that are one: both 2 standard errors off. */
START_TEST(chance_knows_what_points_share)
{
    rehearsal_agreement apart, same;
    for (size_t c = 0; c < COLUMNS; ++c) {
        fill(c, (uint32_t)c, c % 2 == 0 ? 0.2 : -0.2, 1);
        theory[c] = 0;
    }
    mot_ck_ok(mot_rehearsal_agree(&numbers, 3, &apart));
    for (size_t c = 0; c < COLUMNS; ++c) fill(c, 7, 0.2, 1);
    mot_ck_ok(mot_rehearsal_agree(&numbers, 3, &same));
    ck_assert_uint_eq(apart.points, COLUMNS);
    ck_assert_uint_eq(apart.within, COLUMNS);
    ck_assert_double_eq_tol(apart.sum, 4 * COLUMNS, 1e-6);
    ck_assert_double_eq_tol(same.sum, 4 * COLUMNS, 1e-6);
    ck_assert_double_lt(apart.p_sum, 1e-3); /* a chi-square of 200 with 50 degrees of freedom */
    ck_assert_double_gt(apart.p_largest, 0.5);
    ck_assert_double_eq_tol(same.p_sum, 0.0455, 0.02); /* of one degree: beyond 2 deviations */
    ck_assert_double_eq_tol(same.p_largest, 0.0455, 0.02);
}
END_TEST

START_TEST(one_point_that_is_off_is_found)
{
    rehearsal_agreement of;
    for (size_t c = 0; c < COLUMNS; ++c) {
        fill(c, (uint32_t)c, c == 9 ? 0.6 : 0.05, 1);
        theory[c] = 0;
    }
    mot_ck_ok(mot_rehearsal_agree(&numbers, 3, &of));
    ck_assert_uint_eq(of.within, COLUMNS - 1);
    ck_assert_double_eq_tol(of.largest, 6, 1e-6);
    ck_assert_double_lt(of.p_largest, 1e-3);
}
END_TEST

/* Lengths and distances of each kind, and that fewer tasks are the first ones of more. */
START_TEST(structures_are_as_they_are_called)
{
    enum { T = 6, WIDTH = REHEARSAL_STRUCTURE_WIDTH };
    double w[T * WIDTH], fewer[T * WIDTH];
    for (int kind = 0; kind < REHEARSAL_KINDS; ++kind)
        for (size_t i = 0; i < 20; ++i) {
            const mot_rehearsal_truths truths = mot_rehearsal_draw(5, kind, i, T, w), first = mot_rehearsal_draw(5, kind, i, 3, fewer);
            ck_assert_int_eq(truths.tasks, T);
            ck_assert_int_eq(first.tasks, 3);
            ck_assert_mem_eq(w, fewer, 3 * WIDTH * sizeof *w);
            for (size_t t = 0; t < T; ++t) {
                double square = 0;
                for (size_t k = 0; k < WIDTH; ++k) square += w[t * WIDTH + k] * w[t * WIDTH + k];
                if (kind == 0) ck_assert(square > 0.6 * 0.6 && square < 1.4 * 1.4);
                else ck_assert_double_eq_tol(square, 1, 1e-12);
            }
        }
}
END_TEST

/* What is measured are the columns that are meant: of each case after so many tasks F and G. */
START_TEST(columns_are_in_their_order)
{
    const mot_rehearsal setting = {.tasks = 4, .width = 30, .samples = 6, .memory = 8, .noise = 0.2};
    const int after[] = {2, 4};
    rehearsal_numbers found = {0};
    rehearsal_batch batch;
    mot_comm comm;
    mot_comm_init(&comm, MPI_COMM_WORLD);
    mot_ck_ok(mot_rehearsal_batch_make(&batch, &setting, 2));
    mot_ck_ok(mot_rehearsal_batch_apart(&batch, 1, &(mot_rehearsal_rule){.strategy = MOT_REHEARSAL_NONE}));
    mot_ck_ok(mot_rehearsal_batch_apart(&batch, 1, &(mot_rehearsal_rule){.strategy = MOT_REHEARSAL_SEQUENTIAL}));
    ck_assert_int_eq(mot_rehearsal_batch_apart(&batch, 1, &(mot_rehearsal_rule){.strategy = MOT_REHEARSAL_NONE}), MOT_ERR_INPUT);
    mot_ck_ok(mot_rehearsal_measure(&comm, &batch, 4, 50, after, 2, &found));
    mot_ck_ok(mot_rehearsal_measure(&comm, &batch, 4, 50, after, 2, &found)); /* behind the first ones */
    ck_assert_uint_eq(found.columns, 16);
    for (size_t c = 0; c < 2; ++c)
        for (size_t a = 0; a < 2; ++a) {
            double loss[16];
            const size_t column = (c * 2 + a) * 2;
            mot_rehearsal_theory(&setting, &batch.made[c].truths, &batch.made[c].plan, loss);
            const mot_rehearsal_figures of = mot_rehearsal_figures_of(loss, 4, after[a]);
            ck_assert_double_eq(found.theory[column], of.forgetting);
            ck_assert_double_eq(found.theory[column + 1], of.error);
            for (size_t k = 0; k < 2; ++k) ck_assert_double_lt(fabs(mot_rehearsal_mean(&found, column + k).z), 4);
        }
    ck_assert_mem_eq(found.value, found.value + 8 * 50, 8 * 50 * sizeof *found.value);
    mot_rehearsal_numbers_free(&found);
    mot_rehearsal_batch_free(&batch);
    mot_comm_free(&comm);
}
END_TEST

static void numbers_tests(TCase *tcase)
{
    mot_log_init(0, MOT_LOG_ERROR);
    tcase_add_test(tcase, means_and_differences);
    tcase_add_test(tcase, chance_knows_what_points_share);
    tcase_add_test(tcase, one_point_that_is_off_is_found);
    tcase_add_test(tcase, structures_are_as_they_are_called);
    tcase_add_test(tcase, columns_are_in_their_order);
}

MOT_CK_MAIN("rehearsal_numbers", numbers_tests)

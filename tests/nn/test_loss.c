/* Losses against the formulas of loss.h, far out where naive ones overflow, and the label that outputs stand
 * for. */
#include "mot/loss.h"

#include <float.h>
#include <math.h>

#include "ck.h"

static const mot_loss_kind kinds[] = {MOT_LOSS_CROSS_ENTROPY, MOT_LOSS_LOGISTIC, MOT_LOSS_SQUARED};

static double value(mot_loss_kind kind, size_t C, const float *out, int label)
{
    int predicted;
    return mot_loss(kind, C, out, label, NULL, &predicted);
}

static int prediction(size_t C, const float *out)
{
    int predicted = -1, other = -1;
    for (size_t k = 0; k < MOT_COUNT(kinds); ++k) {
        (void)mot_loss(kinds[k], C, out, 0, NULL, &predicted);
        ck_assert(k == 0 || predicted == other);
        other = predicted;
    }
    return predicted;
}

static void near(double found, double want)
{
    ck_assert_double_le(fabs(found - want), 1e-14 * (1 + fabs(want)));
}

START_TEST(values_are_the_formulas)
{
    const float out[] = {0.5f, -1.25f, 2, 0.25f};
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += exp((double)out[i]);
    for (int label = 0; label < 4; ++label) {
        double logistic = 0, squared = 0;
        for (int i = 0; i < 4; ++i) {
            logistic += log(1 + exp((i == label ? -1 : 1) * (double)out[i]));
            squared += 0.5 * pow((double)out[i] - (i == label), 2);
        }
        near(value(MOT_LOSS_CROSS_ENTROPY, 4, out, label), log(sum) - (double)out[label]);
        near(value(MOT_LOSS_LOGISTIC, 4, out, label), logistic);
        near(value(MOT_LOSS_SQUARED, 4, out, label), squared);
    }
    for (int label = 0; label < 2; ++label) {
        const double y = 2 * label - 1, F = (double)out[1];
        near(value(MOT_LOSS_CROSS_ENTROPY, 1, &out[1], label), log(1 + exp(-y * F)));
        near(value(MOT_LOSS_LOGISTIC, 1, &out[1], label), log(1 + exp(-y * F)));
        near(value(MOT_LOSS_SQUARED, 1, &out[1], label), 0.5 * (F - y) * (F - y));
    }
}
END_TEST

START_TEST(far_outputs_stay_finite)
{
    float out[] = {1e30f, -1e30f, 0}, d_out[3];
    int predicted;
    ck_assert_double_eq(mot_loss(MOT_LOSS_CROSS_ENTROPY, 3, out, 0, d_out, &predicted), 0);
    ck_assert(d_out[0] == 0 && d_out[1] == 0 && d_out[2] == 0);
    near(mot_loss(MOT_LOSS_CROSS_ENTROPY, 3, out, 1, d_out, &predicted) / 2e30, (double)1e30f / 1e30);
    ck_assert(d_out[0] == 1 && d_out[1] == -1 && d_out[2] == 0);
    near(mot_loss(MOT_LOSS_LOGISTIC, 1, out, 0, d_out, &predicted), (double)1e30f);
    ck_assert(d_out[0] == 1);
    ck_assert_double_eq(mot_loss(MOT_LOSS_LOGISTIC, 1, out, 1, d_out, &predicted), 0);
    ck_assert(d_out[0] == 0);
    /* A small loss keeps its digits: log(1 + e^-40) is not 0. */
    const float sure = 40;
    near(value(MOT_LOSS_LOGISTIC, 1, &sure, 1) / exp(-40.0), 1);
}
END_TEST

START_TEST(lost_outputs_are_seen)
{
    const float out[] = {NAN, 1, 2};
    for (size_t k = 0; k < MOT_COUNT(kinds); ++k)
        for (size_t C = 1; C <= 3; ++C) ck_assert(!isfinite(value(kinds[k], C, out, 0)));
}
END_TEST

START_TEST(labels_are_predicted)
{
    ck_assert_int_eq(prediction(3, (const float[]){1, 3, 2}), 1);
    ck_assert_int_eq(prediction(3, (const float[]){-3, -2, -1}), 2);
    ck_assert_int_eq(prediction(4, (const float[]){0, 5, 5, 5}), 1); /* a tie: the lowest */
    ck_assert_int_eq(prediction(1, (const float[]){0.1f}), 1);
    ck_assert_int_eq(prediction(1, (const float[]){-0.1f}), 0);
    ck_assert_int_eq(prediction(1, (const float[]){0}), 0);
}
END_TEST

START_TEST(outputs_are_counted)
{
    for (int classes = 2; classes < 12; ++classes) {
        ck_assert_uint_eq(mot_loss_outputs(MOT_LOSS_CROSS_ENTROPY, classes), (size_t)classes);
        ck_assert_uint_eq(mot_loss_outputs(MOT_LOSS_LOGISTIC, classes), classes == 2 ? 1 : (size_t)classes);
        ck_assert_uint_eq(mot_loss_outputs(MOT_LOSS_SQUARED, classes), classes == 2 ? 1 : (size_t)classes);
    }
}
END_TEST

/* Against the formulas, and the largest is that of the label that the outputs stand for. */
START_TEST(probabilities_are_those_of_the_outputs)
{
    const float out[] = {0.5f, -1, 2, 900}, one[] = {-0.75f}, far[] = {3};
    float p[4];
    mot_loss_probabilities(MOT_LOSS_CROSS_ENTROPY, 3, out, 3, p);
    const double sum = exp(0.5) + exp(-1) + exp(2);
    ck_assert_double_eq_tol((double)(p[0]), exp(0.5) / sum, 1e-7);
    ck_assert_double_eq_tol((double)(p[1]), exp(-1) / sum, 1e-7);
    ck_assert_double_eq_tol((double)(p[2]), exp(2) / sum, 1e-7);
    mot_loss_probabilities(MOT_LOSS_SQUARED, 4, out, 4, p);
    ck_assert(p[0] == 0 && p[3] == 1);
    mot_loss_probabilities(MOT_LOSS_LOGISTIC, 3, out, 3, p);
    ck_assert_double_eq_tol((double)(p[1]), 1 / (1 + exp(1)), 1e-7);
    mot_loss_probabilities(MOT_LOSS_LOGISTIC, 1, one, 2, p);
    ck_assert_double_eq_tol((double)(p[1]), 1 / (1 + exp(0.75)), 1e-7);
    ck_assert_double_eq_tol((double)(p[0] + p[1]), 1, 1e-7);
    mot_loss_probabilities(MOT_LOSS_SQUARED, 1, one, 2, p);
    ck_assert_double_eq_tol((double)(p[1]), 0.125, 1e-7);
    mot_loss_probabilities(MOT_LOSS_SQUARED, 1, far, 2, p);
    ck_assert(p[1] == 1 && p[0] == 0);
    mot_loss_probabilities(MOT_LOSS_CROSS_ENTROPY, 1, far, 1, p);
    ck_assert(p[0] == 1);
}
END_TEST

static void loss_tests(TCase *tcase)
{
    tcase_add_test(tcase, values_are_the_formulas);
    tcase_add_test(tcase, far_outputs_stay_finite);
    tcase_add_test(tcase, lost_outputs_are_seen);
    tcase_add_test(tcase, labels_are_predicted);
    tcase_add_test(tcase, outputs_are_counted);
    tcase_add_test(tcase, probabilities_are_those_of_the_outputs);
}

MOT_CK_MAIN("loss", loss_tests)

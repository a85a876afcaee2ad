/* Losses against the formulas of loss.h, far out where naive ones overflow, and the label that outputs stand
 * for. */
#include "mot/loss.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/rng.h"

static const char *const kinds[] = {"cross_entropy", "logistic", "squared"};

/* Of C outputs; of one, which tells two classes apart. */
static mot_loss named(const char *kind, size_t C)
{
    const int row = mot_kinds_find(&mot_loss_kinds, kind);
    ck_assert_int_ne(row, MOT_NO_KIND);
    return (mot_loss){.kind = mot_loss_kind_at(row),
                      .target_bytes = sizeof(int32_t),
                      .classes = C == 1 ? 2 : (int)C,
                      .outputs = C};
}

static double value_and_gradient(const char *kind, size_t C, const float *out, int32_t label, float *d_out)
{
    const mot_loss loss = named(kind, C);
    return loss.kind->value(&loss, out, &label, d_out);
}

static double value(const char *kind, size_t C, const float *out, int32_t label)
{
    return value_and_gradient(kind, C, out, label, NULL);
}

static int prediction(size_t C, const float *out)
{
    int predicted = -1;
    for (size_t k = 0; k < MOT_COUNT(kinds); ++k) {
        const mot_loss loss = named(kinds[k], C);
        const int other = mot_loss_predicted(&loss, out, NULL);
        ck_assert(k == 0 || predicted == other);
        predicted = other;
        for (int32_t label = 0; label < loss.classes; ++label)
            ck_assert(loss.kind->right(&loss, out, &label) == (label == predicted));
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
        near(value("cross_entropy", 4, out, label), log(sum) - (double)out[label]);
        near(value("logistic", 4, out, label), logistic);
        near(value("squared", 4, out, label), squared);
    }
    for (int label = 0; label < 2; ++label) {
        const double y = 2 * label - 1, F = (double)out[1];
        near(value("cross_entropy", 1, &out[1], label), log(1 + exp(-y * F)));
        near(value("logistic", 1, &out[1], label), log(1 + exp(-y * F)));
        near(value("squared", 1, &out[1], label), 0.5 * (F - y) * (F - y));
    }
}
END_TEST

START_TEST(far_outputs_stay_finite)
{
    float out[] = {1e30f, -1e30f, 0}, d_out[3];
    ck_assert_double_eq(value_and_gradient("cross_entropy", 3, out, 0, d_out), 0);
    ck_assert(d_out[0] == 0 && d_out[1] == 0 && d_out[2] == 0);
    near(value_and_gradient("cross_entropy", 3, out, 1, d_out) / 2e30, (double)1e30f / 1e30);
    ck_assert(d_out[0] == 1 && d_out[1] == -1 && d_out[2] == 0);
    near(value_and_gradient("logistic", 1, out, 0, d_out), (double)1e30f);
    ck_assert(d_out[0] == 1);
    ck_assert_double_eq(value_and_gradient("logistic", 1, out, 1, d_out), 0);
    ck_assert(d_out[0] == 0);
    /* A small loss keeps its digits: log(1 + e^-40) is not 0. */
    const float sure = 40;
    near(value("logistic", 1, &sure, 1) / exp(-40.0), 1);
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
    mot_loss loss;
    for (int classes = 1; classes < 12; ++classes)
        for (size_t k = 0; k < MOT_COUNT(kinds); ++k) {
            mot_ck_ok(mot_loss_init(&loss, named(kinds[k], 1).kind, sizeof(int32_t), classes));
            ck_assert_uint_eq(loss.outputs, classes == 2 && k > 0 ? 1 : (size_t)classes);
            const int32_t label = classes - 1;
            ck_assert_int_eq(mot_target_class(&loss, &label), label);
        }
    /* One class: its output, whatever it is, stands for it. */
    mot_ck_ok(mot_loss_init(&loss, named("logistic", 1).kind, sizeof(int32_t), 1));
    ck_assert_int_eq(mot_loss_predicted(&loss, (const float[]){3}, NULL), 0);
}
END_TEST

START_TEST(other_targets_are_refused)
{
    mot_loss loss;
    for (size_t k = 0; k < MOT_COUNT(kinds); ++k) {
        ck_assert_int_eq(mot_loss_init(&loss, named(kinds[k], 1).kind, 6, 0), MOT_ERR_INPUT);
        ck_assert_ptr_nonnull(strstr(mot_error_message(), kinds[k]));
        ck_assert_int_eq(mot_loss_init(&loss, named(kinds[k], 1).kind, 0, 0), MOT_ERR_INPUT);
        ck_assert_int_eq(mot_loss_init(&loss, named(kinds[k], 1).kind, 1, 2), MOT_ERR_INPUT);
    }
}
END_TEST

START_TEST(numbers_have_the_squared_loss_alone)
{
    const float y[] = {1.5f, -2, 0.25f}, out[] = {1, 1, -0.75f};
    mot_loss loss;
    float d_out[3];
    mot_ck_ok(mot_loss_init(&loss, named("squared", 1).kind, sizeof y, 0));
    ck_assert_uint_eq(loss.outputs, 3);
    ck_assert_double_eq(loss.kind->value(&loss, out, y, d_out), 0.5 * (0.25 + 9 + 1));
    ck_assert(d_out[0] == -0.5f && d_out[1] == 3 && d_out[2] == -1);
    ck_assert_double_eq(loss.kind->value(&loss, y, y, NULL), 0);
    ck_assert(mot_target_class(&loss, y) == -1 && mot_loss_predicted(&loss, out, NULL) == -1);
    ck_assert(loss.kind->right == NULL && loss.kind->probabilities == NULL);
    ck_assert_str_eq(loss.kind->kind.name, "squared");
    for (int k = 0; k < 2; ++k) {
        ck_assert_int_eq(mot_loss_init(&loss, named(kinds[k], 1).kind, sizeof y, 0), MOT_ERR_INPUT);
        ck_assert_ptr_nonnull(strstr(mot_error_message(), kinds[k]));
        ck_assert_ptr_nonnull(strstr(mot_error_message(), "3 numbers (train.loss=squared)"));
    }
}
END_TEST

/* The mean, whose loss is half of the variance of each number; any other constant is worse. */
START_TEST(no_constant_is_better_than_the_mean)
{
    const float y[][2] = {{1, 10}, {2, 10}, {6, 14}, {3, 6}}, mean[] = {3, 10}, other[] = {3.25f, 10};
    mot_loss loss;
    double of_mean = 0, of_other = 0;
    mot_ck_ok(mot_loss_init(&loss, named("squared", 1).kind, sizeof y[0], 0));
    for (int i = 0; i < 4; ++i) {
        of_mean += loss.kind->value(&loss, mean, y[i], NULL) / 4;
        of_other += loss.kind->value(&loss, other, y[i], NULL) / 4;
    }
    ck_assert_double_eq(loss.kind->of_constant(&loss, 4, y), of_mean);
    ck_assert(of_other > of_mean);
    ck_assert_ptr_null(named("squared", 1).kind->of_constant); /* of classes */
}
END_TEST

/* A sample of a head is that of a loss that has no other classes. */
START_TEST(heads)
{
    static const int32_t head[] = {1, 0, 1, 0, 1};
    static const size_t of_head[] = {0, 2, 4};
    const float out[] = {0.3f, 5, -0.7f, -9, 1.5f}, own[] = {0.3f, -0.7f, 1.5f};
    for (size_t k = 0; k < MOT_COUNT(kinds); ++k)
        for (int32_t place = 0; place < 3; ++place) {
            const mot_loss alone = named(kinds[k], 3);
            mot_loss loss = named(kinds[k], 5);
            float d_out[5], d_own[3];
            const int32_t label = (int32_t)of_head[place];
            const double all = loss.kind->value(&loss, out, &label, d_out);
            loss.head = head;
            const double value = loss.kind->value(&loss, out, &label, d_out);
            ck_assert_double_eq(value, alone.kind->value(&alone, own, &place, d_own));
            ck_assert(value < all);
            for (size_t i = 0; i < 3; ++i) ck_assert(d_out[of_head[i]] == d_own[i]);
            ck_assert(d_out[1] == 0 && d_out[3] == 0);
            ck_assert_int_eq(mot_loss_predicted(&loss, out, &label), 4);
            ck_assert(loss.kind->right(&loss, out, &label) == (label == 4));
            loss.head = NULL;
            ck_assert_int_eq(mot_loss_predicted(&loss, out, &label), 1);
        }
}
END_TEST

/* Against the formulas, and the largest is that of the label that the outputs stand for. */
static void probabilities(const char *kind, size_t C, const float *out, float *p)
{
    const mot_loss loss = named(kind, C);
    loss.kind->probabilities(&loss, out, p);
}

START_TEST(probabilities_are_those_of_the_outputs)
{
    const float out[] = {0.5f, -1, 2, 900}, one[] = {-0.75f}, far[] = {3};
    float p[4];
    probabilities("cross_entropy", 3, out, p);
    const double sum = exp(0.5) + exp(-1) + exp(2);
    ck_assert_double_eq_tol((double)(p[0]), exp(0.5) / sum, 1e-7);
    ck_assert_double_eq_tol((double)(p[1]), exp(-1) / sum, 1e-7);
    ck_assert_double_eq_tol((double)(p[2]), exp(2) / sum, 1e-7);
    probabilities("squared", 4, out, p);
    ck_assert(p[0] == 0 && p[3] == 1);
    probabilities("logistic", 3, out, p);
    ck_assert_double_eq_tol((double)(p[1]), 1 / (1 + exp(1)), 1e-7);
    probabilities("logistic", 1, one, p);
    ck_assert_double_eq_tol((double)(p[1]), 1 / (1 + exp(0.75)), 1e-7);
    ck_assert_double_eq_tol((double)(p[0] + p[1]), 1, 1e-7);
    probabilities("squared", 1, one, p);
    ck_assert_double_eq_tol((double)(p[1]), 0.125, 1e-7);
    probabilities("squared", 1, far, p);
    ck_assert(p[1] == 1 && p[0] == 0);
    mot_loss one_class = named("cross_entropy", 1);
    one_class.classes = 1;
    one_class.kind->probabilities(&one_class, far, p);
    ck_assert(p[0] == 1);
}
END_TEST

/* ---- many classes ---- */

enum { MOST_CLASSES = 5000 };

/* Outputs that are hard to take exponentials of. */
enum { SPREAD, WIDE, TIED, TIED_BELOW, LONE, LOST_ONES, TINY, SHAPES };

static void fill_outputs(int shape, float *out, size_t C)
{
    for (size_t c = 0; c < C; ++c) {
        const mot_random4 random = mot_random(5, MOT_STREAM_TEST, (uint32_t)shape, (uint32_t)c, 0, 0);
        double normal[2];
        mot_normal_pair(random.word[0], random.word[1], normal);
        const double of[SHAPES] = {
            [SPREAD] = 3 * normal[0],
            [WIDE] = 1e4 * normal[0],
            [TIED] = -2.5,
            [TIED_BELOW] = c == 7 ? 0 : -1.03, /* of which each has the largest error, of the same sign */
            [LONE] = c == C / 3 ? 60 : normal[0],
            [LOST_ONES] = c % 3 == 1 ? -1e30 : c % 3 == 2 ? -(double)INFINITY : normal[0],
            [TINY] = c == 7 ? 0 : -85 - 20 * fabs(normal[0]), /* probabilities at the end of what a float can be */
        };
        out[c] = (float)of[shape];
    }
}

/* Of the whole in long double. */
static long double many_twin(const float *out, size_t C, size_t own, long double *d_out)
{
    long double most = out[0], sum = 0;
    for (size_t c = 1; c < C; ++c) most = fmaxl(most, out[c]);
    for (size_t c = 0; c < C; ++c) sum += expl(out[c] - most);
    for (size_t c = 0; c < C; ++c) d_out[c] = expl(out[c] - most) / sum - (c == own);
    /* What all other classes have is the own one's, without its 1. */
    for (size_t c = 0, first = 1; c < C; ++c) {
        if (c == own) continue;
        d_out[own] = first ? -d_out[c] : d_out[own] - d_out[c];
        first = 0;
    }
    return most - out[own] + logl(sum);
}

START_TEST(many_classes_are_the_formula)
{
    static const size_t counts[] = {257, 288, 1000, 4999};
    static float out[MOST_CLASSES], d_out[MOST_CLASSES + 1];
    static long double d_want[MOST_CLASSES];
    double worst = 0, worst_gradient = 0;
    for (size_t k = 0; k < MOT_COUNT(counts); ++k)
        for (int shape = 0; shape < SHAPES; ++shape) {
            const size_t C = counts[k], own[] = {0, C / 3, C - 1, 7};
            fill_outputs(shape, out, C);
            for (size_t o = 0; o < MOT_COUNT(own); ++o) {
                d_out[C] = 0.25f;
                const double want = (double)many_twin(out, C, own[o], d_want),
                             found = value_and_gradient("cross_entropy", C, out, (int32_t)own[o], d_out);
                ck_assert(found == value("cross_entropy", C, out, (int32_t)own[o]));
                ck_assert(d_out[C] == 0.25f);
                if (isinf(want))
                    ck_assert(isinf(found));
                else
                    worst = fmax(worst, fabs(found - want) / (1 + want));
                /* What is taken from 1 in double has that of 1 as its error. */
                for (size_t c = 0; c < C; ++c) {
                    const long double off = fabsl((long double)d_out[c] - d_want[c]) - 0x1p-149L - (c == own[o] ? 2e-14L : 0);
                    worst_gradient = fmax(worst_gradient, off > 0 ? (double)(off / fabsl(d_want[c])) : 0);
                }
            }
        }
    printf("many classes: loss %.2g, gradient %.2f units in the last place\n", worst, worst_gradient * 0x1p23);
    ck_assert_double_le(worst, 1e-14);
    ck_assert_double_le(worst_gradient, 2 * 0x1p-23);
}
END_TEST

START_TEST(many_lost_outputs_are_seen)
{
    static float out[MOST_CLASSES];
    fill_outputs(SPREAD, out, 1000);
    static const size_t places[] = {0, 1, 500, 991, 999};
    for (size_t k = 0; k < MOT_COUNT(places); ++k) {
        const float before = out[places[k]];
        out[places[k]] = NAN;
        ck_assert(!isfinite(value("cross_entropy", 1000, out, 3)) && !isfinite(value("cross_entropy", 1000, out, 999)));
        out[places[k]] = INFINITY;
        ck_assert(!isfinite(value("cross_entropy", 1000, out, 3)));
        out[places[k]] = before;
    }
}
END_TEST

/* The lowest of the largest, whatever else there is. */
START_TEST(many_are_predicted)
{
    static float out[MOST_CLASSES];
    for (size_t C = 2; C < 80; ++C)
        for (int shape = 0; shape < SHAPES; ++shape) {
            const mot_loss loss = named("cross_entropy", C);
            fill_outputs(shape, out, C);
            for (size_t c = 0; c < C; ++c) out[c] = roundf(out[c] / 4);
            for (int lost = -1; lost < (int)C; ++lost) {
                const float before = lost >= 0 ? out[lost] : 0;
                if (lost >= 0) out[lost] = NAN;
                size_t best = 0;
                for (size_t c = 1; c < C; ++c)
                    if (out[c] > out[best]) best = c;
                ck_assert_int_eq(mot_loss_predicted(&loss, out, NULL), (int)best);
                if (lost >= 0) out[lost] = before;
            }
        }
}
END_TEST

static void loss_tests(TCase *tcase)
{
    tcase_add_test(tcase, many_classes_are_the_formula);
    tcase_add_test(tcase, many_lost_outputs_are_seen);
    tcase_add_test(tcase, many_are_predicted);
    tcase_add_test(tcase, values_are_the_formulas);
    tcase_add_test(tcase, far_outputs_stay_finite);
    tcase_add_test(tcase, lost_outputs_are_seen);
    tcase_add_test(tcase, labels_are_predicted);
    tcase_add_test(tcase, heads);
    tcase_add_test(tcase, outputs_are_counted);
    tcase_add_test(tcase, other_targets_are_refused);
    tcase_add_test(tcase, numbers_have_the_squared_loss_alone);
    tcase_add_test(tcase, no_constant_is_better_than_the_mean);
    tcase_add_test(tcase, probabilities_are_those_of_the_outputs);
}

MOT_CK_MAIN("loss", loss_tests)

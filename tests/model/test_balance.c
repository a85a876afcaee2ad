/* The balance losses against their formulas, known cases, and the bias that needs no loss. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "choosing.h"
#include "mot/choose.h"
#include "mot/rng.h"

enum { MOST_E = 37, n = 31 };

static float h[n * MOST_E], bias[MOST_E], weight[n * MOST_E], p[n * MOST_E], d_h[n * MOST_E];
static int32_t expert[n * MOST_E];
static mot_route_config config;
static mot_choice_batch batch;

static void begin(size_t E, size_t K, double scale)
{
    config = (mot_route_config){.top_k = (int)K};
    batch = (mot_choice_batch){
        .n = n, .E = E, .K = K, .h = h, .bias = bias, .step = -1, .expert = expert, .weight = weight, .p = p};
    for (size_t i = 0; i < n * E; ++i)
        h[i] = (float)(scale *
                       (mot_uniform(mot_random(62, MOT_STREAM_TEST, (uint32_t)i, 0, 0, 0).word[0]) - 0.3));
    choose_all(&config, &mot_gate_linear, &batch);
}

START_TEST(losses_are_the_formulas)
{
    for (size_t E = 1; E <= MOST_E; E += E < 9 ? 2 : 7)
        for (size_t K = 1; K <= E; K += 1 + K / 4) {
            begin(E, K, 4);
            double switch_loss = 0, z_loss = 0;
            for (size_t i = 0; i < E; ++i) {
                double f = 0, P = 0;
                for (size_t r = 0; r < n * K; ++r) f += (expert[r] == (int32_t)i) / (double)(n * K);
                for (size_t b = 0; b < n; ++b) {
                    double sum = 0;
                    for (size_t j = 0; j < E; ++j) sum += exp((double)h[b * E + j]);
                    P += exp((double)h[b * E + i]) / sum / n;
                }
                switch_loss += (double)E * f * P;
            }
            for (size_t b = 0; b < n; ++b) {
                double sum = 0;
                for (size_t j = 0; j < E; ++j) sum += exp((double)h[b * E + j]);
                z_loss += pow(log(sum), 2) / n;
            }
            const mot_balance found = balance_all(&config, &batch, NULL);
            ck_assert_double_eq_tol(found.switch_loss, switch_loss, 2e-6 * (double)E);
            ck_assert_double_eq_tol(found.z_loss, z_loss, 1e-12 * (1 + z_loss));
        }
}
END_TEST

/* Balanced: 1. All to one expert, and surely: E. */
START_TEST(known_cases)
{
    begin(4, 4, 0);
    ck_assert_double_eq_tol(balance_all(&config, &batch, NULL).switch_loss, 1, 1e-6);
    ck_assert_double_eq_tol(balance_all(&config, &batch, NULL).z_loss, log(4) * log(4), 1e-12);
    begin(4, 1, 0);
    for (size_t b = 0; b < n; ++b) h[4 * b + 2] = 60;
    choose_all(&config, &mot_gate_linear, &batch);
    ck_assert_double_eq_tol(balance_all(&config, &batch, NULL).switch_loss, 4, 1e-6);
    ck_assert_double_eq_tol(balance_all(&config, &batch, NULL).z_loss, 3600, 1e-9);
    for (size_t b = 0; b < n; ++b) h[4 * b + 2] = 1e6f; /* no overflow */
    choose_all(&config, &mot_gate_linear, &batch);
    ck_assert_double_eq_tol(balance_all(&config, &batch, NULL).z_loss, 1e12, 1);
}
END_TEST

START_TEST(coefficients_of_zero_add_nothing)
{
    begin(5, 2, 3);
    for (size_t i = 0; i < n * 5; ++i) d_h[i] = (float)i;
    const mot_balance with = balance_all(&config, &batch, d_h),
                      without = balance_all(&config, &batch, NULL);
    for (size_t i = 0; i < n * 5; ++i) ck_assert(d_h[i] == (float)i);
    ck_assert(with.switch_loss == without.switch_loss && with.z_loss == without.z_loss);
    ck_assert(with.switch_loss > 0 && with.z_loss > 0); /* reported all the same */
}
END_TEST

START_TEST(an_empty_batch_has_no_loss)
{
    begin(5, 2, 3);
    batch.n = 0;
    config.explore.balance_loss = config.explore.z_loss = 1;
    const mot_balance none = balance_all(&config, &batch, d_h);
    ck_assert(none.switch_loss == 0 && none.z_loss == 0);
}
END_TEST

/* A step against the gradient of the Switch loss takes probability from the crowded expert. */
START_TEST(the_switch_loss_pushes_the_right_way)
{
    begin(3, 1, 0.1);
    for (size_t b = 0; b < n; ++b) expert[b] = b < 25 ? 1 : 2;
    config.explore.balance_loss = 1;
    memset(d_h, 0, sizeof d_h);
    balance_all(&config, &batch, d_h);
    for (size_t b = 0; b < n; ++b) ck_assert(d_h[3 * b + 1] > 0 && d_h[3 * b] < 0 && d_h[3 * b + 2] < 0);
}
END_TEST

START_TEST(the_bias_helps_the_idle)
{
    const int64_t load[] = {0, 10, 5, 6, 4};
    float b[] = {0, 0, 0.5f, 0, -1};
    config = (mot_route_config){.explore.balance_bias = 0.25};
    mot_balance_bias(&config, 5, load, b);
    ck_assert(b[0] == 0.25f && b[1] == -0.25f && b[2] == 0.5f && b[3] == -0.25f && b[4] == -0.75f);
    const int64_t even[] = {3, 3, 3, 3, 3};
    mot_balance_bias(&config, 5, even, b);
    ck_assert(b[0] == 0.25f && b[4] == -0.75f);
    /* The mean of 1 over 3 experts is no integer: 0 is below it, 1 above. */
    const int64_t one[] = {1, 0, 0};
    float c[] = {0, 0, 0};
    mot_balance_bias(&config, 3, one, c);
    ck_assert(c[0] == -0.25f && c[1] == 0.25f && c[2] == 0.25f);
    config.explore.balance_bias = 0;
    mot_balance_bias(&config, 3, one, c);
    ck_assert(c[0] == -0.25f && c[1] == 0.25f);
}
END_TEST

/* The loop closed: a gate that would send everything to one expert comes to use all of them alike. */
START_TEST(the_bias_balances_in_time)
{
    begin(4, 1, 1);
    for (size_t b = 0; b < n; ++b) h[4 * b + 1] += 3;
    config.explore.balance_bias = 0.02;
    memset(bias, 0, sizeof bias);
    int64_t load[4];
    for (int step = 0; step < 1000; ++step) {
        memset(load, 0, sizeof load);
        choose_all(&config, &mot_gate_linear, &batch);
        for (size_t b = 0; b < n; ++b) ++load[expert[b]];
        if (step == 0) ck_assert_int_eq(load[1], n);
        mot_balance_bias(&config, 4, load, bias);
    }
    for (int i = 0; i < 4; ++i) ck_assert(load[i] >= 4 && load[i] <= 12);
    memset(bias, 0, sizeof bias);
}
END_TEST

static void balance_tests(TCase *tcase)
{
    tcase_add_test(tcase, losses_are_the_formulas);
    tcase_add_test(tcase, known_cases);
    tcase_add_test(tcase, coefficients_of_zero_add_nothing);
    tcase_add_test(tcase, an_empty_batch_has_no_loss);
    tcase_add_test(tcase, the_switch_loss_pushes_the_right_way);
    tcase_add_test(tcase, the_bias_helps_the_idle);
    tcase_add_test(tcase, the_bias_balances_in_time);
}

MOT_CK_MAIN("balance", balance_tests)

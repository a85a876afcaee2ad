/* Layers in float against plain formulas in double; and the promise that a row's bits do not depend on its
 * place.
 *
 * Bounds in u = 2^-24, the relative error of one rounding: a sum of n rounded products is off by at most n u
 * of the sum of their sizes (Higham, Accuracy and Stability, 3.1). */
#include "mot/layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ck.h"
#include "mot/product_bf16.h"
#include "mot/rng.h"
#include "mot/vector.h"

enum { MOST = 20000 };
static const double u = 0x1p-24;
static float x[MOST], w[MOST], b[MOST], y[MOST], mean[MOST], rstd[MOST], prob[MOST], again[MOST],
    scratch[MOST];

static void fill(float *to, size_t n, uint32_t salt, double around, double scale)
{
    ck_assert_uint_le(n, MOST);
    for (size_t i = 0; i < n; ++i) {
        const mot_random4 random = mot_random(41, MOT_STREAM_TEST, salt, (uint32_t)i, 0, 0);
        double normal[2];
        mot_normal_pair(random.word[0], random.word[1], normal);
        to[i] = (float)(around + scale * normal[0]);
    }
}

START_TEST(linear_is_three_loops)
{
    const size_t size[][3] = {{1, 1, 1}, {3, 5, 7}, {64, 33, 17}, {20, 128, 65}};
    for (size_t s = 0; s < MOT_COUNT(size); ++s) {
        const size_t R = size[s][0], K = size[s][1], M = size[s][2];
        fill(x, R * K, 1, 0, 1);
        fill(w, K * M, 2, 0, 1);
        fill(b, M, 3, 0, 1);
        for (int with_bias = 0; with_bias < 2; ++with_bias) {
            for (size_t i = 0; i < R * M; ++i) y[i] = NAN;
            mot_linear_forward(y, x, w, with_bias ? b : NULL, R, K, M);
            for (size_t r = 0; r < R; ++r)
                for (size_t m = 0; m < M; ++m) {
                    double want = with_bias ? (double)b[m] : 0, scale = fabs(want);
                    for (size_t k = 0; k < K; ++k) {
                        want += (double)x[r * K + k] * (double)w[k * M + m];
                        scale += fabs((double)x[r * K + k] * (double)w[k * M + m]);
                    }
                    ck_assert_double_le(fabs((double)y[r * M + m] - want), ((double)K + 2) * u * scale);
                }
        }
    }
}
END_TEST

/* Largest error of the rows, in u (1 + |y|). The mean's rounding is magnified by |x| / deviation, here
 * `ratio`. */
static double layernorm_error(size_t R, size_t D)
{
    double worst = 0;
    for (size_t r = 0; r < R; ++r) {
        double m = 0, variance = 0;
        for (size_t i = 0; i < D; ++i) m += (double)x[r * D + i] / (double)D;
        for (size_t i = 0; i < D; ++i) variance += pow((double)x[r * D + i] - m, 2) / (double)D;
        const double s = 1 / sqrt(variance + 1e-5);
        for (size_t i = 0; i < D; ++i) {
            const double want = ((double)x[r * D + i] - m) * s * (double)w[i] + (double)b[i];
            const double error = fabs((double)y[r * D + i] - want) / (u * (1 + fabs(want)));
            worst = error <= worst ? worst : error;
        }
    }
    return worst;
}

START_TEST(layernorm_is_the_formula)
{
    for (size_t D = 1; D <= 300; D += D < 20 ? 1 : 31)
        for (int far = 0; far < 2; ++far) {
            const size_t R = 40;
            const double ratio = far ? 100 : 1;
            fill(x, R * D, (uint32_t)D, far ? 100 : 0, 1);
            memset(x, 0, D * sizeof *x); /* a row without deviation: a blank picture */
            fill(w, D, 5, 1, 0.3);
            fill(b, D, 6, 0, 0.3);
            mot_layernorm_forward(y, mean, rstd, x, w, b, R, D);
            const double error = layernorm_error(R, D);
            /* Two numbers may lie close together, so the deviation of a short row may be small: D < 4 is told
             * apart. */
            ck_assert_msg(error <= (D < 4 ? 1000 : 16) * ratio * sqrt((double)D), "D = %zu: %.1f u", D,
                          error);
        }
}
END_TEST

static double tanh_form(double t)
{
    return 0.5 * t * (1 + tanh(sqrt(2 / M_PI) * (t + 0.044715 * t * t * t)));
}

static double tanh_form_slope(double t)
{
    const double root = sqrt(2 / M_PI), th = tanh(root * (t + 0.044715 * t * t * t));
    return 0.5 * (1 + th) + 0.5 * t * (1 - th * th) * root * (1 + 3 * 0.044715 * t * t);
}

START_TEST(gelu_is_the_tanh_form)
{
    double worst = 0, worst_slope = 0;
    for (size_t i = 0; i < MOST; ++i) x[i] = (float)(((double)i / MOST - 0.5) * 40);
    for (size_t i = 0; i < MOST; ++i) w[i] = 1;
    mot_gelu_forward(y, x, MOST);
    mot_gelu_backward(again, w, x, MOST);
    for (size_t i = 0; i < MOST; ++i) {
        const double t = (double)x[i], size = 1 + fabs(t);
        worst = fmax(worst, fabs((double)y[i] - tanh_form(t)) / size);
        worst_slope = fmax(worst_slope, fabs((double)again[i] - tanh_form_slope(t)));
    }
    printf("gelu: %.2f u, its slope %.2f u\n", worst / u, worst_slope / u);
    ck_assert_double_le(worst, 4 * u);
    /* 1 - s cancels: its error u is multiplied by x (1.6 + 0.21 x^2), about 40 where s rounds to 1, at x
     * = 5.2. */
    ck_assert_double_le(worst_slope, 48 * u);
}
END_TEST

START_TEST(gelu_at_its_ends)
{
    const float far[] = {0, -0.0f, 1e4f, -1e4f, 1e9f, -1e9f, NAN};
    const float one[] = {1, 1, 1, 1, 1, 1, 1};
    mot_gelu_forward(y, far, MOT_COUNT(far));
    mot_gelu_backward(again, one, far, 4);
    ck_assert(y[0] == 0 && y[1] == 0 && y[2] == 1e4f && y[4] == 1e9f);
    ck_assert(fabs((double)y[3]) < 1e-30 && fabs((double)y[5]) < 1e-20);
    ck_assert(isnan(y[6]));
    ck_assert(again[0] == 0.5f && again[1] == 0.5f);
    ck_assert(fabs((double)again[2] - 1) < 1e-6 && fabs((double)again[3]) < 1e-6);
}
END_TEST

/* Three nested loops over one sample and head: rows i, keys j, numbers c of the head. */
static void attention_twin(double *out, double *p, size_t from, size_t length, size_t D, size_t W, size_t at)
{
    for (size_t i = 0; i < length; ++i) {
        double sum = 0;
        for (size_t j = 0; j < length; ++j) {
            double score = 0;
            for (size_t c = 0; c < W; ++c)
                score += (double)x[(from + i) * 3 * D + at + c] * (double)x[(from + j) * 3 * D + D + at + c];
            p[i * length + j] = exp(score / sqrt((double)W));
            sum += p[i * length + j];
        }
        for (size_t j = 0; j < length; ++j) p[i * length + j] /= sum;
        for (size_t c = 0; c < W; ++c) {
            out[i * W + c] = 0;
            for (size_t j = 0; j < length; ++j)
                out[i * W + c] += p[i * length + j] * (double)x[(from + j) * 3 * D + 2 * D + at + c];
        }
    }
}

START_TEST(attention_is_three_loops)
{
    static const size_t lengths[][6] = {{1, 0}, {2, 1, 1, 5, 3, 0}, {17, 1, 16, 0}, {4, 4, 4, 0}};
    static const size_t widths[][2] = {{4, 1}, {4, 4}, {12, 3}, {32, 2}};
    static double out[MOST], p[MOST];
    double worst = 0;
    for (size_t t = 0; t < MOT_COUNT(lengths); ++t)
        for (size_t d = 0; d < MOT_COUNT(widths); ++d) {
            const size_t D = widths[d][0], H = widths[d][1], W = D / H;
            size_t first[7] = {0}, samples = 0, packed = 0;
            for (; lengths[t][samples] > 0; ++samples)
                first[samples + 1] = first[samples] + lengths[t][samples];
            fill(x, first[samples] * 3 * D, (uint32_t)(10 * t + d), 0, 1);
            for (size_t i = 0; i < MOST; ++i) y[i] = prob[i] = NAN;
            mot_attention_forward(MOT_PRECISION_FP32, y, prob, scratch, x, first, samples, first[samples], D, H);
            for (size_t s = 0; s < samples; ++s)
                for (size_t h = 0; h < H; ++h) {
                    const size_t n = lengths[t][s];
                    attention_twin(out, p, first[s], n, D, W, h * W);
                    for (size_t i = 0; i < n; ++i)
                        for (size_t c = 0; c < W; ++c)
                            worst = fmax(worst,
                                         fabs((double)y[(first[s] + i) * D + h * W + c] - out[i * W + c]));
                    for (size_t i = 0; i < n * n; ++i)
                        worst = fmax(worst,
                                     fabs((double)prob[packed + i / n * mot_padded(n) + i % n] - p[i]));
                    packed += n * mot_padded(n);
                }
            ck_assert_uint_eq(packed, mot_attention_prob(first, samples, first[samples], H));
            ck_assert(isnan(prob[packed]) && isnan(y[first[samples] * D]));
            for (size_t i = 0; i < packed; ++i) ck_assert(isfinite(prob[i]));
            for (size_t i = 0; i < first[samples] * D; ++i) ck_assert(isfinite(y[i]));
        }
    /* Scores of W = 16 terms up to some 10 in size, then exp, a sum of 17 and one of 17 products of order
     * one. */
    printf("attention: %.2f u\n", worst / u);
    ck_assert_double_le(worst, (16 + 17 + 17) * u);
}
END_TEST

/* Gradients of <d_o, attention> by q, k and v of one sample and head, as matrices of derivatives say it. */
static void attention_backward_twin(double *d_qkv, const double *p, size_t l, size_t D, size_t W, size_t at)
{
    const double scale = 1 / sqrt((double)W);
    for (size_t i = 0; i < l; ++i) {
        double dot = 0;
        static double d_p[MOST];
        for (size_t j = 0; j < l; ++j) {
            d_p[j] = 0;
            for (size_t c = 0; c < W; ++c) {
                d_p[j] += (double)w[i * D + at + c] * (double)x[j * 3 * D + 2 * D + at + c];
                d_qkv[j * 3 * D + 2 * D + at + c] += p[i * l + j] * (double)w[i * D + at + c];
            }
            dot += p[i * l + j] * d_p[j];
        }
        for (size_t j = 0; j < l; ++j)
            for (size_t c = 0; c < W; ++c) {
                const double d_score = p[i * l + j] * (d_p[j] - dot) * scale;
                d_qkv[i * 3 * D + at + c] += d_score * (double)x[j * 3 * D + D + at + c];
                d_qkv[j * 3 * D + D + at + c] += d_score * (double)x[i * 3 * D + at + c];
            }
    }
}

/* So long that it is taken tile by tile, and probabilities are found again on the way back; behind it a short sample. */
START_TEST(a_long_sample_is_three_loops_too)
{
    const mot_precision precision = (mot_precision)_i;
    const double unit = precision == MOT_PRECISION_BF16 ? 0x1p-9 : u;
    enum { LONG = 401, SHORT = 5, D = 6, H = 2, W = D / H, ROWS = LONG + SHORT };
    static const size_t first[] = {0, LONG, ROWS};
    static double out[ROWS * D], p[LONG * LONG], d_want[ROWS * 3 * D], query[LONG], received[H * LONG];
    static float d_qkv[ROWS * 3 * D];
    float *const work = calloc(mot_attention_scratch(precision, LONG, D, H, true), sizeof *work);
    ck_assert_ptr_nonnull(work);
    memset(d_want, 0, sizeof d_want);
    fill(x, ROWS * 3 * D, 1, 0, 1);
    fill(w, ROWS * D, 2, 0, 1);
    ck_assert_uint_eq(mot_attention_prob(first, 1, LONG, H), H * 2 * LONG);
    ck_assert_uint_eq(mot_attention_prob(first, 2, LONG, H), H * 2 * ROWS);
    mot_attention_forward(precision, y, prob, work, x, first, 2, LONG, D, H);
    mot_attention_forward(precision, again, NULL, work, x, first, 2, LONG, D, H);
    ck_assert_int_eq(memcmp(y, again, sizeof(float) * ROWS * D), 0);
    for (size_t i = 0; i < ROWS * 3 * D; ++i) d_qkv[i] = NAN;
    mot_attention_backward(precision, d_qkv, work, w, y, x, prob, first, 2, LONG, D, H);
    for (size_t i = 0; i < LONG; ++i) query[i] = 2 * (double)(i + 1) / LONG / (LONG + 1);
    mot_attention_received(precision, received, work, x, prob, query, LONG, LONG, D, H);
    free(work);
    double worst = 0, worst_gradient = 0, worst_received = 0;
    for (size_t h = 0; h < H; ++h) {
        attention_twin(out, p, 0, LONG, D, W, h * W);
        for (size_t j = 0; j < LONG; ++j) {
            double want = 0;
            for (size_t i = 0; i < LONG; ++i) want += query[i] * p[i * LONG + j];
            worst_received = fmax(worst_received, fabs(received[h * LONG + j] - want));
        }
        attention_backward_twin(d_want, p, LONG, D, W, h * W);
        for (size_t i = 0; i < LONG; ++i)
            for (size_t c = 0; c < W; ++c)
                worst = fmax(worst, fabs((double)y[i * D + h * W + c] - out[i * W + c]));
    }
    for (size_t i = 0; i < LONG * 3 * D; ++i)
        worst_gradient = fmax(worst_gradient, fabs((double)d_qkv[i] - d_want[i]) / (1 + fabs(d_want[i])));
    for (size_t i = 0; i < ROWS * 3 * D; ++i) ck_assert(isfinite(d_qkv[i]));
    printf("a long sample: %.2f u, its gradient %.2f u\n", worst / unit, worst_gradient / unit);
    ck_assert_double_le(worst,
                        64 * unit); /* roundings are independent: about the root of the number of keys */
    ck_assert_double_le(worst_gradient, 128 * unit);
    ck_assert_double_le(worst_received, unit); /* a mean of probabilities, of which each is below 1 by far */
}
END_TEST

/* Scores so far apart that a tile outweighs all before it, or has no weight beside them, and a query whose scores are all low. */
START_TEST(far_scores_of_a_long_sample)
{
    enum { LONG = 300, W = 4 };
    static const size_t first[] = {0, LONG};
    static double out[LONG * W], p[LONG * LONG];
    static float tiles[40000];
    ck_assert_uint_le(mot_attention_scratch(MOT_PRECISION_FP32, LONG, W, 1, false), MOT_COUNT(tiles));
    for (int shape = 0; shape < 3; ++shape) {
        fill(x, LONG * 3 * W, 9, 0, 1);
        for (size_t i = 0; i < LONG; ++i) {
            const float far = shape == 0 ? 25 * (float)i / LONG : shape == 1 ? 25 - 25 * (float)i / LONG : -25;
            for (size_t c = 0; c < W; ++c) {
                x[i * 3 * W + c] = 2;
                x[i * 3 * W + W + c] = far;
            }
        }
        mot_attention_forward(MOT_PRECISION_FP32, y, NULL, tiles, x, first, 1, LONG, W, 1);
        attention_twin(out, p, 0, LONG, W, W, 0);
        double worst = 0;
        for (size_t i = 0; i < LONG * W; ++i) worst = fmax(worst, fabs((double)y[i] - out[i]));
        ck_assert_double_le(worst, 256 * u); /* of scores as large as 100 */
    }
}
END_TEST

START_TEST(gelu_with_its_slope_is_gelu)
{
    static float slope[MOST];
    for (size_t i = 0; i < MOST; ++i) x[i] = (float)(((double)i / MOST - 0.5) * 40);
    x[0] = -1e9f, x[1] = 1e9f, x[2] = 0, x[3] = -0.0f;
    mot_gelu_with_slope(y, slope, x, MOST);
    double worst = 0, worst_slope = 0;
    for (size_t i = 2; i < MOST; ++i) {
        const double t = (double)x[i];
        worst = fmax(worst, fabs((double)y[i] - tanh_form(t)) / (1 + fabs(t)));
        worst_slope = fmax(worst_slope, fabs((double)slope[i] - tanh_form_slope(t)));
    }
    printf("gelu with slope: %.2f u, its slope %.2f u\n", worst / u, worst_slope / u);
    ck_assert_double_le(worst, 4 * u);
    ck_assert_double_le(worst_slope, 48 * u);
    ck_assert(fabs((double)y[0]) < 1e-20 && y[1] == 1e9f);
    ck_assert(fabs((double)slope[0]) < 1e-6 && fabs((double)slope[1] - 1) < 1e-6);
    /* Without slope, in place, and from another place on: the same bits. */
    for (size_t from = 0; from < 40; ++from) {
        memcpy(again, x + from, (MOST - from) * sizeof *x);
        mot_gelu_with_slope(again, NULL, again, MOST - from);
        ck_assert_int_eq(memcmp(again, y + from, (MOST - from) * sizeof *y), 0);
    }
}
END_TEST

START_TEST(rows_are_summed_in_order)
{
    for (size_t R = 1; R <= 9; ++R)
        for (size_t M = 1; M <= 70; M += M < 20 ? 1 : 25) {
            fill(x, R * M, 1, 0, 1);
            fill(w, R * M, 2, 0, 1);
            fill(y, M, 3, 0, 1);
            memcpy(again, y, M * sizeof *y);
            for (size_t i = 0; i < M; ++i)
                for (size_t r = 0; r < R; ++r) again[i] += x[r * M + i];
            mot_sum_rows(y, x, R, M);
            ck_assert_int_eq(memcmp(again, y, M * sizeof *y), 0);
            memcpy(b, x, R * M * sizeof *x);
            mot_multiply_and_sum_rows(b, y, w, R, M);
            for (size_t r = 0; r < R; ++r)
                for (size_t i = 0; i < M; ++i) {
                    const float product = x[r * M + i] * w[r * M + i];
                    ck_assert(b[r * M + i] == product);
                    again[i] += product;
                }
            ck_assert_int_eq(memcmp(again, y, M * sizeof *y), 0);
        }
}
END_TEST

START_TEST(a_lone_token_attends_to_itself)
{
    const size_t first[] = {0, 1};
    fill(x, 24, 1, 0, 3);
    mot_attention_forward(MOT_PRECISION_FP32, y, prob, scratch, x, first, 1, 1, 8, 2);
    ck_assert(prob[0] == 1 && prob[MOT_LANES] == 1);
    ck_assert_int_eq(memcmp(y, x + 16, 8 * sizeof *y), 0);
}
END_TEST

/* A sample's tokens among others, and rows at other alignments, give the same bits. */
START_TEST(bits_do_not_depend_on_the_place)
{
    const size_t R = 6, D = 37;
    fill(x, R * D, 1, 0, 1);
    fill(w, D, 2, 1, 1);
    fill(b, D, 3, 0, 1);
    mot_layernorm_forward(y, mean, rstd, x, w, b, R, D);
    for (size_t r = 0; r < R; ++r) {
        memcpy(again, x + r * D, D * sizeof *x);
        mot_layernorm_forward(again, mean, rstd, again, w, b, 1, D);
        ck_assert_int_eq(memcmp(again, y + r * D, D * sizeof *y), 0);
    }
    mot_gelu_forward(y, x, R * D);
    for (size_t i = 0; i < R * D; ++i) {
        mot_gelu_forward(again, x + i, R * D - i);
        ck_assert_int_eq(memcmp(again, y + i, (R * D - i) * sizeof *y), 0);
    }
    static const size_t first[] = {0, 3, 4, 9}, alone[] = {0, 5};
    fill(x, 9 * 36, 4, 0, 1);
    mot_attention_forward(MOT_PRECISION_FP32, y, prob, scratch, x, first, 3, 5, 12, 2);
    mot_attention_forward(MOT_PRECISION_FP32, again, prob, scratch, x + first[2] * 36, alone, 1, 5, 12, 2);
    ck_assert_int_eq(memcmp(again, y + first[2] * 12, 5 * 12 * sizeof *y), 0);
    enum { LONG = 257 };
    static float tiles[40000];
    ck_assert_uint_le(mot_attention_scratch(MOT_PRECISION_FP32, LONG, 12, 2, false), MOT_COUNT(tiles));
    mot_attention_forward(MOT_PRECISION_FP32, y, prob, tiles, x, first, 3, LONG, 12, 2);
    mot_attention_forward(MOT_PRECISION_FP32, again, prob, tiles, x + first[2] * 36, alone, 1, LONG, 12, 2);
    ck_assert_int_eq(memcmp(again, y + first[2] * 12, 5 * 12 * sizeof *y), 0);
}
END_TEST

static void layers_tests(TCase *tcase)
{
    tcase_add_test(tcase, linear_is_three_loops);
    tcase_add_test(tcase, layernorm_is_the_formula);
    tcase_add_test(tcase, gelu_is_the_tanh_form);
    tcase_add_test(tcase, gelu_at_its_ends);
    tcase_add_test(tcase, attention_is_three_loops);
    tcase_add_loop_test(tcase, a_long_sample_is_three_loops_too, 0, mot_bf16_available() ? 2 : 1);
    tcase_add_test(tcase, far_scores_of_a_long_sample);
    tcase_add_test(tcase, gelu_with_its_slope_is_gelu);
    tcase_add_test(tcase, rows_are_summed_in_order);
    tcase_add_test(tcase, a_lone_token_attends_to_itself);
    tcase_add_test(tcase, bits_do_not_depend_on_the_place);
}

MOT_CK_MAIN("layers", layers_tests)

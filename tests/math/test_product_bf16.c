/* Products of rounded numbers against loops in double, and their bits against single elements: what stands beside an
 * element must not show. */
#include "mot/product_bf16.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/mixed.h"
#include "mot/payload.h"
#include "mot/rng.h"

enum { MOST = 1 << 17 };
static const double u = 0x1p-24;
static float a[MOST], b[MOST], c[MOST], bias[MOST], again[MOST], left[MOST], right[MOST];

static void fill(float *to, size_t n, uint32_t salt)
{
    ck_assert_uint_le(n, MOST);
    for (size_t i = 0; i < n; ++i) {
        const mot_random4 random = mot_random(44, MOT_STREAM_TEST, salt, (uint32_t)i, 0, 0);
        double normal[2];
        mot_normal_pair(random.word[0], random.word[1], normal);
        to[i] = (float)normal[0];
    }
}

/* The twin's rounding: that of the wire, with numbers too small to be normal as 0. */
static float rounded(float x)
{
    unsigned char bytes[2];
    if (fabsf(x) < FLT_MIN) return 0;
    mot_payload_pack(MOT_PAYLOAD_BF16, 1, &x, bytes);
    mot_payload_unpack(MOT_PAYLOAD_BF16, 1, bytes, &x);
    return x;
}

/* Half h of a pair as a float. */
static float half(mot_pair pair, unsigned h)
{
    uint32_t bits;
    memcpy(&bits, &pair, sizeof bits);
    bits = h == 0 ? bits << 16 : bits & 0xffff0000;
    memcpy(&pair, &bits, sizeof bits);
    return pair;
}

static const size_t sizes[][3] = {{1, 1, 1},    {3, 5, 7},     {14, 32, 16}, {15, 33, 17},  {28, 64, 40},
                                  {65, 49, 49}, {20, 100, 31}, {7, 16, 129}, {9, 40, 1200}, {5, 3, 512},
                                  {64, 48, 64}, {1, 17, 513},  {13, 80, 32}, {4, 4, 0},     {29, 15, 130}};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Size s with A plain or transposed, B plain or transposed, with bias or not, with start or not: bit 0 to 3. A sum has
 * as many roundings as numbers, plus bias and start; the products of two rounded numbers are exact. */
static void check(size_t s, unsigned form)
{
    const size_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
    const size_t lda = (form & 1 ? m : k) + 3, ldb = (form & 2 ? k : n) + 2, ldc = n + 1;
    fill(a, (form & 1 ? k : m) * lda, 1);
    fill(b, (form & 2 ? n : k) * ldb, 2);
    fill(bias, n, 3);
    fill(c, m * ldc, 4);
    memcpy(again, c, m * ldc * sizeof *c);
    (form & 1 ? mot_left_transposed : mot_left)(left, a, lda, m, k);
    (form & 2 ? mot_right_transposed : mot_right)(right, b, ldb, k, n);
    mot_multiply_bf16(&(mot_product_bf16){.m = m,
                                          .n = n,
                                          .k = k,
                                          .a = left,
                                          .transposed = form & 1,
                                          .b = right,
                                          .bias = form & 4 ? bias : NULL,
                                          .start = form & 8 ? c : NULL,
                                          .c = c,
                                          .ldc = ldc});
    for (size_t i = 0; i < m; ++i) {
        for (size_t j = 0; j < n; ++j) {
            double want = (form & 4 ? (double)bias[j] : 0) + (form & 8 ? (double)again[i * ldc + j] : 0);
            double scale = fabs(want);
            for (size_t l = 0; l < k; ++l) {
                const double x = rounded(a[form & 1 ? l * lda + i : i * lda + l]),
                             y = rounded(b[form & 2 ? j * ldb + l : l * ldb + j]);
                want += x * y;
                scale += fabs(x * y);
            }
            ck_assert_msg(fabs((double)c[i * ldc + j] - want) <= ((double)k + 3) * u * scale,
                          "size %zu, form %u: element %zu %zu is %g, not %g", s, form, i, j,
                          (double)c[i * ldc + j], want);
        }
        ck_assert(memcmp(c + i * ldc + n, again + i * ldc + n, sizeof *c) == 0); /* beyond the row's end */
    }
}

START_TEST(is_three_loops)
{
    if (!mot_bf16_available()) return;
    mot_take_tiles((size_t)_i >= SIZES);
    for (unsigned form = 0; form < 16; ++form) check((size_t)_i % SIZES, form);
}
END_TEST

/* One row and one column at a time, at other addresses, from other forms of the operands. */
START_TEST(bits_do_not_depend_on_the_place)
{
    const size_t m = 37, n = 71, k = 601;
    if (!mot_bf16_available()) return;
    mot_take_tiles(_i);
    fill(a, m * k, 1);
    fill(b, k * n, 2);
    fill(bias, n, 3);
    mot_left(left, a, k, m, k);
    mot_right(right, b, n, k, n);
    mot_multiply_bf16(
        &(mot_product_bf16){.m = m, .n = n, .k = k, .a = left, .b = right, .bias = bias, .c = c, .ldc = n});
    static float column[1024], one_left[1024 * MOT_PAIR_LANES], one_right[1024 * MOT_PAIR_PANEL];
    for (size_t j = 0; j < n; ++j) {
        for (size_t l = 0; l < k; ++l) column[l] = b[l * n + j];
        mot_right_transposed(one_right, column, k, k, 1);
        for (size_t i = 0; i < m; ++i) {
            mot_left_transposed(one_left, a + i * k, 1, 1, k);
            mot_multiply_bf16(&(mot_product_bf16){.m = 1,
                                                  .n = 1,
                                                  .k = k,
                                                  .a = one_left,
                                                  .transposed = true,
                                                  .b = one_right,
                                                  .bias = bias + j,
                                                  .c = again + 1,
                                                  .ldc = 1});
            ck_assert_int_eq(memcmp(again + 1, c + i * n + j, sizeof *c), 0);
        }
    }
}
END_TEST

/* Every form rounds like the wire; what is not finite stays what it is, and does not touch its neighbours. */
START_TEST(rounding)
{
    const float ends[] = {0,         -0.0f,     1,        1 + 0x1p-8f, 1 + 0x1.8p-8f, 1 + 0x1.8p-7f,
                          -3.14159f, FLT_MAX,   -FLT_MAX, FLT_MIN,     0x1p-149f,     -0x1p-130f,
                          INFINITY,  -INFINITY, NAN,      0x1.fep127f, 0x1.ffp127f,   0x1.fffffep-3f};
    enum { N = MOT_COUNT(ends) };
    if (!mot_bf16_available()) return;
    mot_take_tiles(_i);
    for (size_t i = 0; i < N * N; ++i) a[i] = ends[(i + i / N) % N];
    mot_left(left, a, N, N, N);
    mot_right(right, a, N, N, N);
    for (size_t i = 0; i < N; ++i)
        for (size_t j = 0; j < N; ++j) {
            const float want = rounded(a[i * N + j]),
                        got[] = {half(left[i * mot_pair_row((N + 1) / 2) + j / 2], j % 2),
                                 half(right[i / 2 * MOT_PAIR_PANEL + j], i % 2)};
            for (size_t f = 0; f < MOT_COUNT(got); ++f)
                ck_assert_msg(isnan(want) ? isnan(got[f]) : got[f] == want, "%g becomes %g, not %g",
                              (double)a[i * N + j], (double)got[f], (double)want);
        }
    for (size_t i = 0; i < N; ++i) a[i] = i == 3 ? NAN : i == 5 ? INFINITY : 1;
    b[0] = 2;
    mot_left(left, a, 1, N, 1);
    mot_right(right, b, 1, 1, 1);
    mot_multiply_bf16(&(mot_product_bf16){.m = N, .n = 1, .k = 1, .a = left, .b = right, .c = c, .ldc = 1});
    for (size_t i = 0; i < N; ++i) ck_assert(i == 3 ? isnan(c[i]) : i == 5 ? c[i] == INFINITY : c[i] == 2);
}
END_TEST

/* ---- in either precision, mixed.h ---- */

/* c = a b and d = a^T c, so large that rows and sums are taken in pieces, against double; and a row by itself. */
static void mixed(mot_precision precision)
{
    const size_t m = 600, n = 40, k = 50;
    static float w[2000], d[2000], operands[MOST], room[MOST];
    const mot_mixed how = {precision, operands};
    ck_assert_uint_le(mot_mixed_operands(precision, k), MOST);
    ck_assert_uint_le(mot_mixed_across_operands(precision, k, n, m), MOST);
    ck_assert_uint_le(mot_factor_transposed_room(precision, k, n), MOST);
    fill(a, m * k, 1);
    fill(w, n * k, 2);
    fill(d, k * n, 3);
    memcpy(again, d, k * n * sizeof *d);
    const mot_factor b_ = mot_factor_transposed(precision, room, w, k, k, n);
    const mot_mixed_product product = {.m = m, .n = n, .k = k, .a = a, .lda = k, .b = b_, .c = c, .ldc = n};
    mot_mixed_multiply(&how, &product);
    mot_mixed_multiply_across(&how, d, n, a, k, c, n, k, n, m, true);
    const double step = precision == MOT_PRECISION_BF16 ? 0x1p-8 : 0;
    for (size_t i = 0; i < m; ++i)
        for (size_t j = 0; j < n; ++j) {
            double want = 0, scale = 0;
            for (size_t l = 0; l < k; ++l) {
                want += (double)a[i * k + l] * (double)w[j * k + l];
                scale += fabs((double)a[i * k + l] * (double)w[j * k + l]);
            }
            ck_assert(fabs((double)c[i * n + j] - want) <= (2.01 * step + (double)(k + 3) * u) * scale);
        }
    for (size_t i = 0; i < k; ++i)
        for (size_t j = 0; j < n; ++j) {
            double want = again[i * n + j], scale = fabs(want);
            for (size_t l = 0; l < m; ++l) {
                want += (double)a[l * k + i] * (double)c[l * n + j];
                scale += fabs((double)a[l * k + i] * (double)c[l * n + j]);
            }
            ck_assert(fabs((double)d[i * n + j] - want) <= (2.01 * step + (double)(m + 4) * u) * scale);
        }
    mot_mixed_product row = product;
    row.m = 1;
    row.a = a + 333 * k;
    row.c = again;
    mot_mixed_multiply(&how, &row);
    ck_assert_int_eq(memcmp(again, c + 333 * n, n * sizeof *c), 0);
}

START_TEST(in_both_precisions)
{
    mixed(MOT_PRECISION_FP32);
    mot_take_tiles(_i);
    if (mot_bf16_available()) mixed(MOT_PRECISION_BF16);
}
END_TEST

static void product_bf16_tests(TCase *tcase)
{
    const int ways = mot_tiles_available() ? 2 : 1; /* vdpbf16ps; tiles */
    if (ways < 2)
        printf("this processor has no %s: nothing of it is tested\n", mot_bf16_available() ? "AMX-BF16" : "AVX512_BF16");
    tcase_add_loop_test(tcase, is_three_loops, 0, ways * SIZES);
    tcase_add_loop_test(tcase, bits_do_not_depend_on_the_place, 0, ways);
    tcase_add_loop_test(tcase, rounding, 0, ways);
    tcase_add_loop_test(tcase, in_both_precisions, 0, ways);
}

MOT_CK_MAIN("product in bf16", product_bf16_tests)

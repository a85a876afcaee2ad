/* Products against three loops in double; and that an element's bits depend on its row and column alone. */
#include "mot/product.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ck.h"
#include "mot/rng.h"
#include "mot/vector.h"

enum { MOST = 1 << 17 };
static const double u = 0x1p-24;
static float a[MOST], b[MOST], c[MOST], bias[MOST], across[MOST], again[MOST];

static void fill(float *to, size_t n, uint32_t salt)
{
    ck_assert_uint_le(n, MOST);
    for (size_t i = 0; i < n; ++i) {
        const mot_random4 random = mot_random(43, MOT_STREAM_TEST, salt, (uint32_t)i, 0, 0);
        double normal[2];
        mot_normal_pair(random.word[0], random.word[1], normal);
        to[i] = (float)normal[0];
    }
}

static const size_t sizes[][3] = {{1, 1, 1},    {3, 5, 7},     {14, 32, 16}, {15, 33, 17},  {28, 64, 40},
                                  {65, 49, 49}, {20, 100, 31}, {7, 16, 129}, {9, 40, 1200}, {5, 3, 512},
                                  {64, 48, 64}, {1, 17, 513},  {13, 80, 32}, {4, 4, 0}};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Size s with A plain or transposed, B plain or transposed, with bias or not, with start or not: bit 0 to 3. */
static void check(size_t s, unsigned form)
{
    const size_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
    const size_t lda = (form & 1 ? m : k) + 3, ldb = (form & 2 ? k : n) + 2, ldc = n + 1;
    fill(a, (form & 1 ? k : m) * lda, 1);
    fill(b, (form & 2 ? n : k) * ldb, 2);
    fill(bias, n, 3);
    fill(c, m * ldc, 4);
    memcpy(again, c, m * ldc * sizeof *c);
    const size_t length = mot_padded(n);
    across[k * length] = 77; /* behind its end */
    if (form & 2) mot_transpose(across, length, b, ldb, n, k);
    ck_assert(across[k * length] == 77);
    for (size_t i = 0; (form & 2) && i < k * length; ++i)
        ck_assert(across[i] == (i % length < n ? b[i % length * ldb + i / length] : 0));
    const mot_product product = {.m = m,
                                 .n = n,
                                 .k = k,
                                 .a = a,
                                 .a_row = form & 1 ? 1 : lda,
                                 .a_step = form & 1 ? lda : 1,
                                 .b = form & 2 ? across : b,
                                 .ldb = form & 2 ? length : ldb,
                                 .bias = form & 4 ? bias : NULL,
                                 .start = form & 8 ? c : NULL,
                                 .c = c,
                                 .ldc = ldc};
    mot_multiply(&product);
    for (size_t i = 0; i < m; ++i) {
        for (size_t j = 0; j < n; ++j) {
            double want = (form & 4 ? (double)bias[j] : 0) + (form & 8 ? (double)again[i * ldc + j] : 0);
            double scale = fabs(want);
            for (size_t l = 0; l < k; ++l) {
                const double x = a[form & 1 ? l * lda + i : i * lda + l],
                             y = b[form & 2 ? j * ldb + l : l * ldb + j];
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
    for (unsigned form = 0; form < 16; ++form) check((size_t)_i, form);
}
END_TEST

/* One row and one column at a time, at other addresses. */
START_TEST(bits_do_not_depend_on_the_place)
{
    const size_t m = 37, n = 71, k = 600;
    fill(a, m * k, 1);
    fill(b, k * n, 2);
    fill(bias, n, 3);

    mot_product product = {.m = m,
                           .n = n,
                           .k = k,
                           .a = a,
                           .a_row = k,
                           .a_step = 1,
                           .b = b,
                           .ldb = n,
                           .bias = bias,
                           .c = c,
                           .ldc = n};
    mot_multiply(&product);
    product.m = product.n = 1;
    for (size_t j = 0; j < n; ++j) {
        for (size_t i = 0; i < m; ++i) {
            product.a = a + i * k;
            product.b = b + j;
            product.bias = bias + j;
            product.c = again + 1;
            mot_multiply(&product);
            ck_assert_int_eq(memcmp(again + 1, c + i * n + j, sizeof *c), 0);
        }
    }
}
END_TEST

/* B's rows 2 and 4 KiB apart, where panels are copied. */
START_TEST(rows_of_b_may_lie_anywhere)
{
    const size_t m = 64, n = 71, k = 120;
    fill(a, m * k, 1);
    fill(b, k * n, 2);
    mot_product product = {
        .m = m, .n = n, .k = k, .a = a, .a_row = k, .a_step = 1, .b = b, .ldb = n, .c = c, .ldc = n};
    mot_multiply(&product);
    for (size_t ldb = 512; ldb <= 1024; ldb *= 2) {
        for (size_t l = 0; l < k; ++l) memcpy(across + l * ldb, b + l * n, n * sizeof *b);
        product.b = across;
        product.ldb = ldb;
        product.c = again;
        mot_multiply(&product);
        ck_assert_mem_eq(again, c, m * n * sizeof *c);
    }
}
END_TEST

/* Packed operands, from B and from its transpose; more rows of a transposed A than are copied at once, and a sum in pieces. */
START_TEST(packed_operands_change_no_bit)
{
    for (size_t s = 0; s <= SIZES; ++s) {
        const size_t m = s < SIZES ? sizes[s][0] : 150, n = s < SIZES ? sizes[s][1] : 69, k = s < SIZES ? sizes[s][2] : 600;
        fill(a, m * k, 1);
        fill(b, k * n, 2);
        mot_product product = {
            .m = m, .n = n, .k = k, .a = a, .a_row = k, .a_step = 1, .b = b, .ldb = n, .c = c, .ldc = n};
        mot_multiply(&product);
        product.b = across;
        product.ldb = 0;
        product.c = again;
        for (int transposed = 0; transposed < 2; ++transposed) {
            static float flipped[MOST];
            for (size_t i = 0; i < k * n; ++i) flipped[i % n * k + i / n] = b[i];
            ck_assert_uint_lt(mot_packed(k, n), MOST);
            memset(across, 0xff, sizeof across);
            if (transposed)
                mot_pack_transposed(across, flipped, k, k, n);
            else
                mot_pack(across, b, n, k, n);
            ck_assert(isnan(across[mot_packed(k, n)])); /* behind its end */
            memset(again, 0xff, m * n * sizeof *again);
            mot_multiply(&product);
            ck_assert_mem_eq(again, c, m * n * sizeof *c);
        }
        static float turned[MOST];
        for (size_t i = 0; i < m * k; ++i) turned[i % k * m + i / k] = a[i];
        product = (mot_product){
            .m = m, .n = n, .k = k, .a = turned, .a_row = 1, .a_step = m, .b = b, .ldb = n, .c = again, .ldc = n};
        memset(again, 0xff, m * n * sizeof *again);
        mot_multiply(&product);
        ck_assert_mem_eq(again, c, m * n * sizeof *c);
    }
}
END_TEST

/* ---- the vectors it is made of ---- */

START_TEST(vectors_do_what_they_say)
{
    fill(a, 64, 5);
    for (size_t n = 1; n <= MOT_LANES; ++n) {
        float got[MOT_LANES + 1];
        const mot_vector v = mot_load_first(a + 1, n, -9);
        mot_store(got, v);
        double sum = 0;
        float most = -9;
        for (size_t i = 0; i < MOT_LANES; ++i) {
            ck_assert(got[i] == (i < n ? a[1 + i] : -9));
            sum += (double)got[i];
            most = fmaxf(most, got[i]);
        }
        ck_assert_double_eq_tol((double)mot_lanes_sum(v), sum, 64 * u * 9 * MOT_LANES);
        ck_assert(mot_lanes_max(v) == most);
        for (size_t i = 0; i <= MOT_LANES; ++i) got[i] = 5;
        mot_store_first(got, v, n);
        for (size_t i = 0; i <= MOT_LANES; ++i) ck_assert(got[i] == (i < n ? a[1 + i] : 5));
    }
}
END_TEST

START_TEST(exponential)
{
    double worst = 0;
    for (double x = -86.9; x < 87.9; x += 0.0137) {
        const mot_vector v = mot_vector_exp(mot_all((float)x));
        const double want = exp((double)(float)x);
        for (size_t i = 0; i < MOT_LANES; ++i) worst = fmax(worst, fabs((double)v[i] - want) / want);
    }
    printf("exp: %.2f u\n", worst / u);
    ck_assert_double_le(worst, 4 * u);
    float bits;
    memset(&bits, 0xff, sizeof bits);
    ck_assert(isnan(mot_vector_exp(mot_all(NAN))[0]) && isnan(mot_vector_exp(mot_all(bits))[0]));
    ck_assert((double)mot_vector_exp(mot_all(-1e30f))[0] < 1e-37 &&
              mot_vector_exp(mot_all(1e30f))[0] > 1e38f);
    ck_assert(mot_vector_exp(mot_all(0))[0] == 1);
}
END_TEST

static void product_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, is_three_loops, 0, SIZES);
    tcase_add_test(tcase, bits_do_not_depend_on_the_place);
    tcase_add_test(tcase, rows_of_b_may_lie_anywhere);
    tcase_add_test(tcase, packed_operands_change_no_bit);
    tcase_add_test(tcase, vectors_do_what_they_say);
    tcase_add_test(tcase, exponential);
}

MOT_CK_MAIN("product", product_tests)

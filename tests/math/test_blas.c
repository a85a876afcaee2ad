/* Matrix products against three nested loops, in all four transpositions; bits whatever the alignment. */
#include "mot/blas.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/bare_product.h"
#include "mot/rng.h"

enum { MOST = 70 * 70 + 64 };
static float a[MOST], b[MOST], c[MOST], start[MOST], again[MOST];

static void fill(float *x, size_t n, uint32_t salt)
{
    for (size_t i = 0; i < n; ++i)
        x[i] = (float)(2 * mot_uniform(mot_random(22, MOT_STREAM_TEST, salt, (uint32_t)i, 0, 0).word[0]) - 1);
}

typedef struct product {
    bool ta, tb;
    size_t m, n, k, lda, ldb, ldc;
    float alpha, beta;
} product;

/* k products and sums, then alpha and beta: at most k + 4 roundings of the sizes' sum (Higham,
 * Accuracy, 3.13). */
static void check(const product *p)
{
    mot_gemm(p->ta, p->tb, p->m, p->n, p->k, p->alpha, a, p->lda, b, p->ldb, p->beta, c, p->ldc);
    for (size_t i = 0; i < p->m; ++i)
        for (size_t j = 0; j < p->n; ++j) {
            const double old = (double)p->beta * (double)start[i * p->ldc + j];
            double want = old, size = fabs(old);
            for (size_t l = 0; l < p->k; ++l) {
                const double term = (double)p->alpha *
                                    (double)(p->ta ? a[l * p->lda + i] : a[i * p->lda + l]) *
                                    (double)(p->tb ? b[j * p->ldb + l] : b[l * p->ldb + j]);
                want += term;
                size += fabs(term);
            }
            const double bound = ((double)p->k + 4) * (FLT_EPSILON / 2) * size;
            ck_assert_msg(fabs((double)c[i * p->ldc + j] - want) <= bound,
                          "[%zu, %zu] of %zu x %zu x %zu: %g, not %g", i, j, p->m, p->n, p->k,
                          (double)c[i * p->ldc + j], want);
        }
    /* What lies between the rows belongs to somebody else. */
    for (size_t i = 0; i < p->m; ++i)
        for (size_t j = p->n; j < p->ldc; ++j) ck_assert(c[i * p->ldc + j] == start[i * p->ldc + j]);
}

START_TEST(products_are_nested_loops)
{
    const size_t sizes[][3] = {{1, 1, 1}, {1, 7, 5},    {5, 1, 3},    {4, 6, 1},
                               {3, 5, 7}, {16, 16, 16}, {33, 17, 65}, {64, 48, 10}};
    for (size_t s = 0; s < MOT_COUNT(sizes); ++s)
        for (unsigned mode = 0; mode < 32; ++mode) {
            product p = {
                .ta = mode & 1u, .tb = mode & 2u, .m = sizes[s][0], .n = sizes[s][1], .k = sizes[s][2]};
            const size_t gap = mode & 4u ? 3 : 0;
            p.lda = (p.ta ? p.m : p.k) + gap;
            p.ldb = (p.tb ? p.k : p.n) + gap;
            p.ldc = p.n + gap;
            p.alpha = mode & 8u ? 0.3f : 1;
            p.beta = mode & 16u ? 1 : 0;
            fill(a, MOST, 3 * mode);
            fill(b, MOST, 3 * mode + 1);
            fill(start, MOST, 3 * mode + 2);
            memcpy(c, start, sizeof c);
            check(&p);
        }
}
END_TEST

/* beta = 0 means that C is written: what was there, a NaN even, does not matter. */
START_TEST(written_results_ignore_what_was_there)
{
    fill(a, MOST, 1);
    fill(b, MOST, 2);
    for (size_t i = 0; i < MOST; ++i) c[i] = NAN;
    mot_gemm(false, false, 9, 11, 13, 1, a, 13, b, 11, 0, c, 11);
    for (size_t i = 0; i < 99; ++i) ck_assert(isfinite(c[i]));
}
END_TEST

START_TEST(empty_products_do_nothing)
{
    fill(start, MOST, 3);
    memcpy(c, start, sizeof c);
    mot_gemm(false, false, 0, 5, 5, 1, a, 5, b, 5, 1, c, 5);
    mot_gemm(false, false, 5, 0, 5, 1, a, 5, b, 5, 1, c, 5);
    ck_assert_int_eq(memcmp(c, start, sizeof c), 0);
}
END_TEST

START_TEST(bits_do_not_depend_on_the_alignment)
{
    const size_t m = 37, n = 29, k = 31;
    fill(start, MOST, 4);
    memcpy(a, start, m * k * sizeof *a);
    memcpy(b, start + 100, k * n * sizeof *b);
    mot_gemm(false, false, m, n, k, 1, a, k, b, n, 0, c, n);
    for (size_t at = 1; at < 17; ++at) {
        memcpy(a + at, start, m * k * sizeof *a);
        memcpy(b + 2 * at, start + 100, k * n * sizeof *b);
        mot_gemm(false, false, m, n, k, 1, a + at, k, b + 2 * at, n, 0, again + 3 * at, n);
        ck_assert_int_eq(memcmp(again + 3 * at, c, m * n * sizeof *c), 0);
    }
}
END_TEST

/* What is loaded leaves no trace in the environment, and its threads are none. */
START_TEST(the_environment_stays_as_it_was)
{
    ck_assert_int_eq(setenv("OPENBLAS_NUM_THREADS", "7", 1), 0);
    mot_ck_ok(mot_blas_load());
    mot_ck_ok(mot_blas_load());
    ck_assert_str_eq(getenv("OPENBLAS_NUM_THREADS"), "7");
    ck_assert_ptr_null(getenv("OPENBLAS_CORETYPE"));
}
END_TEST

START_TEST(the_library_has_a_name_and_a_speed)
{
    ck_assert_int_eq(strncmp(mot_blas_name(), "OpenBLAS ", 9), 0);
    ck_assert_ptr_nonnull(strstr(mot_blas_name(), " kernels"));
    mot_bare by;
    ck_assert_double_gt(mot_bare_peak(MOT_PRECISION_FP32, false, false, 64, 64, 64, 3, 1e-3, &by), 1e7);
}
END_TEST

static void blas_tests(TCase *tcase)
{
    unsetenv("OPENBLAS_CORETYPE");
    tcase_add_test(tcase, the_environment_stays_as_it_was); /* the first to load */
    tcase_add_test(tcase, products_are_nested_loops);
    tcase_add_test(tcase, written_results_ignore_what_was_there);
    tcase_add_test(tcase, empty_products_do_nothing);
    tcase_add_test(tcase, bits_do_not_depend_on_the_alignment);
    tcase_add_test(tcase, the_library_has_a_name_and_a_speed);
}

MOT_CK_MAIN("blas", blas_tests)

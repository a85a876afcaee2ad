/* Rows against plain formulas in double; and the promise that a row's bits do not depend on where it stands.
 */
#include "mot/rowops.h"

#include <float.h>
#include <stdio.h>

#include "ck.h"
#include "mot/rng.h"

enum { MOST = 300 };
static const double unit = FLT_EPSILON / 2; /* the relative error of one rounding */

static void fill(float *x, size_t n, uint32_t salt, double scale)
{
    for (size_t i = 0; i < n; ++i) {
        const mot_random4 random = mot_random(21, MOT_STREAM_TEST, salt, (uint32_t)i, 0, 0);
        double normal[2];
        mot_normal_pair(random.word[0], random.word[1], normal);
        x[i] = (float)(scale * normal[0]);
    }
}

/* Steps through the floats between two numbers of one sign, so that every size of x is met. */
static double worst_exp_error(float from, float to, uint32_t step, float *where)
{
    uint32_t bits, end;
    double worst = 0;
    memcpy(&bits, &from, sizeof bits);
    for (memcpy(&end, &to, sizeof end); bits <= end; bits += step) {
        float x;
        memcpy(&x, &bits, sizeof x);
        const double exact = exp((double)x);
        const double ulp = exp2(floor(log2(exact)) - 23);
        const double error = fabs((double)mot_exp(x) - exact) / ulp;
        if (!(error <= worst)) { /* also when it is not a number */
            worst = error;
            *where = x;
        }
    }
    return worst;
}

START_TEST(exp_is_within_two_ulp)
{
    float where[2] = {0, 0};
    const double up = worst_exp_error(0.0f, 88.0f, 499, &where[0]);
    const double down = worst_exp_error(-0.0f, -87.0f, 499, &where[1]);
    printf("mot_exp: %.2f ulp at %g above 0, %.2f ulp at %g below\n", up, (double)where[0], down,
           (double)where[1]);
    ck_assert_double_le(up, 2);
    ck_assert_double_le(down, 2);
}
END_TEST

START_TEST(exp_at_its_ends)
{
    ck_assert(mot_exp(0.0f) == 1);
    ck_assert(mot_exp(-0.0f) == 1);
    ck_assert(mot_exp(-88.0f) == mot_exp(-87.0f));
    ck_assert(mot_exp(-INFINITY) == mot_exp(-87.0f));
    ck_assert(mot_exp(89.0f) == mot_exp(88.0f));
    ck_assert(mot_exp(INFINITY) == mot_exp(88.0f));
    ck_assert(mot_exp(88.0f) < FLT_MAX && mot_exp(-87.0f) >= FLT_MIN);
    ck_assert_msg(isnan(mot_exp(NAN)), "a lost number must stay lost, so that it is found and reported");
}
END_TEST

/* Every float but each of some thousand neighbours, and those that are no numbers. */
START_TEST(lanes_are_the_exponential)
{
    for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += 40093 * MOT_LANES) {
        float x[MOT_LANES], y[MOT_LANES];
        for (uint32_t i = 0; i < MOT_LANES; ++i) {
            const uint32_t of = (uint32_t)bits + 40093 * i;
            memcpy(&x[i], &of, sizeof of);
        }
        mot_store(y, mot_lanes_exp(mot_load(x)));
        for (int i = 0; i < MOT_LANES; ++i) {
            const float one = mot_exp(x[i]);
            ck_assert_msg(memcmp(&one, &y[i], sizeof one) == 0 || (isnan(one) && isnan(y[i])), "exp(%a): %a, not %a",
                          (double)x[i], (double)y[i], (double)one);
        }
    }
}
END_TEST

START_TEST(the_largest_of_a_row)
{
    float x[MOST];
    for (size_t n = 1; n <= 40; ++n)
        for (size_t at = 0; at < n; ++at) {
            for (size_t i = 0; i < n; ++i) x[i] = -(float)((i * 7 + at) % 5) - 2;
            x[at] = -1;
            ck_assert(mot_row_max(x, n) == -1);
            if (at > 0) x[at - 1] = NAN; /* nobody looks for it but where it is the first, as it came to be */
            ck_assert(at == 1 ? isnan(mot_row_max(x, n)) : mot_row_max(x, n) == -1);
        }
}
END_TEST

static void check_softmax(const float *x, size_t n)
{
    float p[MOST];
    double most = (double)x[0], total = 0, sum = 0;
    mot_row_softmax(p, x, n);
    for (size_t i = 0; i < n; ++i) most = fmax(most, (double)x[i]);
    for (size_t i = 0; i < n; ++i) sum += exp((double)x[i] - most);
    for (size_t i = 0; i < n; ++i) {
        const double want = exp((double)x[i] - most) / sum;
        /* x - most is rounded, which exp turns into a relative error; then 2 ulp of exp, at worst n of the
         * sum; and exp does not fall below e^-87. */
        const double bound = (4 + (double)n + fmin(fabs((double)x[i] - most), 100)) * 2 * unit * want + 2e-38;
        ck_assert_msg(fabs((double)p[i] - want) <= bound, "p[%zu] of %zu = %g, not %g", i, n, (double)p[i],
                      want);
        total += (double)p[i];
    }
    ck_assert_double_le(fabs(total - 1), 2 * (double)n * unit);
}

START_TEST(softmax_is_the_plain_formula)
{
    float x[MOST];
    const double scales[] = {0, 1e-3, 1, 10, 100, 1e30};
    for (size_t s = 0; s < MOT_COUNT(scales); ++s)
        for (uint32_t n = 1; n <= MOST; n += n < 40 ? 1 : 13) {
            fill(x, n, n, scales[s]);
            check_softmax(x, n);
            x[n / 2] = -INFINITY; /* what a mask would put there */
            if (n > 1) check_softmax(x, n);
        }
}
END_TEST

START_TEST(sums_are_the_plain_sums)
{
    float x[MOST], y[MOST], z[MOST];
    for (uint32_t n = 0; n <= MOST; n += n < 40 ? 1 : 13) {
        fill(x, n, n, 1);
        fill(y, n, n + 1000, 1);
        double sum = 0, dot = 0, size = 0, product = 0, squares = 0;
        for (size_t i = 0; i < n; ++i) {
            sum += (double)x[i];
            dot += (double)x[i] * (double)y[i];
            size += fabs((double)x[i]);
            squares += (double)x[i] * (double)x[i];
            product += fabs((double)x[i] * (double)y[i]);
        }
        ck_assert_double_le(fabs((double)mot_row_sum(x, n) - sum), n * unit * size);
        ck_assert_double_le(fabs((double)mot_row_dot(x, y, n) - dot), n * unit * product);
        ck_assert_double_le(fabs(mot_row_squares(x, n) - squares), 1e-14 * squares);
        memcpy(z, y, sizeof z);
        mot_row_add(z, x, n);
        for (size_t i = 0; i < n; ++i) ck_assert(z[i] == y[i] + x[i]);
        memcpy(z, y, sizeof z);
        mot_row_axpy(z, 0.5f, x, n);
        for (size_t i = 0; i < n; ++i)
            ck_assert_double_le(fabs((double)z[i] - ((double)y[i] + 0.5 * (double)x[i])),
                                unit * fabs((double)z[i]));
    }
}
END_TEST

/* The same row at every place within a vector of 16 gives the same bits. */
START_TEST(bits_do_not_depend_on_the_place)
{
    static float room[2 * MOST + 32], x[MOST], softmax[MOST];
    for (uint32_t n = 1; n <= MOST; n += n < 70 ? 1 : 11) {
        fill(x, n, n, 2);
        const float sum = mot_row_sum(x, n), dot = mot_row_dot(x, x, n);
        memcpy(softmax, x, n * sizeof *x);
        mot_row_softmax(softmax, softmax, n);
        for (size_t at = 0; at < 17; ++at) {
            memcpy(room + at, x, n * sizeof *x);
            ck_assert(mot_row_sum(room + at, n) == sum);
            ck_assert(mot_row_dot(room + at, room + at, n) == dot);
            mot_row_softmax(room + at, room + at, n);
            ck_assert_msg(memcmp(room + at, softmax, n * sizeof *x) == 0,
                          "softmax of %u numbers at place %zu", n, at);
        }
    }
}
END_TEST

static void rowops_tests(TCase *tcase)
{
    tcase_add_test(tcase, exp_is_within_two_ulp);
    tcase_add_test(tcase, exp_at_its_ends);
    tcase_add_test(tcase, lanes_are_the_exponential);
    tcase_add_test(tcase, the_largest_of_a_row);
    tcase_add_test(tcase, softmax_is_the_plain_formula);
    tcase_add_test(tcase, sums_are_the_plain_sums);
    tcase_add_test(tcase, bits_do_not_depend_on_the_place);
}

MOT_CK_MAIN("rowops", rowops_tests)

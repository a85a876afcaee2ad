/* Figures of tables of counts against scikit-learn 1.9 (normalized_mutual_info_score with the geometric mean,
 * adjusted_mutual_info_score, adjusted_rand_score), and against what dealing the same rows in every order gives. */
#include <math.h>

#include "ck.h"
#include "mot/contingency.h"
#include "mot/memory.h"
#include "mot/types.h"

typedef struct known {
    int rows, columns;
    int64_t count[40];
    double purity, nmi, ami, ari;
} known;

static const known tables[] = {
    {2, 2, {3, 1, 0, 4}, 0.875, 0.56174232491856801, 0.5000871464055463, 0.49484536082474229},
    {2, 2, {3, 3, 3, 3}, 0.5, 0, -0.074375205285730883, -0.1},
    {2, 2, {1, 1, 1, 1}, 0.5, 0, -0.5, -0.5},
    {3, 3, {5, 0, 0, 0, 5, 0, 0, 0, 5}, 1, 1, 1, 1},
    {3, 3, {1, 0, 0, 0, 1, 0, 0, 0, 1}, 1, 1, 1, 1}, /* any order is as good */
    {3, 4, {12, 0, 3, 1, 2, 7, 0, 0, 1, 1, 9, 30}, 0.87878787878787878, 0.51713316381708296, 0.48583716800590648, 0.50180764757353924},
    {3, 3, {40, 41, 39, 38, 40, 43, 41, 42, 37}, 0.34903047091412742, 0.0007926292046447844, -0.0043102484143743838,
     -0.0047136189398829719},
    {4, 5, {1000, 3, 0, 17, 0, 20, 2500, 6, 0, 0, 11, 9, 1800, 4, 0, 5, 0, 2, 333, 0}, 0.98651488616462346,
     0.93630310875186362, 0.93625793418700975, 0.96972932733733841}, /* an expert has none */
    {5, 8, {18, 20, 30, 38, 1, 5, 32, 37, 9, 12, 34, 16, 10, 33, 10, 16, 25, 21, 3, 1, 34, 30, 33, 21, 32, 13, 18, 31, 4, 12, 4, 18, 39, 5, 15, 16, 36, 8, 20, 10},
     0.35194805194805195, 0.10159814288475226, 0.09166525051242741, 0.052409123232696864},
    {1, 2, {10, 20}, 1, 0, 0, 0},
    {2, 1, {10, 20}, 2. / 3, 0, 0, 0},
    {1, 1, {30}, 1, 0, 1, 1}, /* of the nmi scikit-learn says 1 */
};

START_TEST(as_scikit_learn)
{
    const known *k = &tables[_i];
    const mot_contingency m = mot_contingency_measure(k->rows, k->columns, k->count);
    double ami;
    ck_assert_int_eq(mot_contingency_ami(k->rows, k->columns, k->count, &ami), MOT_OK);
    ck_assert_double_eq_tol(m.purity, k->purity, 1e-12);
    ck_assert_double_eq_tol(m.nmi, k->nmi, 1e-9);
    ck_assert_double_eq_tol(ami, k->ami, 1e-9);
    ck_assert_double_eq_tol(mot_contingency_ari(k->rows, k->columns, k->count), k->ari, 1e-12);
}
END_TEST

/* Rows and columns changing places change the purity alone. */
START_TEST(either_way)
{
    const known *k = &tables[_i];
    int64_t turned[40];
    double ami, back;
    for (int r = 0; r < k->rows; ++r)
        for (int c = 0; c < k->columns; ++c) turned[c * k->rows + r] = k->count[r * k->columns + c];
    ck_assert_int_eq(mot_contingency_ami(k->rows, k->columns, k->count, &ami), MOT_OK);
    ck_assert_int_eq(mot_contingency_ami(k->columns, k->rows, turned, &back), MOT_OK);
    ck_assert_double_eq_tol(ami, back, 1e-12);
    ck_assert_double_eq_tol(mot_contingency_ari(k->columns, k->rows, turned), k->ari, 1e-12);
}
END_TEST

enum { DEALT = 7 };

/* Sums of figures over all orders of the labels, each order once (Heap's algorithm). */
typedef struct sums {
    int label[DEALT];
    double ami, ari, orders;
} sums;

static void add_order(sums *s)
{
    static const int expert[DEALT] = {0, 1, 2, 0, 1, 0, 0};
    int64_t count[3 * 3] = {0};
    double ami;
    for (int i = 0; i < DEALT; ++i) ++count[s->label[i] * 3 + expert[i]];
    ck_assert_int_eq(mot_contingency_ami(3, 3, count, &ami), MOT_OK);
    s->ami += ami;
    s->ari += mot_contingency_ari(3, 3, count);
    ++s->orders;
}

static void permute(sums *s, int free)
{
    if (free == 1) {
        add_order(s);
        return;
    }
    for (int i = 0; i < free; ++i) {
        permute(s, free - 1);
        const int other = free % 2 == 0 ? i : 0, kept = s->label[other];
        s->label[other] = s->label[free - 1];
        s->label[free - 1] = kept;
    }
}

START_TEST(zero_by_chance)
{
    sums s = {.label = {0, 0, 1, 1, 2, 2, 2}};
    permute(&s, DEALT);
    ck_assert_double_eq(s.orders, 5040);
    ck_assert_double_eq_tol(s.ami / s.orders, 0, 1e-12);
    ck_assert_double_eq_tol(s.ari / s.orders, 0, 1e-12);
}
END_TEST

START_TEST(nothing)
{
    const int64_t none[6] = {0};
    double ami = 0;
    ck_assert_int_eq(mot_contingency_ami(2, 3, none, &ami), MOT_OK);
    ck_assert_double_nan(ami);
    ck_assert_double_nan(mot_contingency_ari(2, 3, none));
    ck_assert_double_eq(mot_contingency_measure(2, 3, none).purity, 0);
    ck_assert_double_nan(mot_load_spread_of(3, none).effective);
    ck_assert_int_eq(mot_load_spread_of(3, none).idle, 3);
}
END_TEST

/* Of very many samples chance makes nothing of any table: I, as it is, over the mean entropy. */
START_TEST(many_samples)
{
    const int64_t n = 1000000, count[] = {4 * n, n, n, 4 * n};
    const mot_contingency m = mot_contingency_measure(2, 2, count);
    double ami;
    ck_assert_int_eq(mot_contingency_ami(2, 2, count, &ami), MOT_OK);
    ck_assert_double_eq_tol(m.mutual, 0.8 * log(1.6) + 0.2 * log(0.4), 1e-12);
    ck_assert_double_eq_tol(ami, (m.mutual - 5e-8) / (log(2) - 5e-8), 1e-12); /* E[I]: (rows - 1)(columns - 1) / (2 samples) */
}
END_TEST

START_TEST(spread_of_a_load)
{
    mot_load_spread s = mot_load_spread_of(4, (int64_t[]){6, 2, 0, 0});
    ck_assert_double_eq(s.max_over_mean, 3);
    ck_assert_double_eq_tol(s.cv, sqrt(6) / 2, 1e-15); /* deviations 4, 0, -2, -2 of a mean of 2 */
    ck_assert_double_eq_tol(s.effective, pow(0.75, -0.75) * pow(0.25, -0.25), 1e-12);
    ck_assert_int_eq(s.idle, 2);
    s = mot_load_spread_of(3, (int64_t[]){5, 5, 5});
    ck_assert_double_eq(s.max_over_mean, 1);
    ck_assert_double_eq(s.cv, 0);
    ck_assert_double_eq_tol(s.effective, 3, 1e-12);
    ck_assert_int_eq(s.idle, 0);
}
END_TEST

static void contingency_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, as_scikit_learn, 0, MOT_COUNT(tables));
    tcase_add_loop_test(tcase, either_way, 0, MOT_COUNT(tables));
    tcase_add_test(tcase, zero_by_chance);
    tcase_add_test(tcase, nothing);
    tcase_add_test(tcase, many_samples);
    tcase_add_test(tcase, spread_of_a_load);
}

MOT_CK_MAIN("contingency", contingency_tests)

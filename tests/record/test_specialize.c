/* Figures of specialization against values taken by hand. */
#include <math.h>

#include "ck.h"
#include "mot/record.h"

static void expect(int classes, int experts, const int64_t *load, double purity, double nmi, double entropy,
                   int used)
{
    const mot_specialization s = mot_specialize(classes, experts, load);
    ck_assert_double_eq_tol(s.purity, purity, 1e-12);
    ck_assert_double_eq_tol(s.nmi, nmi, 1e-12);
    ck_assert_double_eq_tol(s.entropy, entropy, 1e-12);
    ck_assert_int_eq(s.experts_used, used);
}

START_TEST(one_class_an_expert)
{
    expect(3, 3, (int64_t[]){0, 5, 0, 5, 0, 0, 0, 0, 5}, 1, 1, 1, 3);
}
END_TEST

START_TEST(independent)
{
    expect(2, 2, (int64_t[]){3, 3, 3, 3}, 0.5, 0, 1, 2);
    expect(2, 2, (int64_t[]){1, 3, 1, 3}, 0.5, 0, -(0.25 * log(0.25) + 0.75 * log(0.75)) / log(2), 2);
}
END_TEST

/* Classes A, B over experts 0, 1: [3 1; 0 4]. Experts hold 3 and 5 of 8, classes 4 and 4. */
START_TEST(by_hand)
{
    const double h_expert = -(3. / 8 * log(3. / 8) + 5. / 8 * log(5. / 8)), h_class = log(2);
    const double i = 3. / 8 * log(3. / 8 / (3. / 8 * 0.5)) + 1. / 8 * log(1. / 8 / (5. / 8 * 0.5)) +
                     4. / 8 * log(4. / 8 / (5. / 8 * 0.5));
    expect(2, 2, (int64_t[]){3, 1, 0, 4}, 7. / 8, i / sqrt(h_expert * h_class), h_expert / log(2), 2);
}
END_TEST

/* More experts than classes: a pure expert each, and a class that two of them share. */
START_TEST(two_experts_a_class)
{
    const double h_expert = -(0.5 * log(0.5) + 2 * 0.25 * log(0.25)), h_class = log(2);
    expect(2, 3, (int64_t[]){4, 0, 0, 0, 2, 2}, 1, h_class / sqrt(h_expert * h_class), h_expert / log(3), 3);
}
END_TEST

START_TEST(degenerate)
{
    expect(2, 1, (int64_t[]){3, 5}, 5. / 8, 0, 1, 1); /* one expert */
    expect(1, 2, (int64_t[]){3, 5}, 1, 0, -(3. / 8 * log(3. / 8) + 5. / 8 * log(5. / 8)) / log(2),
           2);                                                 /* one class */
    expect(2, 3, (int64_t[]){4, 0, 0, 4, 0, 0}, 0.5, 0, 0, 1); /* all to one */
    expect(2, 2, (int64_t[]){0, 0, 0, 0}, 0, 0, 0, 0);         /* nothing */
    expect(2, 1, (int64_t[]){0, 0}, 0, 0, 1, 0);               /* nothing, one expert */
    expect(1, 1, (int64_t[]){9}, 1, 0, 1, 1);
}
END_TEST

START_TEST(used_is_one_percent_of_a_fair_share)
{
    /* 4000 samples, 4 experts: a fair share is 1000, one per cent of it 10. */
    int64_t load[] = {3980, 10, 9, 1};
    ck_assert_int_eq(mot_specialize(1, 4, load).experts_used, 2);
    /* 8 samples: one per cent of a share is less than a sample, so one sample is needed. */
    ck_assert_int_eq(mot_specialize(1, 4, (int64_t[]){7, 1, 0, 0}).experts_used, 2);
}
END_TEST

START_TEST(large_counts)
{
    const int64_t n = (int64_t)1 << 50;
    expect(2, 2, (int64_t[]){n, 0, 0, n}, 1, 1, 1, 2);
}
END_TEST

static void specialize_tests(TCase *tcase)
{
    tcase_add_test(tcase, one_class_an_expert);
    tcase_add_test(tcase, independent);
    tcase_add_test(tcase, by_hand);
    tcase_add_test(tcase, two_experts_a_class);
    tcase_add_test(tcase, degenerate);
    tcase_add_test(tcase, used_is_one_percent_of_a_fair_share);
    tcase_add_test(tcase, large_counts);
}

MOT_CK_MAIN("specialize", specialize_tests)

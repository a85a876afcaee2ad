#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/memory.h"
#include "mot/order.h"

static const mot_gidx sizes[] = {1, 2, 3, 5, 16, 17, 64, 65, 1000, 60000};

START_TEST(every_epoch_is_a_permutation)
{
    for (size_t s = 0; s < MOT_COUNT(sizes); ++s) {
        const mot_gidx n = sizes[s];
        char *seen = mot_calloc((size_t)n, 1);
        for (mot_gidx epoch = 0; epoch < 3; ++epoch) {
            memset(seen, 0, (size_t)n);
            for (mot_gidx place = 0; place < n; ++place) {
                const mot_gidx sample = mot_order_sample(7, n, epoch * n + place);
                ck_assert(sample >= 0 && sample < n);
                ck_assert_int_eq(seen[sample], 0);
                seen[sample] = 1;
            }
        }
        mot_free(seen);
    }
}
END_TEST

START_TEST(epochs_and_seeds_differ)
{
    const mot_gidx n = 1000;
    int same_epoch = 0, same_seed = 0, same_identity = 0, same_late = 0;
    const mot_gidx late = (mot_gidx)1 << 40; /* an epoch beyond 32 bits */
    for (mot_gidx place = 0; place < n; ++place) {
        const mot_gidx sample = mot_order_sample(1, n, place);
        same_identity += sample == place;
        same_epoch += sample == mot_order_sample(1, n, n + place);
        same_seed += sample == mot_order_sample(2, n, place);
        same_late += sample == mot_order_sample(1, n, late * n + place);
    }
    ck_assert(same_identity < 10 && same_epoch < 10 && same_seed < 10 && same_late < 10);
}
END_TEST

/* Over many epochs each sample stands at each place about equally often. */
START_TEST(roughly_uniform)
{
    enum { N = 10, EPOCHS = 20000 };
    int count[N][N] = {{0}};
    double chi2 = 0;
    for (mot_gidx epoch = 0; epoch < EPOCHS; ++epoch)
        for (mot_gidx place = 0; place < N; ++place)
            ++count[place][mot_order_sample(3, N, epoch * N + place)];
    const double expected = (double)EPOCHS / N;
    for (int p = 0; p < N; ++p)
        for (int s = 0; s < N; ++s) chi2 += (count[p][s] - expected) * (count[p][s] - expected) / expected;
    ck_assert_msg(chi2 < 81 + 6 * sqrt(2 * 81.0), "chi squared %g over 81 degrees of freedom", chi2);
}
END_TEST

static void order_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_epoch_is_a_permutation);
    tcase_add_test(tcase, epochs_and_seeds_differ);
    tcase_add_test(tcase, roughly_uniform);
}

MOT_CK_MAIN("order", order_tests)

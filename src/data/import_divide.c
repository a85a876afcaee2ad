/* Which samples go to the validation and the test split: of each class its part, chosen by the seed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "mot/memory.h"
#include "mot/order.h"

typedef struct share {
    size_t class, have, take; /* of `have` samples that are in train so far */
    double rest;              /* of the fraction, below one sample */
} share;

static int by_rest(const void *a, const void *b)
{
    const share *x = a, *y = b;
    if (x->rest != y->rest) return x->rest < y->rest ? 1 : -1;
    return (x->class > y->class) - (x->class < y->class);
}

static int by_class(const void *a, const void *b)
{
    const share *x = a, *y = b;
    return (x->class > y->class) - (x->class < y->class);
}

/* The whole samples of each class, and one more for those whose fraction leaves most, until all is `total`; a class keeps
 * one in train. */
static void choose_shares(share *shares, size_t classes, double fraction, const size_t *all, size_t total)
{
    size_t taken = 0;
    for (size_t c = 0; c < classes; ++c) {
        const double part = fraction * (double)all[c];
        shares[c].take = (size_t)floor(part + 1e-9);
        shares[c].rest = part - (double)shares[c].take;
        if (shares[c].take >= shares[c].have) shares[c].take = shares[c].have > 0 ? shares[c].have - 1 : 0;
        taken += shares[c].take;
    }
    qsort(shares, classes, sizeof *shares, by_rest);
    for (size_t c = 0; c < classes && taken < total; ++c)
        if (shares[c].take + 1 < shares[c].have && shares[c].rest > 1e-9) ++shares[c].take, ++taken;
    qsort(shares, classes, sizeof *shares, by_class);
}

mot_status mot_import_divide(const mot_import_options *options, const char *path, size_t n, const int32_t *label,
                             size_t classes, unsigned char **target)
{
    static const char *const names[] = {"train", "val", "test"};
    const double fraction[IMPORT_SPLITS] = {0, options->val_fraction, options->test_fraction};
    share *shares = NULL;
    size_t *all = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(target, n, 1, "the splits of samples"));
    MOT_TRY(mot_allocate(&shares, classes, sizeof *shares, "the classes"));
    MOT_TRY(mot_allocate(&all, classes, sizeof *all, "the classes"));
    for (size_t i = 0; i < n; ++i) ++all[label != NULL ? label[i] : 0];
    for (size_t c = 0; c < classes; ++c) shares[c] = (share){.class = c, .have = all[c]};
    for (int s = IMPORT_SPLITS - 1; s > 0; --s) {
        if (fraction[s] == 0) continue;
        choose_shares(shares, classes, fraction[s], all, (size_t)floor(fraction[s] * (double)n + 0.5));
        size_t taken = 0;
        for (size_t i = 0; i < n; ++i) {
            const size_t index = (size_t)mot_order_sample(options->seed, (mot_gidx)n, (mot_gidx)i);
            share *of = &shares[label != NULL ? label[index] : 0];
            if ((*target)[index] != 0 || of->take == 0) continue;
            (*target)[index] = (unsigned char)s;
            --of->take;
            --of->have;
            ++taken;
        }
        if (taken == 0) {
            status = mot_fail(MOT_ERR_INPUT, "%s: --%s-fraction %g of %zu samples leaves a split empty", path,
                              names[s], fraction[s], n);
            goto done;
        }
    }
done:
    mot_free(all);
    mot_free(shares);
    return status;
}

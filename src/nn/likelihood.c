#include "mot/likelihood.h"

#include <math.h>

#include "mot/exponentials.h"

enum { FEWEST = -30 }; /* decimal exponent of the least weight */

static double log_weight(mot_real w)
{
    return log(fmax((double)w, pow(10, FEWEST)));
}

void mot_likelihood_add(mot_real *F, bool first, mot_real w, const mot_real *f, size_t C)
{
    const double shift = log_weight(w) - mot_log_sum_exp(f, C);
    for (size_t c = 0; c < C; ++c) {
        const double before = (double)F[c], added = (double)f[c] + shift;
        F[c] = (mot_real)(first ? added : fmax(before, added) + log1p(exp(-fabs(before - added))));
    }
}

/* With s = softmax(f), q = exp(F): dL/dw = sum_c d_F_c s_c / q_c, and dL/df_c = w s_c (d_F_c / q_c - dL/dw). */
mot_real mot_likelihood_backward(mot_real *f, mot_real w, const mot_real *F, const mot_real *d_F, size_t C)
{
    const double all = mot_log_sum_exp(f, C);
    double d_w = 0;
    for (size_t c = 0; c < C; ++c) d_w += (double)d_F[c] * exp((double)f[c] - all - (double)F[c]);
    for (size_t c = 0; c < C; ++c)
        f[c] = (mot_real)((double)w * ((double)d_F[c] * exp((double)f[c] - all - (double)F[c]) - exp((double)f[c] - all) * d_w));
    return (mot_real)d_w;
}

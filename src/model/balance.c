#include "mot/choose.h"

#include <math.h>
#include <string.h>

#include "mot/rowops.h"

enum { PARTS = 8, WIDES = PARTS / MOT_WIDE_LANES };
typedef int64_t wide_int __attribute__((vector_size(MOT_VECTOR_BYTES)));

static inline mot_wide wide_all(double x)
{
    return x - (mot_wide){0};
}

/* e^x to 2e-15 of it, for x <= 0; below -700, e^-700. x = n log 2 + r with |r| <= log(2) / 2: the rounding to n is the addition of
 * 1.5 * 2^52, which leaves n in the lowest bits. A NaN stays. */
static inline mot_wide exp_of(mot_wide x)
{
    const wide_int low = x < -700;
    x = (mot_wide)((low & (wide_int)wide_all(-700)) | (~low & (wide_int)x));
    const mot_wide shifted = mot_wide_fused(x, wide_all(1.4426950408889634), wide_all(0x1.8p52)), n = shifted - 0x1.8p52;
    const mot_wide r = mot_wide_fused(n, wide_all(-0x1.ef35793c76730p-45), mot_wide_fused(n, wide_all(-0x1.62e42fefa3800p-1), x)),
                   r2 = r * r, r4 = r2 * r2;
    const mot_wide q10 = mot_wide_fused(r, wide_all(0.1666666666664829), wide_all(0.5)),
                   q32 = mot_wide_fused(r, wide_all(0.008333333353729397), wide_all(0.04166666666665136)),
                   q54 = mot_wide_fused(r, wide_all(0.00019841208732536384), wide_all(0.0013888888905881542)),
                   q76 = mot_wide_fused(r, wide_all(2.762511557828763e-06), wide_all(2.4801536388690766e-05));
    const mot_wide high = mot_wide_fused(r4, wide_all(2.761380686153829e-07), mot_wide_fused(r2, q76, q54)),
                   q = mot_wide_fused(r4, high, mot_wide_fused(r2, q32, q10));
    return (mot_wide)((wide_int)mot_wide_fused(r2, q, 1 + r) + ((wide_int)shifted << 52));
}

/* log sum_i exp h_i; the sum is taken in eight parts at any level. */
static double log_sum_exp(size_t E, const mot_real *h)
{
    const double most = (double)mot_row_max(h, E);
    mot_wide sum[WIDES] = {{0}};
    mot_real last[PARTS];
    double part[PARTS], all = 0;
    for (size_t i = 0; i < E; i += PARTS) {
        const mot_real *x = h + i;
        if (E - i < PARTS) {
            for (size_t j = 0; j < PARTS; ++j) last[j] = i + j < E ? x[j] : (mot_real)-INFINITY;
            x = last;
        }
        for (int w = 0; w < WIDES; ++w)
            sum[w] += exp_of(mot_wide_load(x + w * MOT_WIDE_LANES) - most);
    }
    memcpy(part, sum, sizeof part);
    for (int j = 0; j < PARTS; ++j) all += part[j];
    return most + log(all);
}

void mot_balance_shares(const mot_choice_batch *batch, double *share)
{
    const size_t rows = batch->n * batch->K;
    memset(share, 0, batch->E * sizeof *share);
    for (size_t r = 0; r < rows; ++r) share[batch->expert[r]] += 1 / (double)rows;
}

/* d_h += the gradient of coefficient * sum_i share_i p_i by h, for p = softmax(h): coefficient p_i (share_i - sum_j share_j p_j), of
 * `rows` samples at most ROWS: the sum of each is one chain of additions, so several are taken at once. */
enum { ROWS = 4 };
static void softmax_backward(size_t rows, size_t E, const mot_real *p, const double *share, double coefficient, mot_real *d_h)
{
    double dot[ROWS] = {0};
    if (rows == ROWS)
        for (size_t i = 0; i < E; ++i)
#pragma GCC unroll 4
            for (size_t r = 0; r < ROWS; ++r) dot[r] += share[i] * (double)p[r * E + i];
    else
        for (size_t r = 0; r < rows; ++r)
            for (size_t i = 0; i < E; ++i) dot[r] += share[i] * (double)p[r * E + i];
    for (size_t r = 0; r < rows; ++r) {
        const mot_real *from = p + r * E;
        mot_real *to = d_h + r * E;
#pragma omp simd
        for (size_t i = 0; i < E; ++i) to[i] += (mot_real)(coefficient * (double)from[i] * (share[i] - dot[r]));
    }
}

double mot_balance_rows(const mot_route_config *config, const mot_choice_batch *batch, const double *share, size_t from,
                        size_t to, mot_real *d_h)
{
    const size_t E = batch->E;
    const double n = (double)batch->n, balance_loss = config->explore.balance_loss, z_loss = config->explore.z_loss;
    double z = 0;
    for (size_t b = from; b < to; b += ROWS) {
        const size_t rows = MOT_MIN((size_t)ROWS, to - b);
        const mot_real *h = batch->h + b * E, *p = batch->p + b * E;
        mot_real *d = d_h != NULL ? d_h + b * E : NULL;
        if (d != NULL && balance_loss != 0) softmax_backward(rows, E, p, share, balance_loss * (double)E / n, d);
        for (size_t r = 0; r < rows; ++r) {
            const double log_sum = log_sum_exp(E, h + r * E);
            z += log_sum * log_sum / n;
            if (d == NULL || z_loss == 0) continue;
#pragma omp simd
            for (size_t i = r * E; i < (r + 1) * E; ++i) d[i] += (mot_real)(z_loss * 2 * log_sum * (double)p[i] / n);
        }
    }
    return z;
}

void mot_balance_importance(const mot_choice_batch *batch, size_t from, size_t to, double *importance)
{
    const size_t E = batch->E, n = batch->n;
    memset(importance + from, 0, (to - from) * sizeof *importance);
    size_t b = 0;
    for (; b + ROWS <= n; b += ROWS) {
        const mot_real *p = batch->p + b * E;
#pragma omp simd
        for (size_t i = from; i < to; ++i)
            importance[i] = importance[i] + (double)p[i] + (double)p[E + i] + (double)p[2 * E + i] + (double)p[3 * E + i];
    }
    for (; b < n; ++b)
#pragma omp simd
        for (size_t i = from; i < to; ++i) importance[i] += (double)batch->p[b * E + i];
}

double mot_balance_switch_loss(const mot_choice_batch *batch, const double *importance)
{
    double share[MOT_MAX_EXPERTS], loss = 0;
    if (batch->n == 0) return 0;
    mot_balance_shares(batch, share);
    for (size_t i = 0; i < batch->E; ++i) loss += (double)batch->E * share[i] * (importance[i] / (double)batch->n);
    return loss;
}

void mot_balance_bias(const mot_route_config *config, size_t E, const int64_t *load, mot_real *bias)
{
    int64_t total = 0;
    for (size_t i = 0; i < E; ++i) total += load[i];
    for (size_t i = 0; i < E; ++i) {
        const int64_t missing = total - load[i] * (int64_t)E; /* E times (mean load - load) */
        bias[i] += (mot_real)(config->explore.balance_bias * ((missing > 0) - (missing < 0)));
    }
}

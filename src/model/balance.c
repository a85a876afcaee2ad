#include "mot/choose.h"

#include <math.h>
#include <string.h>

#include "mot/exponentials.h"
#include "mot/rowops.h"

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
            const double log_sum = mot_log_sum_exp(h + r * E, E);
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

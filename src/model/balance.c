#include "mot/choose.h"

#include <math.h>

/* Gradient of coefficient * sum_i weight_i p_i by h, for p = softmax(h): coefficient p_i (weight_i - sum_j weight_j p_j). */
static void softmax_backward(size_t E, const mot_real *p, const double *weight, double coefficient,
                             mot_real *d_h)
{
    double dot = 0;
    for (size_t i = 0; i < E; ++i) dot += weight[i] * (double)p[i];
    for (size_t i = 0; i < E; ++i) d_h[i] += (mot_real)(coefficient * (double)p[i] * (weight[i] - dot));
}

mot_balance mot_balance_losses(const mot_route_config *config, const mot_choice_batch *batch, mot_real *d_h)
{
    const size_t E = batch->E, n = batch->n;
    double share[MOT_MAX_EXPERTS] = {0}, importance[MOT_MAX_EXPERTS] = {0}, z = 0;
    mot_balance balance = {0};
    if (n == 0) return balance;

    for (size_t r = 0; r < n * batch->K; ++r) share[batch->expert[r]] += 1 / (double)(n * batch->K);
    for (size_t b = 0; b < n; ++b) {
        const mot_real *h = batch->h + b * E, *p = batch->p + b * E;
        double most = (double)h[0], sum = 0;
        for (size_t i = 1; i < E; ++i) most = MOT_MAX(most, (double)h[i]);
        for (size_t i = 0; i < E; ++i) {
            sum += exp((double)h[i] - most);
            importance[i] += (double)p[i] / (double)n;
        }
        const double log_sum = most + log(sum);
        z += log_sum * log_sum / (double)n;
        if (d_h == NULL) continue;
        mot_real *d = d_h + b * E;
        if (config->explore.balance_loss != 0)
            softmax_backward(E, p, share, config->explore.balance_loss * (double)E / (double)n, d);
        if (config->explore.z_loss != 0)
            for (size_t i = 0; i < E; ++i)
                d[i] += (mot_real)(config->explore.z_loss * 2 * log_sum * (double)p[i] / (double)n);
    }
    for (size_t i = 0; i < E; ++i) balance.switch_loss += (double)E * share[i] * importance[i];
    balance.z_loss = z;
    return balance;
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

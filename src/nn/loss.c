#include "mot/loss.h"

#include <math.h>

size_t mot_loss_outputs(mot_loss_kind kind, int classes)
{
    return classes == 2 && kind != MOT_LOSS_CROSS_ENTROPY ? 1 : (size_t)classes;
}

/* log(1 + exp(-m)) and its derivative by m, without overflow on either side. */
static double logistic_loss(double margin, double *slope)
{
    const double e = exp(-fabs(margin));
    *slope = margin > 0 ? -e / (1 + e) : -1 / (1 + e);
    return (margin > 0 ? 0 : -margin) + log1p(e);
}

static double cross_entropy(size_t C, const mot_real *out, int label, mot_real *d_out)
{
    double most = out[0], sum = 0;
    for (size_t c = 1; c < C; ++c) most = out[c] > most ? out[c] : most;
    for (size_t c = 0; c < C; ++c) sum += exp(out[c] - most);
    if (d_out != NULL)
        for (size_t c = 0; c < C; ++c) d_out[c] = (mot_real)(exp(out[c] - most) / sum - (c == (size_t)label));
    return most + log(sum) - out[label];
}

static double logistic(size_t C, const mot_real *out, int label, mot_real *d_out)
{
    double loss = 0;
    for (size_t c = 0; c < C; ++c) {
        const double y = (C == 1 ? label == 1 : c == (size_t)label) ? 1 : -1;
        double slope;
        loss += logistic_loss(y * out[c], &slope);
        if (d_out != NULL) d_out[c] = (mot_real)(y * slope);
    }
    return loss;
}

static double squared(size_t C, const mot_real *out, int label, mot_real *d_out)
{
    double loss = 0;
    for (size_t c = 0; c < C; ++c) {
        const double target = C == 1 ? 2 * label - 1 : c == (size_t)label;
        loss += 0.5 * (out[c] - target) * (out[c] - target);
        if (d_out != NULL) d_out[c] = (mot_real)(out[c] - target);
    }
    return loss;
}

double mot_loss(mot_loss_kind kind, size_t C, const mot_real *out, int label, mot_real *d_out, int *predicted)
{
    size_t best = 0;
    for (size_t c = 1; c < C; ++c)
        if (out[c] > out[best]) best = c;
    *predicted = C == 1 ? out[0] > 0 : (int)best;
    if (kind == MOT_LOSS_SQUARED) return squared(C, out, label, d_out);
    return kind == MOT_LOSS_LOGISTIC || C == 1 ? logistic(C, out, label, d_out)
                                               : cross_entropy(C, out, label, d_out);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

void mot_loss_probabilities(mot_loss_kind kind, size_t C, const mot_real *out, int classes,
                            float *probability)
{
    if (C == 1 && classes == 2) {
        const double one = kind == MOT_LOSS_SQUARED ? fmin(fmax((1 + (double)out[0]) / 2, 0), 1)
                                                    : sigmoid((double)out[0]);
        probability[0] = (float)(1 - one);
        probability[1] = (float)one;
        return;
    }
    double most = (double)out[0], sum = 0;
    for (size_t c = 1; c < C; ++c) most = fmax(most, (double)out[c]);
    for (size_t c = 0; c < C; ++c) sum += exp((double)out[c] - most);
    for (size_t c = 0; c < C; ++c)
        probability[c] = (float)(kind == MOT_LOSS_LOGISTIC ? sigmoid((double)out[c])
                                                           : exp((double)out[c] - most) / sum);
}

/* What becomes of a neuron's sums: the activation, and which tokens the output counts. */
#include <string.h>

#include "merged_private.h"
#include "mot/layers.h"
#include "mot/rowops.h"

/* y = act(x) */
static void act_forward(mot_activation kind, mot_real *restrict y, const mot_real *restrict x, size_t n)
{
    if (kind == MOT_ACTIVATION_GELU) mot_gelu_forward(y, x, n);
    if (kind == MOT_ACTIVATION_IDENTITY) memcpy(y, x, n * sizeof *y);
    if (kind == MOT_ACTIVATION_CUBIC)
        for (size_t i = 0; i < n; ++i) y[i] = x[i] * x[i] * x[i];
    if (kind == MOT_ACTIVATION_RELU)
        for (size_t i = 0; i < n; ++i) y[i] = x[i] > 0 ? x[i] : 0;
}

/* d *= act'(x) */
static void act_backward(mot_activation kind, mot_real *restrict d, const mot_real *restrict x, size_t n)
{
    if (kind == MOT_ACTIVATION_GELU) mot_gelu_backward(d, d, x, n);
    if (kind == MOT_ACTIVATION_CUBIC)
        for (size_t i = 0; i < n; ++i) d[i] *= 3 * x[i] * x[i];
    if (kind == MOT_ACTIVATION_RELU)
        for (size_t i = 0; i < n; ++i) d[i] = x[i] > 0 ? d[i] : 0;
}

/* Tokens that the readout counts, and what each counts. */
static size_t readout(const mot_expert_shape *shape, size_t l, mot_real *share)
{
    const mot_readout kind = shape->config->merged.readout;
    *share = kind == MOT_READOUT_MEAN ? 1 / (mot_real)l : 1;
    return kind == MOT_READOUT_FIRST ? 1 : l;
}

void mot_merged_read(const mot_expert_shape *shape, const merged_group *g, const mot_real *a, mot_real *out)
{
    const mot_real *y = g->act;
    act_forward(shape->config->merged.activation, g->act, a, shape->config->merged.neurons * g->lanes);
    for (size_t s = g->from; s < g->to; ++s) {
        const size_t l = g->tile->first[s + 1] - g->tile->first[s];
        mot_real share, f = 0;
        const size_t counted = readout(shape, l, &share);
        for (size_t n = 0; n < shape->config->merged.neurons; ++n, y += padded(l))
            f += mot_row_sum(y, counted);
        out[s] += share * f;
    }
}

void mot_merged_unread(const mot_expert_shape *shape, const mot_tile *tile, const mot_real *d_out, const mot_real *a, mot_real *d)
{
    const size_t J = shape->config->merged.neurons;
    mot_real *at = d;
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t l = tile->first[s + 1] - tile->first[s];
        mot_real share;
        const size_t counted = readout(shape, l, &share);
        for (size_t n = 0; n < J; ++n, at += padded(l))
            for (size_t i = 0; i < padded(l); ++i) at[i] = i < counted ? share * d_out[s] : 0;
    }
    act_backward(shape->config->merged.activation, d, a, (size_t)(at - d));
}

#include "mot/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/rowops.h"

static void name_unit(const mot_params *params, char *name, size_t size)
{
    const int layer = (params->unit - MOT_UNIT_DENSE) / MOT_UNITS_A_LAYER, unit = params->unit - layer * MOT_UNITS_A_LAYER;
    char of[24] = "";
    if (layer > 0) snprintf(of, sizeof of, " of layer %d", layer);
    if (unit == MOT_UNIT_DENSE)
        snprintf(name, size, "dense layer %d", layer);
    else if (unit == MOT_UNIT_GATE)
        snprintf(name, size, "the gate%s", of);
    else if (unit == MOT_UNIT_TIED)
        snprintf(name, size, "the tied tensors%s", of);
    else if (unit >= MOT_UNIT_SHARED)
        snprintf(name, size, "shared expert %d%s", unit - MOT_UNIT_SHARED, of);
    else
        snprintf(name, size, "expert %d%s", unit, of);
}

static mot_status gradient_norm(const mot_params *params, mot_part_set parts, double *norm)
{
    double square = 0;
    for (size_t r = 0; r < params->table->rows; ++r) {
        const mot_tensor *row = &params->table->row[r];
        if (!((parts >> row->part) & 1u)) continue;
        const double sum = mot_row_squares(params->gradient + row->offset, row->count);
        if (!isfinite(sum)) {
            char unit[64];
            name_unit(params, unit, sizeof unit);
            return mot_fail(MOT_ERR_NUMERIC, "the gradient of %s, tensor %s, is not finite", unit, row->name);
        }
        square += sum;
    }
    *norm = sqrt(square);
    return MOT_OK;
}

/* One tensor; `scale` is what clipping or normalizing makes of the gradient. In double: a gradient may be so short
 * (1e-40 where the loss is tiny) that 1 / |g| is beyond float. */
static void sgd(const mot_optimizer_config *config, mot_real rate, double scale, mot_real decay, size_t n,
                mot_real *w, const mot_real *g, mot_real *m)
{
    const mot_real momentum = (mot_real)config->momentum;
    if (momentum == 0) {
#pragma omp simd
        for (size_t i = 0; i < n; ++i) w[i] -= rate * ((mot_real)(scale * (double)g[i]) + decay * w[i]);
        return;
    }
#pragma omp simd
    for (size_t i = 0; i < n; ++i) {
        m[i] = momentum * m[i] + ((mot_real)(scale * (double)g[i]) + decay * w[i]);
        w[i] -= rate * m[i];
    }
}

static void adamw(const mot_optimizer_config *config, int64_t updates, mot_real rate, mot_real scale,
                  mot_real decay, size_t n, mot_real *w, const mot_real *g, mot_real *m, mot_real *v)
{
    const mot_real b1 = (mot_real)config->beta1, b2 = (mot_real)config->beta2,
                   epsilon = (mot_real)config->epsilon;
    const mot_real step = (mot_real)((double)rate / (1 - pow(config->beta1, (double)updates)));
    const mot_real root = (mot_real)(1 / sqrt(1 - pow(config->beta2, (double)updates)));
#pragma omp simd
    for (size_t i = 0; i < n; ++i) {
        const mot_real d = scale * g[i];
        m[i] = b1 * m[i] + (1 - b1) * d;
        v[i] = b2 * v[i] + (1 - b2) * d * d;
        w[i] -= rate * decay * w[i] + step * m[i] / (mot_sqrt(v[i]) * root + epsilon);
    }
}

mot_status mot_optimizer_update(const mot_optimizer_config *config, double rate, mot_part_set parts,
                                mot_params *params, double *norm)
{
    double length = 0;
    const mot_status status = gradient_norm(params, parts, &length);
    if (norm != NULL) *norm = length;
    if (status != MOT_OK) return status;
    if (config->kind == MOT_NORMALIZED_GD && length == 0) return MOT_OK;

    double scale = config->kind == MOT_NORMALIZED_GD ? 1 / length : 1;
    if (config->clip > 0 && length * scale > config->clip) scale = config->clip / length;
    ++params->updates;
    for (size_t r = 0; r < params->table->rows; ++r) {
        const mot_tensor *row = &params->table->row[r];
        if (!((parts >> row->part) & 1u)) continue;
        mot_real *w = params->value + row->offset, *m = params->moment[0] + row->offset;
        const mot_real *g = params->gradient + row->offset;
        const mot_real decay = row->decay ? (mot_real)config->weight_decay : 0;
        if (config->kind == MOT_ADAMW)
            adamw(config, params->updates, (mot_real)rate, (mot_real)scale, decay, row->count, w, g, m,
                  params->moment[1] + row->offset);
        else
            sgd(config, (mot_real)rate, scale, decay, row->count, w, g, m);
    }
    return MOT_OK;
}

mot_status mot_optimizer_check(mot_part_set parts, const mot_params *params)
{
    double norm;
    return gradient_norm(params, parts, &norm);
}

void mot_optimizer_reset(mot_params *params)
{
    for (int m = 0; m < 2; ++m) memset(params->moment[m], 0, params->table->count * sizeof(mot_real));
    params->updates = 0;
}

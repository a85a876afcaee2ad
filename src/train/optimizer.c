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

/* The sum of squares of a tensor's gradient, as mot_row_squares takes it, which sums numbers in so many lanes: rows of words that
 * were not met add 0 to theirs. */
static double squares_of_met(const mot_params *params, const mot_tensor *row)
{
    const mot_real *g = params->gradient + row->offset;
    const size_t words = row->shape[0], D = row->shape[1], tail = row->count - row->count % MOT_SQUARES_LANES;
    double lane[MOT_SQUARES_LANES] = {0}, rest[MOT_SQUARES_LANES] = {0};
    for (size_t w = mot_met_next(params->met, words, 0); w < words; w = mot_met_next(params->met, words, w + 1)) {
        const size_t end = (w + 1) * D;
        size_t i = w * D;
        for (; i < end && i < tail && i % MOT_SQUARES_LANES != 0; ++i)
            lane[i % MOT_SQUARES_LANES] += (double)g[i] * (double)g[i];
        for (; i + MOT_SQUARES_LANES <= MOT_MIN(end, tail); i += MOT_SQUARES_LANES)
#pragma omp simd
            for (size_t l = 0; l < MOT_SQUARES_LANES; ++l) lane[l] += (double)g[i + l] * (double)g[i + l];
        for (; i < end && i < tail; ++i) lane[i % MOT_SQUARES_LANES] += (double)g[i] * (double)g[i];
        for (; i < end; ++i) rest[i - tail] = (double)g[i] * (double)g[i];
    }
    return mot_squares_sum(lane, rest, row->count - tail);
}

static mot_status gradient_norm(const mot_params *params, mot_part_set parts, double *norm)
{
    double square = 0;
    for (size_t r = 0; r < params->table->rows; ++r) {
        const mot_tensor *row = &params->table->row[r];
        if (!((parts >> row->part) & 1u)) continue;
        const double sum = row == mot_table_words(params->table)
                               ? squares_of_met(params, row)
                               : mot_row_squares(params->gradient + row->offset, row->count);
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

static void adamw(const mot_optimizer_config *config, const mot_late *late, mot_real scale, size_t n, mot_real *w,
                  const mot_real *g, mot_real *m, mot_real *v)
{
    const mot_real b1 = (mot_real)config->beta1, b2 = (mot_real)config->beta2,
                   epsilon = (mot_real)config->epsilon;
    const mot_real decay = late->decay, step = late->rate, root = late->root;
#pragma omp simd
    for (size_t i = 0; i < n; ++i) {
        const mot_real d = scale * g[i];
        m[i] = b1 * m[i] + (1 - b1) * d;
        v[i] = b2 * v[i] + (1 - b2) * d * d;
        w[i] -= decay * w[i] + step * m[i] / (mot_sqrt(v[i]) * root + epsilon);
    }
}

/* What one update of a unit has for all its tensors. */
typedef struct unit_update {
    const mot_optimizer_config *config;
    mot_params *params;
    double scale;
    mot_late late; /* of tensors that decay */
} unit_update;

static unit_update begin_update(const mot_optimizer_config *config, mot_real rate, double scale, mot_params *params)
{
    const double updates = (double)params->updates;
    unit_update update = {config, params, scale, {(mot_real)config->weight_decay, rate, 0}};
    if (config->kind != MOT_ADAMW) return update;
    update.late.decay = rate * (mot_real)config->weight_decay;
    update.late.rate = (mot_real)((double)rate / (1 - pow(config->beta1, updates)));
    update.late.root = (mot_real)(1 / sqrt(1 - pow(config->beta2, updates)));
    return update;
}

/* n numbers of the block, from `at`. */
static void update_numbers(const unit_update *update, const mot_late *late, size_t at, size_t n)
{
    const mot_params *params = update->params;
    mot_real *w = params->value + at, *m = params->moment[0] + at;
    const mot_real *g = params->gradient + at;
    if (update->config->kind == MOT_ADAMW)
        adamw(update->config, late, (mot_real)update->scale, n, w, g, m, params->moment[1] + at);
    else
        sgd(update->config, late->rate, update->scale, late->decay, n, w, g, m);
}

static mot_lag_rule rule_of(const mot_optimizer_config *config)
{
    if (config->kind != MOT_ADAMW) return (mot_lag_rule){.first = (mot_real)config->momentum};
    return (mot_lag_rule){true, (mot_real)config->beta1, (mot_real)config->beta2, (mot_real)config->epsilon};
}

static bool is_rule(const mot_lag_rule *a, const mot_lag_rule *b)
{
    return a->adam == b->adam && a->first == b->first && a->second == b->second && a->epsilon == b->epsilon;
}

/* Rows of words that were met learn, when they have what they missed; the others miss this one too. */
static void update_words(const unit_update *update, const mot_late *late, const mot_tensor *row)
{
    mot_params *params = update->params;
    mot_lag *lag = params->lag;
    const size_t words = row->shape[0], D = row->shape[1];
    const mot_lag_rule rule = rule_of(update->config);
    if (lag->updates == MOT_LATE_MOST || !is_rule(&rule, &lag->rule)) mot_params_catch_up(params);
    lag->rule = rule;
    mot_params_catch_up_met(params, params->met, 0, words);
    for (size_t w = mot_met_next(params->met, words, 0); w < words; w = mot_met_next(params->met, words, w + 1)) {
        update_numbers(update, late, row->offset + w * D, D);
        lag->done[w] = (uint32_t)lag->updates + 1;
    }
    mot_lag_add(lag, late);
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
    const unit_update update = begin_update(config, (mot_real)rate, scale, params);
    for (size_t r = 0; r < params->table->rows; ++r) {
        const mot_tensor *row = &params->table->row[r];
        mot_late late = update.late;
        if (!((parts >> row->part) & 1u)) continue;
        if (!row->decay) late.decay = 0;
        if (row == mot_table_words(params->table))
            update_words(&update, &late, row);
        else
            update_numbers(&update, &late, row->offset, row->count);
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
    mot_params_catch_up(params);
    for (int m = 0; m < 2; ++m) memset(params->moment[m], 0, params->table->count * sizeof(mot_real));
    params->updates = 0;
}

#include "mot/choose.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "mot/rng.h"
#include "mot/rowops.h"

size_t mot_choice_count(const mot_route_config *config, int experts)
{
    return (size_t)(config->top_k > 0 ? MOT_MIN(config->top_k, experts) : experts);
}

double mot_noise_scale(const mot_route_config *config, mot_gidx step)
{
    if (config->explore.noise_steps.steps == 0) return config->explore.noise_scale;
    const double t = (double)MOT_MIN(step, config->explore.noise_steps.steps) /
                     (double)config->explore.noise_steps.steps;
    return config->explore.noise_scale + t * (config->explore.noise_end - config->explore.noise_scale);
}

static double noise_of(mot_noise noise, uint32_t first, uint32_t second)
{
    double normal[2];
    switch (noise) {
    case MOT_NOISE_UNIFORM:
        return mot_uniform(first);
    case MOT_NOISE_GUMBEL:
        return -log(-log((first + 0.5) * 0x1p-32));
    case MOT_NOISE_GAUSSIAN:
        mot_normal_pair(first, second, normal);
        return normal[0];
    case MOT_NOISE_NONE:
        break;
    }
    return 0;
}

/* What decides the choice for sample b, where the gate has no rule of its own: logits, bias and noise. */
static void noisy_scores(const mot_route_config *config, const mot_choice_batch *batch, size_t b,
                         double lambda, double *score)
{
    const size_t E = batch->E;
    const bool noise = batch->step >= 0 && config->explore.noise != MOT_NOISE_NONE;
    const uint64_t place = mot_choice_place(batch, b);
    for (size_t i = 0; i < E; ++i) {
        score[i] = (double)batch->h[b * E + i] + (double)batch->bias[i];
        if (!noise) continue;
        const mot_random4 random = mot_random(batch->seed, MOT_STREAM_NOISE, (uint32_t)batch->step,
                                              (uint32_t)place, (uint32_t)(place >> 32), (uint32_t)i);
        score[i] += lambda * noise_of(config->explore.noise, random.word[0], random.word[1]);
    }
}

/* A rule of the gate's own knows nothing of h. */
static void leave_out(const mot_real *h, size_t E, double *score)
{
    for (size_t i = 0; i < E; ++i)
        if (h[i] == MOT_LEFT_OUT) score[i] = -INFINITY;
}

/* The K largest scores in falling order; equal scores: the lower index first. Marks the taken with -inf, which no score
 * may have, nor be a NaN: a diverged gate must not take one expert twice before its loss is found not to be finite. */
static void take_largest(size_t E, size_t K, double *score, int32_t *expert)
{
    for (size_t i = 0; i < E; ++i)
        if (!(score[i] > -DBL_MAX)) score[i] = -DBL_MAX;
    for (size_t k = 0; k < K; ++k) {
        size_t best = 0;
        for (size_t i = 1; i < E; ++i)
            if (score[i] > score[best]) best = i;
        expert[k] = (int32_t)best;
        score[best] = -INFINITY;
    }
}

/* The same weight for each of the chosen, but for those that are left out. */
static void share_alike(const mot_real *h, size_t K, const int32_t *expert, mot_real *weight)
{
    size_t there = K;
    for (size_t k = 0; k < K; ++k) there -= h[expert[k]] == MOT_LEFT_OUT;
    for (size_t k = 0; k < K; ++k) weight[k] = h[expert[k]] == MOT_LEFT_OUT ? 0 : 1 / (mot_real)there;
}

void mot_choose(const mot_route_config *config, const mot_gate_kind *kind, const mot_choice_batch *batch)
{
    const size_t E = batch->E, K = batch->K;
    const double lambda = mot_noise_scale(config, batch->step);
    const mot_scale scale = config->scale;
    for (size_t b = 0; b < batch->n; ++b) {
        double score[MOT_MAX_EXPERTS];
        int32_t *expert = batch->expert + b * K;
        mot_real *weight = batch->weight + b * K, *p = batch->p + b * E;
        const mot_real *h = batch->h + b * E;
        if (kind->scores != NULL) {
            kind->scores(batch, b, score);
            leave_out(h, E, score);
        } else {
            noisy_scores(config, batch, b, lambda, score);
        }
        take_largest(E, K, score, expert);
        memcpy(p, h, E * sizeof *p);
        mot_row_softmax(p, E);
        for (size_t k = 0; k < K; ++k) weight[k] = scale == MOT_SCALE_PROB ? p[expert[k]] : h[expert[k]];
        if (scale == MOT_SCALE_CHOSEN) mot_row_softmax(weight, K);
        if (scale == MOT_SCALE_NONE) share_alike(h, K, expert, weight);
    }
}

/* The entropy of a sample is -sum p_i log p_i with log p_i = h_i - h_top + log p_top: one logarithm a sample. */
mot_confidence mot_choice_confidence(const mot_choice_batch *batch)
{
    const size_t E = batch->E;
    mot_confidence sum = {0};
    for (size_t b = 0; b < batch->n; ++b) {
        const mot_real *h = batch->h + b * E, *p = batch->p + b * E;
        size_t top = 0;
        double next = 0, below = 0;
        for (size_t i = 1; i < E; ++i)
            if (p[i] > p[top]) top = i;
        for (size_t i = 0; i < E; ++i) {
            if (i != top && (double)p[i] > next) next = (double)p[i];
            below += (double)p[i] * ((double)h[top] - (double)h[i]);
        }
        sum.top += (double)p[top];
        sum.margin += (double)p[top] - next;
        sum.entropy += below - log((double)p[top]);
    }
    return (mot_confidence){sum.top / (double)batch->n, sum.margin / (double)batch->n, sum.entropy / (double)batch->n};
}

void mot_choose_backward(const mot_route_config *config, const mot_choice_batch *batch,
                         const mot_real *d_weight, mot_real *d_h)
{
    const size_t E = batch->E, K = batch->K;
    memset(d_h, 0, batch->n * E * sizeof *d_h);
    if (config->scale == MOT_SCALE_NONE) return;
    for (size_t b = 0; b < batch->n; ++b, d_h += E) {
        const int32_t *expert = batch->expert + b * K;
        const mot_real *w = batch->weight + b * K, *p = batch->p + b * E, *d = d_weight + b * K;
        mot_real dot = 0;
        for (size_t k = 0; k < K; ++k) dot += w[k] * d[k];
        if (config->scale == MOT_SCALE_PROB) /* over all experts, also those not chosen */
            for (size_t i = 0; i < E; ++i) d_h[i] = -p[i] * dot;
        for (size_t k = 0; k < K; ++k)
            d_h[expert[k]] += config->scale == MOT_SCALE_PROB ? w[k] * d[k] : w[k] * (d[k] - dot);
    }
}

mot_exploration mot_explore(const mot_route_config *layer, const mot_exploration *stage)
{
    const mot_exploration *own = &layer->explore;
    mot_exploration both = *stage;
    if (layer->own >> MOT_OWN_NOISE & 1u) both.noise = own->noise;
    if (layer->own >> MOT_OWN_NOISE_SCALE & 1u) both.noise_scale = own->noise_scale;
    if (layer->own >> MOT_OWN_NOISE_END & 1u) both.noise_end = own->noise_end;
    if (layer->own >> MOT_OWN_NOISE_STEPS & 1u) both.noise_steps = own->noise_steps;
    if (layer->own >> MOT_OWN_BALANCE_LOSS & 1u) both.balance_loss = own->balance_loss;
    if (layer->own >> MOT_OWN_Z_LOSS & 1u) both.z_loss = own->z_loss;
    if (layer->own >> MOT_OWN_BALANCE_BIAS & 1u) both.balance_bias = own->balance_bias;
    return both;
}

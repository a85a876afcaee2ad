#include "mot/choose.h"

#include <math.h>
#include <string.h>

#include "largest.h"
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

/* A rule of the gate's own knows nothing of h. */
static void leave_out(const mot_real *h, size_t E, double *score)
{
    for (size_t i = 0; i < E; ++i)
        if (h[i] == MOT_LEFT_OUT) score[i] = -INFINITY;
}

/* The same weight for each of the chosen, but for those that are left out. */
static void share_alike(const mot_real *h, size_t K, const int32_t *expert, mot_real *weight)
{
    size_t there = K;
    for (size_t k = 0; k < K; ++k) there -= h[expert[k]] == MOT_LEFT_OUT;
    for (size_t k = 0; k < K; ++k) weight[k] = h[expert[k]] == MOT_LEFT_OUT ? 0 : 1 / (mot_real)there;
}

/* Of one: 1, or no number where that is none. */
static void share_by_softmax(mot_real *weight, size_t K)
{
    if (K == 1)
        weight[0] = weight[0] - weight[0] + 1;
    else
        mot_row_softmax(weight, weight, K);
}

/* A product of probabilities that may be smaller than any number: product * 2^(-512 lifts). */
typedef struct small_product {
    double product;
    int lifts;
} small_product;

static inline void multiply(small_product *all, double probability)
{
    all->product *= probability;
    if (all->product >= 0x1p-512) return;
    all->product *= 0x1p512;
    ++all->lifts;
}

static double log_of(const small_product *all)
{
    return log(all->product) - all->lifts * 512 * 0.69314718055994530942;
}

/* How sure the gate is of a sample. Its entropy is -sum p_i log p_i with log p_i = h_i - h_top + log p_top; *tops has the p_top of all
 * samples, so that one logarithm does for them. That sum is taken in eight parts at any level. */
static void add_confidence(size_t E, const mot_real *h, const mot_real *p, mot_confidence *sum,
                           small_product *tops)
{
    enum { PARTS = 8, WIDES = PARTS / MOT_WIDE_LANES };
    const double most = (double)mot_row_max(h, E);
    mot_vector top = {0}, next = {0};
    mot_wide below[WIDES] = {{0}};
    double part[PARTS], all = 0;
    size_t i = 0;
    for (; i < E; i += MOT_LANES) {
        const mot_vector x = mot_load_first(p + i, MOT_MIN(E - i, (size_t)MOT_LANES), 0);
        next = mot_larger(next, mot_smaller(top, x));
        top = mot_larger(top, x);
    }
    for (mot_lane distance = MOT_LANES / 2; distance > 0; distance /= 2) {
        const mot_vector x = mot_lanes_swap(top, distance), y = mot_lanes_swap(next, distance);
        next = mot_larger(mot_larger(next, y), mot_smaller(top, x));
        top = mot_larger(top, x);
    }
    for (i = 0; i + PARTS <= E; i += PARTS)
        for (int w = 0; w < WIDES; ++w) {
            const size_t at = i + (size_t)w * MOT_WIDE_LANES;
            below[w] += mot_wide_load(p + at) * (most - mot_wide_load(h + at));
        }
    memcpy(part, below, sizeof part);
    for (size_t j = 0; i + j < E; ++j) part[j] += (double)p[i + j] * (most - (double)h[i + j]);
    for (int j = 0; j < PARTS; ++j) all += part[j];
    const double first = isnan(p[0]) ? NAN : (double)top[0];
    sum->top += first;
    sum->margin += first - (double)next[0];
    sum->entropy += all;
    multiply(tops, first);
}

mot_confidence mot_choose(const mot_route_config *config, const mot_gate_kind *kind, const mot_choice_batch *batch,
                          size_t from, size_t to)
{
    const size_t E = batch->E, K = batch->K;
    const mot_noise noise = batch->step >= 0 ? config->explore.noise : MOT_NOISE_NONE;
    const double lambda = mot_noise_scale(config, batch->step);
    const mot_scale scale = config->scale;
    mot_confidence sum = {0};
    small_product tops = {.product = 1};
    for (size_t b = from; b < to; ++b) {
        double score[MOT_MAX_EXPERTS];
        int32_t *expert = batch->expert + b * K;
        mot_real *weight = batch->weight + b * K, *p = batch->p + b * E;
        const mot_real *h = batch->h + b * E;
        if (kind->scores != NULL) {
            kind->scores(batch, b, score);
            leave_out(h, E, score);
            mot_largest(E, K, score, expert);
        } else {
            mot_largest_noisy(batch, b, noise, lambda, expert);
        }
        mot_row_softmax(p, h, E);
        for (size_t k = 0; k < K; ++k) weight[k] = scale == MOT_SCALE_PROB ? p[expert[k]] : h[expert[k]];
        if (scale == MOT_SCALE_CHOSEN) share_by_softmax(weight, K);
        if (scale == MOT_SCALE_NONE) share_alike(h, K, expert, weight);
        add_confidence(E, h, p, &sum, &tops);
    }
    sum.entropy -= log_of(&tops);
    return sum;
}

void mot_choose_backward(const mot_route_config *config, const mot_choice_batch *batch, size_t from, size_t to,
                         const mot_real *d_weight, mot_real *d_h)
{
    const size_t E = batch->E, K = batch->K;
    d_h += from * E;
    if (config->scale != MOT_SCALE_PROB) memset(d_h, 0, (to - from) * E * sizeof *d_h);
    if (config->scale == MOT_SCALE_NONE) return;
    for (size_t b = from; b < to; ++b, d_h += E) {
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

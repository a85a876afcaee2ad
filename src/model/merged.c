/* The expert kind `merged`, the theory model of Li et al. (arXiv 2510.27004, section 2): one attention head whose key
 * and query are merged into one matrix A [D, D], and an FFN of J neurons W [D, J]. For a sample X [l, D]:
 *
 *      s_ij = softmax_j(X_j . A X_i),   u_i = sum_j s_ij X_j,   a_i = u_i W,   f = sum_ij act(a_ij)
 *
 * readout: the sum over the tokens as written, their mean, or the first token alone. One output.
 *
 *      d W = U^T dA,  dA_ij = g act'(a_ij);   d A = X^T T^T X,  T = softmax'(dU X^T),  dU = dA W^T
 *
 * where g is the gradient by f (divided by l for the mean). */
#include "mot/expert.h"

#include <math.h>
#include <string.h>

#include "mot/blas.h"
#include "mot/layers.h"
#include "mot/rowops.h"

enum { ATTENTION, NEURONS }; /* rows of the table */

static mot_status merged_table(const mot_expert_shape *shape, mot_table *table)
{
    const mot_merged_config *config = &shape->config->merged;
    const size_t D = shape->width;
    if (shape->vocabulary > 0)
        return mot_fail(MOT_ERR_INPUT,
                        "model.kind = merged works on vectors or pictures, the data are texts");
    if (shape->outputs != 1)
        return mot_fail(
            MOT_ERR_INPUT,
            "model.kind = merged has one output: two classes and train.loss logistic or squared, not %zu "
            "outputs",
            shape->outputs);
    mot_status status = mot_table_add(table, "attention", MOT_PART_ATTENTION, 2, (const size_t[]){D, D}, 0, 0,
                                      true);
    if (status == MOT_OK)
        status = mot_table_add(table, "neurons", MOT_PART_FFN, 2, (const size_t[]){D, config->neurons}, 0,
                               config->init / sqrt((double)D), true);
    return status;
}

/* ---- memory: what is kept of a sample, one after another ---- */

typedef struct merged_acts {
    mot_real *prob; /* [l, l] */
    mot_real *u;    /* [l, D] */
    mot_real *a;    /* [l, J] */
} merged_acts;

static merged_acts carve(const mot_expert_shape *shape, mot_arena *arena, size_t l)
{
    const size_t real = sizeof(mot_real);
    merged_acts acts;
    acts.prob = mot_arena_take(arena, l * l, real);
    acts.u = mot_arena_take(arena, l * shape->width, real);
    acts.a = mot_arena_take(arena, l * shape->config->merged.neurons, real);
    return acts;
}

static size_t sample_bytes(const mot_expert_shape *shape)
{
    const size_t l = shape->tokens, real = sizeof(mot_real);
    return mot_arena_bytes(l * l, real) + mot_arena_bytes(l * shape->width, real) +
           mot_arena_bytes(l * shape->config->merged.neurons, real);
}

static size_t merged_tile(const mot_expert_shape *shape)
{
    if (shape->config->tile > 0) return shape->config->tile;
    const size_t fit = ((size_t)1 << 18) / sample_bytes(shape);
    return fit < 1 ? 1 : fit > 256 ? 256 : fit;
}

/* Scratch: X A or the gradients by u and by scores, and T^T X. */
static size_t merged_workspace(const mot_expert_shape *shape)
{
    const size_t l = shape->tokens, D = shape->width, real = sizeof(mot_real), tile = merged_tile(shape);
    return tile * sample_bytes(shape) + mot_arena_bytes(tile, sizeof(merged_acts)) +
           2 * mot_arena_bytes(l * D, real) + mot_arena_bytes(l * l, real);
}

/* ---- the activation ---- */

static mot_real act(mot_activation kind, mot_real x, mot_real *slope)
{
    mot_real y;
    switch (kind) {
    case MOT_ACTIVATION_CUBIC:
        *slope = 3 * x * x;
        return x * x * x;
    case MOT_ACTIVATION_RELU:
        *slope = x > 0;
        return x > 0 ? x : 0;
    case MOT_ACTIVATION_GELU:
        *slope = 1;
        mot_gelu_backward(slope, slope, &x, 1);
        mot_gelu_forward(&y, &x, 1);
        return y;
    case MOT_ACTIVATION_IDENTITY:
        break;
    }
    *slope = 1;
    return x;
}

/* Tokens that the readout counts, and what each counts. */
static size_t readout(const mot_expert_shape *shape, size_t l, mot_real *share)
{
    const mot_readout kind = shape->config->merged.readout;
    *share = kind == MOT_READOUT_MEAN ? 1 / (mot_real)l : 1;
    return kind == MOT_READOUT_FIRST ? 1 : l;
}

/* ---- forward and backward ---- */

static void *merged_forward(const mot_expert_shape *shape, const mot_real *const *weight,
                            const mot_tile *tile, mot_arena *arena, bool learn, mot_real *out)
{
    const size_t D = shape->width, J = shape->config->merged.neurons;
    merged_acts *kept = learn ? mot_arena_take(arena, tile->samples, sizeof *kept) : NULL;
    mot_real *const xa = mot_arena_take(arena, shape->tokens * D, sizeof *xa);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t l = tile->first[s + 1] - tile->first[s], mark = mot_arena_mark(arena);
        const mot_real *x = tile->x + tile->first[s] * D;
        const merged_acts acts = carve(shape, arena, l);
        mot_gemm(false, false, l, D, D, 1, x, D, weight[ATTENTION], D, 0, xa, D);
        mot_gemm(false, true, l, l, D, 1, x, D, xa, D, 0, acts.prob, l);
        for (size_t i = 0; i < l; ++i) mot_row_softmax(acts.prob + i * l, l);
        mot_gemm(false, false, l, D, l, 1, acts.prob, l, x, D, 0, acts.u, D);
        mot_gemm(false, false, l, J, D, 1, acts.u, D, weight[NEURONS], J, 0, acts.a, J);
        mot_real share, slope, f = 0;
        const size_t counted = readout(shape, l, &share) * J;
        for (size_t i = 0; i < counted; ++i) f += act(shape->config->merged.activation, acts.a[i], &slope);
        out[s] = share * f;
        if (learn)
            kept[s] = acts;
        else
            mot_arena_rewind(arena, mark);
    }
    return kept;
}

static void merged_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                            mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *memory,
                            const mot_real *d_out, mot_part_set learns)
{
    (void)learns;
    const size_t D = shape->width, J = shape->config->merged.neurons;
    const merged_acts *kept = memory;
    mot_real *const d_u = mot_arena_take(arena, shape->tokens * D, sizeof *d_u); /* then T^T X */
    mot_real *const t = mot_arena_take(arena, shape->tokens * shape->tokens, sizeof *t);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t l = tile->first[s + 1] - tile->first[s];
        const mot_real *x = tile->x + tile->first[s] * D;
        mot_real share, *d_a = kept[s].a; /* a is not needed any more */
        const size_t counted = readout(shape, l, &share) * J;
        for (size_t i = 0; i < l * J; ++i) {
            mot_real slope = 0;
            if (i < counted) (void)act(shape->config->merged.activation, d_a[i], &slope);
            d_a[i] = d_out[s] * share * slope;
        }
        mot_gemm(true, false, D, J, l, 1, kept[s].u, D, d_a, J, 1, gradient[NEURONS], J);
        mot_gemm(false, true, l, D, J, 1, d_a, J, weight[NEURONS], J, 0, d_u, D);
        mot_gemm(false, true, l, l, D, 1, d_u, D, x, D, 0, t, l);
        for (size_t i = 0; i < l; ++i) {
            const mot_real *p = kept[s].prob + i * l;
            mot_real *row = t + i * l;
            const mot_real dot = mot_row_dot(p, row, l);
            for (size_t j = 0; j < l; ++j) row[j] = p[j] * (row[j] - dot);
        }
        mot_gemm(true, false, l, D, l, 1, t, l, x, D, 0, d_u, D);
        mot_gemm(true, false, D, D, l, 1, x, D, d_u, D, 1, gradient[ATTENTION], D);
    }
}

static double merged_flops(const mot_expert_shape *shape, size_t tokens)
{
    const double l = (double)tokens, D = (double)shape->width, J = (double)shape->config->merged.neurons;
    return 2 * l * D * (D + 2 * l + J);
}

static void merged_typical_product(const mot_expert_shape *shape, size_t *m, size_t *n, size_t *k)
{
    *m = shape->tokens;
    *n = *k = shape->width;
}

const mot_expert_kind mot_merged_kind = {
    .name = "merged",
    .table = merged_table,
    .tile = merged_tile,
    .workspace = merged_workspace,
    .forward = merged_forward,
    .backward = merged_backward,
    .flops = merged_flops,
    .typical_product = merged_typical_product,
};

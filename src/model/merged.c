/* The expert kind `merged`, the theory model of Li et al. (arXiv 2510.27004, section 2): H attention heads whose key
 * and query are merged into one matrix A [D, D] each, and a head's own FFN of J neurons W [D, J]. A sample X [l, D]:
 *
 *      s_ij = softmax_j(X_j . A X_i),   u_i = sum_j s_ij X_j,   a_i = u_i W,   f = sum_h sum_ij act(a_ij)
 *
 * readout: the sum over the tokens as written, their mean, or the first token alone. One output. Without attention,
 * u_i = X_i.
 *
 * Since u is linear in X, it is never made: z = X W, a = S z costs no more for any J, and much less for few. With g
 * the gradient by f (divided by l for the mean), d_ij = g act'(a_ij):
 *
 *      dW = X^T (S^T d),   dA = X^T (T^T X),   T_ij = s_ij sum_n d_in (z_jn - a_in)
 *
 * Forward takes a few samples at a time, so that all of it stays in the first-level cache: their tokens become the columns
 * of X^T, and one product with [A; W^T] makes B = A X^T and z. What is of size l is written out in merged_lanes.h, for
 * LANES queries side by side: the tokens i of a sample are the columns of B, so the softmax over j runs down the lanes
 * and no sum runs across them. The gradients' sums over tokens are one product for all samples of the tile. */
#include "mot/merged.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "merged_private.h"
#include "mot/rowops.h"

static mot_status merged_table(const mot_expert_shape *shape, mot_table *table)
{
    const mot_merged_config *config = &shape->config->merged;
    const size_t D = shape->width, H = config->heads;
    if (shape->vocabulary > 0)
        return mot_fail(MOT_ERR_INPUT,
                        "model.kind = merged works on vectors or pictures, the data are texts");
    if (shape->outputs != 1)
        return mot_fail(
            MOT_ERR_INPUT,
            "model.kind = merged has one output: two classes and train.loss logistic or squared, not %zu "
            "outputs",
            shape->outputs);
    mot_status status = MOT_OK;
    if (attends(shape))
        status = mot_table_add(table, "attention", MOT_PART_ATTENTION, 3, (const size_t[]){H, D, D}, 0, 0,
                               true);
    if (status == MOT_OK)
        status = mot_table_add(table, "neurons", MOT_PART_FFN, 3, (const size_t[]){H, D, config->neurons}, 0,
                               config->init / sqrt((double)D), true);
    return status;
}

/* ---- memory ---- */

static size_t pairs_behind(const mot_expert_shape *shape)
{
    return attends(shape) ? (EIGHT - 1) * padded(shape->tokens) : 0;
}

static merged_acts measure(const mot_expert_shape *shape, const mot_tile *tile)
{
    merged_acts acts = {.rows = tile->first[tile->samples], .pairs = pairs_behind(shape)};
    acts.length = row_length(acts.rows);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t l = tile->first[s + 1] - tile->first[s];
        acts.lanes += padded(l);
        acts.pairs += attends(shape) ? l * padded(l) : 0;
    }
    return acts;
}

/* The largest a tile can measure. */
static merged_acts most(const mot_expert_shape *shape, size_t samples)
{
    const size_t l = shape->tokens;
    return (merged_acts){.rows = samples * l,
                         .length = row_length(samples * l),
                         .lanes = samples * padded(l),
                         .pairs = pairs_behind(shape) + (attends(shape) ? samples * l * padded(l) : 0)};
}

static size_t kept_bytes(const mot_expert_shape *shape, const merged_acts *size)
{
    const size_t H = shape->config->merged.heads, J = shape->config->merged.neurons, real = sizeof(mot_real);
    return mot_arena_bytes(H * size->pairs, real) + mot_arena_bytes(H * J * size->length, real) +
           mot_arena_bytes(H * J * size->lanes, real);
}

/* Bytes of backward's merged_work. */
static size_t backward_bytes(const mot_expert_shape *shape, const merged_acts *size)
{
    const size_t J = shape->config->merged.neurons, D = shape->width, l = shape->tokens, real = sizeof(mot_real);
    return mot_arena_bytes(J * size->lanes, real) + mot_arena_bytes(J * size->length, real) +
           mot_arena_bytes(J * D, real) + mot_arena_bytes(D * padded(J), real) +
           mot_arena_bytes(size->rows * D, real) + mot_arena_bytes(l * padded(l), real);
}

/* So many samples that what grows with them fits into a second-level cache. */
static size_t merged_tile(const mot_expert_shape *shape)
{
    if (shape->config->tile > 0) return shape->config->tile;
    const merged_acts one = most(shape, 1);
    const size_t fit = ((size_t)1 << 19) / (kept_bytes(shape, &one) + backward_bytes(shape, &one));
    return fit < 1 ? 1 : fit > 256 ? 256 : fit;
}

static size_t merged_workspace(const mot_expert_shape *shape)
{
    const merged_acts size = most(shape, merged_tile(shape));
    return mot_arena_bytes(1, sizeof size) + kept_bytes(shape, &size) +
           MOT_MAX(mot_merged_group_bytes(shape), backward_bytes(shape, &size));
}

/* ---- forward and backward ---- */

static merged_acts *take_acts(const mot_expert_shape *shape, const mot_tile *tile, mot_arena *arena)
{
    const size_t H = shape->config->merged.heads, J = shape->config->merged.neurons, real = sizeof(mot_real);
    merged_acts *acts = mot_arena_take(arena, 1, sizeof *acts);
    *acts = measure(shape, tile);
    acts->prob = attends(shape) ? mot_arena_take(arena, H * acts->pairs, real) : NULL;
    acts->z = mot_arena_take(arena, H * J * acts->length, real);
    acts->a = mot_arena_take(arena, H * J * acts->lanes, real);
    return acts;
}

/* The arrays of head h. */
static merged_acts of_head(const merged_acts *acts, size_t J, size_t h)
{
    merged_acts head = *acts;
    if (head.prob != NULL) head.prob += h * acts->pairs;
    head.z += h * J * acts->length;
    head.a += h * J * acts->lanes;
    return head;
}

/* A group under one head, whose product there is; `prob` and `a` are its first sample's. */
static void forward_head(const mot_expert_shape *shape, const merged_group *g, const merged_acts *head, mot_real *prob,
                         mot_real *a, mot_real *out)
{
    const size_t D = shape->width, J = shape->config->merged.neurons, begin = g->tile->first[g->from];
    const mot_real *z = g->product + (prob != NULL ? D * g->length : 0), *const first_a = a;
    for (size_t s = g->from; s < g->to; ++s) {
        const size_t at = g->tile->first[s] - begin, l = g->tile->first[s + 1] - g->tile->first[s];
        if (prob != NULL) attend(g->x + at, g->product + at, g->length, l, D, prob);
        mix(prob, z + at, g->length, l, J, a);
        if (prob != NULL) prob += l * padded(l);
        a += J * padded(l);
    }
    for (size_t n = 0; n < J; ++n)
        memcpy(head->z + n * head->length + begin, z + n * g->length, g->columns * sizeof *z);
    mot_merged_read(shape, g, first_a, out);
}

static void *merged_forward(const mot_expert_shape *shape, const mot_real *const *weight,
                            const mot_tile *tile, mot_arena *arena, bool learn, mot_real *out)
{
    merged_acts *acts = take_acts(shape, tile, arena);
    const size_t mark = mot_arena_mark(arena), most_samples = mot_merged_group_samples(shape), J = shape->config->merged.neurons;
    merged_group g = mot_merged_group_take(shape, tile, arena);
    size_t lanes = 0, pairs = 0; /* of the samples before */
    memset(out, 0, tile->samples * sizeof *out);
    mot_merged_group_weights(shape, weight, &g);
    for (size_t s = 0; s < tile->samples; s = g.to) {
        mot_merged_group_begin(shape, &g, s, MOT_MIN(s + most_samples, tile->samples));
        for (size_t h = 0; h < shape->config->merged.heads; ++h) {
            const merged_acts head = of_head(acts, J, h);
            mot_merged_group_head(shape, &g, weight, h);
            forward_head(shape, &g, &head, head.prob != NULL ? head.prob + pairs : NULL, head.a + J * lanes, out);
        }
        lanes += g.lanes;
        pairs += g.pairs;
    }
    mot_arena_rewind(arena, mark);
    return learn ? acts : NULL;
}

/* Backward's scratch. */
typedef struct merged_work {
    mot_real *d;      /* [lanes J] */
    mot_real *q;      /* [J, length]: S^T d */
    mot_real *sum;    /* [J, D]: q X */
    mot_real *turned; /* [D, padded(J)]: the same */
    mot_real *y;      /* [rows, D]: T^T X */
    mot_real *square; /* [l, padded(l)] of one sample: S, or T */
} merged_work;

/* d W += (q X)^T */
static void backward_neurons(const mot_expert_shape *shape, const mot_tile *tile, const merged_acts *head,
                             const merged_work *work, mot_real *gradient)
{
    const size_t D = shape->width, J = shape->config->merged.neurons;
    const mot_real *prob = head->prob, *d = work->d;
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t at = tile->first[s], l = tile->first[s + 1] - at;
        unmix(prob, d, l, J, work->square, work->q + at, head->length);
        if (prob != NULL) prob += l * padded(l);
        d += J * padded(l);
    }
    mot_multiply(&(mot_product){.m = J,
                                .n = D,
                                .k = head->rows,
                                .a = work->q,
                                .a_row = head->length,
                                .a_step = 1,
                                .b = tile->x,
                                .ldb = D,
                                .c = work->sum,
                                .ldc = D});
    mot_transpose(work->turned, padded(J), work->sum, D, J, D);
    for (size_t i = 0; i < D; ++i) mot_row_add(gradient + i * J, work->turned + i * padded(J), J);
}

/* d A += X^T (T^T X) */
static void backward_attention(const mot_expert_shape *shape, const mot_tile *tile, const merged_acts *head,
                               const merged_work *work, mot_real *gradient)
{
    const size_t D = shape->width, J = shape->config->merged.neurons;
    const mot_real *prob = head->prob, *d = work->d, *a = head->a;
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t at = tile->first[s], l = tile->first[s + 1] - at;
        score_gradient(prob, d, a, head->z + at, head->length, l, J, work->square);
        gather_queries(work->square, tile->x + at * D, l, D, work->y + at * D);
        prob += l * padded(l);
        d += J * padded(l);
        a += J * padded(l);
    }
    mot_multiply(&(mot_product){.m = D,
                                .n = D,
                                .k = head->rows,
                                .a = tile->x,
                                .a_row = 1,
                                .a_step = D,
                                .b = work->y,
                                .ldb = D,
                                .start = gradient,
                                .c = gradient,
                                .ldc = D});
}

static void merged_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                            mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *memory,
                            const mot_real *d_out, mot_real *d_in, mot_part_set learns)
{
    (void)weight; /* z and a say all of it */
    (void)d_in;
    assert(d_in == NULL);
    const merged_acts *acts = memory;
    const size_t D = shape->width, J = shape->config->merged.neurons, l = shape->tokens,
                 real = sizeof(mot_real);
    const bool neurons = learns >> MOT_PART_FFN & 1,
               attention = attends(shape) && (learns >> MOT_PART_ATTENTION & 1);
    if (!neurons && !attention) return;
    const merged_work work = {.d = mot_arena_take(arena, J * acts->lanes, real),
                              .q = mot_arena_take(arena, J * acts->length, real),
                              .sum = mot_arena_take(arena, J * D, real),
                              .turned = mot_arena_take(arena, D * padded(J), real),
                              .y = mot_arena_take(arena, acts->rows * D, real),
                              .square = mot_arena_take(arena, l * padded(l), real)};
    for (size_t h = 0; h < shape->config->merged.heads; ++h) {
        const merged_acts head = of_head(acts, J, h);
        mot_merged_unread(shape, tile, d_out, head.a, work.d);
        if (neurons) backward_neurons(shape, tile, &head, &work, gradient[neurons_row(shape)] + h * D * J);
        if (attention) backward_attention(shape, tile, &head, &work, gradient[0] + h * D * D);
    }
}

/* ---- what others want to know ---- */

size_t mot_merged_attention_scratch(const mot_expert_shape *shape)
{
    const size_t l = shape->tokens;
    return 2 * shape->width * row_length(l) + (l + EIGHT - 1) * padded(l);
}

void mot_merged_attention(const mot_expert_shape *shape, const mot_real *const *weight, size_t head,
                          const mot_real *x, size_t tokens, mot_real *prob, mot_real *scratch)
{
    const size_t D = shape->width, length = row_length(tokens), stride = padded(tokens);
    const mot_tile tile = {.samples = 1, .first = (const size_t[]){0, tokens}, .x = x};
    mot_real *const turned = scratch + 2 * D * length;
    if (attends(shape)) {
        merged_group g = {.tile = &tile, .length = length, .x = scratch, .product = scratch + D * length};
        mot_merged_group_begin(shape, &g, 0, 1);
        mot_merged_group_multiply(shape, &g, false, weight[0] + head * D * D, D, g.product);
        attend(g.x, g.product, length, tokens, D, turned);
    }
    for (size_t i = 0; i < tokens; ++i)
        for (size_t j = 0; j < tokens; ++j)
            prob[i * tokens + j] = attends(shape) ? turned[j * stride + i] : i == j;
}

/* A token's product with A and W of each head, and its scores and shares. */
static double merged_flops(const mot_expert_shape *shape, size_t tokens)
{
    const mot_merged_config *config = &shape->config->merged;
    const double l = (double)tokens, D = (double)shape->width, J = (double)config->neurons,
                 pairs = attends(shape) ? D * (D + l) + l * J : 0;
    return 2 * (double)config->heads * l * (D * J + pairs);
}

/* Of a token, where neurons learn S^T d and its product with X; where attention does T, T^T X and its product with X. */
static double merged_backward_flops(const mot_expert_shape *shape, size_t tokens, mot_part_set learns)
{
    const mot_merged_config *config = &shape->config->merged;
    const double l = (double)tokens, D = (double)shape->width, J = (double)config->neurons,
                 neurons = learns >> MOT_PART_FFN & 1 ? D * J + (attends(shape) ? l * J : 0) : 0,
                 attention = attends(shape) && (learns >> MOT_PART_ATTENTION & 1) ? l * J + D * l + D * D : 0;
    return 2 * (double)config->heads * l * (neurons + attention);
}

static size_t merged_products(const mot_expert_shape *shape, mot_gemm_shape product[MOT_MOST_GEMMS])
{
    const size_t D = shape->width, J = shape->config->merged.neurons,
                 rows = merged_tile(shape) * shape->tokens;
    const double heads = (double)shape->config->merged.heads;
    size_t count = 0;
    product[count++] = (mot_gemm_shape){J, rows, D, true, true, heads};
    product[count++] = (mot_gemm_shape){D, J, rows, true, true, heads};
    if (!attends(shape)) return count;
    product[count++] = (mot_gemm_shape){D, rows, D, false, true, heads};
    product[count++] = (mot_gemm_shape){D, D, rows, true, false, heads};
    return count;
}

const mot_expert_kind mot_merged_kind = {
    .kind = {"merged"},
    .table = merged_table,
    .tile = merged_tile,
    .workspace = merged_workspace,
    .forward = merged_forward,
    .backward = merged_backward,
    .flops = merged_flops,
    .backward_flops = merged_backward_flops,
    .products = merged_products,
};

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
 * What is of size D goes through one matrix product for all samples of the tile. What is of size l is written out in
 * merged_lanes.h, for LANES queries side by side: the tokens i of a sample are the columns of B = A X^T, so the
 * softmax over j runs down the lanes and no sum runs across them. */
#include "mot/merged.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "merged_lanes.h"
#include "mot/blas.h"
#include "mot/layers.h"
#include "mot/rowops.h"

static bool attends(const mot_expert_shape *shape)
{
    return shape->config->merged.attention == MOT_ATTENTION_SOFTMAX;
}

/* The table's rows: attention, if there is any, then neurons. */
static size_t neurons_row(const mot_expert_shape *shape)
{
    return attends(shape) ? 1 : 0;
}

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

/* Length of a row with one number for each of the tile's tokens: the last sample's lanes may reach LANES - 1 beyond.
 * An odd number of cache lines, lest a column's numbers meet in few places of the cache. */
static size_t row_length(size_t rows)
{
    const size_t line = MOT_ALIGNMENT / sizeof(mot_real), lines = (rows + LANES - 1) / line + 1;
    return (lines | 1) * line;
}

/* What is kept of a tile from forward to backward; the arrays of a head, then those of the next. */
typedef struct merged_acts {
    size_t rows, length; /* tokens of the tile; row_length of it */
    size_t lanes, pairs; /* sum over the samples of padded(l), and of l padded(l) */
    mot_real *prob;      /* [H][pairs]: of each sample [l keys, padded(l) queries]; none without attention */
    mot_real *z;         /* [H][J, length] */
    mot_real *a;         /* [H][lanes J]: of each sample [J, padded(l)] */
} merged_acts;

static merged_acts measure(const mot_expert_shape *shape, const mot_tile *tile)
{
    merged_acts acts = {.rows = tile->first[tile->samples]};
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
                         .pairs = attends(shape) ? samples * l * padded(l) : 0};
}

static size_t kept_bytes(const mot_expert_shape *shape, const merged_acts *size)
{
    const size_t H = shape->config->merged.heads, J = shape->config->merged.neurons, real = sizeof(mot_real);
    return mot_arena_bytes(H * size->pairs, real) + mot_arena_bytes(H * J * size->length, real) +
           mot_arena_bytes(H * J * size->lanes, real);
}

/* Numbers of forward's scratch: B, then act(a). */
static size_t forward_scratch(const mot_expert_shape *shape, const merged_acts *size)
{
    const size_t b = attends(shape) ? shape->width * size->length : 0;
    return MOT_MAX(b, shape->config->merged.neurons * size->lanes);
}

/* Bytes of scratch: forward's, or backward's merged_work. */
static size_t scratch_bytes(const mot_expert_shape *shape, const merged_acts *size)
{
    const size_t J = shape->config->merged.neurons, l = shape->tokens, real = sizeof(mot_real);
    const size_t forward = mot_arena_bytes(forward_scratch(shape, size), real);
    const size_t backward = mot_arena_bytes(J * size->lanes, real) + mot_arena_bytes(J * size->length, real) +
                            mot_arena_bytes(size->rows * shape->width, real) +
                            mot_arena_bytes(l * padded(l), real);
    return MOT_MAX(forward, backward);
}

static size_t merged_tile(const mot_expert_shape *shape)
{
    if (shape->config->tile > 0) return shape->config->tile;
    const merged_acts one = most(shape, 1);
    const size_t fit = ((size_t)1 << 19) / (kept_bytes(shape, &one) + scratch_bytes(shape, &one));
    return fit < 1 ? 1 : fit > 256 ? 256 : fit;
}

static size_t merged_workspace(const mot_expert_shape *shape)
{
    const merged_acts size = most(shape, merged_tile(shape));
    return mot_arena_bytes(1, sizeof size) + kept_bytes(shape, &size) + scratch_bytes(shape, &size);
}

/* ---- the activation and the readout ---- */

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

/* out += the readout of a head's act(a). */
static void read_head(const mot_expert_shape *shape, const mot_tile *tile, const mot_real *y, mot_real *out)
{
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t l = tile->first[s + 1] - tile->first[s];
        mot_real share, f = 0;
        const size_t counted = readout(shape, l, &share);
        for (size_t n = 0; n < shape->config->merged.neurons; ++n, y += padded(l))
            f += mot_row_sum(y, counted);
        out[s] += share * f;
    }
}

/* d = g act'(a) of a head, 0 where the readout does not count. */
static void unread_head(const mot_expert_shape *shape, const mot_tile *tile, const mot_real *d_out,
                        const mot_real *a, mot_real *d)
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

/* product [m, length] = w X^T or w^T X^T for all rows of the tile; 0 in the lanes behind the last. */
static void times_tile(bool transpose, const mot_real *w, size_t m, size_t ldw, const mot_real *x, size_t D,
                       mot_real *product, size_t rows, size_t length)
{
    mot_gemm(transpose, true, m, rows, D, 1, w, ldw, x, D, 0, product, length);
    for (size_t i = 0; i < m; ++i)
        memset(product + i * length + rows, 0, MOT_MIN(length - rows, LANES) * sizeof *product);
}

static void forward_head(const mot_expert_shape *shape, const mot_real *const *weight, size_t h,
                         const mot_tile *tile, const merged_acts *head, mot_real *scratch, mot_real *out)
{
    const size_t D = shape->width, J = shape->config->merged.neurons, length = head->length;
    mot_real *prob = head->prob, *a = head->a;
    if (prob != NULL) times_tile(false, weight[0] + h * D * D, D, D, tile->x, D, scratch, head->rows, length);
    times_tile(true, weight[neurons_row(shape)] + h * D * J, J, J, tile->x, D, head->z, head->rows, length);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t at = tile->first[s], l = tile->first[s + 1] - at;
        if (prob != NULL) attend(tile->x + at * D, scratch + at, length, l, D, prob);
        mix(prob, head->z + at, length, l, J, a);
        if (prob != NULL) prob += l * padded(l);
        a += J * padded(l);
    }
    act_forward(shape->config->merged.activation, scratch, head->a, J * head->lanes);
    read_head(shape, tile, scratch, out);
}

static void *merged_forward(const mot_expert_shape *shape, const mot_real *const *weight,
                            const mot_tile *tile, mot_arena *arena, bool learn, mot_real *out)
{
    merged_acts *acts = take_acts(shape, tile, arena);
    const size_t mark = mot_arena_mark(arena);
    mot_real *scratch = mot_arena_take(arena, forward_scratch(shape, acts), sizeof *scratch);
    memset(out, 0, tile->samples * sizeof *out);
    for (size_t h = 0; h < shape->config->merged.heads; ++h) {
        const merged_acts head = of_head(acts, shape->config->merged.neurons, h);
        forward_head(shape, weight, h, tile, &head, scratch, out);
    }
    mot_arena_rewind(arena, mark);
    return learn ? acts : NULL;
}

/* Backward's scratch. */
typedef struct merged_work {
    mot_real *d;      /* [lanes J] */
    mot_real *q;      /* [J, length]: S^T d */
    mot_real *y;      /* [rows, D]: T^T X */
    mot_real *square; /* [l, padded(l)] of one sample */
} merged_work;

/* d W += X^T q^T */
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
    mot_gemm(true, true, D, J, head->rows, 1, tile->x, D, work->q, head->length, 1, gradient, J);
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
    mot_gemm(true, false, D, D, head->rows, 1, tile->x, D, work->y, D, 1, gradient, D);
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
                              .y = mot_arena_take(arena, acts->rows * D, real),
                              .square = mot_arena_take(arena, l * padded(l), real)};
    for (size_t h = 0; h < shape->config->merged.heads; ++h) {
        const merged_acts head = of_head(acts, J, h);
        unread_head(shape, tile, d_out, head.a, work.d);
        if (neurons) backward_neurons(shape, tile, &head, &work, gradient[neurons_row(shape)] + h * D * J);
        if (attention) backward_attention(shape, tile, &head, &work, gradient[0] + h * D * D);
    }
}

/* ---- what others want to know ---- */

size_t mot_merged_attention_scratch(const mot_expert_shape *shape)
{
    return shape->width * row_length(shape->tokens) + shape->tokens * padded(shape->tokens);
}

void mot_merged_attention(const mot_expert_shape *shape, const mot_real *const *weight, size_t head,
                          const mot_real *x, size_t tokens, mot_real *prob, mot_real *scratch)
{
    const size_t D = shape->width, length = row_length(tokens), stride = padded(tokens);
    mot_real *const turned = scratch + D * length;
    if (attends(shape)) {
        times_tile(false, weight[0] + head * D * D, D, D, x, D, scratch, tokens, length);
        attend(x, scratch, length, tokens, D, turned);
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
    .products = merged_products,
};

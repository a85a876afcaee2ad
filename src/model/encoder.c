/* The expert kind `encoder`: embedding, positions, `depth` pre-LayerNorm blocks, pooling, head.
 *
 *      h = embed(tokens) + position
 *      h = h + attention(norm(h)) W_o        for every block
 *      h = h + gelu(norm(h) W_1) W_2
 *      out = pool(norm(h)) W_head
 *
 * pool: mean over the tokens, or the row of a learned class token that stands before them. */
#include "mot/expert.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/layers.h"
#include "mot/rowops.h"

/* Rows of the table, in order. */
enum { EMBED_WEIGHT, EMBED_BIAS, POSITION, CLASS_TOKEN, BLOCK_0 };
enum {
    NORM1_GAIN, NORM1_BIAS, QKV_WEIGHT, QKV_BIAS, MIX_WEIGHT, MIX_BIAS,
    NORM2_GAIN, NORM2_BIAS, UP_WEIGHT, UP_BIAS, DOWN_WEIGHT, DOWN_BIAS, BLOCK_ROWS
};
enum { NORM_GAIN, NORM_BIAS, HEAD_WEIGHT, HEAD_BIAS }; /* behind the last block */

static size_t class_rows(const mot_expert_shape *shape)
{
    return shape->config->pool == MOT_POOL_CLASS;
}

static size_t block_at(size_t b)
{
    return BLOCK_0 + b * BLOCK_ROWS;
}

/* ---- the table ---- */

static mot_status encoder_table(const mot_expert_shape *shape, mot_table *table)
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, F = config->ffn, C = shape->outputs;
    const size_t inputs = shape->vocabulary > 0 ? shape->vocabulary : shape->width;
    mot_status status = MOT_OK;
#define ADD(name, part, rank, ...) MOT_TRY(mot_table_add(table, name, part, rank, (const size_t[]){__VA_ARGS__}
#define WEIGHT(deviation)          ), 0, deviation, true))
#define CONSTANT(value)            ), value, 0, false))
    /* Ids are looked up (one row each), numbers are multiplied. An absent tensor has no elements. */
    ADD("embed_weight", MOT_PART_EMBED, 2, inputs, D WEIGHT(shape->vocabulary > 0 ? 0.5 : 1 / sqrt((double)inputs));
    ADD("embed_bias", MOT_PART_EMBED, 1, shape->vocabulary > 0 ? 0 : D CONSTANT(0);
    ADD("position", MOT_PART_EMBED, 2, shape->tokens, D WEIGHT(0.02);
    ADD("class_token", MOT_PART_EMBED, 1, class_rows(shape) * D WEIGHT(0.02);
    for (size_t b = 0; b < config->depth; ++b) {
        char name[MOT_TENSOR_NAME];
#define NAMED(text) (snprintf(name, sizeof name, "block%zu_%s", b, text), name)
        ADD(NAMED("norm1_gain"), MOT_PART_ATTENTION, 1, D CONSTANT(1);
        ADD(NAMED("norm1_bias"), MOT_PART_ATTENTION, 1, D CONSTANT(0);
        ADD(NAMED("qkv_weight"), MOT_PART_ATTENTION, 2, D, 3 * D WEIGHT(1 / sqrt((double)D));
        ADD(NAMED("qkv_bias"), MOT_PART_ATTENTION, 1, 3 * D CONSTANT(0);
        ADD(NAMED("mix_weight"), MOT_PART_ATTENTION, 2, D, D WEIGHT(1 / sqrt(2.0 * (double)(D * config->depth)));
        ADD(NAMED("mix_bias"), MOT_PART_ATTENTION, 1, D CONSTANT(0);
        ADD(NAMED("norm2_gain"), MOT_PART_FFN, 1, D CONSTANT(1);
        ADD(NAMED("norm2_bias"), MOT_PART_FFN, 1, D CONSTANT(0);
        ADD(NAMED("up_weight"), MOT_PART_FFN, 2, D, F WEIGHT(1 / sqrt((double)D));
        ADD(NAMED("up_bias"), MOT_PART_FFN, 1, F CONSTANT(0);
        ADD(NAMED("down_weight"), MOT_PART_FFN, 2, F, D WEIGHT(1 / sqrt(2.0 * (double)(F * config->depth)));
        ADD(NAMED("down_bias"), MOT_PART_FFN, 1, D CONSTANT(0);
    }
    ADD("norm_gain", MOT_PART_HEAD, 1, D CONSTANT(1);
    ADD("norm_bias", MOT_PART_HEAD, 1, D CONSTANT(0);
    ADD("head_weight", MOT_PART_HEAD, 2, D, C WEIGHT(1 / sqrt((double)D));
    ADD("head_bias", MOT_PART_HEAD, 1, C CONSTANT(0);
done:
    return status;
}

/* ---- memory: the same walk over the arena sizes it and carves it ---- */

typedef struct block_acts {
    mot_real *in;                             /* [R, D] the residual stream before the block */
    mot_real *norm1, *mean1, *rstd1;          /* [R, D], [R], [R] */
    mot_real *qkv, *prob, *attended;          /* [R, 3D], mot_attention_prob, [R, D] */
    mot_real *middle;                         /* [R, D] the residual stream between attention and FFN */
    mot_real *norm2, *mean2, *rstd2;
    mot_real *up, *hidden;                    /* [R, F] before and after GELU */
} block_acts;

typedef struct encoder_acts {
    size_t rows, *first;     /* rows of the tile with class tokens; [samples + 1] */
    block_acts *block;       /* [depth]; without `learn` all blocks share one set */
    mot_real *last;          /* [R, D] the residual stream after the last block */
    mot_real *norm, *mean, *rstd, *pooled; /* [R, D], [R], [R], [samples, D] */
} encoder_acts;

/* NULL arena: only adds up *bytes. */
static void *carve(mot_arena *arena, size_t *bytes, size_t count, size_t size)
{
    *bytes += mot_arena_bytes(count, size);
    return arena != NULL ? mot_arena_take(arena, count, size) : NULL;
}

static size_t carve_acts(const mot_expert_shape *shape, mot_arena *arena, size_t samples, size_t rows, size_t prob,
                         bool learn, encoder_acts **result)
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, F = config->ffn, depth = config->depth, real = sizeof(mot_real);
    size_t bytes = 0;
    encoder_acts none = {0}, *acts = carve(arena, &bytes, 1, sizeof *acts);
    if (acts == NULL) acts = &none;
    acts->rows = rows;
    acts->first = carve(arena, &bytes, samples + 1, sizeof *acts->first);
    acts->block = carve(arena, &bytes, depth, sizeof *acts->block);
    acts->last = carve(arena, &bytes, rows * D, real);
    for (size_t b = 0; b < depth; ++b) {
        block_acts sink, *block = acts->block != NULL ? &acts->block[b] : &sink;
        if (b > 0 && !learn) {
            if (acts->block != NULL) *block = acts->block[0];
            continue;
        }
        block->in = carve(arena, &bytes, rows * D, real);
        block->norm1 = carve(arena, &bytes, rows * D, real);
        block->mean1 = carve(arena, &bytes, rows, real);
        block->rstd1 = carve(arena, &bytes, rows, real);
        block->qkv = carve(arena, &bytes, rows * 3 * D, real);
        block->prob = carve(arena, &bytes, prob, real);
        block->attended = carve(arena, &bytes, rows * D, real);
        block->middle = carve(arena, &bytes, rows * D, real);
        block->norm2 = carve(arena, &bytes, rows * D, real);
        block->mean2 = carve(arena, &bytes, rows, real);
        block->rstd2 = carve(arena, &bytes, rows, real);
        block->up = carve(arena, &bytes, rows * F, real);
        block->hidden = carve(arena, &bytes, rows * F, real);
    }
    acts->norm = carve(arena, &bytes, rows * D, real);
    acts->mean = carve(arena, &bytes, rows, real);
    acts->rstd = carve(arena, &bytes, rows, real);
    acts->pooled = carve(arena, &bytes, samples * D, real);
    *result = acts == &none ? NULL : acts;
    return bytes;
}

static size_t most_rows(const mot_expert_shape *shape, size_t samples)
{
    return samples * (shape->tokens + class_rows(shape));
}

static size_t most_prob(const mot_expert_shape *shape, size_t samples)
{
    const size_t l = shape->tokens + class_rows(shape);
    return samples * shape->config->heads * l * l;
}

static size_t acts_bytes(const mot_expert_shape *shape, size_t samples)
{
    encoder_acts *none;
    return carve_acts(shape, NULL, samples, most_rows(shape, samples), most_prob(shape, samples), true, &none);
}

static size_t encoder_tile(const mot_expert_shape *shape)
{
    if (shape->config->tile > 0) return shape->config->tile;
    /* As many samples as keep forward and backward in a common second-level cache, 1 MiB. */
    const size_t fit = ((size_t)3 << 18) / acts_bytes(shape, 1);
    return fit < 1 ? 1 : fit > 32 ? 32 : fit;
}

static size_t encoder_workspace(const mot_expert_shape *shape)
{
    const mot_expert_config *config = shape->config;
    const size_t samples = encoder_tile(shape), rows = most_rows(shape, samples), l = most_rows(shape, 1);
    const size_t wide = MOT_MAX(3 * config->width, config->ffn);
    return acts_bytes(shape, samples) + 2 * mot_arena_bytes(rows * config->width, sizeof(mot_real)) +
           mot_arena_bytes(rows * wide, sizeof(mot_real)) + mot_arena_bytes(l * l, sizeof(mot_real)) +
           mot_arena_bytes(samples * config->width, sizeof(mot_real));
}

/* ---- embedding and pooling ---- */

static void embed_forward(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                          const encoder_acts *acts, mot_real *h)
{
    const size_t D = shape->config->width, extra = class_rows(shape);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = tile->first[s], tokens = tile->first[s + 1] - from;
        mot_real *row = h + acts->first[s] * D;
        if (extra) memcpy(row, weight[CLASS_TOKEN], D * sizeof *row);
        row += extra * D;
        if (tile->id != NULL)
            for (size_t t = 0; t < tokens; ++t)
                memcpy(row + t * D, weight[EMBED_WEIGHT] + (size_t)tile->id[from + t] * D, D * sizeof *row);
        else
            mot_linear_forward(row, tile->x + from * shape->width, weight[EMBED_WEIGHT], weight[EMBED_BIAS], tokens,
                               shape->width, D);
        mot_row_add(row, weight[POSITION], tokens * D);
    }
}

static void embed_backward(const mot_expert_shape *shape, const mot_real *const *weight, mot_real *const *gradient,
                           const mot_tile *tile, const encoder_acts *acts, const mot_real *d_h)
{
    const size_t D = shape->config->width, extra = class_rows(shape);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = tile->first[s], tokens = tile->first[s + 1] - from;
        const mot_real *row = d_h + acts->first[s] * D;
        if (extra) mot_row_add(gradient[CLASS_TOKEN], row, D);
        row += extra * D;
        if (tile->id != NULL)
            for (size_t t = 0; t < tokens; ++t)
                mot_row_add(gradient[EMBED_WEIGHT] + (size_t)tile->id[from + t] * D, row + t * D, D);
        else
            mot_linear_backward(NULL, gradient[EMBED_WEIGHT], gradient[EMBED_BIAS], row, tile->x + from * shape->width,
                                weight[EMBED_WEIGHT], tokens, shape->width, D);
        mot_row_add(gradient[POSITION], row, tokens * D);
    }
}

static void pool_forward(const mot_expert_shape *shape, const mot_tile *tile, const encoder_acts *acts)
{
    const size_t D = shape->config->width;
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = acts->first[s], rows = acts->first[s + 1] - from;
        mot_real *pooled = acts->pooled + s * D;
        memcpy(pooled, acts->norm + from * D, D * sizeof *pooled);
        if (class_rows(shape)) continue;
        for (size_t r = 1; r < rows; ++r) mot_row_add(pooled, acts->norm + (from + r) * D, D);
        for (size_t i = 0; i < D; ++i) pooled[i] /= (mot_real)rows;
    }
}

static void pool_backward(const mot_expert_shape *shape, const mot_tile *tile, const encoder_acts *acts,
                          const mot_real *d_pooled, mot_real *d_norm)
{
    const size_t D = shape->config->width;
    memset(d_norm, 0, acts->rows * D * sizeof *d_norm);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = acts->first[s], rows = class_rows(shape) ? 1 : acts->first[s + 1] - from;
        for (size_t r = 0; r < rows; ++r)
            mot_row_axpy(d_norm + (from + r) * D, 1 / (mot_real)rows, d_pooled + s * D, D);
    }
}

/* ---- forward and backward ---- */

static void *encoder_forward(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                             mot_arena *arena, bool learn, mot_real *out)
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, F = config->ffn, n = tile->samples, extra = class_rows(shape);
    const size_t R = tile->first[n] + n * extra;
    size_t prob = 0;
    for (size_t s = 0; s < n; ++s) {
        const size_t l = tile->first[s + 1] - tile->first[s] + extra;
        prob += config->heads * l * l;
    }
    encoder_acts *acts;
    carve_acts(shape, arena, n, R, prob, learn, &acts);
    for (size_t s = 0; s <= n; ++s) acts->first[s] = tile->first[s] + s * extra;

    embed_forward(shape, weight, tile, acts, config->depth > 0 ? acts->block[0].in : acts->last);
    for (size_t b = 0; b < config->depth; ++b) {
        const mot_real *const *w = weight + block_at(b);
        block_acts *a = &acts->block[b];
        mot_layernorm_forward(a->norm1, a->mean1, a->rstd1, a->in, w[NORM1_GAIN], w[NORM1_BIAS], R, D);
        mot_linear_forward(a->qkv, a->norm1, w[QKV_WEIGHT], w[QKV_BIAS], R, D, 3 * D);
        mot_attention_forward(a->attended, a->prob, a->qkv, acts->first, n, D, config->heads);
        mot_linear_forward(a->middle, a->attended, w[MIX_WEIGHT], w[MIX_BIAS], R, D, D);
        mot_row_add(a->middle, a->in, R * D);

        mot_layernorm_forward(a->norm2, a->mean2, a->rstd2, a->middle, w[NORM2_GAIN], w[NORM2_BIAS], R, D);
        mot_linear_forward(a->up, a->norm2, w[UP_WEIGHT], w[UP_BIAS], R, D, F);
        mot_gelu_forward(a->hidden, a->up, R * F);
        mot_real *next = b + 1 < config->depth ? acts->block[b + 1].in : acts->last;
        mot_linear_forward(next, a->hidden, w[DOWN_WEIGHT], w[DOWN_BIAS], R, F, D);
        mot_row_add(next, a->middle, R * D);
    }
    const mot_real *const *w = weight + block_at(config->depth);
    mot_layernorm_forward(acts->norm, acts->mean, acts->rstd, acts->last, w[NORM_GAIN], w[NORM_BIAS], R, D);
    pool_forward(shape, tile, acts);
    mot_linear_forward(out, acts->pooled, w[HEAD_WEIGHT], w[HEAD_BIAS], n, D, shape->outputs);
    return learn ? acts : NULL;
}

static void encoder_backward(const mot_expert_shape *shape, const mot_real *const *weight, mot_real *const *gradient,
                             const mot_tile *tile, mot_arena *arena, void *kept, const mot_real *d_out)
{
    const mot_expert_config *config = shape->config;
    const encoder_acts *acts = kept;
    const size_t D = config->width, F = config->ffn, n = tile->samples, R = acts->rows;
    size_t longest = 0;
    for (size_t s = 0; s < n; ++s) longest = MOT_MAX(longest, acts->first[s + 1] - acts->first[s]);
    mot_real *d_h = mot_arena_take(arena, R * D, sizeof *d_h);          /* the residual stream's gradient */
    mot_real *d_narrow = mot_arena_take(arena, R * D, sizeof *d_narrow); /* of a layer's [R, D] input or output */
    mot_real *d_wide = mot_arena_take(arena, R * MOT_MAX(3 * D, F), sizeof *d_wide);
    mot_real *d_score = mot_arena_take(arena, longest * longest, sizeof *d_score);
    mot_real *d_pooled = mot_arena_take(arena, n * D, sizeof *d_pooled);

    size_t at = block_at(config->depth);
    mot_linear_backward(d_pooled, gradient[at + HEAD_WEIGHT], gradient[at + HEAD_BIAS], d_out, acts->pooled,
                        weight[at + HEAD_WEIGHT], n, D, shape->outputs);
    pool_backward(shape, tile, acts, d_pooled, d_narrow);
    memset(d_h, 0, R * D * sizeof *d_h);
    mot_layernorm_backward(d_h, gradient[at + NORM_GAIN], gradient[at + NORM_BIAS], d_narrow, acts->last, acts->mean,
                           acts->rstd, weight[at + NORM_GAIN], R, D);
    for (size_t b = config->depth; b-- > 0;) {
        at = block_at(b);
        const mot_real *const *w = weight + at;
        mot_real *const *g = gradient + at;
        const block_acts *a = &acts->block[b];
        mot_linear_backward(d_wide, g[DOWN_WEIGHT], g[DOWN_BIAS], d_h, a->hidden, w[DOWN_WEIGHT], R, F, D);
        mot_gelu_backward(d_wide, d_wide, a->up, R * F);
        mot_linear_backward(d_narrow, g[UP_WEIGHT], g[UP_BIAS], d_wide, a->norm2, w[UP_WEIGHT], R, D, F);
        mot_layernorm_backward(d_h, g[NORM2_GAIN], g[NORM2_BIAS], d_narrow, a->middle, a->mean2, a->rstd2,
                               w[NORM2_GAIN], R, D);

        mot_linear_backward(d_narrow, g[MIX_WEIGHT], g[MIX_BIAS], d_h, a->attended, w[MIX_WEIGHT], R, D, D);
        mot_attention_backward(d_wide, d_score, d_narrow, a->qkv, a->prob, acts->first, n, D, config->heads);
        mot_linear_backward(d_narrow, g[QKV_WEIGHT], g[QKV_BIAS], d_wide, a->norm1, w[QKV_WEIGHT], R, D, 3 * D);
        mot_layernorm_backward(d_h, g[NORM1_GAIN], g[NORM1_BIAS], d_narrow, a->in, a->mean1, a->rstd1, w[NORM1_GAIN],
                               R, D);
    }
    embed_backward(shape, weight, gradient, tile, acts, d_h);
}

static double encoder_flops(const mot_expert_shape *shape, size_t tokens)
{
    const mot_expert_config *config = shape->config;
    const double D = (double)config->width, F = (double)config->ffn, t = (double)(tokens + class_rows(shape));
    const double block = t * 2 * (4 * D * D + 2 * D * F) + 4 * t * t * D;
    return 2 * (double)tokens * (double)shape->width * D + (double)config->depth * block +
           2 * D * (double)shape->outputs;
}

static void encoder_typical_product(const mot_expert_shape *shape, size_t *m, size_t *n, size_t *k)
{
    *m = most_rows(shape, encoder_tile(shape));
    *n = shape->config->ffn;
    *k = shape->config->width;
}

const mot_expert_kind mot_encoder_kind = {
    .name = "encoder",
    .table = encoder_table,
    .tile = encoder_tile,
    .workspace = encoder_workspace,
    .forward = encoder_forward,
    .backward = encoder_backward,
    .flops = encoder_flops,
    .typical_product = encoder_typical_product,
};

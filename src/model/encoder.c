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
    NORM1_GAIN,
    NORM1_BIAS,
    QKV_WEIGHT,
    QKV_BIAS,
    MIX_WEIGHT,
    MIX_BIAS,
    NORM2_GAIN,
    NORM2_BIAS,
    UP_WEIGHT,
    UP_BIAS,
    DOWN_WEIGHT,
    DOWN_BIAS,
    BLOCK_ROWS
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

/* A row's shape is [rows] or, with columns, [rows, columns]; a deviation above 0 makes it a matrix that decays. */
typedef struct row_init {
    const char *name;
    size_t rows, columns;
    double mean, deviation;
} row_init;

static mot_status add_rows(mot_table *table, mot_part part, const char *prefix, size_t count,
                           const row_init *init)
{
    mot_status status = MOT_OK;
    for (size_t i = 0; i < count && status == MOT_OK; ++i) {
        char name[MOT_TENSOR_NAME];
        snprintf(name, sizeof name, "%s%s", prefix, init[i].name);
        status = mot_table_add(table, name, part, init[i].columns > 0 ? 2 : 1,
                               (const size_t[]){init[i].rows, init[i].columns}, init[i].mean,
                               init[i].deviation, init[i].deviation > 0);
    }
    return status;
}

static mot_status encoder_table(const mot_expert_shape *shape, mot_table *table)
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, F = config->ffn, C = shape->outputs, ids = shape->vocabulary;
    const size_t inputs = ids > 0 ? ids : shape->width;
    /* The two products that end in the residual stream start smaller the deeper the stream is (GPT-2). */
    const double into_stream = 1 / sqrt(2.0 * (double)config->depth), by_D = 1 / sqrt((double)D);
    mot_status status;

    /* Ids are looked up (one row each), numbers are multiplied. An absent tensor has no elements. */
    const row_init embed[] = {
        [EMBED_WEIGHT] = {"embed_weight", inputs, D, 0, ids > 0 ? 0.5 : 1 / sqrt((double)inputs)},
        [EMBED_BIAS] = {"embed_bias", ids > 0 ? 0 : D, 0, 0, 0},
        [POSITION] = {"position", shape->tokens, D, 0, 0.02},
        [CLASS_TOKEN] = {"class_token", class_rows(shape) * D, 0, 0, 0.02},
    };
    MOT_TRY(add_rows(table, MOT_PART_EMBED, "", MOT_COUNT(embed), embed));
    for (size_t b = 0; b < config->depth; ++b) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "block%zu_", b);
        const row_init attention[] = {
            {"norm1_gain", D, 0, 1, 0},
            {"norm1_bias", D, 0, 0, 0},
            {"qkv_weight", D, 3 * D, 0, by_D},
            {"qkv_bias", 3 * D, 0, 0, 0},
            {"mix_weight", D, D, 0, by_D * into_stream},
            {"mix_bias", D, 0, 0, 0},
        };
        const row_init ffn[] = {
            {"norm2_gain", D, 0, 1, 0},
            {"norm2_bias", D, 0, 0, 0},
            {"up_weight", D, F, 0, by_D},
            {"up_bias", F, 0, 0, 0},
            {"down_weight", F, D, 0, into_stream / sqrt((double)F)},
            {"down_bias", D, 0, 0, 0},
        };
        MOT_TRY(add_rows(table, MOT_PART_ATTENTION, prefix, MOT_COUNT(attention), attention));
        MOT_TRY(add_rows(table, MOT_PART_FFN, prefix, MOT_COUNT(ffn), ffn));
    }
    const row_init head[] = {
        [NORM_GAIN] = {"norm_gain", D, 0, 1, 0},
        [NORM_BIAS] = {"norm_bias", D, 0, 0, 0},
        [HEAD_WEIGHT] = {"head_weight", D, C, 0, by_D},
        [HEAD_BIAS] = {"head_bias", C, 0, 0, 0},
    };
    MOT_TRY(add_rows(table, MOT_PART_HEAD, "", MOT_COUNT(head), head));
done:
    return status;
}

/* ---- memory: the same walk over the arena sizes it and carves it ---- */

typedef struct block_acts {
    mot_real *in;                    /* [R, D] the residual stream before the block */
    mot_real *norm1, *mean1, *rstd1; /* [R, D], [R], [R] */
    mot_real *qkv, *prob, *attended; /* [R, 3D], mot_attention_prob, [R, D] */
    mot_real *middle;                /* [R, D] the residual stream between attention and FFN */
    mot_real *norm2, *mean2, *rstd2;
    mot_real *up, *hidden; /* [R, F] before and after GELU */
} block_acts;

enum { MOST_BLOCKS = (MOT_TABLE_ROWS - BLOCK_0 - 4) / BLOCK_ROWS }; /* what the table has room for */

typedef struct encoder_acts {
    size_t rows, *first;                   /* rows of the tile with class tokens; [samples + 1] */
    block_acts block[MOST_BLOCKS];         /* without `learn` all blocks share one set */
    mot_real *last;                        /* [R, D] the residual stream after the last block */
    mot_real *norm, *mean, *rstd, *pooled; /* [R, D], [R], [R], [samples, D] */
} encoder_acts;

/* NULL arena: only adds up *bytes. */
static void *carve(mot_arena *arena, size_t *bytes, size_t count, size_t size)
{
    *bytes += mot_arena_bytes(count, size);
    return arena != NULL ? mot_arena_take(arena, count, size) : NULL;
}

/* Takes the tile's memory; returns its bytes. */
static size_t carve_acts(const mot_expert_shape *shape, mot_arena *arena, size_t samples, size_t rows,
                         size_t prob, bool learn, encoder_acts *acts)
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, F = config->ffn, real = sizeof(mot_real);
    size_t bytes = 0;
    acts->rows = rows;
    acts->first = carve(arena, &bytes, samples + 1, sizeof *acts->first);
    acts->last = carve(arena, &bytes, rows * D, real);
    for (size_t b = 0; b < config->depth; ++b) {
        block_acts *block = &acts->block[b];
        if (b > 0 && !learn) {
            *block = acts->block[0];
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
    encoder_acts sizes;
    return mot_arena_bytes(1, sizeof sizes) + carve_acts(shape, NULL, samples, most_rows(shape, samples),
                                                         most_prob(shape, samples), true, &sizes);
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
            mot_linear_forward(row, tile->x + from * shape->width, weight[EMBED_WEIGHT], weight[EMBED_BIAS],
                               tokens, shape->width, D);
        mot_row_add(row, weight[POSITION], tokens * D);
    }
}

static void embed_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                           mot_real *const *gradient, const mot_tile *tile, const encoder_acts *acts,
                           const mot_real *d_h)
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
            mot_linear_backward(NULL, gradient[EMBED_WEIGHT], gradient[EMBED_BIAS], row,
                                tile->x + from * shape->width, weight[EMBED_WEIGHT], tokens, shape->width, D);
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

static void *encoder_forward(const mot_expert_shape *shape, const mot_real *const *weight,
                             const mot_tile *tile, mot_arena *arena, bool learn, mot_real *out)
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, F = config->ffn, n = tile->samples, extra = class_rows(shape);
    const size_t R = tile->first[n] + n * extra;
    size_t prob = 0;
    for (size_t s = 0; s < n; ++s) {
        const size_t l = tile->first[s + 1] - tile->first[s] + extra;
        prob += config->heads * l * l;
    }
    encoder_acts *acts = mot_arena_take(arena, 1, sizeof *acts);
    carve_acts(shape, arena, n, R, prob, learn, acts);
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

static void encoder_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                             mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                             const mot_real *d_out, mot_part_set learns)
{
    (void)learns; /* the tensors depend on each other: nearly all of it is needed for the first one */
    const mot_expert_config *config = shape->config;
    const encoder_acts *acts = kept;
    const size_t D = config->width, F = config->ffn, n = tile->samples, R = acts->rows;
    size_t longest = 0;
    for (size_t s = 0; s < n; ++s) longest = MOT_MAX(longest, acts->first[s + 1] - acts->first[s]);
    mot_real *d_h = mot_arena_take(arena, R * D, sizeof *d_h); /* the residual stream's gradient */
    mot_real *d_narrow = mot_arena_take(arena, R * D,
                                        sizeof *d_narrow); /* of a layer's [R, D] input or output */
    mot_real *d_wide = mot_arena_take(arena, R * MOT_MAX(3 * D, F), sizeof *d_wide);
    mot_real *d_score = mot_arena_take(arena, longest * longest, sizeof *d_score);
    mot_real *d_pooled = mot_arena_take(arena, n * D, sizeof *d_pooled);

    size_t at = block_at(config->depth);
    mot_linear_backward(d_pooled, gradient[at + HEAD_WEIGHT], gradient[at + HEAD_BIAS], d_out, acts->pooled,
                        weight[at + HEAD_WEIGHT], n, D, shape->outputs);
    pool_backward(shape, tile, acts, d_pooled, d_narrow);
    memset(d_h, 0, R * D * sizeof *d_h);
    mot_layernorm_backward(d_h, gradient[at + NORM_GAIN], gradient[at + NORM_BIAS], d_narrow, acts->last,
                           acts->mean, acts->rstd, weight[at + NORM_GAIN], R, D);
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
        mot_linear_backward(d_narrow, g[QKV_WEIGHT], g[QKV_BIAS], d_wide, a->norm1, w[QKV_WEIGHT], R, D,
                            3 * D);
        mot_layernorm_backward(d_h, g[NORM1_GAIN], g[NORM1_BIAS], d_narrow, a->in, a->mean1, a->rstd1,
                               w[NORM1_GAIN], R, D);
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

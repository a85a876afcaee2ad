/* The expert kind `encoder`: embedding, positions, `depth` pre-LayerNorm blocks, pooling, head.
 *
 *      h = embed(tokens) + position
 *      h = h + attention(norm(h)) W_o        for every block
 *      h = h + gelu(norm(h) W_1) W_2
 *      out = pool(norm(h)) W_head
 *
 * Forward and backward (encoder_forward.c, encoder_backward.c) go layer by layer over the rows of a whole tile, since
 * backward transposes the weights once for all of them, and piece by piece through layers that work row by row.
 *
 * pool: mean over the tokens, or the row of a learned class token that stands before them. */
#include "encoder_private.h"

#include <math.h>
#include <stdio.h>

#include "mot/layers.h"

enum { LEAST_ROWS = 256, MOST_ROWS = 512 }; /* of a tile */

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

/* ---- a tile ---- */

/* Rows of a tile of the longest samples. */
static size_t most_rows(const mot_expert_shape *shape, size_t samples)
{
    return samples * (shape->tokens + class_rows(shape));
}

static size_t encoder_tile(const mot_expert_shape *shape)
{
    if (shape->config->tile > 0) return shape->config->tile;
    /* So many rows that reading the weights, and reading and writing their gradients, costs little beside multiplying
     * with them, and no more: the wider the expert, the farther away its weights lie. */
    const size_t rows = MOT_MIN(MOT_MAX(2 * shape->config->width, (size_t)LEAST_ROWS), (size_t)MOST_ROWS),
                 fit = rows / most_rows(shape, 1);
    return fit < 1 ? 1 : fit > 32 ? 32 : fit;
}

static size_t encoder_workspace(const mot_expert_shape *shape)
{
    const size_t samples = encoder_tile(shape), rows = most_rows(shape, samples), l = most_rows(shape, 1);
    const size_t first[] = {0, l};
    encoder_acts acts;
    encoder_work work;
    const size_t kept = mot_arena_bytes(1, sizeof acts) +
                        mot_encoder_carve_acts(shape, NULL, samples, rows,
                                               samples * mot_attention_prob(first, 1, shape->config->heads),
                                               true, &acts);
    const size_t forward = mot_encoder_carve_work(shape, NULL, samples, rows, l, false, &work),
                 backward = mot_encoder_carve_work(shape, NULL, samples, rows, l, true, &work);
    return kept + MOT_MAX(forward, backward);
}

/* ---- what others want to know ---- */

static double encoder_flops(const mot_expert_shape *shape, size_t tokens)
{
    const mot_expert_config *config = shape->config;
    const double D = (double)config->width, F = (double)config->ffn, t = (double)(tokens + class_rows(shape));
    const double block = t * 2 * (4 * D * D + 2 * D * F) + 4 * t * t * D;
    return 2 * (double)tokens * (double)shape->width * D + (double)config->depth * block +
           2 * D * (double)shape->outputs;
}

/* The three products of a linear layer [R, K] -> [R, M]: forward, and the gradients of weights and input. */
static size_t linear_products(mot_gemm_shape *product, size_t R, size_t K, size_t M, double times)
{
    product[0] = (mot_gemm_shape){R, M, K, false, false, times};
    product[1] = (mot_gemm_shape){K, M, R, true, false, times};
    product[2] = (mot_gemm_shape){R, K, M, false, true, times};
    return 3;
}

static size_t encoder_products(const mot_expert_shape *shape, mot_gemm_shape product[MOT_MOST_GEMMS])
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, F = config->ffn, n = encoder_tile(shape), R = most_rows(shape, n),
                 l = most_rows(shape, 1), W = D / config->heads;
    const double depth = (double)config->depth, heads = depth * (double)(n * config->heads);
    size_t count = 0;
    if (shape->vocabulary == 0) { /* sample by sample; the input needs no gradient */
        product[count++] = (mot_gemm_shape){shape->tokens, D, shape->width, false, false, (double)n};
        product[count++] = (mot_gemm_shape){shape->width, D, shape->tokens, true, false, (double)n};
    }
    count += linear_products(product + count, R, D, 3 * D, depth);
    count += linear_products(product + count, R, D, D, depth);
    count += linear_products(product + count, R, D, F, depth);
    count += linear_products(product + count, R, F, D, depth);
    /* Attention, head by head: scores and their gradient; values and the gradients of queries, keys, values. */
    product[count++] = (mot_gemm_shape){l, l, W, false, true, 2 * heads};
    product[count++] = (mot_gemm_shape){l, W, l, false, false, 2 * heads};
    product[count++] = (mot_gemm_shape){l, W, l, true, false, 2 * heads};
    return count + linear_products(product + count, n, D, shape->outputs, 1);
}

const mot_expert_kind mot_encoder_kind = {
    .kind = {"encoder"},
    .bf16 = true,
    .table = encoder_table,
    .tile = encoder_tile,
    .workspace = encoder_workspace,
    .forward = mot_encoder_forward,
    .backward = mot_encoder_backward,
    .flops = encoder_flops,
    .products = encoder_products,
};

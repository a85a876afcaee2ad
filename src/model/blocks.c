/* The kind `blocks`: state rows -> state rows, through `depth` pre-LayerNorm blocks.
 *
 *      h = h + attention(norm(h)) W_o
 *      h = h + gelu(norm(h) W_1) W_2
 *
 * Forward and backward (blocks_passes.c) go layer by layer over the rows of a whole tile, since backward transposes the
 * weights once for all of them, and piece by piece through layers that work row by row. */
#include "blocks_private.h"

#include <math.h>
#include <stdio.h>

#include "mot/layers.h"

static mot_status blocks_table(const mot_expert_shape *shape, mot_table *table)
{
    const size_t D = shape->config->width, F = shape->config->ffn, depth = shape->config->depth;
    /* The two products that end in the residual stream start smaller the deeper the stream is (GPT-2). */
    const double into_stream = 1 / sqrt(2.0 * (double)depth), by_D = 1 / sqrt((double)D);
    mot_status status = MOT_OK;
    for (size_t b = 0; b < depth; ++b) {
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
        MOT_TRY(mot_stack_table(table, MOT_PART_ATTENTION, prefix, MOT_COUNT(attention), attention));
        MOT_TRY(mot_stack_table(table, MOT_PART_FFN, prefix, MOT_COUNT(ffn), ffn));
    }
done:
    return status;
}

static size_t blocks_tile(const mot_expert_shape *shape)
{
    return mot_stack_tile(shape, shape->tokens);
}

static size_t blocks_kept(const mot_expert_shape *shape)
{
    const size_t n = blocks_tile(shape), first[] = {0, shape->tokens};
    block_acts *acts;
    return mot_blocks_carve_acts(shape, NULL, n * shape->tokens,
                                 n * mot_attention_prob(first, 1, shape->tokens, shape->config->heads), true, &acts);
}

static size_t blocks_workspace(const mot_expert_shape *shape)
{
    const size_t l = shape->tokens, R = blocks_tile(shape) * l;
    blocks_work work;
    const size_t forward = mot_blocks_carve_work(shape, NULL, R, l, false, &work),
                 backward = mot_blocks_carve_work(shape, NULL, R, l, true, &work),
                 d_in = mot_arena_bytes(R * shape->config->width, sizeof(mot_real)); /* where it is not given */
    return blocks_kept(shape) + MOT_MAX(forward, MOT_MAX(backward + d_in, mot_blocks_look_bytes(shape)));
}

/* ---- what others want to know ---- */

static double blocks_flops(const mot_expert_shape *shape, size_t tokens)
{
    const double D = (double)shape->config->width, F = (double)shape->config->ffn, t = (double)tokens;
    return (double)shape->config->depth * (t * 2 * (4 * D * D + 2 * D * F) + 4 * t * t * D);
}

/* Gradients of what goes in are found whatever learns: parts below may. */
static double blocks_backward_flops(const mot_expert_shape *shape, size_t tokens, mot_part_set learns)
{
    const double D = (double)shape->config->width, F = (double)shape->config->ffn, t = (double)tokens;
    const double attention = learns >> MOT_PART_ATTENTION & 1 ? 4 * D * D : 0,
                 ffn = learns >> MOT_PART_FFN & 1 ? 2 * D * F : 0;
    return (double)shape->config->depth * (t * 2 * (4 * D * D + 2 * D * F + attention + ffn) + 2 * 4 * t * t * D);
}

enum { MOST_SCORED = 512 };

static size_t blocks_products(const mot_expert_shape *shape, mot_gemm_shape product[MOT_MOST_GEMMS])
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, F = config->ffn, n = blocks_tile(shape), l = shape->tokens, R = n * l,
                 W = D / config->heads;
    const double depth = (double)config->depth, heads = depth * (double)(n * config->heads);
    size_t count = mot_stack_linear_products(product, R, D, 3 * D, depth);
    count += mot_stack_linear_products(product + count, R, D, D, depth);
    count += mot_stack_linear_products(product + count, R, D, F, depth);
    count += mot_stack_linear_products(product + count, R, F, D, depth);
    /* Attention, head by head: scores and their gradient; values and the gradients of queries, keys, values. Long samples are
     * taken part by part: all scores of one would need l^2 numbers to measure with. */
    const size_t part = MOT_MIN(l, (size_t)MOST_SCORED);
    const double times = 2 * heads * ((double)l / (double)part) * ((double)l / (double)part);
    product[count++] = (mot_gemm_shape){part, part, W, false, true, times};
    product[count++] = (mot_gemm_shape){part, W, part, false, false, times};
    product[count++] = (mot_gemm_shape){part, W, part, true, false, times};
    return count;
}

const mot_expert_kind mot_blocks_kind = {
    .kind = {"blocks"},
    .bf16 = true,
    .rows = true,
    .hands_on = true,
    .table = blocks_table,
    .tile = blocks_tile,
    .workspace = blocks_workspace,
    .kept = blocks_kept,
    .prepared = mot_blocks_prepared,
    .prepare = mot_blocks_prepare,
    .forward = mot_blocks_forward,
    .backward = mot_blocks_backward,
    .look = mot_blocks_look,
    .flops = blocks_flops,
    .backward_flops = blocks_backward_flops,
    .products = blocks_products,
};

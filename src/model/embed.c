/* The kind `embed`: tokens -> state rows.
 *
 *      h = x W + b + position, or h = W[id] + position; and the class token's row before them
 *
 * Between forward and backward nothing is kept: the samples say all. */
#include "stack_private.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "mot/layers.h"
#include "mot/rowops.h"

enum { WEIGHT, BIAS, POSITION, CLASS_TOKEN };

/* Ids are looked up (one row each), numbers are multiplied. An absent tensor has no elements. */
static mot_status embed_table(const mot_expert_shape *shape, mot_table *table)
{
    const size_t D = shape->config->width, ids = shape->vocabulary, inputs = ids > 0 ? ids : shape->width;
    const row_init embed[EMBED_ROWS] = {
        [WEIGHT] = {"embed_weight", inputs, D, 0, ids > 0 ? 0.5 : 1 / sqrt((double)inputs)},
        [BIAS] = {"embed_bias", ids > 0 ? 0 : D, 0, 0, 0},
        [POSITION] = {"position", shape->tokens, D, 0, 0.02},
        [CLASS_TOKEN] = {"class_token", class_rows(shape) * D, 0, 0, 0.02},
    };
    const mot_status status = mot_stack_table(table, MOT_PART_EMBED, "", 1, embed);
    if (status != MOT_OK) return status;
    if (ids > 0) mot_table_by_word(table);
    return mot_stack_table(table, MOT_PART_EMBED, "", MOT_COUNT(embed) - 1, embed + 1);
}

static size_t embed_tile(const mot_expert_shape *shape)
{
    return mot_stack_tile(shape, shape->tokens + class_rows(shape));
}

static size_t carve_work(const mot_expert_shape *shape, mot_arena *arena, size_t rows, bool learn,
                         linear_work *work)
{
    const size_t D = shape->config->width, K = shape->width;
    size_t bytes = 0;
    *work = (linear_work){.mixed.precision = shape->precision};
    if (shape->vocabulary > 0) return bytes;
    work->mixed.operands = mot_stack_carve(
        arena, &bytes, linear_operands(shape->precision, rows, K, D, learn), sizeof(mot_real));
    if (!learn)
        work->weights =
            mot_stack_carve(arena, &bytes, mot_factor_room(shape->precision, K, D), sizeof(mot_real));
    return bytes;
}

static size_t embed_workspace(const mot_expert_shape *shape)
{
    const size_t rows = embed_tile(shape) * shape->tokens;
    linear_work work;
    const size_t forward = carve_work(shape, NULL, rows, false, &work),
                 backward = carve_work(shape, NULL, rows, true, &work);
    return MOT_MAX(forward, backward);
}

/* In fp32 the weight is a right operand as it is; and backward does not multiply with it. */
static size_t prepare(const mot_expert_shape *shape, const mot_real *w, mot_arena *arena, mot_factor **factor)
{
    size_t bytes = 0;
    *factor = NULL;
    if (shape->precision != MOT_PRECISION_BF16 || shape->vocabulary > 0) return 0;
    *factor = mot_stack_carve(arena, &bytes, 1, sizeof **factor);
    mot_factor sized, *to = arena != NULL ? *factor : &sized;
    *to = mot_stack_prepare(shape->precision, arena, &bytes, w, shape->width, shape->config->width, false);
    return bytes;
}

static size_t embed_prepared(const mot_expert_shape *shape)
{
    mot_factor *factor;
    return prepare(shape, NULL, NULL, &factor);
}

static const void *embed_prepare(const mot_expert_shape *shape, const mot_real *const *weight, mot_arena *arena, bool learn)
{
    (void)learn;
    mot_factor *factor;
    prepare(shape, weight[WEIGHT], arena, &factor);
    return factor;
}

static size_t embed_kept(const mot_expert_shape *shape)
{
    (void)shape;
    return 0;
}

static void *embed_forward(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                           mot_arena *arena, bool learn, mot_real *out)
{
    (void)learn;
    const size_t D = shape->config->width, extra = class_rows(shape), mark = mot_arena_mark(arena);
    linear_work work;
    carve_work(shape, arena, tile->first[tile->samples], false, &work);
    mot_real *room = work.weights;
    mot_factor w = {0};
    if (tile->prepared != NULL)
        w = *(const mot_factor *)tile->prepared;
    else if (tile->id == NULL)
        w = factor_of(&work, &room, weight[WEIGHT], shape->width, D);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = tile->first[s], tokens = tile->first[s + 1] - from;
        mot_real *row = out + (from + s * extra) * D;
        if (extra) memcpy(row, weight[CLASS_TOKEN], D * sizeof *row);
        row += extra * D;
        if (tile->id == NULL) {
            linear(&work, row, weight[POSITION], tile->x + from * shape->width, w, weight[BIAS], tokens,
                   shape->width, D);
            continue;
        }
        for (size_t t = 0; t < tokens; ++t)
            memcpy(row + t * D, weight[WEIGHT] + (size_t)tile->id[from + t] * D, D * sizeof *row);
        mot_row_add(row, weight[POSITION], tokens * D);
    }
    mot_arena_rewind(arena, mark);
    return NULL;
}

static void embed_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                           mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                           const mot_real *d_out, mot_real *d_in, mot_part_set learns)
{
    (void)weight;
    (void)kept;
    (void)d_in;
    assert(d_in == NULL);
    if (!(learns >> MOT_PART_EMBED & 1)) return;
    const size_t D = shape->config->width, extra = class_rows(shape), rows = tile->first[tile->samples],
                 mark = mot_arena_mark(arena);
    linear_work work;
    carve_work(shape, arena, rows, true, &work);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = tile->first[s], tokens = tile->first[s + 1] - from;
        const mot_real *row = d_out + (from + s * extra) * D;
        if (extra) mot_row_add(gradient[CLASS_TOKEN], row, D);
        row += extra * D;
        for (size_t t = 0; tile->id != NULL && t < tokens; ++t)
            mot_row_add(gradient[WEIGHT] + (size_t)tile->id[from + t] * D, row + t * D, D);
        mot_row_add(gradient[POSITION], row, tokens * D);
        if (tile->id == NULL) mot_sum_rows(gradient[BIAS], row, tokens, D);
        /* Class tokens stand between the samples' rows: then each sample is multiplied by itself. */
        if (tile->id == NULL && extra)
            linear_weight(&work, gradient[WEIGHT], row, tile->x + from * shape->width, tokens, shape->width,
                          D);
    }
    if (tile->id == NULL && !extra)
        linear_weight(&work, gradient[WEIGHT], d_out, tile->x, rows, shape->width, D);
    mot_arena_rewind(arena, mark);
}

static double embed_flops(const mot_expert_shape *shape, size_t tokens)
{
    return 2 * (double)tokens * (double)shape->width * (double)shape->config->width;
}

/* What goes in needs no gradient. */
static double embed_backward_flops(const mot_expert_shape *shape, size_t tokens, mot_part_set learns)
{
    return learns >> MOT_PART_EMBED & 1 ? embed_flops(shape, tokens) : 0;
}

static size_t embed_products(const mot_expert_shape *shape, mot_gemm_shape product[MOT_MOST_GEMMS])
{
    const size_t D = shape->config->width;
    const double samples = (double)embed_tile(shape); /* one by one; the input needs no gradient */
    if (shape->vocabulary > 0) return 0;
    product[0] = (mot_gemm_shape){shape->tokens, D, shape->width, false, false, samples};
    product[1] = (mot_gemm_shape){shape->width, D, shape->tokens, true, false, samples};
    return 2;
}

const mot_expert_kind mot_embed_kind = {
    .kind = {"embed"},
    .bf16 = true,
    .rows = true,
    .class_row = true,
    .table = embed_table,
    .tile = embed_tile,
    .workspace = embed_workspace,
    .kept = embed_kept,
    .prepared = embed_prepared,
    .prepare = embed_prepare,
    .forward = embed_forward,
    .backward = embed_backward,
    .flops = embed_flops,
    .backward_flops = embed_backward_flops,
    .products = embed_products,
};

/* A few samples at a time: their tokens are the columns of one matrix, that is multiplied with each head's weights. */
#include <string.h>

#include "merged_private.h"
#include "mot/product.h"
#include "stack_private.h"

enum { GROUP_TOKENS = 64 };

size_t mot_merged_group_samples(const mot_expert_shape *shape)
{
    return MOT_MAX((size_t)1, GROUP_TOKENS / shape->tokens);
}

/* Rows of a head's weights. */
static size_t weight_rows(const mot_expert_shape *shape)
{
    return (attends(shape) ? shape->width : 0) + shape->config->merged.neurons;
}

static size_t carve(const mot_expert_shape *shape, mot_arena *arena, merged_group *g)
{
    const size_t D = shape->width, H = shape->config->merged.heads, m = weight_rows(shape), samples = mot_merged_group_samples(shape),
                 real = sizeof(mot_real);
    size_t bytes = 0;
    g->length = row_length(samples * shape->tokens);
    g->x = mot_stack_carve(arena, &bytes, D * g->length, real);
    g->weight = mot_stack_carve(arena, &bytes, H * m * D, real);
    g->product = mot_stack_carve(arena, &bytes, m * g->length, real);
    g->act = mot_stack_carve(arena, &bytes, shape->config->merged.neurons * samples * padded(shape->tokens), real);
    return bytes;
}

size_t mot_merged_group_bytes(const mot_expert_shape *shape)
{
    merged_group sized;
    return carve(shape, NULL, &sized);
}

merged_group mot_merged_group_take(const mot_expert_shape *shape, const mot_tile *tile, mot_arena *arena)
{
    merged_group g = {.tile = tile};
    carve(shape, arena, &g);
    return g;
}

void mot_merged_group_begin(const mot_expert_shape *shape, merged_group *g, size_t from, size_t to)
{
    const size_t D = shape->width, *first = g->tile->first, rows = first[to] - first[from];
    g->from = from;
    g->to = to;
    g->lanes = g->pairs = g->columns = 0;
    for (size_t s = from; s < to; ++s) {
        const size_t l = first[s + 1] - first[s], lanes = padded(l);
        g->lanes += lanes;
        g->pairs += l * lanes;
        g->columns = MOT_MAX(g->columns, padded(first[s] - first[from] + lanes));
    }
    mot_transpose(g->x, g->length, g->tile->x + first[from] * D, D, rows, D);
    for (size_t d = 0; d < D; ++d)
        for (size_t i = padded(rows); i < rows + BEHIND; i += LANES) mot_store(g->x + d * g->length + i, (mot_vector){0});
}

/* Few neurons go through one product with A, below which W^T is laid; many through one of their own, with W as it is. */
static bool stacks(const mot_expert_shape *shape)
{
    return attends(shape) && shape->config->merged.neurons < FOUR;
}

/* Of each head A, and below it W^T. */
void mot_merged_group_weights(const mot_expert_shape *shape, const mot_real *const *weight, merged_group *g)
{
    mot_real *to = g->weight;
    const size_t D = shape->width, J = shape->config->merged.neurons;
    for (size_t h = 0; h < shape->config->merged.heads && stacks(shape); ++h, to += J * D) {
        const mot_real *W = weight[neurons_row(shape)] + h * D * J;
        memcpy(to, weight[0] + h * D * D, D * D * sizeof *to);
        to += D * D;
        for (size_t n = 0; n < J; ++n)
            for (size_t d = 0; d < D; ++d) to[n * D + d] = W[d * J + n];
    }
}

void mot_merged_group_multiply(const mot_expert_shape *shape, const merged_group *g, bool transpose, const mot_real *w, size_t m,
                           mot_real *product)
{
    mot_multiply(&(mot_product){.m = m,
                                .n = g->columns,
                                .k = shape->width,
                                .a = w,
                                .a_row = transpose ? 1 : shape->width,
                                .a_step = transpose ? m : 1,
                                .b = g->x,
                                .ldb = g->length,
                                .c = product,
                                .ldc = g->length});
}

void mot_merged_group_head(const mot_expert_shape *shape, const merged_group *g, const mot_real *const *weight, size_t h)
{
    const size_t D = shape->width, J = shape->config->merged.neurons, m = weight_rows(shape);
    if (stacks(shape)) {
        mot_merged_group_multiply(shape, g, false, g->weight + h * m * D, m, g->product);
        return;
    }
    if (attends(shape)) mot_merged_group_multiply(shape, g, false, weight[0] + h * D * D, D, g->product);
    mot_merged_group_multiply(shape, g, true, weight[neurons_row(shape)] + h * D * J, J, g->product + (m - J) * g->length);
}

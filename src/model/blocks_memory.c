/* Memory of the passes of the kind `blocks`. */
#include "blocks_private.h"

#include "mot/layers.h"

size_t mot_blocks_carve_acts(const mot_expert_shape *shape, mot_arena *arena, size_t R, size_t prob, bool learn,
                             block_acts **acts)
{
    const size_t D = shape->config->width, F = shape->config->ffn, real = sizeof(mot_real),
                 sets = learn ? shape->config->depth : MOT_MIN(shape->config->depth, (size_t)1);
    size_t bytes = 0;
    *acts = mot_stack_carve(arena, &bytes, sets, sizeof **acts);
    for (size_t b = 0; b < sets; ++b) {
        block_acts sized, *a = arena != NULL ? *acts + b : &sized;
        a->in = b > 0 ? mot_stack_carve(arena, &bytes, R * D, real) : NULL;
        a->norm1 = mot_stack_carve(arena, &bytes, R * D, real);
        a->mean1 = mot_stack_carve(arena, &bytes, R, real);
        a->rstd1 = mot_stack_carve(arena, &bytes, R, real);
        a->qkv = mot_stack_carve(arena, &bytes, R * 3 * D, real);
        a->prob = learn ? mot_stack_carve(arena, &bytes, prob, real) : NULL;
        a->attended = mot_stack_carve(arena, &bytes, R * D, real);
        a->middle = mot_stack_carve(arena, &bytes, R * D, real);
        a->norm2 = mot_stack_carve(arena, &bytes, R * D, real);
        a->mean2 = mot_stack_carve(arena, &bytes, R, real);
        a->rstd2 = mot_stack_carve(arena, &bytes, R, real);
        a->hidden = mot_stack_carve(arena, &bytes, R * F, real);
        a->slope = learn ? mot_stack_carve(arena, &bytes, R * F, real) : NULL;
    }
    return bytes;
}

/* Numbers that the weights of a phase take as factors: mix, up and down; qkv. */
static size_t most_factors(const mot_expert_shape *shape, bool learn)
{
    const mot_precision precision = shape->precision;
    const size_t D = shape->config->width, F = shape->config->ffn;
    size_t (*const room)(mot_precision, size_t, size_t) = learn ? mot_factor_transposed_room : mot_factor_room;
    const size_t ffn = room(precision, D, D) + room(precision, D, F) + room(precision, F, D),
                 qkv = learn ? room(precision, 3 * D, D) : room(precision, D, 3 * D);
    return MOT_MAX(ffn, qkv);
}

size_t mot_blocks_carve_work(const mot_expert_shape *shape, mot_arena *arena, size_t R, size_t longest,
                             bool learn, blocks_work *work)
{
    const mot_precision precision = shape->precision;
    const size_t D = shape->config->width, wide = MOT_MAX(3 * D, shape->config->ffn), real = sizeof(mot_real);
    size_t bytes = 0;
    work->linear.mixed.precision = precision;
    work->linear.mixed.operands =
        mot_stack_carve(arena, &bytes, linear_operands(precision, R, wide, wide, learn), real);
    work->linear.weights = mot_stack_carve(arena, &bytes, most_factors(shape, learn), real);
    work->attention = mot_stack_carve(
        arena, &bytes, mot_attention_scratch(precision, longest, D, shape->config->heads, learn), real);
    if (!learn) return bytes;
    work->d_narrow = mot_stack_carve(arena, &bytes, R * D, real);
    work->d_wide = mot_stack_carve(arena, &bytes, R * wide, real);
    return bytes;
}

/* ---- weights for many tiles ---- */

static size_t prepare(const mot_expert_shape *shape, const mot_real *const *weight, mot_arena *arena, bool learn,
                      block_factors **all)
{
    const size_t D = shape->config->width, F = shape->config->ffn, depth = shape->config->depth;
    const mot_precision precision = shape->precision;
    size_t bytes = 0;
    *all = mot_stack_carve(arena, &bytes, depth, sizeof **all);
    for (size_t b = 0; b < depth; ++b) {
        block_factors sized, *f = arena != NULL ? *all + b : &sized;
        const mot_real *const *w = weight != NULL ? weight + b * BLOCK_ROWS : NULL;
        const struct {
            mot_factor *straight, *across;
            size_t row, K, M;
        } matrix[] = {{&f->qkv, &f->qkv_across, QKV_WEIGHT, D, 3 * D},
                      {&f->mix, &f->mix_across, MIX_WEIGHT, D, D},
                      {&f->up, &f->up_across, UP_WEIGHT, D, F},
                      {&f->down, &f->down_across, DOWN_WEIGHT, F, D}};
        for (size_t i = 0; i < MOT_COUNT(matrix); ++i) {
            const mot_real *of = w != NULL ? w[matrix[i].row] : NULL;
            *matrix[i].straight = mot_stack_prepare(precision, arena, &bytes, of, matrix[i].K, matrix[i].M, false);
            if (learn) *matrix[i].across = mot_stack_prepare(precision, arena, &bytes, of, matrix[i].K, matrix[i].M, true);
        }
    }
    return bytes;
}

size_t mot_blocks_prepared(const mot_expert_shape *shape)
{
    block_factors *all;
    return prepare(shape, NULL, NULL, true, &all);
}

const void *mot_blocks_prepare(const mot_expert_shape *shape, const mot_real *const *weight, mot_arena *arena, bool learn)
{
    block_factors *all;
    prepare(shape, weight, arena, learn, &all);
    return all;
}

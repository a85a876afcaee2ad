/* Memory of the encoder's passes: the same walk over the arena sizes it and carves it. */
#include "encoder_private.h"

#include "mot/layers.h"

/* NULL arena: only adds up *bytes. */
static void *carve(mot_arena *arena, size_t *bytes, size_t count, size_t size)
{
    *bytes += mot_arena_bytes(count, size);
    return arena != NULL ? mot_arena_take(arena, count, size) : NULL;
}

size_t mot_encoder_carve_acts(const mot_expert_shape *shape, mot_arena *arena, size_t samples, size_t rows,
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
        block->prob = learn ? carve(arena, &bytes, prob, real) : NULL;
        block->attended = carve(arena, &bytes, rows * D, real);
        block->middle = carve(arena, &bytes, rows * D, real);
        block->norm2 = carve(arena, &bytes, rows * D, real);
        block->mean2 = carve(arena, &bytes, rows, real);
        block->rstd2 = carve(arena, &bytes, rows, real);
        block->hidden = carve(arena, &bytes, rows * F, real);
        block->slope = learn ? carve(arena, &bytes, rows * F, real) : NULL;
    }
    acts->norm = carve(arena, &bytes, rows * D, real);
    acts->mean = carve(arena, &bytes, rows, real);
    acts->rstd = carve(arena, &bytes, rows, real);
    acts->pooled = carve(arena, &bytes, samples * D, real);
    return bytes;
}

/* Numbers that the weights of a phase take as factors: mix, up and down; one of the others. */
static size_t most_factors(const mot_expert_shape *shape, bool learn)
{
    const mot_precision precision = shape->precision;
    const size_t D = shape->config->width, F = shape->config->ffn, C = shape->outputs;
    size_t (*const room)(mot_precision, size_t, size_t) = learn ? mot_factor_transposed_room
                                                                : mot_factor_room;
    const size_t ffn = room(precision, D, D) + room(precision, D, F) + room(precision, F, D),
                 head = learn ? room(precision, C, D) : room(precision, D, C),
                 qkv = learn ? room(precision, 3 * D, D) : room(precision, D, 3 * D),
                 embed = learn ? 0 : room(precision, shape->width, D);
    return MOT_MAX(MOT_MAX(ffn, qkv), MOT_MAX(head, embed));
}

/* Numbers of encoder_work.mixed.operands, attention's aside. */
static size_t most_operands(const mot_expert_shape *shape, size_t rows, bool learn)
{
    const size_t D = shape->config->width, wide = MOT_MAX(3 * D, MOT_MAX(shape->config->ffn, shape->outputs)),
                 widest = MOT_MAX(wide, shape->width), forward = mot_mixed_operands(shape->precision, widest);
    return learn ? MOT_MAX(forward, mot_mixed_across_operands(shape->precision, widest, wide, rows))
                 : forward;
}

size_t mot_encoder_carve_work(const mot_expert_shape *shape, mot_arena *arena, size_t samples, size_t rows,
                              size_t longest, bool learn, encoder_work *work)
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, F = config->ffn, wide = MOT_MAX(3 * D, F), real = sizeof(mot_real);
    size_t bytes = 0;
    work->mixed.precision = shape->precision;
    work->mixed.operands = carve(arena, &bytes, most_operands(shape, rows, learn), real);
    work->weights = carve(arena, &bytes, most_factors(shape, learn), real);
    work->attention = carve(arena, &bytes,
                            mot_attention_scratch(shape->precision, longest, D, config->heads, learn), real);
    if (!learn) return bytes;
    work->d_h = carve(arena, &bytes, rows * D, real);
    work->d_narrow = carve(arena, &bytes, rows * D, real);
    work->d_wide = carve(arena, &bytes, rows * wide, real);
    work->d_pooled = carve(arena, &bytes, samples * D, real);
    return bytes;
}

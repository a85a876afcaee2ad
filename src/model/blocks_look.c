/* Where the kind `blocks` looks, from what forward has kept. */
#include "blocks_private.h"

#include <string.h>

#include "mot/layers.h"

typedef struct look_work {
    double *query, *rollout, *got; /* [l], [l], [heads, l] */
    mot_real *attention; /* mot_attention_scratch */
} look_work;

static size_t carve(const mot_expert_shape *shape, mot_arena *arena, size_t l, look_work *work)
{
    const size_t H = shape->config->heads;
    size_t bytes = 0;
    work->query = mot_stack_carve(arena, &bytes, l, sizeof *work->query);
    work->rollout = mot_stack_carve(arena, &bytes, l, sizeof *work->rollout);
    work->got = mot_stack_carve(arena, &bytes, H * l, sizeof *work->got);
    work->attention = mot_stack_carve(arena, &bytes, mot_attention_scratch(shape->precision, shape->tokens, shape->config->width, H, false),
                                      sizeof *work->attention);
    return bytes;
}

size_t mot_blocks_look_bytes(const mot_expert_shape *shape)
{
    look_work work;
    return carve(shape, NULL, shape->tokens, &work);
}

/* How the head weighs rows. */
static void weigh(const mot_expert_shape *shape, size_t l, double *query)
{
    const bool class = class_rows(shape) > 0;
    for (size_t i = 0; i < l; ++i) query[i] = class ? i == 0 : 1 / (double)l;
}

/* rollout := rollout (I + A) / 2, A the mean of heads that gave `got` for it. */
static void roll(double *rollout, const double *got, size_t l, size_t H)
{
    for (size_t j = 0; j < l; ++j) {
        double sum = 0;
        for (size_t h = 0; h < H; ++h) sum += got[h * l + j];
        rollout[j] = (rollout[j] + sum / (double)H) / 2;
    }
}

static void take(float *to, const double *from, size_t count)
{
    for (size_t i = 0; i < count; ++i) to[i] = (float)from[i];
}

size_t mot_blocks_look(const mot_expert_shape *shape, const mot_tile *tile, mot_arena *arena, const void *kept, size_t s,
                       float *received, float *rollout)
{
    const block_acts *acts = kept;
    const size_t D = shape->config->width, H = shape->config->heads, from = tile->first[s], l = tile->first[s + 1] - from,
                 most = shape->tokens, mark = mot_arena_mark(arena);
    look_work work;
    carve(shape, arena, l, &work);
    weigh(shape, l, work.query);
    memcpy(work.rollout, work.query, l * sizeof *work.rollout);
    for (size_t b = shape->config->depth; b-- > 0;) {
        const mot_real *qkv = acts[b].qkv + from * 3 * D,
                       *prob = acts[b].prob + mot_attention_prob(tile->first, s, most, H);
        mot_attention_received(shape->precision, work.got, work.attention, qkv, prob, work.query, l, most, D, H);
        take(received + b * H * l, work.got, H * l);
        mot_attention_received(shape->precision, work.got, work.attention, qkv, prob, work.rollout, l, most, D, H);
        roll(work.rollout, work.got, l, H);
    }
    take(rollout, work.rollout, l);
    mot_arena_rewind(arena, mark);
    return l;
}

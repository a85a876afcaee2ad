/* The expert kind `encoder`: embed, blocks and head (mot/stack_kinds.h), one behind the other.
 *
 *      h = embed(tokens)
 *      h = blocks(h)
 *      out = head(h)
 *
 * Its table is theirs, in that order. */
#include "stack_private.h"

#include <assert.h>

/* Of the states: what blocks and head are given. */
static mot_expert_shape states_of(const mot_expert_shape *shape)
{
    mot_expert_shape states = *shape;
    states.tokens = shape->tokens + class_rows(shape);
    states.width = shape->config->width;
    states.vocabulary = 0;
    return states;
}

/* Where the head's tensors begin. */
static size_t head_at(const mot_expert_shape *shape)
{
    return EMBED_ROWS + shape->config->depth * BLOCK_ROWS;
}

static mot_status encoder_table(const mot_expert_shape *shape, mot_table *table)
{
    const mot_expert_shape states = states_of(shape);
    mot_status status;
    MOT_TRY(mot_embed_kind.table(shape, table));
    MOT_TRY(mot_blocks_kind.table(&states, table));
    MOT_TRY(mot_head_kind.table(&states, table));
done:
    return status;
}

static size_t encoder_tile(const mot_expert_shape *shape)
{
    return mot_embed_kind.tile(shape);
}

/* ---- memory ---- */

typedef struct encoder_acts {
    size_t *first;       /* [n + 1] of the states */
    mot_real *in, *last; /* [R, D] the states before and behind the blocks */
    void *blocks, *head; /* what these keep */
} encoder_acts;

static size_t carve_acts(const mot_expert_shape *shape, mot_arena *arena, size_t n, size_t R, encoder_acts **acts)
{
    const size_t D = shape->config->width;
    size_t bytes = 0;
    encoder_acts sized, *a = mot_stack_carve(arena, &bytes, 1, sizeof sized);
    *acts = a;
    if (a == NULL) a = &sized;
    a->first = mot_stack_carve(arena, &bytes, n + 1, sizeof *a->first);
    a->in = mot_stack_carve(arena, &bytes, R * D, sizeof *a->in);
    a->last = mot_stack_carve(arena, &bytes, R * D, sizeof *a->last);
    return bytes;
}

static size_t encoder_kept(const mot_expert_shape *shape)
{
    const mot_expert_shape states = states_of(shape);
    const size_t n = encoder_tile(shape);
    encoder_acts *acts;
    return carve_acts(shape, NULL, n, n * states.tokens, &acts) + mot_blocks_kind.kept(&states) +
           mot_head_kind.kept(&states);
}

static size_t encoder_workspace(const mot_expert_shape *shape)
{
    const mot_expert_shape states = states_of(shape);
    /* The gradient by the states has one place, which each of the three works beside. */
    const size_t d_h = mot_arena_bytes(encoder_tile(shape) * states.tokens * states.width, sizeof(mot_real)),
                 embed = d_h + mot_embed_kind.workspace(shape),
                 blocks = mot_blocks_kind.workspace(&states) - mot_blocks_kind.kept(&states),
                 head = mot_head_kind.workspace(&states) - mot_head_kind.kept(&states);
    return encoder_kept(shape) + MOT_MAX(embed, MOT_MAX(blocks, head));
}

/* What the three have prepared; NULL: nothing. */
typedef struct encoder_ready {
    const void *embed, *blocks, *head;
} encoder_ready;

static size_t encoder_prepared(const mot_expert_shape *shape)
{
    const mot_expert_shape states = states_of(shape);
    return mot_arena_bytes(1, sizeof(encoder_ready)) + mot_embed_kind.prepared(shape) + mot_blocks_kind.prepared(&states) +
           mot_head_kind.prepared(&states);
}

static const void *encoder_prepare(const mot_expert_shape *shape, const mot_real *const *weight, mot_arena *arena, bool learn)
{
    const mot_expert_shape states = states_of(shape);
    encoder_ready *ready = mot_arena_take(arena, 1, sizeof *ready);
    ready->embed = mot_embed_kind.prepare(shape, weight, arena, learn);
    ready->blocks = mot_blocks_kind.prepare(&states, weight + EMBED_ROWS, arena, learn);
    ready->head = mot_head_kind.prepare(&states, weight + head_at(shape), arena, learn);
    return ready;
}

static encoder_ready ready_of(const mot_tile *tile)
{
    return tile->prepared != NULL ? *(const encoder_ready *)tile->prepared : (encoder_ready){0};
}

/* ---- the passes ---- */

static void *encoder_forward(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                             mot_arena *arena, bool learn, mot_real *out)
{
    const mot_expert_shape states = states_of(shape);
    const size_t n = tile->samples, extra = class_rows(shape), start = mot_arena_mark(arena);
    encoder_acts *acts;
    carve_acts(shape, arena, n, tile->first[n] + n * extra, &acts);
    for (size_t s = 0; s <= n; ++s) acts->first[s] = tile->first[s] + s * extra;
    const encoder_ready ready = ready_of(tile);
    const mot_tile in = {.samples = n, .first = acts->first, .x = acts->in, .prepared = ready.blocks},
                   last = {.samples = n, .first = acts->first, .x = acts->last, .prepared = ready.head};

    mot_tile tokens = *tile;
    tokens.prepared = ready.embed;
    mot_embed_kind.forward(shape, weight, &tokens, arena, learn, acts->in);
    acts->blocks = mot_blocks_kind.forward(&states, weight + EMBED_ROWS, &in, arena, learn, acts->last);
    acts->head = mot_head_kind.forward(&states, weight + head_at(shape), &last, arena, learn, out);
    if (!learn) mot_arena_rewind(arena, start);
    return learn ? acts : NULL;
}

static void encoder_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                             mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                             const mot_real *d_out, mot_real *d_in, mot_part_set learns)
{
    (void)d_in;
    assert(d_in == NULL);
    const encoder_acts *acts = kept;
    const mot_expert_shape states = states_of(shape);
    const size_t n = tile->samples, mark = mot_arena_mark(arena);
    const encoder_ready ready = ready_of(tile);
    const mot_tile in = {.samples = n, .first = acts->first, .x = acts->in, .prepared = ready.blocks},
                   last = {.samples = n, .first = acts->first, .x = acts->last, .prepared = ready.head};
    mot_real *d_h = mot_arena_take(arena, acts->first[n] * states.width, sizeof *d_h);

    mot_head_kind.backward(&states, weight + head_at(shape), gradient + head_at(shape), &last, arena, acts->head,
                           d_out, d_h, learns);
    mot_blocks_kind.backward(&states, weight + EMBED_ROWS, gradient + EMBED_ROWS, &in, arena, acts->blocks, d_h,
                             d_h, learns);
    mot_embed_kind.backward(shape, weight, gradient, tile, arena, NULL, d_h, NULL, learns);
    mot_arena_rewind(arena, mark);
}

static size_t encoder_look(const mot_expert_shape *shape, const mot_tile *tile, mot_arena *arena, const void *kept, size_t s,
                           float *received, float *rollout)
{
    const encoder_acts *acts = kept;
    const mot_expert_shape states = states_of(shape);
    const mot_tile in = {.samples = tile->samples, .first = acts->first, .x = acts->in};
    return mot_blocks_kind.look(&states, &in, arena, acts->blocks, s, received, rollout);
}

/* ---- what others want to know ---- */

static double encoder_flops(const mot_expert_shape *shape, size_t tokens)
{
    const mot_expert_shape states = states_of(shape);
    const size_t rows = tokens + class_rows(shape);
    return mot_embed_kind.flops(shape, tokens) + mot_blocks_kind.flops(&states, rows) +
           mot_head_kind.flops(&states, rows);
}

static double encoder_backward_flops(const mot_expert_shape *shape, size_t tokens, mot_part_set learns)
{
    const mot_expert_shape states = states_of(shape);
    const size_t rows = tokens + class_rows(shape);
    return mot_embed_kind.backward_flops(shape, tokens, learns) + mot_blocks_kind.backward_flops(&states, rows, learns) +
           mot_expert_backward_flops(&mot_head_kind, &states, rows, learns);
}

static size_t encoder_products(const mot_expert_shape *shape, mot_gemm_shape product[MOT_MOST_GEMMS])
{
    const mot_expert_shape states = states_of(shape);
    size_t count = mot_embed_kind.products(shape, product);
    count += mot_blocks_kind.products(&states, product + count);
    return count + mot_head_kind.products(&states, product + count);
}

const mot_expert_kind mot_encoder_kind = {
    .kind = {"encoder"},
    .bf16 = true,
    .table = encoder_table,
    .tile = encoder_tile,
    .workspace = encoder_workspace,
    .kept = encoder_kept,
    .prepared = encoder_prepared,
    .prepare = encoder_prepare,
    .forward = encoder_forward,
    .backward = encoder_backward,
    .look = encoder_look,
    .flops = encoder_flops,
    .backward_flops = encoder_backward_flops,
    .products = encoder_products,
};

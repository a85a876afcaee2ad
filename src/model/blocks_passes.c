/* The passes of the kind `blocks`. */
#include "blocks_private.h"

#include <string.h>

#include "mot/layers.h"

/* A phase takes each piece of the rows through several layers while it is in the cache. With every piece the weights are
 * read once more: where samples are short, a tile is one piece. */
enum { PIECE_ROWS = 512 };

static size_t pieces_of(size_t rows)
{
    return (rows + PIECE_ROWS - 1) / PIECE_ROWS;
}

/* Of block b, or NULL: its factors are made tile by tile. */
static const block_factors *factors_at(const mot_tile *tile, size_t b)
{
    return tile->prepared != NULL ? (const block_factors *)tile->prepared + b : NULL;
}

/* ---- forward ---- */

/* h + attention(norm(h)) W_o */
static void attend(const mot_expert_shape *shape, const mot_real *const *w, const block_factors *ready,
                   const mot_tile *tile, const mot_real *in, const block_acts *a, const blocks_work *work)
{
    const size_t D = shape->config->width, R = tile->first[tile->samples], pieces = pieces_of(R);
    mot_real *room = work->linear.weights;
    const mot_factor qkv = ready != NULL ? ready->qkv : factor_of(&work->linear, &room, w[QKV_WEIGHT], D, 3 * D);
    for (size_t p = 0; p < pieces; ++p) {
        const size_t r = mot_part_first(R, pieces, p), n = mot_part_first(R, pieces, p + 1) - r;
        mot_layernorm_forward(a->norm1 + r * D, a->mean1 + r, a->rstd1 + r, in + r * D, w[NORM1_GAIN],
                              w[NORM1_BIAS], n, D);
        linear(&work->linear, a->qkv + r * 3 * D, NULL, a->norm1 + r * D, qkv, w[QKV_BIAS], n, D, 3 * D);
    }
    mot_attention_forward(shape->precision, a->attended, a->prob, work->attention, a->qkv, tile->first,
                          tile->samples, shape->tokens, D, shape->config->heads);
}

/* The rest of the block, up to the residual stream behind it: `next`. */
static void feed_forward(const mot_expert_shape *shape, const mot_real *const *w, const block_factors *ready, size_t R,
                         const mot_real *in, const block_acts *a, const blocks_work *work, mot_real *next)
{
    const size_t D = shape->config->width, F = shape->config->ffn, pieces = pieces_of(R);
    const linear_work *l = &work->linear;
    mot_real *room = l->weights;
    const mot_factor mix = ready != NULL ? ready->mix : factor_of(l, &room, w[MIX_WEIGHT], D, D),
                     up = ready != NULL ? ready->up : factor_of(l, &room, w[UP_WEIGHT], D, F),
                     down = ready != NULL ? ready->down : factor_of(l, &room, w[DOWN_WEIGHT], F, D);
    for (size_t p = 0; p < pieces; ++p) {
        const size_t r = mot_part_first(R, pieces, p), n = mot_part_first(R, pieces, p + 1) - r;
        mot_real *hidden = a->hidden + r * F, *slope = a->slope != NULL ? a->slope + r * F : NULL;
        linear(l, a->middle + r * D, in + r * D, a->attended + r * D, mix, w[MIX_BIAS], n, D, D);
        mot_layernorm_forward(a->norm2 + r * D, a->mean2 + r, a->rstd2 + r, a->middle + r * D, w[NORM2_GAIN],
                              w[NORM2_BIAS], n, D);
        linear(l, hidden, NULL, a->norm2 + r * D, up, w[UP_BIAS], n, D, F);
        mot_gelu_with_slope(hidden, slope, hidden, n * F);
        linear(l, next + r * D, a->middle + r * D, hidden, down, w[DOWN_BIAS], n, F, D);
    }
}

void *mot_blocks_forward(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                         mot_arena *arena, bool learn, mot_real *out)
{
    const size_t D = shape->config->width, depth = shape->config->depth, R = tile->first[tile->samples],
                 start = mot_arena_mark(arena);
    block_acts *acts;
    mot_blocks_carve_acts(shape, arena, R,
                          mot_attention_prob(tile->first, tile->samples, shape->tokens, shape->config->heads), learn, &acts);
    const size_t mark = mot_arena_mark(arena);
    blocks_work work;
    mot_blocks_carve_work(shape, arena, R, shape->tokens, false, &work);

    const mot_real *h = tile->x;
    for (size_t b = 0; b < depth; ++b) {
        const mot_real *const *w = weight + b * BLOCK_ROWS;
        const block_acts *a = &acts[learn ? b : 0];
        mot_real *next = learn && b + 1 < depth ? acts[b + 1].in : out;
        attend(shape, w, factors_at(tile, b), tile, h, a, &work);
        feed_forward(shape, w, factors_at(tile, b), R, h, a, &work, next);
        h = next;
    }
    if (depth == 0) memcpy(out, h, R * D * sizeof *out);
    mot_arena_rewind(arena, learn ? mark : start);
    return learn ? acts : NULL;
}

/* ---- backward ---- */

/* From d_stream behind the block to d_stream between attention and FFN, and to d_narrow by what attention gave. */
static void feed_forward_backward(const mot_expert_shape *shape, const mot_real *const *w, const block_factors *ready,
                                  mot_real *const *g, size_t R, const block_acts *a, const blocks_work *work,
                                  mot_real *d_stream, mot_part_set learns)
{
    const size_t D = shape->config->width, F = shape->config->ffn, pieces = pieces_of(R);
    const linear_work *l = &work->linear;
    const bool ffn = learns >> MOT_PART_FFN & 1, attention = learns >> MOT_PART_ATTENTION & 1;
    if (ffn) linear_weight(l, g[DOWN_WEIGHT], d_stream, a->hidden, R, F, D);
    mot_real *room = l->weights;
    const mot_factor down = ready != NULL ? ready->down_across : transpose_of(l, &room, w[DOWN_WEIGHT], F, D),
                     up = ready != NULL ? ready->up_across : transpose_of(l, &room, w[UP_WEIGHT], D, F),
                     mix = ready != NULL ? ready->mix_across : transpose_of(l, &room, w[MIX_WEIGHT], D, D);
    for (size_t p = 0; p < pieces; ++p) {
        const size_t r = mot_part_first(R, pieces, p), n = mot_part_first(R, pieces, p + 1) - r;
        mot_real *d_h = d_stream + r * D, *d_narrow = work->d_narrow + r * D, *d_wide = work->d_wide + r * F;
        mot_sum_rows(g[DOWN_BIAS], d_h, n, D);
        linear_input(l, d_wide, d_h, down, n, F, D);
        mot_multiply_and_sum_rows(d_wide, g[UP_BIAS], a->slope + r * F, n, F);
        linear_input(l, d_narrow, d_wide, up, n, D, F);
        mot_layernorm_backward(d_h, g[NORM2_GAIN], g[NORM2_BIAS], d_narrow, a->middle + r * D, a->mean2 + r,
                               a->rstd2 + r, w[NORM2_GAIN], n, D);
        mot_sum_rows(g[MIX_BIAS], d_h, n, D);
        linear_input(l, d_narrow, d_h, mix, n, D, D);
    }
    if (ffn) linear_weight(l, g[UP_WEIGHT], work->d_wide, a->norm2, R, D, F);
    if (attention) linear_weight(l, g[MIX_WEIGHT], d_stream, a->attended, R, D, D);
}

/* From d_narrow by what attention gave, and d_stream, to d_stream before the block. */
static void attend_backward(const mot_expert_shape *shape, const mot_real *const *w, const block_factors *ready,
                            mot_real *const *g, const mot_tile *tile, const mot_real *in, const block_acts *a,
                            const blocks_work *work, mot_real *d_stream, mot_part_set learns)
{
    const size_t D = shape->config->width, R = tile->first[tile->samples], pieces = pieces_of(R);
    const linear_work *l = &work->linear;
    mot_attention_backward(shape->precision, work->d_wide, work->attention, work->d_narrow, a->attended, a->qkv, a->prob,
                           tile->first, tile->samples, shape->tokens, D, shape->config->heads);
    if (learns >> MOT_PART_ATTENTION & 1)
        linear_weight(l, g[QKV_WEIGHT], work->d_wide, a->norm1, R, D, 3 * D);
    mot_real *room = l->weights;
    const mot_factor qkv = ready != NULL ? ready->qkv_across : transpose_of(l, &room, w[QKV_WEIGHT], D, 3 * D);
    for (size_t p = 0; p < pieces; ++p) {
        const size_t r = mot_part_first(R, pieces, p), n = mot_part_first(R, pieces, p + 1) - r;
        mot_real *d_norm = work->d_narrow + r * D;
        mot_sum_rows(g[QKV_BIAS], work->d_wide + r * 3 * D, n, 3 * D);
        linear_input(l, d_norm, work->d_wide + r * 3 * D, qkv, n, D, 3 * D);
        mot_layernorm_backward(d_stream + r * D, g[NORM1_GAIN], g[NORM1_BIAS], d_norm, in + r * D,
                               a->mean1 + r, a->rstd1 + r, w[NORM1_GAIN], n, D);
    }
}

void mot_blocks_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                         mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                         const mot_real *d_out, mot_real *d_in, mot_part_set learns)
{
    const block_acts *acts = kept;
    const size_t D = shape->config->width, R = tile->first[tile->samples], mark = mot_arena_mark(arena);
    blocks_work work;
    mot_blocks_carve_work(shape, arena, R, shape->tokens, true, &work);
    if (d_in == NULL) d_in = mot_arena_take(arena, R * D, sizeof *d_in);
    if (d_in != d_out) memcpy(d_in, d_out, R * D * sizeof *d_in);

    for (size_t b = shape->config->depth; b-- > 0;) {
        const mot_real *const *w = weight + b * BLOCK_ROWS;
        mot_real *const *g = gradient + b * BLOCK_ROWS;
        const block_factors *ready = factors_at(tile, b);
        feed_forward_backward(shape, w, ready, g, R, &acts[b], &work, d_in, learns);
        attend_backward(shape, w, ready, g, tile, b > 0 ? acts[b].in : tile->x, &acts[b], &work, d_in, learns);
    }
    mot_arena_rewind(arena, mark);
}

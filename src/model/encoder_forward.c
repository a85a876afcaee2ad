/* The encoder's forward pass. */
#include "encoder_private.h"

#include <string.h>

#include "mot/layers.h"
#include "mot/rowops.h"

/* y [R, M] = x [R, K] w + bias (+ start [R, M], which may be NULL) */
static void linear(const encoder_work *work, mot_real *y, const mot_real *start, const mot_real *x,
                   mot_factor w, const mot_real *bias, size_t R, size_t K, size_t M)
{
    mot_mixed_multiply(&work->mixed, &(mot_mixed_product){.m = R,
                                                          .n = M,
                                                          .k = K,
                                                          .a = x,
                                                          .lda = K,
                                                          .b = w,
                                                          .bias = bias,
                                                          .start = start,
                                                          .c = y,
                                                          .ldc = M});
}

static void embed(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                  const encoder_acts *acts, const encoder_work *work, mot_real *h)
{
    const size_t D = shape->config->width, extra = class_rows(shape);
    mot_real *room = work->weights;
    mot_factor w = {0};
    if (tile->id == NULL) w = factor_of(work, &room, weight[EMBED_WEIGHT], shape->width, D);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = tile->first[s], tokens = tile->first[s + 1] - from;
        mot_real *row = h + acts->first[s] * D;
        if (extra) memcpy(row, weight[CLASS_TOKEN], D * sizeof *row);
        row += extra * D;
        if (tile->id == NULL) {
            linear(work, row, weight[POSITION], tile->x + from * shape->width, w, weight[EMBED_BIAS], tokens,
                   shape->width, D);
            continue;
        }
        for (size_t t = 0; t < tokens; ++t)
            memcpy(row + t * D, weight[EMBED_WEIGHT] + (size_t)tile->id[from + t] * D, D * sizeof *row);
        mot_row_add(row, weight[POSITION], tokens * D);
    }
}

static void pool(const mot_expert_shape *shape, const mot_tile *tile, const encoder_acts *acts)
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

/* h + attention(norm(h)) W_o */
static void attend(const mot_expert_shape *shape, const mot_real *const *w, size_t samples,
                   const encoder_acts *acts, const block_acts *a, const encoder_work *work)
{
    const size_t D = shape->config->width, R = acts->rows, pieces = pieces_of(R);
    mot_real *room = work->weights;
    const mot_factor qkv = factor_of(work, &room, w[QKV_WEIGHT], D, 3 * D);
    for (size_t p = 0; p < pieces; ++p) {
        const size_t r = mot_part_first(R, pieces, p), n = mot_part_first(R, pieces, p + 1) - r;
        mot_layernorm_forward(a->norm1 + r * D, a->mean1 + r, a->rstd1 + r, a->in + r * D, w[NORM1_GAIN],
                              w[NORM1_BIAS], n, D);
        linear(work, a->qkv + r * 3 * D, NULL, a->norm1 + r * D, qkv, w[QKV_BIAS], n, D, 3 * D);
    }
    mot_attention_forward(shape->precision, a->attended, a->prob, work->attention, a->qkv, acts->first,
                          samples, D, shape->config->heads);
}

/* The rest of the block, up to the residual stream behind it: `next`. */
static void feed_forward(const mot_expert_shape *shape, const mot_real *const *w, const encoder_acts *acts,
                         const block_acts *a, const encoder_work *work, mot_real *next)
{
    const size_t D = shape->config->width, F = shape->config->ffn, R = acts->rows, pieces = pieces_of(R);
    mot_real *room = work->weights;
    const mot_factor mix = factor_of(work, &room, w[MIX_WEIGHT], D, D),
                     up = factor_of(work, &room, w[UP_WEIGHT], D, F),
                     down = factor_of(work, &room, w[DOWN_WEIGHT], F, D);
    for (size_t p = 0; p < pieces; ++p) {
        const size_t r = mot_part_first(R, pieces, p), n = mot_part_first(R, pieces, p + 1) - r;
        mot_real *hidden = a->hidden + r * F, *slope = a->slope != NULL ? a->slope + r * F : NULL;
        linear(work, a->middle + r * D, a->in + r * D, a->attended + r * D, mix, w[MIX_BIAS], n, D, D);
        mot_layernorm_forward(a->norm2 + r * D, a->mean2 + r, a->rstd2 + r, a->middle + r * D, w[NORM2_GAIN],
                              w[NORM2_BIAS], n, D);
        linear(work, hidden, NULL, a->norm2 + r * D, up, w[UP_BIAS], n, D, F);
        mot_gelu_with_slope(hidden, slope, hidden, n * F);
        linear(work, next + r * D, a->middle + r * D, hidden, down, w[DOWN_BIAS], n, F, D);
    }
}

void *mot_encoder_forward(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                          mot_arena *arena, bool learn, mot_real *out)
{
    const mot_expert_config *config = shape->config;
    const size_t D = config->width, n = tile->samples, extra = class_rows(shape);
    const size_t R = tile->first[n] + n * extra;
    size_t prob = 0, longest = 0;
    for (size_t s = 0; s < n; ++s) {
        const size_t sample[] = {0, tile->first[s + 1] - tile->first[s] + extra};
        prob += mot_attention_prob(sample, 1, config->heads);
        longest = MOT_MAX(longest, sample[1]);
    }
    encoder_acts *acts = mot_arena_take(arena, 1, sizeof *acts);
    mot_encoder_carve_acts(shape, arena, n, R, prob, learn, acts);
    acts->longest = longest;
    for (size_t s = 0; s <= n; ++s) acts->first[s] = tile->first[s] + s * extra;
    const size_t mark = mot_arena_mark(arena);
    encoder_work work;
    mot_encoder_carve_work(shape, arena, n, R, longest, false, &work);

    embed(shape, weight, tile, acts, &work, config->depth > 0 ? acts->block[0].in : acts->last);
    for (size_t b = 0; b < config->depth; ++b) {
        const mot_real *const *w = weight + block_at(b);
        const block_acts *a = &acts->block[b];
        attend(shape, w, n, acts, a, &work);
        feed_forward(shape, w, acts, a, &work, b + 1 < config->depth ? acts->block[b + 1].in : acts->last);
    }
    const mot_real *const *w = weight + block_at(config->depth);
    mot_layernorm_forward(acts->norm, acts->mean, acts->rstd, acts->last, w[NORM_GAIN], w[NORM_BIAS], R, D);
    pool(shape, tile, acts);
    mot_real *room = work.weights;
    const mot_factor head = factor_of(&work, &room, w[HEAD_WEIGHT], D, shape->outputs);
    linear(&work, out, NULL, acts->pooled, head, w[HEAD_BIAS], n, D, shape->outputs);
    mot_arena_rewind(arena, mark);
    return learn ? acts : NULL;
}

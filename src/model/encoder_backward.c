/* The encoder's backward pass. */
#include "encoder_private.h"

#include <string.h>

#include "mot/layers.h"
#include "mot/rowops.h"

/* d_x [R, K] = d_y [R, M] across, where `across` is w^T. */
static void linear_input(const encoder_work *work, mot_real *d_x, const mot_real *d_y, mot_factor across,
                         size_t R, size_t K, size_t M)
{
    mot_mixed_multiply(
        &work->mixed,
        &(mot_mixed_product){.m = R, .n = K, .k = M, .a = d_y, .lda = M, .b = across, .c = d_x, .ldc = K});
}

/* d_w [K, M] += x^T d_y, over R rows. */
static void linear_weight(const encoder_work *work, mot_real *d_w, const mot_real *d_y, const mot_real *x,
                          size_t R, size_t K, size_t M)
{
    mot_mixed_multiply_across(&work->mixed, d_w, M, x, K, d_y, M, K, M, R, true);
}

static void embed_backward(const mot_expert_shape *shape, mot_real *const *gradient, const mot_tile *tile,
                           const encoder_acts *acts, const encoder_work *work)
{
    const size_t D = shape->config->width, extra = class_rows(shape);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = tile->first[s], tokens = tile->first[s + 1] - from;
        const mot_real *row = work->d_h + acts->first[s] * D;
        if (extra) mot_row_add(gradient[CLASS_TOKEN], row, D);
        row += extra * D;
        for (size_t t = 0; tile->id != NULL && t < tokens; ++t)
            mot_row_add(gradient[EMBED_WEIGHT] + (size_t)tile->id[from + t] * D, row + t * D, D);
        mot_row_add(gradient[POSITION], row, tokens * D);
        if (tile->id == NULL) mot_sum_rows(gradient[EMBED_BIAS], row, tokens, D);
        /* Class tokens stand between the samples' rows: then each sample is multiplied by itself. */
        if (tile->id == NULL && extra)
            linear_weight(work, gradient[EMBED_WEIGHT], row, tile->x + from * shape->width, tokens,
                          shape->width, D);
    }
    if (tile->id == NULL && !extra)
        linear_weight(work, gradient[EMBED_WEIGHT], work->d_h, tile->x, acts->rows, shape->width, D);
}

static void pool_backward(const mot_expert_shape *shape, const mot_tile *tile, const encoder_acts *acts,
                          const mot_real *d_pooled, mot_real *d_norm)
{
    const size_t D = shape->config->width;
    memset(d_norm, 0, acts->rows * D * sizeof *d_norm);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t from = acts->first[s], rows = class_rows(shape) ? 1 : acts->first[s + 1] - from;
        for (size_t r = 0; r < rows; ++r)
            mot_row_axpy(d_norm + (from + r) * D, 1 / (mot_real)rows, d_pooled + s * D, D);
    }
}

/* From d_h behind the block to d_h between attention and FFN, and to d_narrow by what attention gave. */
static void feed_forward_backward(const mot_expert_shape *shape, const mot_real *const *w, mot_real *const *g,
                                  const encoder_acts *acts, const block_acts *a, const encoder_work *work,
                                  mot_part_set learns)
{
    const size_t D = shape->config->width, F = shape->config->ffn, R = acts->rows, pieces = pieces_of(R);
    const bool ffn = learns >> MOT_PART_FFN & 1, attention = learns >> MOT_PART_ATTENTION & 1;
    if (ffn) linear_weight(work, g[DOWN_WEIGHT], work->d_h, a->hidden, R, F, D);
    mot_real *room = work->weights;
    const mot_factor down = transpose_of(work, &room, w[DOWN_WEIGHT], F, D),
                     up = transpose_of(work, &room, w[UP_WEIGHT], D, F),
                     mix = transpose_of(work, &room, w[MIX_WEIGHT], D, D);
    for (size_t p = 0; p < pieces; ++p) {
        const size_t r = mot_part_first(R, pieces, p), n = mot_part_first(R, pieces, p + 1) - r;
        mot_real *d_h = work->d_h + r * D, *d_narrow = work->d_narrow + r * D, *d_wide = work->d_wide + r * F;
        mot_sum_rows(g[DOWN_BIAS], d_h, n, D);
        linear_input(work, d_wide, d_h, down, n, F, D);
        mot_multiply_and_sum_rows(d_wide, g[UP_BIAS], a->slope + r * F, n, F);
        linear_input(work, d_narrow, d_wide, up, n, D, F);
        mot_layernorm_backward(d_h, g[NORM2_GAIN], g[NORM2_BIAS], d_narrow, a->middle + r * D, a->mean2 + r,
                               a->rstd2 + r, w[NORM2_GAIN], n, D);
        mot_sum_rows(g[MIX_BIAS], d_h, n, D);
        linear_input(work, d_narrow, d_h, mix, n, D, D);
    }
    if (ffn) linear_weight(work, g[UP_WEIGHT], work->d_wide, a->norm2, R, D, F);
    if (attention) linear_weight(work, g[MIX_WEIGHT], work->d_h, a->attended, R, D, D);
}

/* From d_narrow by what attention gave, and d_h, to d_h before the block. */
static void attend_backward(const mot_expert_shape *shape, const mot_real *const *w, mot_real *const *g,
                            size_t samples, const encoder_acts *acts, const block_acts *a,
                            const encoder_work *work, mot_part_set learns)
{
    const size_t D = shape->config->width, R = acts->rows, pieces = pieces_of(R);
    mot_attention_backward(shape->precision, work->d_wide, work->attention, work->d_narrow, a->qkv, a->prob,
                           acts->first, samples, D, shape->config->heads);
    if (learns >> MOT_PART_ATTENTION & 1)
        linear_weight(work, g[QKV_WEIGHT], work->d_wide, a->norm1, R, D, 3 * D);
    mot_real *room = work->weights;
    const mot_factor qkv = transpose_of(work, &room, w[QKV_WEIGHT], D, 3 * D);
    for (size_t p = 0; p < pieces; ++p) {
        const size_t r = mot_part_first(R, pieces, p), n = mot_part_first(R, pieces, p + 1) - r;
        mot_real *d_norm = work->d_narrow + r * D;
        mot_sum_rows(g[QKV_BIAS], work->d_wide + r * 3 * D, n, 3 * D);
        linear_input(work, d_norm, work->d_wide + r * 3 * D, qkv, n, D, 3 * D);
        mot_layernorm_backward(work->d_h + r * D, g[NORM1_GAIN], g[NORM1_BIAS], d_norm, a->in + r * D,
                               a->mean1 + r, a->rstd1 + r, w[NORM1_GAIN], n, D);
    }
}

void mot_encoder_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                          mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                          const mot_real *d_out, mot_part_set learns)
{
    const mot_expert_config *config = shape->config;
    const encoder_acts *acts = kept;
    const size_t D = config->width, C = shape->outputs, n = tile->samples, R = acts->rows;
    const mot_real *const *w = weight + block_at(config->depth);
    mot_real *const *g = gradient + block_at(config->depth);
    encoder_work work;
    mot_encoder_carve_work(shape, arena, n, R, acts->longest, true, &work);

    linear_weight(&work, g[HEAD_WEIGHT], d_out, acts->pooled, n, D, C);
    mot_sum_rows(g[HEAD_BIAS], d_out, n, C);
    mot_real *room = work.weights;
    const mot_factor head = transpose_of(&work, &room, w[HEAD_WEIGHT], D, C);
    linear_input(&work, work.d_pooled, d_out, head, n, D, C);
    pool_backward(shape, tile, acts, work.d_pooled, work.d_narrow);
    memset(work.d_h, 0, R * D * sizeof *work.d_h);
    mot_layernorm_backward(work.d_h, g[NORM_GAIN], g[NORM_BIAS], work.d_narrow, acts->last, acts->mean,
                           acts->rstd, w[NORM_GAIN], R, D);
    for (size_t b = config->depth; b-- > 0;) {
        w = weight + block_at(b);
        g = gradient + block_at(b);
        feed_forward_backward(shape, w, g, acts, &acts->block[b], &work, learns);
        attend_backward(shape, w, g, n, acts, &acts->block[b], &work, learns);
    }
    if (learns >> MOT_PART_EMBED & 1) embed_backward(shape, gradient, tile, acts, &work);
}

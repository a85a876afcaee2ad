/* encoder_private.h: what the sources of the encoder share. */
#ifndef MOT_ENCODER_PRIVATE_H
#define MOT_ENCODER_PRIVATE_H

#include "mot/expert.h"
#include "mot/mixed.h"

/* Rows of the table, in order. */
enum { EMBED_WEIGHT, EMBED_BIAS, POSITION, CLASS_TOKEN, BLOCK_0 };
enum {
    NORM1_GAIN,
    NORM1_BIAS,
    QKV_WEIGHT,
    QKV_BIAS,
    MIX_WEIGHT,
    MIX_BIAS,
    NORM2_GAIN,
    NORM2_BIAS,
    UP_WEIGHT,
    UP_BIAS,
    DOWN_WEIGHT,
    DOWN_BIAS,
    BLOCK_ROWS
};
enum { NORM_GAIN, NORM_BIAS, HEAD_WEIGHT, HEAD_BIAS };              /* behind the last block */
enum { MOST_BLOCKS = 128 }; /* of model.depth */
_Static_assert(BLOCK_0 + MOST_BLOCKS * BLOCK_ROWS + 4 <= MOT_TABLE_ROWS, "the table has room for so many");

static inline size_t class_rows(const mot_expert_shape *shape)
{
    return shape->config->pool == MOT_POOL_CLASS;
}

static inline size_t block_at(size_t b)
{
    return BLOCK_0 + b * BLOCK_ROWS;
}

/* ---- what is kept from forward to backward; R rows of the tile, class tokens included ---- */

typedef struct block_acts {
    mot_real *in;                    /* [R, D] the residual stream before the block */
    mot_real *norm1, *mean1, *rstd1; /* [R, D], [R], [R] */
    mot_real *qkv, *prob, *attended; /* [R, 3D], mot_attention_prob, [R, D] */
    mot_real *middle;                /* [R, D] the residual stream between attention and FFN */
    mot_real *norm2, *mean2, *rstd2;
    mot_real *hidden, *slope; /* [R, F] after GELU, and GELU's derivative */
} block_acts;

typedef struct encoder_acts {
    size_t rows, longest, *first;  /* R; of a sample; [samples + 1] */
    block_acts block[MOST_BLOCKS]; /* without `learn` all blocks share one set, prob and slope are NULL */
    mot_real *last;                /* [R, D] the residual stream after the last block */
    mot_real *norm, *mean, *rstd, *pooled; /* [R, D], [R], [R], [samples, D] */
} encoder_acts;

/* ---- what forward, and backward, need only while they run ---- */

typedef struct encoder_work {
    mot_real *attention; /* mot_attention_scratch */
    mot_mixed mixed;     /* how products are taken */
    mot_real *weights;   /* of a phase that works through the rows piece by piece: as factors */
    /* backward alone */
    mot_real *d_h;      /* [R, D] of the residual stream */
    mot_real *d_narrow; /* [R, D] of a layer's input or output */
    mot_real *d_wide;   /* [R, max(3D, F)] */
    mot_real *d_pooled; /* [samples, D] */
} encoder_work;

/* encoder_memory.c: takes the memory from the arena; NULL arena: only returns its bytes. */
size_t mot_encoder_carve_work(const mot_expert_shape *shape, mot_arena *arena, size_t samples, size_t rows,
                              size_t longest, bool learn, encoder_work *work);
size_t mot_encoder_carve_acts(const mot_expert_shape *shape, mot_arena *arena, size_t samples, size_t rows,
                              size_t prob, bool learn, encoder_acts *acts);

void *mot_encoder_forward(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                          mot_arena *arena, bool learn, mot_real *out);
void mot_encoder_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                          mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                          const mot_real *d_out, mot_part_set learns);

/* ---- linear layers ---- */

/* W [K, M], and W^T, as right operands; what is made of it goes to *room, which moves on. */
static inline mot_factor factor_of(const encoder_work *work, mot_real **room, const mot_real *w, size_t K,
                                   size_t M)
{
    mot_real *const place = *room;
    *room += mot_factor_room(work->mixed.precision, K, M);
    return mot_factor_of(work->mixed.precision, place, w, M, K, M);
}
static inline mot_factor transpose_of(const encoder_work *work, mot_real **room, const mot_real *w, size_t K,
                                      size_t M)
{
    mot_real *const place = *room;
    *room += mot_factor_transposed_room(work->mixed.precision, M, K);
    return mot_factor_transposed(work->mixed.precision, place, w, M, M, K);
}

/* ---- rows piece by piece ---- */

/* A phase takes each piece of the rows through several layers while it is in the cache. With every piece the weights are
 * read once more: where samples are short, a tile is one piece. */
enum { PIECE_ROWS = 512 };

static inline size_t pieces_of(size_t rows)
{
    return (rows + PIECE_ROWS - 1) / PIECE_ROWS;
}

#endif

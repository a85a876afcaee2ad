/* blocks_private.h: what the sources of the kind `blocks` share. */
#ifndef MOT_BLOCKS_PRIVATE_H
#define MOT_BLOCKS_PRIVATE_H

#include "stack_private.h"

/* Rows of the table, block after block. */
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
    DOWN_BIAS
};
_Static_assert(DOWN_BIAS + 1 == BLOCK_ROWS, "all rows of a block");

/* What a block keeps from forward to backward; R rows of the tile. Without `learn` all blocks share one set. */
typedef struct block_acts {
    mot_real *in;                    /* [R, D] the residual stream before the block; NULL: the first's is the tile's x */
    mot_real *norm1, *mean1, *rstd1; /* [R, D], [R], [R] */
    mot_real *qkv, *prob, *attended; /* [R, 3D], mot_attention_prob (NULL without `learn`), [R, D] */
    mot_real *middle;                /* [R, D] the residual stream between attention and FFN */
    mot_real *norm2, *mean2, *rstd2;
    mot_real *hidden, *slope; /* [R, F] after GELU, and GELU's derivative (NULL without `learn`) */
} block_acts;

/* The weights of a block as right operands, made once for many tiles. */
typedef struct block_factors {
    mot_factor qkv, mix, up, down;                             /* of forward */
    mot_factor qkv_across, mix_across, up_across, down_across; /* of backward */
} block_factors;

/* What forward, and backward, need only while they run. */
typedef struct blocks_work {
    linear_work linear;
    mot_real *attention; /* mot_attention_scratch */
    /* backward alone */
    mot_real *d_narrow; /* [R, D] of a layer's input or output */
    mot_real *d_wide;   /* [R, max(3D, F)] */
} blocks_work;

/* blocks_memory.c: takes the memory from the arena; NULL arena: only returns its bytes. `acts`: an array, of `depth` to learn. */
size_t mot_blocks_carve_acts(const mot_expert_shape *shape, mot_arena *arena, size_t R, size_t prob, bool learn,
                             block_acts **acts);
size_t mot_blocks_prepared(const mot_expert_shape *shape);
const void *mot_blocks_prepare(const mot_expert_shape *shape, const mot_real *const *weight, mot_arena *arena, bool learn);
size_t mot_blocks_carve_work(const mot_expert_shape *shape, mot_arena *arena, size_t R, size_t longest,
                             bool learn, blocks_work *work);

/* blocks_passes.c */
void *mot_blocks_forward(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                         mot_arena *arena, bool learn, mot_real *out);
void mot_blocks_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                         mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                         const mot_real *d_out, mot_real *d_in, mot_part_set learns);

/* blocks_look.c */
size_t mot_blocks_look_bytes(const mot_expert_shape *shape);
size_t mot_blocks_look(const mot_expert_shape *shape, const mot_tile *tile, mot_arena *arena, const void *kept, size_t s,
                       float *received, float *rollout);

#endif

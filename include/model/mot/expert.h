/* expert.h: an expert kind is everything a rank needs to run one expert, as a table of functions.
 *
 * An expert maps a sample's tokens to C outputs; a part of one (stack_kinds.h) may give or take a sample's state, rows of
 * D = config->width numbers, in their place. It works tile by tile: a few samples go forward, their d_output is
 * found by the caller (from the label on the spot, or from what came back over the network), and they go backward
 * before the next tile, so that activations stay in the cache and memory does not grow with the batch. What is kept
 * between forward and backward lies in the caller's arena.
 *
 * A strip is a number of consecutive tiles whose gradient is summed by itself and then added to the expert's, strip
 * after strip: what threads and ranks share out. So strips, like tiles, belong to the model, never to the machine.
 *
 * Weights and gradients are handed over as arrays of pointers, one a row of the kind's table: a tied tensor's weight
 * is then the shared one while its gradient is the expert's own. Nothing here knows of ranks. */
#ifndef MOT_EXPERT_H
#define MOT_EXPERT_H

#include "mot/kinds.h"
#include "mot/memory.h"
#include "mot/model_config.h"

/* Samples of a tile, one after another: sample s has rows [first[s], first[s + 1]). Either x or id is set. */
typedef struct mot_tile {
    size_t samples;
    const size_t *first; /* [samples + 1] */
    const mot_real *x;   /* [rows, width] */
    const int32_t *id;   /* [rows], each in [0, vocabulary) */
    const mot_real *column; /* x once more, [width, mot_padded(rows)], where the caller has it; else NULL */
    const void *prepared;   /* what the kind's prepare made of these weights; NULL: it was not asked */
} mot_tile;

/* What decides an expert's table and memory. */
typedef struct mot_expert_shape {
    const mot_expert_config *config;  /* not owned */
    size_t tokens, width, vocabulary; /* of a sample: the most tokens; numbers a token (0: ids); ids */
    size_t outputs;                   /* C */
    mot_precision precision;          /* of products; bf16 only where the kind has it and the processor too */
} mot_expert_shape;

/* A product C[m, n] = op(A)[m, k] op(B)[k, n], op transposing where said, and how often it is taken. */
typedef struct mot_gemm_shape {
    size_t m, n, k;
    bool transpose_a, transpose_b;
    double times;
} mot_gemm_shape;
enum { MOT_MOST_GEMMS = 32 };

/* Several experts of one rank on the same tile, where all see all samples (soft routing): weights and gradients follow each
 * other, [experts * rows of the table]; out and d_out [experts, samples, C]; keep [experts, samples, kept], what backward
 * wants of forward (NULL: it is not wanted). The bits are those of one after another. */
typedef struct mot_expert_team {
    size_t kept; /* numbers of a sample and an expert */
    size_t (*workspace)(const mot_expert_shape *shape, size_t experts);
    void (*forward)(const mot_expert_shape *shape, size_t experts, const mot_real *const *weight,
                    const mot_tile *tile, mot_arena *arena, mot_real *keep, mot_real *out);
    void (*backward)(const mot_expert_shape *shape, size_t experts, const mot_real *const *weight,
                     mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, const mot_real *keep,
                     const mot_real *d_out, mot_part_set learns);
} mot_expert_team;

typedef struct mot_expert_kind {
    mot_kind kind; /* its name is a value of model.kind */
    bool bf16; /* whether it can take its products in bf16 */
    bool rows;      /* out is state rows [R, D], R by mot_expert_rows; else [samples, C] */
    bool class_row; /* of such a kind: where model.pool is class it puts the class token's row before each sample's */
    bool hands_on;  /* backward can give d_in */
    bool directed; /* its first tensor, one number a feature of a sample, counts by its direction alone: a spread gate's
                      initial directions are orthogonal to it */
    /* Adds its tensors, each with its part. */
    mot_status (*table)(const mot_expert_shape *shape, mot_table *table);
    /* Samples a tile: a function of the shape alone, never of the machine or the ranks. */
    size_t (*tile)(const mot_expert_shape *shape);
    /* Bytes of arena that forward and backward of a full tile take. */
    size_t (*workspace)(const mot_expert_shape *shape);
    /* Bytes of it that stay taken between the two (stack_kinds.h); NULL: all of it may. */
    size_t (*kept)(const mot_expert_shape *shape);
    /* What forward, and with `learn` backward, can use of the weights for as many tiles as these stay as they are: made in the
     * arena, of `prepared` bytes, and handed over as tile->prepared. The bits are the same without. NULL: there is nothing. */
    size_t (*prepared)(const mot_expert_shape *shape);
    const void *(*prepare)(const mot_expert_shape *shape, const mot_real *const *weight, mot_arena *arena, bool learn);
    /* out [samples, C] or [R, D]. `learn`: keeps activations in the arena; the result is what backward wants, NULL
     * otherwise. */
    void *(*forward)(const mot_expert_shape *shape, const mot_real *const *weight, const mot_tile *tile,
                     mot_arena *arena, bool learn, mot_real *out);
    /* Adds to the gradients (+=) for d_out = dL/d out of the same tile. Those of tensors whose part is not in `learns`
     * need not be written: what is frozen need not cost. d_in = dL/d x is written (=), like the tile's x; NULL: not wanted,
     * as it must be of a kind that hands nothing on. */
    void (*backward)(const mot_expert_shape *shape, const mot_real *const *weight, mot_real *const *gradient,
                     const mot_tile *tile, mot_arena *arena, void *kept, const mot_real *d_out,
                     mot_real *d_in, mot_part_set learns);
    /* Where the expert looks: of sample s of a tile that went forward with `learn`, whose `kept` this is. Its rows are its
     * tokens and, where model.pool is class, before them the class token's; how many, R, comes back. Queries i are weighed as
     * the head takes them: q_i is 1 / R, or where model.pool is class 1 for the class token's row alone.
     *      received [depth, heads, R]   received_bhj = sum_i q_i a_bhij, with the probabilities a of block b and head h
     *      rollout [R]                  q^T (I + A_depth) / 2 ... (I + A_1) / 2, A_b the mean of a over the heads of block b
     * The second is attention rollout (Abnar and Zuidema, ACL 2020) through the blocks of this expert. Each sums to 1 over j.
     * depth and heads are those of `config`. Rewinds the arena. NULL: the kind has no attention to show. */
    size_t (*look)(const mot_expert_shape *shape, const mot_tile *tile, mot_arena *arena, const void *kept, size_t s,
                   float *received, float *rollout);
    const mot_expert_team *team; /* NULL: one after another is as good */
    /* Floating point operations of one forward pass over a sample of `tokens` tokens; and of backward, for parts that learn (NULL:
     * twice forward's, whatever learns). */
    double (*flops)(const mot_expert_shape *shape, size_t tokens);
    double (*backward_flops)(const mot_expert_shape *shape, size_t tokens, mot_part_set learns);
    /* The products that learning from a full tile of the longest samples takes; returns how many there are. What an
     * expert's speed is compared with: the same products, and nothing between them. */
    size_t (*products)(const mot_expert_shape *shape, mot_gemm_shape product[MOT_MOST_GEMMS]);
} mot_expert_kind;

/* Samples a strip, whole tiles: the configured number, or so many that adding a strip's gradient costs less than 2 % of
 * working it out, and that a strip is worth handing to a thread. A function of the shape alone. */
size_t mot_expert_strip(const mot_expert_kind *kind, const mot_expert_shape *shape, const mot_table *table);

/* Bytes of arena that preparing takes; and what comes of it for so many tiles, NULL where it would not pay. */
size_t mot_expert_prepared(const mot_expert_kind *kind, const mot_expert_shape *shape);
const void *mot_expert_prepare(const mot_expert_kind *kind, const mot_expert_shape *shape, const mot_real *const *weight,
                               mot_arena *arena, size_t tiles, bool learn);

static inline double mot_expert_backward_flops(const mot_expert_kind *kind, const mot_expert_shape *shape, size_t tokens,
                                               mot_part_set learns)
{
    return kind->backward_flops != NULL ? kind->backward_flops(shape, tokens, learns) : 2 * kind->flops(shape, tokens);
}

/* Of all samples of a tile: forward, and backward for parts that learn. */
double mot_expert_tile_flops(const mot_expert_kind *kind, const mot_expert_shape *shape, const mot_tile *tile);
double mot_expert_tile_backward_flops(const mot_expert_kind *kind, const mot_expert_shape *shape, const mot_tile *tile,
                                      mot_part_set learns);

/* Rows that a sample of so many rows (tokens) has on the way out: 1 where the kind gives no states. */
size_t mot_expert_rows(const mot_expert_kind *kind, const mot_expert_shape *shape, size_t tokens);

/* All kinds, in the order of the option model.kind. */
extern mot_kinds mot_expert_kinds;
static inline const mot_expert_kind *mot_expert_kind_at(int row)
{
    return (const mot_expert_kind *)mot_expert_kinds.row[row];
}

#endif

/* stack_private.h: what the sources of the encoder and of the kinds that it is stacked of share. */
#ifndef MOT_STACK_PRIVATE_H
#define MOT_STACK_PRIVATE_H

#include "mot/mixed.h"
#include "mot/stack_kinds.h"

/* Rows of the tables: embed's, one block's. */
enum { EMBED_ROWS = 4, BLOCK_ROWS = 12 };

static inline size_t class_rows(const mot_expert_shape *shape)
{
    return shape->config->pool == MOT_POOL_CLASS;
}

/* stack_private.c: samples a tile, the longest of which has so many rows. */
size_t mot_stack_tile(const mot_expert_shape *shape, size_t rows);

/* ---- tables ---- */

/* A row's shape is [rows] or, with columns, [rows, columns]; a deviation above 0 makes it a matrix that decays. */
typedef struct row_init {
    const char *name;
    size_t rows, columns;
    double mean, deviation;
} row_init;

mot_status mot_stack_table(mot_table *table, mot_part part, const char *prefix, size_t count,
                           const row_init *init);

/* ---- memory ---- */

/* The same walk over the arena sizes it and carves it. NULL arena: only adds up *bytes. */
void *mot_stack_carve(mot_arena *arena, size_t *bytes, size_t count, size_t size);

/* ---- linear layers ---- */

typedef struct linear_work {
    mot_mixed mixed;   /* how products are taken */
    mot_real *weights; /* those of a phase that works through the rows piece by piece: as factors */
} linear_work;

/* Numbers of linear_work.mixed.operands for layers [K, M] over R rows. */
static inline size_t linear_operands(mot_precision precision, size_t R, size_t K, size_t M, bool learn)
{
    const size_t forward = mot_mixed_operands(precision, MOT_MAX(K, M));
    return learn ? MOT_MAX(forward, mot_mixed_across_operands(precision, K, M, R)) : forward;
}

/* W [K, M], or W^T (`across`), as a right operand for many tiles, in a place that is carved for it (mot_stack_carve: NULL arena). */
mot_factor mot_stack_prepare(mot_precision precision, mot_arena *arena, size_t *bytes, const mot_real *w, size_t K, size_t M,
                             bool across);

/* Its three products: forward, and the gradients of weights and input. */
size_t mot_stack_linear_products(mot_gemm_shape *product, size_t R, size_t K, size_t M, double times);

/* W [K, M], and W^T, as right operands; what is made of it goes to *room, which moves on. */
static inline mot_factor factor_of(const linear_work *work, mot_real **room, const mot_real *w, size_t K,
                                   size_t M)
{
    mot_real *const place = *room;
    *room += mot_factor_room(work->mixed.precision, K, M);
    return mot_factor_of(work->mixed.precision, place, w, M, K, M);
}
static inline mot_factor transpose_of(const linear_work *work, mot_real **room, const mot_real *w,
                                      size_t K, size_t M)
{
    mot_real *const place = *room;
    *room += mot_factor_transposed_room(work->mixed.precision, M, K);
    return mot_factor_transposed(work->mixed.precision, place, w, M, M, K);
}

/* y [R, M] = x [R, K] w + bias (+ start [R, M], which may be NULL) */
static inline void linear(const linear_work *work, mot_real *y, const mot_real *start, const mot_real *x,
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

/* d_x [R, K] = d_y [R, M] across, where `across` is w^T. */
static inline void linear_input(const linear_work *work, mot_real *d_x, const mot_real *d_y, mot_factor across,
                                size_t R, size_t K, size_t M)
{
    mot_mixed_multiply(
        &work->mixed,
        &(mot_mixed_product){.m = R, .n = K, .k = M, .a = d_y, .lda = M, .b = across, .c = d_x, .ldc = K});
}

/* d_w [K, M] += x^T d_y, over R rows. */
static inline void linear_weight(const linear_work *work, mot_real *d_w, const mot_real *d_y, const mot_real *x,
                                 size_t R, size_t K, size_t M)
{
    mot_mixed_multiply_across(&work->mixed, d_w, M, x, K, d_y, M, K, M, R, true);
}

#endif

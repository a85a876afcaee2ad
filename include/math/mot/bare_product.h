/* bare_product.h: a matrix product taken alone: what the experts' speed is compared with.
 *
 * In fp32 OpenBLAS takes it; in bf16 mot_multiply_bf16, of operands that count as rounded already. Not collective. */
#ifndef MOT_BARE_PRODUCT_H
#define MOT_BARE_PRODUCT_H

#include "mot/mixed.h"

/* C[m, n] = op(A)[m, k] op(B)[k, n], op transposing where asked; a, b and c have mot_bare_room numbers, and lie as the
 * precision wants them. */
size_t mot_bare_room(mot_precision precision, size_t m, size_t n, size_t k);
void mot_bare_multiply(mot_precision precision, bool transpose_a, bool transpose_b, size_t m, size_t n,
                       size_t k, const mot_real *a, const mot_real *b, mot_real *c);

/* GFLOP/s of C[m, n] = A[m, k] B[k, n] on this core now: the best of eight runs of 2 ms, or of one product where that
 * takes longer. 0 when memory is short. */
double mot_bare_peak(mot_precision precision, size_t m, size_t n, size_t k);

#endif

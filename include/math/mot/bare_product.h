/* bare_product.h: a matrix product taken alone: what the experts' speed is compared with. Not collective. */
#ifndef MOT_BARE_PRODUCT_H
#define MOT_BARE_PRODUCT_H

#include "mot/mixed.h"

/* Who takes it: OpenBLAS, mot_multiply, or mot_multiply_bf16 of operands that count as rounded already. */
typedef enum mot_bare { MOT_BARE_OPENBLAS, MOT_BARE_OWN, MOT_BARE_OWN_BF16, MOT_BARES } mot_bare;

/* "openblas", "mot", "mot_bf16" */
extern const char *const mot_bare_name[];

/* How many of them, the first ones, an expert of that precision is compared with. */
int mot_bare_count(mot_precision precision);

/* C[m, n] = op(A)[m, k] op(B)[k, n], op transposing where asked; a, b and c have mot_bare_room numbers, and lie as it is
 * best for who takes it: in OpenBLAS alone is a transposed B transposed. */
size_t mot_bare_room(mot_precision precision, size_t m, size_t n, size_t k);
void mot_bare_multiply(mot_bare by, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k,
                       const mot_real *a, const mot_real *b, mot_real *c);

/* FLOP/s of such a product by each of those of the precision, speed [mot_bare_count]: the best of `runs` runs of `run_s`
 * seconds, or of one product where that takes longer, taken in turns. 0 when memory is short. */
void mot_bare_speeds(mot_precision precision, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, int runs,
                     double run_s, double speed[MOT_BARES]);

/* The fastest's, whose name *by becomes. */
double mot_bare_peak(mot_precision precision, bool transpose_a, bool transpose_b, size_t m, size_t n,
                     size_t k, int runs, double run_s, mot_bare *by);

#endif

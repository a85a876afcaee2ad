/* product.h: matrix products for the few shapes of a transformer.
 *
 *      C = A B (+ bias) (+ start)
 *
 * An element of C is one sum over k, in order, broken only at multiples of MOT_PRODUCT_DEPTH: its bits do not depend
 * on where its row and column stand, nor on how many there are. So the same rows may be multiplied together or in
 * pieces. (OpenBLAS' sums depend on the number of rows.) Row-major everywhere; nothing fails, nothing is allocated. */
#ifndef MOT_PRODUCT_H
#define MOT_PRODUCT_H

#include "mot/real.h"
#include "mot/types.h"

enum { MOT_PRODUCT_DEPTH = 512 };

typedef struct mot_product {
    size_t m, n, k;
    const mot_real *a; /* element (i, k) of A stands at a[i a_row + k a_step]: a_row 1 is a transposed A */
    size_t a_row, a_step;
    const mot_real *b; /* [k, n], rows ldb apart; ldb 0: as mot_pack leaves it */
    size_t ldb;
    const mot_real *bias;  /* [n], or NULL */
    const mot_real *start; /* [m, n], rows ldc apart, or NULL; may be c: then C += A B */
    mot_real *c;           /* [m, n], rows ldc apart; overlaps neither A nor B */
    size_t ldc;
} mot_product;

/* Fastest where n is a multiple of the processor's vectors (vector.h), and a_step or a_row is 1. */
void mot_multiply(const mot_product *product);

/* A right operand [k, n] that is multiplied with often, laid out in the order in which it is read: b, rows ldb apart; or the
 * transpose of w [n, k], rows ldw apart. The bits of products do not change. */
size_t mot_packed(size_t k, size_t n); /* numbers that it takes */
void mot_pack(mot_real *to, const mot_real *b, size_t ldb, size_t k, size_t n);
void mot_pack_transposed(mot_real *to, const mot_real *w, size_t ldw, size_t k, size_t n);

/* to [columns, rows] = the transpose of from [rows, columns], rows ldto and ldfrom apart: for a transposed B. The rows
 * of `to` are filled up with zeros to whole vectors, so ldto >= mot_padded(rows). */
void mot_transpose(mot_real *to, size_t ldto, const mot_real *from, size_t ldfrom, size_t rows,
                   size_t columns);

#endif

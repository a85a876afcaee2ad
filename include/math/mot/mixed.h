/* mixed.h: matrix products with their operands in fp32 (product.h), or rounded to bfloat16 (product_bf16.h), as asked for.
 *
 * A right operand is made once and then multiplied with as often as needed; left operands are rounded piece by piece just
 * before they are multiplied. What is kept between calls, and all results, are fp32. The bits of a row of C do not
 * depend on the rows beside it. Row-major; nothing fails, nothing is allocated. */
#ifndef MOT_MIXED_H
#define MOT_MIXED_H

#include "mot/real.h"
#include "mot/types.h"

/* bf16 only where mot_bf16_available(). */
typedef enum mot_precision { MOT_PRECISION_FP32, MOT_PRECISION_BF16 } mot_precision;

typedef struct mot_mixed {
    mot_precision precision;
    mot_real *operands; /* the most of mot_mixed_operands and mot_mixed_across_operands of all products; not owned */
} mot_mixed;

/* A right operand [k, n]. */
typedef struct mot_factor {
    const mot_real *at; /* in bf16 as mot_right leaves it */
    size_t row;         /* fp32: its rows lie so far apart; 0: as mot_pack leaves it */
} mot_factor;

/* Numbers of room that a factor [k, n] takes: in fp32 none, and when it is a transpose k whole vectors. */
size_t mot_factor_room(mot_precision precision, size_t k, size_t n);
size_t mot_factor_transposed_room(mot_precision precision, size_t k, size_t n);
/* w [k, n], rows ldw apart: in fp32 w itself, which must stay as it is; in bf16 in `room`. */
mot_factor mot_factor_of(mot_precision precision, mot_real *room, const mot_real *w, size_t ldw, size_t k,
                         size_t n);
/* The transpose of w [n, k], in `room`; columns behind n, up to a whole vector (vector.h), are zeros. */
mot_factor mot_factor_transposed(mot_precision precision, mot_real *room, const mot_real *w, size_t ldw,
                                 size_t k, size_t n);

/* Those two for many products: in fp32 packed as well, in `room` of mot_factor_packed_room numbers. The bits are the same. */
size_t mot_factor_packed_room(mot_precision precision, size_t k, size_t n);
mot_factor mot_factor_packed(mot_precision precision, mot_real *room, const mot_real *w, size_t ldw, size_t k, size_t n);
mot_factor mot_factor_packed_transposed(mot_precision precision, mot_real *room, const mot_real *w, size_t ldw, size_t k,
                                        size_t n);

/* c [m, n] = a [m, k] b (+ bias [n]) (+ start [m, n]); rows of a lie lda, those of c and start ldc apart. bias and start
 * may be NULL, start may be c. */
typedef struct mot_mixed_product {
    size_t m, n, k;
    const mot_real *a;
    size_t lda;
    mot_factor b;
    const mot_real *bias, *start;
    mot_real *c;
    size_t ldc;
} mot_mixed_product;
size_t mot_mixed_operands(mot_precision precision, size_t k);
void mot_mixed_multiply(const mot_mixed *mixed, const mot_mixed_product *product);

/* c [m, n] = a^T b, or += where `add`, with a [k, m] and b [k, n], rows lda and ldb apart: a sum over rows, as a weight's
 * gradient is. */
size_t mot_mixed_across_operands(mot_precision precision, size_t m, size_t n, size_t k);
void mot_mixed_multiply_across(const mot_mixed *mixed, mot_real *c, size_t ldc, const mot_real *a, size_t lda,
                               const mot_real *b, size_t ldb, size_t m, size_t n, size_t k, bool add);

#endif

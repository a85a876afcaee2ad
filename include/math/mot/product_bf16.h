/* product_bf16.h: matrix products of numbers rounded to bfloat16, summed up in fp32.
 *
 *      C = A B (+ bias) (+ start)        A, B rounded; C, bias, start fp32
 *
 * Operands are rounded once, in the order in which they are multiplied; then the processor's own instruction takes two
 * numbers of a row of A and two of a column of B at a time:
 *
 *      pair of A    a(i, 2p)  a(i, 2p + 1)             pair of B    b(2p, j)  b(2p + 1, j)
 *      C(i, j)      (((0 + pair 0) + pair 1) + pair 2) ...
 *
 * where, by Intel's manual, of a pair the upper numbers' product is added first, each with one rounding. By tiles, which
 * processors with AMX have, 32 numbers of k at a time, the lower numbers of 16 pairs are one sum and the upper ones another:
 *
 *      C(i, j)      ((0 + (lower of pairs 0 .. 15 + upper)) + (lower of pairs 16 .. 31 + upper)) ...
 *
 * The bits are others, so all ranks of a job do it alike.
 *
 * As with mot_multiply, an element is one sum over k, in order, whose bits do not depend on where its row and column
 * stand, nor on how many there are. Rounding is that of payload.h, but numbers too small to be normal become 0. Nothing
 * fails, nothing is allocated; an odd k is filled up with a zero. */
#ifndef MOT_PRODUCT_BF16_H
#define MOT_PRODUCT_BF16_H

#include "mot/real.h"
#include "mot/types.h"

/* Whether this processor, and this build, can: what is below must not be called otherwise. Never with mot_real double. */
bool mot_bf16_available(void);

/* Whether besides there are tiles, which the system then keeps for this process from the call on; and whether mot_multiply_bf16
 * takes them, which it does not unless it is told to: not while products are being taken. */
bool mot_tiles_available(void);
void mot_take_tiles(bool take);

/* Two bfloat16 in the place of a number, the one with the lower k in the lower half. */
typedef mot_real mot_pair;

/* ---- operands ---- */

enum { MOT_PAIR_LANES = 16, MOT_PAIR_PANEL = 2 * MOT_PAIR_LANES };

/* Numbers of a row that n pairs take: whole vectors, and no power of two, which would crowd in few places of the
 * cache. */
static inline size_t mot_pair_row(size_t n)
{
    const size_t row = (n + MOT_PAIR_LANES - 1) / MOT_PAIR_LANES * MOT_PAIR_LANES;
    return row % 256 == 0 ? row + MOT_PAIR_LANES : row;
}

/* Pairs that an operand takes. */
static inline size_t mot_left_pairs(size_t m, size_t k)
{
    return m * mot_pair_row((k + 1) / 2);
}
static inline size_t mot_left_transposed_pairs(size_t m, size_t k)
{
    return (k + 1) / 2 * mot_pair_row(m);
}
static inline size_t mot_right_pairs(size_t k, size_t n)
{
    return (n + MOT_PAIR_PANEL - 1) / MOT_PAIR_PANEL * MOT_PAIR_PANEL * ((k + 1) / 2);
}

/* A = x [m, k], rows ldx apart. Its rows lie mot_pair_row((k + 1) / 2) apart, so that some of them are an A, too. */
void mot_left(mot_pair *to, const mot_real *x, size_t ldx, size_t m, size_t k);
/* A = x^T with x [k, m]. */
void mot_left_transposed(mot_pair *to, const mot_real *x, size_t ldx, size_t m, size_t k);
/* B = w [k, n]. */
void mot_right(mot_pair *to, const mot_real *w, size_t ldw, size_t k, size_t n);
/* B = w^T with w [n, k]. */
void mot_right_transposed(mot_pair *to, const mot_real *w, size_t ldw, size_t k, size_t n);

/* ---- the product ---- */

typedef struct mot_product_bf16 {
    size_t m, n, k;
    const mot_pair *a;     /* from mot_left, or, `transposed`, from mot_left_transposed */
    const mot_pair *b;     /* from mot_right or mot_right_transposed */
    const mot_real *bias;  /* [n], or NULL */
    const mot_real *start; /* [m, n], rows ldc apart, or NULL; may be c: then C += A B */
    mot_real *c;           /* [m, n], rows ldc apart; overlaps neither A nor B */
    size_t ldc;
    bool transposed;
} mot_product_bf16;

void mot_multiply_bf16(const mot_product_bf16 *product);

#endif

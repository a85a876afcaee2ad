/* merged_lanes.h: what the expert kind `merged` computes within one sample, LANES tokens side by side.
 *
 * Only the numbers of the sample's own tokens mean anything. The lanes behind its last token hold what lay there (the
 * sample behind it, or zeros), as do rows that are made EIGHT at a time; none of them is read into another lane or row. */
#ifndef MOT_MERGED_LANES_H
#define MOT_MERGED_LANES_H

#include <string.h>

#include "mot/product.h"
#include "mot/rowops.h"

enum {
    LANES = MOT_LANES,
    EIGHT = 8, /* rows that share the reading of another: as many sums as the processor adds up at a time; */
    FOUR = 4,  /* where their factors lie apart, and each needs an address */
    BEHIND = MOT_LANES > EIGHT ? MOT_LANES : EIGHT, /* numbers that may be read behind a row's last */
};

/* n rounded up to whole vectors. */
static inline size_t padded(size_t n)
{
    return mot_padded(n);
}

/* A sum of rows, LANES columns of it: sum[r stride + k] = sum_m factor[r pitch + m step] row[m length + k] for
 * r < count. Several at a time; each is added up in the same order as alone. */
typedef struct lane_sum {
    const mot_real *factor;
    size_t pitch, step;
    const mot_real *row;
    size_t length, terms;
} lane_sum;

static inline __attribute__((always_inline)) void combine_rows(const size_t rows, mot_real *sum, size_t stride,
                                                               const lane_sum *of, size_t r)
{
    mot_vector s[EIGHT];
    const mot_real *factor = of->factor + r * of->pitch, *row = of->row;
    const size_t pitch = of->pitch, step = of->step, length = of->length;
#pragma GCC unroll 8
    for (size_t i = 0; i < rows; ++i) s[i] = (mot_vector){0};
    for (size_t m = of->terms; m > 0; --m, factor += step, row += length) {
        const mot_vector x = mot_load(row);
#pragma GCC unroll 8
        for (size_t i = 0; i < rows; ++i) s[i] = mot_fused(mot_all(factor[i * pitch]), x, s[i]);
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < rows; ++i) mot_store(sum + (r + i) * stride, s[i]);
}

static inline __attribute__((always_inline)) void combine(mot_real *sum, size_t stride, const lane_sum *of,
                                                          size_t count)
{
    size_t r = 0;
    for (; r + FOUR <= count; r += FOUR) combine_rows(FOUR, sum, stride, of, r);
    for (; r < count; ++r) combine_rows(1, sum, stride, of, r);
}

/* The softmax down LANES columns of p [l, stride]. */
static inline void softmax_lanes(mot_real *p, size_t l, size_t stride)
{
    mot_vector top = mot_load(p), sum = {0};
    for (size_t j = 1; j < l; ++j) top = mot_larger(mot_load(p + j * stride), top);
    for (size_t j = 0; j < l; ++j) {
        const mot_vector e = mot_vector_exp(mot_load(p + j * stride) - top);
        mot_store(p + j * stride, e);
        sum += e;
    }
    sum = 1 / sum;
    for (size_t j = 0; j < l; ++j) mot_store(p + j * stride, mot_load(p + j * stride) * sum);
}

/* prob [l keys, padded(l) queries] of a sample whose tokens are columns of x [D, length], and those of B = A X^T of b
 * [D, length]. Rows are made EIGHT at a time: samples go in order, each over what stands behind the last. */
static inline void attend(const mot_real *x, const mot_real *b, size_t length, size_t l, size_t D, mot_real *prob)
{
    const size_t stride = padded(l);
    for (size_t i = 0; i < l; i += LANES) {
        for (size_t j = 0; j < l; j += EIGHT)
            combine_rows(EIGHT, prob + i, stride, &(lane_sum){x, 1, length, b + i, length, D}, j);
        softmax_lanes(prob + i, l, stride);
    }
}

/* a [J, padded(l)] = S z of a sample; without attention (prob NULL) a = z. */
static inline void mix(const mot_real *prob, const mot_real *z, size_t length, size_t l, size_t J,
                       mot_real *a)
{
    const size_t stride = padded(l);
    for (size_t i = 0; i < l && prob != NULL; i += LANES)
        combine(a + i, stride, &(lane_sum){z, length, 1, prob + i, stride, l}, J);
    for (size_t n = 0; n < J && prob == NULL; ++n) memcpy(a + n * stride, z + n * length, stride * sizeof *a);
}

/* LANES of it: sum_i d_i prob[j][i] of the keys j from `from` on. */
static inline mot_vector unmix_keys(const mot_real *prob, const mot_real *d, size_t l, size_t from)
{
    const size_t stride = padded(l), count = MOT_MIN(l - from, (size_t)LANES);
    mot_vector key[LANES];
#pragma GCC unroll 16
    for (size_t j = 0; j < LANES; ++j) {
        const mot_real *row = prob + (from + MOT_MIN(j, count - 1)) * stride; /* there is nothing behind the last */
        mot_vector sum = {0};
        for (size_t i = 0; i < l; i += LANES)
            sum = mot_fused(mot_load(d + i), mot_first_lanes(mot_load(row + i), l - i, 0), sum);
        key[j] = sum;
    }
    return mot_lanes_sums(key);
}

/* q [J, length] = S^T d of a sample, one number for each key. Without attention q = d. Writes whole vectors: samples go in
 * order, each over the end of the last. For many neurons S is turned round, in `square` [l, padded(l)]. */
static inline void unmix(const mot_real *prob, const mot_real *d, size_t l, size_t J, mot_real *square, mot_real *q,
                         size_t length)
{
    const size_t stride = padded(l);
    if (prob != NULL && J >= FOUR) {
        mot_transpose(square, stride, prob, stride, l, l);
        for (size_t j = 0; j < l; j += LANES) combine(q + j, length, &(lane_sum){d, stride, 1, square + j, stride, l}, J);
        return;
    }
    for (size_t n = 0; n < J; ++n, q += length, d += stride) {
        for (size_t j = 0; j < l && prob != NULL; j += LANES) mot_store(q + j, unmix_keys(prob, d, l, j));
        if (prob == NULL) memcpy(q, d, stride * sizeof *q);
    }
}

/* t [l keys, padded(l) queries]: T_ij = s_ij sum_n d_in (z_jn - a_in). */
static inline void score_gradient(const mot_real *prob, const mot_real *d, const mot_real *a,
                                  const mot_real *z, size_t length, size_t l, size_t J, mot_real *t)
{
    const size_t stride = padded(l);
    for (size_t i = 0; i < l; i += LANES) {
        mot_vector own = {0};
        for (size_t n = 0; n < J; ++n) own = mot_fused(mot_load(d + n * stride + i), mot_load(a + n * stride + i), own);
        combine(t + i, stride, &(lane_sum){z, 1, length, d + i, stride, J}, l);
        for (size_t at = i; at < l * stride; at += stride) mot_store(t + at, mot_load(prob + at) * (mot_load(t + at) - own));
    }
}

/* y [l, D] = T^T X of a sample. */
static inline void gather_queries(const mot_real *t, const mot_real *x, size_t l, size_t D, mot_real *y)
{
    const size_t stride = padded(l);
    size_t from = 0;
    for (; from + LANES <= D; from += LANES)
        combine(y + from, D, &(lane_sum){t, stride, 1, x + from, D, l}, l);
    for (; from < D; ++from)
        for (size_t j = 0; j < l; ++j) {
            mot_real sum = 0;
            for (size_t i = 0; i < l; ++i) sum += t[j * stride + i] * x[i * D + from];
            y[j * D + from] = sum;
        }
}

#endif

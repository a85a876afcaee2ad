/* merged_lanes.h: what the expert kind `merged` computes within one sample, LANES tokens side by side.
 *
 * Only the numbers of the sample's own tokens mean anything. The lanes behind its last token hold what lay there (the
 * sample behind it, or zeros); none of them is read into another lane. */
#ifndef MOT_MERGED_LANES_H
#define MOT_MERGED_LANES_H

#include <string.h>

#include "mot/rowops.h"

enum { LANES = 8 };

/* LANES numbers anywhere in memory: loops over arrays of them are not reliably kept in registers. */
typedef mot_real lanes
    __attribute__((vector_size(LANES * sizeof(mot_real)), aligned(sizeof(mot_real)), may_alias));

/* n rounded up to whole vectors. */
static inline size_t padded(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* A sum of rows, LANES columns of it: sum[r stride + k] = sum_m factor[r pitch + m step] row[m length + k] for
 * r < count. Four at a time share the reading of a row; each is added up in the same order as alone. */
typedef struct lane_sum {
    const mot_real *factor;
    size_t pitch, step;
    const mot_real *row;
    size_t length, terms;
} lane_sum;

static inline void combine_four(mot_real *sum, size_t stride, const lane_sum *of, size_t r)
{
    lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    const mot_real *f0 = of->factor + r * of->pitch, *f1 = f0 + of->pitch, *f2 = f1 + of->pitch,
                   *f3 = f2 + of->pitch, *row = of->row;
    for (size_t m = 0, at = 0; m < of->terms; ++m, at += of->step, row += of->length) {
        const lanes x = *(const lanes *)row;
        s0 += f0[at] * x;
        s1 += f1[at] * x;
        s2 += f2[at] * x;
        s3 += f3[at] * x;
    }
    *(lanes *)(sum + r * stride) = s0;
    *(lanes *)(sum + (r + 1) * stride) = s1;
    *(lanes *)(sum + (r + 2) * stride) = s2;
    *(lanes *)(sum + (r + 3) * stride) = s3;
}

static inline void combine_one(mot_real *sum, size_t stride, const lane_sum *of, size_t r)
{
    lanes s = {0};
    const mot_real *factor = of->factor + r * of->pitch;
    for (size_t m = 0; m < of->terms; ++m)
        s += factor[m * of->step] * *(const lanes *)(of->row + m * of->length);
    *(lanes *)(sum + r * stride) = s;
}

static inline void combine(mot_real *sum, size_t stride, const lane_sum *of, size_t count)
{
    size_t r = 0;
    for (; r + 4 <= count; r += 4) combine_four(sum, stride, of, r);
    for (; r < count; ++r) combine_one(sum, stride, of, r);
}

/* The softmax down LANES columns of p [l, stride]. */
static inline void softmax_lanes(mot_real *p, size_t l, size_t stride)
{
    mot_real top[LANES], sum[LANES] = {0};
    memcpy(top, p, sizeof top);
    for (size_t j = 1; j < l; ++j)
#pragma omp simd
        for (int k = 0; k < LANES; ++k) top[k] = p[j * stride + k] > top[k] ? p[j * stride + k] : top[k];
    for (size_t j = 0; j < l; ++j)
#pragma omp simd
        for (int k = 0; k < LANES; ++k) {
            const mot_real e = mot_exp(p[j * stride + k] - top[k]);
            p[j * stride + k] = e;
            sum[k] += e;
        }
#pragma omp simd
    for (int k = 0; k < LANES; ++k) sum[k] = 1 / sum[k];
    for (size_t j = 0; j < l; ++j)
#pragma omp simd
        for (int k = 0; k < LANES; ++k) p[j * stride + k] *= sum[k];
}

/* prob [l keys, padded(l) queries] of a sample x [l, D], whose columns of B = A X^T are b [D, length]. */
static inline void attend(const mot_real *x, const mot_real *b, size_t length, size_t l, size_t D,
                          mot_real *prob)
{
    const size_t stride = padded(l);
    for (size_t i = 0; i < l; i += LANES) {
        combine(prob + i, stride, &(lane_sum){x, D, 1, b + i, length, D}, l);
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

/* q [J, length] = S^T d of a sample, one number for each key; `square` [l, padded(l)] is scratch for S with the keys
 * side by side. Without attention q = d. Writes whole vectors: samples go in order, each over the end of the last. */
static inline void unmix(const mot_real *prob, const mot_real *d, size_t l, size_t J, mot_real *square,
                         mot_real *q, size_t length)
{
    const size_t stride = padded(l);
    for (size_t i = 0; i < l && prob != NULL; ++i)
        for (size_t j = 0; j < l; ++j) square[i * stride + j] = prob[j * stride + i];
    for (size_t j = 0; j < l && prob != NULL; j += LANES)
        combine(q + j, length, &(lane_sum){d, stride, 1, square + j, stride, l}, J);
    for (size_t n = 0; n < J && prob == NULL; ++n) memcpy(q + n * length, d + n * stride, stride * sizeof *q);
}

/* t [l keys, padded(l) queries]: T_ij = s_ij sum_n d_in (z_jn - a_in). */
static inline void score_gradient(const mot_real *prob, const mot_real *d, const mot_real *a,
                                  const mot_real *z, size_t length, size_t l, size_t J, mot_real *t)
{
    const size_t stride = padded(l);
    for (size_t i = 0; i < l; i += LANES) {
        mot_real own[LANES] = {0};
        for (size_t n = 0; n < J; ++n)
            for (int k = 0; k < LANES; ++k) own[k] += d[n * stride + i + k] * a[n * stride + i + k];
        combine(t + i, stride, &(lane_sum){z, 1, length, d + i, stride, J}, l);
        for (size_t at = i; at < l * stride; at += stride)
            for (int k = 0; k < LANES; ++k) t[at + k] = prob[at + k] * (t[at + k] - own[k]);
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

/* rowops.h: exponential, softmax and sums of rows, in vectors, or written so that the compiler makes them.
 *
 * A sum over a row is taken lane by lane (vector.h), so the same row gives the same bits wherever it stands. Inline:
 * they are called on short rows. */
#ifndef MOT_ROWOPS_H
#define MOT_ROWOPS_H

#include <math.h>
#include <string.h>

#include "mot/real.h"
#include "mot/types.h"
#include "mot/vector.h"

/* e^x to 2 units in the last place of float; x is clamped to [-87, 88]. In the double build: exp(). */
static inline mot_real mot_exp(mot_real x)
{
#ifdef MOT_DOUBLE
    return exp(x);
#else
    /* x = n ln 2 + r with |r| <= ln 2 / 2: the rounding to n is the addition of 1.5 * 2^23; e^r by a polynomial of
     * degree 6 (Cephes' expf); 2^n by the exponent bits. */
    const float clamped = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    const float shifted = clamped * 1.44269504f + 12582912.0f;
    const float n = shifted - 12582912.0f;
    const float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const uint32_t exponent = n == n ? (uint32_t)(int32_t)n : 0; /* a NaN stays */
    uint32_t bits;
    memcpy(&bits, &p, sizeof bits);
    bits += exponent << 23;
    memcpy(&p, &bits, sizeof p);
    return p;
#endif
}

/* mot_exp of each number, bit by bit: compilers do not see that they could. */
static inline mot_vector mot_lanes_exp(mot_vector x)
{
#ifdef MOT_DOUBLE
    return mot_vector_exp(x);
#else
    typedef uint32_t bits __attribute__((vector_size(MOT_VECTOR_BYTES)));
    const mot_vector clamped = mot_smaller(mot_all(88.0f), mot_larger(mot_all(-87.0f), x)); /* a NaN stays */
    const mot_vector shifted = clamped * 1.44269504f + 12582912.0f, n = shifted - 12582912.0f,
                     r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
    mot_vector p = 1.9875691500e-4f * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    return (mot_vector)((bits)p + ((bits) __builtin_convertvector(n, mot_vector_int) << 23));
#endif
}

static inline mot_real mot_row_sum(const mot_real *x, size_t n)
{
    mot_vector sum = {0};
    size_t i = 0;
    for (; i + MOT_LANES <= n; i += MOT_LANES) sum += mot_load(x + i);
    if (i < n) sum += mot_load_first(x + i, n - i, 0);
    return mot_lanes_sum(sum);
}

static inline mot_real mot_row_dot(const mot_real *x, const mot_real *y, size_t n)
{
    mot_vector sum = {0};
    size_t i = 0;
    for (; i + MOT_LANES <= n; i += MOT_LANES) sum += mot_load(x + i) * mot_load(y + i);
    if (i < n) sum += mot_load_first(x + i, n - i, 0) * mot_load_first(y + i, n - i, 0);
    return mot_lanes_sum(sum);
}

/* The sum of squares, in double: number i in lane i mod MOT_SQUARES_LANES, those behind the last whole lanes by themselves. */
enum { MOT_SQUARES_LANES = 2 * MOT_WIDE_LANES };
static inline double mot_squares_sum(const double *lane, const double *rest, size_t count)
{
    double all = 0;
    for (int l = 0; l < MOT_WIDE_LANES; ++l) all += lane[l] + lane[MOT_WIDE_LANES + l];
    for (size_t i = 0; i < count; ++i) all += rest[i];
    return all;
}
static inline double mot_row_squares(const mot_real *x, size_t n)
{
    mot_wide sum[2] = {{0}, {0}};
    size_t i = 0;
    for (; i + 2 * MOT_WIDE_LANES <= n; i += 2 * MOT_WIDE_LANES) {
        const mot_wide first = mot_wide_load(x + i), second = mot_wide_load(x + i + MOT_WIDE_LANES);
        sum[0] += first * first;
        sum[1] += second * second;
    }
    sum[0] += sum[1];
    double all = 0;
    for (int lane = 0; lane < MOT_WIDE_LANES; ++lane) all += sum[0][lane];
    for (; i < n; ++i) all += (double)x[i] * (double)x[i];
    return all;
}

/* The largest of n >= 1 numbers; a NaN is none unless it is the first. */
static inline mot_real mot_row_max(const mot_real *x, size_t n)
{
    mot_vector top[2] = {mot_all(x[0]), mot_all(x[0])};
    size_t i = 0;
    for (; i + 2 * MOT_LANES <= n; i += 2 * MOT_LANES)
        for (int half = 0; half < 2; ++half) top[half] = mot_larger(mot_load(x + i + half * MOT_LANES), top[half]);
    mot_real most = mot_lanes_max(mot_larger(top[0], top[1]));
    for (; i < n; ++i) most = x[i] > most ? x[i] : most;
    return most;
}

/* y += x */
static inline void mot_row_add(mot_real *y, const mot_real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; ++i) y[i] += x[i];
}

/* y += a x */
static inline void mot_row_axpy(mot_real *y, mot_real a, const mot_real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; ++i) y[i] += a * x[i];
}

/* y += (g - (g . u) u) / length: what a gradient by a direction u is by the vector that has it. */
static inline void mot_row_tangent(mot_real *y, const mot_real *g, const mot_real *u, mot_real length, size_t n)
{
    const mot_real along = mot_row_dot(g, u, n);
#pragma omp simd
    for (size_t i = 0; i < n; ++i) y[i] += (g[i] - along * u[i]) / length;
}

/* x := 1 / (1 + exp(-x)), in place. */
static inline void mot_row_sigmoid(mot_real *x, size_t n)
{
    size_t i = 0;
    for (; i + MOT_LANES <= n; i += MOT_LANES) mot_store(x + i, 1 / (1 + mot_vector_exp(-mot_load(x + i))));
    if (i < n) mot_store_first(x + i, 1 / (1 + mot_vector_exp(-mot_load_first(x + i, n - i, 0))), n - i);
}

/* y := softmax(x), which may be the same; n >= 1. */
static inline void mot_row_softmax(mot_real *y, const mot_real *x, size_t n)
{
    const mot_real most = mot_row_max(x, n);
    size_t i = 0;
    for (; i + MOT_LANES <= n; i += MOT_LANES) mot_store(y + i, mot_lanes_exp(mot_load(x + i) - most));
    if (i < n) mot_store_first(y + i, mot_lanes_exp(mot_load_first(x + i, n - i, most) - most), n - i);
    const mot_real scale = 1 / mot_row_sum(y, n);
#pragma omp simd
    for (size_t j = 0; j < n; ++j) y[j] *= scale;
}

#endif

/* vector.h: as many numbers as the processor computes with at once, by the compiler's vector extensions.
 *
 * What is written with these has the same bits wherever a number stands in a row: a row's tail goes through the same
 * operations as its body, in a vector that is filled up. The number of lanes follows from the level of instruction set
 * that is compiled for (level.h), and with it the order in which a sum is taken.
 *
 * No compiler may fuse a product and a sum by itself (-ffp-contract=off), since each would choose others: where it
 * pays, mot_fused says so. */
#ifndef MOT_VECTOR_H
#define MOT_VECTOR_H

#ifdef MOT_EVERY_LEVEL
#error "this file is compiled once for all levels: list it under EACH_LEVEL in src/CMakeLists.txt"
#endif

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "mot/level.h"
#include "mot/real.h"
#include "mot/types.h"

#if MOT_X86_LEVEL == 4
enum { MOT_VECTOR_BYTES = 64 };
#elif MOT_X86_LEVEL == 3
enum { MOT_VECTOR_BYTES = 32 };
#else
enum { MOT_VECTOR_BYTES = 16 };
#endif
enum { MOT_LANES = MOT_VECTOR_BYTES / sizeof(mot_real) };

typedef mot_real mot_vector __attribute__((vector_size(MOT_VECTOR_BYTES)));
/* The same anywhere in memory. */
typedef mot_real mot_vector_anywhere
    __attribute__((vector_size(MOT_VECTOR_BYTES), aligned(sizeof(mot_real)), may_alias));
/* What a comparison gives, and what names lanes. */
#ifdef MOT_DOUBLE
typedef int64_t mot_lane;
#else
typedef int32_t mot_lane;
#endif
typedef mot_lane mot_vector_int __attribute__((vector_size(MOT_VECTOR_BYTES)));

/* 0, 1, 2 ... over the lanes; written out, for the compiler to compute shuffles from. */
static inline mot_vector_int mot_lane_numbers(void)
{
#define MOT_LANES_FROM(i) i, i + 1
    return (mot_vector_int)
    {
        MOT_LANES_FROM(0),
#if MOT_X86_LEVEL >= 3 || !defined(MOT_DOUBLE)
            MOT_LANES_FROM(2),
#endif
#if MOT_X86_LEVEL == 4 || (MOT_X86_LEVEL == 3 && !defined(MOT_DOUBLE))
            MOT_LANES_FROM(4), MOT_LANES_FROM(6),
#endif
#if MOT_X86_LEVEL == 4 && !defined(MOT_DOUBLE)
            MOT_LANES_FROM(8), MOT_LANES_FROM(10), MOT_LANES_FROM(12), MOT_LANES_FROM(14),
#endif
    };
#undef MOT_LANES_FROM
}

/* n rounded up to whole vectors. */
static inline size_t mot_padded(size_t n)
{
    return (n + MOT_LANES - 1) / MOT_LANES * MOT_LANES;
}

static inline mot_vector mot_load(const mot_real *x)
{
    return *(const mot_vector_anywhere *)x;
}

static inline void mot_store(mot_real *x, mot_vector v)
{
    *(mot_vector_anywhere *)x = v;
}

static inline mot_vector mot_all(mot_real x)
{
    return x - (mot_vector){0};
}

/* a b + c with one rounding where the level has that instruction; else, and in the double build, with two. */
static inline mot_vector mot_fused(mot_vector a, mot_vector b, mot_vector c)
{
#if MOT_X86_LEVEL == 4 && !defined(MOT_DOUBLE)
    return (mot_vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif MOT_X86_LEVEL == 3 && !defined(MOT_DOUBLE)
    return (mot_vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__FP_FAST_FMAF) && !defined(__x86_64__) && !defined(MOT_DOUBLE)
    for (size_t i = 0; i < MOT_LANES; ++i) c[i] = fmaf(a[i], b[i], c[i]);
    return c;
#else
    return a * b + c;
#endif
}

/* sum += a b, as mot_fused. In the order in which they are written, each in its register: where a loop goes on with a
 * dozen sums, the compiler would exchange their registers with those of factors, and keep some in memory. */
static inline void mot_fuse_onto(mot_vector *sum, mot_vector a, mot_vector b)
{
#if MOT_X86_LEVEL >= 3 && !defined(MOT_DOUBLE)
    __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
#else
    *sum = mot_fused(a, b, *sum);
#endif
}

/* In each lane a where the comparison `where` holds, b elsewhere. */
static inline mot_vector mot_select(mot_vector_int where, mot_vector a, mot_vector b)
{
    return (mot_vector)((where & (mot_vector_int)a) | (~where & (mot_vector_int)b));
}

/* The first n numbers, 1 <= n <= lanes; `fill` in the lanes behind, of which nothing is read. */
static inline mot_vector mot_load_first(const mot_real *x, size_t n, mot_real fill)
{
    if (n >= MOT_LANES) return mot_load(x);
#if MOT_X86_LEVEL == 4 && !defined(MOT_DOUBLE)
    return (mot_vector)_mm512_mask_loadu_ps((__m512)mot_all(fill), (__mmask16)((1u << n) - 1), x);
#elif MOT_X86_LEVEL == 3 && !defined(MOT_DOUBLE)
    const mot_vector_int where = mot_lane_numbers() < (mot_lane)n;
    return mot_select(where, (mot_vector)_mm256_maskload_ps(x, (__m256i)where), mot_all(fill));
#else
    mot_real all[MOT_LANES];
    for (size_t i = 0; i < MOT_LANES; ++i) all[i] = fill;
    memcpy(all, x, n * sizeof *x);
    return mot_load(all);
#endif
}

/* On some processors with AVX2 a store of chosen lanes takes longer than all of these. */
static inline void mot_store_first(mot_real *x, mot_vector v, size_t n)
{
    if (n >= MOT_LANES) {
        mot_store(x, v);
        return;
    }
#if MOT_X86_LEVEL == 4 && !defined(MOT_DOUBLE)
    _mm512_mask_storeu_ps(x, (__mmask16)((1u << n) - 1), (__m512)v);
#elif MOT_X86_LEVEL == 3 && !defined(MOT_DOUBLE)
    __m128 four = _mm256_castps256_ps128((__m256)v);
    if (n & 4) {
        _mm_storeu_ps(x, four);
        four = _mm256_extractf128_ps((__m256)v, 1);
        x += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)(void *)x, four);
        four = _mm_movehl_ps(four, four);
        x += 2;
    }
    if (n & 1) _mm_store_ss(x, four);
#else
    memcpy(x, &v, n * sizeof *x);
#endif
}

/* In each lane a where it is larger than b, else b: where they are equal, or one is a NaN. */
static inline mot_vector mot_larger(mot_vector a, mot_vector b)
{
#if MOT_X86_LEVEL == 4 && !defined(MOT_DOUBLE)
    return (mot_vector)_mm512_max_ps((__m512)a, (__m512)b);
#elif MOT_X86_LEVEL == 3 && !defined(MOT_DOUBLE)
    return (mot_vector)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__) && !defined(MOT_DOUBLE)
    return (mot_vector)_mm_max_ps((__m128)a, (__m128)b);
#else
    return mot_select(a > b, a, b);
#endif
}

/* The same, smaller. */
static inline mot_vector mot_smaller(mot_vector a, mot_vector b)
{
#if MOT_X86_LEVEL == 4 && !defined(MOT_DOUBLE)
    return (mot_vector)_mm512_min_ps((__m512)a, (__m512)b);
#elif MOT_X86_LEVEL == 3 && !defined(MOT_DOUBLE)
    return (mot_vector)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__) && !defined(MOT_DOUBLE)
    return (mot_vector)_mm_min_ps((__m128)a, (__m128)b);
#else
    return mot_select(a < b, a, b);
#endif
}

/* The first n lanes of v; `fill` in those behind. */
static inline mot_vector mot_first_lanes(mot_vector v, size_t n, mot_real fill)
{
    return mot_select(mot_lane_numbers() < (mot_lane)n, v, mot_all(fill));
}

/* Lane i gets lane from[i] of a, or of b where from[i] counts on behind a's last. */
static inline mot_vector mot_lanes_pick(mot_vector a, mot_vector b, mot_vector_int from)
{
#if __has_builtin(__builtin_shuffle)
    return __builtin_shuffle(a, b, from);
#else /* Clang */
    mot_vector picked = a;
    for (int i = 0; i < MOT_LANES; ++i) picked[i] = from[i] < MOT_LANES ? a[from[i]] : b[from[i] - MOT_LANES];
    return picked;
#endif
}

/* Lane i gets lane i xor `distance`. */
static inline mot_vector mot_lanes_swap(mot_vector v, mot_lane distance)
{
    return mot_lanes_pick(v, v, mot_lane_numbers() ^ distance);
}

/* Over the lanes, halves onto halves. */
static inline mot_real mot_lanes_sum(mot_vector v)
{
#pragma GCC unroll 4
    for (mot_lane distance = MOT_LANES / 2; distance > 0; distance /= 2) v += mot_lanes_swap(v, distance);
    return v[0];
}

/* Lane i: mot_lanes_sum of v[i], bit by bit; v is lost. In each round a vector takes over another one's sums, in half of its lanes. */
static inline mot_vector mot_lanes_sums(mot_vector v[MOT_LANES])
{
    const mot_vector_int lane = mot_lane_numbers();
#pragma GCC unroll 4
    for (mot_lane distance = MOT_LANES / 2; distance > 0; distance /= 2) {
        const mot_vector_int of_other = ((lane & distance) != 0) & MOT_LANES;
#pragma GCC unroll 8
        for (mot_lane i = 0; i < distance; ++i)
            v[i] = mot_lanes_pick(v[i], v[i + distance], lane + of_other) +
                   mot_lanes_pick(v[i], v[i + distance], (lane ^ distance) + of_other);
    }
    return v[0];
}

static inline mot_real mot_lanes_max(mot_vector v)
{
#pragma GCC unroll 4
    for (mot_lane distance = MOT_LANES / 2; distance > 0; distance /= 2) v = mot_larger(v, mot_lanes_swap(v, distance));
    return v[0];
}

/* e^x as mot_exp gives it, to 2 units in the last place; 0 below -87, e^88 above 88. The operations wait for each
 * other as little as may be: the polynomial's terms are taken in pairs, and the ends are put in last. */
static inline mot_vector mot_vector_exp(mot_vector x)
{
#ifdef MOT_DOUBLE
    for (size_t i = 0; i < MOT_LANES; ++i) x[i] = exp(x[i]);
    return x;
#else
    typedef uint32_t bits __attribute__((vector_size(MOT_VECTOR_BYTES)));
    const mot_vector shifted = mot_fused(x, mot_all(1.44269504f), mot_all(12582912.0f)),
                     n = shifted - 12582912.0f;
    const mot_vector r = mot_fused(n, mot_all(2.12194440e-4f), mot_fused(n, mot_all(-0.693359375f), x)),
                     r2 = r * r;
    const mot_vector p54 = mot_fused(r, mot_all(1.9875691500e-4f), mot_all(1.3981999507e-3f)),
                     p32 = mot_fused(r, mot_all(8.3334519073e-3f), mot_all(4.1665795894e-2f)),
                     p10 = mot_fused(r, mot_all(1.6666665459e-1f), mot_all(5.0000001201e-1f));
    const mot_vector p = mot_fused(mot_fused(mot_fused(p54, r2, p32), r2, p10), r2, r + 1.0f);
    /* A NaN's exponent is shifted out, and the NaN stays. */
    const bits exponent = (bits) __builtin_convertvector(n, mot_vector_int);
    const mot_vector y = (mot_vector)((bits)p + (exponent << 23));
    return mot_select(x > 88.0f, mot_all(1.65163625e38f), mot_select(x < -87.0f, (mot_vector){0}, y));
#endif
}

/* ---- doubles, whose numbers in memory are mot_real ---- */

enum { MOT_WIDE_LANES = MOT_VECTOR_BYTES / sizeof(double) };
typedef double mot_wide __attribute__((vector_size(MOT_VECTOR_BYTES)));
typedef int64_t mot_wide_int __attribute__((vector_size(MOT_VECTOR_BYTES)));
typedef mot_real mot_wide_anywhere
    __attribute__((vector_size(MOT_WIDE_LANES * sizeof(mot_real)), aligned(sizeof(mot_real)), may_alias));

/* GCC 12 takes a vector of floats apart where it is asked to convert it. */
static inline mot_wide mot_wide_load(const mot_real *x)
{
#if MOT_X86_LEVEL == 4 && !defined(MOT_DOUBLE)
    return (mot_wide)_mm512_cvtps_pd(_mm256_loadu_ps(x));
#elif MOT_X86_LEVEL == 3 && !defined(MOT_DOUBLE)
    return (mot_wide)_mm256_cvtps_pd(_mm_loadu_ps(x));
#else
    return __builtin_convertvector(*(const mot_wide_anywhere *)x, mot_wide);
#endif
}

static inline void mot_wide_store(mot_real *x, mot_wide v)
{
    *(mot_wide_anywhere *)x = __builtin_convertvector(v, mot_wide_anywhere);
}

static inline mot_wide mot_wide_all(double x)
{
    return x - (mot_wide){0};
}

/* a b + c, with one rounding where the level has that instruction. */
static inline mot_wide mot_wide_fused(mot_wide a, mot_wide b, mot_wide c)
{
#if MOT_X86_LEVEL == 4
    return (mot_wide)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif MOT_X86_LEVEL == 3
    return (mot_wide)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
    return a * b + c;
#endif
}

/* As mot_select. */
static inline mot_wide mot_wide_select(mot_wide_int where, mot_wide a, mot_wide b)
{
    return (mot_wide)((where & (mot_wide_int)a) | (~where & (mot_wide_int)b));
}

/* As mot_larger. */
static inline mot_wide mot_wide_larger(mot_wide a, mot_wide b)
{
#if MOT_X86_LEVEL == 4
    return (mot_wide)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif MOT_X86_LEVEL == 3
    return (mot_wide)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
    return mot_wide_select(a > b, a, b);
#endif
}

#endif

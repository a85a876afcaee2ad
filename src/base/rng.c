#include "mot/rng.h"

#include <math.h>
#include <string.h>

#include <Random123/philox.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "mot/level.h"

/* Philox wants a 64-bit key; the stream is spread over it by an odd constant, which is a bijection of the seed. */
static uint64_t mix_key(uint64_t seed, mot_random_stream stream)
{
    return seed + (uint64_t)stream * UINT64_C(0x9E3779B97F4A7C15);
}

mot_random4 mot_random(uint64_t seed, mot_random_stream stream, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const uint64_t mixed = mix_key(seed, stream);
    const philox4x32_key_t key = {{(uint32_t)mixed, (uint32_t)(mixed >> 32)}};
    const philox4x32_ctr_t counter = {{a, b, c, d}};
    const philox4x32_ctr_t out = philox4x32(counter, key);
    return (mot_random4){{out.v[0], out.v[1], out.v[2], out.v[3]}};
}

double mot_uniform(uint32_t word)
{
    return word * 0x1p-32;
}

void mot_normal_pair(uint32_t first, uint32_t second, double normal[2])
{
    const double two_pi = 6.283185307179586476925;
    const double radius = sqrt(-2.0 * log((first + 0.5) * 0x1p-32));
    const double angle = two_pi * mot_uniform(second);
    normal[0] = radius * cos(angle);
    normal[1] = radius * sin(angle);
}

/* ---- draws in bulk ---- */

/* Words side by side, each in 64 bits, where its products go. */
#if MOT_X86_LEVEL == 4
enum { WIDE_BYTES = 64 };
#elif MOT_X86_LEVEL == 3
enum { WIDE_BYTES = 32 };
#else
enum { WIDE_BYTES = 16 };
#endif
typedef uint64_t wide __attribute__((vector_size(WIDE_BYTES)));
enum { LANES = WIDE_BYTES / sizeof(uint64_t) };

/* Of the low half of a and m below 2^32. Left to itself, GCC makes shifts and sums of it. */
static inline wide product(wide a, uint64_t m)
{
#if MOT_X86_LEVEL == 4
    return (wide)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64((long long)m));
#elif MOT_X86_LEVEL == 3
    return (wide)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x((long long)m));
#elif defined(__x86_64__)
    return (wide)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x((long long)m));
#else
    return (a & UINT32_MAX) * m;
#endif
}

/* The high halves, in the low ones, by a pipe of the processor that is free when shifts are not. */
static inline wide turned(wide a)
{
#if MOT_X86_LEVEL == 3
    return (wide)_mm256_shuffle_epi32((__m256i)a, 0xF5);
#else
    return a >> 32;
#endif
}

static inline uint32_t high(uint64_t a)
{
    return (uint32_t)(a >> 32);
}

/* The rounds of philox4x32 from round `first` on, whose keys these are; nobody looks at the high halves. */
static inline __attribute__((always_inline)) void rounds_from(const int first, uint32_t k0, uint32_t k1, int wides, wide x[4][wides])
{
#pragma GCC unroll 10
    for (int round = first; round < 10; ++round) {
#pragma GCC unroll 8
        for (int i = 0; i < wides; ++i) {
            const wide even = product(x[0][i], PHILOX_M4x32_0), odd = product(x[2][i], PHILOX_M4x32_1);
            x[0][i] = turned(odd) ^ x[1][i] ^ k0;
            x[1][i] = odd;
            x[2][i] = even >> 32 ^ x[3][i] ^ k1;
            x[3][i] = even;
        }
        k0 += PHILOX_W32_0;
        k1 += PHILOX_W32_1;
    }
}

/* x[w]: in the low halves, word w of philox4x32 of the draws (a, b, c, d), d in those of x[3]; nobody looks at the high halves. What
 * is the same in all draws, half of the words of the first three rounds, is taken once. */
static inline __attribute__((always_inline)) void draw(uint64_t key, const uint32_t counter[4], int wides, wide x[4][wides])
{
    uint32_t k0 = (uint32_t)key, k1 = high(key);
    uint64_t p0 = (uint64_t)counter[0] * PHILOX_M4x32_0, p1 = (uint64_t)counter[2] * PHILOX_M4x32_1;
    const uint64_t second = (uint64_t)(high(p1) ^ counter[1] ^ k0) * PHILOX_M4x32_0;
    const uint32_t k2 = k1 + PHILOX_W32_1, third = high(second) ^ (uint32_t)p0 ^ k2;
    const uint32_t by_d = high(p0) ^ k1, by_first = (uint32_t)p1 ^ (k0 + PHILOX_W32_0);
    k0 += 2 * PHILOX_W32_0;
    k1 += 2 * PHILOX_W32_1;
    p1 = (uint64_t)third * PHILOX_M4x32_1;
    for (int i = 0; i < wides; ++i) {
        const wide one = product(x[3][i] ^ by_d, PHILOX_M4x32_1), two = product(one >> 32 ^ by_first, PHILOX_M4x32_0);
        x[0][i] = one ^ (high(p1) ^ k0);
        x[1][i] = (uint32_t)p1 - (wide){0};
        x[2][i] = two >> 32 ^ ((uint32_t)second ^ k1);
        x[3][i] = two;
    }
    rounds_from(3, k0 + PHILOX_W32_0, k1 + PHILOX_W32_1, wides, x);
}

/* The same of the draws (a, b, c, d) with c in x[2], of which nothing but a, b and d is the same. */
static inline __attribute__((always_inline)) void draw_by_third(uint64_t key, const uint32_t counter[4], int wides, wide x[4][wides])
{
    for (int i = 0; i < wides; ++i) {
        x[0][i] = counter[0] - (wide){0};
        x[1][i] = counter[1] - (wide){0};
        x[3][i] = counter[3] - (wide){0};
    }
    rounds_from(0, (uint32_t)key, high(key), wides, x);
}

/* 0, 2, 4 ... */
static inline wide even_numbers(void)
{
#if MOT_X86_LEVEL == 4
    return (wide){0, 2, 4, 6, 8, 10, 12, 14};
#elif MOT_X86_LEVEL == 3
    return (wide){0, 2, 4, 6};
#else
    return (wide){0, 2};
#endif
}

void mot_random_few(uint64_t seed, mot_random_stream stream, const uint32_t counter[4], mot_random4 drawn[MOT_RANDOM_FEW])
{
    enum { WIDES = ((int)MOT_RANDOM_FEW + (int)LANES - 1) / (int)LANES };
    wide x[4][WIDES];
    uint64_t all[4][WIDES * LANES];
    for (int i = 0; i < WIDES; ++i) x[2][i] = ((even_numbers() / 2 + (uint64_t)(i * LANES)) + counter[2]) & UINT32_MAX;
    draw_by_third(mix_key(seed, stream), counter, WIDES, x);
    memcpy(all, x, sizeof all);
    for (int i = 0; i < MOT_RANDOM_FEW; ++i)
        for (int w = 0; w < 4; ++w) drawn[i].word[w] = (uint32_t)all[w][i];
}

void mot_draw_pairs(uint64_t seed, mot_random_stream stream, const uint32_t counter[4], mot_random_pairs *pairs)
{
    enum { WIDES = MOT_RANDOM_PAIRS / LANES };
    wide x[4][WIDES];
    /* Draws 2 i and 2 i + 1 in the same lane of two vectors: their words then lie side by side. */
#pragma GCC unroll 8
    for (int i = 0; i < WIDES; ++i) x[3][i] = even_numbers() + counter[3] + (uint64_t)(i / 2 * 2 * LANES + i % 2);
    draw(mix_key(seed, stream), counter, WIDES, x);
#pragma GCC unroll 8
    for (int i = 0; i < WIDES; i += 2) {
        const wide first = (x[0][i] & UINT32_MAX) | x[0][i + 1] << 32, second = (x[1][i] & UINT32_MAX) | x[1][i + 1] << 32;
        memcpy(pairs->first + i * LANES, &first, sizeof first);
        memcpy(pairs->second + i * LANES, &second, sizeof second);
    }
}

/* ---- normal numbers in bulk ---- */

enum { DRAWS = 8, BLOCK = 4 * DRAWS, WIDES = DRAWS / LANES };

/* word[w DRAWS + j]: word w of the draw (a, b, c, d + j). As in mot_draw_pairs, words of two vectors come to lie side by side. */
static inline void draw_block(uint64_t key, const uint32_t counter[4], uint32_t word[BLOCK])
{
    wide x[4][WIDES];
    for (int i = 0; i < WIDES; ++i)
        x[3][i] = (WIDES > 1 ? even_numbers() : even_numbers() / 2) + counter[3] + (uint64_t)(i / 2 * 2 * LANES + i % 2);
    draw(key, counter, WIDES, x);
    for (int w = 0; w < 4; ++w) {
#if MOT_X86_LEVEL == 4 /* a vector has them all */
        _mm256_storeu_si256((__m256i *)(void *)(word + w * DRAWS), _mm512_cvtepi64_epi32((__m512i)x[w][0]));
#else
        for (int i = 0; i < WIDES; i += 2) {
            const wide both = (x[w][i] & UINT32_MAX) | x[w][i + 1] << 32;
            memcpy(word + w * DRAWS + i * LANES, &both, sizeof both);
        }
#endif
    }
}

/* A block at once, so that the long chains of operations need not wait for themselves: on any processor several vectors. */
typedef float numbers __attribute__((vector_size(BLOCK * sizeof(float))));
typedef int32_t integers __attribute__((vector_size(BLOCK * sizeof(int32_t))));

/* y := -log(y) for y in (0, 1] to 1e-7: y = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)). */
static inline void minus_log(numbers *y)
{
    integers bits = (integers)*y;
    const integers e = (bits - 0x3f3504f3) >> 23;
    bits -= e * (1 << 23);
    const numbers f = (numbers)bits - 1;
    numbers p = f * 9.226633507e-02f - 1.435229618e-01f;
    p = p * f + 1.477501081e-01f;
    p = p * f - 1.656202165e-01f;
    p = p * f + 1.997445966e-01f;
    p = p * f - 2.500205848e-01f;
    p = p * f + 3.333364268e-01f;
    p = p * f - 4.999999256e-01f;
    *y = __builtin_convertvector(e, numbers) * -0.693147181f - (p * f * f + f);
}

/* Times the deviation, the x with P(N(0, 1) < x) = p, to 5e-7 of x: the highest bit is the sign, and the others say how far p is from 1/2,
 * p = (k + 1/2) / 2^32 or 1 - p. With t = 1 - 2p, x / t is a smooth function of w = -log(1 - t^2) <= 21.5 (Giles 2012
 * uses it for the inverse error function), here as the ratio of two polynomials whose terms are all positive. */
static inline void normal_quantiles(const uint32_t words[BLOCK], float deviation, float normal[BLOCK])
{
    integers word;
    memcpy(&word, words, sizeof word);
    const integers k = word & 0x7fffffff;
    const numbers p = (__builtin_convertvector(k, numbers) + 0.5f) * 0x1p-32f,
                  t = (__builtin_convertvector(0x7fffffff - k, numbers) + 0.5f) * 0x1p-31f;
    numbers w = 4 * p * (1 - p);
    minus_log(&w);
    numbers above = w * 2.921240877e-05f + 1.002502870e-03f, below = w * 1.003826802e-06f + 1.697531249e-04f;
    above = above * w + 1.190225954e-02f;
    below = below * w + 2.291383762e-03f;
    above = above * w + 8.998769506e-02f;
    below = below * w + 3.269121952e-02f;
    above = above * w + 4.528966457e-01f;
    below = below * w + 9.956270144e-02f;
    above = above * w + 1.253314281e+00f;
    below = below * w + 1.0f;
    const numbers x = above / below * t;
    const numbers made = deviation * (numbers)((integers)x ^ (~word & INT32_MIN)); /* negative in the lower tail */
    memcpy(normal, &made, sizeof made);
}

void mot_normal_row(uint64_t seed, mot_random_stream stream, const uint32_t counter[4], float deviation, float *row,
                    size_t count)
{
    const uint64_t key = mix_key(seed, stream);
    uint32_t at[4], word[BLOCK];
    float normal[BLOCK];
    memcpy(at, counter, sizeof at);
    for (size_t i = 0; i < count; i += BLOCK, at[3] += DRAWS) {
        draw_block(key, at, word);
        normal_quantiles(word, deviation, normal);
        if (count - i >= BLOCK) /* of a size that is known */
            memcpy(row + i, normal, sizeof normal);
        else
            memcpy(row + i, normal, (count - i) * sizeof *row);
    }
}

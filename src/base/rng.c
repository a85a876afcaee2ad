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

/* ---- normal numbers in bulk ---- */

enum { DRAWS = 8, BLOCK = 4 * DRAWS };

/* Words side by side, each in 64 bits, where its products go. */
#if MOT_X86_LEVEL == 4
enum { WIDE_BYTES = 64 };
#elif MOT_X86_LEVEL == 3
enum { WIDE_BYTES = 32 };
#else
enum { WIDE_BYTES = 16 };
#endif
typedef uint64_t wide __attribute__((vector_size(WIDE_BYTES)));
enum { WIDES = DRAWS * sizeof(uint64_t) / WIDE_BYTES };

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

/* word[w DRAWS + j]: word w of the draw (a, b, c, d + j). As philox4x32. */
static void draw_block(uint64_t key, const uint32_t counter[4], uint32_t word[BLOCK])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint64_t all[4][DRAWS];
    wide x[4][WIDES];
    for (int w = 0; w < 4; ++w)
        for (uint32_t j = 0; j < DRAWS; ++j) all[w][j] = (uint32_t)(counter[w] + (w == 3 ? j : 0));
    memcpy(x, all, sizeof x);
    for (int round = 0; round < 10; ++round, k0 += PHILOX_W32_0, k1 += PHILOX_W32_1)
#pragma GCC unroll 4
        for (int i = 0; i < WIDES; ++i) {
            const wide p0 = product(x[0][i], PHILOX_M4x32_0), p1 = product(x[2][i], PHILOX_M4x32_1);
            x[0][i] = p1 >> 32 ^ x[1][i] ^ k0;
            x[1][i] = p1; /* nobody looks at the high halves */
            x[2][i] = p0 >> 32 ^ x[3][i] ^ k1;
            x[3][i] = p0;
        }
    memcpy(all, x, sizeof x);
    for (int w = 0; w < 4; ++w)
        for (int j = 0; j < DRAWS; ++j) word[w * DRAWS + j] = (uint32_t)all[w][j];
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
        memcpy(row + i, normal, (count - i < BLOCK ? count - i : BLOCK) * sizeof *row);
    }
}

#include "mot/rng.h"

#include <math.h>
#include <string.h>

#include <Random123/philox.h>

/* Philox wants a 64-bit key; the stream is spread over it by an odd constant, which is a bijection of the seed. */
static uint64_t mix_key(uint64_t seed, mot_stream stream)
{
    return seed + (uint64_t)stream * UINT64_C(0x9E3779B97F4A7C15);
}

mot_random4 mot_random(uint64_t seed, mot_stream stream, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
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

/* word[w DRAWS + j]: word w of the draw (a, b, c, d + j). As philox4x32, but side by side and each word in 64 bits,
 * where its products go, which the compiler turns into vectors. */
static void draw_block(uint64_t key, const uint32_t counter[4], uint32_t word[BLOCK])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint64_t x0[DRAWS], x1[DRAWS], x2[DRAWS], x3[DRAWS];
    for (uint32_t j = 0; j < DRAWS; ++j) {
        x0[j] = counter[0];
        x1[j] = counter[1];
        x2[j] = counter[2];
        x3[j] = (uint32_t)(counter[3] + j);
    }
    for (int round = 0; round < 10; ++round, k0 += PHILOX_W32_0, k1 += PHILOX_W32_1)
#pragma omp simd
        for (int j = 0; j < DRAWS; ++j) {
            const uint64_t p0 = PHILOX_M4x32_0 * x0[j], p1 = PHILOX_M4x32_1 * x2[j];
            x0[j] = p1 >> 32 ^ x1[j] ^ k0;
            x1[j] = p1 & UINT32_MAX;
            x2[j] = p0 >> 32 ^ x3[j] ^ k1;
            x3[j] = p0 & UINT32_MAX;
        }
    for (int j = 0; j < DRAWS; ++j) {
        word[j] = (uint32_t)x0[j];
        word[DRAWS + j] = (uint32_t)x1[j];
        word[2 * DRAWS + j] = (uint32_t)x2[j];
        word[3 * DRAWS + j] = (uint32_t)x3[j];
    }
}

/* -log(y) for y in (0, 1] to 1e-7: y = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)). */
static inline float minus_log(float y)
{
    int32_t bits;
    memcpy(&bits, &y, sizeof bits);
    const int32_t e = (bits - 0x3f3504f3) >> 23;
    bits -= e * (1 << 23);
    memcpy(&y, &bits, sizeof bits);
    const float f = y - 1;
    float p = 9.226633507e-02f;
    p = p * f - 1.435229618e-01f;
    p = p * f + 1.477501081e-01f;
    p = p * f - 1.656202165e-01f;
    p = p * f + 1.997445966e-01f;
    p = p * f - 2.500205848e-01f;
    p = p * f + 3.333364268e-01f;
    p = p * f - 4.999999256e-01f;
    return (float)e * -0.693147181f - (p * f * f + f);
}

/* The x with P(N(0, 1) < x) = p, to 5e-7 of x: the highest bit is the sign, and the others say how far p is from 1/2,
 * p = (k + 1/2) / 2^32 or 1 - p. With t = 1 - 2p, x / t is a smooth function of w = -log(1 - t^2) <= 21.5 (Giles 2012
 * uses it for the inverse error function), here as the ratio of two polynomials whose terms are all positive. */
static inline float normal_quantile(uint32_t word)
{
    const int32_t k = (int32_t)(word & 0x7fffffff);
    const float p = ((float)k + 0.5f) * 0x1p-32f, t = ((float)(0x7fffffff - k) + 0.5f) * 0x1p-31f;
    const float w = minus_log(4 * p * (1 - p));
    float above = 2.921240877e-05f, below = 1.003826802e-06f;
    above = above * w + 1.002502870e-03f;
    below = below * w + 1.697531249e-04f;
    above = above * w + 1.190225954e-02f;
    below = below * w + 2.291383762e-03f;
    above = above * w + 8.998769506e-02f;
    below = below * w + 3.269121952e-02f;
    above = above * w + 4.528966457e-01f;
    below = below * w + 9.956270144e-02f;
    above = above * w + 1.253314281e+00f;
    below = below * w + 1.0f;
    const float x = above / below * t;
    return word >> 31 ? x : -x;
}

void mot_normal_row(uint64_t seed, mot_stream stream, const uint32_t counter[4], float deviation, float *row,
                    size_t count)
{
    const uint64_t key = mix_key(seed, stream);
    uint32_t at[4], word[BLOCK];
    float normal[BLOCK];
    memcpy(at, counter, sizeof at);
    for (size_t i = 0; i < count; i += BLOCK, at[3] += DRAWS) {
        draw_block(key, at, word);
#pragma omp simd
        for (int n = 0; n < BLOCK; ++n) normal[n] = deviation * normal_quantile(word[n]);
        memcpy(row + i, normal, (count - i < BLOCK ? count - i : BLOCK) * sizeof *row);
    }
}

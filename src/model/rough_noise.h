/* rough_noise.h: noise of several experts at once, to a thousandth, and what it cannot be above. Inline: largest.c alone takes it. */
#ifndef MOT_ROUGH_NOISE_H
#define MOT_ROUGH_NOISE_H

#include "mot/model_config.h"
#include "mot/vector.h"

typedef float floats __attribute__((vector_size(MOT_VECTOR_BYTES)));
typedef int32_t integers __attribute__((vector_size(MOT_VECTOR_BYTES)));
enum { FLOATS = MOT_VECTOR_BYTES / sizeof(float) };

static inline floats pick(integers where, floats a, floats b)
{
    return (floats)((where & (integers)a) | (~where & (integers)b));
}

/* y = 2^e (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)). */
static inline floats part(floats y, floats *e)
{
    const integers bits = (integers)y, power = (bits - 0x3f3504f3) >> 23;
    *e = __builtin_convertvector(power, floats);
    return (floats)(bits - (power << 23)) - 1;
}

/* log(1 + f), to 6e-5 of it. */
static inline floats log_near(floats f)
{
    return f * (0.99996620f + f * (-0.49945065f + f * (0.33638886f + f * (-0.27094600f + f * 0.17658055f))));
}

static inline floats rough_log(floats y)
{
    floats e;
    const floats f = part(y, &e);
    return e * 0.69314718f + log_near(f);
}

/* -log(u), u = (word + 1/2) 2^-32, to 6e-5 of it: near 1 by the distance to 1, which a float has with all its digits. */
static inline floats minus_log(integers word)
{
    const integers upper = word < 0; /* u > 1/2 */
    const floats near = (__builtin_convertvector(word ^ upper, floats) + 0.5f) * 0x1p-32f;
    floats e, f = part(pick(upper, 1 - near, near), &e);
    f = pick(e == 0, -near, f);
    return e * -0.69314718f - log_near(f);
}

/* cos(2 pi word / 2^32) to 5e-5 */
static inline floats rough_cos(integers word)
{
    const floats x = __builtin_convertvector(word, floats) * 0x1p-32f, t = x * x;
    return 0.99995977f + t * (-19.731041f + t * (64.673431f + t * (-82.403549f + t * 45.646557f)));
}

static inline floats root(floats x)
{
#if MOT_X86_LEVEL == 4
    return (floats)_mm512_sqrt_ps((__m512)x);
#elif MOT_X86_LEVEL == 3
    return (floats)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
    return (floats)_mm_sqrt_ps((__m128)x);
#else
    for (int i = 0; i < FLOATS; ++i) x[i] = sqrtf(x[i]);
    return x;
#endif
}

static inline floats rough_noise(mot_noise noise, integers word, integers other)
{
    if (noise == MOT_NOISE_UNIFORM) return __builtin_convertvector(word >> 1 & INT32_MAX, floats) * 0x1p-31f;
    if (noise == MOT_NOISE_GUMBEL) return -rough_log(minus_log(word));
    return root(2 * minus_log(word)) * rough_cos(other);
}

/* Not below -log((word + 1/2) 2^-32): a float's bits, read as an integer, are its logarithm by straight lines below it. */
static inline floats above_minus_log(integers word)
{
    const floats less = __builtin_convertvector(word >> 1 & INT32_MAX, floats);
    return (158 - __builtin_convertvector((integers)less, floats) * 0x1p-23f) * 0.69314718f + 1e-4f;
}

/* Where `scale` times the noise may be `missing`. Gumbel's is not above -log(1 - u), and a Gaussian's not above the length of the pair
 * of which it is one. */
static inline integers may_reach(mot_noise noise, float scale, floats missing, integers word)
{
    if (noise == MOT_NOISE_UNIFORM) return missing <= scale;
    if (noise == MOT_NOISE_GUMBEL) return missing <= scale * above_minus_log(~word);
    return missing * pick(missing < 0, -missing, missing) <= 2 * scale * scale * above_minus_log(word);
}

/* No noise is above `most`; and twice what rough_noise is off at most. */
static const struct rough_bounds {
    float most, apart;
} rough_bounds[] = {[MOT_NOISE_NONE] = {0, 0},
                    [MOT_NOISE_UNIFORM] = {1, 0x1p-20f},
                    [MOT_NOISE_GUMBEL] = {23, 0x1p-9f},
                    [MOT_NOISE_GAUSSIAN] = {7, 0x1p-9f}};

#endif

#include "mot/rng.h"

#include <math.h>

#include <Random123/philox.h>

mot_random4 mot_random(uint64_t seed, mot_stream stream, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    /* Philox wants a 64-bit key; the stream is spread over it by an odd constant, which is a bijection of the seed. */
    const uint64_t mixed = seed + (uint64_t)stream * UINT64_C(0x9E3779B97F4A7C15);
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

#include "mot/order.h"

#include "mot/rng.h"

/* Four rounds are random enough where a half has many values; below 2^SMALL they visibly are not. */
enum { SMALL = 8 };

/* A permutation of [0, 4^half): the value's two halves go through the rounds, each of which a round with the
 * same key undoes. */
static uint64_t permute(uint64_t seed, uint64_t epoch, unsigned half, uint64_t value)
{
    const uint64_t mask = (UINT64_C(1) << half) - 1;
    uint64_t left = value >> half, right = value & mask;
    const uint32_t rounds = half < SMALL ? 16 : 4;
    for (uint32_t round = 0; round < rounds; ++round) {
        const uint32_t key = round | (uint32_t)(epoch >> 32) << 4;
        const mot_random4 random = mot_random(seed, MOT_STREAM_ORDER, (uint32_t)epoch, key, (uint32_t)right,
                                              0);
        const uint64_t next = left ^ (random.word[0] & mask);
        left = right;
        right = next;
    }
    return left << half | right;
}

mot_gidx mot_order_sample(uint64_t seed, mot_gidx samples, mot_gidx position)
{
    const uint64_t n = (uint64_t)samples, epoch = (uint64_t)position / n;
    unsigned half = 0;
    while (half < 32 && UINT64_C(1) << 2 * half < n) ++half;
    /* Cycle walking: values outside [0, n) are permuted on, so the places inside meet each inside value once.
     * The power of four is below 4 n, so this takes four steps in the mean at most. */
    uint64_t value = (uint64_t)position % n;
    do value = permute(seed, epoch, half, value);
    while (value >= n);
    return (mot_gidx)value;
}

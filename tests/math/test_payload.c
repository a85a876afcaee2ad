/* Rounding to bfloat16 against a dull twin, which looks at the two neighbours. */
#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/payload.h"
#include "mot/rng.h"

static float from_bits(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint32_t to_bits(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static float there_and_back(float number)
{
    unsigned char bytes[3]; /* at an odd address */
    float back;
    mot_payload_pack(MOT_PAYLOAD_BF16, 1, &number, bytes + 1);
    mot_payload_unpack(MOT_PAYLOAD_BF16, 1, bytes + 1, &back);
    return back;
}

/* The nearer of the neighbours towards and away from zero; where both are equally near, the even one. */
static float twin(float number)
{
    const uint32_t bits = to_bits(number) & 0xffff0000;
    const float low = from_bits(bits), high = from_bits(bits + 0x10000);
    const double below = fabs((double)number - (double)low);
    /* Beyond the largest comes what would be the next power of two. */
    const double above = fabs((isinf(high) ? copysign(0x1p128, number) : (double)high) - (double)number);
    if (below != above) return below < above ? low : high;
    return bits >> 16 & 1 ? high : low;
}

START_TEST(numbers_are_rounded_to_the_nearest)
{
    static const uint32_t edges[] = {0,          0x80000000, 1,          0x7fff,     0x8000,     0x8001,
                                     0x18000,    0x17fff,    0x18001,    0x3f800000, 0x3f808000, 0x3f818000,
                                     0xbf808000, 0x7f7f0000, 0x7f7f7fff, 0x7f7f8000, 0xff7fffff, 0x007fffff};
    for (size_t i = 0; i < MOT_COUNT(edges); i++) {
        const float number = from_bits(edges[i]);
        ck_assert_msg(to_bits(there_and_back(number)) == to_bits(twin(number)), "%a", (double)number);
    }
    for (uint32_t i = 0; i < 200000; i++) {
        const float number = from_bits(mot_random(1, MOT_STREAM_TEST, i, 0, 0, 0).word[0]);
        if (!isfinite(number)) continue;
        const float back = there_and_back(number);
        ck_assert_msg(to_bits(back) == to_bits(twin(number)), "%a", (double)number);
        ck_assert(to_bits(there_and_back(back)) == to_bits(back));
    }
}
END_TEST

START_TEST(what_is_no_number_stays_so)
{
    ck_assert(there_and_back(INFINITY) == INFINITY && there_and_back(-INFINITY) == -INFINITY);
    static const uint32_t nans[] = {0x7f800001, 0x7fffffff, 0xff80ffff, 0xffffffff, 0x7fc00000};
    for (size_t i = 0; i < MOT_COUNT(nans); i++) ck_assert(isnan(there_and_back(from_bits(nans[i]))));
}
END_TEST

START_TEST(rows_keep_their_places)
{
    enum { N = 37 };
    float numbers[N], back[N];
    unsigned char bytes[4 * N + 1];
    for (int i = 0; i < N; i++) numbers[i] = (float)(i - 18) * 0.25F; /* exact in either */
    for (int payload = MOT_PAYLOAD_FP32; payload <= MOT_PAYLOAD_BF16; payload++) {
        memset(bytes, 0xAA, sizeof bytes);
        mot_payload_pack((mot_payload)payload, N, numbers, bytes);
        ck_assert(bytes[mot_payload_bytes((mot_payload)payload, N)] == 0xAA);
        mot_payload_unpack((mot_payload)payload, N, bytes, back);
        ck_assert(memcmp(back, numbers, sizeof back) == 0);
    }
    mot_payload_pack(MOT_PAYLOAD_FP32, 1, &(float){from_bits(0x7f800001)}, bytes);
    ck_assert(bytes[0] == 1 && bytes[2] == 0x80); /* bit by bit */
}
END_TEST

static void payload_tests(TCase *tcase)
{
    tcase_add_test(tcase, numbers_are_rounded_to_the_nearest);
    tcase_add_test(tcase, what_is_no_number_stays_so);
    tcase_add_test(tcase, rows_keep_their_places);
}

MOT_CK_MAIN("payload", payload_tests)

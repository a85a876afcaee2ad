#include "mot/payload.h"

#include <string.h>

/* Half of the part that is cut off is added, less one where the last bit kept is even: what carries is the rounding. */
static uint16_t round_number(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const uint32_t nan = bits >> 16 | 0x40; /* adding might carry a NaN into an infinity */
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

void mot_payload_pack(mot_payload payload, size_t n, const mot_real *numbers, void *bytes)
{
    if (payload == MOT_PAYLOAD_FP32) {
        memcpy(bytes, numbers, n * sizeof *numbers);
        return;
    }
    unsigned char *to = bytes;
    for (size_t i = 0; i < n; i++) {
        const uint16_t half = round_number((float)numbers[i]);
        memcpy(to + 2 * i, &half, sizeof half);
    }
}

void mot_payload_unpack(mot_payload payload, size_t n, const void *bytes, mot_real *numbers)
{
    if (payload == MOT_PAYLOAD_FP32) {
        memcpy(numbers, bytes, n * sizeof *numbers);
        return;
    }
    const unsigned char *from = bytes;
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, from + 2 * i, sizeof half);
        const uint32_t bits = (uint32_t)half << 16;
        float number;
        memcpy(&number, &bits, sizeof bits);
        numbers[i] = number;
    }
}

/* payload.h: numbers on their way between ranks: as they are, or rounded to bfloat16, the upper half of a float.
 *
 * Rounded to the nearest, of two equally near the one with an even last bit; beyond the largest, to infinity; a NaN stays
 * one. Rounding what was rounded changes nothing. Not collective; never fails. */
#ifndef MOT_PAYLOAD_H
#define MOT_PAYLOAD_H

#include "mot/real.h"
#include "mot/types.h"

typedef enum mot_payload { MOT_PAYLOAD_FP32, MOT_PAYLOAD_BF16 } mot_payload;

/* Bytes of n numbers. */
static inline size_t mot_payload_bytes(mot_payload payload, size_t n)
{
    return n * (payload == MOT_PAYLOAD_BF16 ? 2 : sizeof(mot_real));
}

/* n numbers into mot_payload_bytes bytes, at any address, and back. */
void mot_payload_pack(mot_payload payload, size_t n, const mot_real *numbers, void *bytes);
void mot_payload_unpack(mot_payload payload, size_t n, const void *bytes, mot_real *numbers);

#endif

/* level.h: the instruction set that this code is compiled for.
 *
 * The x86-64 ABI names levels: x86-64 (SSE2), -v2 (SSE4.2), -v3 (AVX2, FMA), -v4 (AVX-512 F, BW, CD, DQ, VL). How many
 * numbers a vector has, and whether products and sums are fused, follow from the highest of them that the compiler may
 * use: the same level gives the same bits, whatever else was allowed. */
#ifndef MOT_LEVEL_H
#define MOT_LEVEL_H

/* 4, 3, 2, 1; 0 on another architecture. Not for files that are compiled once for all levels. */
#if defined(MOT_EVERY_LEVEL)
#elif defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define MOT_X86_LEVEL 4
#elif defined(__AVX2__) && defined(__FMA__) && defined(__BMI__) && defined(__BMI2__) && defined(__F16C__) && \
    defined(__LZCNT__) && defined(__MOVBE__)
#define MOT_X86_LEVEL 3
#elif defined(__SSE4_2__) && defined(__POPCNT__)
#define MOT_X86_LEVEL 2
#elif defined(__x86_64__)
#define MOT_X86_LEVEL 1
#else
#define MOT_X86_LEVEL 0
#endif

/* "x86-64-v4"; a program for one machine says "native (x86-64-v4)". And what is taken besides with bits of its own,
 * "x86-64-v4 with AMX-BF16". */
const char *mot_level(void);

/* From here on, in a run whose ranks all take it: a name that stays; NULL: nothing. */
void mot_level_with(const char *besides);

#endif

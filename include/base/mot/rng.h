/* rng.h: random numbers that do not depend on who asks.
 *
 * Every number is a pure function of (seed, stream, a, b, c, d): there is no state, so any rank can make any number
 * and a resumed run needs nothing but its step. The generator is Philox4x32-10 (Salmon et al., SC'11) from
 * Random123: the key is (seed mixed with the stream), the counter is (a, b, c, d).
 *
 * Not collective. Never fails. */
#ifndef MOT_RNG_H
#define MOT_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What the numbers are for; one stream never meets another. Values are part of the file format: append only. */
typedef enum mot_random_stream {
    MOT_STREAM_INIT = 1,  /* initial parameters: a = unit + 2 (params.h), b = tensor, c, d = element / 2 */
    MOT_STREAM_ORDER = 2, /* the order of samples: a = epoch */
    MOT_STREAM_AUGMENT =
        3, /* augmentation: a = position in the stream of samples (low word), b = high word */
    MOT_STREAM_NOISE =
        4, /* gate noise: a = step, b, c = position in the batch (low, high word), d = expert */
    MOT_STREAM_CHOICE = 5, /* the random gate: as NOISE; in an evaluation the position is that in the split */
    MOT_STREAM_MIXTURE = 6, /* the synthetic mixture: a = index, b = high word and split, c = purpose */
    MOT_STREAM_TEST = 7,    /* tests */
    MOT_STREAM_DROP = 8,    /* word dropout: a, b = position in the stream of samples, c = token / 4, d = 0; of a task's
                               change a, b as TASKS has them, d = 1 + place among the changes */
    /* a study: resampling of seeds, a = resample, b = draw / 4, c = 0, d = group; vectors that trials begin with, b = vector,
       c = 1 + number */
    MOT_STREAM_STUDY = 9,
    MOT_STREAM_RANDOM =
        10, /* random samples: a, b = index (low, high word), c = 0: its numbers, 1: its label */
    MOT_STREAM_TEACHER = 11, /* a teacher's samples: a = index, b = high word and split, c = purpose */
    /* a stream of tasks: of a sample a = index in the split, b = high word and split; of a task a = task; else both 0; c =
       purpose and place among the changes of a task */
    MOT_STREAM_TASKS = 12,
    MOT_STREAM_MEMORY = 13, /* which samples of old tasks are held: a, b = index in the split (low, high word) */
    /* the linear theory of rehearsal: a = run, b = task and whose memory (high and low half), c = sample, d = coordinates; c =
       the largest: the noise of all samples; b = the largest: random truths, a = structure, c = kind and task (high and low half) */
    MOT_STREAM_REHEARSAL = 14,
    MOT_STREAM_PART = 15, /* what parts experts that begin as one: a = unit + 2, b = tensor, d as mot_normal_row has it */
    MOT_STREAM_PARTITION = 16, /* where a search for groups begins: a = beginning, b = thing */
    MOT_STREAM_REPORT = 17, /* controls of a report: a, b = draw (low, high word), c = purpose, d = repetition */
} mot_random_stream;

typedef struct mot_random4 {
    uint32_t word[4];
} mot_random4;

/* Four random words. */
mot_random4 mot_random(uint64_t seed, mot_random_stream stream, uint32_t a, uint32_t b, uint32_t c, uint32_t d);

/* The draws (a, b, c + i, d) for i < 4 and the counter (a, b, c, d), in little more time than one. */
enum { MOT_RANDOM_FEW = 4 };
void mot_random_few(uint64_t seed, mot_random_stream stream, const uint32_t counter[4], mot_random4 drawn[MOT_RANDOM_FEW]);

/* Words 0 and 1 of the draws (a, b, c, d + i) for the counter (a, b, c, d), in half the time a draw and less. */
enum { MOT_RANDOM_PAIRS = 16 };
typedef struct mot_random_pairs {
    _Alignas(64) uint32_t first[MOT_RANDOM_PAIRS], second[MOT_RANDOM_PAIRS];
} mot_random_pairs;
void mot_draw_pairs(uint64_t seed, mot_random_stream stream, const uint32_t counter[4], mot_random_pairs *pairs);

/* A word as a number in [0, 1), a multiple of 2^-32. (Cast to float it may round up to 1.) */
double mot_uniform(uint32_t word);

/* Two independent N(0, 1) numbers from two words (Box-Muller in double). */
void mot_normal_pair(uint32_t first, uint32_t second, double normal[2]);

/* `count` independent N(0, deviation^2) numbers, many times faster: number i is the quantile of one word, word
 * i / 8 % 4 of the draw (a, b, c, d + i / 32 * 8 + i % 8) for the counter (a, b, c, d). The words count from the
 * lower tail (bits 0 .. 2^31 - 1) or, with the highest bit, from the upper one; so the numbers end at 6.3 deviations.
 * Right to 5e-7 of each number. Float arithmetic alone: the same bits on every machine. */
void mot_normal_row(uint64_t seed, mot_random_stream stream, const uint32_t counter[4], float deviation, float *row,
                    size_t count);

#endif

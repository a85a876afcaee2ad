/* Gates that learn nothing: each is a rule by which experts are chosen. */
#include "mot/choose.h"
#include "mot/rng.h"

/* The experts from `own` on, in a ring. */
static void in_a_ring(size_t E, size_t own, double *score)
{
    for (size_t i = 0; i < E; ++i) score[i] = (double)own - (double)(i < own ? i + E : i);
}

static void by_what_is_told(const mot_choice_batch *batch, size_t b, double *score)
{
    in_a_ring(batch->E, (size_t)batch->group[b] % batch->E, score);
}

static void by_lot(const mot_choice_batch *batch, size_t b, double *score)
{
    const uint64_t place = mot_choice_place(batch, b);
    uint32_t counter[] = {(uint32_t)batch->step, (uint32_t)place, (uint32_t)(place >> 32), 0};
    mot_random_pairs pairs;
    for (size_t i = 0; i < batch->E; ++i, ++counter[3]) {
        if (i % MOT_RANDOM_PAIRS == 0) mot_draw_pairs(batch->seed, MOT_STREAM_CHOICE, counter, &pairs);
        score[i] = mot_uniform(pairs.first[i % MOT_RANDOM_PAIRS]);
    }
}

static void in_turn(const mot_choice_batch *batch, size_t b, double *score)
{
    in_a_ring(batch->E, mot_choice_place(batch, b) % batch->E * batch->K % batch->E, score);
}

const mot_gate_kind mot_gate_fixed = {.kind = {"fixed"}, .told = true, .scores = by_what_is_told};
const mot_gate_kind mot_gate_random = {.kind = {"random"}, .scores = by_lot};
const mot_gate_kind mot_gate_even = {.kind = {"even"}, .scores = in_turn};

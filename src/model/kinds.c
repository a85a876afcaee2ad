#include <math.h>

#include "mot/gate.h"
#include "mot/merged.h"

extern const mot_expert_kind mot_encoder_kind;
extern const mot_expert_kind mot_hermite_kind;
extern const mot_gate_kind mot_gate_classes, mot_gate_mlp, mot_gate_fixed, mot_gate_random, mot_gate_even, mot_gate_sigmoid,
    mot_gate_softmax;

mot_kinds mot_expert_kinds = {{&mot_encoder_kind.kind, &mot_merged_kind.kind, &mot_hermite_kind.kind}};
mot_kinds mot_gate_kinds = {{&mot_gate_linear.kind, &mot_gate_mlp.kind, &mot_gate_fixed.kind,
                             &mot_gate_random.kind, &mot_gate_even.kind, &mot_gate_sigmoid.kind,
                             &mot_gate_softmax.kind, &mot_gate_classes.kind}};

size_t mot_expert_strip(const mot_expert_kind *kind, const mot_expert_shape *shape, const mot_table *table)
{
    /* To zero and add a number takes as long as 100 operations of a matrix product do, so 50 times that is 2 %. A
     * quarter of 10^9 operations are some milliseconds: below that, threads would mostly wait for each other. */
    const double addition = 100, worth = 0x1p28;
    const double sample = 3 * kind->flops(shape, shape->tokens),
                 work = MOT_MAX(worth, 50 * addition * (double)table->count), most = 0x1p40 /* a part that multiplies nothing */;
    const size_t tile = kind->tile(shape),
                 samples = shape->config->strip > 0 ? shape->config->strip : (size_t)fmin(work / sample, most) + 1;
    return (samples + tile - 1) / tile * tile;
}

size_t mot_expert_prepared(const mot_expert_kind *kind, const mot_expert_shape *shape)
{
    return kind->prepared != NULL ? kind->prepared(shape) : 0;
}

const void *mot_expert_prepare(const mot_expert_kind *kind, const mot_expert_shape *shape, const mot_real *const *weight,
                               mot_arena *arena, size_t tiles, bool learn)
{
    return kind->prepare != NULL && tiles > 1 ? kind->prepare(shape, weight, arena, learn) : NULL;
}

double mot_expert_tile_flops(const mot_expert_kind *kind, const mot_expert_shape *shape, const mot_tile *tile)
{
    double sum = 0;
    for (size_t s = 0; s < tile->samples; ++s) sum += kind->flops(shape, tile->first[s + 1] - tile->first[s]);
    return sum;
}

double mot_expert_tile_backward_flops(const mot_expert_kind *kind, const mot_expert_shape *shape, const mot_tile *tile,
                                      mot_part_set learns)
{
    double sum = 0;
    for (size_t s = 0; s < tile->samples; ++s)
        sum += mot_expert_backward_flops(kind, shape, tile->first[s + 1] - tile->first[s], learns);
    return sum;
}

size_t mot_expert_rows(const mot_expert_kind *kind, const mot_expert_shape *shape, size_t tokens)
{
    return kind->rows ? tokens + (kind->class_row && shape->config->pool == MOT_POOL_CLASS) : 1;
}

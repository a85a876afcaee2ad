/* own_kinds.h: a gate, an expert and a loss that mot does not have, added to its tables as a program would that links it.
 * Built in float and in double.
 *
 *      tanh      gate     h = tanh(g Theta)
 *      average   expert   out = mean(X) W + b, of vectors and pictures
 *      numbers   loss     1/2 sum_c (F_c - y_c)^2, the target y is C numbers (float)
 */
#ifndef MOT_TEST_OWN_KINDS_H
#define MOT_TEST_OWN_KINDS_H

#include <math.h>
#include <string.h>

#include "ck.h"
#include "mot/expert.h"
#include "mot/gate.h"
#include "mot/layers.h"
#include "mot/loss.h"

/* ---- the gate ---- */

static mot_status tanh_table(const mot_gate *gate, mot_table *table)
{
    const mot_status status = mot_table_add(table, "theta", MOT_PART_GATE, 2,
                                            (const size_t[]){gate->features, gate->experts}, 0,
                                            gate->config->init, true);
    mot_table_by_expert(table, 1);
    return status;
}

static size_t tanh_kept(const mot_gate *gate, size_t n)
{
    return n * gate->experts;
}

static void tanh_forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                         const int32_t *id, mot_real *h, mot_real *kept)
{
    const size_t E = gate->experts;
    mot_gate_product(gate, n, g, id, mot_gate_tensor(gate, params->value, 0), NULL, E, h);
    for (size_t i = 0; i < n * E; ++i) kept[i] = h[i] = (mot_real)tanh((double)h[i]);
}

static void tanh_backward(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g,
                          const int32_t *id, const mot_real *d_h, mot_real *kept, mot_real *d_g)
{
    const size_t E = gate->experts;
    for (size_t i = 0; i < n * E; ++i) kept[i] = d_h[i] * (1 - kept[i] * kept[i]);
    if (d_g != NULL)
        mot_linear_backward_input(d_g, kept, mot_gate_tensor(gate, params->value, 0), n, gate->features, E);
    mot_gate_product_backward(gate, n, g, id, mot_gate_tensor(gate, params->gradient, 0), NULL, kept, E);
}

static const mot_gate_kind own_gate = {.kind = {"tanh"},
                                       .table = tanh_table,
                                       .kept = tanh_kept,
                                       .forward = tanh_forward,
                                       .backward = tanh_backward};

/* ---- the expert ---- */

enum { AVERAGE_WEIGHT, AVERAGE_BIAS };

static mot_status average_table(const mot_expert_shape *shape, mot_table *table)
{
    mot_status status;
    if (shape->vocabulary > 0) return mot_fail(MOT_ERR_INPUT, "model.kind = average takes no texts");
    MOT_TRY(mot_table_add(table, "weight", MOT_PART_FFN, 2, (const size_t[]){shape->width, shape->outputs}, 0,
                          1 / sqrt((double)shape->width), true));
    MOT_TRY(mot_table_add(table, "bias", MOT_PART_HEAD, 1, (const size_t[]){shape->outputs}, 0, 0, false));
done:
    return status;
}

static size_t average_tile(const mot_expert_shape *shape)
{
    return shape->config->tile > 0 ? shape->config->tile : 4;
}

static size_t average_workspace(const mot_expert_shape *shape)
{
    return mot_arena_bytes(average_tile(shape) * shape->width, sizeof(mot_real));
}

static void *average_forward(const mot_expert_shape *shape, const mot_real *const *weight,
                             const mot_tile *tile, mot_arena *arena, bool learn, mot_real *out)
{
    const size_t D = shape->width;
    mot_real *mean = mot_arena_take(arena, tile->samples * D, sizeof *mean);
    memset(mean, 0, tile->samples * D * sizeof *mean);
    for (size_t s = 0; s < tile->samples; ++s) {
        const size_t rows = tile->first[s + 1] - tile->first[s];
        for (size_t t = tile->first[s]; t < tile->first[s + 1]; ++t)
            for (size_t d = 0; d < D; ++d) mean[s * D + d] += tile->x[t * D + d] / (mot_real)rows;
    }
    mot_linear_forward(out, mean, weight[AVERAGE_WEIGHT], weight[AVERAGE_BIAS], tile->samples, D,
                       shape->outputs);
    return learn ? mean : NULL;
}

static void average_backward(const mot_expert_shape *shape, const mot_real *const *weight,
                             mot_real *const *gradient, const mot_tile *tile, mot_arena *arena, void *kept,
                             const mot_real *d_out, mot_real *d_in, mot_part_set learns)
{
    ck_assert_ptr_null(d_in);
    (void)weight;
    (void)arena;
    (void)learns;
    mot_linear_backward(NULL, gradient[AVERAGE_WEIGHT], gradient[AVERAGE_BIAS], d_out, kept, NULL,
                        tile->samples, shape->width, shape->outputs);
}

static double average_flops(const mot_expert_shape *shape, size_t tokens)
{
    return (double)tokens * (double)shape->width + 2 * (double)shape->width * (double)shape->outputs;
}

static size_t average_products(const mot_expert_shape *shape, mot_gemm_shape product[MOT_MOST_GEMMS])
{
    const size_t n = average_tile(shape), D = shape->width, C = shape->outputs;
    product[0] = (mot_gemm_shape){n, C, D, false, false, 1};
    product[1] = (mot_gemm_shape){D, C, n, true, false, 1};
    return 2;
}

static const mot_expert_kind own_expert = {
    .kind = {"average"},
    .table = average_table,
    .tile = average_tile,
    .workspace = average_workspace,
    .forward = average_forward,
    .backward = average_backward,
    .flops = average_flops,
    .products = average_products,
};

/* ---- the loss ---- */

static size_t numbers_outputs(size_t target_bytes, int classes)
{
    return classes == 0 && target_bytes % sizeof(float) == 0 ? target_bytes / sizeof(float) : 0;
}

static double numbers_value(const mot_loss *loss, const mot_real *out, const void *target, mot_real *d_out)
{
    double sum = 0;
    for (size_t c = 0; c < loss->outputs; ++c) {
        float y;
        memcpy(&y, (const char *)target + c * sizeof y, sizeof y);
        const double gap = (double)out[c] - (double)y;
        sum += gap * gap / 2;
        if (d_out != NULL) d_out[c] = (mot_real)gap;
    }
    return sum;
}

static const mot_loss_kind own_loss = {
    .kind = {"numbers"}, .outputs = numbers_outputs, .value = numbers_value};

/* Rows of the tables from here on, found by name as those of mot are. Once in a program. */
static inline void own_kinds_add(void)
{
    mot_ck_ok(mot_kinds_add(&mot_gate_kinds, &own_gate.kind));
    mot_ck_ok(mot_kinds_add(&mot_expert_kinds, &own_expert.kind));
    mot_ck_ok(mot_kinds_add(&mot_loss_kinds, &own_loss.kind));
    ck_assert_ptr_eq(mot_gate_kind_at(mot_kinds_find(&mot_gate_kinds, "tanh")), &own_gate);
    ck_assert_ptr_eq(mot_expert_kind_at(mot_kinds_find(&mot_expert_kinds, "average")), &own_expert);
    ck_assert_ptr_eq(mot_loss_kind_at(mot_kinds_find(&mot_loss_kinds, "numbers")), &own_loss);
}

#endif

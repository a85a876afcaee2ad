/* h = g Theta */
#include "mot/gate.h"
#include "mot/layers.h"

static mot_status table(const mot_gate *gate, mot_table *to)
{
    const mot_status status = mot_table_add(to, "weight", MOT_PART_GATE, 2,
                                            (const size_t[]){gate->features, gate->experts}, 0,
                                            gate->config->init, true);
    mot_table_by_expert(to, 1);
    if (gate->tokens > 0) mot_table_by_word(to);
    return status;
}

static void forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                    const int32_t *id, mot_real *h, mot_real *kept)
{
    (void)kept;
    mot_gate_product(gate, n, g, id, mot_gate_tensor(gate, params->value, 0), NULL, gate->experts, h);
}

static void backward(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g, const int32_t *id,
                     const mot_real *d_h, mot_real *kept, mot_real *d_g)
{
    (void)kept;
    if (d_g != NULL)
        mot_linear_backward_input(d_g, d_h, mot_gate_tensor(gate, params->value, 0), n, gate->features, gate->experts);
    mot_gate_product_backward(gate, n, g, id, mot_gate_tensor(gate, params->gradient, 0), NULL, d_h,
                              gate->experts);
}

const mot_gate_kind mot_gate_linear = {
    .kind = {"linear"}, .table = table, .forward = forward, .backward = backward};

/* h = gelu(g W + b) Theta + c */
#include <math.h>

#include "mot/gate.h"
#include "mot/layers.h"

enum { HIDDEN_WEIGHT, HIDDEN_BIAS, WEIGHT, BIAS };

static mot_status table(const mot_gate *gate, mot_table *to)
{
    const size_t F = gate->features, H = gate->config->hidden, E = gate->experts;
    const double deviation = gate->tokens > 0 ? 0.5 : 1 / sqrt((double)F);
    mot_status status;
    MOT_TRY(mot_table_add(to, "hidden_weight", MOT_PART_GATE, 2, (const size_t[]){F, H}, 0, deviation, true));
    if (gate->tokens > 0) mot_table_by_word(to);
    MOT_TRY(mot_table_add(to, "hidden_bias", MOT_PART_GATE, 1, (const size_t[]){H}, 0, 0, false));
    MOT_TRY(
        mot_table_add(to, "weight", MOT_PART_GATE, 2, (const size_t[]){H, E}, 0, gate->config->init, true));
    mot_table_by_expert(to, 1);
    MOT_TRY(mot_table_add(to, "bias", MOT_PART_GATE, 1, (const size_t[]){E}, 0, 0, false));
    mot_table_by_expert(to, 0);
done:
    return status;
}

/* What the hidden units are before and after their activation. */
static size_t kept_numbers(const mot_gate *gate, size_t n)
{
    return 2 * n * gate->config->hidden;
}

static void forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                    const int32_t *id, mot_real *h, mot_real *kept)
{
    const size_t E = gate->experts, H = gate->config->hidden;
    mot_real *up = kept, *hidden = kept + n * H;
    mot_gate_product(gate, n, g, id, mot_gate_tensor(gate, params->value, HIDDEN_WEIGHT),
                     mot_gate_tensor(gate, params->value, HIDDEN_BIAS), H, up);
    mot_gelu_forward(hidden, up, n * H);
    mot_linear_forward(h, hidden, mot_gate_tensor(gate, params->value, WEIGHT),
                       mot_gate_tensor(gate, params->value, BIAS), n, H, E);
}

static void backward(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g, const int32_t *id,
                     const mot_real *d_h, mot_real *kept, mot_real *d_g)
{
    const size_t E = gate->experts, H = gate->config->hidden;
    mot_real *up = kept, *hidden = kept + n * H;
    /* d_hidden replaces hidden once the last layer's weight gradient has been taken from it. */
    mot_linear_backward(NULL, mot_gate_tensor(gate, params->gradient, WEIGHT),
                        mot_gate_tensor(gate, params->gradient, BIAS), d_h, hidden, NULL, n, H, E);
    mot_linear_backward_input(hidden, d_h, mot_gate_tensor(gate, params->value, WEIGHT), n, H, E);
    mot_gelu_backward(hidden, hidden, up, n * H);
    if (d_g != NULL)
        mot_linear_backward_input(d_g, hidden, mot_gate_tensor(gate, params->value, HIDDEN_WEIGHT), n, gate->features, H);
    mot_gate_product_backward(gate, n, g, id, mot_gate_tensor(gate, params->gradient, HIDDEN_WEIGHT),
                              mot_gate_tensor(gate, params->gradient, HIDDEN_BIAS), hidden, H);
}

const mot_gate_kind mot_gate_mlp = {
    .kind = {"mlp"}, .table = table, .kept = kept_numbers, .forward = forward, .backward = backward};

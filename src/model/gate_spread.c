/* Gates of unit length that every expert's owner scores for himself: sigmoid and softmax. */
#include <math.h>

#include "mot/gate.h"
#include "mot/rowops.h"

static mot_status table(const mot_gate *gate, mot_table *to)
{
    const double init = gate->config->init > 0 ? gate->config->init : 1 / sqrt((double)gate->features);
    const mot_status status = mot_table_add(to, "weight", MOT_PART_GATE, 2,
                                            (const size_t[]){gate->features, gate->experts}, 0, init, true);
    mot_table_by_expert(to, 1);
    return status;
}

/* |v| of an expert. */
static mot_real length_of(const mot_gate *gate, const mot_real *value, size_t expert)
{
    double square = 0;
    for (size_t f = 0; f < gate->features; ++f) {
        const double v = (double)value[f * gate->experts + expert];
        square += v * v;
    }
    return (mot_real)sqrt(square);
}

static void direction(const mot_gate *gate, const mot_real *value, size_t expert, mot_real *unit)
{
    const mot_real length = length_of(gate, value, expert);
    for (size_t f = 0; f < gate->features; ++f) unit[f] = value[f * gate->experts + expert] / length;
}

void mot_gate_directions(const mot_gate *gate, const mot_params *params, mot_real *unit)
{
    const mot_real *value = mot_gate_tensor(gate, params->value, 0);
    for (size_t e = 0; e < gate->experts; ++e) direction(gate, value, e, unit + e * gate->features);
}

void mot_gate_directions_backward(const mot_gate *gate, mot_params *params, size_t expert, const mot_real *raw)
{
    const size_t E = gate->experts, F = gate->features;
    const mot_real *value = mot_gate_tensor(gate, params->value, 0) + expert;
    mot_real *gradient = mot_gate_tensor(gate, params->gradient, 0) + expert;
    const mot_real length = length_of(gate, value - expert, expert);
    mot_real along = 0;
    for (size_t f = 0; f < F; ++f) along += raw[f] * (value[f * E] / length);
    for (size_t f = 0; f < F; ++f) gradient[f * E] += (raw[f] - along * (value[f * E] / length)) / length;
}

void mot_gate_part_from(const mot_gate *gate, mot_params *params, size_t expert, const mot_real *other)
{
    const size_t E = gate->experts, F = gate->features;
    mot_real *value = mot_gate_tensor(gate, params->value, 0) + expert;
    double along = 0, square = 0;
    for (size_t f = 0; f < F; ++f) {
        along += (double)value[f * E] * (double)other[f];
        square += (double)other[f] * (double)other[f];
    }
    for (size_t f = 0; square > 0 && f < F; ++f)
        value[f * E] = (mot_real)((double)value[f * E] - along / square * (double)other[f]);
}

const mot_gate_kind mot_gate_sigmoid = {.kind = {"sigmoid"}, .spread = true, .table = table};
const mot_gate_kind mot_gate_softmax = {.kind = {"softmax"}, .spread = true, .coupled = true, .table = table};

#include "mot/gate.h"

#include <string.h>

#include "mot/rowops.h"

mot_status mot_gate_init(mot_gate *gate, const mot_gate_config *config, size_t experts, size_t tokens,
                         size_t width, size_t vocabulary, size_t classes)
{
    gate->kind = mot_gate_kind_at(config->kind);
    gate->table.rows = gate->table.count = gate->table.words = 0; /* its rows are many, and stay untouched */
    gate->config = config;
    gate->experts = experts;
    gate->classes = classes;
    if (vocabulary > 0 && config->input == MOT_GATE_FLAT)
        return mot_fail(MOT_ERR_INPUT,
                        "gate.input = flat: texts have no numbers to lay side by side; use mean or sum");
    if (vocabulary > 0 && gate->kind->spread)
        return mot_fail(MOT_ERR_INPUT, "gate.kind = %s works on vectors or pictures, the data are texts",
                        gate->kind->kind.name);
    gate->tokens = vocabulary > 0 ? tokens : 0;
    gate->features = vocabulary > 0 ? vocabulary : config->input == MOT_GATE_FLAT ? tokens * width : width;
    return gate->kind->table != NULL ? gate->kind->table(gate, &gate->table) : MOT_OK;
}

void mot_gate_features(const mot_gate *gate, mot_real *g, const mot_real *x, size_t count, size_t width)
{
    if (gate->config->input == MOT_GATE_FLAT) {
        memset(g, 0, gate->features * sizeof *g);
        memcpy(g, x, count * width * sizeof *g);
        return;
    }
    size_t i = 0;
    for (; i + MOT_LANES <= width; i += MOT_LANES) {
        mot_vector sum = mot_load(x + i);
        for (size_t t = 1; t < count; ++t) sum += mot_load(x + t * width + i);
        mot_store(g + i, sum);
    }
    for (; i < width; ++i) {
        g[i] = x[i];
        for (size_t t = 1; t < count; ++t) g[i] += x[t * width + i];
    }
    if (gate->config->input != MOT_GATE_SUM)
        for (i = 0; i < width; ++i) g[i] /= (mot_real)count;
}

void mot_gate_describe(const mot_gate *gate, void *row, const mot_real *x, const int32_t *id, size_t count, size_t width)
{
    if (gate->tokens == 0) {
        mot_gate_features(gate, row, x, count, width);
        return;
    }
    memset(row, 0, gate->tokens * sizeof *id);
    memcpy(row, id, count * sizeof *id);
}

size_t mot_gate_kept(const mot_gate *gate, size_t n)
{
    return gate->kind->kept != NULL ? gate->kind->kept(gate, n) : 0;
}

void mot_gate_forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                      const int32_t *id, mot_real *h, mot_real *kept)
{
    if (gate->kind->forward != NULL)
        gate->kind->forward(gate, params, n, g, id, h, kept);
    else
        memset(h, 0, n * gate->experts * sizeof *h);
}

void mot_gate_backward(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g,
                       const int32_t *id, const mot_real *d_h, mot_real *kept, mot_real *d_g)
{
    if (gate->kind->backward != NULL)
        gate->kind->backward(gate, params, n, g, id, d_h, kept, d_g);
    else if (d_g != NULL)
        memset(d_g, 0, n * gate->features * sizeof *d_g);
}

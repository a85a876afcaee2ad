#include "mot/gate.h"

#include <string.h>

#include "mot/layers.h"
#include "mot/rowops.h"

mot_status mot_gate_init(mot_gate *gate, const mot_gate_config *config, size_t experts, size_t tokens,
                         size_t width, size_t vocabulary)
{
    *gate = (mot_gate){.kind = mot_gate_kind_at(config->kind)};
    gate->config = config;
    gate->experts = experts;
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
    memcpy(g, x, width * sizeof *g);
    for (size_t t = 1; t < count; ++t) mot_row_add(g, x + t * width, width);
    if (gate->config->input == MOT_GATE_MEAN)
        for (size_t i = 0; i < width; ++i) g[i] /= (mot_real)count;
}

/* ---- the product with g, for numbers and for bags of words ---- */

static size_t text_length(const int32_t *id, size_t most)
{
    size_t length = 0;
    while (length < most && id[length] != 0) ++length;
    return length;
}

static mot_real text_scale(const mot_gate *gate, size_t length)
{
    return gate->config->input == MOT_GATE_MEAN && length > 0 ? 1 / (mot_real)length : 1;
}

void mot_gate_product(const mot_gate *gate, size_t n, const mot_real *g, const int32_t *id, const mot_real *w,
                      const mot_real *b, size_t M, mot_real *y)
{
    if (id == NULL) {
        mot_linear_forward(y, g, w, b, n, gate->features, M);
        return;
    }
    for (size_t s = 0; s < n; ++s, id += gate->tokens, y += M) {
        const size_t length = text_length(id, gate->tokens);
        memset(y, 0, M * sizeof *y);
        for (size_t t = 0; t < length; ++t) mot_row_add(y, w + (size_t)id[t] * M, M);
        const mot_real scale = text_scale(gate, length);
        for (size_t i = 0; i < M; ++i) y[i] = y[i] * scale + (b != NULL ? b[i] : 0);
    }
}

void mot_gate_product_backward(const mot_gate *gate, size_t n, const mot_real *g, const int32_t *id,
                               mot_real *d_w, mot_real *d_b, const mot_real *d_y, size_t M)
{
    if (id == NULL) {
        mot_linear_backward(NULL, d_w, d_b, d_y, g, NULL, n, gate->features, M);
        return;
    }
    for (size_t s = 0; s < n; ++s, id += gate->tokens, d_y += M) {
        const size_t length = text_length(id, gate->tokens);
        const mot_real scale = text_scale(gate, length);
        for (size_t t = 0; t < length; ++t) mot_row_axpy(d_w + (size_t)id[t] * M, scale, d_y, M);
        if (d_b != NULL) mot_row_add(d_b, d_y, M);
    }
}

/* ---- the gate ---- */

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
                       const int32_t *id, const mot_real *d_h, mot_real *kept)
{
    if (gate->kind->backward != NULL) gate->kind->backward(gate, params, n, g, id, d_h, kept);
}

#include "mot/gate.h"

#include <math.h>
#include <string.h>

#include "mot/layers.h"
#include "mot/rowops.h"

/* Rows of the table. `linear` has the last alone. */
enum { HIDDEN_WEIGHT, HIDDEN_BIAS, MLP_WEIGHT, MLP_BIAS };
enum { LINEAR_WEIGHT };

mot_status mot_gate_init(mot_gate *gate, const mot_gate_config *config, size_t experts, size_t tokens,
                         size_t width, size_t vocabulary)
{
    mot_status status = MOT_OK;
    memset(gate, 0, sizeof *gate);
    gate->config = config;
    gate->experts = experts;
    if (vocabulary > 0 && config->input == MOT_GATE_FLAT)
        return mot_fail(MOT_ERR_INPUT,
                        "gate.input = flat: texts have no numbers to lay side by side; use mean or sum");
    gate->tokens = vocabulary > 0 ? tokens : 0;
    gate->features = vocabulary > 0 ? vocabulary : config->input == MOT_GATE_FLAT ? tokens * width : width;
    if (config->kind >= MOT_GATE_FIXED) return MOT_OK;

    const size_t F = gate->features, H = config->hidden, E = experts;
    if (config->kind == MOT_GATE_LINEAR) {
        MOT_TRY(mot_table_add(&gate->table, "weight", MOT_PART_GATE, 2, (const size_t[]){F, E}, 0,
                              config->init, true));
        return MOT_OK;
    }
    const double deviation = vocabulary > 0 ? 0.5 : 1 / sqrt((double)F);
    MOT_TRY(mot_table_add(&gate->table, "hidden_weight", MOT_PART_GATE, 2, (const size_t[]){F, H}, 0,
                          deviation, true));
    MOT_TRY(mot_table_add(&gate->table, "hidden_bias", MOT_PART_GATE, 1, (const size_t[]){H}, 0, 0, false));
    MOT_TRY(mot_table_add(&gate->table, "weight", MOT_PART_GATE, 2, (const size_t[]){H, E}, 0, config->init,
                          true));
    MOT_TRY(mot_table_add(&gate->table, "bias", MOT_PART_GATE, 1, (const size_t[]){E}, 0, 0, false));
done:
    return status;
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

/* y [n, M] = g w (+ b) */
static void features_forward(const mot_gate *gate, size_t n, const mot_real *g, const int32_t *id,
                             const mot_real *w, const mot_real *b, size_t M, mot_real *y)
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

static void features_backward(const mot_gate *gate, size_t n, const mot_real *g, const int32_t *id,
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
    return gate->config->kind == MOT_GATE_MLP ? 2 * n * gate->config->hidden : 0;
}

static mot_real *tensor(const mot_gate *gate, mot_real *block, int row)
{
    return block + gate->table.row[row].offset;
}

void mot_gate_forward(const mot_gate *gate, const mot_params *params, size_t n, const mot_real *g,
                      const int32_t *id, mot_real *h, mot_real *kept)
{
    const size_t E = gate->experts, H = gate->config->hidden;
    if (!mot_gate_learns(gate)) {
        memset(h, 0, n * E * sizeof *h);
    } else if (gate->config->kind == MOT_GATE_LINEAR) {
        features_forward(gate, n, g, id, tensor(gate, params->value, LINEAR_WEIGHT), NULL, E, h);
    } else {
        mot_real *up = kept, *hidden = kept + n * H;
        features_forward(gate, n, g, id, tensor(gate, params->value, HIDDEN_WEIGHT),
                         tensor(gate, params->value, HIDDEN_BIAS), H, up);
        mot_gelu_forward(hidden, up, n * H);
        mot_linear_forward(h, hidden, tensor(gate, params->value, MLP_WEIGHT),
                           tensor(gate, params->value, MLP_BIAS), n, H, E);
    }
}

void mot_gate_backward(const mot_gate *gate, mot_params *params, size_t n, const mot_real *g,
                       const int32_t *id, const mot_real *d_h, mot_real *kept)
{
    const size_t E = gate->experts, H = gate->config->hidden;
    if (!mot_gate_learns(gate)) return;
    if (gate->config->kind == MOT_GATE_LINEAR) {
        features_backward(gate, n, g, id, tensor(gate, params->gradient, LINEAR_WEIGHT), NULL, d_h, E);
        return;
    }
    mot_real *up = kept, *hidden = kept + n * H, *d_weight = tensor(gate, params->gradient, MLP_WEIGHT);
    /* d_hidden replaces hidden once the last layer's weight gradient has been taken from it. */
    mot_linear_backward(NULL, d_weight, tensor(gate, params->gradient, MLP_BIAS), d_h, hidden, NULL, n, H, E);
    mot_linear_backward_input(hidden, d_h, tensor(gate, params->value, MLP_WEIGHT), n, H, E);
    mot_gelu_backward(hidden, hidden, up, n * H);
    features_backward(gate, n, g, id, tensor(gate, params->gradient, HIDDEN_WEIGHT),
                      tensor(gate, params->gradient, HIDDEN_BIAS), hidden, H);
}

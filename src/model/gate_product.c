/* The product with g, for numbers and for bags of words. */
#include <string.h>

#include "mot/gate.h"
#include "mot/layers.h"
#include "mot/rowops.h"

size_t mot_gate_words(const mot_gate *gate, const int32_t *id)
{
    size_t count = 0;
    while (count < gate->tokens && id[count] != 0) ++count;
    return count;
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
        const size_t length = mot_gate_words(gate, id);
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
        const size_t length = mot_gate_words(gate, id);
        const mot_real scale = text_scale(gate, length);
        for (size_t t = 0; t < length; ++t) mot_row_axpy(d_w + (size_t)id[t] * M, scale, d_y, M);
        if (d_b != NULL) mot_row_add(d_b, d_y, M);
    }
}

#include "mot/layers.h"

#include "mot/rowops.h"

void mot_layernorm_forward(mot_real *y, mot_real *mean, mot_real *rstd, const mot_real *x,
                           const mot_real *gain, const mot_real *bias, size_t R, size_t D)
{
    for (size_t r = 0; r < R; ++r) {
        const mot_real *in = x + r * D;
        mot_real *out = y + r * D;
        const mot_real m = mot_row_sum(in, D) / (mot_real)D;
        mot_real square = 0;
#pragma omp simd reduction(+ : square)
        for (size_t i = 0; i < D; ++i) square += (in[i] - m) * (in[i] - m);
        const mot_real s = 1 / mot_sqrt(square / (mot_real)D + MOT_R(1e-5));
#pragma omp simd
        for (size_t i = 0; i < D; ++i) out[i] = (in[i] - m) * s * gain[i] + bias[i];
        mean[r] = m;
        rstd[r] = s;
    }
}

void mot_layernorm_backward(mot_real *d_x, mot_real *d_gain, mot_real *d_bias, const mot_real *d_y,
                            const mot_real *x, const mot_real *mean, const mot_real *rstd,
                            const mot_real *gain, size_t R, size_t D)
{
    for (size_t r = 0; r < R; ++r) {
        const mot_real *in = x + r * D, *dy = d_y + r * D;
        mot_real *dx = d_x + r * D;
        const mot_real m = mean[r], s = rstd[r];
        mot_real sum = 0, dot = 0; /* of d_norm and of d_norm * norm, where norm = (x - mean) rstd */
#pragma omp simd reduction(+ : sum, dot)
        for (size_t i = 0; i < D; ++i) {
            const mot_real norm = (in[i] - m) * s, d_norm = dy[i] * gain[i];
            sum += d_norm;
            dot += d_norm * norm;
            d_gain[i] += dy[i] * norm;
            d_bias[i] += dy[i];
        }
        sum /= (mot_real)D;
        dot /= (mot_real)D;
#pragma omp simd
        for (size_t i = 0; i < D; ++i) {
            const mot_real norm = (in[i] - m) * s;
            dx[i] += (dy[i] * gain[i] - sum - norm * dot) * s;
        }
    }
}

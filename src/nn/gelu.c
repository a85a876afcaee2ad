#include "mot/layers.h"

#include "mot/rowops.h"

/* 2 sqrt(2/pi), and the same times 0.044715 */
#define SLOPE MOT_R(1.5957691216057308)
#define CUBIC MOT_R(0.07135481282962443)

static inline mot_real logistic(mot_real x)
{
    return 1 / (1 + mot_exp(-x));
}

void mot_gelu_forward(mot_real *y, const mot_real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; ++i) y[i] = x[i] * logistic(x[i] * (SLOPE + CUBIC * x[i] * x[i]));
}

void mot_gelu_backward(mot_real *d_x, const mot_real *d_y, const mot_real *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; ++i) {
        const mot_real square = x[i] * x[i];
        const mot_real s = logistic(x[i] * (SLOPE + CUBIC * square));
        d_x[i] = d_y[i] * (s + x[i] * s * (1 - s) * (SLOPE + 3 * CUBIC * square));
    }
}

#include "mot/layers.h"

#include <string.h>

#include "mot/blas.h"
#include "mot/rowops.h"

void mot_linear_forward(mot_real *y, const mot_real *x, const mot_real *w, const mot_real *b, size_t R,
                        size_t K, size_t M)
{
    if (b != NULL)
        for (size_t r = 0; r < R; ++r) memcpy(y + r * M, b, M * sizeof *y);
    mot_gemm(false, false, R, M, K, 1, x, K, w, M, b != NULL, y, M);
}

void mot_linear_backward(mot_real *d_x, mot_real *d_w, mot_real *d_b, const mot_real *d_y, const mot_real *x,
                         const mot_real *w, size_t R, size_t K, size_t M)
{
    mot_gemm(true, false, K, M, R, 1, x, K, d_y, M, 1, d_w, M);
    if (d_b != NULL)
        for (size_t r = 0; r < R; ++r) mot_row_add(d_b, d_y + r * M, M);
    if (d_x != NULL) mot_linear_backward_input(d_x, d_y, w, R, K, M);
}

void mot_linear_backward_input(mot_real *d_x, const mot_real *d_y, const mot_real *w, size_t R, size_t K,
                               size_t M)
{
    mot_gemm(false, true, R, K, M, 1, d_y, M, w, M, 0, d_x, K);
}

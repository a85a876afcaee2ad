#include "mot/layers.h"

#include <math.h>

#include "mot/blas.h"
#include "mot/rowops.h"

size_t mot_attention_prob(const size_t *first, size_t samples, size_t H)
{
    size_t count = 0;
    for (size_t s = 0; s < samples; ++s) count += H * (first[s + 1] - first[s]) * (first[s + 1] - first[s]);
    return count;
}

void mot_attention_forward(mot_real *out, mot_real *prob, const mot_real *qkv, const size_t *first,
                           size_t samples, size_t D, size_t H)
{
    const size_t W = D / H; /* width of a head */
    const mot_real scale = 1 / (mot_real)sqrt((double)W);
    for (size_t s = 0; s < samples; ++s) {
        const size_t l = first[s + 1] - first[s];
        for (size_t h = 0; h < H; ++h, prob += l * l) {
            const mot_real *q = qkv + first[s] * 3 * D + h * W, *k = q + D, *v = k + D;
            mot_gemm(false, true, l, l, W, scale, q, 3 * D, k, 3 * D, 0, prob, l);
            for (size_t i = 0; i < l; ++i) mot_row_softmax(prob + i * l, l);
            mot_gemm(false, false, l, W, l, 1, prob, l, v, 3 * D, 0, out + first[s] * D + h * W, D);
        }
    }
}

void mot_attention_backward(mot_real *d_qkv, mot_real *scratch, const mot_real *d_out, const mot_real *qkv,
                            const mot_real *prob, const size_t *first, size_t samples, size_t D, size_t H)
{
    const size_t W = D / H;
    const mot_real scale = 1 / (mot_real)sqrt((double)W);
    for (size_t s = 0; s < samples; ++s) {
        const size_t l = first[s + 1] - first[s];
        for (size_t h = 0; h < H; ++h, prob += l * l) {
            const size_t at = first[s] * 3 * D + h * W;
            const mot_real *q = qkv + at, *k = q + D, *v = k + D, *d_o = d_out + first[s] * D + h * W;
            mot_real *d_q = d_qkv + at, *d_k = d_q + D, *d_v = d_k + D, *d_score = scratch;
            mot_gemm(true, false, l, W, l, 1, prob, l, d_o, D, 0, d_v, 3 * D);
            mot_gemm(false, true, l, l, W, 1, d_o, D, v, 3 * D, 0, d_score, l);
            for (size_t i = 0; i < l; ++i) {
                const mot_real *p = prob + i * l;
                mot_real *d = d_score + i * l;
                const mot_real dot = mot_row_dot(p, d, l);
#pragma omp simd
                for (size_t j = 0; j < l; ++j) d[j] = p[j] * (d[j] - dot);
            }
            mot_gemm(false, false, l, W, l, scale, d_score, l, k, 3 * D, 0, d_q, 3 * D);
            mot_gemm(true, false, l, W, l, scale, d_score, l, q, 3 * D, 0, d_k, 3 * D);
        }
    }
}

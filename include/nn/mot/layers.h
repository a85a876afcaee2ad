/* layers.h: the layers of a transformer as forward/backward pairs over plain arrays.
 *
 * R rows (tokens of all samples of a tile, one after another), K inputs, M outputs, D width, H heads; row-major; y = x W
 * with W [inputs, outputs]. Outputs come first, inputs after, sizes last; d_x is the gradient of the loss by x.
 * Gradients by weights and biases are added to what is there (+=); gradients by inputs are written (=) unless said
 * otherwise. Arrays do not overlap unless said otherwise. Not collective; nothing fails; nothing is allocated. */
#ifndef MOT_LAYERS_H
#define MOT_LAYERS_H

#include "mot/mixed.h"
#include "mot/real.h"
#include "mot/types.h"

/* y_rm = x_rk w_km + b_m. `b` may be NULL. */
void mot_linear_forward(mot_real *y, const mot_real *x, const mot_real *w, const mot_real *b, size_t R,
                        size_t K, size_t M);
/* d_x may be NULL (first layer, then w is not read); d_b may be NULL. */
void mot_linear_backward(mot_real *d_x, mot_real *d_w, mot_real *d_b, const mot_real *d_y, const mot_real *x,
                         const mot_real *w, size_t R, size_t K, size_t M);
/* The first of the three alone: d_x_rk = d_y_rm w_km. */
void mot_linear_backward_input(mot_real *d_x, const mot_real *d_y, const mot_real *w, size_t R, size_t K,
                               size_t M);

/* sum [M] += the rows of y [R, M]: the gradient by a bias from that by its outputs. */
void mot_sum_rows(mot_real *sum, const mot_real *y, size_t R, size_t M);
/* The same of y := y * factor [R, M], element by element: on the way back through an activation. */
void mot_multiply_and_sum_rows(mot_real *y, mot_real *sum, const mot_real *factor, size_t R, size_t M);

/* y = (x - mean) / sqrt(variance + 1e-5) * gain + bias over each row of D; mean [R] and rstd [R] are kept. */
void mot_layernorm_forward(mot_real *y, mot_real *mean, mot_real *rstd, const mot_real *x,
                           const mot_real *gain, const mot_real *bias, size_t R, size_t D);
/* d_x is added to (+=): the residual branch's gradient is already there. */
void mot_layernorm_backward(mot_real *d_x, mot_real *d_gain, mot_real *d_bias, const mot_real *d_y,
                            const mot_real *x, const mot_real *mean, const mot_real *rstd,
                            const mot_real *gain, size_t R, size_t D);

/* GELU by its tanh form (Hendrycks and Gimpel 2016), y_i = x_i s(2 sqrt(2/pi)(x_i + 0.044715 x_i^3)), s the logistic
 * function; y may be x. */
void mot_gelu_forward(mot_real *y, const mot_real *x, size_t n);
/* d_x may be d_y. */
void mot_gelu_backward(mot_real *d_x, const mot_real *d_y, const mot_real *x, size_t n);

/* For a layer that learns, with one exponential for both: y_i = gelu(x_i) and, unless `slope` is NULL, its derivative at
 * x_i, by which d_y is to be multiplied. y may be x. */
void mot_gelu_with_slope(mot_real *y, mot_real *slope, const mot_real *x, size_t n);

/* Multi-head attention within each sample. Sample s has rows [first[s], first[s+1]) of qkv [R, 3D] (q, k, v side by
 * side, each [H, D/H] within a row) and of out [R, D]:
 *      prob_hij = softmax_j(q_hi . k_hj / sqrt(D/H)),   out_hi = sum_j prob_hij v_hj.
 * No sample has more than `most` rows. prob (NULL: not kept) is what backward wants of forward: mot_attention_prob numbers. Of a
 * sample with l rows that is [H, l, l rounded up to whole vectors]; where `most` is more than 256, so that the probabilities of
 * a head may not fit into a second-level cache, two numbers a row and head [H, 2, l]: forward and backward go tile by tile then,
 * and backward finds probabilities again. `out` of backward is what forward gave. `scratch` has mot_attention_scratch numbers, no
 * more for 16,384 rows than for 257. */
void mot_attention_forward(mot_precision precision, mot_real *out, mot_real *prob, mot_real *scratch,
                           const mot_real *qkv, const size_t *first, size_t samples, size_t most, size_t D, size_t H);
void mot_attention_backward(mot_precision precision, mot_real *d_qkv, mot_real *scratch, const mot_real *d_out,
                            const mot_real *out, const mot_real *qkv, const mot_real *prob, const size_t *first,
                            size_t samples, size_t most, size_t D, size_t H);
/* What the keys of one sample of l rows get, received [H, l], of its queries as they are weighed, query [l]: received_hj =
 * sum_i query_i prob_hij, of what forward has kept of it (mot_attention_prob of the samples before it is where that begins).
 * `scratch` as for forward. */
void mot_attention_received(mot_precision precision, double *received, mot_real *scratch, const mot_real *qkv, const mot_real *prob,
                            const double *query, size_t l, size_t most, size_t D, size_t H);
size_t mot_attention_prob(const size_t *first, size_t samples, size_t most, size_t H);
/* `learn`: for backward too. */
size_t mot_attention_scratch(mot_precision precision, size_t most, size_t D, size_t H, bool learn);

#endif

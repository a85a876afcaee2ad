/* Short samples, a head's probabilities of which fit into the second-level cache, are a few products of whole matrices, and their
 * probabilities lie between forward and backward. Where samples may be long, all go tile by tile (attention_long.h): what
 * lies between forward and backward must not be more for a shorter one. */
#include "mot/layers.h"

#include <math.h>
#include <string.h>

#include "attention_long.h"
#include "mot/mixed.h"
#include "mot/vector.h"

enum { MOST_SHORT = 256 }; /* rows */

static bool by_tiles(size_t most)
{
    return most > MOST_SHORT;
}

size_t mot_attention_prob(const size_t *first, size_t samples, size_t most, size_t H)
{
    size_t count = 0;
    for (size_t s = 0; s < samples; ++s) {
        const size_t l = first[s + 1] - first[s];
        count += H * l * (by_tiles(most) ? 2 : mot_padded(l));
    }
    return count;
}

/* ---- scratch ---- */

/* Places in it. W: width of a head. */
typedef struct head_scratch {
    mot_real *plain;         /* factor: V [l, W] in forward, K in backward */
    mot_real *across;        /* factor: K^T in forward, V^T in backward [W, l] */
    mot_real *prob;          /* [l, padded(l)]: probabilities in forward, the scores' gradients in backward */
    mot_mixed mixed;
} head_scratch;

enum { PLAIN, ACROSS, PROB, OPERANDS, PLACES };

/* Where they begin, in order, and behind them the end. */
static void lay_out(size_t at[PLACES + 1], mot_precision precision, size_t l, size_t W, bool learn)
{
    size_t operands = MOT_MAX(mot_mixed_operands(precision, W), mot_mixed_operands(precision, l));
    if (learn) operands = MOT_MAX(operands, mot_mixed_across_operands(precision, l, W, l));
    const size_t count[PLACES] = {[PLAIN] = mot_factor_room(precision, l, W),
                                  [ACROSS] = mot_factor_transposed_room(precision, W, l),
                                  [PROB] = l * mot_padded(l),
                                  [OPERANDS] = operands};
    at[0] = 0;
    for (size_t i = 0; i < PLACES; ++i) at[i + 1] = at[i] + count[i];
}

size_t mot_attention_scratch(mot_precision precision, size_t most, size_t D, size_t H, bool learn)
{
    size_t at[PLACES + 1];
    if (by_tiles(most)) return mot_attention_long_scratch(precision, D / H, learn);
    lay_out(at, precision, most, D / H, learn);
    return at[PLACES];
}

static head_scratch places(mot_precision precision, mot_real *scratch, size_t l, size_t W, bool learn)
{
    size_t at[PLACES + 1];
    lay_out(at, precision, l, W, learn);
    return (head_scratch){.plain = scratch + at[PLAIN],
                          .across = scratch + at[ACROSS],
                          .prob = scratch + at[PROB],
                          .mixed = {precision, scratch + at[OPERANDS]}};
}

/* ---- rows of scores, padded(l) apart ---- */

/* So many rows go through each part of a softmax one after another: a row by itself is a chain of operations that
 * wait for each other, and the processor does not look so far ahead as to find the next row's. */
enum { ROWS_AT_ONCE = 8 };

/* The largest of each row's l numbers. */
static inline void largest(mot_real *most, const mot_real *score, size_t rows, size_t l)
{
    const size_t length = mot_padded(l), last = length - MOT_LANES;
    for (size_t i = 0; i < rows; ++i, score += length) {
        mot_vector top = mot_first_lanes(mot_load(score + last), l - last, -MOT_R(1e30));
        for (size_t j = 0; j < last; j += MOT_LANES) top = mot_larger(mot_load(score + j), top);
        most[i] = mot_lanes_max(top);
    }
}

/* score := exp(scale (score - most)), 0 behind each row's l; the sum of each row. */
static inline void exponentials(mot_real *sums, mot_real *score, const mot_real *most, mot_real scale,
                                size_t rows, size_t l)
{
    const size_t length = mot_padded(l), last = length - MOT_LANES;
    for (size_t i = 0; i < rows; ++i, score += length) {
        const mot_vector factor = mot_all(scale), below = mot_all(-(most[i] * scale));
        mot_vector sum = {0};
        for (size_t j = 0; j < last; j += MOT_LANES) {
            const mot_vector e = mot_vector_exp(mot_fused(mot_load(score + j), factor, below));
            mot_store(score + j, e);
            sum += e;
        }
        const mot_vector e = mot_first_lanes(mot_vector_exp(mot_fused(mot_load(score + last), factor, below)),
                                             l - last, 0);
        mot_store(score + last, e);
        sums[i] = mot_lanes_sum(sum + e);
    }
}

/* score := softmax(scale score) */
static void softmax_rows(mot_real *score, size_t rows, size_t l, mot_real scale)
{
    const size_t length = mot_padded(l);
    for (size_t i = 0; i < rows; i += ROWS_AT_ONCE, score += ROWS_AT_ONCE * length) {
        const size_t count = MOT_MIN((size_t)ROWS_AT_ONCE, rows - i);
        mot_real most[ROWS_AT_ONCE], sum[ROWS_AT_ONCE];
        largest(most, score, count, l);
        exponentials(sum, score, most, scale, count, l);
        for (size_t r = 0; r < count; ++r) sum[r] = 1 / sum[r];
        for (size_t r = 0; r < count; ++r)
            for (size_t j = r * length; j < (r + 1) * length; j += MOT_LANES)
                mot_store(score + j, mot_load(score + j) * sum[r]);
    }
}

/* d := scale p (d - <p, d>), p 0 behind each row's l. */
static void softmax_rows_backward(mot_real *d, const mot_real *p, size_t rows, size_t l, mot_real scale)
{
    const size_t length = mot_padded(l);
    for (size_t i = 0; i < rows; i += ROWS_AT_ONCE, d += ROWS_AT_ONCE * length, p += ROWS_AT_ONCE * length) {
        const size_t count = MOT_MIN((size_t)ROWS_AT_ONCE, rows - i);
        mot_real dot[ROWS_AT_ONCE];
        for (size_t r = 0; r < count; ++r) {
            mot_vector sum = {0};
            for (size_t j = r * length; j < (r + 1) * length; j += MOT_LANES)
                sum = mot_fused(mot_load(p + j), mot_load(d + j), sum);
            dot[r] = mot_lanes_sum(sum);
        }
        for (size_t r = 0; r < count; ++r)
            for (size_t j = r * length; j < (r + 1) * length; j += MOT_LANES)
                mot_store(d + j, mot_load(p + j) * scale * (mot_load(d + j) - dot[r]));
    }
}

/* ---- products ---- */

/* A matrix whose rows stand `row` apart. */
typedef struct matrix {
    const mot_real *at;
    size_t row;
} matrix;

/* c [m, n] = a [m, k] b [k, n] */
static void times(const head_scratch *head, mot_real *c, size_t ldc, matrix a, mot_factor b, size_t m,
                  size_t n, size_t k)
{
    mot_mixed_multiply(
        &head->mixed,
        &(mot_mixed_product){.m = m, .n = n, .k = k, .a = a.at, .lda = a.row, .b = b, .c = c, .ldc = ldc});
}

/* c [m, n] = a^T b, with a [k, m], b [k, n]. */
static void transposed_times(const head_scratch *head, mot_real *c, size_t ldc, matrix a, matrix b, size_t m,
                             size_t n, size_t k)
{
    mot_mixed_multiply_across(&head->mixed, c, ldc, a.at, a.row, b.at, b.row, m, n, k, false);
}

/* ---- a head of a short sample; q is its first row of queries, and its keys stand D behind, its values 2 D ---- */

static void forward(mot_precision precision, mot_real *out, mot_real *prob, mot_real *scratch, const mot_real *q, size_t l, size_t D,
                    size_t W)
{
    const size_t D3 = 3 * D, length = mot_padded(l);
    const mot_real *k = q + D, *v = k + D;
    const head_scratch head = places(precision, scratch, l, W, false);
    const mot_factor keys = mot_factor_transposed(precision, head.across, k, D3, W, l),
                     values = mot_factor_of(precision, head.plain, v, D3, l, W);
    if (prob == NULL) prob = head.prob;
    times(&head, prob, length, (matrix){q, D3}, keys, l, length, W);
    softmax_rows(prob, l, l, 1 / (mot_real)sqrt((double)W));
    times(&head, out, D, (matrix){prob, length}, values, l, W, l);
}

static void backward(mot_precision precision, mot_real *d_q, mot_real *scratch, const mot_real *d_out, const mot_real *q,
                     const mot_real *prob, size_t l, size_t D, size_t W)
{
    const size_t D3 = 3 * D, length = mot_padded(l);
    const mot_real *k = q + D, *v = k + D;
    mot_real *d_k = d_q + D, *d_v = d_k + D;
    const head_scratch head = places(precision, scratch, l, W, true);
    const mot_factor keys = mot_factor_of(precision, head.plain, k, D3, l, W),
                     values_across = mot_factor_transposed(precision, head.across, v, D3, W, l);
    const matrix queries = {q, D3}, d_o = {d_out, D}, d_score = {head.prob, length}, p = {prob, length};
    transposed_times(&head, d_v, D3, p, d_o, l, W, l);
    times(&head, head.prob, length, d_o, values_across, l, length, W);
    softmax_rows_backward(head.prob, prob, l, l, 1 / (mot_real)sqrt((double)W));
    times(&head, d_q, D3, d_score, keys, l, W, l);
    transposed_times(&head, d_k, D3, d_score, queries, l, W, l);
}

/* ---- all heads of all samples ---- */

void mot_attention_forward(mot_precision precision, mot_real *out, mot_real *prob, mot_real *scratch,
                           const mot_real *qkv, const size_t *first, size_t samples, size_t most, size_t D, size_t H)
{
    const size_t W = D / H; /* width of a head */
    for (size_t s = 0; s < samples; ++s) {
        const size_t l = first[s + 1] - first[s], kept = mot_attention_prob(first + s, 1, most, 1);
        for (size_t h = 0; h < H; ++h) {
            (by_tiles(most) ? mot_attention_long_forward : forward)(precision, out + first[s] * D + h * W, prob, scratch,
                                                                qkv + first[s] * 3 * D + h * W, l, D, W);
            if (prob != NULL) prob += kept;
        }
    }
}

void mot_attention_backward(mot_precision precision, mot_real *d_qkv, mot_real *scratch, const mot_real *d_out,
                            const mot_real *out, const mot_real *qkv, const mot_real *prob, const size_t *first,
                            size_t samples, size_t most, size_t D, size_t H)
{
    const size_t W = D / H;
    for (size_t s = 0; s < samples; ++s) {
        const size_t l = first[s + 1] - first[s], kept = mot_attention_prob(first + s, 1, most, 1);
        for (size_t h = 0; h < H; ++h, prob += kept) {
            const size_t at = first[s] * 3 * D + h * W, at_out = first[s] * D + h * W;
            if (by_tiles(most))
                mot_attention_long_backward(precision, d_qkv + at, scratch, d_out + at_out, out + at_out, qkv + at, prob, l, D, W);
            else
                backward(precision, d_qkv + at, scratch, d_out + at_out, qkv + at, prob, l, D, W);
        }
    }
}

void mot_attention_received(mot_precision precision, double *received, mot_real *scratch, const mot_real *qkv, const mot_real *prob,
                            const double *query, size_t l, size_t most, size_t D, size_t H)
{
    const size_t W = D / H, length = mot_padded(l), first[] = {0, l}, kept = mot_attention_prob(first, 1, most, 1);
    memset(received, 0, H * l * sizeof *received);
    for (size_t h = 0; h < H; ++h, received += l, prob += kept) {
        if (by_tiles(most))
            mot_attention_long_received(precision, received, scratch, query, qkv + h * W, prob, l, D, W);
        else
            for (size_t i = 0; i < l; ++i)
                for (size_t j = 0; j < l; ++j) received[j] += query[i] * (double)prob[i * length + j];
    }
}

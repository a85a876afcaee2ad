/* A head's queries are taken in blocks, as many as keep the scores of a block, queries x all keys, in the second-level
 * cache: short samples are one block, and however long a sample is, its l x l scores are never formed. What lies
 * between forward and backward is the probabilities of short samples; those of long ones are found again. Blocks do
 * not show in the result of forward: each query's row is by itself. */
#include "mot/layers.h"

#include <math.h>
#include <string.h>

#include "mot/mixed.h"
#include "mot/vector.h"

enum { BLOCK_SCORES = 1 << 16 };

/* Queries of a block. */
static size_t block_rows(size_t l)
{
    return MOT_MAX((size_t)1, MOT_MIN(l, BLOCK_SCORES / mot_padded(MOT_MAX(l, (size_t)1))));
}

static bool keeps(size_t l)
{
    return block_rows(l) >= l;
}

size_t mot_attention_prob(const size_t *first, size_t samples, size_t H)
{
    size_t count = 0;
    for (size_t s = 0; s < samples; ++s) {
        const size_t l = first[s + 1] - first[s];
        if (keeps(l)) count += H * l * mot_padded(l);
    }
    return count;
}

/* ---- scratch ---- */

/* Places in it. W: width of a head. */
typedef struct head_scratch {
    mot_real *plain;         /* factor: V [l, W] in forward, K in backward */
    mot_real *keys, *values; /* factors: K^T and, in backward, V^T [W, l] */
    mot_real *prob;          /* [block, padded(l)] */
    mot_real *d_score;       /* likewise, in backward */
    mot_mixed mixed;
} head_scratch;

enum { PLAIN, KEYS, PROB, OPERANDS, FORWARD_PLACES, VALUES = FORWARD_PLACES, D_SCORE, BACKWARD_PLACES };

/* Where they begin, in order, and behind them the end. */
static void lay_out(size_t at[BACKWARD_PLACES + 1], mot_precision precision, size_t l, size_t W, bool learn)
{
    const size_t across = mot_factor_transposed_room(precision, W, l), square = block_rows(l) * mot_padded(l);
    size_t operands = MOT_MAX(mot_mixed_operands(precision, W), mot_mixed_operands(precision, l));
    if (learn) operands = MOT_MAX(operands, mot_mixed_across_operands(precision, l, W, block_rows(l)));
    const size_t count[BACKWARD_PLACES] = {[PLAIN] = mot_factor_room(precision, l, W),
                                           [KEYS] = across,
                                           [PROB] = square,
                                           [OPERANDS] = operands,
                                           [VALUES] = across,
                                           [D_SCORE] = square};
    at[0] = 0;
    for (size_t i = 0; i < BACKWARD_PLACES; ++i) at[i + 1] = at[i] + count[i];
}

size_t mot_attention_scratch(mot_precision precision, size_t l, size_t D, size_t H, bool learn)
{
    size_t at[BACKWARD_PLACES + 1];
    lay_out(at, precision, l, D / H, learn);
    return at[learn ? BACKWARD_PLACES : FORWARD_PLACES];
}

static head_scratch places(mot_precision precision, mot_real *scratch, size_t l, size_t W, bool learn)
{
    size_t at[BACKWARD_PLACES + 1];
    lay_out(at, precision, l, W, learn);
    return (head_scratch){.plain = scratch + at[PLAIN],
                          .keys = scratch + at[KEYS],
                          .prob = scratch + at[PROB],
                          .mixed = {precision, scratch + at[OPERANDS]},
                          .values = scratch + at[VALUES],
                          .d_score = scratch + at[D_SCORE]};
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

/* c [m, n] = a^T b, or += where `add`, with a [k, m], b [k, n]. */
static void transposed_times(const head_scratch *head, mot_real *c, size_t ldc, matrix a, matrix b, size_t m,
                             size_t n, size_t k, bool add)
{
    mot_mixed_multiply_across(&head->mixed, c, ldc, a.at, a.row, b.at, b.row, m, n, k, add);
}

/* prob [rows, l], padded(l) apart, of some queries; keys [W, l]. */
static void probabilities(const head_scratch *head, mot_real *prob, matrix queries, mot_factor keys,
                          size_t rows, size_t l, size_t W)
{
    const size_t length = mot_padded(l);
    times(head, prob, length, queries, keys, rows, length, W);
    softmax_rows(prob, rows, l, 1 / (mot_real)sqrt((double)W));
}

void mot_attention_forward(mot_precision precision, mot_real *out, mot_real *prob, mot_real *scratch,
                           const mot_real *qkv, const size_t *first, size_t samples, size_t D, size_t H)
{
    const size_t W = D / H, D3 = 3 * D; /* W: width of a head */
    for (size_t s = 0; s < samples; ++s) {
        const size_t l = first[s + 1] - first[s], length = mot_padded(l), block = block_rows(l);
        const head_scratch head = places(precision, scratch, l, W, false);
        for (size_t h = 0; h < H; ++h) {
            const mot_real *q = qkv + first[s] * D3 + h * W, *k = q + D, *v = k + D;
            mot_real *o = out + first[s] * D + h * W;
            const mot_factor keys = mot_factor_transposed(precision, head.keys, k, D3, W, l),
                             values = mot_factor_of(precision, head.plain, v, D3, l, W);
            for (size_t i = 0; i < l; i += block) {
                const size_t rows = MOT_MIN(block, l - i);
                mot_real *p = keeps(l) && prob != NULL ? prob : head.prob;
                probabilities(&head, p, (matrix){q + i * D3, D3}, keys, rows, l, W);
                times(&head, o + i * D, D, (matrix){p, length}, values, rows, W, l);
            }
            if (keeps(l) && prob != NULL) prob += l * length;
        }
    }
}

void mot_attention_backward(mot_precision precision, mot_real *d_qkv, mot_real *scratch,
                            const mot_real *d_out, const mot_real *qkv, const mot_real *prob,
                            const size_t *first, size_t samples, size_t D, size_t H)
{
    const size_t W = D / H, D3 = 3 * D;
    const mot_real scale = 1 / (mot_real)sqrt((double)W);
    for (size_t s = 0; s < samples; ++s) {
        const size_t l = first[s + 1] - first[s], length = mot_padded(l), block = block_rows(l);
        const head_scratch head = places(precision, scratch, l, W, true);
        for (size_t h = 0; h < H; ++h) {
            const size_t at = first[s] * D3 + h * W;
            const mot_real *q = qkv + at, *k = q + D, *v = k + D;
            mot_real *d_q = d_qkv + at, *d_k = d_q + D, *d_v = d_k + D;
            const mot_factor keys = mot_factor_of(precision, head.plain, k, D3, l, W),
                             values_across = mot_factor_transposed(precision, head.values, v, D3, W, l);
            mot_factor keys_across = {0};
            if (!keeps(l)) keys_across = mot_factor_transposed(precision, head.keys, k, D3, W, l);
            for (size_t i = 0; i < l; i += block) {
                const size_t rows = MOT_MIN(block, l - i);
                const matrix queries = {q + i * D3, D3}, d_o = {d_out + (first[s] + i) * D + h * W, D},
                             d_score = {head.d_score, length}, p = {keeps(l) ? prob : head.prob, length};
                if (!keeps(l)) probabilities(&head, head.prob, queries, keys_across, rows, l, W);
                transposed_times(&head, d_v, D3, p, d_o, l, W, rows, i > 0);
                times(&head, head.d_score, length, d_o, values_across, rows, length, W);
                softmax_rows_backward(head.d_score, p.at, rows, l, scale);
                times(&head, d_q + i * D3, D3, d_score, keys, rows, W, l);
                transposed_times(&head, d_k, D3, d_score, queries, l, W, rows, i > 0);
            }
            if (keeps(l)) prob += l * length;
        }
    }
}

void mot_attention_received(mot_precision precision, double *received, mot_real *scratch, const mot_real *qkv,
                            const double *query, size_t l, size_t D, size_t H)
{
    const size_t W = D / H, D3 = 3 * D, length = mot_padded(l), block = block_rows(l);
    const head_scratch head = places(precision, scratch, l, W, false);
    memset(received, 0, H * l * sizeof *received);
    for (size_t h = 0; h < H; ++h, received += l) {
        const mot_real *q = qkv + h * W;
        const mot_factor keys = mot_factor_transposed(precision, head.keys, q + D, D3, W, l);
        for (size_t i = 0; i < l; i += block) {
            const size_t rows = MOT_MIN(block, l - i);
            probabilities(&head, head.prob, (matrix){q + i * D3, D3}, keys, rows, l, W);
            for (size_t r = 0; r < rows; ++r)
                for (size_t j = 0; j < l; ++j) received[j] += query[i + r] * (double)head.prob[r * length + j];
        }
    }
}

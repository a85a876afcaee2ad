/* FlashAttention (Dao et al. 2022, arXiv 2205.14135), a tile standing upright: rows are keys, columns queries.
 *
 *            queries i ...
 *      keys  s_ji = k_j . q_i       a query's largest score, its sum and its factors are lanes of vectors: no
 *       j    p_ji = exp(s_ji - m_i)  operation goes across lanes, and probabilities are operands of products as
 *      ...                           they lie
 *
 * A block of queries meets all keys, tile after tile. Forward, [W, queries], starting from what the tiles before gave:
 *      m' = max(m, tile's)   sum' = a sum + sum_j p   O^T' = a O^T + V^T P   with a = exp(m - m')
 * Backward finds a tile's probabilities again from m and the sum; <p_i, d_p_i> of a whole row is <d_o_i, o_i>:
 *      d_V += P d_O   d_S = P (d_P - <d_o, o>)   d_K += d_S Q   d_Q^T += K^T d_S
 * A tile and what it is made of stay in the second-level cache, so the speed does not depend on the length. */
#include "attention_long.h"

#include <math.h>
#include <string.h>

#include "mot/rowops.h"
#include "mot/vector.h"

enum { QUERIES = 128, KEYS = 128, STRIPE = 4 /* vectors of a tile's row that are worked on together */ };

/* ---- scratch ---- */

typedef struct tile_scratch {
    mot_real *across, *d_across; /* factors: the block's Q^T and d_O^T [W, QUERIES] */
    mot_real *plain, *d_plain;   /* factors: its Q and d_O [QUERIES, W] */
    mot_real *score, *d_score;   /* the tile: [KEYS, QUERIES], and what its gradient is found from */
    mot_real *sum;               /* [W, QUERIES]: O^T, or the gradient of Q^T */
    mot_real *row[3];            /* [QUERIES] each: of a query three numbers */
    mot_mixed mixed;
} tile_scratch;

/* NULL scratch: only returns its numbers. */
static size_t places(tile_scratch *at, mot_precision precision, mot_real *scratch, size_t W, bool learn)
{
    const size_t across = mot_factor_packed_room(precision, W, QUERIES), plain = mot_factor_room(precision, QUERIES, W);
    size_t operands = MOT_MAX(mot_mixed_operands(precision, W), mot_mixed_operands(precision, QUERIES));
    operands = MOT_MAX(operands, mot_mixed_across_operands(precision, W, QUERIES, KEYS));
    const struct {
        mot_real **place;
        size_t count;
    } part[] = {{&at->score, KEYS * QUERIES},
                {&at->sum, W * QUERIES},
                {&at->row[0], QUERIES},
                {&at->row[1], QUERIES},
                {&at->row[2], QUERIES},
                {&at->across, across},
                {&at->mixed.operands, operands},
                {&at->d_score, learn ? KEYS * QUERIES : 0},
                {&at->d_across, learn ? across : 0},
                {&at->plain, learn ? plain : 0},
                {&at->d_plain, learn ? plain : 0}};
    size_t count = 0;
    for (size_t i = 0; i < MOT_COUNT(part); ++i) {
        if (scratch != NULL) *part[i].place = scratch + count;
        count += part[i].count;
    }
    at->mixed.precision = precision;
    return count;
}

size_t mot_attention_long_scratch(mot_precision precision, size_t W, bool learn)
{
    tile_scratch at;
    return places(&at, precision, NULL, W, learn);
}

/* ---- products; rows of tiles and of sums stand `length` apart ---- */

/* c [m, n] = a b, or += where `add`. */
static void times(const tile_scratch *at, mot_real *c, size_t ldc, const mot_real *a, size_t lda, mot_factor b, size_t m, size_t n,
                  size_t k, bool add)
{
    mot_mixed_multiply(&at->mixed, &(mot_mixed_product){.m = m,
                                                        .n = n,
                                                        .k = k,
                                                        .a = a,
                                                        .lda = lda,
                                                        .b = b,
                                                        .start = add ? c : NULL,
                                                        .c = c,
                                                        .ldc = ldc});
}

/* at->sum = rows^T tile, or += where `add`: rows [keys, W] of keys or values. */
static void sum_over_keys(const tile_scratch *at, const mot_real *rows, size_t apart, const mot_real *tile, size_t keys, size_t length,
                          size_t W, bool add)
{
    mot_mixed_multiply_across(&at->mixed, at->sum, length, rows, apart, tile, length, W, length, keys, add);
}

/* to [count, W], rows `apart` apart, = the transpose of the sums, each column times its factor. */
static void put_sums(const tile_scratch *at, mot_real *to, size_t apart, const mot_real *factor, size_t count, size_t length, size_t W)
{
    for (size_t i = 0; i < count; ++i)
        for (size_t c = 0; c < W; ++c) to[i * apart + c] = at->sum[c * length + i] * (factor != NULL ? factor[i] : 1);
}

/* ---- a stripe of a tile: `vectors` of its columns, a constant where this is inlined ---- */

/* score := exp(scale (score - most)), most := the larger of it and the stripe's; sum := a sum + its sums, and the same a is
 * what `shrink` is for. */
static inline __attribute__((always_inline)) void weigh(const size_t vectors, mot_real *score, size_t keys, size_t length,
                                                        mot_real scale, mot_real *most, mot_real *sum, mot_real *shrink)
{
    mot_vector top[STRIPE], below[STRIPE], sums[STRIPE];
    const mot_vector factor = mot_all(scale);
#define EACH _Pragma("GCC unroll 4") for (size_t v = 0; v < vectors; ++v)
    EACH top[v] = mot_load(most + v * MOT_LANES);
    for (size_t j = 0; j < keys; ++j)
        EACH top[v] = mot_larger(mot_load(score + j * length + v * MOT_LANES), top[v]);
    EACH below[v] = -(top[v] * factor);
    EACH mot_store(shrink + v * MOT_LANES, mot_vector_exp(mot_fused(mot_load(most + v * MOT_LANES), factor, below[v])));
    EACH mot_store(most + v * MOT_LANES, top[v]);
    EACH sums[v] = mot_load(sum + v * MOT_LANES) * mot_load(shrink + v * MOT_LANES);
    for (size_t j = 0; j < keys; ++j) {
        mot_real *row = score + j * length;
        EACH {
            const mot_vector e = mot_vector_exp(mot_fused(mot_load(row + v * MOT_LANES), factor, below[v]));
            mot_store(row + v * MOT_LANES, e);
            sums[v] += e;
        }
    }
    EACH mot_store(sum + v * MOT_LANES, sums[v]);
}

/* p := the probabilities of scores, d := the scores' gradients of the probabilities'. */
static inline __attribute__((always_inline)) void weigh_backward(const size_t vectors, mot_real *p, mot_real *d, size_t keys,
                                                                 size_t length, mot_real scale, const mot_real *below,
                                                                 const mot_real *share, const mot_real *dot)
{
    const mot_vector factor = mot_all(scale);
    for (size_t j = 0; j < keys; ++j, p += length, d += length)
        EACH {
            const size_t at = v * MOT_LANES;
            const mot_vector e = mot_vector_exp(mot_fused(mot_load(p + at), factor, mot_load(below + at))) * mot_load(share + at);
            mot_store(p + at, e);
            mot_store(d + at, e * factor * (mot_load(d + at) - mot_load(dot + at)));
        }
#undef EACH
}

static void weigh_tile(const tile_scratch *at, size_t keys, size_t length, mot_real scale, mot_real *most, mot_real *sum,
                       mot_real *shrink)
{
    size_t i = 0;
    for (; i + STRIPE * MOT_LANES <= length; i += STRIPE * MOT_LANES)
        weigh(STRIPE, at->score + i, keys, length, scale, most + i, sum + i, shrink + i);
    for (; i < length; i += MOT_LANES) weigh(1, at->score + i, keys, length, scale, most + i, sum + i, shrink + i);
}

static void weigh_tile_backward(const tile_scratch *at, size_t keys, size_t length, mot_real scale)
{
    const mot_real *const *row = (const mot_real *const *)at->row;
    size_t i = 0;
    for (; i + STRIPE * MOT_LANES <= length; i += STRIPE * MOT_LANES)
        weigh_backward(STRIPE, at->score + i, at->d_score + i, keys, length, scale, row[0] + i, row[1] + i, row[2] + i);
    for (; i < length; i += MOT_LANES)
        weigh_backward(1, at->score + i, at->d_score + i, keys, length, scale, row[0] + i, row[1] + i, row[2] + i);
}

/* ---- forward ---- */

static void fill(mot_real *row, size_t count, mot_real with)
{
    for (size_t i = 0; i < count; ++i) row[i] = with;
}

static void shrink_sums(const tile_scratch *at, const mot_real *shrink, size_t length, size_t W)
{
    for (size_t c = 0; c < W; ++c)
        for (size_t i = 0; i < length; i += MOT_LANES)
            mot_store(at->sum + c * length + i, mot_load(at->sum + c * length + i) * mot_load(shrink + i));
}

void mot_attention_long_forward(mot_precision precision, mot_real *out, mot_real *kept, mot_real *scratch, const mot_real *q,
                                size_t l, size_t D, size_t W)
{
    const size_t D3 = 3 * D;
    const mot_real scale = 1 / (mot_real)sqrt((double)W), *k = q + D, *v = k + D;
    tile_scratch at;
    places(&at, precision, scratch, W, false);
    mot_real *most = at.row[0], *sum = at.row[1], *shrink = at.row[2];
    for (size_t i = 0; i < l; i += QUERIES) {
        const size_t count = MOT_MIN((size_t)QUERIES, l - i), length = mot_padded(count);
        const mot_factor queries = mot_factor_packed_transposed(precision, at.across, q + i * D3, D3, W, count);
        fill(most, length, -MOT_R(1e30));
        fill(sum, length, 0);
        for (size_t j = 0; j < l; j += KEYS) {
            const size_t keys = MOT_MIN((size_t)KEYS, l - j);
            times(&at, at.score, length, k + j * D3, D3, queries, keys, length, W, false);
            weigh_tile(&at, keys, length, scale, most, sum, shrink);
            if (j > 0) shrink_sums(&at, shrink, length, W);
            sum_over_keys(&at, v + j * D3, D3, at.score, keys, length, W, j > 0);
        }
        for (size_t r = 0; r < count; ++r) sum[r] = 1 / sum[r];
        put_sums(&at, out + i * D, D, sum, count, length, W);
        for (size_t r = 0; kept != NULL && r < count; ++r) kept[i + r] = -(most[r] * scale);
        if (kept != NULL) memcpy(kept + l + i, sum, count * sizeof *sum);
    }
}

/* ---- backward ---- */

/* What is known of a block's queries; behind the last of them nothing has any weight. */
static void know_rows(const tile_scratch *at, const mot_real *kept, const mot_real *d_o, const mot_real *o, size_t i, size_t count,
                      size_t length, size_t l, size_t D, size_t W)
{
    for (int n = 0; n < 3; ++n) fill(at->row[n], length, 0);
    memcpy(at->row[0], kept + i, count * sizeof *kept);
    memcpy(at->row[1], kept + l + i, count * sizeof *kept);
    for (size_t r = 0; r < count; ++r) at->row[2][r] = mot_row_dot(d_o + r * D, o + r * D, W);
}

void mot_attention_long_backward(mot_precision precision, mot_real *d_q, mot_real *scratch, const mot_real *d_out,
                                 const mot_real *out, const mot_real *q, const mot_real *kept, size_t l, size_t D, size_t W)
{
    const size_t D3 = 3 * D;
    const mot_real scale = 1 / (mot_real)sqrt((double)W), *k = q + D, *v = k + D;
    mot_real *d_k = d_q + D, *d_v = d_k + D;
    tile_scratch at;
    places(&at, precision, scratch, W, true);
    for (size_t i = 0; i < l; i += QUERIES) {
        const size_t count = MOT_MIN((size_t)QUERIES, l - i), length = mot_padded(count);
        const mot_real *q_i = q + i * D3, *d_o = d_out + i * D;
        const mot_factor across = mot_factor_packed_transposed(precision, at.across, q_i, D3, W, count),
                         d_across = mot_factor_packed_transposed(precision, at.d_across, d_o, D, W, count),
                         plain = mot_factor_of(precision, at.plain, q_i, D3, count, W),
                         d_plain = mot_factor_of(precision, at.d_plain, d_o, D, count, W);
        know_rows(&at, kept, d_o, out + i * D, i, count, length, l, D, W);
        for (size_t j = 0; j < l; j += KEYS) {
            const size_t keys = MOT_MIN((size_t)KEYS, l - j);
            times(&at, at.score, length, k + j * D3, D3, across, keys, length, W, false);
            times(&at, at.d_score, length, v + j * D3, D3, d_across, keys, length, W, false);
            weigh_tile_backward(&at, keys, length, scale);
            times(&at, d_v + j * D3, D3, at.score, length, d_plain, keys, W, count, i > 0);
            times(&at, d_k + j * D3, D3, at.d_score, length, plain, keys, W, count, i > 0);
            sum_over_keys(&at, k + j * D3, D3, at.d_score, keys, length, W, j > 0);
        }
        put_sums(&at, d_q + i * D3, D3, NULL, count, length, W);
    }
}

/* ---- who gets how much ---- */

void mot_attention_long_received(mot_precision precision, double *received, mot_real *scratch, const double *query,
                                 const mot_real *q, const mot_real *kept, size_t l, size_t D, size_t W)
{
    const size_t D3 = 3 * D;
    const mot_vector scale = mot_all(1 / (mot_real)sqrt((double)W));
    const mot_real *k = q + D;
    tile_scratch at;
    places(&at, precision, scratch, W, false);
    for (size_t i = 0; i < l; i += QUERIES) {
        const size_t count = MOT_MIN((size_t)QUERIES, l - i), length = mot_padded(count);
        const mot_factor queries = mot_factor_packed_transposed(precision, at.across, q + i * D3, D3, W, count);
        fill(at.row[0], length, 0);
        memcpy(at.row[0], kept + i, count * sizeof *kept);
        for (size_t j = 0; j < l; ++j) {
            const size_t row = j % KEYS;
            if (row == 0) times(&at, at.score, length, k + j * D3, D3, queries, MOT_MIN((size_t)KEYS, l - j), length, W, false);
            mot_real *e = at.score + row * length;
            for (size_t r = 0; r < length; r += MOT_LANES)
                mot_store(e + r, mot_vector_exp(mot_fused(mot_load(e + r), scale, mot_load(at.row[0] + r))));
            for (size_t r = 0; r < count; ++r) received[j] += query[i + r] * (double)e[r] * (double)kept[l + i + r];
        }
    }
}

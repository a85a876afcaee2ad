/* As in product.c a block of C, ROWS rows of one panel of two vectors of columns, stays in registers; for each pair of k
 * two vectors of B are loaded, and multiplied with one pair of each row of A. B lies panel by panel:
 *
 *      right operand    [panels][pairs of k][32 columns]
 *      left             [m][pairs of k]          left, transposed    [pairs of k][m] */
#include "mot/product_bf16.h"

#if defined(__x86_64__) && !defined(MOT_DOUBLE) /* compiled for these instructions at any level: src/CMakeLists.txt */

#include <immintrin.h>

#include "mot/product.h"
#include "product_tiles.h"

enum { ROWS = 14, LANES = MOT_PAIR_LANES, PANEL = MOT_PAIR_PANEL };

/* ---- operands ---- */

/* The lanes of n numbers that are left. */
static inline __mmask16 first_lanes(size_t n)
{
    return n >= LANES ? 0xffff : (__mmask16)((1u << n) - 1);
}

/* The n numbers that are left, at most 16; behind them zeros, and nothing is read there. */
static inline __m512 load_first(const float *x, size_t n)
{
    return n >= LANES ? _mm512_loadu_ps(x) : _mm512_maskz_loadu_ps(first_lanes(n), x);
}

/* m rows of k numbers: to pairs of neighbours, ldto apart, zeros behind up to a whole vector. */
static void round_rows(mot_pair *to, size_t ldto, const float *x, size_t ldx, size_t m, size_t k)
{
    for (size_t i = 0; i < m; ++i, to += ldto, x += ldx)
        for (size_t j = 0; j < k; j += 2 * LANES) {
            const __m512 low = load_first(x + j, k - j), high = k - j > LANES
                                                                    ? load_first(x + j + LANES, k - j - LANES)
                                                                    : _mm512_setzero_ps();
            _mm512_storeu_ps(to + j / 2, (__m512)_mm512_cvtne2ps_pbh(high, low));
        }
}

/* The next two rows, or `last` one and zeros, of some columns, interleaved. */
static inline __m512i pairs_below(const float *x, size_t ldx, bool last, size_t columns)
{
    static const uint16_t order[2 * LANES] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                              8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512 upper = load_first(x, columns),
                 lower = last ? _mm512_setzero_ps() : load_first(x + ldx, columns);
    return _mm512_permutexvar_epi16(_mm512_loadu_si512(order), (__m512i)_mm512_cvtne2ps_pbh(lower, upper));
}

/* Pairs of numbers below each other, of k rows and n columns: PANEL columns of them `panel` apart, pairs of rows `row`
 * apart, zeros behind up to a whole vector. Some rows at a time, so that what is read and written stays together. */
static void round_columns(mot_pair *to, size_t panel, size_t row, const float *x, size_t ldx, size_t k,
                          size_t n)
{
    enum { ROWS_AT_ONCE = 16 };
    for (size_t i = 0; i < k; i += ROWS_AT_ONCE, x += ROWS_AT_ONCE * ldx, to += ROWS_AT_ONCE / 2 * row) {
        const size_t rows = MOT_MIN((size_t)ROWS_AT_ONCE, k - i);
        for (size_t j = 0; j < n; j += PANEL) {
            mot_pair *at = to + j / PANEL * panel;
            for (size_t r = 0; r < rows; r += 2, at += row) {
                const float *from = x + r * ldx + j;
                _mm512_storeu_si512(at, pairs_below(from, ldx, r + 1 == rows, n - j));
                if (n - j > LANES)
                    _mm512_storeu_si512(at + LANES,
                                        pairs_below(from + LANES, ldx, r + 1 == rows, n - j - LANES));
            }
        }
    }
}

void mot_left(mot_pair *to, const mot_real *x, size_t ldx, size_t m, size_t k)
{
    round_rows(to, mot_pair_row((k + 1) / 2), x, ldx, m, k);
}

void mot_left_transposed(mot_pair *to, const mot_real *x, size_t ldx, size_t m, size_t k)
{
    round_columns(to, PANEL, mot_pair_row(m), x, ldx, k, m);
}

void mot_right(mot_pair *to, const mot_real *w, size_t ldw, size_t k, size_t n)
{
    round_columns(to, (k + 1) / 2 * PANEL, PANEL, w, ldw, k, n);
}

void mot_right_transposed(mot_pair *to, const mot_real *w, size_t ldw, size_t k, size_t n)
{
    enum { PIECE = 64 }; /* pairs of a row that are rounded, and then transposed */
    mot_pair piece[PANEL * PIECE];
    const size_t pairs = (k + 1) / 2;
    for (size_t j = 0; j < n; j += PANEL, to += pairs * PANEL) {
        const size_t columns = MOT_MIN((size_t)PANEL, n - j);
        for (size_t p = 0; p < pairs; p += PIECE) {
            round_rows(piece, PIECE, w + j * ldw + 2 * p, ldw, columns,
                       MOT_MIN((size_t)2 * PIECE, k - 2 * p));
            mot_transpose(to + p * PANEL, PANEL, piece, PIECE, columns, MOT_MIN((size_t)PIECE, pairs - p));
        }
    }
}

/* ---- multiplying ---- */

/* What a block of C is made of; a_row and a_step as in mot_product, of pairs. */
typedef struct block {
    size_t pairs;
    const mot_pair *a;
    size_t a_row, a_step;
    const mot_pair *b;
    const float *bias, *start;
    float *c;
    size_t ldc;
    __mmask16 columns[2]; /* those of C in each vector */
} block;

/* `rows` and `vectors` are constants where this is inlined. What is needed behind the sums is read before them: for all
 * the compiler knows, a number stored in C is one of *of, which it would read again. Nor is the loop that asks for C
 * unrolled: its many addresses would wait in memory for the sums to end. */
static inline __attribute__((always_inline)) void multiply(const size_t rows, const size_t vectors,
                                                           const block *of)
{
    float *c = of->c;
    const float *const bias = of->bias, *start = of->start;
    const size_t ldc = of->ldc;
    const __mmask16 columns[2] = {of->columns[0], of->columns[1]};
    /* C is wanted only when its sums are complete: asked for here, it has come by then. */
#pragma GCC unroll 1
    for (size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) __builtin_prefetch(c + i * ldc + v * LANES, 1);

    __m512 sum[ROWS][2];
#pragma GCC unroll 14
    for (size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) sum[i][v] = _mm512_setzero_ps();

    /* Few base addresses, from which the processor's own arithmetic reaches five rows each. */
    const size_t row = of->a_row, step = of->a_step;
    const mot_pair *a0 = of->a, *a5 = a0 + 5 * row, *a10 = a5 + 5 * row, *b = of->b;
    for (size_t p = of->pairs; p > 0; --p) {
        __m512bh panel[2];
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) panel[v] = (__m512bh)_mm512_loadu_ps(b + v * LANES);
#pragma GCC unroll 14
        for (size_t i = 0; i < rows; ++i) {
            const mot_pair *a = i < 5 ? a0 + i * row : i < 10 ? a5 + (i - 5) * row : a10 + (i - 10) * row;
            const __m512bh factor = (__m512bh)_mm512_set1_ps(*a);
#pragma GCC unroll 2
            for (size_t v = 0; v < vectors; ++v) sum[i][v] = _mm512_dpbf16_ps(sum[i][v], factor, panel[v]);
        }
        a0 += step;
        a5 += step;
        a10 += step;
        b += PANEL;
    }

    if (bias != NULL) {
#pragma GCC unroll 14
        for (size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
            for (size_t v = 0; v < vectors; ++v)
                sum[i][v] = _mm512_add_ps(sum[i][v], _mm512_maskz_loadu_ps(columns[v], bias + v * LANES));
    }
    if (start != NULL) {
#pragma GCC unroll 14
        for (size_t i = 0; i < rows; ++i, start += ldc)
#pragma GCC unroll 2
            for (size_t v = 0; v < vectors; ++v)
                sum[i][v] = _mm512_add_ps(sum[i][v], _mm512_maskz_loadu_ps(columns[v], start + v * LANES));
    }
#pragma GCC unroll 14
    for (size_t i = 0; i < rows; ++i, c += ldc)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) _mm512_mask_storeu_ps(c + v * LANES, columns[v], sum[i][v]);
}

#define MOT_BLOCKS_OF_14
#include "product_blocks.h"

static bool by_tiles;

void mot_take_tiles(bool take)
{
    by_tiles = take;
}

void mot_multiply_bf16(const mot_product_bf16 *p)
{
    if (by_tiles) {
        mot_multiply_tiles(p);
        return;
    }
    const size_t pairs = (p->k + 1) / 2, parts = (p->m + ROWS - 1) / ROWS;
    block of = {.pairs = pairs,
                .a_row = p->transposed ? 1 : mot_pair_row(pairs),
                .a_step = p->transposed ? mot_pair_row(p->m) : 1,
                .b = p->b,
                .ldc = p->ldc};
    for (size_t j = 0; j < p->n; j += PANEL, of.b += pairs * PANEL) {
        const size_t vectors = p->n - j > LANES ? 2 : 1;
        of.columns[0] = first_lanes(p->n - j);
        of.columns[1] = vectors > 1 ? first_lanes(p->n - j - LANES) : 0;
        of.bias = p->bias != NULL ? p->bias + j : NULL;
        for (size_t part = 0; part < parts; ++part) {
            const size_t i = mot_part_first(p->m, parts, part),
                         rows = mot_part_first(p->m, parts, part + 1) - i;
            of.a = p->a + i * of.a_row;
            of.start = p->start != NULL ? p->start + i * p->ldc + j : NULL;
            of.c = p->c + i * p->ldc + j;
            blocks[rows - 1][vectors - 1](&of);
        }
    }
}

#else /* another processor, or double */

#include <assert.h>

#define NEVER_CALLED assert(!"bf16 products are not available")
void mot_left(mot_pair *to, const mot_real *x, size_t ldx, size_t m, size_t k)
{
    (void)to, (void)x, (void)ldx, (void)m, (void)k;
    NEVER_CALLED;
}

void mot_left_transposed(mot_pair *to, const mot_real *x, size_t ldx, size_t m, size_t k)
{
    (void)to, (void)x, (void)ldx, (void)m, (void)k;
    NEVER_CALLED;
}

void mot_right(mot_pair *to, const mot_real *w, size_t ldw, size_t k, size_t n)
{
    (void)to, (void)w, (void)ldw, (void)k, (void)n;
    NEVER_CALLED;
}

void mot_right_transposed(mot_pair *to, const mot_real *w, size_t ldw, size_t k, size_t n)
{
    (void)to, (void)w, (void)ldw, (void)k, (void)n;
    NEVER_CALLED;
}

void mot_take_tiles(bool take)
{
    (void)take;
}

void mot_multiply_bf16(const mot_product_bf16 *product)
{
    (void)product;
    NEVER_CALLED;
}

#endif

/* Products in bf16 by AMX: a block of C of 32 rows and a panel of 32 columns is four tiles, each 16 rows of 64 bytes, as are
 * the two of A and the two of B, of 32 numbers of k, that make it. B is read where mot_right has left it: 16 rows of one vector
 * of a panel are a tile. */
#include "product_tiles.h"

#if defined(__x86_64__) && !defined(MOT_DOUBLE) /* compiled for these instructions at any level: src/CMakeLists.txt */

#include <immintrin.h>
#include <string.h>

#include "mot/product.h"

enum { SIDE = 16, LANES = MOT_PAIR_LANES, PANEL = MOT_PAIR_PANEL, SEGMENT = MOT_PRODUCT_DEPTH / 2 };

/* Tiles, Cij += Ai Bj: the compiler puts these numbers into the instructions as text. */
#define C00 0
#define C01 1
#define C10 2
#define C11 3
#define A0  4
#define A1  5
#define B0  6
#define B1  7

static const long stride = PANEL * sizeof(mot_pair);

/* Rows of the tiles of C and A; B has all. What is not there has none. */
static void configure(size_t rows)
{
    struct {
        uint8_t palette, start, zero[14];
        uint16_t bytes[SIDE];
        uint8_t rows[SIDE];
    } of = {.palette = 1};
    const size_t upper = MOT_MIN(rows, (size_t)SIDE), lower = rows - upper,
                 rows_of[] = {upper, upper, lower, lower, upper, lower, SIDE, SIDE};
    for (size_t t = 0; t < MOT_COUNT(rows_of); ++t) {
        of.rows[t] = (uint8_t)rows_of[t];
        of.bytes[t] = rows_of[t] > 0 ? SIDE * sizeof(mot_pair) : 0;
    }
    _tile_loadconfig(&of);
}

/* A block as far as one product has it. */
typedef struct block {
    size_t rows, vectors;
    const mot_pair *a; /* rows `row` apart, filled up to whole tiles */
    size_t row;
    const mot_pair *b;
} block;

/* GCC 12 does not know that loading a tile reads memory. */
static inline void stored(void)
{
    __asm__ volatile("" ::: "memory");
}

static inline void take_tile(const block *of, const mot_pair *a, const mot_pair *b)
{
    const long row = (long)(of->row * sizeof *a);
    const bool lower = of->rows > SIDE, right = of->vectors > 1;
    _tile_loadd(A0, a, row);
    _tile_loadd(B0, b, stride);
    _tile_dpbf16ps(C00, A0, B0);
    if (right) {
        _tile_loadd(B1, b + LANES, stride);
        _tile_dpbf16ps(C01, A0, B1);
    }
    if (!lower) return;
    _tile_loadd(A1, a + SIDE * of->row, row);
    _tile_dpbf16ps(C10, A1, B0);
    if (right) _tile_dpbf16ps(C11, A1, B1);
}

/* C += A B of so many pairs. */
static void multiply(const block *of, size_t pairs)
{
    size_t p = 0;
    for (; p + SIDE <= pairs; p += SIDE) take_tile(of, of->a + p, of->b + p * PANEL);
    if (p == pairs) return;
    mot_pair last[SIDE * PANEL] = {0}; /* behind B's last rows the next panel begins */
    for (size_t r = p; r < pairs; ++r) memcpy(last + (r - p) * PANEL, of->b + r * PANEL, of->vectors * LANES * sizeof *last);
    stored();
    take_tile(of, of->a + p, last);
}

/* Pairs [first, first + pairs) of `rows` rows from row i on, out of an A that lies transposed: to rows SEGMENT apart. */
static void turn(mot_pair *to, const mot_product_bf16 *p, size_t i, size_t rows, size_t first, size_t pairs)
{
    const size_t from = mot_pair_row(p->m), whole = (pairs + SIDE - 1) / SIDE * SIDE;
    mot_transpose(to, SEGMENT, p->a + first * from + i, from, pairs, rows);
    for (size_t r = 0; r < rows; ++r) memset(to + r * SEGMENT + pairs, 0, (whole - pairs) * sizeof *to);
    stored();
}

/* Sums of a block are complete: they get bias and start, and go to row i and column j of C. */
static void finish(const block *of, const mot_product_bf16 *p, size_t i, size_t j)
{
    float sum[2 * SIDE][PANEL];
    _tile_stored(C00, sum[0], stride);
    if (of->vectors > 1) _tile_stored(C01, sum[0] + LANES, stride);
    if (of->rows > SIDE) {
        _tile_stored(C10, sum[SIDE], stride);
        if (of->vectors > 1) _tile_stored(C11, sum[SIDE] + LANES, stride);
    }
    for (size_t v = 0; v < of->vectors; ++v) {
        const size_t at = j + v * LANES, left = p->n - at;
        const __mmask16 columns = left >= LANES ? 0xffff : (__mmask16)((1u << left) - 1);
        const __m512 bias = p->bias != NULL ? _mm512_maskz_loadu_ps(columns, p->bias + at) : _mm512_setzero_ps();
        for (size_t r = 0; r < of->rows; ++r) {
            const size_t to = (i + r) * p->ldc + at;
            __m512 c = _mm512_loadu_ps(sum[r] + v * LANES);
            if (p->bias != NULL) c = _mm512_add_ps(c, bias);
            if (p->start != NULL) c = _mm512_add_ps(c, _mm512_maskz_loadu_ps(columns, p->start + to));
            _mm512_mask_storeu_ps(p->c + to, columns, c);
        }
    }
}

void mot_multiply_tiles(const mot_product_bf16 *p)
{
    const size_t pairs = (p->k + 1) / 2, step = mot_pair_row(pairs);
    mot_pair turned[2 * SIDE * SEGMENT];
    block of = {.row = p->transposed ? SEGMENT : step};
    size_t configured = 0;
    for (size_t i = 0; i < p->m; i += 2 * SIDE) {
        of.rows = MOT_MIN((size_t)2 * SIDE, p->m - i);
        if (of.rows != configured) configure(configured = of.rows);
        for (size_t j = 0; j < p->n; j += PANEL) {
            of.vectors = p->n - j > LANES ? 2 : 1;
            _tile_zero(C00);
            _tile_zero(C01);
            if (of.rows > SIDE) {
                _tile_zero(C10);
                _tile_zero(C11);
            }
            for (size_t first = 0; first < pairs; first += SEGMENT) {
                const size_t length = MOT_MIN((size_t)SEGMENT, pairs - first);
                /* One segment, as all sums over rows have (mixed.h), stays turned for all panels. */
                if (p->transposed && (j == 0 || pairs > SEGMENT)) turn(turned, p, i, of.rows, first, length);
                of.a = p->transposed ? turned : p->a + i * step + first;
                of.b = p->b + j / PANEL * pairs * PANEL + first * PANEL;
                multiply(&of, length);
            }
            finish(&of, p, i, j);
        }
    }
    _tile_release();
}

#else /* another processor, or double */

#include <assert.h>

void mot_multiply_tiles(const mot_product_bf16 *product)
{
    (void)product;
    assert(!"tiles are not available");
}

#endif

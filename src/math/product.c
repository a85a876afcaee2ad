/* The innermost loop is a block of C in registers: ROWS rows of one panel, a panel being two vectors of columns. For
 * each k it loads two vectors of B, and multiplies them with one number of each row of A. Panels are taken one after
 * another and all of A's rows with each, so that a panel of B is read from the first or second-level cache; neither
 * operand is copied but for what copy_panel says. */
#include "mot/product.h"

#include <string.h>

#include "mot/vector.h"

/* With 32 registers 28 hold C; with 16, 12. */
#if MOT_X86_LEVEL == 4
enum { ROWS = 14 };
#else
enum { ROWS = 6 };
#endif
enum { PANEL = 2 * MOT_LANES };

/* Vectors of the panel that begins at column j. */
static inline size_t panel_vectors(size_t n, size_t j)
{
    return n - j > MOT_LANES ? 2 : 1;
}

/* ---- transposing ---- */

/* Exchanges in every pair of rows `distance` apart the blocks of that size that stand off the diagonal. */
static inline void swap_blocks(mot_vector *row, mot_lane distance)
{
    const mot_vector_int lane = mot_lane_numbers(), off = (lane & distance) != 0; /* -1 or 0 */
    const mot_vector_int upper = lane + (off & (MOT_LANES - distance)),
                         lower = lane + (off & MOT_LANES) + (~off & distance);
#pragma GCC unroll 16
    for (mot_lane i = 0; i < MOT_LANES; ++i)
        if (!(i & distance)) {
            const mot_vector a = row[i], b = row[i + distance];
            row[i] = mot_lanes_pick(a, b, upper);
            row[i + distance] = mot_lanes_pick(a, b, lower);
        }
}

/* to[j to_row + i] = from[i from_row + j] for i, j < MOT_LANES. */
static void transpose_square(mot_real *to, size_t to_row, const mot_real *from, size_t from_row)
{
    mot_vector row[MOT_LANES];
#pragma GCC unroll 16
    for (size_t i = 0; i < MOT_LANES; ++i) row[i] = mot_load(from + i * from_row);
#pragma GCC unroll 4
    for (mot_lane distance = MOT_LANES / 2; distance > 0; distance /= 2) swap_blocks(row, distance);
#pragma GCC unroll 16
    for (size_t i = 0; i < MOT_LANES; ++i) mot_store(to + i * to_row, row[i]);
}

void mot_transpose(mot_real *to, size_t ldto, const mot_real *from, size_t ldfrom, size_t rows,
                   size_t columns)
{
    for (size_t i = 0; i < rows; i += MOT_LANES) {
        const size_t count = MOT_MIN((size_t)MOT_LANES, rows - i);
        size_t j = 0;
        if (count == MOT_LANES)
            for (; j + MOT_LANES <= columns; j += MOT_LANES)
                transpose_square(to + j * ldto + i, ldto, from + i * ldfrom + j, ldfrom);
        for (; j < columns; ++j)
            for (size_t r = 0; r < MOT_LANES; ++r)
                to[j * ldto + i + r] = r < count ? from[(i + r) * ldfrom + j] : 0;
    }
}

/* ---- packing: panel after panel, each [k, PANEL], the last filled up with zeros ---- */

size_t mot_packed(size_t k, size_t n)
{
    return (n + PANEL - 1) / PANEL * PANEL * k;
}

static void copy_panel(mot_real *to, const mot_real *b, size_t ldb, size_t depth, size_t columns)
{
    if (columns == PANEL)
        for (size_t k = 0; k < depth; ++k, to += PANEL, b += ldb) {
            mot_store(to, mot_load(b));
            mot_store(to + MOT_LANES, mot_load(b + MOT_LANES));
        }
    else
        for (size_t k = 0; k < depth; ++k, to += PANEL, b += ldb) {
            memcpy(to, b, columns * sizeof *b);
            memset(to + columns, 0, (PANEL - columns) * sizeof *b);
        }
}

void mot_pack(mot_real *to, const mot_real *b, size_t ldb, size_t k, size_t n)
{
    for (size_t j = 0; j < n; j += PANEL) copy_panel(to + j * k, b + j, ldb, k, MOT_MIN((size_t)PANEL, n - j));
}

void mot_pack_transposed(mot_real *to, const mot_real *w, size_t ldw, size_t k, size_t n)
{
    for (size_t j = 0; j < n; j += PANEL, to += PANEL * k) {
        const size_t columns = MOT_MIN((size_t)PANEL, n - j);
        mot_transpose(to, PANEL, w + j * ldw, ldw, columns, k);
        for (size_t i = 0; i < k && columns <= MOT_LANES; ++i)
            mot_store(to + i * PANEL + MOT_LANES, (mot_vector){0});
    }
}

/* ---- multiplying ---- */

/* What a block of C is made of; steps as in mot_product. */
typedef struct block {
    size_t k;
    const mot_real *a;
    size_t a_row, a_step;
    const mot_real *b;
    size_t ldb;
    const mot_real *bias, *start;
    mot_real *c;
    size_t ldc;
} block;

/* What the processor does not see coming by itself is asked for ahead of time. A block of C is wanted only when its sums
 * are complete: asked for at their beginning, unless they are of so few numbers that they end before it comes. The rows
 * of a transposed A lie far apart, and of each a block takes only ROWS numbers: asked for so many rows before. */
enum { ASKED_DEPTH = 64, ROWS_AHEAD = 24 };

static inline __attribute__((always_inline)) void ask_for(const size_t rows, const size_t vectors,
                                                          const mot_real *c, size_t ldc)
{
#pragma GCC unroll 1
    for (size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) __builtin_prefetch(c + i * ldc + v * MOT_LANES, 1);
}

/* `rows` and `vectors` are constants where this is inlined. What is needed behind the sums is read before them: for all
 * the compiler knows, a number stored in C is one of *of, which it would read again. Nor is the loop that asks for C
 * unrolled: its many addresses would wait in memory for the sums to end. */
static inline __attribute__((always_inline)) void multiply(const size_t rows, const size_t vectors,
                                                           const block *of)
{
    mot_real *c = of->c;
    const mot_real *const bias = of->bias, *start = of->start;
    const size_t ldc = of->ldc;
    if (of->k > ASKED_DEPTH) ask_for(rows, vectors, c, ldc);

    mot_vector sum[ROWS][2];
#pragma GCC unroll 14
    for (size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) sum[i][v] = (mot_vector){0};

    /* Few base addresses, from which the processor's own arithmetic reaches five rows each. */
    const size_t row = of->a_row, step = of->a_step, ldb = of->ldb;
    const mot_real *a0 = of->a, *a5 = a0 + 5 * row, *a10 = a5 + 5 * row, *b = of->b;
    for (size_t k = of->k; k > 0; --k) {
        if (step > ROWS) {
            __builtin_prefetch(a0 + ROWS_AHEAD * step);
            __builtin_prefetch(a0 + ROWS_AHEAD * step + rows - 1);
        }
        mot_vector panel[2];
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) panel[v] = mot_load(b + v * MOT_LANES);
#pragma GCC unroll 14
        for (size_t i = 0; i < rows; ++i) {
            const mot_real *a = i < 5 ? a0 + i * row : i < 10 ? a5 + (i - 5) * row : a10 + (i - 10) * row;
            const mot_vector factor = mot_all(*a);
#pragma GCC unroll 2
            for (size_t v = 0; v < vectors; ++v) sum[i][v] = mot_fused(factor, panel[v], sum[i][v]);
        }
        a0 += step;
        a5 += step;
        a10 += step;
        b += ldb;
    }

    if (bias != NULL) {
#pragma GCC unroll 14
        for (size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
            for (size_t v = 0; v < vectors; ++v) sum[i][v] += mot_load(bias + v * MOT_LANES);
    }
    if (start != NULL) {
#pragma GCC unroll 14
        for (size_t i = 0; i < rows; ++i, start += ldc)
#pragma GCC unroll 2
            for (size_t v = 0; v < vectors; ++v) sum[i][v] += mot_load(start + v * MOT_LANES);
    }
#pragma GCC unroll 14
    for (size_t i = 0; i < rows; ++i, c += ldc)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) mot_store(c + v * MOT_LANES, sum[i][v]);
}

#if MOT_X86_LEVEL == 4
#define MOT_BLOCKS_OF_14
#endif
#include "product_blocks.h"

/* A panel of B, copied. The last panel may have fewer columns than its vectors: then it is filled up with zeros. And
 * rows that lie a multiple of CROWDED bytes apart would all compete for few places of the caches; from which
 * distance on a copy pays was measured. */
#if MOT_X86_LEVEL == 4
enum { CROWDED = 4096 };
#else
enum { CROWDED = 2048 };
#endif

static bool crowded(size_t apart)
{
    return apart * sizeof(mot_real) % CROWDED == 0;
}

typedef struct copied_panel {
    mot_real b[MOT_PRODUCT_DEPTH * PANEL], c[ROWS * PANEL];
} copied_panel;

/* C of a narrow panel is made beside it. */
static void multiply_narrow(size_t rows, size_t columns, copied_panel *panel, const block *of)
{
    block whole = *of;
    whole.ldc = PANEL;
    whole.bias = whole.start = NULL;
    whole.c = panel->c;
    blocks[rows - 1][panel_vectors(columns, 0) - 1](&whole);
    for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < columns; ++j) {
            mot_real c = panel->c[i * PANEL + j];
            if (of->bias != NULL) c += of->bias[j];
            if (of->start != NULL) c += of->start[i * of->ldc + j];
            of->c[i * of->ldc + j] = c;
        }
}

/* Blocks of a transposed A, copied: of its rows, which lie far apart, each takes only ROWS numbers, and once for every panel. */
enum { COPIED_BLOCKS = 144 / ROWS, COPIED_PANELS = 4 /* so many at least: measured */ };

typedef struct copied_rows {
    mot_real a[COPIED_BLOCKS * ROWS * MOT_PRODUCT_DEPTH];
} copied_rows;

static void copy_rows(copied_rows *copy, const mot_product *p, size_t from, size_t to, size_t parts, size_t k, size_t depth)
{
    mot_real *at = copy->a;
    for (size_t part = from; part < to; ++part) {
        const size_t i = mot_part_first(p->m, parts, part), rows = mot_part_first(p->m, parts, part + 1) - i;
        const mot_real *a = p->a + i + k * p->a_step;
        if (rows == ROWS)
            for (size_t d = 0; d < depth; ++d, a += p->a_step, at += ROWS) memcpy(at, a, ROWS * sizeof *a);
        else
            for (size_t d = 0; d < depth; ++d, a += p->a_step, at += rows)
                for (size_t r = 0; r < rows; ++r) at[r] = a[r];
    }
}

/* One panel, blocks [from, to) of A's rows, `depth` numbers of each from number k on. */
static void multiply_panel(const mot_product *p, size_t from, size_t to, const copied_rows *copy, size_t j, size_t k,
                           size_t depth)
{
    const size_t vectors = panel_vectors(p->n, j), columns = MOT_MIN((size_t)PANEL, p->n - j);
    const size_t parts = (p->m + ROWS - 1) / ROWS;
    const mot_real *at = copy != NULL ? copy->a : NULL;
    const mot_real *start = k == 0 ? p->start : p->c;
    const bool narrow = columns < vectors * MOT_LANES;
    const bool packed = p->ldb == 0,
               copied = narrow || (crowded(p->ldb) && p->m >= 4 * ROWS && depth >= 2 * PANEL);
    copied_panel panel;
    block of = {.k = depth,
                .a_row = p->a_row,
                .a_step = p->a_step,
                .b = packed ? p->b + j * p->k + k * PANEL : p->b + k * p->ldb + j,
                .ldb = packed ? PANEL : p->ldb,
                .bias = k == 0 && p->bias != NULL ? p->bias + j : NULL,
                .ldc = p->ldc};
    if (!packed && copied) {
        copy_panel(panel.b, of.b, of.ldb, depth, columns);
        of.b = panel.b;
        of.ldb = PANEL;
    }
    for (size_t part = from; part < to; ++part) {
        const size_t i = mot_part_first(p->m, parts, part), rows = mot_part_first(p->m, parts, part + 1) - i;
        of.a = at != NULL ? at : p->a + i * p->a_row + k * p->a_step;
        if (at != NULL) {
            of.a_step = rows;
            at += rows * depth;
        }
        of.start = start != NULL ? start + i * p->ldc + j : NULL;
        of.c = p->c + i * p->ldc + j;
        if (narrow)
            multiply_narrow(rows, columns, &panel, &of);
        else
            blocks[rows - 1][vectors - 1](&of);
    }
}

static void multiply_transposed(const mot_product *p, size_t k, size_t depth)
{
    const size_t parts = (p->m + ROWS - 1) / ROWS;
    copied_rows copy;
    for (size_t from = 0, to; from < parts; from = to) {
        to = MOT_MIN(from + COPIED_BLOCKS, parts);
        copy_rows(&copy, p, from, to, parts, k, depth);
        for (size_t j = 0; j < p->n; j += PANEL) multiply_panel(p, from, to, &copy, j, k, depth);
    }
}

void mot_multiply(const mot_product *p)
{
    size_t k = 0;
    do {
        const size_t depth = MOT_MIN((size_t)MOT_PRODUCT_DEPTH, p->k - k);
        if (p->a_row == 1 && p->a_step > 1 && p->n >= COPIED_PANELS * PANEL)
            multiply_transposed(p, k, depth);
        else
            for (size_t j = 0; j < p->n; j += PANEL) multiply_panel(p, 0, (p->m + ROWS - 1) / ROWS, NULL, j, k, depth);
        k += depth;
    } while (k < p->k);
}

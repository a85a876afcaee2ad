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

/* What `count` blocks of C, one below the other, are made of; steps as in mot_product. */
typedef struct block {
    size_t count, k;
    const mot_real *a;
    size_t a_row, a_step, a_block; /* a_block: from one block's first number to the next one's */
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

/* Sums over k go on by so many numbers between two looks at the end; with vectors of 64 bytes a number is work enough. */
#if MOT_X86_LEVEL == 4
enum { UNROLLED = 1 };
#else
enum { UNROLLED = 4 };
#endif

/* Where a block's rows of A are: few base addresses, from which the processor's own arithmetic reaches five rows each. */
typedef struct block_rows {
    const mot_real *from[3];
    size_t apart;
} block_rows;

/* sum += one column of A times one row of B; on to the next column. The compiler is not to see where that will be: it
 * would work out the addresses of several steps beforehand, and keep them in memory. */
static inline __attribute__((always_inline)) void add_column(const size_t rows, const size_t vectors,
                                                             mot_vector (*sum)[2], block_rows *a, const size_t step,
                                                             const mot_real *b)
{
    mot_vector panel[2];
#pragma GCC unroll 2
    for (size_t v = 0; v < vectors; ++v) panel[v] = mot_load(b + v * MOT_LANES);
#pragma GCC unroll 14
    for (size_t i = 0; i < rows; ++i) {
        const mot_vector factor = mot_all(a->from[i / 5][i % 5 * a->apart]);
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) mot_fuse_onto(&sum[i][v], factor, panel[v]);
    }
#pragma GCC unroll 3
    for (size_t i = 0; i < 3; ++i) {
        a->from[i] += step;
        __asm__("" : "+r"(a->from[i]));
    }
}

/* The same over k columns of A, `step` apart, and rows of B, ldb apart. Rows of a transposed A are asked for. */
static inline __attribute__((always_inline)) void add_columns(const size_t rows, const size_t vectors,
                                                              mot_vector (*sum)[2], block_rows a, const size_t step,
                                                              const mot_real *b, const size_t ldb, size_t k)
{
#pragma GCC unroll 1
    for (; k > 0; --k, b += ldb) {
        if (step > ROWS) {
            __builtin_prefetch(a.from[0] + ROWS_AHEAD * step);
            __builtin_prefetch(a.from[0] + ROWS_AHEAD * step + rows - 1);
        }
        add_column(rows, vectors, sum, &a, step, b);
    }
}

/* The same where `step` is a constant, and B packed. */
static inline __attribute__((always_inline)) void add_columns_packed(const size_t rows, const size_t vectors,
                                                                     mot_vector (*sum)[2], block_rows a,
                                                                     const size_t step, const mot_real *b, size_t k)
{
    for (; k >= UNROLLED; k -= UNROLLED, b += UNROLLED * PANEL)
#pragma GCC unroll 4
        for (size_t u = 0; u < UNROLLED; ++u) add_column(rows, vectors, sum, &a, step, b + u * PANEL);
    add_columns(rows, vectors, sum, a, step, b, PANEL, k);
}

/* A block. `rows` and `vectors` are constants where this is inlined. What is needed behind the sums is read before them: for all
 * the compiler knows, a number stored in C is one of *of, which it would read again. Nor is the loop that asks for C
 * unrolled: its many addresses would wait in memory for the sums to end. */
static inline __attribute__((always_inline)) void multiply_one(const size_t rows, const size_t vectors, const block *of,
                                                               const mot_real *first, const mot_real *start, mot_real *c)
{
    const mot_real *const bias = of->bias;
    const size_t ldc = of->ldc;
    if (of->k > ASKED_DEPTH) ask_for(rows, vectors, c, ldc);

    mot_vector sum[ROWS][2];
#pragma GCC unroll 14
    for (size_t i = 0; i < rows; ++i)
#pragma GCC unroll 2
        for (size_t v = 0; v < vectors; ++v) sum[i][v] = (mot_vector){0};

    const size_t apart = of->a_row, step = of->a_step;
    const block_rows a = {.from = {first, first + 5 * apart, first + 10 * apart}, .apart = apart};
    const bool packed = of->ldb == PANEL;
    if (packed && step == 1)
        add_columns_packed(rows, vectors, sum, a, 1, of->b, of->k);
    else if (packed && step == rows && apart == 1)
        add_columns_packed(rows, vectors, sum, (block_rows){.from = {first, first + 5, first + 10}, .apart = 1}, rows,
                           of->b, of->k);
    else
        add_columns(rows, vectors, sum, a, step, of->b, of->ldb, of->k);

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

static inline __attribute__((always_inline)) void multiply(const size_t rows, const size_t vectors, const block *of)
{
    const mot_real *a = of->a, *start = of->start;
    mot_real *c = of->c;
    for (size_t left = of->count; left > 0; --left) {
        multiply_one(rows, vectors, of, a, start, c);
        a += of->a_block;
        c += rows * of->ldc;
        if (start != NULL) start += rows * of->ldc;
    }
}

#if MOT_X86_LEVEL == 4
#define MOT_BLOCKS_OF_14
#endif
#include "product_blocks.h"

/* A panel of B, copied where it is read often enough. The last panel may have fewer columns than its vectors: then it is
 * filled up with zeros. With vectors of 64 bytes a copy pays only where rows lie a multiple of CROWDED bytes apart, and would
 * all compete for few places of the caches; with shorter ones, whose loop over a packed panel is unrolled, everywhere. Both
 * were measured. */
#if MOT_X86_LEVEL == 4
enum { CROWDED = 4096, COPIED_FOR = 4 };
#else
enum { CROWDED = sizeof(mot_real), COPIED_FOR = 8 /* blocks */ };
#endif

static bool crowded(size_t apart)
{
    return apart * sizeof(mot_real) % CROWDED == 0;
}

typedef struct copied_panel {
    _Alignas(64) mot_real b[MOT_PRODUCT_DEPTH * PANEL], c[ROWS * PANEL];
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

/* How rows are cut into blocks: the first `longer` have a row more than the others. */
typedef struct row_cut {
    size_t blocks, rows, longer;
} row_cut;

static row_cut cut_of(size_t m)
{
    const size_t count = (m + ROWS - 1) / ROWS;
    return count > 0 ? (row_cut){count, m / count, m % count} : (row_cut){0};
}

static size_t block_first(row_cut cut, size_t part)
{
    return part * cut.rows + MOT_MIN(part, cut.longer);
}

static size_t block_rows_of(row_cut cut, size_t part)
{
    return cut.rows + (part < cut.longer);
}

/* Blocks of a transposed A, copied: of its rows, which lie far apart, each takes only ROWS numbers, and once for every panel.
 * What is copied at a time stays in the second-level cache beside a panel. */
enum { COPIED_NUMBERS = 144 * MOT_PRODUCT_DEPTH, COPIED_PANELS = 4 /* so many at least: measured */ };

typedef struct copied_rows {
    _Alignas(64) mot_real a[COPIED_NUMBERS];
} copied_rows;

/* Some lines of A at a time: what a block leaves of them is in the first-level cache when the next block comes. */
enum { COPIED_LINES = 8 };

/* `rows` numbers of each line, one line after another. Whole vectors are fewer instructions, and what they bring too much
 * the next line replaces; the last line brings no more than its own. */
static void copy_block(mot_real *to, const mot_real *line, size_t apart, size_t lines, size_t rows, bool whole)
{
    size_t d = 0;
    if (rows == ROWS) {
        for (; whole && d + 1 < lines; ++d) mot_store(to + d * ROWS, mot_load(line + d * apart));
        for (; d < lines; ++d) memcpy(to + d * ROWS, line + d * apart, ROWS * sizeof *to);
    }
    for (; d < lines; ++d)
        for (size_t r = 0; r < rows; ++r) to[d * rows + r] = line[d * apart + r];
}

static void copy_rows(copied_rows *copy, const mot_product *p, row_cut cut, size_t from, size_t to, size_t k, size_t depth)
{
    for (size_t first = 0; first < depth; first += COPIED_LINES) {
        const size_t lines = MOT_MIN((size_t)COPIED_LINES, depth - first);
        size_t i = block_first(cut, from);
        mot_real *at = copy->a;
        for (size_t part = from; part < to; ++part) {
            const size_t rows = block_rows_of(cut, part);
            copy_block(at + first * rows, p->a + (k + first) * p->a_step + i, p->a_step, lines, rows,
                       (int)ROWS <= (int)MOT_LANES && i + MOT_LANES <= p->m);
            i += rows;
            at += rows * depth;
        }
    }
}

/* One panel, blocks [from, to) of A's rows, `depth` numbers of each from number k on. */
static void multiply_panel(const mot_product *p, row_cut cut, size_t from, size_t to, const copied_rows *copy, size_t j, size_t k,
                           size_t depth)
{
    const size_t vectors = panel_vectors(p->n, j), columns = MOT_MIN((size_t)PANEL, p->n - j);
    const mot_real *start = k == 0 ? p->start : p->c;
    const bool narrow = columns < vectors * MOT_LANES;
    const bool packed = p->ldb == 0, copied = narrow || (crowded(p->ldb) && to - from >= COPIED_FOR && depth >= 2 * PANEL);
    size_t i = block_first(cut, from);
    copied_panel panel;
    block of = {.k = depth,
                .a = copy != NULL ? copy->a : p->a + i * p->a_row + k * p->a_step,
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
    for (size_t part = from; part < to; part += of.count) { /* longer blocks, and others */
        const size_t rows = block_rows_of(cut, part);
        of.count = narrow ? 1 : part < cut.longer ? MOT_MIN(to, cut.longer) - part : to - part;
        if (copy != NULL) of.a_step = rows;
        of.a_block = copy != NULL ? rows * depth : rows * p->a_row;
        of.start = start != NULL ? start + i * p->ldc + j : NULL;
        of.c = p->c + i * p->ldc + j;
        if (narrow)
            multiply_narrow(rows, columns, &panel, &of);
        else
            blocks[rows - 1][vectors - 1](&of);
        i += of.count * rows;
        of.a += of.count * of.a_block;
    }
}

static void multiply_transposed(const mot_product *p, row_cut cut, size_t k, size_t depth)
{
    copied_rows copy;
    const size_t at_once = COPIED_NUMBERS / (ROWS * MOT_MAX(depth, (size_t)1));
    for (size_t from = 0, to; from < cut.blocks; from = to) {
        to = MOT_MIN(from + at_once, cut.blocks);
        copy_rows(&copy, p, cut, from, to, k, depth);
        for (size_t j = 0; j < p->n; j += PANEL) multiply_panel(p, cut, from, to, &copy, j, k, depth);
    }
}

void mot_multiply(const mot_product *p)
{
    const row_cut cut = cut_of(p->m);
    size_t k = 0;
    do {
        const size_t depth = MOT_MIN((size_t)MOT_PRODUCT_DEPTH, p->k - k);
        if (p->a_row == 1 && p->a_step > 1 && p->n >= COPIED_PANELS * PANEL)
            multiply_transposed(p, cut, k, depth);
        else
            for (size_t j = 0; j < p->n; j += PANEL) multiply_panel(p, cut, 0, cut.blocks, NULL, j, k, depth);
        k += depth;
    } while (k < p->k);
}

#include "mot/mixed.h"

#if defined(__x86_64__) && !defined(MOT_DOUBLE)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "mot/product.h"
#include "mot/product_bf16.h"
#include "mot/vector.h"

/* Rows of a left operand that are rounded at once, and rows that are summed over at once. */
enum { PIECE_ROWS = 84, DEPTH = MOT_PRODUCT_DEPTH };

/* Not in product_bf16.c, all of which may be compiled to what is asked for here. */
bool mot_bf16_available(void)
{
#if defined(__x86_64__) && !defined(MOT_DOUBLE)
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

bool mot_tiles_available(void)
{
#if defined(__x86_64__) && !defined(MOT_DOUBLE)
    enum { LEAF = 7, AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, REQUEST = 0x1023, TILE_DATA = 18 };
    unsigned a, b, c, d;
    if (!mot_bf16_available() || !__get_cpuid_count(LEAF, 0, &a, &b, &c, &d)) return false;
    if ((d & AMX_BF16) == 0 || (d & AMX_TILE) == 0) return false;
    /* Linux keeps tiles for a process that has asked it to, all threads; an older one, which does not, knows no such request. */
    return syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
#else
    return false;
#endif
}

/* ---- factors ---- */

size_t mot_factor_room(mot_precision precision, size_t k, size_t n)
{
    return precision == MOT_PRECISION_BF16 ? mot_right_pairs(k, n) : 0;
}

size_t mot_factor_transposed_room(mot_precision precision, size_t k, size_t n)
{
    return precision == MOT_PRECISION_BF16 ? mot_right_pairs(k, n) : k * mot_padded(n);
}

mot_factor mot_factor_of(mot_precision precision, mot_real *room, const mot_real *w, size_t ldw, size_t k,
                         size_t n)
{
    if (precision == MOT_PRECISION_FP32) return (mot_factor){w, ldw};
    mot_right(room, w, ldw, k, n);
    return (mot_factor){room, 0};
}

mot_factor mot_factor_transposed(mot_precision precision, mot_real *room, const mot_real *w, size_t ldw,
                                 size_t k, size_t n)
{
    const mot_factor factor = {room, mot_padded(n)};
    if (precision == MOT_PRECISION_BF16)
        mot_right_transposed(room, w, ldw, k, n);
    else
        mot_transpose(room, factor.row, w, ldw, n, k);
    return factor;
}

size_t mot_factor_packed_room(mot_precision precision, size_t k, size_t n)
{
    return precision == MOT_PRECISION_BF16 ? mot_right_pairs(k, n) : mot_packed(k, n);
}

mot_factor mot_factor_packed(mot_precision precision, mot_real *room, const mot_real *w, size_t ldw, size_t k, size_t n)
{
    if (precision == MOT_PRECISION_BF16) return mot_factor_of(precision, room, w, ldw, k, n);
    mot_pack(room, w, ldw, k, n);
    return (mot_factor){room, 0};
}

mot_factor mot_factor_packed_transposed(mot_precision precision, mot_real *room, const mot_real *w, size_t ldw, size_t k,
                                        size_t n)
{
    if (precision == MOT_PRECISION_BF16) return mot_factor_transposed(precision, room, w, ldw, k, n);
    mot_pack_transposed(room, w, ldw, k, n);
    return (mot_factor){room, 0};
}

/* ---- products ---- */

size_t mot_mixed_operands(mot_precision precision, size_t k)
{
    return precision == MOT_PRECISION_BF16 ? mot_left_pairs(PIECE_ROWS, k) : 0;
}

void mot_mixed_multiply(const mot_mixed *mixed, const mot_mixed_product *p)
{
    if (mixed->precision == MOT_PRECISION_FP32) {
        mot_multiply(&(mot_product){.m = p->m,
                                    .n = p->n,
                                    .k = p->k,
                                    .a = p->a,
                                    .a_row = p->lda,
                                    .a_step = 1,
                                    .b = p->b.at,
                                    .ldb = p->b.row,
                                    .bias = p->bias,
                                    .start = p->start,
                                    .c = p->c,
                                    .ldc = p->ldc});
        return;
    }
    const size_t pieces = (p->m + PIECE_ROWS - 1) / PIECE_ROWS;
    for (size_t piece = 0; piece < pieces; ++piece) {
        const size_t i = mot_part_first(p->m, pieces, piece),
                     rows = mot_part_first(p->m, pieces, piece + 1) - i;
        mot_left(mixed->operands, p->a + i * p->lda, p->lda, rows, p->k);
        mot_multiply_bf16(&(mot_product_bf16){.m = rows,
                                              .n = p->n,
                                              .k = p->k,
                                              .a = mixed->operands,
                                              .b = p->b.at,
                                              .bias = p->bias,
                                              .start = p->start != NULL ? p->start + i * p->ldc : NULL,
                                              .c = p->c + i * p->ldc,
                                              .ldc = p->ldc});
    }
}

size_t mot_mixed_across_operands(mot_precision precision, size_t m, size_t n, size_t k)
{
    const size_t depth = MOT_MIN((size_t)DEPTH, k);
    return precision == MOT_PRECISION_BF16 ? mot_left_transposed_pairs(m, depth) + mot_right_pairs(depth, n)
                                           : 0;
}

void mot_mixed_multiply_across(const mot_mixed *mixed, mot_real *c, size_t ldc, const mot_real *a, size_t lda,
                               const mot_real *b, size_t ldb, size_t m, size_t n, size_t k, bool add)
{
    if (mixed->precision == MOT_PRECISION_FP32) {
        mot_multiply(&(mot_product){.m = m,
                                    .n = n,
                                    .k = k,
                                    .a = a,
                                    .a_row = 1,
                                    .a_step = lda,
                                    .b = b,
                                    .ldb = ldb,
                                    .start = add ? c : NULL,
                                    .c = c,
                                    .ldc = ldc});
        return;
    }
    for (size_t first = 0; first < k; first += DEPTH) {
        const size_t depth = MOT_MIN((size_t)DEPTH, k - first);
        mot_pair *const left = mixed->operands, *const right = left + mot_left_transposed_pairs(m, depth);
        mot_left_transposed(left, a + first * lda, lda, m, depth);
        mot_right(right, b + first * ldb, ldb, depth, n);
        mot_multiply_bf16(&(mot_product_bf16){.m = m,
                                              .n = n,
                                              .k = depth,
                                              .a = left,
                                              .transposed = true,
                                              .b = right,
                                              .start = add || first > 0 ? c : NULL,
                                              .c = c,
                                              .ldc = ldc});
    }
}

#include "mot/bare_product.h"

#include "mot/blas.h"
#include "mot/clock.h"
#include "mot/memory.h"
#include "mot/product_bf16.h"

size_t mot_bare_room(mot_precision precision, size_t m, size_t n, size_t k)
{
    size_t room = MOT_MAX(m * n, MOT_MAX(m * k, k * n));
    if (precision == MOT_PRECISION_BF16) {
        room = MOT_MAX(room, MOT_MAX(mot_left_pairs(m, k), mot_left_transposed_pairs(m, k)));
        room = MOT_MAX(room, mot_right_pairs(k, n));
    }
    return room;
}

void mot_bare_multiply(mot_precision precision, bool transpose_a, bool transpose_b, size_t m, size_t n,
                       size_t k, const mot_real *a, const mot_real *b, mot_real *c)
{
    if (precision == MOT_PRECISION_BF16)
        mot_multiply_bf16(&(mot_product_bf16){
            .m = m, .n = n, .k = k, .a = a, .transposed = transpose_a, .b = b, .c = c, .ldc = n});
    else
        mot_gemm(transpose_a, transpose_b, m, n, k, 1, a, transpose_a ? m : k, b, transpose_b ? k : n, 0, c,
                 n);
}

double mot_bare_peak(mot_precision precision, size_t m, size_t n, size_t k)
{
    const size_t room = mot_bare_room(precision, m, n, k);
    mot_real *a = mot_calloc(room, sizeof *a), *b = mot_calloc(room, sizeof *b),
             *c = mot_calloc(room, sizeof *c);
    double best_s = 1e30;
    const double flops = 2.0 * (double)m * (double)n * (double)k;
    const int batch = (int)(1e6 / flops) + 1; /* between two looks at the clock */
    if (a != NULL && b != NULL && c != NULL) {
        for (size_t i = 0; i < room; ++i) {
            a[i] = (mot_real)(i % 7) - 3;
            b[i] = (mot_real)(i % 5) - 2;
        }
        for (int run = 0; run < 8; ++run) {
            const double start = mot_clock_s();
            double spent_s = 0;
            int products = 0;
            for (; spent_s < 2e-3; spent_s = mot_clock_s() - start, products += batch)
                for (int i = 0; i < batch; ++i) mot_bare_multiply(precision, false, false, m, n, k, a, b, c);
            best_s = MOT_MIN(best_s, spent_s / products);
        }
    }
    mot_free(c);
    mot_free(b);
    mot_free(a);
    return best_s < 1e30 ? flops / best_s * 1e-9 : 0;
}

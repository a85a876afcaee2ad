#include "mot/layers.h"

#include "mot/vector.h"

void mot_sum_rows(mot_real *sum, const mot_real *y, size_t R, size_t M)
{
    const size_t whole = M / MOT_LANES * MOT_LANES;
    size_t r = 0;
    /* Four rows at a time read and write the sum once; each number of it is still added up in order. */
    for (; r + 4 <= R; r += 4, y += 4 * M) {
        for (size_t i = 0; i < whole; i += MOT_LANES)
            mot_store(sum + i, mot_load(sum + i) + mot_load(y + i) + mot_load(y + M + i) +
                                   mot_load(y + 2 * M + i) + mot_load(y + 3 * M + i));
        for (size_t i = whole; i < M; ++i) sum[i] = sum[i] + y[i] + y[M + i] + y[2 * M + i] + y[3 * M + i];
    }
    for (; r < R; ++r, y += M)
        for (size_t i = 0; i < M; ++i) sum[i] += y[i];
}

void mot_multiply_and_sum_rows(mot_real *y, mot_real *sum, const mot_real *factor, size_t R, size_t M)
{
    const size_t whole = M / MOT_LANES * MOT_LANES;
    for (size_t r = 0; r < R; ++r, y += M, factor += M) {
        for (size_t i = 0; i < whole; i += MOT_LANES) {
            const mot_vector v = mot_load(y + i) * mot_load(factor + i);
            mot_store(y + i, v);
            mot_store(sum + i, mot_load(sum + i) + v);
        }
        for (size_t i = whole; i < M; ++i) {
            y[i] *= factor[i];
            sum[i] += y[i];
        }
    }
}

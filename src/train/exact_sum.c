/* Sums of gradients whose terms lie on many ranks, to the same bits for any number of them. */
#include "model_private.h"

#include <math.h>
#include <string.h>

/* The largest magnitude of each tensor over this rank's terms; infinite when one is not finite. */
static void largest_of(const exact_sum *sum)
{
    const mot_table *table = sum->table;
    for (size_t r = 0; r < table->rows; ++r) {
        const mot_tensor *row = &table->row[r];
        double most = 0;
        for (size_t e = 0; e < sum->terms; ++e) {
            const mot_real *g = sum->term + e * table->count + row->offset;
            for (size_t i = 0; i < row->count; ++i)
                most = fabs(g[i]) <= most ? most : isnan(g[i]) ? INFINITY : fabs(g[i]);
        }
        sum->largest[r] = most;
    }
}

void mot_exact_sum(const exact_sum *sum, mot_real *total)
{
    const mot_table *table = sum->table;
    if (table->rows == 0) return;
    largest_of(sum);
    mot_comm_allreduce(sum->comm, sum->largest, (int)table->rows, MPI_DOUBLE, MPI_MAX);

    int headroom = 0; /* bits that the sum over the terms may add */
    while (((size_t)1 << headroom) < sum->all) ++headroom;
    memset(sum->fixed, 0, table->count * sizeof *sum->fixed);
    for (size_t r = 0; r < table->rows; ++r) {
        const mot_tensor *row = &table->row[r];
        int exponent;
        if (!isfinite(sum->largest[r])) continue;
        frexp(sum->largest[r], &exponent); /* largest < 2^exponent */
        const double unit = ldexp(1, 62 - headroom - exponent);
        for (size_t e = 0; e < sum->terms; ++e) {
            const mot_real *g = sum->term + e * table->count + row->offset;
            int64_t *fixed = sum->fixed + row->offset;
            for (size_t i = 0; i < row->count; ++i) fixed[i] += llrint((double)g[i] * unit);
        }
    }
    const size_t piece = (size_t)1 << 27; /* 1 GiB a message */
    for (size_t at = 0; at < table->count; at += piece)
        mot_comm_allreduce(sum->comm, sum->fixed + at, (int)MOT_MIN(piece, table->count - at), MPI_INT64_T,
                           MPI_SUM);
    for (size_t r = 0; r < table->rows; ++r) {
        const mot_tensor *row = &table->row[r];
        mot_real *g = total + row->offset;
        const int64_t *fixed = sum->fixed + row->offset;
        int exponent;
        frexp(sum->largest[r], &exponent);
        const double unit = isfinite(sum->largest[r]) ? ldexp(1, exponent - 62 + headroom) : NAN;
        for (size_t i = 0; i < row->count; ++i) g[i] = (mot_real)((double)fixed[i] * unit);
    }
}

/* Sums of gradients whose terms lie on many ranks, to the same bits for any number of them.
 *
 * Of a table of words the integers are those of rows that any term met, one behind the other:
 *
 *      term 0     |   | r |   |   | s |   |
 *      term 1     |   | r'|   | t |   |   |          fixed   | r + r' | t | s |  nothing  | the tensors behind
 */
#include "model_private.h"

#include <math.h>
#include <string.h>

/* One run of numbers of a tensor: where it lies in a gradient, and in the integers. */
typedef struct run {
    size_t at, fixed, count;
} run;

/* A tensor is a run, but of words each that was met is one; `at` begins as {0}. False behind the last. */
static bool next_run(const mot_params *total, const mot_tensor *row, run *at)
{
    if (row != mot_table_words(total->table)) {
        if (at->count > 0) return false;
        at->at = at->fixed = row->offset;
        at->count = row->count;
        return row->count > 0;
    }
    const size_t words = row->shape[0], D = row->shape[1];
    const size_t word = mot_met_next(total->met, words, at->count > 0 ? (at->at - row->offset) / D + 1 : 0);
    at->fixed = at->count > 0 ? at->fixed + D : row->offset;
    at->at = row->offset + word * D;
    at->count = D;
    return word < words;
}

/* The words that any term met, on any rank, take the place of those before, whose rows become zero. */
static void join_met(const exact_sum *sum, mot_params *total)
{
    const mot_table *table = sum->table;
    const mot_tensor *of = mot_table_words(table);
    if (of == NULL) return;
    const size_t words = of->shape[0], D = of->shape[1], size = mot_met_size(words);
    for (size_t w = mot_met_next(total->met, words, 0); w < words; w = mot_met_next(total->met, words, w + 1))
        memset(total->gradient + of->offset + w * D, 0, D * sizeof *total->gradient);
    mot_met_none(total->met, words);
    for (size_t e = 0; e < sum->terms; ++e) mot_met_join(total->met, sum->met + e * size, words);
    mot_comm_allreduce(sum->comm, total->met, (int)size, MPI_UINT64_T, MPI_BOR);
}

/* The largest magnitude of each tensor over this rank's terms, which have 0 where they met nothing; infinite when one is not
 * finite. */
static void largest_of(const exact_sum *sum, const mot_params *total)
{
    const mot_table *table = sum->table;
    for (size_t r = 0; r < table->rows; ++r) {
        double most = 0;
        for (run at = {0}; next_run(total, &table->row[r], &at);)
            for (size_t e = 0; e < sum->terms; ++e) {
                const mot_real *g = sum->term + e * table->count + at.at;
                for (size_t i = 0; i < at.count; ++i)
                    most = fabs(g[i]) <= most ? most : isnan(g[i]) ? INFINITY : fabs(g[i]);
            }
        sum->largest[r] = most;
    }
}

/* Of [from, to) of the integers. */
static void reduce(const exact_sum *sum, size_t from, size_t to)
{
    const size_t piece = (size_t)1 << 27; /* 1 GiB a message */
    for (size_t at = from; at < to; at += piece)
        mot_comm_allreduce(sum->comm, sum->fixed + at, (int)MOT_MIN(piece, to - at), MPI_INT64_T, MPI_SUM);
}

/* Integers of rows that nobody met stay here. */
static void reduce_met(const exact_sum *sum, const mot_params *total)
{
    const mot_tensor *of = mot_table_words(sum->table);
    if (of == NULL) {
        reduce(sum, 0, sum->table->count);
        return;
    }
    reduce(sum, 0, of->offset + mot_met_count(total->met, of->shape[0]) * of->shape[1]);
    reduce(sum, of->offset + of->count, sum->table->count);
}

void mot_exact_sum(const exact_sum *sum, mot_params *total)
{
    const mot_table *table = sum->table;
    if (table->rows == 0) return;
    join_met(sum, total);
    largest_of(sum, total);
    mot_comm_allreduce(sum->comm, sum->largest, (int)table->rows, MPI_DOUBLE, MPI_MAX);

    int headroom = 0; /* bits that the sum over the terms may add */
    while (((size_t)1 << headroom) < sum->all) ++headroom;
    for (size_t r = 0; r < table->rows; ++r) {
        const bool finite = isfinite(sum->largest[r]);
        int exponent = 0;
        if (finite) frexp(sum->largest[r], &exponent); /* largest < 2^exponent */
        const double unit = ldexp(1, 62 - headroom - exponent);
        for (run at = {0}; next_run(total, &table->row[r], &at);) {
            int64_t *fixed = sum->fixed + at.fixed;
            memset(fixed, 0, at.count * sizeof *fixed);
            for (size_t e = 0; finite && e < sum->terms; ++e) {
                const mot_real *g = sum->term + e * table->count + at.at;
                for (size_t i = 0; i < at.count; ++i) fixed[i] += llrint((double)g[i] * unit);
            }
        }
    }
    reduce_met(sum, total);
    for (size_t r = 0; r < table->rows; ++r) {
        int exponent;
        frexp(sum->largest[r], &exponent);
        const double unit = isfinite(sum->largest[r]) ? ldexp(1, exponent - 62 + headroom) : NAN;
        for (run at = {0}; next_run(total, &table->row[r], &at);) {
            mot_real *g = total->gradient + at.at;
            const int64_t *fixed = sum->fixed + at.fixed;
            for (size_t i = 0; i < at.count; ++i) g[i] = (mot_real)((double)fixed[i] * unit);
        }
    }
}

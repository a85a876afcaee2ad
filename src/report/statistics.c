#include <math.h>
#include <stdlib.h>

#include "mot/memory.h"
#include "report_private.h"

void mot_report_wilson(double hits, double all, double *low, double *high)
{
    const double z = 1.959963984540054, share = hits / all, square = z * z / all;
    const double middle = (share + square / 2) / (1 + square);
    const double half = z / (1 + square) * sqrt(share * (1 - share) / all + square / (4 * all));
    *low = all > 0 ? fmax(middle - half, 0) : NAN;
    *high = all > 0 ? fmin(middle + half, 1) : NAN;
}

void mot_report_mean(double sum, double squares, double count, double *mean, double *low, double *high)
{
    *mean = count > 0 ? sum / count : NAN;
    const double variance = count > 1 ? fmax(squares - sum * *mean, 0) / (count - 1) : NAN;
    const double half = 1.959963984540054 * sqrt(variance / count);
    *low = *mean - half;
    *high = *mean + half;
}

typedef struct place {
    double value;
    size_t index;
} place;

static int in_order(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

mot_status mot_report_ranks(size_t count, const double *value, double *rank)
{
    place *sorted;
    const mot_status status = mot_allocate(&sorted, count, sizeof *sorted, "ranks");
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < count; ++i) sorted[i] = (place){value[i], i};
    if (count > 0) qsort(sorted, count, sizeof *sorted, in_order);
    for (size_t first = 0, last; first < count; first = last) {
        for (last = first + 1; last < count && sorted[last].value == sorted[first].value;) ++last;
        for (size_t i = first; i < last; ++i) rank[sorted[i].index] = 0.5 * (double)(first + 1 + last);
    }
    mot_free(sorted);
    return MOT_OK;
}

mot_status mot_report_spearman(size_t count, const double *a, const double *b, double *correlation)
{
    double *rank = NULL, ab = 0, aa = 0, bb = 0;
    const double mean = 0.5 * (double)(count + 1);
    mot_status status;
    *correlation = NAN;
    MOT_TRY(mot_allocate(&rank, 2 * count, sizeof *rank, "ranks"));
    MOT_TRY(mot_report_ranks(count, a, rank));
    MOT_TRY(mot_report_ranks(count, b, rank + count));
    for (size_t i = 0; i < count; ++i) {
        const double x = rank[i] - mean, y = rank[count + i] - mean;
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if (aa > 0 && bb > 0) *correlation = ab / sqrt(aa * bb);
done:
    mot_free(rank);
    return status;
}

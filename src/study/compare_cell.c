/* What came out of a row, and how far that is from the first. */
#include <math.h>

#include "compare_private.h"
#include "mot/memory.h"
#include "mot/statistics.h"

/* The value of the first row's run with this seed; NaN: it has none. */
static double beside(const comparison *c, size_t figure, uint64_t seed)
{
    for (size_t r = 0; r < c->runs; ++r)
        if (c->run[r].row == 0 && c->run[r].seed == seed) return c->run[r].value[figure];
    return NAN;
}

mot_status mot_compare_cell(const comparison *c, size_t row, size_t figure, compare_cell *cell)
{
    double *value = NULL, *difference = NULL;
    mot_interval drawn;
    size_t count = 0, pairs = 0;
    mot_status status;
    MOT_TRY(mot_allocate(&value, c->runs, sizeof *value, "values"));
    MOT_TRY(mot_allocate(&difference, c->runs, sizeof *difference, "values"));
    for (size_t r = 0; r < c->runs; ++r) {
        const double own = c->run[r].value[figure], first = beside(c, figure, c->run[r].seed);
        if (c->run[r].row != row || c->run[r].again || isnan(own)) continue;
        value[count++] = own;
        if (row > 0 && !isnan(first)) difference[pairs++] = own - first;
    }
    MOT_TRY(mot_bootstrap_mean(value, count, &drawn));
    const mot_summary of = mot_summarize(value, count), apart = mot_summarize(difference, pairs);
    const mot_interval mean = mot_mean_interval(value, count), by = mot_mean_interval(difference, pairs);
    *cell = (compare_cell){count,    of.median, of.quarter, of.three_quarters, of.mean, mean.low,
                           mean.high, pairs,     apart.mean, by.low,            by.high,
                           drawn.low, drawn.high};
done:
    mot_free(difference);
    mot_free(value);
    return status;
}

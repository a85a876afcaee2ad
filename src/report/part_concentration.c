/* How much the busiest experts have. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

enum { BEGINNING, MIDDLE, END, LINES };

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* share [E + 1]: that of the n busiest of load [E], which is sorted. */
static void accumulate(size_t E, double *load, double *share)
{
    double all = 0, sum = 0;
    qsort(load, E, sizeof *load, descending);
    for (size_t e = 0; e < E; ++e) all += load[e];
    for (size_t n = 0; n <= E; ++n) {
        share[n] = all > 0 ? sum / all : NAN;
        if (n < E) sum += load[n];
    }
}

static mot_status put(report_all *report, report_part *part, int r, int l)
{
    static const char *const name[LINES] = {"first tenth of the steps", "middle tenth", "last tenth"};
    const report_run *const run = &report->run[r];
    const report_layer *const layer = &run->layer[l];
    const size_t E = (size_t)layer->experts, tenth = MOT_MAX(run->bins / 10, 1);
    const size_t first[LINES] = {0, (run->bins - tenth) / 2, run->bins - tenth};
    double *places, *load;
    report_view *view;
    mot_status status;
    if (run->last == 0) return MOT_OK;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, "concentration", "Share of the busiest experts", r, l, &view));
    MOT_TRY(mot_report_take(&report->pool, &places, E + 1, sizeof *places));
    MOT_TRY(mot_report_take(&report->pool, &load, E, sizeof *load));
    for (size_t n = 0; n <= E; ++n) places[n] = (double)n / (double)E;
    view->x = (report_axis){.label = "n / E, the busiest first", .count = E + 1, .values = places};
    view->y = (report_axis){.label = "share of the samples", .low = 0, .high = 1};
    view->diagonal = true;
    MOT_TRY(mot_report_series(report, view, LINES, E + 1, false));
    for (size_t s = 0; s < LINES; ++s) {
        view->series[s].name = name[s];
        memset(load, 0, E * sizeof *load);
        for (size_t b = first[s]; b < first[s] + tenth; ++b)
            for (size_t e = 0; e < E; ++e) load[e] += layer->bin_load[b * E + e];
        accumulate(E, load, mot_report_values(view, s));
    }
done:
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    return mot_report_each_layer(report, part, mot_report_no_loads, put);
}

const report_part_kind mot_report_part_concentration = {
    .id = "concentration",
    .title = "Concentration",
    .definition = "The share of the samples that the n busiest experts have, against n / E, in three parts of the training. Even "
                  "loads are the diagonal; one expert with everything is a step.",
    .denominator = "All samples of the training steps of that part, each as often as it was sent.",
    .interval = "None: counts.",
    .make = make,
};

/* Since when samples have the experts that they have at the end. */
#include <math.h>

#include "mot/memory.h"
#include "parts.h"

enum { WITH_LAST, WITH_PREVIOUS, LINES };

/* Share of a sample's choices that are among those of the other evaluation; -1: one of them has none. */
static double overlap(const uint16_t *a, const uint16_t *b)
{
    int both = 0, choices = 0;
    for (int i = 0; i < REPORT_CHOICES && a[i] != REPORT_NOBODY; ++i, ++choices)
        for (int j = 0; j < REPORT_CHOICES && b[j] != REPORT_NOBODY; ++j) both += a[i] == b[j];
    return choices == 0 || b[0] == REPORT_NOBODY ? -1 : (double)both / choices;
}

/* Mean and interval at 95 %: of shares of one choice that of Wilson, of more the normal one. */
static void measure(const report_routes *a, const report_routes *b, int choices, double *mean, double *low, double *high)
{
    double sum = 0, squares = 0, count = 0;
    const size_t samples = MOT_MIN(a->samples, b->samples);
    for (size_t i = 0; i < samples; ++i) {
        const double share = overlap(a->expert + i * REPORT_CHOICES, b->expert + i * REPORT_CHOICES);
        if (share < 0) continue;
        sum += share;
        squares += share * share;
        count += 1;
    }
    mot_report_mean(sum, squares, count, mean, low, high);
    if (choices == 1) mot_report_wilson(sum, count, low, high);
    *low = fmax(*low, 0);
    *high = fmin(*high, 1);
}

static mot_status put(report_all *report, report_part *part, int r, int l)
{
    static const char *const name[LINES] = {"with the last evaluation", "with the evaluation before"};
    const report_run *const run = &report->run[r];
    const report_layer *const layer = &run->layer[l];
    const size_t count = layer->routes_count;
    double *step;
    report_view *view;
    mot_status status;
    if (count == 0) return MOT_OK;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, "saturation", "Choices that are those of the end", r, l, &view));
    MOT_TRY(mot_report_take(&report->pool, &step, count, sizeof *step));
    view->x = (report_axis){.label = "step", .count = count, .values = step};
    view->y = (report_axis){.label = "mean overlap of choices", .low = 0, .high = 1};
    view->marks = run->marks;
    view->mark = run->mark;
    MOT_TRY(mot_report_series(report, view, LINES, count, true));
    for (size_t s = 0; s < LINES; ++s) view->series[s].name = name[s];
    for (size_t i = 0; i < count; ++i) {
        const report_routes *other[LINES] = {&layer->routes[count - 1], i > 0 ? &layer->routes[i - 1] : NULL};
        step[i] = (double)layer->routes[i].step;
        for (size_t s = 0; s < LINES; ++s) {
            double mean = NAN, low = NAN, high = NAN;
            if (other[s] != NULL) measure(&layer->routes[i], other[s], layer->choices, &mean, &low, &high);
            mot_report_values(view, s)[i] = mean;
            mot_report_low(view, s)[i] = low;
            mot_report_high(view, s)[i] = high;
        }
    }
done:
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    return mot_report_each_layer(report, part, mot_report_no_routes, put);
}

const report_part_kind mot_report_part_saturation = {
    .id = "saturation",
    .title = "Saturation",
    .definition = "Of each sample's K choices at an evaluation, the share that is among its choices at the last evaluation (and at "
                  "the one before), as a mean over samples. It is 1 from where on the routing stays.",
    .denominator = "The samples that both evaluations have. Of more than 8 choices a sample the first 8 count.",
    .interval = "95 %, over samples: Wilson's for one choice a sample, the normal one of the mean for several.",
    .make = make,
};

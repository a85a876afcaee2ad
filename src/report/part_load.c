/* How evenly the experts are at work. */
#include <math.h>
#include <string.h>

#include "parts.h"

static const struct {
    const char *id, *title, *label;
} figures[REPORT_LOADS] = {
    [REPORT_MAX_OVER_MEAN] = {"load-max", "Largest load over the mean", "largest load / mean load"},
    [REPORT_EFFECTIVE] = {"load-effective", "Effective number of experts", "experts"},
    [REPORT_DEAD] = {"load-dead", "Dead experts", "experts"},
};

static mot_status put_figure(report_all *report, report_part *part, int r, int l, int figure)
{
    const report_run *const run = &report->run[r];
    const report_fold *fold = run->layer[l].load[figure];
    const bool bounds = (mot_gidx)run->bins < run->last - run->first + 1;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, figures[figure].id, figures[figure].title, r, l, &view));
    mot_report_over_steps(run, figures[figure].label, view);
    if (figure != REPORT_MAX_OVER_MEAN) view->y.high = run->layer[l].experts;
    if (bounds)
        view->note = mot_report_text(&report->pool, "Means of %" MOT_PRI_GIDX " steps; the band is their least and largest.",
                                     (run->last - run->first + 1 + (mot_gidx)run->bins - 1) / (mot_gidx)run->bins);
    MOT_TRY(mot_report_series(report, view, 1, run->bins, bounds));
    view->series[0].name = figures[figure].label;
    for (size_t b = 0; b < run->bins; ++b) {
        const bool known = fold[b].steps > 0;
        mot_report_values(view, 0)[b] = mot_report_fold_mean(&fold[b]);
        if (!bounds) continue;
        mot_report_low(view, 0)[b] = known ? fold[b].low : NAN;
        mot_report_high(view, 0)[b] = known ? fold[b].high : NAN;
    }
done:
    return status;
}

/* Of the last tenth of the steps: who is busy, and who is not. */
static mot_status put_experts(report_all *report, report_part *part, int r, int l)
{
    const report_run *const run = &report->run[r];
    const report_layer *const layer = &run->layer[l];
    const size_t E = (size_t)layer->experts, first = run->bins - MOT_MAX(run->bins / 10, 1);
    double sum = 0;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_BARS, "load-experts", "Share of each expert at the end", r, l, &view));
    view->x = (report_axis){.label = "expert", .count = E, .names = layer->names};
    view->y = (report_axis){.label = "share of the samples"};
    view->note = mot_report_text(&report->pool, "Of training steps %.0f to %" MOT_PRI_GIDX ".",
                                 first == 0 ? (double)run->first : run->bin_step[first - 1] + 1, run->last);
    MOT_TRY(mot_report_series(report, view, 1, E, false));
    view->series[0].name = "share";
    double *const share = mot_report_values(view, 0);
    for (size_t b = first; b < run->bins; ++b)
        for (size_t e = 0; e < E; ++e) share[e] += layer->bin_load[b * E + e], sum += layer->bin_load[b * E + e];
    for (size_t e = 0; e < E; ++e) share[e] = sum > 0 ? share[e] / sum : NAN;
done:
    return status;
}

static mot_status warn(report_all *report, const report_run *run, int l)
{
    const report_layer *const layer = &run->layer[l];
    const report_fold *dead = &layer->load[REPORT_DEAD][run->bins - 1],
                      *effective = &layer->load[REPORT_EFFECTIVE][run->bins - 1];
    mot_status status = MOT_OK;
    if (dead->steps > 0 && dead->high > 0)
        MOT_TRY(mot_report_warn(report, "%s, layer %d: %.0f of %d experts got no sample in the last %d steps.", run->name, l,
                                dead->high, layer->experts, (int)REPORT_IDLE));
    if (layer->experts > 2 && effective->steps > 0 && effective->sum / (double)effective->steps < 1.5)
        MOT_TRY(mot_report_warn(report,
                                "%s, layer %d: the routing has collapsed: at the end loads are as uneven as those of %.3g experts.",
                                run->name, l, effective->sum / (double)effective->steps));
done:
    return status;
}

static mot_status put(report_all *report, report_part *part, int r, int l)
{
    const report_run *const run = &report->run[r];
    mot_status status = MOT_OK;
    if (run->last == 0) return MOT_OK;
    for (int figure = 0; figure < REPORT_LOADS; ++figure) MOT_TRY(put_figure(report, part, r, l, figure));
    MOT_TRY(put_experts(report, part, r, l));
    MOT_TRY(warn(report, run, l));
done:
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    mot_status status;
    MOT_TRY(mot_report_each_layer(report, part, mot_report_no_loads, put));
    for (int figure = 0; figure < REPORT_LOADS; ++figure) MOT_TRY(mot_report_over_seeds(report, part, figures[figure].id));
done:
    return status;
}

const report_part_kind mot_report_part_load = {
    .id = "load",
    .title = "Load",
    .definition = "Of every training step: the largest load of an expert over the mean load; the effective number of experts, "
                  "exp of the entropy of the loads; and the dead experts, those without a sample in the last 100 steps. Vertical "
                  "lines are beginnings of stages.",
    .denominator = "The samples of the batch, each as often as it was sent; the mean is over the experts that there are at the step.",
    .interval = "None: counts. Where steps are many, a point is the mean of as many steps, and the band their least and largest. "
                "Over seeds: of the mean of several runs, by bootstrap.",
    .make = make,
};

/* Which samples went from which expert to which, between any two evaluations. */
#include <math.h>
#include <stdlib.h>

#include "parts.h"

enum { MOST_SAMPLES = 500 };

static mot_status put_flow(report_all *report, report_part *part, int r, int l)
{
    const report_layer *const layer = &report->run[r].layer[l];
    const size_t E = (size_t)layer->experts;
    /* n snapshots have n (n - 1) / 2 pairs. */
    const size_t pairs = mot_report_frame_room(report, E * E);
    size_t pick[64], most = 2;
    report_view *view;
    mot_status status;
    while ((most + 1) * most / 2 <= pairs && most + 1 <= 12) ++most;
    MOT_TRY(mot_report_view(report, part, REPORT_FLOW, "flow", "Flow", r, l, &view));
    const size_t n = mot_report_pick(layer->routes_count, most, pick);
    if (n < layer->routes_count)
        view->note = mot_report_text(&report->pool, "%zu of %zu evaluations.", n, layer->routes_count);
    view->x = (report_axis){.label = "expert", .count = E, .names = layer->names};
    view->frames = n;
    MOT_TRY(mot_report_take(&report->pool, &view->frame, n, sizeof *view->frame));
    MOT_TRY(mot_report_take(&report->pool, &view->flow, n * n, sizeof *view->flow));
    for (size_t i = 0; i < n; ++i) {
        const report_routes *from = &layer->routes[pick[i]];
        view->frame[i].step = from->step;
        view->frame[i].label = mot_report_text(&report->pool, "step %" MOT_PRI_GIDX, from->step);
        for (size_t j = i + 1; j < n; ++j) {
            const report_routes *to = &layer->routes[pick[j]];
            double *count;
            MOT_TRY(mot_report_take(&report->pool, &count, E * E, sizeof *count));
            for (size_t s = 0; s < MOT_MIN(from->samples, to->samples); ++s) {
                const uint16_t a = from->expert[s * REPORT_CHOICES], b = to->expert[s * REPORT_CHOICES];
                if (a != REPORT_NOBODY && b != REPORT_NOBODY) count[a * E + b] += 1;
            }
            view->flow[i * n + j] = count;
        }
    }
done:
    return status;
}

/* Those that changed last. */
static mot_status put_changed(report_all *report, report_part *part, int r, int l)
{
    static const char *const columns[] = {"sample", "class", "from expert", "to expert", "p", "predicted"};
    const report_run *const run = &report->run[r];
    const report_layer *const layer = &run->layer[l];
    const report_routes *to = &layer->routes[layer->routes_count - 1], *from = to - 1;
    const size_t samples = MOT_MIN(MOT_MIN(from->samples, to->samples), layer->last_samples);
    size_t changed = 0;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "changed", "Samples that changed expert last", r, l, &view));
    MOT_TRY(mot_report_take(&report->pool, &view->cell, MOST_SAMPLES * MOT_COUNT(columns), sizeof *view->cell));
    view->x = (report_axis){.count = MOT_COUNT(columns), .names = columns};
    for (size_t s = 0; s < samples; ++s) {
        const uint16_t a = from->expert[s * REPORT_CHOICES], b = to->expert[s * REPORT_CHOICES];
        if (a == b || a == REPORT_NOBODY || b == REPORT_NOBODY) continue;
        if (changed++ >= MOST_SAMPLES) continue;
        report_cell *const cell = view->cell + view->rows++ * MOT_COUNT(columns);
        const int label = layer->label[s], predicted = layer->predicted[s];
        cell[0].value = (double)s;
        cell[1] = (report_cell){label >= 0 && label < run->classes ? run->class_names[label] : NULL, NAN};
        cell[2].value = a;
        cell[3].value = b;
        cell[4].value = layer->prob[s];
        cell[5] = (report_cell){predicted >= 0 && predicted < run->classes ? run->class_names[predicted] : NULL, NAN};
    }
    view->note = mot_report_text(&report->pool,
                                 "%zu samples of %zu have another expert at step %" MOT_PRI_GIDX " than at step %" MOT_PRI_GIDX "%s.",
                                 changed, samples, to->step, from->step,
                                 changed > MOST_SAMPLES ? "; the first 500 are shown" : "");
done:
    return status;
}

static mot_status put(report_all *report, report_part *part, int r, int l)
{
    if (report->run[r].layer[l].routes_count < 2) return MOT_OK;
    const mot_status status = put_flow(report, part, r, l);
    return status == MOT_OK ? put_changed(report, part, r, l) : status;
}

static const char *obstacle(report_all *report, const report_run *run)
{
    const char *why = mot_report_no_routes(report, run);
    if (why != NULL) return why;
    return mot_report_text(&report->pool, "The record has the choices of one evaluation, and a flow is between two: %s, with more.",
                           mot_report_again(report, run, ""));
}

static mot_status make(report_all *report, report_part *part)
{
    return mot_report_each_layer(report, part, obstacle, put);
}

const report_part_kind mot_report_part_flow = {
    .id = "flow",
    .title = "Flow",
    .definition = "How many samples had one expert (row) at an evaluation and one (column) at a later one, by the gate's first choice.",
    .denominator = "The samples that both evaluations have.",
    .interval = "None: counts of all samples of a fixed set.",
    .make = make,
};

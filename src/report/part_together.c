/* Which experts are chosen together, and which classes share an expert. */
#include <math.h>

#include "parts.h"

enum { MOST_KINDS = 250 };

/* P(b among the choices | a among them), of all samples of an evaluation. */
static void count_pairs(const report_routes *routes, size_t E, double *value)
{
    for (size_t s = 0; s < routes->samples; ++s) {
        const uint16_t *choice = routes->expert + s * REPORT_CHOICES;
        for (int i = 0; i < REPORT_CHOICES && choice[i] != REPORT_NOBODY; ++i)
            for (int j = 0; j < REPORT_CHOICES && choice[j] != REPORT_NOBODY; ++j) value[choice[i] * E + choice[j]] += 1;
    }
    for (size_t a = 0; a < E; ++a) {
        const double all = value[a * E + a];
        for (size_t b = 0; b < E; ++b) value[a * E + b] = all > 0 ? value[a * E + b] / all : NAN;
    }
}

static mot_status put_experts(report_all *report, report_part *part, int r, int l)
{
    const report_layer *const layer = &report->run[r].layer[l];
    const size_t E = (size_t)layer->experts;
    size_t pick[REPORT_BINS];
    report_view *view;
    mot_status status;
    const size_t most = MOT_MIN(mot_report_frame_room(report, 2 * E * E), REPORT_BINS);
    const size_t frames = mot_report_pick(layer->routes_count, most, pick);
    MOT_TRY(mot_report_view(report, part, REPORT_HEAT, "together-experts", "Chosen together", r, l, &view));
    view->x = (report_axis){.label = "expert b", .count = E, .names = layer->names};
    view->y = (report_axis){.label = "expert a", .count = E, .names = layer->names};
    view->unit = "P(b chosen | a chosen)";
    MOT_TRY(mot_report_frames(report, view, frames, E * E));
    for (size_t f = 0; f < frames; ++f) {
        const report_routes *routes = &layer->routes[pick[f]];
        view->frame[f].step = routes->step;
        view->frame[f].label = mot_report_text(&report->pool, "step %" MOT_PRI_GIDX, routes->step);
        count_pairs(routes, E, (double *)view->frame[f].value);
    }
done:
    return status;
}

/* P(two samples of these classes have the same expert): sum over experts of both shares. */
static void share(const double *load, size_t kinds, size_t E, double *value)
{
    for (size_t i = 0; i < kinds; ++i)
        for (size_t j = 0; j < kinds; ++j) {
            double both = 0, of_i = 0, of_j = 0;
            for (size_t e = 0; e < E; ++e) {
                both += load[i * E + e] * load[j * E + e];
                of_i += load[i * E + e];
                of_j += load[j * E + e];
            }
            value[i * kinds + j] = of_i > 0 && of_j > 0 ? both / (of_i * of_j) : NAN;
        }
}

static mot_status put_classes(report_all *report, report_part *part, int r, int l, bool groups)
{
    const report_run *const run = &report->run[r];
    const report_layer *const layer = &run->layer[l];
    const mot_record_values *load = groups ? &layer->group_load : &layer->class_load;
    const size_t kinds = (size_t)(groups ? run->groups : run->classes), E = (size_t)layer->experts;
    const size_t there = MOT_MIN(load->rows, layer->snapshot.rows);
    size_t pick[REPORT_BINS];
    report_view *view;
    mot_status status = MOT_OK;
    if (there == 0 || load->width != kinds * E) return MOT_OK;
    if (kinds > MOST_KINDS) {
        mot_report_lacks(report, part, run, "%zu %s are too many for a table of all pairs: up to %d have one.", kinds,
                         groups ? "groups" : "classes", (int)MOST_KINDS);
        return MOT_OK;
    }
    const size_t frames = mot_report_pick(there, MOT_MIN(mot_report_frame_room(report, 4 * kinds * kinds), REPORT_BINS), pick);
    MOT_TRY(mot_report_view(report, part, REPORT_HEAT, groups ? "together-groups" : "together-classes",
                            groups ? "Groups that share an expert" : "Classes that share an expert", r, l, &view));
    const char *const *names = groups ? run->group_names : run->class_names;
    view->x = (report_axis){.label = groups ? "group j" : "class j", .count = kinds, .names = names};
    view->y = (report_axis){.label = groups ? "group i" : "class i", .count = kinds, .names = names};
    view->unit = "P(same expert)";
    MOT_TRY(mot_report_frames(report, view, frames, kinds * kinds));
    for (size_t f = 0; f < frames; ++f) {
        view->frame[f].step = (mot_gidx)layer->snapshot.value[pick[f]];
        view->frame[f].label = mot_report_text(&report->pool, "step %" MOT_PRI_GIDX, view->frame[f].step);
        share(load->value + pick[f] * load->width, kinds, E, (double *)view->frame[f].value);
    }
done:
    return status;
}

static mot_status put(report_all *report, report_part *part, int r, int l)
{
    const report_layer *const layer = &report->run[r].layer[l];
    mot_status status = MOT_OK;
    if (layer->routes_count > 0 && layer->choices > 1) MOT_TRY(put_experts(report, part, r, l));
    MOT_TRY(put_classes(report, part, r, l, false));
    MOT_TRY(put_classes(report, part, r, l, true));
done:
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    return mot_report_each_layer(report, part, mot_report_no_classes, put);
}

const report_part_kind mot_report_part_together = {
    .id = "together",
    .title = "What goes together",
    .definition = "Where samples have several choices: how probably expert b is among them, given that expert a is. Of classes and "
                  "groups: how probably two samples, drawn independently from i and from j, have the same expert as first choice, "
                  "which is the sum over experts of the products of both shares.",
    .denominator = "The samples of the evaluation split with expert a among their first 8 choices; the samples of a class.",
    .interval = "None: shares of all samples of a fixed set.",
    .make = make,
};

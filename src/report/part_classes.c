/* Which expert has which class, and which group. */
#include <string.h>

#include "mot/memory.h"
#include "parts.h"

static mot_status put_heat(report_all *report, report_part *part, const char *id, const char *title, int run, int layer,
                           const char *kinds, size_t count, const char *const *names, report_view **view)
{
    const report_layer *const of = &report->run[run].layer[layer];
    const mot_status status = mot_report_view(report, part, REPORT_HEAT, id, title, run, layer, view);
    if (status != MOT_OK) return status;
    (*view)->x = (report_axis){.label = "expert", .count = (size_t)of->experts, .names = of->names};
    (*view)->y = (report_axis){.label = kinds, .count = count, .names = names};
    (*view)->unit = "samples";
    (*view)->modes = true;
    return MOT_OK;
}

/* How many samples each row has in the last frame. */
static mot_status cut(report_all *report, report_view *view)
{
    const size_t rows = view->y.count, columns = view->x.count;
    const double *value = view->frame[view->frames - 1].value;
    double *all = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&all, rows, sizeof *all, "rows of a table"));
    for (size_t i = 0; i < rows * columns; ++i) all[i / columns] += value[i];
    status = mot_report_cut_rows(report, view, all);
done:
    mot_free(all);
    return status;
}

/* A frame an evaluation. */
static mot_status put_snapshots(report_all *report, report_part *part, int run, int layer, bool groups)
{
    const report_run *const of = &report->run[run];
    const report_layer *const l = &of->layer[layer];
    const mot_record_values *load = groups ? &l->group_load : &l->class_load;
    const size_t kinds = (size_t)(groups ? of->groups : of->classes), numbers = kinds * (size_t)l->experts;
    const size_t there = MOT_MIN(load->rows, l->snapshot.rows);
    size_t pick[REPORT_BINS];
    report_view *view;
    mot_status status = MOT_OK;
    if (there == 0 || load->width != numbers) return MOT_OK;
    const size_t frames = mot_report_pick(there, MOT_MIN(mot_report_frame_room(report, numbers), REPORT_BINS), pick);
    MOT_TRY(put_heat(report, part, groups ? "groups-evaluated" : "classes-evaluated",
                     groups ? "Groups by expert, evaluation" : "Classes by expert, evaluation", run, layer,
                     groups ? "group" : "class", kinds, groups ? of->group_names : of->class_names, &view));
    if (frames < there) view->note = mot_report_text(&report->pool, "%zu of %zu evaluations.", frames, there);
    MOT_TRY(mot_report_frames(report, view, frames, numbers));
    for (size_t f = 0; f < frames; ++f) {
        report_frame *const frame = &view->frame[f];
        frame->step = (mot_gidx)l->snapshot.value[pick[f]];
        frame->label = mot_report_text(&report->pool, "step %" MOT_PRI_GIDX, frame->step);
        memcpy((double *)frame->value, load->value + pick[f] * numbers, numbers * sizeof(double));
    }
    MOT_TRY(cut(report, view));
done:
    return status;
}

static bool any(size_t count, const double *value)
{
    for (size_t i = 0; i < count; ++i)
        if (value[i] > 0) return true;
    return false;
}

/* A frame a window of steps in which choices were recorded. */
static mot_status put_windows(report_all *report, report_part *part, int run, int layer, bool groups)
{
    const report_run *const of = &report->run[run];
    const report_layer *const l = &of->layer[layer];
    const size_t kinds = (size_t)(groups ? of->groups : of->classes), numbers = kinds * (size_t)l->experts;
    const double *load[REPORT_WINDOWS];
    const report_window *from[REPORT_WINDOWS];
    size_t there = 0, pick[REPORT_WINDOWS];
    report_view *view;
    mot_status status = MOT_OK;
    for (int w = 0; w < REPORT_WINDOWS; ++w) {
        load[there] = groups ? l->window[w].group_load : l->window[w].class_load;
        from[there] = &l->window[w];
        there += any(numbers, load[there]);
    }
    if (there == 0) return MOT_OK;
    const size_t frames = mot_report_pick(there, mot_report_frame_room(report, numbers), pick);
    MOT_TRY(put_heat(report, part, groups ? "groups-training" : "classes-training",
                     groups ? "Groups by expert, training" : "Classes by expert, training", run, layer,
                     groups ? "group" : "class", kinds, groups ? of->group_names : of->class_names, &view));
    view->note = mot_report_text(&report->pool, "Choices of the training steps that record.every has, in windows of as many steps%s.",
                                 frames < there ? "; some are left out" : "");
    MOT_TRY(mot_report_frames(report, view, frames, numbers));
    for (size_t f = 0; f < frames; ++f) {
        view->frame[f].step = from[pick[f]]->last;
        view->frame[f].label = mot_report_text(&report->pool, "steps %" MOT_PRI_GIDX " to %" MOT_PRI_GIDX, from[pick[f]]->first,
                                               from[pick[f]]->last);
        memcpy((double *)view->frame[f].value, load[pick[f]], numbers * sizeof(double));
    }
    MOT_TRY(cut(report, view));
done:
    return status;
}

static mot_status put(report_all *report, report_part *part, int r, int l)
{
    mot_status status = MOT_OK;
    MOT_TRY(put_snapshots(report, part, r, l, false));
    MOT_TRY(put_snapshots(report, part, r, l, true));
    MOT_TRY(put_windows(report, part, r, l, false));
    MOT_TRY(put_windows(report, part, r, l, true));
done:
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    return mot_report_each_layer(report, part, mot_report_no_classes, put);
}

const report_part_kind mot_report_part_classes = {
    .id = "classes",
    .title = "Classes and groups by expert",
    .definition = "How many samples of each class (row) and group went to each expert (column), by the gate's first choice. "
                  "By rows, a cell is the share of the class that the expert has; by columns, the share of the expert's samples "
                  "that are of the class.",
    .denominator = "By rows the samples of the class, by columns the samples of the expert, of the evaluation split or of the "
                   "recorded training steps.",
    .interval = "None: counts of all samples of a fixed set.",
    .make = make,
};

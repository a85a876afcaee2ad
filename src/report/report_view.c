#include <stdarg.h>
#include <stdio.h>

#include "mot/memory.h"
#include "report_private.h"

mot_status mot_report_view(report_all *report, report_part *part, report_kind kind, const char *id, const char *title,
                           int run, int layer, report_view **view)
{
    char of_run[24] = "", of_layer[24] = "";
    const mot_status status = mot_report_take(&report->pool, view, 1, sizeof **view);
    if (status != MOT_OK) return status;
    if (run >= 0 && report->runs > 1) snprintf(of_run, sizeof of_run, "-run%d", run);
    if (layer >= 0 && run >= 0 && report->run[run].layers > 1) snprintf(of_layer, sizeof of_layer, "-layer%d", layer);
    **view = (report_view){.kind = kind, .id = id, .title = title, .run = run, .layer = layer};
    (*view)->csv = mot_report_text(&report->pool, "%s%s%s.csv", id, of_run, of_layer);
    if (part->last == NULL)
        part->first = *view;
    else
        part->last->next = *view;
    part->last = *view;
    return MOT_OK;
}

mot_status mot_report_series(report_all *report, report_view *view, size_t series, size_t count, bool bounds)
{
    double *numbers;
    mot_status status;
    const size_t kinds = bounds ? 3 : 1;
    MOT_TRY(mot_report_take(&report->pool, &view->series, series, sizeof *view->series));
    MOT_TRY(mot_report_take(&report->pool, &numbers, kinds * series * count, sizeof *numbers));
    view->series_count = series;
    for (size_t s = 0; s < series; ++s) {
        report_series *const one = &view->series[s];
        const double *const at = numbers + kinds * s * count;
        *one = (report_series){.count = count, .value = at};
        if (bounds) one->low = at + count, one->high = at + 2 * count;
    }
done:
    return status;
}

mot_status mot_report_frames(report_all *report, report_view *view, size_t frames, size_t count)
{
    double *numbers;
    mot_status status;
    MOT_TRY(mot_report_take(&report->pool, &view->frame, frames, sizeof *view->frame));
    MOT_TRY(mot_report_take(&report->pool, &numbers, frames * count, sizeof *numbers));
    view->frames = frames;
    for (size_t f = 0; f < frames; ++f) view->frame[f].value = numbers + f * count;
done:
    return status;
}

mot_status mot_report_numbers(report_all *report, size_t count, const char *const **names)
{
    const char **made;
    const mot_status status = mot_report_take(&report->pool, &made, count, sizeof *made);
    if (status != MOT_OK) return status;
    for (size_t i = 0; i < count; ++i) made[i] = mot_report_text(&report->pool, "%zu", i);
    *names = made;
    return MOT_OK;
}

size_t mot_report_frame_room(const report_all *report, size_t numbers)
{
    enum { VIEW_NUMBERS = 120000 };
    size_t layers = 0;
    for (size_t r = 0; r < report->runs; ++r) layers += (size_t)report->run[r].layers;
    return MOT_MAX(2, VIEW_NUMBERS / MOT_MAX(layers, 1) / MOT_MAX(numbers, 1));
}

size_t mot_report_pick(size_t count, size_t most, size_t *pick)
{
    const size_t picked = MOT_MIN(count, most);
    for (size_t i = 0; i < picked; ++i) pick[i] = picked == 1 ? count - 1 : i * (count - 1) / (picked - 1);
    return picked;
}

void mot_report_lacks(report_all *report, report_part *part, const report_run *run, const char *format, ...)
{
    char sentence[MOT_SENTENCE];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    part->missing = mot_report_text(&report->pool, "%s%s%s%s%s", part->missing != NULL ? part->missing : "",
                                    part->missing != NULL ? "\n" : "", report->runs > 1 && run != NULL ? run->name : "",
                                    report->runs > 1 && run != NULL ? ": " : "", sentence);
}

const char *mot_report_no_classes(report_all *report, const report_run *run)
{
    if (run->spread != NULL) return mot_report_text(&report->pool, "There is no table of classes by expert: %s.", run->spread);
    if (run->classes == 0 && run->groups == 0 && run->layers > 0) return "The data have neither classes nor groups.";
    return mot_report_text(&report->pool, "The record has no evaluation: `mot train %s/config.yaml eval.every=100` makes them.",
                           run->name);
}

const char *mot_report_no_loads(report_all *report, const report_run *run)
{
    if (run->spread != NULL) return mot_report_text(&report->pool, "There are no loads: %s.", run->spread);
    return "The run has no record yet: it is written before each checkpoint (checkpoint.every).";
}

const char *mot_report_no_routes(report_all *report, const report_run *run)
{
    if (run->spread != NULL) return mot_report_text(&report->pool, "No sample has an expert of its own: %s.", run->spread);
    for (int l = 0; l < run->layers; ++l)
        if (run->layer[l].routes_count > 0) return NULL;
    return mot_report_text(&report->pool,
                           "The record has no choices of evaluations: `mot train %s/config.yaml record.eval=true eval.every=100` "
                           "records them.",
                           run->name);
}

mot_status mot_report_warn(report_all *report, const char *format, ...)
{
    char sentence[MOT_SENTENCE];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    const mot_status status =
        mot_reserve(&report->warning, &report->warning_room, report->warnings + 1, sizeof *report->warning, "a report");
    if (status == MOT_OK) report->warning[report->warnings++] = mot_report_text(&report->pool, "%s", sentence);
    return status;
}

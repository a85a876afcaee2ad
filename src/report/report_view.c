#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void mot_report_over_steps(const report_run *run, const char *label, report_view *view)
{
    view->x = (report_axis){.label = "step", .count = run->bins, .values = run->bin_step};
    view->y = (report_axis){.label = label};
    view->marks = run->marks;
    view->mark = run->mark;
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

static int descending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The first `most` rows of at least that weight: those of equal weight are taken as they come. */
static size_t choose_rows(size_t count, const double *weight, double least, size_t most, size_t *pick)
{
    size_t above = 0, picked = 0;
    for (size_t i = 0; i < count; ++i) above += weight[i] > least;
    for (size_t i = 0, equal = most - above; i < count; ++i) {
        if (weight[i] < least || (weight[i] == least && equal == 0)) continue;
        equal -= weight[i] == least;
        pick[picked++] = i;
    }
    return picked;
}

mot_status mot_report_cut_rows(report_all *report, report_view *view, const double *weight)
{
    enum { MOST_CELLS = 60000 };
    const size_t rows = view->y.count, columns = view->x.count, most = MOT_MAX(1, MOST_CELLS / columns);
    double *sorted = NULL;
    size_t *pick = NULL;
    const char **names;
    mot_status status = MOT_OK;
    if (rows <= most) return MOT_OK;
    MOT_TRY(mot_allocate(&sorted, rows, sizeof *sorted, "rows of a table"));
    MOT_TRY(mot_allocate(&pick, rows, sizeof *pick, "rows of a table"));
    memcpy(sorted, weight, rows * sizeof *sorted);
    qsort(sorted, rows, sizeof *sorted, descending);
    const size_t kept = choose_rows(rows, weight, sorted[most - 1], most, pick);
    MOT_TRY(mot_report_take(&report->pool, &names, kept, sizeof *names));
    for (size_t i = 0; i < kept; ++i) names[i] = view->y.names[pick[i]];
    for (size_t f = 0; f < view->frames; ++f)
        for (size_t i = 0; i < kept; ++i)
            memmove((double *)view->frame[f].value + i * columns, view->frame[f].value + pick[i] * columns, columns * sizeof(double));
    view->y.names = names;
    view->y.count = kept;
    view->note = mot_report_text(&report->pool, "%s%sThe %zu of %zu rows with most samples.", view->note != NULL ? view->note : "",
                                 view->note != NULL ? " " : "", kept, rows);
done:
    mot_free(sorted);
    mot_free(pick);
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

const char *mot_report_again(report_all *report, const report_run *run, const char *settings)
{
    const mot_gidx every = run->last > 0 ? MOT_MAX(run->last / 8, 1) : 100;
    return mot_report_text(&report->pool, "`mot train %s/config.yaml run=NEW %seval.every=%" MOT_PRI_GIDX "` trains it again", run->name,
                           settings, every);
}

const char *mot_report_no_classes(report_all *report, const report_run *run)
{
    if (run->spread != NULL) return mot_report_text(&report->pool, "There is no table of classes by expert: %s.", run->spread);
    if (run->classes == 0 && run->groups == 0 && run->layers > 0) return "The data have neither classes nor groups.";
    return mot_report_text(&report->pool, "The record has no evaluation: %s, and has them.", mot_report_again(report, run, ""));
}

const char *mot_report_no_loads(report_all *report, const report_run *run)
{
    if (run->spread != NULL) return mot_report_text(&report->pool, "There are no loads: %s.", run->spread);
    if (run->last > 0) return NULL;
    return "The run has no record yet: it is written before each checkpoint (checkpoint.every).";
}

const char *mot_report_no_routes(report_all *report, const report_run *run)
{
    if (run->spread != NULL) return mot_report_text(&report->pool, "No sample has an expert of its own: %s.", run->spread);
    for (int l = 0; l < run->layers; ++l)
        if (run->layer[l].routes_count > 0) return NULL;
    return mot_report_text(&report->pool, "The record has no choices of evaluations: %s, and records them.",
                           mot_report_again(report, run, "record.eval=true "));
}

mot_status mot_report_each_layer(report_all *report, report_part *part, report_obstacle *why, report_layer_part *make)
{
    mot_status status = MOT_OK;
    for (int r = 0; r < (int)report->runs; ++r) {
        const report_run *const run = &report->run[r];
        const report_view *const before = part->last;
        const char *const said = part->missing;
        for (int l = 0; l < run->layers && run->spread == NULL; ++l) MOT_TRY(make(report, part, r, l));
        const char *const reason = part->last == before && part->missing == said ? why(report, run) : NULL;
        if (reason != NULL) mot_report_lacks(report, part, run, "%s", reason);
    }
done:
    return status;
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

/* A folder of figures: of every view its numbers, and a picture of what gnuplot can draw. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mot/atomic_file.h"
#include "mot/figure.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "report_private.h"

enum { WIDTH = 360 }; /* of a column of a journal */

/* "load-max-run0.csv" with another ending, such as "-attention.csv", in the folder. */
static mot_status file_of(char path[MOT_PATH], const char *folder, const report_view *view, const char *ending)
{
    char name[256];
    snprintf(name, sizeof name, "%.*s%s", (int)(strlen(view->csv) - strlen(".csv")), view->csv, ending);
    return mot_path_join(path, MOT_PATH, folder, name);
}

static mot_status draw_as(const report_view *view, const mot_figure *figure, const char *folder, const char *const endings[2])
{
    char path[MOT_PATH];
    mot_status status = MOT_OK;
    for (size_t i = 0; i < 2; ++i) {
        MOT_TRY(file_of(path, folder, view, endings[i]));
        MOT_TRY(mot_figure_write(figure, path));
    }
done:
    return status;
}

static mot_status draw(const report_view *view, const mot_panel *panel, int height, const char *folder)
{
    mot_panel alone = *panel; /* its title stands over the whole figure: beside long names of rows it would be cut */
    const mot_figure figure = {.title = panel->title, .width = WIDTH, .height = height, .panels = &alone, .panel_count = 1, .print = true};
    alone.title = NULL;
    return draw_as(view, &figure, folder, (const char *const[]){".svg", ".pdf"});
}

/* Rows of counts as shares of each row. */
static void by_rows(size_t rows, size_t columns, const double *count, double *share)
{
    for (size_t r = 0; r < rows; ++r) {
        double all = 0;
        for (size_t c = 0; c < columns; ++c) all += count[r * columns + c];
        for (size_t c = 0; c < columns; ++c) share[r * columns + c] = all > 0 ? count[r * columns + c] / all : NAN;
    }
}

static mot_status draw_cells(const report_view *view, const report_axis *y, const double *value, bool counts,
                             const char *title, const char *folder)
{
    const size_t rows = y->count, columns = view->x.count;
    double *share = NULL, limit = 0;
    mot_status status;
    MOT_TRY(mot_allocate(&share, rows * columns, sizeof *share, "a figure"));
    if (counts) by_rows(rows, columns, value, share);
    for (size_t i = 0; i < rows * columns && !view->diverging; ++i)
        if (isfinite(value[i])) limit = fmax(limit, value[i]);
    const mot_panel panel = {.kind = MOT_PANEL_HEAT,
                             .title = title,
                             .x = {.label = view->x.label},
                             .y = {.label = y->label},
                             .heat = {.rows = rows,
                                      .columns = columns,
                                      .row_labels = y->names,
                                      .column_labels = view->x.names,
                                      .value = counts ? share : value,
                                      .diverging = view->diverging,
                                      .limit = counts ? 1 : limit,
                                      .label = counts ? "share of the row" : view->unit}};
    status = draw(view, &panel, (int)MOT_MIN(220 + 14 * rows, 900), folder);
done:
    mot_free(share);
    return status;
}

static mot_status draw_heat(const report_view *view, const char *folder)
{
    const report_frame *last = &view->frame[view->frames - 1];
    char title[512];
    snprintf(title, sizeof title, "%.300s, %.150s", view->title, last->label);
    return draw_cells(view, &view->y, last->value, view->modes, title, folder);
}

/* Between the first and the last snapshot. */
static mot_status draw_flow(const report_view *view, const char *folder)
{
    char title[512];
    if (view->frames < 2) return MOT_OK;
    const report_frame *first = &view->frame[0], *last = &view->frame[view->frames - 1];
    const report_axis from = {.label = "from expert", .count = view->x.count, .names = view->x.names};
    snprintf(title, sizeof title, "%.200s, %.100s to %.100s", view->title, first->label, last->label);
    return draw_cells(view, &from, view->flow[view->frames - 1], true, title, folder);
}

static mot_axis axis_of(const report_axis *axis)
{
    return (mot_axis){.label = axis->label, .low = axis->low, .high = axis->high, .log = axis->log ? 10 : 0};
}

/* Lines and clouds of points; of more than a panel has room for, the first. */
static mot_status draw_lines(const report_view *view, const char *folder)
{
    static const double ends[] = {0, 1};
    mot_series series[MOT_FIGURE_SERIES];
    mot_mark marks[64];
    const size_t room = MOT_FIGURE_SERIES - view->diagonal, count = MOT_MIN(view->series_count, room);
    size_t used = count;
    for (size_t s = 0; s < count; ++s) {
        const report_series *one = &view->series[s];
        series[s] = (mot_series){.label = view->series_count > 1 ? one->name : NULL, .count = one->count, .x = one->x != NULL ? one->x : view->x.values,
                                 .y = one->value, .lower = one->low, .upper = one->high, .dashed = one->dashed,
                                 .style = one->x != NULL ? MOT_SERIES_POINTS : one->count > 40 ? MOT_SERIES_LINE : MOT_SERIES_LINE_POINTS};
    }
    if (view->diagonal) series[used++] = (mot_series){.count = 2, .x = ends, .y = ends, .dashed = true, .color = MOT_FIGURE_COLORS};
    const size_t marked = MOT_MIN(view->marks, MOT_COUNT(marks));
    for (size_t m = 0; m < marked; ++m) marks[m] = (mot_mark){view->mark[m].x, view->mark[m].label};
    const mot_panel panel = {.kind = MOT_PANEL_LINES, .title = view->title, .x = axis_of(&view->x), .y = axis_of(&view->y),
                             .series = series, .series_count = used, .marks = marks, .mark_count = marked};
    return draw(view, &panel, 220 + 18 * (int)count, folder);
}

static mot_status draw_bars(const report_view *view, const char *folder)
{
    const size_t groups = view->x.count, series = MOT_MIN(view->series_count, MOT_FIGURE_SERIES);
    const char *names[MOT_FIGURE_SERIES];
    double *value = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&value, 3 * groups * series, sizeof *value, "a figure"));
    double *const low = value + groups * series, *const high = low + groups * series;
    const bool bounds = view->series[0].low != NULL;
    for (size_t s = 0; s < series; ++s) {
        names[s] = view->series[s].name;
        for (size_t g = 0; g < groups; ++g) {
            value[g * series + s] = view->series[s].value[g];
            low[g * series + s] = bounds ? view->series[s].low[g] : NAN;
            high[g * series + s] = bounds ? view->series[s].high[g] : NAN;
        }
    }
    const mot_panel panel = {.kind = MOT_PANEL_BARS, .title = view->title, .x = axis_of(&view->x), .y = axis_of(&view->y),
                             .bars = {.groups = groups, .series = series, .group_labels = view->x.names,
                                      .series_labels = series > 1 ? names : NULL, .value = value,
                                      .lower = bounds ? low : NULL, .upper = bounds ? high : NULL}};
    status = draw(view, &panel, 270, folder);
done:
    mot_free(value);
    return status;
}

/* Of an item, the mean over blocks and heads of what each patch receives; returns the largest. */
static double average_look(const report_view *view, const report_look *look, double *share)
{
    const report_looks *looks = &view->looks;
    const size_t maps = looks->blocks * looks->heads;
    double most = 0;
    for (size_t j = 0; j < looks->grid_rows * looks->grid_columns; ++j) {
        share[j] = 0;
        for (size_t m = 0; m < maps; ++m) share[j] += look->received[m * look->rows + j + looks->class_token] / (double)maps;
        most = fmax(most, share[j]);
    }
    return most;
}

/* A panel for the first item of each expert, all with the same colours. */
static mot_status draw_looks(const report_view *view, const char *folder)
{
    enum { MOST = 12, COLUMNS = 2 };
    const size_t patches = view->looks.grid_rows * view->looks.grid_columns;
    mot_panel panel[MOST];
    char title[MOST][64];
    double *value = NULL, limit = 0;
    size_t panels = 0;
    mot_status status;
    MOT_TRY(mot_allocate(&value, MOST * patches, sizeof *value, "a figure"));
    for (size_t i = 0, of = SIZE_MAX; i < view->items && panels < MOST; ++i) {
        const report_item *item = &view->item[i];
        double *const share = value + panels * patches;
        if (item->look.rows == 0 || item->of == of) continue;
        of = item->of;
        limit = fmax(limit, average_look(view, &item->look, share));
        snprintf(title[panels], sizeof title[panels], "expert %.8s, #%" MOT_PRI_GIDX, view->x.names[of], item->sample);
        panel[panels] = (mot_panel){.kind = MOT_PANEL_HEAT, .title = title[panels],
                                    .heat = {.rows = view->looks.grid_rows, .columns = view->looks.grid_columns, .value = share, .digits = -1, .label = "share"}};
        ++panels;
    }
    for (size_t i = 0; i < panels; ++i) panel[i].heat.limit = limit;
    const size_t columns = MOT_MIN((size_t)COLUMNS, panels), rows = (panels + columns - 1) / columns;
    const mot_figure figure = {.width = WIDTH, .height = (int)(170 * rows), .columns = (int)columns, .panels = panel, .panel_count = panels, .print = true};
    status = draw_as(view, &figure, folder, (const char *const[]){"-attention.svg", "-attention.pdf"});
done:
    mot_free(value);
    return status;
}

static mot_status write_table(const report_view *view, const char *folder, const char *ending,
                              mot_status (*csv)(const report_view *view, char **text, size_t *length))
{
    char path[MOT_PATH], *text = NULL;
    size_t length;
    mot_status status;
    MOT_TRY(file_of(path, folder, view, ending));
    MOT_TRY(csv(view, &text, &length));
    MOT_TRY(mot_file_replace(path, text, length));
done:
    free(text);
    return status;
}

static mot_status write_view(const report_view *view, const char *folder, bool pictures)
{
    static mot_status (*const draw_kind[REPORT_KINDS])(const report_view *view, const char *folder) = {
        [REPORT_HEAT] = draw_heat, [REPORT_LINES] = draw_lines, [REPORT_BARS] = draw_bars,
        [REPORT_SCATTER] = draw_lines, [REPORT_FLOW] = draw_flow,
    };
    mot_status status;
    MOT_TRY(write_table(view, folder, ".csv", mot_report_csv));
    if (pictures && draw_kind[view->kind] != NULL) MOT_TRY(draw_kind[view->kind](view, folder));
    if (view->looks.all_blocks == 0) goto done;
    MOT_TRY(write_table(view, folder, "-attention.csv", mot_report_csv_of_looks));
    if (pictures && view->looks.grid_rows > 0) MOT_TRY(draw_looks(view, folder));
done:
    return status;
}

mot_status mot_report_figures(const report_all *report, const char *folder)
{
    const bool pictures = mot_figure_available();
    mot_status status;
    if (!pictures)
        mot_log(MOT_LOG_WARNING, "no gnuplot (Debian's package gnuplot-nox): %s gets numbers (CSV) and no pictures", folder);
    MOT_TRY(mot_folder_make(folder));
    for (size_t p = 0; p < report->parts; ++p)
        for (const report_view *view = report->part[p].first; view != NULL; view = view->next)
            MOT_TRY(write_view(view, folder, pictures));
done:
    return status;
}

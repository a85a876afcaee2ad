#include <math.h>

#include "figure_private.h"

static bool has_point(const mot_panel *panel, const mot_series *s, size_t i)
{
    return mot_figure_shows(&panel->x, s->x[i]) && mot_figure_shows(&panel->y, s->y[i]);
}

static bool has_band(const mot_panel *panel, const mot_series *s, size_t i)
{
    return s->lower != NULL && mot_figure_shows(&panel->x, s->x[i]) && mot_figure_shows(&panel->y, s->lower[i]) &&
           mot_figure_shows(&panel->y, s->upper[i]);
}

static void find_ranges(const mot_panel *panel, figure_range *x, figure_range *y)
{
    *x = *y = mot_figure_range_empty();
    for (size_t k = 0; k < panel->series_count; ++k) {
        const mot_series *s = &panel->series[k];
        for (size_t i = 0; i < s->count; ++i) {
            const bool point = has_point(panel, s, i), band = has_band(panel, s, i);
            if (point || band) mot_figure_extend(x, &panel->x, s->x[i]);
            if (point) mot_figure_extend(y, &panel->y, s->y[i]);
            if (band) mot_figure_extend(y, &panel->y, s->lower[i]), mot_figure_extend(y, &panel->y, s->upper[i]);
        }
    }
    for (size_t i = 0; i < panel->level_count; ++i) mot_figure_extend(y, &panel->y, panel->levels[i].at);
    *x = mot_figure_range_settle(*x, &panel->x, 0.03);
    *y = mot_figure_range_settle(*y, &panel->y, 0.05);
}

/* A blank line is a gap; two would end the data, and none at all is an error. */
static void write_data(const figure_pen *pen, size_t index, bool band)
{
    const mot_series *s = &pen->panel->series[index];
    bool open = false, any = false;
    fprintf(pen->script, "$%s%zu << EOD\n", band ? "band" : "line", index);
    for (size_t i = 0; i < s->count; ++i) {
        const bool shown = band ? has_band(pen->panel, s, i) : has_point(pen->panel, s, i);
        if (shown && !open && any) fputc('\n', pen->script);
        if (shown && band) fprintf(pen->script, "%.10g %.10g %.10g\n", s->x[i], s->lower[i], s->upper[i]);
        if (shown && !band) fprintf(pen->script, "%.10g %.10g\n", s->x[i], s->y[i]);
        open = shown;
        any = any || shown;
    }
    fputs(any ? "EOD\n" : "NaN NaN NaN\nEOD\n", pen->script);
}

/* A mark's text stands above the panel; where it would run into the one before it, a row higher. */
static int mark_rows(const figure_pen *pen, figure_range x, bool write)
{
    const mot_axis *axis = &pen->panel->x;
    double end[2] = {-HUGE_VAL, -HUGE_VAL};
    int rows = 0;
    for (size_t i = 0; i < pen->panel->mark_count; ++i) {
        const mot_mark *mark = &pen->panel->marks[i];
        if (!mot_figure_shows(axis, mark->at) || mark->at < x.low || mark->at > x.high) continue;
        const double inner = 0.82 * pen->width, width = mot_figure_text_width(mark->text);
        const double share = axis->log != 0 ? log(mark->at / x.low) / log(x.high / x.low)
                                            : (mark->at - x.low) / (x.high - x.low);
        const bool left = share * inner + width <= inner + 20;
        const double begin = share * inner - (left ? 0 : width);
        const int row = begin < end[0] + 8 && begin >= end[1] + 8;
        if (mark->text != NULL) end[row] = begin + width;
        if (mark->text != NULL && row + 1 > rows) rows = row + 1;
        if (!write) continue;
        fprintf(pen->script,
                "set arrow from first %.17g, graph 0 to first %.17g, graph 1 nohead back dt (3,3) lw 1 "
                "lc rgb '" FIGURE_FAINT "'\n",
                mark->at, mark->at);
        if (mark->text == NULL) continue;
        fputs("set label ", pen->script);
        mot_figure_text(pen->script, mark->text);
        fprintf(pen->script,
                " at first %.17g, graph 1 offset 0,%.2f %s font ',10' textcolor rgb '#606060'\n",
                mark->at, 0.5 + 0.85 * row, left ? "left" : "right");
    }
    return rows;
}

static void plot_series(const figure_pen *pen, size_t index, const char *before)
{
    static const int shapes[MOT_FIGURE_SERIES] = {7, 5, 9, 13, 11, 15, 6, 4, 8, 12, 10, 14};
    static const char *const with[] = {"lines", "points", "linespoints"};
    const mot_series *s = &pen->panel->series[index];
    fprintf(pen->script, "%s$line%zu using 1:2 with %s lc rgb '%s'", before, index, with[s->style],
            mot_figure_color(index, s->color));
    if (s->style != MOT_SERIES_POINTS) {
        const bool dashed = s->dashed || (index >= MOT_FIGURE_COLORS && s->color == 0);
        fprintf(pen->script, " lw 1.8 dt %s", dashed ? "(7,4)" : "1");
    }
    if (s->style != MOT_SERIES_LINE) fprintf(pen->script, " pt %d ps 0.6", shapes[index]);
    fputs(s->label == NULL ? " notitle" : " title ", pen->script);
    if (s->label != NULL) mot_figure_text(pen->script, s->label);
}

void mot_figure_lines(const figure_pen *pen)
{
    const mot_panel *panel = pen->panel;
    figure_range x, y;
    find_ranges(panel, &x, &y);
    mot_figure_begin(pen, mark_rows(pen, x, false));
    mot_figure_axis(pen->script, 'x', &panel->x, x);
    mot_figure_axis(pen->script, 'y', &panel->y, y);
    mark_rows(pen, x, true);
    for (size_t i = 0; i < panel->series_count; ++i) {
        write_data(pen, i, false);
        if (panel->series[i].lower != NULL) write_data(pen, i, true);
    }
    const char *before = "plot ";
    for (size_t i = 0; i < panel->series_count; ++i) {
        const mot_series *s = &panel->series[i];
        if (s->lower == NULL) continue;
        fprintf(pen->script,
                "%s$band%zu using 1:2:3 with filledcurves fs transparent solid 0.18 noborder lc rgb '%s' "
                "notitle",
                before, i, mot_figure_color(i, s->color));
        before = ", ";
    }
    for (size_t i = 0; i < panel->series_count; ++i, before = ", ") plot_series(pen, i, before);
    mot_figure_levels(pen);
    fputc('\n', pen->script);
}

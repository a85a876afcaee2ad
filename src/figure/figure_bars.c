#include <math.h>

#include "figure_private.h"

static bool has_error(const mot_panel *panel, size_t i)
{
    const mot_bars *bars = &panel->bars;
    return bars->lower != NULL && mot_figure_shows(&panel->y, bars->value[i]) &&
           mot_figure_shows(&panel->y, bars->lower[i]) && mot_figure_shows(&panel->y, bars->upper[i]);
}

static figure_range find_range(const mot_panel *panel)
{
    const mot_bars *bars = &panel->bars;
    figure_range y = mot_figure_range_empty();
    mot_figure_extend(&y, &panel->y, 0); /* a bar begins at 0; a logarithmic axis ignores it */
    for (size_t i = 0; i < bars->groups * bars->series; ++i) {
        mot_figure_extend(&y, &panel->y, bars->value[i]);
        if (!has_error(panel, i)) continue;
        mot_figure_extend(&y, &panel->y, bars->lower[i]);
        mot_figure_extend(&y, &panel->y, bars->upper[i]);
    }
    for (size_t i = 0; i < panel->level_count; ++i) mot_figure_extend(&y, &panel->y, panel->levels[i].at);
    return mot_figure_range_settle(y, &panel->y, 0.06);
}

static double bar_width(const mot_bars *bars)
{
    return (bars->series == 1 ? 0.6 : 0.8) / (double)bars->series;
}

static double bar_place(const mot_bars *bars, size_t group, size_t series)
{
    return (double)group + bar_width(bars) * ((double)series - 0.5 * (double)(bars->series - 1));
}

/* x, value, left, right, bottom, top of each bar of a series. */
static void write_bars(const figure_pen *pen, size_t series, double base)
{
    const mot_bars *bars = &pen->panel->bars;
    const double half = 0.46 * bar_width(bars);
    bool any = false;
    fprintf(pen->script, "$bar%zu << EOD\n", series);
    for (size_t g = 0; g < bars->groups; ++g) {
        const double value = bars->value[g * bars->series + series], x = bar_place(bars, g, series);
        if (!mot_figure_shows(&pen->panel->y, value)) continue;
        fprintf(pen->script, "%.6f %.10g %.6f %.6f %.10g %.10g\n", x, value, x - half, x + half, base, value);
        any = true;
    }
    fputs(any ? "EOD\n" : "NaN NaN NaN NaN NaN NaN\nEOD\n", pen->script);
}

/* Each error bar as three lines. Gnuplot's own come with a white disc in their middle. */
static void write_errors(const figure_pen *pen, size_t series)
{
    const mot_bars *bars = &pen->panel->bars;
    const double cap = fmin(0.12 * bar_width(bars), 0.04);
    bool any = false;
    fprintf(pen->script, "$error%zu << EOD\n", series);
    for (size_t g = 0; g < bars->groups; ++g) {
        const size_t i = g * bars->series + series;
        if (!has_error(pen->panel, i)) continue;
        const double x = bar_place(bars, g, series), low = bars->lower[i], high = bars->upper[i];
        fprintf(pen->script, "%s%.6f %.10g\n%.6f %.10g\n\n", any ? "\n" : "", x - cap, low, x + cap, low);
        fprintf(pen->script, "%.6f %.10g\n%.6f %.10g\n\n", x, low, x, high);
        fprintf(pen->script, "%.6f %.10g\n%.6f %.10g\n", x - cap, high, x + cap, high);
        any = true;
    }
    fputs(any ? "EOD\n" : "NaN NaN\nEOD\n", pen->script);
}

/* The bars of series `s`, and on them the ends of their spread. */
static void plot_series(const figure_pen *pen, size_t s)
{
    const mot_bars *bars = &pen->panel->bars;
    fprintf(pen->script, "%s$bar%zu using 1:2:3:4:5:6 with boxxyerror fs solid 0.85 noborder lc rgb '%s' ",
            s > 0 ? ", " : "", s, mot_figure_color(s, bars->color != NULL ? bars->color[s] : 0));
    fputs(bars->series_labels == NULL ? "notitle" : "title ", pen->script);
    if (bars->series_labels != NULL) mot_figure_text(pen->script, bars->series_labels[s]);
    if (bars->lower == NULL) return;
    fprintf(pen->script, ", $error%zu using 1:2 with lines lt 1 lw 1.2 lc rgb '" FIGURE_INK "' notitle", s);
}

void mot_figure_bars(const figure_pen *pen)
{
    const mot_panel *panel = pen->panel;
    const mot_bars *bars = &panel->bars;
    const figure_range y = find_range(panel);
    const double base = panel->y.log != 0 ? y.low : fmin(fmax(0, y.low), y.high);
    mot_figure_begin(pen, 0);
    mot_figure_axis(pen->script, 'y', &panel->y, y);
    mot_figure_names(pen, 'x', bars->group_labels, bars->groups);
    fprintf(pen->script, "set grid noxtics\nset xrange [-0.6:%.1f]\n", (double)bars->groups - 0.4);
    if (y.low < 0) fputs("set xzeroaxis lt 1 lw 0.8 lc rgb '#505050'\n", pen->script);
    for (size_t s = 0; s < bars->series; ++s) {
        write_bars(pen, s, base);
        if (bars->lower != NULL) write_errors(pen, s);
    }
    fputs("plot ", pen->script);
    for (size_t s = 0; s < bars->series; ++s) plot_series(pen, s);
    mot_figure_levels(pen);
    fputc('\n', pen->script);
}

#include "mot/figure.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure_private.h"
#include "mot/atomic_file.h"
#include "mot/memory.h"

static mot_status check_axis(const mot_axis *axis)
{
    if (axis->log != 0 && axis->log != 2 && axis->log != 10)
        return mot_fail(MOT_ERR_INPUT, "an axis with logarithms of base %d: 2 or 10", axis->log);
    if (axis->low == 0 && axis->high == 0) return MOT_OK;
    if (axis->low >= axis->high || isinf(axis->low) || isinf(axis->high) ||
        (axis->log != 0 && (axis->low <= 0 || axis->high <= 0)))
        return mot_fail(MOT_ERR_INPUT, "an axis from %g to %g cannot be drawn", axis->low, axis->high);
    return MOT_OK;
}

static mot_status check_color(int color)
{
    if (color >= 0 && color <= MOT_FIGURE_COLORS) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "colour %d outside [0, %d]", color, MOT_FIGURE_COLORS);
}

static mot_status check_lines(const mot_panel *panel)
{
    if (panel->series_count < 1 || panel->series_count > MOT_FIGURE_SERIES)
        return mot_fail(MOT_ERR_INPUT, "a panel of %zu lines: 1 to %d", panel->series_count,
                        MOT_FIGURE_SERIES);
    for (size_t i = 0; i < panel->series_count; ++i) {
        const mot_series *s = &panel->series[i];
        if ((s->lower == NULL) != (s->upper == NULL))
            return mot_fail(MOT_ERR_INPUT, "line %zu of a panel has half a band", i);
        const mot_status status = check_color(s->color);
        if (status != MOT_OK) return status;
    }
    return MOT_OK;
}

static mot_status check_bars(const mot_bars *bars)
{
    if (bars->groups < 1 || bars->series < 1 || bars->series > MOT_FIGURE_SERIES)
        return mot_fail(MOT_ERR_INPUT, "%zu groups of %zu bars: at least one group of 1 to %d", bars->groups,
                        bars->series, MOT_FIGURE_SERIES);
    if ((bars->lower == NULL) != (bars->upper == NULL))
        return mot_fail(MOT_ERR_INPUT, "error bars with one end");
    for (size_t s = 0; bars->color != NULL && s < bars->series; ++s) {
        const mot_status status = check_color(bars->color[s]);
        if (status != MOT_OK) return status;
    }
    return MOT_OK;
}

static mot_status check_panel(const mot_panel *panel)
{
    mot_status status = check_axis(&panel->x);
    if (status == MOT_OK) status = check_axis(&panel->y);
    if (status != MOT_OK) return status;
    switch (panel->kind) {
    case MOT_PANEL_LINES:
        return check_lines(panel);
    case MOT_PANEL_BARS:
        return check_bars(&panel->bars);
    case MOT_PANEL_HEAT:
        if (panel->heat.rows > 0 && panel->heat.columns > 0) return MOT_OK;
        return mot_fail(MOT_ERR_INPUT, "a heat map without cells");
    }
    return mot_fail(MOT_ERR_INPUT, "panel of unknown kind %d", (int)panel->kind);
}

static mot_status check(const mot_figure *figure)
{
    if (figure->panel_count < 1) return mot_fail(MOT_ERR_INPUT, "a figure without a panel");
    if (figure->columns < 0 || figure->width < 0 || figure->height < 0)
        return mot_fail(MOT_ERR_INPUT, "a figure of %d columns and %d x %d pixels", figure->columns,
                        figure->width, figure->height);
    mot_status status = MOT_OK;
    for (size_t i = 0; i < figure->panel_count && status == MOT_OK; ++i)
        status = check_panel(&figure->panels[i]);
    return status;
}

static void write_panel(FILE *script, const mot_panel *panel, double width, double height, bool print)
{
    const figure_pen pen = {script, panel, width, height, print};
    if (panel->kind == MOT_PANEL_LINES) mot_figure_lines(&pen);
    if (panel->kind == MOT_PANEL_BARS) mot_figure_bars(&pen);
    if (panel->kind == MOT_PANEL_HEAT) mot_figure_heat(&pen);
}

/* Its default font is what all texts have, each in a size of its own: no other place names one. */
static void write_terminal(FILE *script, const mot_figure *figure, int width, int height, bool pdf)
{
    const char *font = figure->print ? FIGURE_PRINT_FONT : FIGURE_FONT;
    fputs("set encoding utf8\n", script);
    if (pdf)
        fprintf(script,
                "set terminal pdfcairo size %.4fin,%.4fin noenhanced font '%s,11' fontscale %.3f linewidth %.3f "
                "background '#ffffff'\n",
                width / FIGURE_PIXELS_AN_INCH, height / FIGURE_PIXELS_AN_INCH, font, 72 / FIGURE_PIXELS_AN_INCH,
                72 / FIGURE_PIXELS_AN_INCH);
    else
        fprintf(script,
                "set terminal svg size %d,%d fixed noenhanced font '%s,11' background '#ffffff' name 'figure'\n", width, height,
                font);
}

static void write_script(FILE *script, const mot_figure *figure, bool pdf)
{
    const size_t columns = figure->columns > 0 ? (size_t)figure->columns : figure->panel_count;
    const size_t rows = (figure->panel_count + columns - 1) / columns;
    const int width = figure->width > 0 ? figure->width : figure->panel_count == 1 ? 600 : 900;
    const int height = figure->height > 0 ? figure->height : 340 * (int)rows;
    write_terminal(script, figure, width, height, pdf);
    fprintf(script, "set multiplot layout %zu,%zu rowsfirst", rows, columns);
    if (figure->title != NULL) {
        fputs(" title ", script);
        mot_figure_text(script, figure->title);
        fputs(" font ',13'", script);
    }
    fputc('\n', script);
    for (size_t i = 0; i < figure->panel_count; ++i)
        write_panel(script, &figure->panels[i], (double)width / (double)columns,
                    (double)height / (double)rows, figure->print);
    fputs("unset multiplot\n", script);
}

bool mot_figure_available(void)
{
    return mot_figure_gnuplot("", 0, "anything", "", NULL, NULL) == MOT_OK;
}

mot_status mot_figure_write(const mot_figure *figure, const char *path)
{
    char *text = NULL, *drawn = NULL;
    size_t length, count;
    const char *const dot = strrchr(path, '.');
    const bool pdf = dot != NULL && strcmp(dot, ".pdf") == 0;
    mot_status status;
    MOT_TRY(check(figure));
    FILE *script = open_memstream(&text, &length);
    if (script == NULL) {
        status = mot_fail(MOT_ERR_MEMORY, "no memory for a figure: %s", strerror(errno));
        goto done;
    }
    write_script(script, figure, pdf);
    const bool failed = ferror(script);
    if (fclose(script) != 0 || failed) {
        status = mot_fail(MOT_ERR_MEMORY, "no memory for a figure's script");
        goto done;
    }
    MOT_TRY(mot_figure_gnuplot(text, length, path, pdf ? "%%EOF" : "</svg>", &drawn, &count));
    MOT_TRY(mot_file_replace(path, drawn, count));
done:
    free(text);
    mot_free(drawn);
    return status;
}

#include <math.h>
#include <stdlib.h>

#include "figure_private.h"
#include "mot/types.h"

static double find_limit(const mot_heat *heat)
{
    if (heat->limit > 0) return heat->limit;
    if (!heat->diverging) return 1;
    double limit = 0;
    for (size_t i = 0; i < heat->rows * heat->columns; ++i)
        if (isfinite(heat->value[i])) limit = fmax(limit, fabs(heat->value[i]));
    return limit > 0 ? limit : 1;
}

/* ColorBrewer's RdBu and Blues: both can be told apart by colour-blind readers and on a grey print. */
static void write_scale(FILE *script, const mot_heat *heat, double limit)
{
    fputs(heat->diverging
              ? "set palette defined (0 '#2166ac', 1 '#67a9cf', 2 '#d1e5f0', 3 '#f9f9f9', 4 '#fddbc7', "
                "5 '#ef8a62', 6 '#b2182b')\n"
              : "set palette defined (0 '#f7fbff', 1 '#c6dbef', 2 '#6baed6', 3 '#2171b5', 4 '#08306b')\n",
          script);
    fprintf(script, "set cbrange [%.17g:%.17g]\nset cbtics scale 0.3\nset colorbox noborder\n",
            heat->diverging ? -limit : 0, limit);
    if (heat->label == NULL) return;
    fputs("set cblabel ", script);
    mot_figure_text(script, heat->label);
    fputs(" textcolor rgb '" FIGURE_INK "'\n", script);
}

/* The cells with a value, or those without one. Few cells stand apart; many overlap by a hair, or the viewer's
 * smoothing would draw a net between them. */
static size_t write_cells(FILE *script, const mot_heat *heat, bool empty)
{
    const double half = heat->rows * heat->columns <= FIGURE_CELL_LIMIT ? 0.49 : 0.503;
    size_t shown = 0;
    fprintf(script, "$%s << EOD\n", empty ? "empty" : "cell");
    for (size_t i = 0; i < heat->rows * heat->columns; ++i) {
        const double value = heat->value[i], x = (double)(i % heat->columns), y = (double)(i / heat->columns);
        if (isfinite(value) == empty) continue;
        fprintf(script, "%g %g %.3f %.3f %.3f %.3f %.10g\n", x, y, x - half, x + half, y - half, y + half,
                empty ? 0 : value);
        ++shown;
    }
    fputs(shown > 0 ? "EOD\n" : "NaN NaN NaN NaN NaN NaN NaN\nEOD\n", script);
    return shown;
}

/* Dark cells have white numbers. Returns the length of the longest number. */
static int write_numbers(FILE *script, const mot_heat *heat, double limit)
{
    int longest = 1;
    fputs("$number << EOD\n", script);
    for (size_t i = 0; i < heat->rows * heat->columns; ++i) {
        const double value = heat->value[i];
        if (!isfinite(value)) continue;
        char text[400];
        int length = snprintf(text, sizeof text, "%.*f", heat->digits > 0 ? MOT_MIN(heat->digits, 12) : 2,
                              value);
        const bool minus_zero = text[0] == '-' && strtod(text, NULL) == 0;
        length -= minus_zero;
        longest = MOT_MAX(longest, length);
        const bool dark = fabs(value) / limit > (heat->diverging ? 0.7 : 0.55);
        fprintf(script, "%zu %zu \"%s\" %s\n", i % heat->columns, i / heat->columns, text + minus_zero,
                dark ? "0xffffff" : "0x303030");
    }
    fputs("EOD\n", script);
    return longest;
}

/* The width of all cells: in print, where numbers that have no room are left out, what names of rows leave. */
static double room_of_cells(const figure_pen *pen)
{
    enum { SCALES = 130 }; /* the label of the axis; the colours with their numbers and label */
    const mot_heat *heat = &pen->panel->heat;
    double longest = 0;
    for (size_t r = 0; r < heat->rows && pen->print && heat->row_labels != NULL; ++r)
        longest = fmax(longest, mot_figure_text_width(heat->row_labels[r]));
    return fmin(0.68 * pen->width, pen->print ? pen->width - SCALES - longest : pen->width);
}

void mot_figure_heat(const figure_pen *pen)
{
    const mot_heat *heat = &pen->panel->heat;
    const double limit = find_limit(heat);
    FILE *script = pen->script;
    mot_figure_begin(pen, 0);
    write_scale(script, heat, limit);
    fprintf(script, "unset key\nset grid noxtics noytics\nset border 15 lw 0.5 lc rgb '#c8c8c8'\n");
    fprintf(script, "set xrange [-0.5:%zu.5]\nset yrange [%zu.5:-0.5]\n", heat->columns - 1, heat->rows - 1);
    mot_figure_names(pen, 'x', heat->column_labels, heat->columns);
    mot_figure_names(pen, 'y', heat->row_labels, heat->rows);
    const size_t shown = write_cells(script, heat, false), empty = write_cells(script, heat, true);
    bool numbers = shown > 0 && heat->digits >= 0 && heat->rows * heat->columns <= FIGURE_CELL_LIMIT;
    const int longest = numbers ? write_numbers(script, heat, limit) : 1;
    const double fits = room_of_cells(pen) / (double)heat->columns / (0.64 * longest);
    if (pen->print && fits < 10) numbers = false;
    fputs("plot $cell using 1:2:3:4:5:6:7 with boxxyerror fs solid noborder fc palette notitle", script);
    if (empty > 0)
        fputs(", $empty using 1:2:3:4:5:6 with boxxyerror fs solid noborder lc rgb '#dcdcdc' notitle",
              script);
    if (numbers)
        fprintf(script, ", $number using 1:2:3:4 with labels textcolor rgb variable font ',%.1f' notitle",
                fmin(fmax(fits, 6), 10));
    fputc('\n', script);
}

/* figure_private.h: the files of mot_figure_write. They write commands of gnuplot into a stream in memory, whose
 * errors are looked at once, at its end.
 *
 *      figure.c          checks, and puts the panels together
 *      figure_axes.c     text, ranges, ticks and the looks that panels share
 *      figure_lines.c, figure_bars.c, figure_heat.c      one kind of panel each
 *      figure_gnuplot.c  the program itself */
#ifndef MOT_FIGURE_PRIVATE_H
#define MOT_FIGURE_PRIVATE_H

#include <stdio.h>

#include "mot/figure.h"

#define FIGURE_FONT       "sans-serif"
#define FIGURE_PRINT_FONT "Arial" /* of the likes of Helvetica, which journals ask for */
#define FIGURE_PIXELS_AN_INCH 102.857 /* of a PDF: a size of 10 is 7 pt, the least that journals take */
#define FIGURE_INK        "#303030" /* text */
#define FIGURE_FAINT      "#808080" /* marks and levels */
#define FIGURE_CHARACTER  6.4       /* pixels, the mean width of a character at 11 */
#define FIGURE_CELL_LIMIT 150       /* cells of a heat map that show their numbers */

typedef struct figure_range {
    double low, high;
} figure_range;

/* One panel being written, of about `width` by `height` pixels. */
typedef struct figure_pen {
    FILE *script;
    const mot_panel *panel;
    double width, height;
    bool print; /* no text below a size of 10 */
} figure_pen;

/* `text` as a string of gnuplot, in which nothing has a meaning; NULL is empty. */
void mot_figure_text(FILE *script, const char *text);
double mot_figure_text_width(const char *text);

/* The colour "#rrggbb" of what stands at place `index` or wishes `color` (mot_series). */
const char *mot_figure_color(size_t index, int color);

/* A range is empty, {inf, -inf}, until it is extended; what an axis cannot show does not extend it. */
figure_range mot_figure_range_empty(void);
bool mot_figure_shows(const mot_axis *axis, double value);
void mot_figure_extend(figure_range *range, const mot_axis *axis, double value);
figure_range mot_figure_range_settle(figure_range data, const mot_axis *axis, double margin);

/* Title, frame, grid and key: what every panel begins with. `rows` of marks' texts stand below the title. */
void mot_figure_begin(const figure_pen *pen, int rows);
/* Range, scale and ticks of the axis 'x' or 'y'. */
void mot_figure_axis(FILE *script, char name, const mot_axis *axis, figure_range range);
/* ", level title '...'" for every level, behind a plot command. */
void mot_figure_levels(const figure_pen *pen);
/* Labels of `count` groups, rows or columns at 0, 1, ... of an axis; NULL: their numbers. Long ones
 * lean on x; where they are too many, some are left out. */
void mot_figure_names(const figure_pen *pen, char axis, const char *const *labels, size_t count);

void mot_figure_lines(const figure_pen *pen);
void mot_figure_bars(const figure_pen *pen);
void mot_figure_heat(const figure_pen *pen);

/* Runs gnuplot on the script; *drawn (the caller's, mot_free) and *count get what it drew, which is whole when it ends with `end`.
 * NULL `drawn`: only asks whether it runs. `path` is named in the sentence of a failure. */
mot_status mot_figure_gnuplot(const char *script, size_t length, const char *path, const char *end, char **drawn,
                              size_t *count);

#endif

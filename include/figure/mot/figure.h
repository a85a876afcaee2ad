/* figure.h: draws a picture from plain data, as a paper would print it.
 *
 *      mot_series lines[] = {{.label = "gate", .count = n, .x = steps, .y = loss, .lower = low, .upper = high}};
 *      mot_panel panel = {.kind = MOT_PANEL_LINES, .title = "Loss", .x = {.label = "step"},
 *                         .series = lines, .series_count = 1};
 *      mot_figure figure = {.panels = &panel, .panel_count = 1};
 *      MOT_TRY(mot_figure_write(&figure, "loss.svg"));
 *
 * A figure is one or more panels in a grid; each draws lines, bars or a heat map. What is left 0 or NULL has a sensible
 * default. Pictures are SVG or PDF on white with the colours of Okabe and Ito (2008), which colour-blind readers can tell
 * apart, drawn by the program gnuplot (5.4 or later), which need not be there: mot_figure_available() asks.
 *
 * All text is UTF-8 and is shown as it stands, whatever characters it has (control characters become spaces); names of
 * groups, rows and columns are cut to 48 bytes. All arrays belong to the caller and are only read. Not collective: the
 * root draws, once all computing is done. */
#ifndef MOT_FIGURE_H
#define MOT_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "mot/status.h"

#define MOT_FIGURE_SERIES 12 /* lines of a panel, or bars of a group, at most */
#define MOT_FIGURE_COLORS 8  /* blue, vermilion, green, purple, orange, sky, black, grey */

typedef struct mot_axis {
    const char *label;
    double low, high; /* the range; both 0: what the data takes, with a margin; NaN: so for this end alone */
    int log;          /* base of the logarithm, 2 or 10; 0: linear. What is not positive is not drawn. */
    const double *ticks; /* [tick_count] where numbers stand; NULL: round places */
    size_t tick_count;
} mot_axis;

/* A thin dashed line across a panel, with a text or NULL. */
typedef struct mot_mark {
    double at;
    const char *text;
} mot_mark;

typedef enum mot_series_style { MOT_SERIES_LINE, MOT_SERIES_POINTS, MOT_SERIES_LINE_POINTS } mot_series_style;

typedef struct mot_series {
    const char *label; /* in the key; NULL: not in the key */
    size_t count;
    const double *x, *y;         /* [count]; a point with NaN is a gap in the line */
    const double *lower, *upper; /* [count] the band around it (the spread over seeds); both NULL: none */
    mot_series_style style;
    bool dashed;
    int color; /* 1 to MOT_FIGURE_COLORS, so that one thing keeps its colour over figures; 0: by its place */
} mot_series;

/* Groups of bars side by side: group g holds one bar of each series. */
typedef struct mot_bars {
    size_t groups, series;
    const char *const *group_labels;  /* [groups] under the axis */
    const char *const *series_labels; /* [series] in the key; NULL: no key */
    const double *value;              /* [groups, series]; NaN: no bar */
    const double *lower, *upper;      /* [groups, series] ends of the error bars; both NULL: none */
    const int *color;                 /* [series] as in mot_series; NULL: by place */
} mot_bars;

typedef struct mot_heat {
    size_t rows, columns;
    const char *const *row_labels;    /* [rows], the first at the top; NULL: numbers from 0 */
    const char *const *column_labels; /* [columns]; NULL: numbers from 0 */
    const double *value;              /* [rows, columns]; NaN: a grey cell */
    bool diverging;    /* blue below 0, white at 0, red above; else white to blue from 0 to `limit` */
    double limit;      /* where the colours end; 0: the largest |value| if diverging, else 1 */
    int digits;        /* behind the point of the numbers in the cells (up to 150 cells); 0: two; below 0: none stand there */
    const char *label; /* of the colour scale */
} mot_heat;

typedef enum mot_key { /* where the key of lines or bars stands; a single series without a label has none */
                       MOT_KEY_BELOW,
                       MOT_KEY_RIGHT,    /* beside the panel */
                       MOT_KEY_TOP_LEFT, /* these four: inside */
                       MOT_KEY_TOP_RIGHT,
                       MOT_KEY_BOTTOM_LEFT,
                       MOT_KEY_BOTTOM_RIGHT,
                       MOT_KEY_NONE,
} mot_key;

typedef enum mot_panel_kind { MOT_PANEL_LINES, MOT_PANEL_BARS, MOT_PANEL_HEAT } mot_panel_kind;

typedef struct mot_panel {
    mot_panel_kind kind;
    const char *title;
    mot_axis x, y; /* of the x axis of bars, and both of a heat map, only the label counts */
    mot_key key;
    const mot_series *series; /* LINES: [series_count] */
    size_t series_count;
    const mot_mark *marks; /* LINES: [mark_count] vertical, the text above the panel: where a stage begins */
    size_t mark_count;
    const mot_mark *levels; /* LINES, BARS: [level_count] horizontal, the text in the key: a baseline */
    size_t level_count;
    mot_bars bars; /* BARS */
    mot_heat heat; /* HEAT */
} mot_panel;

typedef struct mot_figure {
    const char *title;       /* above all panels */
    int width, height;       /* pixels; 0: 900 (600 for one panel alone) by 340 a row of panels */
    bool print;              /* for a journal: a font like Helvetica, and no text smaller than 7 pt in a PDF */
    int columns;             /* panels in a row; 0: all in one row */
    const mot_panel *panels; /* [panel_count], row by row */
    size_t panel_count;
} mot_figure;

/* Whether gnuplot can be started. */
bool mot_figure_available(void);

/* Draws `figure` into the file `path`, as SVG or, where it ends with .pdf, as PDF with its fonts embedded (360 pixels are 3.5
 * inches, a column of a journal). It is there complete or not at all (atomic_file.h).
 * MOT_ERR_INPUT for a figure that cannot be drawn (no panel, too many series, a base that is no base); MOT_ERR_FILE
 * when gnuplot is missing or fails, with its own words, and when the file cannot be written; MOT_ERR_MEMORY. */
mot_status mot_figure_write(const mot_figure *figure, const char *path);

#endif

/* theory.h: what the two theories' views of part_theory.c share. */
#ifndef MOT_REPORT_THEORY_H
#define MOT_REPORT_THEORY_H

#include "report_private.h"

/* A run, and the evaluations that are shown of it. */
typedef struct theory_subject {
    report_all *report;
    report_part *part;
    const report_run *run;
    int r;
    size_t rows, count; /* evaluations, and those that lines show */
    size_t pick[REPORT_BINS];
    const double *step; /* [count] */
} theory_subject;

/* ---- theory_view.c ---- */

/* Lines over evaluations, whose values are yet to be put. */
mot_status mot_report_theory_lines(const theory_subject *s, const char *id, const char *title, const char *label, size_t series,
                                   report_view **view);
/* A figure [y, x] as a map around 0, with a frame an evaluation. */
mot_status mot_report_theory_map(const theory_subject *s, report_figure_name figure, const char *id, const char *title, const char *y,
                                 const char *x, const char *unit);

/* ---- theory_teacher.c, theory_mixture.c ---- */

mot_status mot_report_theory_teacher(const theory_subject *s);
mot_status mot_report_theory_mixture(const theory_subject *s);

#endif

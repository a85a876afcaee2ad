/* report.h: what one or several runs have learned, as a page.
 *
 * A report is a list of parts, each of views: heat maps, lines, bars, tables and so on, which are plain data. The page shows
 * them, the JSON has all their numbers, and a folder of figures has each as CSV, and as SVG and PDF where it can be drawn.
 * docs/report.md says what each part is, and from which file it comes. */
#ifndef MOT_REPORT_H
#define MOT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "mot/status.h"

typedef struct mot_report_options {
    size_t runs;
    const char *const *run;            /* [runs]: run folders */
    const char *html, *json, *figures; /* what is written; NULL: not */
    bool force;                        /* in place of files that are there */
} mot_report_options;

/* Reads records, analyses and what else the runs left, and writes what is wanted. A run may be under way. MOT_ERR_INPUT: a folder
 * is no run, or a file is damaged; then nothing is written. What a run does not have is no failure: the part says so. Not
 * collective. */
mot_status mot_report(const mot_report_options *options);

#endif

/* template.h - the page of `mot report` before it has data: one HTML file made of page/ and a chart library when mot is built
 * (page.cmake).
 *
 * It asks nothing of any network and runs no script but its own, which its policy names by their hashes. Where @DATA@ stands,
 * once, its data are to stand: an object in JSON, in which `<` is written \u003c. Page and hashes stay as they are whatever the
 * data say. page/page.js is the reader of the data, docs/report.md describes them. */
#ifndef MOT_REPORT_TEMPLATE_H
#define MOT_REPORT_TEMPLATE_H

#include <stddef.h>

#define MOT_REPORT_DATA "@DATA@"

extern const char mot_report_template[]; /* ends with a zero, which the size does not count */
extern const size_t mot_report_template_size; /* 0: built without the chart library (Debian: node-d3) */

#endif

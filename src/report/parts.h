/* parts.h: a part is a file part_NAME.c with one of these, and a row in parts.c. */
#ifndef MOT_REPORT_PARTS_H
#define MOT_REPORT_PARTS_H

#include "report_private.h"

extern const report_part_kind mot_report_part_classes, mot_report_part_specialization, mot_report_part_load,
    mot_report_part_concentration, mot_report_part_saturation, mot_report_part_flow, mot_report_part_together,
    mot_report_part_knockout, mot_report_part_regret, mot_report_part_confidence, mot_report_part_runs, mot_report_part_cost,
    mot_report_part_samples, mot_report_part_theory, mot_report_part_tasks;

/* cost_ranks.c: of the part cost, what a run has by rank. */
mot_status mot_report_cost_of_ranks(report_all *report, report_part *part, int run);

#endif

/* What a report is made of, in the order of the page. */
#include "parts.h"

const report_part_kind *const mot_report_parts[] = {
    &mot_report_part_classes,
    &mot_report_part_specialization,
    &mot_report_part_load,
    &mot_report_part_concentration,
    &mot_report_part_saturation,
    &mot_report_part_flow,
    &mot_report_part_together,
    &mot_report_part_knockout,
    &mot_report_part_regret,
    &mot_report_part_confidence,
    &mot_report_part_runs,
    &mot_report_part_cost,
    &mot_report_part_samples,
    &mot_report_part_theory,
    &mot_report_part_tasks,
};
const size_t mot_report_part_count = MOT_COUNT(mot_report_parts);

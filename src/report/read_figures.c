/* Figures of evaluations: what the record's /eval has. */
#include <math.h>

#include "report_private.h"

static const char *const names[REPORT_FIGURES] = {
    [REPORT_EVAL_STEP] = "step",        [REPORT_EVAL_LOSS] = "loss",
    [REPORT_TEACHER_W] = "teacher_w",   [REPORT_TEACHER_V] = "teacher_v",
    [REPORT_MATCHED] = "teacher_matched",
    [REPORT_NEURONS] = "neurons",       [REPORT_GATE] = "gate",
    [REPORT_ATTENTION] = "attention",   [REPORT_AGREEMENT] = "gradient_agreement",
    [REPORT_ROUTED] = "routing_accuracy",
};

mot_status mot_report_read_figures(report_run *run, hid_t segment)
{
    mot_record_item item[REPORT_FIGURES];
    for (int f = 0; f < REPORT_FIGURES; ++f) item[f] = (mot_record_item){MOT_RECORD_FIGURES, names[f], 0};
    return mot_record_add(segment, REPORT_FIGURES, item, run->figure);
}

bool mot_report_has(const report_run *run, report_figure_name figure)
{
    const mot_record_values *of = &run->figure[figure];
    return of->rows > 0 && of->rows == run->figure[REPORT_EVAL_STEP].rows;
}

const double *mot_report_row(const report_run *run, report_figure_name figure, size_t row)
{
    return run->figure[figure].value + row * run->figure[figure].width;
}

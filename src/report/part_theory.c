/* How near experts and gates are to what made the data, where that is known. */
#include "parts.h"
#include "theory.h"

/* Of evaluations, and of training, whose batches are many. */
static mot_status put_losses(const theory_subject *s)
{
    const report_run *const run = s->run;
    report_view *view;
    mot_status status = MOT_OK;
    if (mot_report_has(run, REPORT_EVAL_LOSS)) {
        MOT_TRY(mot_report_theory_lines(s, "theory-loss", "Loss of evaluations", "loss", 1, &view));
        view->y.log = true;
        view->series[0].name = "loss";
        for (size_t i = 0; i < s->count; ++i) mot_report_values(view, 0)[i] = *mot_report_row(run, REPORT_EVAL_LOSS, s->pick[i]);
    }
    MOT_TRY(mot_report_view(s->report, s->part, REPORT_LINES, "theory-loss-training", "Loss of training batches", s->r, -1, &view));
    mot_report_over_steps(run, "loss", view);
    view->y.log = true;
    MOT_TRY(mot_report_series(s->report, view, 1, run->bins, false));
    view->series[0].name = "loss";
    for (size_t b = 0; b < run->bins; ++b) mot_report_values(view, 0)[b] = mot_report_fold_mean(&run->step[REPORT_LOSS][b]);
done:
    return status;
}

static mot_status put_run(report_all *report, report_part *part, int r)
{
    const report_run *const run = &report->run[r];
    theory_subject s = {.report = report, .part = part, .run = run, .r = r, .rows = run->figure[REPORT_EVAL_STEP].rows};
    const report_view *const before = part->last;
    double *step;
    mot_status status = MOT_OK;
    s.count = mot_report_pick(s.rows, REPORT_BINS, s.pick);
    MOT_TRY(mot_report_take(&report->pool, &step, s.count, sizeof *step));
    for (size_t i = 0; i < s.count; ++i) step[i] = *mot_report_row(run, REPORT_EVAL_STEP, s.pick[i]);
    s.step = step;
    MOT_TRY(mot_report_theory_teacher(&s));
    MOT_TRY(mot_report_theory_mixture(&s));
    if (part->last != before) MOT_TRY(put_losses(&s));
    if (part->last == before)
        mot_report_lacks(report, part, run,
                         "What made the data is known of students and their teacher (data.source: teacher), and of the theory's experts on "
                         "its mixture (model.kind: merged, data.source: mixture): %s.",
                         s.rows > 0 ? "this run is neither" : "the record has no evaluation of such a run");
done:
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    mot_status status = MOT_OK;
    for (int r = 0; r < (int)report->runs; ++r) MOT_TRY(put_run(report, part, r));
    MOT_TRY(mot_report_over_seeds(report, part, "theory-found"));
    MOT_TRY(mot_report_over_seeds(report, part, "theory-classes"));
    MOT_TRY(mot_report_over_seeds(report, part, "theory-loss"));
done:
    return status;
}

const report_part_kind mot_report_part_theory = {
    .id = "theory",
    .title = "Theory",
    .definition =
        "Where what made the data is known, how near to it experts and gates are. Of students and their teacher: the cosines of each "
        "student's neuron, w . w* / |w|, and of its gate with those of each of the teacher's experts. One of these is found by a "
        "neuron when the largest |cosine| with it reaches 0.9, by a gate when the largest cosine does, and matched when one "
        "student has both. Of the theory's experts on its mixture: W v / |W| of an expert's neuron and the signal v of each class, theta c of its row of "
        "the gate and each class's c, and the attention of kinds of tokens to kinds of tokens.",
    .denominator = "A cosine is of one expert and one of the teacher's, or one class; of experts that have gone there is none. Means over experts are "
                   "weighted by their samples of the evaluation; losses are means over its samples, and over those of a batch.",
    .interval = "None: what one run has at its evaluations. Over seeds: of the mean of several runs, by bootstrap.",
    .make = make,
};

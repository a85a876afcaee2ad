/* An evaluation: the whole split, in file order, through the same step without learning. */
#include "run_private.h"

#include "mot/watch.h"

/* Counts a pass, and adds its assignments to the record. Root. */
static mot_status take_pass(mot_run *run, const mot_step_result *result, mot_gidx first, size_t n)
{
    run_count_add(run, first, n, result);
    run_figures_add(run, first, n, result);
    if (run->record == NULL || run->again || !run->config.record.eval) return MOT_OK;
    return mot_record_assign(run->record, run->progress.step, true, n, result->sample, result->label,
                             result->group, result->expert, result->prob, result->predicted,
                             result->sample_loss);
}

mot_status run_evaluate(mot_run *run)
{
    const bool root = run->comm->rank == MOT_ROOT;
    const mot_gidx samples = run->eval_set.samples;
    run_eval *eval = &run->last_eval;
    double loss = 0, hits = 0, since = mot_clock_s();
    const mot_step_work before = *mot_step_measure(run->step);
    mot_status status = MOT_OK;
    if (root) {
        run_count_begin(run);
        run_figures_begin(run);
    }
    for (mot_gidx first = 0; first < samples; first += (mot_gidx)run->config.eval.batch) {
        const size_t n = (size_t)MOT_MIN((mot_gidx)run->config.eval.batch, samples - first);
        const mot_step_task task = {.first = first, .total = n, .number = run->progress.step};
        mot_step_result result;
        MOT_TRY(mot_step_run(run->step, &run->eval, &task, mot_signals_asked(), &result));
        loss += result.loss * (double)n;
        hits += result.hits;
        run_count_seconds(run, &result);
        if (root) status = take_pass(run, &result, first, n);
        MOT_TRY(mot_comm_agree(run->comm, status));
    }
    eval->step = run->progress.step;
    eval->samples = samples;
    eval->number[RUN_LOSS] = loss / (double)samples;
    eval->number[RUN_ACCURACY] = hits / (double)samples;
    if (root) {
        run_count_end(run);
        if (run->record != NULL && !run->again)
            status = mot_record_snapshot(run->record, run->progress.step, 0, eval->class_load,
                                         eval->group_load);
    }
    MOT_TRY(mot_comm_agree(run->comm, status));
    mot_watch_phase("figures");
    MOT_TRY(mot_comm_agree(run->comm, run_figures_end(run)));
    run->evaluated = run->progress.step;
done:
    run_time_evaluation(run, &before);
    run_lap(run, RUN_EVALUATION, &since);
    return status;
}

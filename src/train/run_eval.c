/* An evaluation: the whole split, in file order, through the same step without learning. */
#include "run_private.h"

#include "mot/watch.h"

/* Counts a pass, and adds its assignments to the record. Root. */
static mot_status take_pass(mot_run *run, const mot_step_result *result, mot_gidx first, size_t n)
{
    mot_run_count_add(&run->reporter.last_eval, &run->world, first, n, result);
    mot_run_figures_add(&run->reporter, first, n, result);
    if (run->keeper.record == NULL || run->course.again || !run->course.config.record.eval ||
        result->expert == NULL)
        return MOT_OK;
    return mot_run_layers_record_choices(run->keeper.record, &run->world, run->course.progress.step, true, n, result);
}

mot_status mot_run_evaluate(mot_run *run)
{
    const bool root = run->world.comm->rank == MOT_ROOT;
    const mot_gidx samples = run->world.eval_set.samples, batch = (mot_gidx)run->course.config.eval.batch,
                   step = run->course.progress.step;
    run_eval *eval = &run->reporter.last_eval;
    const int active = mot_run_active(&run->course.config, mot_run_task(&run->course));
    double loss = 0, hits = 0, since = mot_clock_s();
    const mot_step_work before = *mot_step_measure(run->world.step);
    mot_status status = MOT_OK;
    if (root) mot_run_count_begin(eval, &run->world);
    mot_run_figures_begin(&run->reporter, &run->world);
    for (mot_gidx first = 0; first < samples; first += batch) {
        const size_t n = (size_t)MOT_MIN(batch, samples - first);
        const mot_step_task task = {.first = first,
                                    .total = n,
                                    .number = step,
                                    .active = active,
                                    .without = (const bool *const *)run->course.mask.layer};
        mot_step_result result;
        MOT_TRY(mot_step_run(run->world.step, &run->world.eval, &task, mot_signals_asked(), &result));
        loss += result.loss * (double)n;
        hits += result.hits;
        mot_run_count_seconds(&run->course, &result);
        if (root) status = take_pass(run, &result, first, n);
        MOT_TRY(mot_comm_agree(run->world.comm, status));
    }
    eval->step = step;
    eval->samples = samples;
    eval->number[RUN_LOSS] = loss / (double)samples;
    eval->number[RUN_ACCURACY] = hits / (double)samples;
    if (root) {
        status = mot_run_count_end(eval, &run->world);
        if (status == MOT_OK && run->keeper.record != NULL && !run->course.again)
            status = mot_run_layers_record_eval(run->keeper.record, eval, step, run->world.groups > 0);
    }
    MOT_TRY(mot_comm_agree(run->world.comm, status));
    mot_watch_phase("figures");
    MOT_TRY(mot_comm_agree(run->world.comm, mot_run_figures_end(run)));
    run->course.evaluated = step;
done:
    mot_run_time_evaluation(&run->reporter, run->world.step, &before);
    run_lap(&run->reporter, RUN_EVALUATION, &since);
    return status;
}

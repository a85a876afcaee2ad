/* An evaluation: the whole split, in file order, through the same step without learning. */
#include "run_private.h"

#include <string.h>

#include "mot/watch.h"

/* Adds a pass's first choices to the tables, and its assignments to the record. Root. */
static mot_status count_pass(mot_run *run, const mot_step_result *result, mot_gidx first, size_t n,
                             double *group_hits)
{
    const int E = run->config.model.experts;
    const size_t K = mot_choice_count(&run->config.route, E);
    run_eval *eval = &run->last_eval;
    for (size_t p = 0; p < n; ++p) {
        const size_t expert = (size_t)result->expert[p * K];
        ++eval->class_load[(size_t)result->label[p] * (size_t)E + expert];
        if (eval->group_load != NULL) ++eval->group_load[(size_t)result->group[p] * (size_t)E + expert];
        if (run->parent != NULL) *group_hits += run->parent[result->predicted[p]] == result->group[p];
    }
    run_figures_add(run, first, n, result);
    if (run->record == NULL || run->again || !run->config.record.eval) return MOT_OK;
    return mot_record_assign(run->record, run->progress.step, true, n, result->sample, result->label,
                             result->group, result->expert, result->prob);
}

mot_status run_evaluate(mot_run *run)
{
    const bool root = run->comm->rank == MOT_ROOT;
    const mot_gidx samples = run->eval_set.samples;
    const size_t E = (size_t)run->config.model.experts;
    run_eval *eval = &run->last_eval;
    double loss = 0, hits = 0, group_hits = 0, since = mot_clock_s();
    const mot_step_work before = *mot_step_measure(run->step);
    mot_status status = MOT_OK;
    if (root) {
        run_figures_begin(run);
        memset(eval->class_load, 0, (size_t)run->classes * E * sizeof *eval->class_load);
        if (eval->group_load != NULL)
            memset(eval->group_load, 0, (size_t)run->groups * E * sizeof *eval->group_load);
    }
    for (mot_gidx first = 0; first < samples; first += (mot_gidx)run->config.eval.batch) {
        const size_t n = (size_t)MOT_MIN((mot_gidx)run->config.eval.batch, samples - first);
        const mot_step_task task = {.first = first, .total = n, .number = run->progress.step};
        mot_step_result result;
        MOT_TRY(mot_step_run(run->step, &run->eval, &task, mot_signals_asked(), &result));
        loss += result.loss * (double)n;
        hits += result.hits;
        if (root) status = count_pass(run, &result, first, n, &group_hits);
        MOT_TRY(mot_comm_agree(run->comm, status));
    }
    eval->samples = samples;
    eval->loss = loss / (double)samples;
    eval->accuracy = hits / (double)samples;
    eval->group_accuracy = run->parent != NULL ? group_hits / (double)samples : -1;
    if (root) {
        const bool groups = eval->group_load != NULL;
        eval->routing = mot_specialize(groups ? run->groups : run->classes, (int)E,
                                       groups ? eval->group_load : eval->class_load);
        if (run->record != NULL && !run->again)
            status = mot_record_snapshot(run->record, run->progress.step, eval->class_load, eval->group_load);
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

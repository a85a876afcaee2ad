#include "step_private.h"

/* K = 1: the rows of a chunk have everything with them. */
static void work_alone(mot_step *step, bool learn)
{
    double since = mot_clock_s();
    for (size_t c = 0; c < step->chunks; ++c) {
        enter_exchange(MOT_PHASE_DISPATCH);
        mot_exchange_end(&step->layer->chunk[c].dispatch);
        lap(step, MOT_PHASE_DISPATCH, &since);
        enter(MOT_PHASE_EXPERT);
        mot_step_experts(step, &step->layer->chunk[c], learn ? WORK_LEARN : WORK_LOSS);
        lap(step, MOT_PHASE_EXPERT, &since);
    }
}

/* K > 1, one chunk: its outputs set out for home; */
static void forward(mot_step *step, size_t c, double *since)
{
    step_chunk *chunk = &step->layer->chunk[c];
    enter_exchange(MOT_PHASE_DISPATCH);
    mot_exchange_end(&chunk->dispatch);
    lap(step, MOT_PHASE_DISPATCH, since);
    enter(MOT_PHASE_EXPERT);
    mot_step_experts(step, chunk, WORK_OUTPUTS);
    lap(step, MOT_PHASE_EXPERT, since);
    mot_exchange_begin(&chunk->outputs, &chunk->plan, MOT_COMBINE);
    lap(step, MOT_PHASE_COMBINE, since);
}

/* they are combined there, and their gradients set out for the experts; */
static void combine(mot_step *step, size_t c, bool learn, double *since)
{
    step_chunk *chunk = &step->layer->chunk[c];
    enter_exchange(MOT_PHASE_COMBINE);
    mot_exchange_end(&chunk->outputs);
    lap(step, MOT_PHASE_COMBINE, since);
    enter(MOT_PHASE_LOSS);
    mot_step_combine(step, c);
    lap(step, MOT_PHASE_LOSS, since);
    if (learn) mot_exchange_begin(&chunk->outputs, &chunk->plan, MOT_DISPATCH);
    lap(step, MOT_PHASE_RETURN, since);
}

/* which learn from them. */
static void learn_again(mot_step *step, size_t c, double *since)
{
    enter_exchange(MOT_PHASE_RETURN);
    mot_exchange_end(&step->layer->chunk[c].outputs);
    lap(step, MOT_PHASE_RETURN, since);
    enter(MOT_PHASE_EXPERT);
    mot_step_experts(step, &step->layer->chunk[c], WORK_LEARN_AGAIN);
    lap(step, MOT_PHASE_EXPERT, since);
}

/* K > 1: while experts work on one chunk, another one's rows travel, in each of the three directions:
 *
 *      experts   forward 0   forward 1   forward 2   learn 0     learn 1   learn 2
 *      combine                  0           1               2
 *      travel      rows 1      rows 2    gradients 1  outputs 2  gradients 2
 *                              outputs 0   outputs 1
 */
static void work_together(mot_step *step, bool learn)
{
    const size_t last = step->chunks - 1;
    double since = mot_clock_s();
    for (size_t c = 0; c <= last; ++c) {
        forward(step, c, &since);
        if (c > 0) combine(step, c - 1, learn, &since);
    }
    for (size_t c = 0; learn && c < last; ++c) {
        learn_again(step, c, &since);
        if (c == 0) combine(step, last, learn, &since);
    }
    if (!learn || last == 0) combine(step, last, learn, &since);
    if (learn) learn_again(step, last, &since);
}

/* Experts learn, and everybody hears how it went. */
static mot_status finish(mot_step *step, const mot_step_task *task, bool learn, mot_step_result *result)
{
    double since = mot_clock_s();
    mot_status status = MOT_OK;
    enter(MOT_PHASE_UPDATE);
    if (learn) mot_step_split_settle(step, MOT_PHASE_UPDATE);
    if (learn && step->stack != NULL) mot_stack_sum(step);
    if (learn) status = mot_step_update(step, task);
    if (status == MOT_ERR_NUMERIC)
        status = mot_fail(status, "step %" MOT_PRI_GIDX ": %s", task->number + 1, mot_error_message());
    mot_step_count_work(step, task);
    lap(step, MOT_PHASE_UPDATE, &since);
    return mot_step_report(step, task, status, result);
}

mot_status mot_step_run(mot_step *step, const mot_batch_source *source, const mot_step_task *task, bool stop,
                        mot_step_result *result)
{
    const mot_part_set of_experts = ~(1u << MOT_PART_GATE);
    /* Through several layers even a gate's gradient takes the whole way back. */
    const bool learn = task->stage != NULL && (step->stack != NULL || (task->stage->train & of_experts) != 0);
    double since = mot_clock_s();
    step->learns = learn ? task->stage->train : 0;
    step->attention = task->attention;
    step->reports.count = 0;
    if (task->stage == NULL) mot_step_catch_up(step);

    mot_watch_part(task->stage != NULL ? "step" : "the evaluation after step",
                   task->number + (task->stage != NULL));
    enter(MOT_PHASE_LOAD);
    mot_status status = mot_batch_load(&step->batch, step->comm, source, task->first, task->total);
    lap(step, MOT_PHASE_LOAD, &since);
    if (step->stack != NULL) {
        status = mot_stack_step(step, task, status, stop, learn);
        if (status != MOT_OK) return status;
        return finish(step, task, learn, result);
    }
    status = mot_step_choose(step, task, status, stop);
    if (status == MOT_OK)
        status = step->soft.on ? mot_comm_agree(step->comm, mot_step_soft_prepare(step)) : mot_step_dispatch(step);
    if (status != MOT_OK) return status;

    since = mot_clock_s();
    enter(MOT_PHASE_UPDATE);
    if (task->stage != NULL) mot_step_zero(step);
    lap(step, MOT_PHASE_UPDATE, &since);
    if (step->soft.on)
        mot_step_soft_work(step, task);
    else if (step->layer->K == 1)
        work_alone(step, learn);
    else
        work_together(step, learn);
    return finish(step, task, learn, result);
}

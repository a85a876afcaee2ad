#include "step_private.h"

/* K = 1: the rows of a chunk have everything with them. */
static void work_alone(mot_step *step, bool learn)
{
    double since = mot_clock_s();
    for (size_t c = 0; c < step->chunks; ++c) {
        mot_exchange_end(&step->chunk[c].dispatch);
        lap(&step->work.exchange_s, &since);
        mot_step_experts(step, &step->chunk[c], learn ? WORK_LEARN : WORK_LOSS);
        lap(&step->work.compute_s, &since);
    }
}

/* K > 1: outputs go home, are combined, and come back as gradients; one chunk works while another travels. */
static void work_together(mot_step *step, bool learn)
{
    double since = mot_clock_s();
    for (size_t c = 0; c < step->chunks; ++c) {
        step_chunk *chunk = &step->chunk[c];
        mot_exchange_end(&chunk->dispatch);
        lap(&step->work.exchange_s, &since);
        mot_step_experts(step, chunk, WORK_OUTPUTS);
        lap(&step->work.compute_s, &since);
        mot_exchange_begin(&chunk->outputs, &chunk->plan, MOT_COMBINE, chunk->owner, chunk->home);
        lap(&step->work.exchange_s, &since);
    }
    for (size_t c = 0; c < step->chunks; ++c) {
        step_chunk *chunk = &step->chunk[c];
        mot_exchange_end(&chunk->outputs);
        lap(&step->work.exchange_s, &since);
        mot_step_combine(step, c);
        lap(&step->work.compute_s, &since);
        if (learn) mot_exchange_begin(&chunk->outputs, &chunk->plan, MOT_DISPATCH, chunk->home, chunk->owner);
        lap(&step->work.exchange_s, &since);
    }
    for (size_t c = 0; learn && c < step->chunks; ++c) {
        step_chunk *chunk = &step->chunk[c];
        mot_exchange_end(&chunk->outputs);
        lap(&step->work.exchange_s, &since);
        mot_step_experts(step, chunk, WORK_LEARN_AGAIN);
        lap(&step->work.compute_s, &since);
    }
}

mot_status mot_step_run(mot_step *step, const mot_batch_source *source, const mot_step_task *task, bool stop,
                        mot_step_result *result)
{
    const mot_part_set of_experts = ~(1u << MOT_PART_GATE);
    const bool learn = task->stage != NULL && (task->stage->train & of_experts) != 0;
    double since = mot_clock_s();
    step->learns = learn ? task->stage->train : 0;
    step->reports = 0;

    mot_status status = mot_batch_load(&step->batch, step->comm, source, task->first, task->total);
    lap(&step->work.compute_s, &since);
    status = mot_step_choose(step, task, status, stop);
    if (status == MOT_OK) status = mot_step_dispatch(step);
    if (status != MOT_OK) return status;

    since = mot_clock_s();
    if (task->stage != NULL) mot_step_zero(step);
    lap(&step->work.compute_s, &since);
    if (step->K == 1)
        work_alone(step, learn);
    else
        work_together(step, learn);
    since = mot_clock_s();
    if (learn) status = mot_step_update(step, task);
    lap(&step->work.compute_s, &since);

    return mot_step_report(step, task, status, result);
}

/* What is done to whole experts, before and after their work; each by one thread. */
#include <math.h>
#include <string.h>

#include "mot/optimizer.h"
#include "step_private.h"

static void zero_expert(void *context, size_t expert, int thread)
{
    (void)thread;
    mot_step *step = context;
    mot_model_zero_expert(step->model, (int)expert);
}

void mot_step_zero(mot_step *step)
{
    mot_model *model = step->model;
    if (model->gate_params.table != NULL) mot_params_zero_gradient(&model->gate_params);
    mot_threads_run(step->threads, (size_t)model->local, zero_expert, step);
    memset(step->strips_added, 0, (size_t)model->local * sizeof *step->strips_added);
}

typedef struct update {
    mot_step *step;
    const mot_step_task *task;
} update;

static mot_status update_unit(const mot_step_task *task, mot_params *params)
{
    const mot_optimizer_config *config = &task->stage->expert;
    return mot_optimizer_update(config, config->rate * task->factor, task->stage->train, params, NULL);
}

/* An expert that saw a sample learns; one that saw none stands still. */
static void update_expert(void *context, size_t expert, int thread)
{
    (void)thread;
    const update *all = context;
    mot_step *step = all->step;
    const bool worked = step->strips_added[expert] > 0;
    step->updated[expert] = worked ? update_unit(all->task, &step->model->own[expert]) : MOT_OK;
}

/* What this rank can see before anything learns. */
static mot_status check_finite(const mot_step *step, const mot_step_task *task)
{
    const mot_model *model = step->model;
    const mot_part_set parts = task->stage->train;
    mot_status status = MOT_OK;
    for (size_t r = 0; r < step->reports; ++r)
        if (!isfinite(step->report[r].loss))
            return mot_fail(MOT_ERR_NUMERIC, "the loss of the batch's sample %" PRIu32 " is not finite",
                            step->report[r].position);
    for (int e = 0; e < model->local; ++e)
        if (step->strips_added[e] > 0) MOT_TRY(mot_optimizer_check(parts, &model->own[e]));
    if (model->tied_table.rows > 0) MOT_TRY(mot_optimizer_check(parts, &model->tied));
done:
    return status;
}

mot_status mot_step_update(mot_step *step, const mot_step_task *task)
{
    mot_model *model = step->model;
    update all = {step, task};
    mot_status status = MOT_OK;
    mot_step_split_settle(step, MOT_PHASE_UPDATE);
    mot_model_sum_tied(model);
    if (task->careful) MOT_TRY(mot_comm_agree(step->comm, check_finite(step, task)));
    mot_threads_run(step->threads, (size_t)model->local, update_expert, &all);
    /* The sentence of a failure stayed with its thread; an update that fails changes nothing, so it fails again. */
    for (int e = 0; e < model->local; ++e)
        if (step->updated[e] != MOT_OK) MOT_TRY(update_unit(task, &model->own[e]));
    if (model->tied_table.rows > 0) MOT_TRY(update_unit(task, &model->tied)); /* alike on every rank */
done:
    return status;
}

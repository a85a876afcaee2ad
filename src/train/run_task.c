/* Where in a stream of tasks a run is, and which experts its tasks have. */
#include "mot/stage.h"
#include "mot/stage_action.h"
#include "run_rehearsal.h"

static mot_status check_growth(const mot_config *config)
{
    const int grow = config->rehearsal.grow, later = config->tasks - 1, first = mot_run_active(config, 0);
    const mot_gate_kind *gate = mot_gate_kind_at(config->gate.kind);
    const int chosen = (int)mot_choice_count(&config->route, config->model.experts);
    if (grow == 0) return MOT_OK;
    if (gate->spread || gate->scores != NULL)
        return mot_fail(MOT_ERR_INPUT, "rehearsal.grow = %d: with gate.kind = %s no expert can be kept for a later task",
                        grow, gate->kind.name);
    if (config->tasks == 1)
        return mot_fail(MOT_ERR_INPUT, "rehearsal.grow = %d has no effect: there is one task", grow);
    if (first < chosen)
        return mot_fail(MOT_ERR_INPUT,
                        "rehearsal.grow = %d: with model.experts = %d the %d tasks behind the first one leave %d to it, and "
                        "a sample goes to %d (route.top_k): give model.experts = %d or more",
                        grow, config->model.experts, later, MOT_MAX(first, 0), chosen, grow * later + chosen);
    return MOT_OK;
}

/* A stage is cut into steps of new and old samples, whose number must be known, and comes again with every task. */
static mot_status check_stage(const mot_config *config, const mot_stage_config *stage, mot_gidx samples)
{
    const mot_until *until = &stage->until;
    if (until->loss_below > 0 || until->loss_plateau > 0 || until->purity_plateau > 0 || until->alignment_plateau > 0)
        return mot_fail(MOT_ERR_INPUT,
                        "stage '%s': until = '%s', but every task of a stream takes as many steps: give steps or epochs alone",
                        stage->name, until->text);
    const mot_gidx after = config->rehearsal.compare_after;
    if (after > 0 && stage == &config->stage[0] && after >= mot_stage_steps(config, 0, samples))
        return mot_fail(MOT_ERR_INPUT,
                        "rehearsal.compare_after = %" MOT_PRI_GIDX " is not before the end of stage '%s', which has %" MOT_PRI_GIDX
                        " steps a task",
                        after, stage->name, mot_stage_steps(config, 0, samples));
    if (config->rehearsal.grow > 0 && mot_stage_action_at(stage->action)->run != NULL)
        return mot_fail(MOT_ERR_INPUT, "stage '%s': action = %s, where experts come with tasks (rehearsal.grow)", stage->name,
                        mot_stage_action_at(stage->action)->kind.name);
    return MOT_OK;
}

mot_status mot_run_check_tasks(const mot_config *config, mot_gidx samples)
{
    mot_status status = check_growth(config);
    for (int s = 0; s < config->stages && status == MOT_OK; ++s) status = check_stage(config, &config->stage[s], samples);
    return status;
}

int mot_run_task(const run_course *course)
{
    const mot_progress *progress = &course->progress;
    const bool next = progress->stage > 0 && progress->stage_first == progress->step;
    return mot_stage_task(&course->config, progress->stage - (next && progress->stage < mot_stage_count(&course->config)));
}

int mot_run_active(const mot_config *config, int task)
{
    const int grow = config->rehearsal.grow;
    return grow > 0 ? config->model.experts - grow * (config->tasks - 1 - task) : 0;
}

int mot_run_frozen(const mot_config *config, int task)
{
    return config->rehearsal.freeze_old && task > 0 ? mot_run_active(config, task - 1) : 0;
}

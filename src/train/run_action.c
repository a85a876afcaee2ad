/* Between two stages: what the end of one does, and the begin of the next. */
#include "run_private.h"

#include <string.h>

#include "mot/clock.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/stage_action.h"
#include "mot/watch.h"

static mot_status look(const mot_stage_moment *moment, mot_gidx steps, double *loss, int64_t *load)
{
    mot_run *run = moment->run;
    run_world *world = &run->world;
    const mot_progress *progress = moment->progress;
    const size_t E = (size_t)moment->experts, batch = moment->config->train.batch;
    const mot_gidx end = progress->step + progress->left_out, first = end - MOT_MIN(steps, progress->step);
    const mot_step_work before = *mot_step_measure(world->step);
    mot_status status = MOT_OK;
    double sum = 0;
    memset(load, 0, E * sizeof *load);
    for (mot_gidx s = first; s < end; ++s) {
        const mot_step_task task = {.first = s * (mot_gidx)batch, .total = batch, .number = progress->step};
        mot_step_result result;
        MOT_TRY(mot_step_run(world->step, &world->train, &task, false, &result));
        mot_run_count_seconds(&run->course, &result);
        sum += result.loss;
        for (size_t e = 0; e < E; ++e) load[e] += result.load[e];
    }
    *loss = sum / (double)(end - first);
done:
    mot_run_time_evaluation(&run->reporter, world->step, &before);
    return status;
}

bool mot_run_stop_asked(const run_world *world, const run_course *course)
{
    const double after = course->config.stop_after;
    const bool over = world->comm->rank == MOT_ROOT && after > 0 && mot_clock_s() - course->called_s >= after;
    return over || mot_signals_asked();
}

static bool stop(const mot_stage_moment *moment)
{
    const mot_run *run = moment->run;
    return mot_run_stop_asked(&run->world, &run->course);
}

/* One line on the terminal and one in log.jsonl. Root. */
static mot_status say(const mot_run *run, const mot_stage_moment *moment)
{
    const mot_stage_config *stage = &moment->config->stage[moment->stage];
    const char *name = mot_stage_action_at(stage->action)->kind.name;
    mot_json *json = mot_json_begin();
    mot_log(MOT_LOG_INFO, "stage '%s' ends with %s%s%s", stage->name, name, moment->did[0] != '\0' ? ": " : "",
            moment->did);
    mot_json_int(json, "step", moment->progress->step);
    mot_json_int(json, "stage", moment->progress->stage - 1);
    mot_json_text(json, "action", name);
    mot_json_text(json, "did", moment->did);
    return mot_record_log_json(run->keeper.record, json);
}

static mot_status act(mot_run *run, int stage)
{
    run_world *world = &run->world;
    const mot_comm *comm = world->comm;
    const mot_config *config = &run->course.config;
    const mot_stage_action *action = mot_stage_action_at(mot_stage_at(config, stage)->action);
    const size_t E = (size_t)world->model.layer->experts;
    char did[MOT_STAGE_DID] = "";
    mot_stage_moment moment = {
        .comm = comm,
        .config = config,
        .stage = stage % config->stages,
        .progress = &run->course.progress,
        .experts = world->model.layer->experts,
        .loss = mot_step_loss(world->step),
        .held_out = &world->eval_set,
        .units = &world->model.units,
        .balance_bias = world->model.layer->balance_bias,
        .model = &world->model,
        .did = did,
        .look = look,
        .stop = stop,
        .run = run,
    };
    mot_status status = MOT_OK;
    if (action->run == NULL) return MOT_OK;
    mot_watch_phase("action");
    MOT_TRY(mot_comm_agree(comm, mot_allocate(&moment.keep, E, sizeof *moment.keep, "the end of a stage")));
    memset(moment.keep, true, E);
    MOT_TRY(mot_comm_agree(comm, action->run(&moment)));
    mot_comm_bcast(comm, moment.keep, E * sizeof *moment.keep, MOT_ROOT);
    if (comm->rank == MOT_ROOT) status = say(run, &moment);
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(mot_run_keep_experts(run, moment.keep));
done:
    mot_free(moment.keep);
    return status;
}

mot_status mot_run_end_stage(mot_run *run)
{
    mot_step_catch_up(run->world.step);
    const mot_status status = act(run, run->course.progress.stage - 1);
    if (status != MOT_OK) return status;
    mot_run_begin_stage(&run->world, &run->course);
    return mot_run_rehearse(run);
}

/* Experts change ranks between steps, where the loads of the steps so far say that it pays. */
#include "run_private.h"

#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"

void mot_run_count_load(run_world *world, const mot_step_result *result)
{
    for (int e = 0; e < world->model.layer->experts; ++e) world->moves.load[e] += result->load[e];
}

bool mot_run_rebalance_due(const run_course *course)
{
    const mot_config *config = &course->config;
    const mot_progress *progress = &course->progress;
    const mot_gidx every[] = {
        [MOT_REBALANCE_EVAL] = config->eval.every,
        [MOT_REBALANCE_CHECKPOINT] = config->checkpoint.every,
    };
    switch (config->route.rebalance) {
    case MOT_REBALANCE_NEVER:
        return false;
    case MOT_REBALANCE_STAGE:
        return progress->stage_first == progress->step;
    case MOT_REBALANCE_EVAL:
    case MOT_REBALANCE_CHECKPOINT:
        break;
    }
    return progress->step % every[config->route.rebalance] == 0;
}

/* What a rank holds at most while they move: those that arrive are there before those that leave are gone. */
static void note_memory(run_world *world, const run_course *course, const mot_placement *better)
{
    const mot_model *model = &world->model;
    const int rank = world->comm->rank;
    size_t arriving = 0;
    for (int e = 0; e < better->experts; ++e)
        arriving += better->owner[e] == rank && model->layer->placement.owner[e] != rank;
    const size_t bytes = mot_run_memory_so_far(world, course) + arriving * mot_model_measure(model).of_expert;
    world->held.most = MOT_MAX(world->held.most, bytes);
}

mot_status mot_run_rebalance(mot_run *run)
{
    run_world *world = &run->world;
    mot_model *model = &world->model;
    mot_placement better;
    mot_moves moves = {0};
    char bytes[32];
    double since = mot_clock_s();
    mot_status status = mot_placement_balance(&better, &model->layer->placement, world->moves.load, &moves);
    MOT_TRY(mot_comm_agree(world->comm, status));
    if (moves.experts > 0) {
        const size_t moved = (size_t)moves.experts * mot_layer_expert_bytes(model->layer);
        note_memory(world, &run->course, &better);
        const size_t held = mot_memory_held();
        MOT_TRY(mot_model_move(model, 0, &better));
        world->held.model += mot_memory_held() - held; /* modulo 2^64, where there is less now */
        world->moves.experts += moves.experts;
        world->moves.bytes += moved;
        mot_log_wrap(2,
                     "%d of %d experts move (%s): the busiest rank had %.1f%% of the samples, and would have "
                     "had %.1f%%",
                     moves.experts, model->layer->experts, mot_run_bytes_text(moved, bytes),
                     100 * moves.share_before, 100 * moves.share_after);
    }
    memset(world->moves.load, 0, (size_t)model->layer->experts * sizeof *world->moves.load);
done:
    mot_placement_free(&better);
    run_lap(&run->reporter, RUN_REBALANCE, &since);
    return status;
}

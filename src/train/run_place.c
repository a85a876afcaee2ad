/* Experts change ranks between steps, where the loads of the steps so far say that it pays. */
#include "run_private.h"

#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"

void run_count_load(mot_run *run, const mot_step_result *result)
{
    for (int e = 0; e < run->config.model.experts; ++e) run->load[e] += result->load[e];
}

bool run_rebalance_due(const mot_run *run)
{
    const mot_config *config = &run->config;
    const mot_progress *progress = &run->progress;
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
static void note_memory(mot_run *run, const mot_placement *better)
{
    const mot_model *model = &run->model;
    const int rank = run->comm->rank;
    size_t arriving = 0;
    for (int e = 0; e < better->experts; ++e)
        arriving += better->owner[e] == rank && model->placement.owner[e] != rank;
    const size_t bytes = run_memory_so_far(run) + arriving * mot_model_measure(model).of_expert;
    run->memory_before = MOT_MAX(run->memory_before, bytes);
}

mot_status mot_run_rebalance(mot_run *run)
{
    mot_model *model = &run->model;
    mot_placement better;
    mot_moves moves = {0};
    char bytes[32];
    double since = mot_clock_s();
    mot_status status = mot_placement_balance(&better, &model->placement, run->load, &moves);
    MOT_TRY(mot_comm_agree(run->comm, status));
    if (moves.experts > 0) {
        const size_t moved = (size_t)moves.experts * mot_model_expert_bytes(model);
        note_memory(run, &better);
        const size_t held = mot_memory_held();
        MOT_TRY(mot_model_move(model, &better));
        run->model_bytes += mot_memory_held() - held; /* modulo 2^64, where there is less now */
        run->moves += moves.experts;
        run->moved_bytes += moved;
        mot_log_wrap(2,
                     "%d of %d experts move (%s): the busiest rank had %.1f%% of the samples, and would have "
                     "had %.1f%%",
                     moves.experts, run->config.model.experts, run_bytes_text(moved, bytes),
                     100 * moves.share_before, 100 * moves.share_after);
    }
    memset(run->load, 0, (size_t)run->config.model.experts * sizeof *run->load);
done:
    mot_placement_free(&better);
    run_lap(run, RUN_REBALANCE, &since);
    return status;
}

/* Where in a stream of tasks a run is, and which experts its tasks have. */
#include "mot/stage.h"
#include "run_rehearsal.h"

int run_task(const run_course *course)
{
    const mot_progress *progress = &course->progress;
    const bool next = progress->stage > 0 && progress->stage_first == progress->step;
    return mot_stage_task(&course->config, progress->stage - (next && progress->stage < mot_stage_count(&course->config)));
}

int run_active(const mot_config *config, int task)
{
    const int grow = config->rehearsal.grow;
    return grow > 0 ? config->model.experts - grow * (config->tasks - 1 - task) : 0;
}

int run_frozen(const mot_config *config, int task)
{
    return config->rehearsal.freeze_old && task > 0 ? run_active(config, task - 1) : 0;
}

/* What a run needs before its first step. */
#include "run_private.h"

#include <string.h>

#include "mot/h5.h"
#include "mot/memory.h"

mot_status mot_run_set_up(mot_run *run, const mot_comm *comm, const mot_config *config, run_purpose purpose,
                          mot_schema *schema)
{
    run_world *world = &run->world;
    mot_status status;
    memset(run, 0, sizeof *run);
    run->course.config = *config;
    run->course.purpose = purpose;
    run->course.evaluated = run->reporter.last_eval.step = -1;
    MOT_TRY(mot_run_world_open(world, &run->course, comm, schema));
    mot_h5_give_back(); /* what reading the data took */
    const size_t held = mot_memory_held();
    if (purpose == RUN_TRAIN) mot_run_warn_of_settings(world, &run->course);
    if (purpose == RUN_TRAIN) world->held.copies = mot_run_copy_bytes(run);
    if (purpose == RUN_BENCH || purpose == RUN_PREDICT) goto done;
    status = MOT_OK;
    if (comm->rank == MOT_ROOT) {
        status = mot_config_text(&run->course.config, &run->keeper.config_text);
        if (status == MOT_OK) status = mot_run_count_create(&run->reporter.last_eval, world);
        if (status == MOT_OK && purpose == RUN_TRAIN) status = mot_run_health_create(&run->reporter, world);
        if (status == MOT_OK && purpose == RUN_TRAIN) status = mot_run_ranks_create(&run->reporter, world);
        if (status == MOT_OK && purpose == RUN_TRAIN) status = mot_run_tasks_create(&run->reporter.tasks, world);
    }
    if (status == MOT_OK) status = mot_run_figures_create(&run->reporter, world);
    MOT_TRY(mot_comm_agree(comm, status));
    world->figures = mot_run_figure_numbers(&run->reporter);
    world->held.figures = mot_memory_held() - held;
done:
    if (status != MOT_OK) mot_run_take_down(run);
    return status;
}

void mot_run_take_down(mot_run *run)
{
    mot_saver_destroy(&run->keeper.saver);
    mot_record_close(&run->keeper.record);
    mot_lock_release(&run->keeper.lock);
    mot_run_figures_destroy(&run->reporter);
    mot_run_count_destroy(&run->reporter.last_eval);
    mot_run_health_destroy(&run->reporter);
    mot_run_ranks_destroy(&run->reporter);
    mot_run_tasks_destroy(&run->reporter.tasks);
    mot_free(run->keeper.config_text);
    mot_free(run->keeper.former);
    mot_run_mask_free(&run->course.mask);
    mot_run_world_close(&run->world);
    memset(run, 0, sizeof *run); /* so that it may be closed again */
}

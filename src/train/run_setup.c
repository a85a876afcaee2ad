/* What a run needs before its first step. */
#include "run_private.h"

#include <string.h>

#include "mot/memory.h"

mot_status run_open(mot_run *run, const mot_comm *comm, const mot_config *config, run_purpose purpose,
                    mot_schema *schema)
{
    run_world *world = &run->world;
    mot_status status;
    memset(run, 0, sizeof *run);
    run->course.config = *config;
    run->course.purpose = purpose;
    run->course.evaluated = run->reporter.last_eval.step = -1;
    MOT_TRY(run_world_open(world, &run->course, comm, schema));
    const size_t held = mot_memory_held();
    if (purpose == RUN_TRAIN) world->held.copies = run_copy_bytes(run);
    if (purpose == RUN_BENCH || purpose == RUN_PREDICT) goto done;
    status = run_figures_create(&run->reporter, world);
    if (comm->rank == MOT_ROOT && status == MOT_OK) {
        status = mot_config_text(&run->course.config, &run->keeper.config_text);
        if (status == MOT_OK) status = run_count_create(&run->reporter.last_eval, world);
        if (status == MOT_OK && purpose == RUN_TRAIN) status = run_health_create(&run->reporter, world);
    }
    MOT_TRY(mot_comm_agree(comm, status));
    world->figures = run_figure_numbers(&run->reporter, world);
    world->held.figures = mot_memory_held() - held;
done:
    if (status != MOT_OK) run_close(run);
    return status;
}

void run_close(mot_run *run)
{
    mot_saver_destroy(&run->keeper.saver);
    mot_record_close(&run->keeper.record);
    mot_lock_release(&run->keeper.lock);
    run_figures_destroy(&run->reporter);
    run_count_destroy(&run->reporter.last_eval);
    run_health_destroy(&run->reporter);
    mot_free(run->keeper.config_text);
    mot_free(run->keeper.former);
    run_world_close(&run->world);
    memset(run, 0, sizeof *run); /* so that it may be closed again */
}

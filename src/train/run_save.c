/* When checkpoints are written, and which stay. */
#include "run_private.h"

#include "mot/atomic_file.h"
#include "mot/watch.h"

/* Checkpoints on the way are copied and written while training goes on. */
static bool in_background(const run_course *course)
{
    const mot_config *config = &course->config;
    return config->checkpoint.background && (config->checkpoint.every > 0 || config->checkpoint.interval > 0);
}

/* What else belongs to the run. */
static mot_status write_more(const void *of, hid_t file)
{
    const mot_run *run = of;
    const mot_status status = mot_schema_write(&run->world.schema, file);
    return status == MOT_OK ? mot_task_matrix_write(&run->reporter.tasks.saved, file) : status;
}

mot_state mot_run_state(mot_run *run)
{
    mot_state state = mot_model_state(&run->world.model, &run->course.progress, run->keeper.config_text);
    state.dataset_checksum = run->world.dataset_checksum;
    state.run_id = run->keeper.id;
    state.progress.wall_s = mot_run_seconds(&run->course);
    state.more = write_more;
    state.more_of = run;
    return state;
}

size_t mot_run_copy_bytes(mot_run *run)
{
    const mot_state state = mot_run_state(run);
    return in_background(&run->course) ? mot_state_bytes(run->world.comm, &state) : 0;
}

mot_status mot_run_save_begin(mot_run *run)
{
    run->keeper.saved_s = mot_clock_s();
    return mot_saver_create(&run->keeper.saver, run->world.comm, mot_run_copy_bytes(run));
}

/* The checkpoint is there. After the `last` for now run.h5 names all that there is. */
static mot_status link_saved(mot_record *record, bool last)
{
    if (last) return mot_record_relink(record);
    mot_record_unlinked(record);
    return mot_record_keep_linked(record);
}

mot_status mot_run_save_poll(run_keeper *keeper)
{
    const mot_status status = mot_saver_poll(keeper->saver);
    if (status != MOT_OK || keeper->record == NULL) return status;
    if (keeper->unlinked && !mot_saver_written(keeper->saver)) return MOT_OK; /* run.h5 waits for it */
    const bool saved = keeper->unlinked;
    keeper->unlinked = false;
    return saved ? link_saved(keeper->record, false) : mot_record_keep_linked(keeper->record);
}

bool mot_run_save_due(const mot_run *run)
{
    const double interval = run->course.config.checkpoint.interval;
    return run->world.comm->rank == MOT_ROOT && interval > 0 &&
           mot_clock_s() - run->keeper.saved_s >= interval;
}

bool mot_run_note_best(run_course *course, const run_eval *eval)
{
    mot_progress *progress = &course->progress;
    const bool first = progress->best_step == 0;
    if (!course->config.checkpoint.best || progress->step == 0) return false;
    const double loss = eval->number[RUN_LOSS];
    if (!first && !(loss < progress->best_loss)) return false;
    progress->best_step = progress->step;
    progress->best_loss = loss;
    return true;
}

mot_status mot_run_save_wait(mot_run *run)
{
    run_keeper *keeper = &run->keeper;
    mot_status status;
    MOT_TRY(mot_saver_wait(keeper->saver)); /* the same everywhere */
    if (keeper->unlinked && run->world.comm->rank == MOT_ROOT) status = link_saved(keeper->record, false);
    keeper->unlinked = false;
    status = mot_comm_agree(run->world.comm, status);
done:
    return status;
}

mot_status mot_run_save(mot_run *run, bool wait)
{
    run_keeper *keeper = &run->keeper;
    const run_course *course = &run->course;
    char name[64], path[2048] = "";
    const bool root = run->world.comm->rank == MOT_ROOT, background = in_background(course) && !wait;
    double since = mot_clock_s();
    mot_watch_phase("checkpoint");
    mot_status status = MOT_OK;
    MOT_TRY(mot_run_save_wait(run));
    if (root) {
        status = mot_run_tasks_keep(&run->reporter.tasks);
        if (status == MOT_OK) status = mot_record_flush(keeper->record, wait);
        mot_checkpoint_name(name, sizeof name, course->progress.step);
        if (status == MOT_OK) status = mot_path_join(path, sizeof path, keeper->folder, name);
    }
    MOT_TRY(mot_comm_agree(run->world.comm, status));
    const mot_state state = mot_run_state(run);
    const mot_retention retention = {
        .newest = course->config.checkpoint.keep,
        .every = course->config.checkpoint.keep_every,
        .best = course->progress.best_step > 0 ? course->progress.best_step : -1,
    };
    MOT_TRY(mot_saver_begin(keeper->saver, &state, path, background, &retention));
    if (!background) {
        MOT_TRY(mot_saver_wait(keeper->saver));
        if (root) status = link_saved(keeper->record, wait);
        MOT_TRY(mot_comm_agree(run->world.comm, status));
    }
    keeper->unlinked = background;
    keeper->saved_s = mot_clock_s();
done:
    run_lap(&run->reporter, RUN_CHECKPOINT, &since);
    return status;
}

/* When checkpoints are written, and which stay. */
#include "run_private.h"

#include <stdio.h>

#include "mot/atomic_file.h"
#include "mot/watch.h"

/* Checkpoints on the way are copied and written while training goes on. */
static bool in_background(const mot_run *run)
{
    const mot_config *config = &run->config;
    return config->checkpoint.background && (config->checkpoint.every > 0 || config->checkpoint.interval > 0);
}

size_t run_copy_bytes(mot_run *run)
{
    const mot_state state = run_state(run);
    return in_background(run) ? mot_state_bytes(run->comm, &state) : 0;
}

mot_status run_save_begin(mot_run *run)
{
    run->saved_s = mot_clock_s();
    return mot_saver_create(&run->saver, run->comm, run_copy_bytes(run));
}

/* The checkpoint is there. After the `last` for now run.h5 names all that there is. */
static mot_status link_saved(mot_run *run, bool last)
{
    if (last) return mot_record_relink(run->record);
    mot_record_unlinked(run->record);
    return mot_record_keep_linked(run->record);
}

mot_status run_save_poll(mot_run *run)
{
    const mot_status status = mot_saver_poll(run->saver);
    if (status != MOT_OK || run->comm->rank != MOT_ROOT) return status;
    if (run->unlinked && !mot_saver_written(run->saver)) return MOT_OK; /* run.h5 waits for it */
    const bool saved = run->unlinked;
    run->unlinked = false;
    return saved ? link_saved(run, false) : mot_record_keep_linked(run->record);
}

bool run_save_due(const mot_run *run)
{
    const double interval = run->config.checkpoint.interval;
    return run->comm->rank == MOT_ROOT && interval > 0 && mot_clock_s() - run->saved_s >= interval;
}

bool run_note_best(mot_run *run)
{
    mot_progress *progress = &run->progress;
    const bool first = progress->best_step == 0;
    if (!run->config.checkpoint.best || progress->step == 0) return false;
    const double loss = run->last_eval.number[RUN_LOSS];
    if (!first && !(loss < progress->best_loss)) return false;
    progress->best_step = progress->step;
    progress->best_loss = loss;
    return true;
}

mot_status run_save(mot_run *run, bool wait)
{
    char name[64], path[2048] = "";
    const bool root = run->comm->rank == MOT_ROOT, background = in_background(run) && !wait;
    double since = mot_clock_s();
    mot_watch_phase("checkpoint");
    mot_status status = MOT_OK;
    MOT_TRY(mot_saver_wait(run->saver));
    if (root) {
        if (run->unlinked) status = link_saved(run, false); /* that one */
        if (status == MOT_OK) status = mot_record_flush(run->record, wait);
        mot_checkpoint_name(name, sizeof name, run->progress.step);
        if (status == MOT_OK) status = mot_path_join(path, sizeof path, run->folder, name);
    }
    MOT_TRY(mot_comm_agree(run->comm, status));
    const mot_state state = run_state(run);
    const mot_retention retention = {
        .newest = run->config.checkpoint.keep,
        .every = run->config.checkpoint.keep_every,
        .best = run->progress.best_step > 0 ? run->progress.best_step : -1,
    };
    MOT_TRY(mot_saver_begin(run->saver, &state, path, background, &retention));
    if (!background) {
        MOT_TRY(mot_saver_wait(run->saver));
        if (root) status = link_saved(run, wait);
        MOT_TRY(mot_comm_agree(run->comm, status));
    }
    run->unlinked = background;
    run->saved_s = mot_clock_s();
done:
    run_lap(run, RUN_CHECKPOINT, &since);
    return status;
}

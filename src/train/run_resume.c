/* Where a run begins, and what it leaves on the way. */
#include "run_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"

/* Bits that do not depend on the ranks would depend on the samples that are learned from, whose checksum stands first. A
 * checkpoint that names none says nothing. */
static mot_status compare_data(const mot_run *run, const char *before, const char *path)
{
    const char *const now = run->dataset_checksum;
    const size_t length = strcspn(now, " ");
    if (before == NULL || (strcspn(before, " ") == length && strncmp(before, now, length) == 0))
        return MOT_OK;
    return mot_fail(
        MOT_ERR_INPUT,
        "%s was trained with other samples (checksum %.*s) than data.file = %s holds (%.*s): choose "
        "another run folder (run=...)",
        path, (int)strcspn(before, " "), before, run->config.data.file, (int)length, now);
}

static mot_status no_sound_checkpoint(const mot_run *run)
{
    return mot_fail(MOT_ERR_INPUT, "%s; no other checkpoint is sound: remove %s to start anew",
                    mot_error_message(), run->folder);
}

/* The newest checkpoint below step `below` whose structure is sound, and whether this configuration may continue it; *step
 * is -1 when there is none at all. Writes nothing but run->former. Root. */
static mot_status find_checkpoint(mot_run *run, mot_gidx below, char *path, size_t size, mot_gidx *step)
{
    char *text = NULL, *checksum = NULL;
    mot_config *before = NULL;
    mot_status status = MOT_OK;
    mot_free(run->former);
    run->former = NULL;
    *step = mot_checkpoint_before(run->folder, below, path, size);
    while (*step >= 0 && (status = mot_checkpoint_config(path, &text, &checksum)) == MOT_ERR_INPUT) {
        const mot_gidx older = mot_checkpoint_before(run->folder, *step, path, size);
        if (older < 0) {
            status = no_sound_checkpoint(run);
            goto done;
        }
        mot_log(MOT_LOG_WARNING, "%s; the checkpoint before is taken", mot_error_message());
        *step = older;
    }
    if (status != MOT_OK || *step < 0) goto done;
    MOT_TRY(mot_allocate(&before, 1, sizeof *before, "a configuration"));
    MOT_TRY(mot_config_parse(before, path, text, 0, NULL));
    if (before->model.precision == MOT_RULE_BF16)
        before->model.precision = MOT_RULE_BF16_ALWAYS; /* of an earlier version */
    MOT_TRY(run_compare(&run->config, before, path));
    MOT_TRY(compare_data(run, checksum, path));
    memcpy(before->run, run->config.run, sizeof before->run); /* a folder may be moved */
    run->former = before;
    before = NULL;
done:
    mot_free(text);
    mot_free(checksum);
    mot_free(before);
    return status;
}

int run_precision_before(const mot_run *run)
{
    char folder[1024], path[2048], *text = NULL, *checksum = NULL;
    mot_config *before = NULL;
    int rule = -1;
    mot_gidx step = INT64_MAX;
    if (mot_path_join(folder, sizeof folder, run->config.run, "checkpoints") != MOT_OK) return rule;
    if (mot_allocate(&before, 1, sizeof *before, "a configuration") != MOT_OK) return rule;
    while (rule < 0 && (step = mot_checkpoint_before(folder, step, path, sizeof path)) >= 0) {
        if (mot_checkpoint_config(path, &text, &checksum) != MOT_OK) continue; /* find_checkpoint says why */
        if (mot_config_parse(before, path, text, 0, NULL) == MOT_OK) rule = (int)before->model.precision;
        mot_free(text);
        mot_free(checksum);
    }
    mot_free(before);
    return rule;
}

/* Nothing is lost yet, and another folder may do: the user's mistake rather than a failure while running. */
static mot_status make_folder(const mot_run *run, const char *folder)
{
    if (mot_folder_make(folder) == MOT_OK) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "run = %s: %s", run->config.run, mot_error_message());
}

/* A configuration that may not continue is refused before anything is written. */
static mot_status find_and_enter(mot_run *run, char *path, size_t size, mot_gidx *step)
{
    mot_status status;
    MOT_TRY(mot_path_join(run->folder, sizeof run->folder, run->config.run, "checkpoints"));
    const mot_gidx newest = mot_checkpoint_newest(run->folder, path, size);
    MOT_TRY(find_checkpoint(run, INT64_MAX, path, size, step));
    MOT_TRY(make_folder(run, run->config.run));
    MOT_TRY(mot_lock_take(&run->lock, run->config.run));
    /* Whoever worked here until just now may have left another one. */
    char now[2048];
    if (mot_checkpoint_newest(run->folder, now, sizeof now) != newest)
        MOT_TRY(find_checkpoint(run, INT64_MAX, path, size, step));
done:
    return status;
}

/* A damaged checkpoint must not count as the newest when old ones are removed. */
static mot_status set_aside(const mot_run *run, mot_gidx step)
{
    char path[2048], aside[2048 + 16];
    while (mot_checkpoint_newest(run->folder, path, sizeof path) > step) {
        snprintf(aside, sizeof aside, "%s.damaged", path);
        if (rename(path, aside) != 0)
            return mot_fail(MOT_ERR_FILE, "%s: cannot rename the damaged checkpoint: %s", path,
                            strerror(errno));
        mot_log(MOT_LOG_WARNING, "the damaged checkpoint is now %s", aside);
    }
    return MOT_OK;
}

/* Reads the checkpoint of `step`, or the newest older one that is sound. Collective; `path` and `*step` are those of the
 * root first, then of what was read. */
static mot_status restore(mot_run *run, char *path, size_t size, mot_gidx *step)
{
    const mot_comm *comm = run->comm;
    const bool root = comm->rank == MOT_ROOT;
    mot_state state = run_state(run);
    mot_status status;
    while ((status = mot_checkpoint_read(comm, &state, path)) == MOT_ERR_INPUT) {
        const mot_gidx damaged = *step;
        if (root) {
            mot_failure damage;
            mot_failure_keep(&damage, status);
            status = find_checkpoint(run, damaged, path, size, step);
            if (status == MOT_OK && *step < 0) {
                (void)mot_failure_say(&damage);
                status = no_sound_checkpoint(run);
            }
            if (status == MOT_OK)
                mot_log(MOT_LOG_WARNING, "%s; the checkpoint before is taken", damage.sentence);
        } else {
            status = MOT_OK;
        }
        MOT_TRY(mot_comm_agree(comm, status));
        mot_comm_bcast(comm, step, sizeof *step, MOT_ROOT);
    }
    if (status != MOT_OK) goto done;
    MOT_TRY(mot_comm_agree(comm, root ? set_aside(run, *step) : MOT_OK));
    run->progress = state.progress;
done:
    return status;
}

/* What killed processes left goes; the lock says that nobody else is at work. */
static mot_status sweep(const mot_run *run)
{
    char record[1024];
    mot_status status;
    MOT_TRY(mot_path_join(record, sizeof record, run->config.run, "record"));
    MOT_TRY(mot_file_sweep(run->config.run));
    MOT_TRY(mot_file_sweep(run->folder));
    MOT_TRY(mot_file_sweep(record));
done:
    return status;
}

static mot_status fill_folder(mot_run *run)
{
    mot_status status;
    MOT_TRY(make_folder(run, run->folder));
    MOT_TRY(sweep(run));
    if (!run->finished) MOT_TRY(run_write_config(run));
done:
    return status;
}

/* A run keeps the id of the checkpoint that it continues from; one of an older version gets its id now. */
static mot_status name_run(mot_run *run, const char *checkpoint)
{
    mot_status status = MOT_OK;
    if (checkpoint != NULL) status = mot_checkpoint_run_id(checkpoint, run->id, sizeof run->id);
    return status == MOT_OK && run->id[0] == '\0' ? mot_run_id_make(run->id) : status;
}

static mot_status open_record(mot_run *run, bool continued)
{
    const mot_dataset *set = &run->train_set;
    const bool by_group = run->config.data.target == MOT_TARGET_GROUP;
    const mot_record_about about = {
        .folder = run->config.run,
        .config_text = run->config_text,
        .experts = run->config.model.experts,
        .choices = (int)mot_choice_count(&run->config.route, run->config.model.experts),
        .classes = run->classes,
        .groups = run->groups,
        .layers = 1,
        .class_names = by_group ? set->group_names : set->class_names,
        .group_names = set->group_names,
        .dataset_checksum = set->checksum,
        .run_id = run->id,
        .seed = run->config.seed,
    };
    return mot_record_open(&run->record, &about, continued ? run->progress.step : -1);
}

/* All get what the root's checkpoint was written with, and go on from there. Collective. */
static mot_status go_on(mot_run *run)
{
    const mot_comm *comm = run->comm;
    const mot_gidx samples = run->train.dataset->samples;
    mot_status status = MOT_OK;
    bool next;
    if (run->former == NULL)
        status = mot_allocate(&run->former, 1, sizeof *run->former, "the configuration of a checkpoint");
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, run->former, sizeof *run->former, MOT_ROOT);
    const mot_stage_config *last = &run->former->stage[run->former->stages - 1];
    MOT_TRY(mot_stage_reopen(&run->config, samples, mot_stage_steps(last, samples, run->former->train.batch),
                             &run->progress, &next)); /* the same everywhere */
    if (next) run_begin_stage(run);
    MOT_TRY(run_keep_schedule(run));
done:
    return status;
}

mot_status run_begin(mot_run *run)
{
    const mot_comm *comm = run->comm;
    const bool root = comm->rank == MOT_ROOT;
    char path[2048] = "";
    mot_gidx step = -1;
    mot_status status = MOT_OK;
    mot_model_init(&run->model);
    if (root) status = find_and_enter(run, path, sizeof path, &step);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, &step, sizeof step, MOT_ROOT);
    if (step >= 0) {
        MOT_TRY(restore(run, path, sizeof path, &step));
        mot_comm_bcast(comm, path, sizeof path, MOT_ROOT);
        MOT_TRY(mot_comm_agree(comm, run_keep_normalization(run, path)));
        run->continued = true;
        ++run->progress.restarts;
        if (run->progress.stage > run->config.stages)
            status = mot_fail(MOT_ERR_INPUT, "%s is at stage %d of a run of %d", path, run->progress.stage,
                              run->config.stages);
        MOT_TRY(mot_comm_agree(comm, status));
        mot_log(MOT_LOG_INFO, "continues from %s (step %" MOT_PRI_GIDX ")", path, step);
        MOT_TRY(go_on(run));
    }
    if (root) {
        run->finished = run->progress.stage == run->config.stages && run_is_summed_up(run);
        status = name_run(run, step >= 0 ? path : NULL);
        if (run->finished)
            mot_log(MOT_LOG_INFO, "it is complete: nothing is left to train, whatever else is given; a longer train.until goes on");
        if (status == MOT_OK && step >= 0 && !run->finished) status = run_say_changes(run);
        if (status == MOT_OK) status = fill_folder(run);
        if (status == MOT_OK) status = open_record(run, step >= 0);
        if (status == MOT_OK && step >= 0) status = run_recall_eval(run);
        if (status == MOT_OK) status = run_health_begin(run);
        if (status == MOT_OK && !run->finished) status = run_note(run, "running", NULL);
    }
    MOT_TRY(mot_comm_agree_any(comm, status, &run->finished));
    MOT_TRY(run_save_begin(run));
done:
    return status;
}

mot_status run_go_back(mot_run *run)
{
    const mot_progress before = run->progress;
    const double seconds = run_seconds(run);
    mot_status status = mot_saver_wait(run->saver);
    /* One of numbers that are not finite will not be written; that is why the run goes back. */
    if (status != MOT_OK && status != MOT_ERR_NUMERIC) return status;
    mot_saver_destroy(&run->saver);
    mot_record_close(&run->record);
    mot_lock_release(&run->lock);
    run->progress = (mot_progress){0};
    run->evaluated = -1;
    MOT_TRY(run_begin(run));
    mot_progress *progress = &run->progress;
    progress->wall_s = seconds;
    run->restored_s = mot_clock_s();
    progress->restarts = before.restarts;
    progress->rollbacks = before.rollbacks + 1;
    /* The step that is next takes the batch behind the one that failed. */
    progress->left_out = before.step + before.left_out + 1 - progress->step;
    mot_log(MOT_LOG_WARNING,
            "went back to step %" MOT_PRI_GIDX ", and goes on behind the batch of step %" MOT_PRI_GIDX
            " (%d of at most %d times)",
            progress->step, before.step + 1, progress->rollbacks, RUN_MOST_ROLLBACKS);
done:
    return status;
}

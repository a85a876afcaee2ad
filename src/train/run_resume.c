/* Where a run begins, and what it leaves on the way. */
#include "run_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/source.h"

/* Bits that do not depend on the ranks would depend on the samples that are learned from, whose checksum stands first. A
 * checkpoint that names none says nothing. */
static mot_status compare_data(const run_world *world, const char *before, const char *path)
{
    const char *const now = world->dataset_checksum;
    const mot_data_config *data = &world->model.config->data;
    const size_t length = strcspn(now, " ");
    if (before == NULL || (strcspn(before, " ") == length && strncmp(before, now, length) == 0))
        return MOT_OK;
    return mot_fail(
        MOT_ERR_INPUT,
        "%s was trained with other samples (checksum %.*s) than %s = %s holds (%.*s): choose "
        "another run folder (run=...)",
        path, (int)strcspn(before, " "), before, mot_source_files_key(data), mot_source_title(data), (int)length, now);
}

static mot_status no_sound_checkpoint(const run_keeper *keeper)
{
    return mot_fail(MOT_ERR_INPUT, "%s; no other checkpoint is sound: remove %s to start anew",
                    mot_error_message(), keeper->folder);
}

/* The newest checkpoint below step `below` whose structure is sound, and whether this configuration may continue it; *step
 * is -1 when there is none at all. Writes nothing but `former`. Root. */
static mot_status find_checkpoint(run_keeper *keeper, const run_world *world, const run_course *course,
                                  mot_gidx below, char *path, size_t size, mot_gidx *step)
{
    char *text = NULL, *checksum = NULL;
    mot_config *before = NULL;
    mot_status status = MOT_OK;
    mot_free(keeper->former);
    keeper->former = NULL;
    *step = mot_checkpoint_before(keeper->folder, below, path, size);
    while (*step >= 0 && (status = mot_checkpoint_config(path, &text, &checksum)) == MOT_ERR_INPUT) {
        const mot_gidx older = mot_checkpoint_before(keeper->folder, *step, path, size);
        if (older < 0) {
            status = no_sound_checkpoint(keeper);
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
    MOT_TRY(mot_run_compare(&course->config, before, path));
    MOT_TRY(compare_data(world, checksum, path));
    memcpy(before->run, course->config.run, sizeof before->run); /* a folder may be moved */
    keeper->former = before;
    before = NULL;
done:
    mot_free(text);
    mot_free(checksum);
    mot_free(before);
    return status;
}

/* Nothing is lost yet, and another folder may do: the user's mistake rather than a failure while running. */
static mot_status make_folder(const run_course *course, const char *folder)
{
    if (mot_folder_make(folder) == MOT_OK) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "run = %s: %s", course->config.run, mot_error_message());
}

/* A configuration that may not continue is refused before anything is written. */
static mot_status find_and_enter(run_keeper *keeper, const run_world *world, const run_course *course,
                                 char *path, size_t size, mot_gidx *step)
{
    mot_status status;
    MOT_TRY(mot_path_join(keeper->folder, sizeof keeper->folder, course->config.run, "checkpoints"));
    const mot_gidx newest = mot_checkpoint_newest(keeper->folder, path, size);
    MOT_TRY(find_checkpoint(keeper, world, course, INT64_MAX, path, size, step));
    MOT_TRY(make_folder(course, course->config.run));
    MOT_TRY(mot_lock_take(&keeper->lock, course->config.run));
    /* Whoever worked here until just now may have left another one. */
    char now[2048];
    if (mot_checkpoint_newest(keeper->folder, now, sizeof now) != newest)
        MOT_TRY(find_checkpoint(keeper, world, course, INT64_MAX, path, size, step));
done:
    return status;
}

/* A damaged checkpoint must not count as the newest when old ones are removed. */
static mot_status set_aside(const run_keeper *keeper, mot_gidx step)
{
    char path[2048], aside[2048 + 16];
    while (mot_checkpoint_newest(keeper->folder, path, sizeof path) > step) {
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
    const mot_comm *comm = run->world.comm;
    const bool root = comm->rank == MOT_ROOT;
    mot_status status;
    while ((status = mot_run_read(run, path)) == MOT_ERR_INPUT) {
        const mot_gidx damaged = *step;
        if (root) {
            mot_failure damage;
            mot_failure_keep(&damage, status);
            status = find_checkpoint(&run->keeper, &run->world, &run->course, damaged, path, size, step);
            if (status == MOT_OK && *step < 0) {
                (void)mot_failure_say(&damage);
                status = no_sound_checkpoint(&run->keeper);
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
    MOT_TRY(mot_comm_agree(comm, root ? set_aside(&run->keeper, *step) : MOT_OK));
done:
    return status;
}

/* What killed processes left goes, here and as the record is opened; the lock says that nobody else is at work. */
static mot_status fill_folder(const run_keeper *keeper, const run_course *course)
{
    mot_status status;
    MOT_TRY(make_folder(course, keeper->folder));
    MOT_TRY(mot_file_sweep(keeper->folder));
    if (!course->finished) MOT_TRY(mot_run_write_config(keeper, course));
done:
    return status;
}

/* A run keeps the id of the checkpoint that it continues from; one of an older version gets its id now. */
static mot_status name_run(run_keeper *keeper, const char *checkpoint)
{
    mot_status status = MOT_OK;
    if (checkpoint != NULL) status = mot_checkpoint_run_id(checkpoint, keeper->id, sizeof keeper->id);
    return status == MOT_OK && keeper->id[0] == '\0' ? mot_run_id_make(keeper->id) : status;
}

static mot_status open_record(run_keeper *keeper, const run_world *world, const run_course *course)
{
    run_about about;
    mot_run_describe(&about, keeper, world, course, &world->train_set);
    about.record.tensorboard = course->config.report_tensorboard;
    return mot_record_open(&keeper->record, &about.record, course->continued ? course->progress.step : -1);
}

/* All get what the root's checkpoint was written with, and go on from there. Collective. */
static mot_status go_on(run_course *course, run_keeper *keeper, run_world *world)
{
    const mot_comm *comm = world->comm;
    const mot_gidx samples = world->train.dataset->samples;
    mot_config *former = keeper->former;
    mot_status status = MOT_OK;
    bool next;
    if (former == NULL)
        status = mot_allocate(&former, 1, sizeof *former, "the configuration of a checkpoint");
    keeper->former = former;
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, former, sizeof *former, MOT_ROOT);
    former->tasks = course->config.tasks;
    const mot_gidx last = mot_stage_steps(former, mot_stage_count(former) - 1, samples);
    /* the same everywhere */
    MOT_TRY(mot_stage_reopen(&course->config, samples, last, &course->progress, &next));
    if (next) mot_run_begin_stage(world, course);
    MOT_TRY(mot_run_keep_schedule(course, keeper, world));
done:
    return status;
}

/* Some are gone where the run has been before, and goes back. */
static mot_status begin_with_all(mot_run *run)
{
    bool there[MOT_MAX_EXPERTS];
    for (int e = 0; e < run->course.config.model.experts; ++e) there[e] = true;
    return mot_run_fit(run, there);
}

/* What has been measured of a stream's tasks, for the run and its run.h5. */
static mot_status begin_tasks(mot_run *run, const char *checkpoint)
{
    run_tasks *tasks = &run->reporter.tasks;
    mot_status status;
    MOT_TRY(mot_run_tasks_begin(tasks, checkpoint));
    if (tasks->now.tasks > 0) MOT_TRY(mot_record_by_task(run->keeper.record, &tasks->now));
done:
    return status;
}

mot_status mot_run_begin(mot_run *run)
{
    run_world *world = &run->world;
    run_course *course = &run->course;
    run_keeper *keeper = &run->keeper;
    mot_progress *progress = &course->progress;
    const mot_comm *comm = world->comm;
    const bool root = comm->rank == MOT_ROOT;
    char path[2048] = "";
    mot_gidx step = -1;
    mot_status status = MOT_OK;
    MOT_TRY(begin_with_all(run));
    mot_model_init(&world->model);
    if (root) status = find_and_enter(keeper, world, course, path, sizeof path, &step);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, &step, sizeof step, MOT_ROOT);
    course->continued = step >= 0;
    if (course->continued) {
        MOT_TRY(restore(run, path, sizeof path, &step));
        mot_comm_bcast(comm, path, sizeof path, MOT_ROOT);
        MOT_TRY(mot_comm_agree(comm, mot_run_keep_normalization(world, path)));
        ++progress->restarts;
        if (progress->stage > mot_stage_count(&course->config))
            status = mot_fail(MOT_ERR_INPUT, "%s is at stage %d of a run of %d", path, progress->stage,
                              mot_stage_count(&course->config));
        MOT_TRY(mot_comm_agree(comm, status));
        mot_log(MOT_LOG_INFO, "continues from %s (step %" MOT_PRI_GIDX ")", path, step);
        MOT_TRY(go_on(course, keeper, world));
    } else {
        MOT_TRY(mot_run_take_initial(world, course));
    }
    if (root) {
        const bool on = course->continued,
                   finished = progress->stage == mot_stage_count(&course->config) && mot_run_is_summed_up(course);
        course->finished = finished;
        status = name_run(keeper, on ? path : NULL);
        if (finished)
            mot_log(MOT_LOG_INFO, "it is complete: nothing is left to train, whatever else is given; a longer train.until goes on");
        if (status == MOT_OK && on && !finished)
            status = mot_run_say_changes(course, keeper->former, world->train.dataset->samples);
        if (status == MOT_OK) status = fill_folder(keeper, course);
        if (status == MOT_OK) status = open_record(keeper, world, course);
        if (status == MOT_OK && on) status = mot_run_recall_eval(run);
        if (status == MOT_OK) status = begin_tasks(run, on ? path : NULL);
        if (status == MOT_OK) status = mot_run_health_begin(run);
        if (status == MOT_OK && !finished) status = mot_run_note(run, "running", NULL);
    }
    MOT_TRY(mot_comm_agree_any(comm, status, &course->finished));
    MOT_TRY(mot_run_rehearse(run));
    MOT_TRY(mot_run_save_begin(run));
done:
    return status;
}

mot_status mot_run_go_back(mot_run *run)
{
    const mot_progress before = run->course.progress;
    const double seconds = mot_run_seconds(&run->course);
    mot_status status = mot_saver_wait(run->keeper.saver);
    /* One of numbers that are not finite will not be written; that is why the run goes back. */
    if (status != MOT_OK && status != MOT_ERR_NUMERIC) return status;
    mot_saver_destroy(&run->keeper.saver);
    mot_record_close(&run->keeper.record);
    mot_lock_release(&run->keeper.lock);
    run->course.progress = (mot_progress){0};
    run->course.evaluated = -1;
    MOT_TRY(mot_run_begin(run));
    mot_progress *progress = &run->course.progress;
    progress->wall_s = seconds;
    run->course.restored_s = mot_clock_s();
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

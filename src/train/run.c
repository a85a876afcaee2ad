#include "run_private.h"

#include <math.h>
#include <stdio.h>

#include "mot/alignment.h"
#include "mot/clock.h"
#include "mot/h5.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/watch.h"

/* ---- training ---- */

static mot_status record_step(mot_run *run, const mot_step_result *result, int stage, double rate)
{
    if (run->world.comm->rank != MOT_ROOT) return MOT_OK;
    const mot_config *config = &run->course.config;
    const size_t batch = config->train.batch;
    const mot_gidx step = run->course.progress.step;
    const mot_step_figures figures = {
        .step = step,
        .stage = stage,
        .samples = batch,
        .loss = result->loss,
        .accuracy = result->hits / (double)batch,
        .rate = rate,
        .compute_s = result->compute_s,
        .exchange_s = result->exchange_s,
        .wait_s = result->wait_s,
    };
    mot_status status = mot_record_step(run->keeper.record, &figures);
    if (status == MOT_OK)
        status = mot_run_layers_record_step(run->keeper.record, &run->world, step, result);
    if (isnan(result->loss)) return status; /* left out: its choices may mean nothing */
    if (status == MOT_OK) status = mot_run_health_step(run, result);
    if (status == MOT_OK && result->expert != NULL && config->record.every > 0 &&
        step % config->record.every == 0)
        status = mot_run_layers_record_choices(run->keeper.record, &run->world, step, false, batch, result);
    return status;
}

/* ---- what is not finite ---- */

/* So many steps in a row are no accident of the data: parameters are lost. */
enum { MOST_SKIPPED = 20 };

static bool may_skip(const run_course *course, mot_status status)
{
    return status == MOT_ERR_NUMERIC && course->config.train.on_nonfinite == MOT_NONFINITE_SKIP_STEP &&
           course->skipped_on_end < MOST_SKIPPED;
}

static bool may_go_back(const run_course *course)
{
    return course->config.train.on_nonfinite == MOT_NONFINITE_ROLLBACK &&
           course->progress.rollbacks < RUN_MOST_ROLLBACKS;
}

/* Nothing has learned; the step counts, with figures that are not numbers. */
static void leave_out(run_course *course, mot_step_result *result)
{
    mot_log(MOT_LOG_WARNING, "%s; the step is left out (%d so far)", mot_error_message(),
            ++course->progress.skipped);
    result->loss = result->hits = result->purity = NAN;
}

/* The stage as a task of a stream has it: the gate may have learned for long enough. */
static mot_stage_config stage_of(const mot_config *config, int stage)
{
    mot_stage_config of = *mot_stage_at(config, stage);
    const int gate_tasks = config->rehearsal.gate_tasks;
    if (gate_tasks > 0 && mot_stage_task(config, stage) >= gate_tasks) of.train &= ~(1u << MOT_PART_GATE);
    return of;
}

/* What the end of a stage does. `stood`: before the next one stood; there the run stands again where it is asked to stop meanwhile,
 * with that still to do. */
static mot_status end_stage(mot_run *run, const mot_progress *stood, bool *stop)
{
    mot_progress *progress = &run->course.progress;
    const mot_status status = mot_run_end_stage(run);
    progress->action_left = status == MOT_STOPPED;
    if (status != MOT_STOPPED) return status;
    progress->stage = stood->stage;
    progress->stage_first = stood->stage_first;
    *stop = true;
    return MOT_OK;
}

static mot_status make_up_for_action(mot_run *run, bool *stop)
{
    const mot_progress stood = run->course.progress;
    mot_stage_end(&run->course.config, &run->course.progress);
    return end_stage(run, &stood, stop);
}

static mot_status train_step(mot_run *run, bool *stop, bool *save)
{
    run_course *course = &run->course;
    const mot_config *config = &course->config;
    const mot_progress *progress = &course->progress;
    const mot_stage_config of = stage_of(config, progress->stage), *stage = &of;
    const int at = mot_stage_task(config, progress->stage);
    const size_t batch = config->train.batch;
    const mot_gidx samples = run->world.train.dataset->samples;
    const double factor = mot_stage_factor(stage, progress->step - progress->stage_first,
                                           mot_stage_schedule_steps(config, progress->stage, samples));
    const mot_step_task task = {
        .first = (progress->step + progress->left_out) * (mot_gidx)batch,
        .total = batch,
        .number = progress->step,
        .stage = stage,
        .factor = factor,
        .careful = config->train.on_nonfinite == MOT_NONFINITE_SKIP_STEP,
        .active = mot_run_active(config, at),
        .frozen = mot_run_frozen(config, at),
    };
    const mot_progress stood = *progress;
    mot_step_result result;
    mot_status status = MOT_OK;
    if (mot_run_compares_now(course, &run->world.rehearsal)) MOT_TRY(mot_run_rehearse(run));
    const bool asked = mot_run_stop_asked(&run->world, course);
    status = mot_step_run(run->world.step, &run->world.train, &task, asked, &result);
    const bool skipped = may_skip(course, status);
    if (skipped) leave_out(course, &result);
    course->skipped_on_end = skipped ? course->skipped_on_end + 1 : 0;
    if (!skipped) MOT_TRY(status);
    mot_run_count_seconds(course, &result);
    ++course->progress.timed_steps;
    mot_run_count_load(&run->world, &result);
    const double rate = stage->expert.rate * factor;
    const int index = progress->stage; /* of this step; the next may be of another */
    mot_stage_seen seen = {.loss = result.loss, .purity = result.purity};
    if (mot_stage_asks_alignment(config, progress))
        MOT_TRY(mot_align(&run->world.model, mot_dataset_teacher(run->world.train.dataset, NULL), &seen.alignment));
    const bool next = mot_stage_advance(config, samples, &seen, &course->progress);
    double since = mot_clock_s();
    mot_watch_phase("record");
    status = record_step(run, &result, index, rate);
    if (status == MOT_OK) status = mot_run_save_poll(&run->keeper);
    *save = mot_run_save_due(run);
    MOT_TRY(mot_comm_agree_any(run->world.comm, status, save));
    run_lap(&run->reporter, RUN_RECORD, &since);
    MOT_TRY(mot_run_report_step(run, &result, index, rate));
    run_lap(&run->reporter, RUN_LOG, &since);
    *stop = result.stop;
    if (next) MOT_TRY(end_stage(run, &stood, stop));
done:
    return status;
}

/* What the experts' speed is compared with; once, and not for a run that is over within a second. */
static void measure_yardstick(run_reporter *reporter, const mot_model *model)
{
    if (reporter->yardstick.flops_per_s > 0) return;
    const double before = mot_clock_s();
    if (before - reporter->start_s < 1) return;
    mot_yardstick_measure(&reporter->yardstick, model->layer->kind, &model->layer->shape);
    reporter->since.begun_s += mot_clock_s() - before; /* not training time */
}

/* An evaluation, and what is said of it. `task`: of a stream, that ends with it, -1 before the first step; else NO_TASK. */
enum { NO_TASK = -2 };
static mot_status evaluate(mot_run *run, int task)
{
    mot_status status;
    MOT_TRY(mot_run_evaluate(run));
    mot_run_say_eval(run);
    if (task != NO_TASK) MOT_TRY(mot_run_take_tasks(run, task));
done:
    return status;
}

/* Whether the last step was the last one of a task of a stream, which is not the last task. */
static bool task_ended(const run_course *course)
{
    const mot_progress *progress = &course->progress;
    return course->config.tasks > 1 && progress->stage_first == progress->step &&
           progress->stage % course->config.stages == 0;
}

static mot_status train(mot_run *run)
{
    run_course *course = &run->course;
    const mot_config *config = &course->config;
    const mot_progress *progress = &course->progress;
    mot_status status = MOT_OK;
    bool stop = false, save = false;
    if (progress->step == 0 && (config->eval.start || run->world.rehearsal.stream != NULL) && !course->continued)
        MOT_TRY(evaluate(run, -1));
    if (progress->step == 0 && config->checkpoint.start && !course->continued) MOT_TRY(mot_run_save(run, false));
    mot_h5_give_back(); /* what everything up to here took */
    mot_run_report_begin(&run->reporter, progress->step);
    while (progress->stage < mot_stage_count(config) && !stop) {
        if (progress->action_left)
            MOT_TRY(make_up_for_action(run, &stop));
        else
            MOT_TRY(train_step(run, &stop, &save));
        measure_yardstick(&run->reporter, &run->world.model);
        const mot_gidx step = progress->step;
        const bool last = progress->stage == mot_stage_count(config), learned = last || task_ended(course);
        if (learned || (config->eval.every > 0 && step % config->eval.every == 0 && !progress->action_left)) {
            const double before = mot_clock_s();
            MOT_TRY(evaluate(run, learned ? mot_run_task(course) : NO_TASK));
            save = mot_run_note_best(course, &run->reporter.last_eval) || save;
            run->reporter.since.begun_s += mot_clock_s() - before; /* an evaluation is not training time */
        }
        save = save || (config->checkpoint.every > 0 && step % config->checkpoint.every == 0);
        if (last || stop || save) MOT_TRY(mot_run_save(run, last || stop));
        if (!last && !stop && mot_run_rebalance_due(course)) MOT_TRY(mot_run_rebalance(run));
    }
    if (progress->stage == mot_stage_count(config) && course->evaluated != progress->step) {
        course->again = true; /* the run was complete before it was started again */
        MOT_TRY(evaluate(run, NO_TASK));
    }
done:
    return status;
}

/* The failure stays the one that the caller reports, whether or not it can be noted. */
static void note_failure(mot_run *run, mot_status status)
{
    mot_failure failure;
    mot_saver_destroy(&run->keeper.saver); /* a checkpoint on its way arrives, and old ones go */
    if (run->world.comm->rank != MOT_ROOT || run->course.finished) return;
    mot_failure_keep(&failure, status);
    (void)mot_record_relink(run->keeper.record);
    mot_run_note(run, "failed", failure.sentence);
    mot_failure_say(&failure);
}

mot_status mot_run_train(const mot_comm *comm, const mot_config *config, bool dry_run)
{
    mot_status status;
    mot_run *run = NULL;
    bool begun = false;
    const double called_s = mot_clock_s();
    if (dry_run) mot_memory_plan();
    MOT_TRY(mot_comm_agree(comm, mot_allocate(&run, 1, sizeof *run, "a run")));
    MOT_TRY(mot_run_set_up(run, comm, config, RUN_TRAIN, NULL));
    MOT_TRY(mot_run_check_initial(&run->world, &run->course, false));
    run->course.called_s = called_s;
    run->reporter.start_s = run->course.restored_s = mot_clock_s();
    char what[700];
    snprintf(what, sizeof what, "run      %s", config->run);
    mot_run_banner(&run->world, &run->course, what);
    if (dry_run) {
        MOT_TRY(mot_run_check_initial(&run->world, &run->course, true));
        mot_run_dry(&run->world, &run->course);
    } else {
        mot_signals_catch();
        MOT_TRY(mot_run_begin(run));
        begun = true;
        status = train(run);
        while (status == MOT_ERR_NUMERIC && may_go_back(&run->course)) {
            mot_log(MOT_LOG_WARNING, "%s", mot_error_message());
            MOT_TRY(mot_run_go_back(run));
            status = train(run);
        }
        MOT_TRY(status);
        const bool complete = run->course.progress.stage == mot_stage_count(&run->course.config);
        if (complete) mot_run_say_table(run);
        if (complete) mot_run_say_tasks(run);
        if (complete && !run->course.finished && comm->rank == MOT_ROOT) status = mot_run_write_tables(run);
        MOT_TRY(mot_comm_agree(comm, status));
        if (run->course.finished)
            MOT_TRY(mot_run_say_digest(run));
        else
            MOT_TRY(mot_run_summarize(run, complete ? "done" : "stopped"));
        if (!complete) {
            mot_log(MOT_LOG_INFO, "stopped after step %" MOT_PRI_GIDX "; the same command continues",
                    run->course.progress.step);
            status = mot_fail(MOT_STOPPED, "stopped on request");
        }
    }
done:
    if (begun && status != MOT_OK && status != MOT_STOPPED) note_failure(run, status);
    if (run != NULL && run->world.comm != NULL) mot_run_take_down(run);
    mot_free(run);
    return status;
}

/* ---- a run that leaves nothing ---- */

mot_status mot_run_open(mot_run **result, const mot_comm *comm, const mot_config *config)
{
    mot_run *run = NULL;
    mot_status status;
    MOT_TRY(mot_comm_agree(comm, mot_allocate(&run, 1, sizeof *run, "a run")));
    MOT_TRY(mot_run_set_up(run, comm, config, RUN_BENCH, NULL));
    mot_model_init(&run->world.model);
done:
    if (status != MOT_OK) {
        mot_free(run);
        run = NULL;
    }
    *result = run;
    return status;
}

void mot_run_close(mot_run **run)
{
    if (*run != NULL) mot_run_take_down(*run);
    mot_free(*run);
    *run = NULL;
}

mot_model *mot_run_model(mot_run *run)
{
    return &run->world.model;
}

mot_status mot_run_step(mot_run *run, mot_gidx number, mot_step_result *result)
{
    const size_t batch = run->course.config.train.batch;
    const mot_step_task task = {.first = number * (mot_gidx)batch,
                                .total = batch,
                                .number = number,
                                .stage = &run->course.config.stage[0],
                                .factor = 1};
    const mot_status status = mot_step_run(run->world.step, &run->world.train, &task, false, result);
    if (status == MOT_OK) mot_run_count_load(&run->world, result);
    return status;
}

mot_step *mot_run_stepper(mot_run *run)
{
    return run->world.step;
}

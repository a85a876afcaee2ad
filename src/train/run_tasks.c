/* What a run that learns tasks one after another finds of them: accuracy by task after each (mot/continual.h). */
#include <stdio.h>

#include "mot/log.h"
#include "mot/screen.h"
#include "mot/stage.h"
#include "mot/stream.h"
#include "run_private.h"

enum { MOST_SUMMED_UP = 64 }; /* tasks whose whole table stands in summary.json */

mot_status mot_run_tasks_create(run_tasks *tasks, const run_world *world)
{
    const mot_dataset *set = &world->eval_set;
    const mot_stream *stream = mot_dataset_stream(set);
    const bool heads = mot_step_loss(world->step)->head != NULL;
    mot_status status;
    if (stream == NULL || world->classes == 0) return MOT_OK;
    MOT_TRY(mot_task_matrix_create(&tasks->now, stream->tasks, heads, set->group_names));
    MOT_TRY(mot_task_matrix_create(&tasks->saved, stream->tasks, heads, set->group_names));
done:
    return status; /* released by mot_run_take_down */
}

void mot_run_tasks_destroy(run_tasks *tasks)
{
    mot_task_matrix_free(&tasks->now);
    mot_task_matrix_free(&tasks->saved);
}

mot_status mot_run_tasks_keep(run_tasks *tasks)
{
    return mot_task_matrix_copy(&tasks->saved, &tasks->now);
}

mot_status mot_run_tasks_hold(run_tasks *tasks, int task, const mot_memory *memory)
{
    if (!mot_task_matrix_holds(&tasks->now, task, memory->first, memory->sample))
        return mot_fail(MOT_ERR_INPUT,
                        "the run was stopped with other samples in memory (/stream/memory of its checkpoint) than this version of "
                        "mot chooses for task %d: go on with the version that wrote it",
                        task);
    return mot_task_matrix_hold(&tasks->now, task, memory->first, memory->sample);
}

/* ---- a run begins or goes on ---- */

static mot_status read_matrix(void *to, hid_t file, const char *path)
{
    mot_task_matrix *now = to, read;
    mot_status status;
    MOT_TRY(mot_task_matrix_read(&read, file, path));
    if (read.tasks == now->tasks && (read.unaided != NULL) == (now->unaided != NULL))
        status = mot_task_matrix_copy(now, &read);
    else if (read.tasks > 0)
        status = mot_fail(MOT_ERR_INPUT, "%s: /stream is of %d tasks, data.source: stream has %d here", path, read.tasks,
                          now->tasks);
    mot_task_matrix_free(&read);
done:
    return status;
}

mot_status mot_run_tasks_begin(run_tasks *tasks, const char *checkpoint)
{
    if (tasks->now.tasks == 0) return MOT_OK;
    mot_task_matrix_clear(&tasks->now);
    return checkpoint != NULL ? mot_checkpoint_more(checkpoint, read_matrix, &tasks->now) : MOT_OK;
}

/* ---- after an evaluation ---- */

static void measure(const mot_task_matrix *now, const double *table, mot_continual_figure figure[MOT_CONTINUAL_FIGURES])
{
    mot_continual_measure(now->tasks, mot_task_matrix_learned(now), table, figure);
}

static void say_learned(const mot_task_matrix *now, int task)
{
    mot_continual_figure known[MOT_CONTINUAL_FIGURES];
    const size_t T = (size_t)now->tasks, at = (size_t)(task + 1) * T + (size_t)task;
    char name[96], unaided[48] = "", forgotten[48] = "";
    measure(now, now->accuracy, known);
    if (now->names != NULL)
        snprintf(name, sizeof name, "'%.80s'", now->names[task]);
    else
        snprintf(name, sizeof name, "%d", task);
    if (now->unaided != NULL) snprintf(unaided, sizeof unaided, " (task not known %.4f)", now->unaided[at]);
    if (task > 0) snprintf(forgotten, sizeof forgotten, ", forgetting %.4f", known[MOT_CONTINUAL_FORGETTING].value);
    mot_log_wrap(2, "task %s is learned (%d of %d): acc %.4f%s; all tasks so far %.4f%s", name, task + 1, now->tasks,
                 now->accuracy[at], unaided, known[MOT_CONTINUAL_ACC].value, forgotten);
}

static void put_figures(mot_json *json, const mot_task_matrix *now)
{
    mot_continual_figure figure[MOT_CONTINUAL_FIGURES];
    measure(now, now->accuracy, figure);
    mot_continual_put(json, "stream", figure);
    if (now->unaided == NULL) return;
    measure(now, now->unaided, figure);
    mot_continual_put(json, "stream.unaided", figure);
}

static mot_status log_learned(const mot_run *run, int task)
{
    const mot_task_matrix *now = &run->reporter.tasks.now;
    const size_t T = (size_t)now->tasks, row = (size_t)(task + 1) * T;
    mot_json *json = mot_json_begin();
    mot_json_int(json, "step", run->course.progress.step);
    mot_json_int(json, "task", task);
    mot_json_reals(json, "stream.row", T, now->accuracy + row);
    if (now->unaided != NULL) mot_json_reals(json, "stream.unaided.row", T, now->unaided + row);
    if (task >= 0) put_figures(json, now);
    return mot_record_log_json(run->keeper.record, json);
}

static mot_status take(mot_run *run, int task)
{
    mot_task_matrix *now = &run->reporter.tasks.now;
    const double *accuracy = mot_run_find_figure(&run->reporter, "task_accuracy"),
                 *unaided = mot_run_find_figure(&run->reporter, "task_accuracy_unaided");
    mot_status status;
    mot_task_matrix_set(now, task, run->course.progress.step, accuracy, unaided);
    if (task >= 0) say_learned(now, task);
    MOT_TRY(log_learned(run, task));
    MOT_TRY(mot_record_by_task(run->keeper.record, now));
done:
    return status;
}

mot_status mot_run_take_tasks(mot_run *run, int task)
{
    mot_status status = MOT_OK;
    if (mot_dataset_stream(&run->world.eval_set) == NULL || run->course.again) return MOT_OK;
    if (run->reporter.tasks.now.tasks > 0) status = take(run, task); /* the root's */
    return mot_comm_agree(run->world.comm, status);
}

/* ---- at the end ---- */

void mot_run_put_task_rows(const run_reporter *reporter, const run_world *world, mot_json *json)
{
    static const char *const rows[][2] = {{"task_accuracy", "eval.task_accuracy"},
                                          {"task_accuracy_unaided", "eval.task_accuracy_unaided"},
                                          {"task_expert", "routing.task_expert"},
                                          {"task_expert_share", "routing.task_expert_share"}};
    for (size_t r = 0; r < MOT_COUNT(rows); ++r) {
        const double *row = mot_run_find_figure(reporter, rows[r][0]);
        if (row != NULL) mot_json_reals(json, rows[r][1], (size_t)world->groups, row);
    }
}

static void say_line(const char *line)
{
    mot_log_wrap(4, "%s", line);
}

void mot_run_say_tasks(const mot_run *run)
{
    mot_task_matrix_say(&run->reporter.tasks.now, mot_screen_width(), say_line);
}

void mot_run_put_tasks(const run_tasks *tasks, mot_json *json)
{
    const mot_task_matrix *now = &tasks->now;
    const size_t T = (size_t)now->tasks, numbers = (T + 1) * T;
    if (T == 0) return;
    mot_json_int(json, "stream.tasks", now->tasks);
    mot_json_int(json, "stream.learned", mot_task_matrix_learned(now));
    put_figures(json, now);
    if (T > MOST_SUMMED_UP) return;
    if (now->names != NULL) mot_json_texts(json, "stream.names", T, now->names);
    mot_json_ints(json, "stream.steps", T + 1, now->step);
    mot_json_reals(json, "stream.matrix", numbers, now->accuracy);
    if (now->unaided != NULL) mot_json_reals(json, "stream.unaided.matrix", numbers, now->unaided);
}

/* Of a stream: how right each task's samples are, and which expert serves it. Tasks are the groups of the data.
 *
 *      task_accuracy          [T]   share of a task's samples with the right label, its head being known
 *      task_accuracy_unaided  [T]   among the classes of all tasks; where each task has a head
 *      task_expert            [T]   the expert that most of them go to first, by its number in the beginning
 *      task_expert_share      [T]   the share that it has of them
 *
 * Where every expert has every sample there is none that serves a task. */
#include "mot/eval_figure.h"

#include <math.h>
#include <stdio.h>

#include "mot/stream.h"

enum { ACCURACY, EXPERT, SHARE, MEAN, UNAIDED, MEAN_UNAIDED };

static void describe(mot_evaluation *e)
{
    const mot_stream *stream = mot_dataset_stream(e->set);
    if (stream == NULL || e->classes == 0) return;
    const size_t T = (size_t)stream->tasks;
    /* clang-format off */
    e->figure[ACCURACY] = MOT_FIGURE_ROW("task_accuracy", "share of a task's samples with the right label, the task being known", T, "group");
    e->figure[EXPERT] = MOT_FIGURE_ROW("task_expert", "expert that most of a task's samples go to, by its number in the beginning", T, "group");
    e->figure[SHARE] = MOT_FIGURE_ROW("task_expert_share", "share of a task's samples that this expert has", T, "group");
    e->figure[MEAN] = MOT_FIGURE("mean_task_accuracy", "eval.mean_task_accuracy", "mean over tasks of their accuracies, the task being known");
    e->figure[UNAIDED] = MOT_FIGURE_ROW("task_accuracy_unaided", "share of a task's samples with the right label, the task not being known", T, "group");
    e->figure[MEAN_UNAIDED] = MOT_FIGURE("mean_task_accuracy_unaided", "eval.mean_task_accuracy_unaided", "mean over tasks of their accuracies, the task not being known");
    /* clang-format on */
    e->figures = e->loss.head != NULL ? MEAN_UNAIDED + 1 : MEAN + 1;
}

/* Counts of what is right, until the end. */
static void add(mot_evaluation *e, mot_gidx first, size_t n, const mot_step_result *result)
{
    (void)first;
    for (size_t b = 0; b < n; ++b) {
        if (result->group[b] < 0) continue;
        e->value[ACCURACY][result->group[b]] += result->right[b];
        if (e->figures > UNAIDED) e->value[UNAIDED][result->group[b]] += result->right_unaided[b];
    }
}

/* Counts become shares; their mean. A task without samples has none, and then there is no mean. */
static double share_all(const mot_stream *stream, double *value)
{
    double sum = 0;
    for (int t = 0; t < stream->tasks; ++t) {
        value[t] /= (double)(stream->first[t + 1] - stream->first[t]);
        sum += value[t];
    }
    return sum / stream->tasks;
}

/* Of equals the first. */
static void find_expert(const mot_evaluation *e, size_t task)
{
    const size_t E = (size_t)e->model->layer->experts;
    const int64_t *load = e->group_load + task * E;
    int64_t all = 0;
    size_t most = 0;
    for (size_t i = 0; i < E; ++i) {
        all += load[i];
        if (load[i] > load[most]) most = i;
    }
    const bool serves = all > 0 && !e->model->layer->gate.kind->spread;
    e->value[EXPERT][task] = serves ? e->model->layer->origin[most] : NAN;
    e->value[SHARE][task] = serves ? (double)load[most] / (double)all : NAN;
}

static void end(mot_evaluation *e)
{
    const mot_stream *stream = mot_dataset_stream(e->set);
    if (e->model->comm->rank != MOT_ROOT) return;
    *e->value[MEAN] = share_all(stream, e->value[ACCURACY]);
    if (e->figures > UNAIDED) *e->value[MEAN_UNAIDED] = share_all(stream, e->value[UNAIDED]);
    for (int t = 0; t < stream->tasks; ++t) find_expert(e, (size_t)t);
}

static void say(const mot_evaluation *e, char text[MOT_FIGURE_WORDS])
{
    const int used = snprintf(text, MOT_FIGURE_WORDS, "mean over tasks %.4f", *e->value[MEAN]);
    if (e->figures > UNAIDED)
        snprintf(text + used, MOT_FIGURE_WORDS - (size_t)used, ", task not known %.4f", *e->value[MEAN_UNAIDED]);
}

const mot_figure_kind mot_figure_tasks = {.kind = {"tasks"}, .describe = describe, .add = add, .end = end, .say = say};

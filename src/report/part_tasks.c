/* A stream of tasks: what is right in each after each, and how much of it is forgotten. */
#include <math.h>
#include <string.h>

#include "mot/source.h"
#include "parts.h"

enum { MOST_TASKS = 250 };

/* A run, and the names of its rows and columns. */
typedef struct subject {
    report_all *report;
    report_part *part;
    const mot_task_matrix *of;
    int r;
    size_t T, learned;
    const char *const *tasks, **after; /* [T], [T + 1]: before the first step, and after each task */
} subject;

static mot_status name(subject *s)
{
    const char **tasks;
    mot_status status;
    MOT_TRY(mot_report_take(&s->report->pool, &tasks, s->T, sizeof *tasks));
    MOT_TRY(mot_report_take(&s->report->pool, &s->after, s->T + 1, sizeof *s->after));
    s->after[0] = "before";
    for (size_t t = 0; t < s->T; ++t) {
        tasks[t] = s->of->names != NULL ? mot_report_text(&s->report->pool, "%s", s->of->names[t]) : mot_report_text(&s->report->pool, "%zu", t);
        s->after[t + 1] = tasks[t];
    }
    s->tasks = tasks;
done:
    return status;
}

/* A table by tasks, whose values [rows, T] are yet to be put. */
static mot_status put_heat(const subject *s, const char *id, const char *title, const char *unit, const char *rows, size_t count,
                           const char *const *names, report_view **view)
{
    mot_status status;
    MOT_TRY(mot_report_view(s->report, s->part, REPORT_HEAT, id, title, s->r, -1, view));
    (*view)->x = (report_axis){.label = "task", .count = s->T, .names = s->tasks};
    (*view)->y = (report_axis){.label = rows, .count = count, .names = names};
    (*view)->unit = unit;
    MOT_TRY(mot_report_frames(s->report, *view, 1, count * s->T));
    (*view)->frame[0].step = -1; /* each row has its own */
    (*view)->frame[0].label = "as far as it was learned";
done:
    return status;
}

/* The best so far since the task was learned, less what is right now; of tasks that have been learned. */
static mot_status put_forgetting(const subject *s)
{
    const double *const R = s->of->accuracy + s->T; /* from the row of task 0 on */
    report_view *view;
    mot_status status;
    MOT_TRY(put_heat(s, "tasks-forgetting", "Forgetting of each task", "best so far less now", "after task", s->T, s->tasks, &view));
    double *const lost = (double *)view->frame[0].value;
    for (size_t i = 0; i < s->T; ++i)
        for (size_t j = 0; j < s->T; ++j) {
            double best = NAN;
            for (size_t l = j; l <= i; ++l) best = fmax(best, R[l * s->T + j]);
            lost[i * s->T + j] = best - R[i * s->T + j];
        }
done:
    return status;
}

/* Rows that were measured, as lines over steps. */
static mot_status put_lines(const subject *s)
{
    double *step;
    size_t rows = 0, pick[MOST_TASKS + 1];
    report_view *view;
    mot_status status;
    for (size_t r = 0; r <= s->T; ++r)
        if (s->of->step[r] >= 0) pick[rows++] = r;
    MOT_TRY(mot_report_take(&s->report->pool, &step, rows, sizeof *step));
    for (size_t i = 0; i < rows; ++i) step[i] = (double)s->of->step[pick[i]];
    MOT_TRY(mot_report_view(s->report, s->part, REPORT_LINES, "tasks-accuracy", "Accuracy of each task", s->r, -1, &view));
    view->x = (report_axis){.label = "step", .count = rows, .values = step};
    view->y = (report_axis){.label = "accuracy", .low = 0, .high = 1};
    MOT_TRY(mot_report_series(s->report, view, s->T, rows, false));
    for (size_t j = 0; j < s->T; ++j) {
        view->series[j].name = s->tasks[j];
        for (size_t i = 0; i < rows; ++i) mot_report_values(view, j)[i] = s->of->accuracy[pick[i] * s->T + j];
    }
done:
    return status;
}

/* The figures of the run as it was after each task. */
static mot_status put_course(const subject *s)
{
    static const mot_continual_name shown[] = {MOT_CONTINUAL_ACC, MOT_CONTINUAL_LEARNING, MOT_CONTINUAL_FORGETTING, MOT_CONTINUAL_BWT,
                                               MOT_CONTINUAL_FWT};
    mot_continual_figure figure[MOT_CONTINUAL_FIGURES];
    double *task;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_take(&s->report->pool, &task, s->learned, sizeof *task));
    MOT_TRY(mot_report_view(s->report, s->part, REPORT_LINES, "tasks-course", "Figures after each task", s->r, -1, &view));
    view->x = (report_axis){.label = "task that was learned last", .count = s->learned, .values = task};
    view->y = (report_axis){.label = "accuracy, and differences of it"};
    MOT_TRY(mot_report_series(s->report, view, MOT_COUNT(shown), s->learned, false));
    for (size_t k = 0; k < MOT_COUNT(shown); ++k) view->series[k].name = mot_continual_abouts[shown[k]].title;
    for (size_t i = 0; i < s->learned; ++i) {
        task[i] = (double)i;
        mot_continual_measure((int)s->T, (int)i + 1, s->of->accuracy, figure);
        for (size_t k = 0; k < MOT_COUNT(shown); ++k) mot_report_values(view, k)[i] = figure[shown[k]].value;
    }
done:
    return status;
}

/* Its value, or why there is none. */
static void fill(report_all *report, report_cell *cell, const mot_continual_figure *figure)
{
    cell->value = figure->value;
    if (figure->why[0] != '\0') cell->text = mot_report_text(&report->pool, "none: %s", figure->why);
}

static mot_status put_figures(const subject *s)
{
    static const char *const columns[] = {"figure", "value", "what it is", "value, the task not being known"};
    const size_t count = MOT_COUNT(columns) - (s->of->unaided == NULL);
    mot_continual_figure known[MOT_CONTINUAL_FIGURES], unaided[MOT_CONTINUAL_FIGURES];
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(s->report, s->part, REPORT_TABLE, "tasks-figures", "Figures at the end", s->r, -1, &view));
    view->x = (report_axis){.count = count, .names = columns};
    view->rows = MOT_CONTINUAL_FIGURES;
    MOT_TRY(mot_report_take(&s->report->pool, &view->cell, view->rows * count, sizeof *view->cell));
    mot_continual_measure((int)s->T, (int)s->learned, s->of->accuracy, known);
    if (s->of->unaided != NULL) mot_continual_measure((int)s->T, (int)s->learned, s->of->unaided, unaided);
    for (size_t f = 0; f < MOT_CONTINUAL_FIGURES; ++f) {
        report_cell *const cell = view->cell + f * count;
        cell[0].text = mot_continual_abouts[f].title;
        fill(s->report, &cell[1], &known[f]);
        cell[2].text = mot_continual_abouts[f].long_name;
        if (s->of->unaided != NULL) fill(s->report, &cell[3], &unaided[f]);
    }
done:
    return status;
}

static bool any_number(size_t count, const double *value)
{
    for (size_t i = 0; i < count; ++i)
        if (!isnan(value[i])) return true;
    return false;
}

/* The tables as they stand. */
static mot_status put_tables(const subject *s)
{
    const size_t numbers = (s->T + 1) * s->T;
    report_view *view;
    mot_status status;
    MOT_TRY(put_heat(s, "tasks-matrix", "Accuracy of each task after each", "share", "after task", s->T + 1, s->after, &view));
    memcpy((double *)view->frame[0].value, s->of->accuracy, numbers * sizeof(double));
    if (s->of->unaided != NULL) {
        MOT_TRY(put_heat(s, "tasks-matrix-unaided", "The same, the task not being known", "share", "after task", s->T + 1, s->after, &view));
        memcpy((double *)view->frame[0].value, s->of->unaided, numbers * sizeof(double));
    }
    MOT_TRY(put_forgetting(s));
    if (!any_number(s->T * s->T, s->of->cosine)) goto done;
    MOT_TRY(put_heat(s, "tasks-cosine", "Likeness of tasks", "cosine of gradients", "task that begins", s->T, s->tasks, &view));
    view->diverging = true;
    memcpy((double *)view->frame[0].value, s->of->cosine, s->T * s->T * sizeof(double));
done:
    return status;
}

static mot_status put_run(report_all *report, report_part *part, int r)
{
    const report_run *const run = &report->run[r];
    subject s = {.report = report, .part = part, .of = &run->tasks, .r = r, .T = (size_t)run->tasks.tasks};
    mot_status status = MOT_OK;
    const bool stream = run->config != NULL && mot_source_kind_at(run->config->data.source)->tasks;
    if (s.T == 0 && !stream) mot_report_lacks(report, part, run, "The data are no stream of tasks (data.source: stream).");
    if (s.T == 0 && stream)
        mot_report_lacks(report, part, run, "No task has been evaluated yet, or run.h5 is missing, which the next checkpoint of the run makes.");
    if (s.T > MOST_TASKS) mot_report_lacks(report, part, run, "%zu tasks are too many for a table of all pairs: up to %d have one.", s.T, (int)MOST_TASKS);
    if (s.T == 0 || s.T > MOST_TASKS) return MOT_OK;
    s.learned = (size_t)mot_task_matrix_learned(&run->tasks);
    MOT_TRY(name(&s));
    MOT_TRY(put_tables(&s));
    MOT_TRY(put_lines(&s));
    MOT_TRY(put_course(&s));
    MOT_TRY(put_figures(&s));
done:
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    mot_status status = MOT_OK;
    for (int r = 0; r < (int)report->runs; ++r) MOT_TRY(put_run(report, part, r));
    MOT_TRY(mot_report_over_seeds(report, part, "tasks-course"));
done:
    return status;
}

const report_part_kind mot_report_part_tasks = {
    .id = "tasks",
    .title = "Tasks",
    .definition = "Of a stream of tasks: the accuracy of each task (column) before the first step and after each task that was learned "
                  "(rows); above the diagonal tasks have not been learned yet. Forgetting of a task is its best accuracy since it was "
                  "learned less that of the row. The figures at the end say themselves what they are; after an earlier task they are those of the "
                  "run as it was then. Likeness is the cosine of the gradients of an old task and of one that begins.",
    .denominator = "The samples of the task that are held out, its label being sought among the task's own classes; the task not being "
                   "known, among all classes. Figures are means over tasks.",
    .interval = "None: shares of all samples of a fixed set. Over seeds: of the mean of several runs, by bootstrap.",
    .make = make,
};

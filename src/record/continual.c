#include "mot/continual.h"

#include <math.h>
#include <stdio.h>

/* clang-format off */
const mot_continual_about mot_continual_abouts[MOT_CONTINUAL_FIGURES] = {
    [MOT_CONTINUAL_ACC] = {"acc", "accuracy", "mean accuracy of the tasks at the end"},
    [MOT_CONTINUAL_LEARNING] = {"learning", "learning accuracy", "mean accuracy of a task right after it was learned"},
    [MOT_CONTINUAL_INCREMENTAL] = {"incremental", "average incremental accuracy", "mean over tasks i of the mean accuracy of tasks 0 to i after i"},
    [MOT_CONTINUAL_BWT] = {"bwt", "backward transfer", "mean growth of a task's accuracy from right after it was learned to the end"},
    [MOT_CONTINUAL_FWT] = {"fwt", "forward transfer", "mean growth of a task's accuracy from before the first step to right before its turn"},
    [MOT_CONTINUAL_FORGETTING] = {"forgetting", "forgetting", "mean of best accuracy after any task before the last, minus accuracy at the end"},
    [MOT_CONTINUAL_FORGETTING_LEARNED] = {"forgetting_learned", "forgetting since it was learned", "mean of best accuracy since the task was learned and before the end, minus accuracy at the end"},
    [MOT_CONTINUAL_FORGETTING_PEAK] = {"forgetting_peak", "forgetting from the peak", "mean of best accuracy since the task was learned, the end among it, minus accuracy at the end"},
    [MOT_CONTINUAL_FORGETTING_FIRST] = {"forgetting_first", "forgetting from right after it", "mean of accuracy right after the task was learned, minus accuracy at the end"},
};
/* clang-format on */

/* A sum over tasks that is being taken, and what was missing first. */
typedef struct mean {
    int tasks; /* columns of the table */
    const double *table;
    double sum;
    int count;
    mot_continual_figure *to;
} mean;

static mean begin(int tasks, const double *table, mot_continual_figure *to)
{
    to->why[0] = '\0';
    return (mean){.tasks = tasks, .table = table, .to = to};
}

/* R(row, task); row -1 is b. */
static double at(mean *m, int row, int task)
{
    const double value = m->table[(size_t)(row + 1) * (size_t)m->tasks + (size_t)task];
    if (!isnan(value) || m->to->why[0] != '\0') return value;
    if (row < 0)
        snprintf(m->to->why, sizeof m->to->why, "the accuracy of task %d before the first step was not measured", task);
    else
        snprintf(m->to->why, sizeof m->to->why, "the accuracy of task %d after task %d was not measured", task, row);
    return value;
}

/* By how much the task is better after `row` than after `before`, which is looked at first. */
static double growth(mean *m, int before, int row, int task)
{
    const double from = at(m, before, task);
    return at(m, row, task) - from;
}

static void add(mean *m, double value)
{
    m->sum += value;
    ++m->count;
}

/* The best of rows first to last, at least one. */
static double best(mean *m, int first, int last, int task)
{
    double most = -INFINITY;
    for (int row = first; row <= last; ++row) {
        const double value = at(m, row, task);
        if (isnan(value)) return NAN;
        most = fmax(most, value);
    }
    return most;
}

static void end(const mean *m, const char *none)
{
    m->to->value = m->count > 0 && m->to->why[0] == '\0' ? m->sum / m->count : NAN;
    if (m->count == 0) snprintf(m->to->why, sizeof m->to->why, "%s", none);
}

static void accuracies(int T, int n, const double *table, mot_continual_figure *figure)
{
    const char *const none = "no task has been learned";
    mean acc = begin(T, table, &figure[MOT_CONTINUAL_ACC]), learning = begin(T, table, &figure[MOT_CONTINUAL_LEARNING]),
         incremental = begin(T, table, &figure[MOT_CONTINUAL_INCREMENTAL]);
    for (int j = 0; j < n; ++j) {
        double sum = 0;
        add(&acc, at(&acc, n - 1, j));
        add(&learning, at(&learning, j, j));
        for (int k = 0; k <= j; ++k) sum += at(&incremental, j, k);
        add(&incremental, sum / (j + 1));
    }
    end(&acc, none);
    end(&learning, none);
    end(&incremental, none);
}

static void transfers(int T, int n, const double *table, mot_continual_figure *figure)
{
    mean backward = begin(T, table, &figure[MOT_CONTINUAL_BWT]), forward = begin(T, table, &figure[MOT_CONTINUAL_FWT]);
    for (int j = 0; j < n - 1; ++j) add(&backward, growth(&backward, j, n - 1, j));
    for (int j = 1; j < n; ++j) add(&forward, growth(&forward, -1, j - 1, j));
    end(&backward, "no task was learned before another");
    end(&forward, "no task was learned after another");
}

static void forgettings(int T, int n, const double *table, mot_continual_figure *figure)
{
    static const struct {
        mot_continual_name name;
        bool before, last; /* of the rows: those before the task was learned, and the last one */
        bool first;        /* no other than that right after it */
    } kinds[] = {{.name = MOT_CONTINUAL_FORGETTING, .before = true},
                 {.name = MOT_CONTINUAL_FORGETTING_LEARNED},
                 {.name = MOT_CONTINUAL_FORGETTING_PEAK, .last = true},
                 {.name = MOT_CONTINUAL_FORGETTING_FIRST, .first = true}};
    for (size_t k = 0; k < MOT_COUNT(kinds); ++k) {
        mean forgotten = begin(T, table, &figure[kinds[k].name]);
        for (int j = 0; j < n - 1; ++j) {
            const int from = kinds[k].before ? 0 : j, to = kinds[k].first ? j : n - 2 + kinds[k].last;
            const double peak = best(&forgotten, from, to, j);
            add(&forgotten, peak - at(&forgotten, n - 1, j));
        }
        end(&forgotten, "no task was learned before another");
    }
}

void mot_continual_measure(int tasks, int learned, const double *table,
                           mot_continual_figure figure[MOT_CONTINUAL_FIGURES])
{
    accuracies(tasks, learned, table, figure);
    transfers(tasks, learned, table, figure);
    forgettings(tasks, learned, table, figure);
}

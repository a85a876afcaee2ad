/* The accuracies by task, and their figures, for people.
 *
 *      task known                 0     1     2
 *      before                  33.1  20.4  10.2
 *      0: cats                 80.0                      rows: learned last; columns: in which samples; per cent
 *      1: dogs                 90.0  70.0
 *      2: birds                60.0  50.0  60.0
 *      forgotten               30.0  20.0                best after any task before the last, less the last row
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/continual.h"
#include "mot/screen.h"

/* Tasks that are shown as a triangle, and as rows of a list; columns of a name, a share, a column of a list. */
enum { MOST_TRIANGLE = 24, MOST_LISTED = 50, NAME = 18, SHARE = 6, COLUMN = 10, LINE = 1024 };

typedef void say_line(const char *line);

/* One of the two tables, of which the first n tasks are learned. */
typedef struct view {
    const mot_task_matrix *matrix;
    const double *table;
    const char *title;
    int n, name;
    say_line *say;
} view;

static double at(const view *v, int row, int task)
{
    return v->table[(size_t)(row + 1) * (size_t)v->matrix->tasks + (size_t)task];
}

static double best(const view *v, int first, int last, int task)
{
    double most = NAN;
    for (int row = first; row <= last; ++row) most = fmax(most, at(v, row, task));
    return most;
}

/* NaN of the last task, which cannot be forgotten yet. */
static double forgotten(const view *v, int task)
{
    return task < v->n - 1 ? best(v, 0, v->n - 2, task) - at(v, v->n - 1, task) : NAN;
}

static size_t put_name(const view *v, char line[LINE], const char *name)
{
    mot_screen_cell(line, LINE, name, v->name);
    return strlen(line);
}

static size_t put_task(const view *v, char line[LINE], int task)
{
    char number[16];
    snprintf(number, sizeof number, "%d", task);
    return put_name(v, line, v->matrix->names != NULL ? v->matrix->names[task] : number);
}

/* A share in per cent as a column; a point where there is none, or, of a file of others, what is no share. */
static size_t put_share(char line[LINE], size_t at, int width, double share)
{
    if (!(fabs(share) <= 1)) return at + (size_t)snprintf(line + at, LINE - at, "%*s", width, ".");
    return at + (size_t)snprintf(line + at, LINE - at, "%*.1f", width, 100 * share);
}

/* ---- few tasks: a triangle, as many columns at a time as there is room for ---- */

static void say_columns(const view *v, int first, int end)
{
    char line[LINE];
    size_t used = put_name(v, line, v->title);
    for (int j = first; j < end; ++j) used += (size_t)snprintf(line + used, LINE - used, "%*d", SHARE, j);
    v->say(line);
    for (int row = first == 0 ? -1 : first; row < v->n; ++row) {
        used = row < 0 ? put_name(v, line, "before") : put_task(v, line, row);
        for (int j = first; j < end && (row < 0 || j <= row); ++j) used = put_share(line, used, SHARE, at(v, row, j));
        v->say(line);
    }
    used = put_name(v, line, "forgotten");
    for (int j = first; j < end && j < v->n - 1; ++j) used = put_share(line, used, SHARE, forgotten(v, j));
    if (first < v->n - 1) v->say(line);
}

static void say_triangle(const view *v, int width)
{
    const int room = MOT_MAX((MOT_MIN(width, LINE / 2) - v->name) / SHARE, 1);
    for (int first = 0; first < v->n; first += room) {
        if (first > 0) v->say("");
        say_columns(v, first, MOT_MIN(first + room, v->n));
    }
}

/* ---- many: a row each ---- */

static void say_list(const view *v)
{
    char line[LINE];
    size_t used = put_name(v, line, v->title);
    const int shown = MOT_MIN(v->n, MOST_LISTED);
    snprintf(line + used, LINE - used, "%*s%*s%*s%*s", COLUMN, "learned", COLUMN, "best", COLUMN, "now", COLUMN,
             "forgotten");
    v->say(line);
    for (int j = 0; j < shown; ++j) {
        used = put_task(v, line, j);
        used = put_share(line, used, COLUMN, at(v, j, j));
        used = put_share(line, used, COLUMN, best(v, 0, v->n - 1, j));
        used = put_share(line, used, COLUMN, at(v, v->n - 1, j));
        put_share(line, used, COLUMN, forgotten(v, j));
        v->say(line);
    }
    if (shown == v->n) return;
    snprintf(line, sizeof line, "shown: %d of %d tasks; all: group /stream of run.h5", shown, v->n);
    v->say(line);
}

static void say_table(const mot_task_matrix *matrix, const double *table, const char *title, int width, say_line *say)
{
    const view v = {matrix, table, title, mot_task_matrix_learned(matrix), MOT_MIN(NAME, MOT_MAX(width / 4, 1)), say};
    say("");
    if (v.n <= MOST_TRIANGLE)
        say_triangle(&v, width);
    else
        say_list(&v);
}

/* ---- figures ---- */

static size_t put_figure(char line[LINE], size_t used, double value)
{
    if (isnan(value)) return used + (size_t)snprintf(line + used, LINE - used, "%13s", "none");
    return used + (size_t)snprintf(line + used, LINE - used, "%13.4f", value);
}

/* All that are missing for one reason in one line. */
static void say_missing(const mot_continual_figure *figure, say_line *say)
{
    for (int f = 0; f < MOT_CONTINUAL_FIGURES; ++f) {
        char line[LINE] = "  no ";
        size_t used = strlen(line);
        bool first = figure[f].why[0] != '\0';
        for (int g = 0; g < f; ++g) first = first && strcmp(figure[g].why, figure[f].why) != 0;
        if (!first) continue;
        for (int g = f; g < MOT_CONTINUAL_FIGURES; ++g)
            if (strcmp(figure[g].why, figure[f].why) == 0)
                used += (size_t)snprintf(line + used, LINE - used, "%s%s", g > f ? ", " : "", mot_continual_abouts[g].title);
        snprintf(line + used, LINE - used, ": %s", figure[f].why);
        say(line);
    }
}

static void say_figures(const mot_task_matrix *matrix, say_line *say)
{
    enum { TITLE = 34 };
    mot_continual_figure known[MOT_CONTINUAL_FIGURES], unaided[MOT_CONTINUAL_FIGURES];
    const int T = matrix->tasks, n = mot_task_matrix_learned(matrix);
    char line[LINE];
    mot_continual_measure(T, n, matrix->accuracy, known);
    if (matrix->unaided != NULL) mot_continual_measure(T, n, matrix->unaided, unaided);
    say("");
    size_t used = (size_t)snprintf(line, LINE, "after %d of %d task%s", n, T, T == 1 ? "" : "s");
    if (matrix->unaided != NULL) snprintf(line + used, LINE - used, "%*s%13s", TITLE + 13 - (int)used, "task known", "not known");
    say(line);
    for (int f = 0; f < MOT_CONTINUAL_FIGURES; ++f) {
        used = (size_t)snprintf(line, LINE, "  %-*s", TITLE - 2, mot_continual_abouts[f].title);
        used = put_figure(line, used, known[f].value);
        if (matrix->unaided != NULL) put_figure(line, used, unaided[f].value);
        say(line);
    }
    say_missing(known, say);
}

void mot_task_matrix_say(const mot_task_matrix *matrix, int width, void (*say)(const char *line))
{
    if (matrix->tasks == 0 || mot_task_matrix_learned(matrix) == 0) return;
    const bool both = matrix->unaided != NULL;
    say_table(matrix, matrix->accuracy, both ? "task known, %" : "accuracy, %", width, say);
    if (both) say_table(matrix, matrix->unaided, "task not known, %", width, say);
    say_figures(matrix, say);
}

void mot_continual_put(mot_json *json, const char *prefix, const mot_continual_figure figure[MOT_CONTINUAL_FIGURES])
{
    for (int f = 0; f < MOT_CONTINUAL_FIGURES; ++f) {
        char key[96];
        snprintf(key, sizeof key, "%s.%s", prefix, mot_continual_abouts[f].key);
        mot_json_real(json, key, figure[f].value);
        if (figure[f].why[0] == '\0') continue;
        snprintf(key, sizeof key, "%s.%s.why", prefix, mot_continual_abouts[f].key);
        mot_json_text(json, key, figure[f].why);
    }
}

/* F and G against samples, memory, noise and width: lines of the theory, points of the simulation. */
#include <math.h>

#include "rehearsal_study.h"

typedef enum quantity { SAMPLES, MEMORY, NOISE, WIDTH, QUANTITIES } quantity;
enum { MOST = 7, STRATEGIES = MOT_REHEARSAL_STRATEGIES - 1, LINES = 61 }; /* hybrid is one of the others here */
static const struct {
    const char *label;
    size_t count;
    double value[MOST];
} swept[QUANTITIES] = {[SAMPLES] = {"samples n", 7, {4, 8, 12, 24, 48, 72, 96}},
                       [MEMORY] = {"memory M", 7, {0, 6, 12, 24, 48, 72, 96}},
                       [NOISE] = {"noise s", 6, {0, 0.15, 0.3, 0.6, 0.9, 1.2}},
                       [WIDTH] = {"width p", 7, {60, 70, 90, 120, 200, 400, 800}}};
static const int after[] = {2, 5};
enum { AFTERS = MOT_COUNT(after) };
#define GAP 1.0

static mot_rehearsal setting_of(quantity which, double value, int tasks)
{
    mot_rehearsal of = mot_rehearsal_usual(tasks);
    if (which == SAMPLES) of.samples = (size_t)value;
    if (which == MEMORY) of.memory = (size_t)value;
    if (which == NOISE) of.noise = value;
    if (which == WIDTH) of.width = (size_t)value;
    return of;
}

/* The quick form leaves out every other one. */
static size_t step_of(const mot_study *study)
{
    return study->options.quick ? 2 : 1;
}

static mot_status measure(mot_study *study, rehearsal_numbers *numbers)
{
    rehearsal_batch batch = {0};
    mot_status status = MOT_OK;
    for (int q = 0; q < QUANTITIES; ++q)
        for (size_t i = 0; i < swept[q].count; i += step_of(study)) {
            const mot_rehearsal setting = setting_of((quantity)q, swept[q].value[i], after[AFTERS - 1]);
            MOT_TRY(mot_rehearsal_batch_make(&batch, &setting, STRATEGIES));
            for (int s = 0; s < STRATEGIES; ++s)
                MOT_TRY(mot_rehearsal_batch_apart(&batch, GAP, &(mot_rehearsal_rule){.strategy = (mot_rehearsal_strategy)s}));
            MOT_TRY(mot_rehearsal_measure(study->comm, &batch, study->options.seed, mot_rehearsal_runs(study), after, AFTERS,
                                          numbers));
            mot_rehearsal_batch_free(&batch);
        }
done:
    mot_rehearsal_batch_free(&batch);
    return status;
}

/* ---- the pictures ---- */

typedef struct curves {
    rehearsal_bars bars[STRATEGIES];
    double at[LINES], line[STRATEGIES][LINES];
    mot_series series[3 * STRATEGIES];
    char title[64];
} curves;

static mot_status find_line(quantity which, int tasks, int figure, curves *of)
{
    double w[REHEARSAL_TRUTHS], loss[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS];
    const double least = swept[which].value[0], most = swept[which].value[swept[which].count - 1];
    const mot_rehearsal_truths truths = mot_rehearsal_apart(tasks, GAP, w);
    mot_rehearsal_plan plan;
    mot_status status = MOT_OK;
    for (size_t i = 0; i < LINES; ++i) {
        const double part = (double)i / (LINES - 1);
        of->at[i] = which == WIDTH ? round(least * pow(most / least, part)) : least + part * (most - least);
        if (which != NOISE) of->at[i] = floor(of->at[i]);
        const mot_rehearsal setting = setting_of(which, of->at[i], tasks);
        for (int s = 0; s < STRATEGIES; ++s) {
            MOT_TRY(mot_rehearsal_make_plan(&setting, &truths, &(mot_rehearsal_rule){.strategy = (mot_rehearsal_strategy)s},
                                            &plan));
            mot_rehearsal_theory(&setting, &truths, &plan, loss);
            const mot_rehearsal_figures figures = mot_rehearsal_figures_of(loss, tasks, tasks);
            of->line[s][i] = figure == 0 ? figures.forgetting : figures.error;
        }
    }
done:
    return status;
}

/* `first`: the first column of the quantity. Returns how many values of it there are. */
static size_t find_points(const mot_study *study, const rehearsal_numbers *numbers, quantity which, size_t first, size_t a,
                          int figure, curves *of)
{
    size_t count = 0;
    for (int s = 0; s < STRATEGIES; ++s) mot_rehearsal_bars_begin(&of->bars[s]);
    for (size_t i = 0; i < swept[which].count; i += step_of(study), ++count)
        for (size_t s = 0; s < STRATEGIES; ++s) {
            const size_t column = first + ((count * STRATEGIES + s) * AFTERS + a) * 2 + (size_t)figure;
            const rehearsal_mean mean = mot_rehearsal_mean(numbers, column);
            mot_rehearsal_bars_add(&of->bars[s], swept[which].value[i], &mean);
        }
    return count;
}

static mot_panel panel_of(quantity which, int tasks, int figure, curves *of)
{
    static const int color[] = {8, 1, 2};
    for (int s = 0; s < STRATEGIES; ++s) {
        of->series[3 * s] = (mot_series){.label = mot_rehearsal_strategy_names[s], .count = LINES, .x = of->at,
                                         .y = of->line[s], .color = color[s]};
        mot_rehearsal_bars_series(&of->bars[s], color[s], &of->series[3 * s + 1]);
    }
    snprintf(of->title, sizeof of->title, "%s, T = %d", figure == 0 ? "F" : "G", tasks);
    mot_panel panel = mot_study_lines(of->title, swept[which].label, (mot_axis){.label = figure == 0 ? "F" : "G"}, of->series,
                                      3 * STRATEGIES);
    if (which == WIDTH) panel.x.log = 10;
    return panel;
}

static mot_status draw(mot_study *study, const rehearsal_numbers *numbers, size_t a, const char *name)
{
    static curves of[QUANTITIES][2];
    mot_panel panels[2 * QUANTITIES];
    size_t first = 0, count = 0;
    char caption[160];
    mot_status status = MOT_OK;
    for (int q = 0; q < QUANTITIES; ++q) {
        for (int figure = 0; figure < 2; ++figure) {
            curves *at = &of[q][figure];
            count = find_points(study, numbers, (quantity)q, first, a, figure, at);
            MOT_TRY(find_line((quantity)q, after[a], figure, at));
            panels[figure * QUANTITIES + q] = panel_of((quantity)q, after[a], figure, at);
        }
        first += count * STRATEGIES * AFTERS * 2;
    }
    snprintf(caption, sizeof caption, "T = %d, g = %g. Lines: closed forms. Points: simulated, with 3 standard errors to either side.", after[a], GAP);
    const mot_figure figure = {.panels = panels, .panel_count = MOT_COUNT(panels), .columns = QUANTITIES, .width = 1100};
    MOT_TRY(mot_study_draw(study, name, caption, &figure));
done:
    return status;
}

static mot_status keep(mot_study *study, const rehearsal_numbers *numbers)
{
    enum { EACH = STRATEGIES * AFTERS * 2 };
    double table[QUANTITIES * MOST][EACH][3];
    const size_t rows = numbers->columns / EACH;
    for (size_t i = 0; i < rows; ++i)
        for (size_t k = 0; k < EACH; ++k) {
            const rehearsal_mean mean = mot_rehearsal_mean(numbers, i * EACH + k);
            table[i][k][0] = mean.theory, table[i][k][1] = mean.mean, table[i][k][2] = mean.error;
        }
    return mot_study_keep(study, "sizes", "points", 5, (const hsize_t[]){rows, STRATEGIES, AFTERS, 2, 3}, &table[0][0][0]);
}

static mot_status tell(mot_study *study, const rehearsal_numbers *numbers)
{
    mot_status status;
    mot_study_section(study, "Against samples, memory, noise and width");
    mot_study_say(study, "Tasks that are all %g apart. A joint fit has more of the noise than single ones have together, the more "
                         "so the nearer n + M comes to p; memory is good for G up to a point. The memory's share of a task is "
                         "rounded down, which makes the steps in the lines over M.\n\n",
                  GAP);
    MOT_TRY(draw(study, numbers, 0, "sizes-2"));
    MOT_TRY(draw(study, numbers, 1, "sizes-5"));
    MOT_TRY(keep(study, numbers));
    MOT_TRY(mot_rehearsal_tell_agreement(study, numbers, "sizes", "Over n, M, s and p, T = 2 and 5", false));
done:
    return status;
}
const rehearsal_claim mot_rehearsal_sizes = {"sizes", measure, tell};

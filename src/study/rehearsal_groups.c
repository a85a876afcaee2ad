/* Two groups of tasks in turns: where hybrid rehearsal differs from both others. */
#include <math.h>

#include "rehearsal_study.h"

static const double gaps[] = {0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2};
static const int after[] = {4, 5, 10};
enum { GAPS = MOT_COUNT(gaps), AFTERS = MOT_COUNT(after), STRATEGIES = 3, LINES = 81, SHOWN = 1 /* T = 5 */ };
static const double own = 0.1, far = 0.3, noise = 0.1, clear = 1; /* the verdict is about groups at least `clear` apart */

static mot_rehearsal setting_of(int tasks)
{
    mot_rehearsal of = mot_rehearsal_usual(tasks);
    of.noise = noise;
    return of;
}

static mot_rehearsal_rule rule_of(int s)
{
    return (mot_rehearsal_rule){.strategy = (mot_rehearsal_strategy)(MOT_REHEARSAL_CONCURRENT + s), .bound = far};
}

/* A unit part that all have in common, one of each group, and one of each task. */
static mot_rehearsal_truths truths_of(int tasks, double gap, double *w)
{
    const size_t length = 3 + (size_t)tasks;
    for (size_t i = 0; i < (size_t)tasks * length; ++i) w[i] = 0;
    for (int t = 0; t < tasks; ++t) {
        double *of = w + (size_t)t * length;
        of[0] = 1;
        of[1 + t % 2] = gap / sqrt(2);
        of[3 + t] = own / sqrt(2);
    }
    return (mot_rehearsal_truths){tasks, length, w};
}

static mot_status measure(mot_study *study, rehearsal_numbers *numbers)
{
    rehearsal_batch batch = {0};
    double w[REHEARSAL_TRUTHS];
    const mot_rehearsal setting = setting_of(after[AFTERS - 1]);
    mot_status status;
    MOT_TRY(mot_rehearsal_batch_make(&batch, &setting, GAPS * STRATEGIES));
    for (size_t g = 0; g < GAPS; ++g)
        for (int s = 0; s < STRATEGIES; ++s) {
            const mot_rehearsal_truths truths = truths_of(setting.tasks, gaps[g], w);
            const mot_rehearsal_rule rule = rule_of(s);
            MOT_TRY(mot_rehearsal_batch_add(&batch, &truths, &rule));
        }
    MOT_TRY(mot_rehearsal_measure(study->comm, &batch, study->options.seed, mot_rehearsal_many_runs(study), after, AFTERS,
                                  numbers));
done:
    mot_rehearsal_batch_free(&batch);
    return status;
}

static size_t column_of(size_t gap, size_t strategy, size_t a, size_t figure)
{
    return ((gap * STRATEGIES + strategy) * AFTERS + a) * 2 + figure;
}

/* Hybrid less the better of the other two, which that is by theory. */
static rehearsal_mean gain_of(const rehearsal_numbers *numbers, size_t gap, size_t a, size_t figure)
{
    const size_t joint = column_of(gap, 0, a, figure), single = column_of(gap, 1, a, figure);
    return mot_rehearsal_difference(numbers, column_of(gap, 2, a, figure),
                                    numbers->theory[joint] < numbers->theory[single] ? joint : single);
}

/* ---- the picture ---- */

typedef struct picture {
    double x[LINES], line[AFTERS][2][STRATEGIES][LINES], gain[AFTERS][2][LINES];
    rehearsal_bars points[2][STRATEGIES], gains[AFTERS][2];
    mot_series series[4][3 * STRATEGIES];
} picture;

static mot_status find_lines(picture *of)
{
    double w[REHEARSAL_TRUTHS], loss[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS];
    mot_rehearsal_plan plan;
    mot_status status = MOT_OK;
    for (size_t a = 0; a < AFTERS; ++a)
        for (size_t i = 0; i < LINES; ++i) {
            const mot_rehearsal r = setting_of(after[a]);
            of->x[i] = gaps[GAPS - 1] * (double)i / (LINES - 1);
            const mot_rehearsal_truths truths = truths_of(after[a], of->x[i], w);
            for (int s = 0; s < STRATEGIES; ++s) {
                const mot_rehearsal_rule rule = rule_of(s);
                MOT_TRY(mot_rehearsal_make_plan(&r, &truths, &rule, &plan));
                mot_rehearsal_theory(&r, &truths, &plan, loss);
                const mot_rehearsal_figures figures = mot_rehearsal_figures_of(loss, after[a], after[a]);
                of->line[a][0][s][i] = figures.forgetting;
                of->line[a][1][s][i] = figures.error;
            }
            for (int k = 0; k < 2; ++k)
                of->gain[a][k][i] = of->line[a][k][2][i] - fmin(of->line[a][k][0][i], of->line[a][k][1][i]);
        }
done:
    return status;
}

static void find_points(const rehearsal_numbers *numbers, picture *of)
{
    for (size_t k = 0; k < 2; ++k)
        for (size_t g = 0; g < GAPS; ++g) {
            for (size_t s = 0; s < STRATEGIES; ++s) {
                const rehearsal_mean mean = mot_rehearsal_mean(numbers, column_of(g, s, SHOWN, k));
                mot_rehearsal_bars_add(&of->points[k][s], gaps[g], &mean);
            }
            for (size_t a = 0; a < AFTERS; ++a) {
                const rehearsal_mean mean = gain_of(numbers, g, a, k);
                mot_rehearsal_bars_add(&of->gains[a][k], gaps[g], &mean);
            }
        }
}

static mot_status draw(mot_study *study, const rehearsal_numbers *numbers)
{
    static picture of;
    static const char *const names[] = {"F", "G"}, *const tasks[] = {"T = 4", "T = 5", "T = 10"};
    static const char *const titles[] = {"F, T = 5", "G, T = 5", "F: hybrid less the better of the others",
                                         "G: hybrid less the better of the others"};
    const mot_mark zero = {0, NULL};
    mot_panel panels[4];
    mot_status status;
    of = (picture){.x = {0}};
    MOT_TRY(find_lines(&of));
    find_points(numbers, &of);
    for (size_t k = 0; k < 2; ++k) {
        for (size_t s = 0; s < STRATEGIES; ++s) {
            const int color = (int)s + 1, other = (int)s + 4;
            of.series[k][3 * s] = (mot_series){.label = mot_rehearsal_strategy_names[MOT_REHEARSAL_CONCURRENT + s], .count = LINES,
                                               .x = of.x, .y = of.line[SHOWN][k][s], .color = color};
            mot_rehearsal_bars_series(&of.points[k][s], color, &of.series[k][3 * s + 1]);
            of.series[2 + k][3 * s] = (mot_series){.label = tasks[s], .count = LINES, .x = of.x, .y = of.gain[s][k], .color = other};
            mot_rehearsal_bars_series(&of.gains[s][k], other, &of.series[2 + k][3 * s + 1]);
        }
        panels[k] = mot_study_lines(titles[k], "gap g", (mot_axis){.label = names[k]}, of.series[k], 3 * STRATEGIES);
        panels[2 + k] = mot_study_lines(titles[2 + k], "gap g", (mot_axis){.label = "difference"}, of.series[2 + k], 3 * AFTERS);
        panels[2 + k].levels = &zero;
        panels[2 + k].level_count = 1;
    }
    const mot_figure figure = {.panels = panels, .panel_count = 4, .columns = 2};
    MOT_TRY(mot_study_draw(study, "groups", "Lines: closed forms. Points: simulated, with 3 standard errors to either side.", &figure));
done:
    return status;
}

/* ---- the verdicts ---- */

static void tell_gains(mot_study *study, const rehearsal_numbers *numbers, size_t figure)
{
    size_t count = 0, theory = 0, runs = 0;
    for (size_t g = 0; g < GAPS; ++g)
        for (size_t a = 0; gaps[g] >= clear && a < AFTERS; ++a) {
            const rehearsal_mean gain = gain_of(numbers, g, a, figure);
            ++count;
            theory += gain.theory < 0;
            runs += gain.mean < -3 * gain.error;
        }
    mot_study_verdict(study, theory == count,
                      "(Clear groups, %s.) Hybrid has a smaller %s than both others in %zu of %zu cases by theory (groups %g to "
                      "%g apart, T = 4, 5 and 10), and by 3 standard errors or more in %zu by runs.",
                      figure == 0 ? "F" : "G", figure == 0 ? "F" : "G", theory, count, clear, gaps[GAPS - 1], runs);
}

static mot_status tell(mot_study *study, const rehearsal_numbers *numbers)
{
    double table[GAPS][STRATEGIES][AFTERS][2][3];
    mot_status status;
    mot_study_section(study, "Two groups of tasks");
    mot_study_say(study, "Tasks of two groups in turns: any two of a group are %g apart, two of different groups a little more "
                         "than g. Hybrid takes those at most %g apart for similar, so for larger g it fits the new task together "
                         "with those of its group, and then the others, one by one. s = %g; %zu runs.\n\n",
                  own, far, noise, numbers->runs);
    MOT_TRY(draw(study, numbers));
    for (size_t c = 0; c < numbers->columns; ++c) {
        const rehearsal_mean mean = mot_rehearsal_mean(numbers, c);
        double *at = &table[0][0][0][0][0] + 3 * c;
        at[0] = mean.theory, at[1] = mean.mean, at[2] = mean.error;
    }
    MOT_TRY(mot_study_keep(study, "groups", "points", 5, (const hsize_t[]){GAPS, STRATEGIES, AFTERS, 2, 3}, &table[0][0][0][0][0]));
    tell_gains(study, numbers, 0);
    tell_gains(study, numbers, 1);
    MOT_TRY(mot_rehearsal_tell_agreement(study, numbers, "groups", "Two groups, T = 4, 5 and 10", false));
done:
    return status;
}
const rehearsal_claim mot_rehearsal_groups = {"groups", measure, tell};

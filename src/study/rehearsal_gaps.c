/* F and G against the gap between tasks: lines of the theory, points of the simulation. */
#include <math.h>

#include "rehearsal_study.h"

static const double gaps[] = {0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2};
static const int after[] = {2, 4, 5, 10};
enum { GAPS = MOT_COUNT(gaps), AFTERS = MOT_COUNT(after), LINES = 81 };

/* The quick form leaves out ten tasks. */
static size_t afters(const mot_study *study)
{
    return study->options.quick ? AFTERS - 1 : AFTERS;
}

/* Similar are tasks at most as far apart as so many may be before sequential is better for them. */
static mot_rehearsal_rule rule_of(int strategy, int tasks)
{
    const mot_rehearsal setting = mot_rehearsal_usual(tasks);
    return (mot_rehearsal_rule){.strategy = (mot_rehearsal_strategy)strategy, .bound = mot_rehearsal_like_gap(&setting)};
}

static mot_status measure(mot_study *study, rehearsal_numbers *numbers)
{
    rehearsal_batch batch = {0};
    mot_status status = MOT_OK;
    for (size_t a = 0; a < afters(study); ++a) {
        const mot_rehearsal setting = mot_rehearsal_usual(after[a]);
        MOT_TRY(mot_rehearsal_batch_make(&batch, &setting, GAPS * MOT_REHEARSAL_STRATEGIES));
        for (size_t g = 0; g < GAPS; ++g)
            for (int s = 0; s < MOT_REHEARSAL_STRATEGIES; ++s) {
                const mot_rehearsal_rule rule = rule_of(s, after[a]);
                MOT_TRY(mot_rehearsal_batch_apart(&batch, gaps[g], &rule));
            }
        MOT_TRY(mot_rehearsal_measure(study->comm, &batch, study->options.seed, mot_rehearsal_runs(study), &after[a], 1, numbers));
        mot_rehearsal_batch_free(&batch);
    }
done:
    mot_rehearsal_batch_free(&batch);
    return status;
}

/* figure 0: F, 1: G */
static size_t column_of(size_t gap, int strategy, size_t a, int figure)
{
    return ((a * GAPS + gap) * MOT_REHEARSAL_STRATEGIES + (size_t)strategy) * 2 + (size_t)figure;
}

/* ---- the picture ---- */

typedef struct curves {
    double x[LINES], line[MOT_REHEARSAL_STRATEGIES][LINES];
    rehearsal_bars bars[MOT_REHEARSAL_STRATEGIES];
    mot_series series[3 * MOT_REHEARSAL_STRATEGIES];
    char title[64];
} curves;

static void find_points(const rehearsal_numbers *numbers, size_t a, int figure, curves *of)
{
    for (int s = 0; s < MOT_REHEARSAL_STRATEGIES; ++s) {
        mot_rehearsal_bars_begin(&of->bars[s]);
        for (size_t g = 0; g < GAPS; ++g) {
            const rehearsal_mean mean = mot_rehearsal_mean(numbers, column_of(g, s, a, figure));
            mot_rehearsal_bars_add(&of->bars[s], gaps[g], &mean);
        }
    }
}

static mot_status find_lines(int tasks, int figure, curves *of)
{
    const mot_rehearsal setting = mot_rehearsal_usual(tasks);
    double w[REHEARSAL_TRUTHS], loss[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS];
    mot_rehearsal_plan plan;
    mot_status status = MOT_OK;
    for (int s = 0; s < MOT_REHEARSAL_STRATEGIES; ++s) {
        const mot_rehearsal_rule rule = rule_of(s, tasks);
        for (size_t i = 0; i < LINES; ++i) {
            of->x[i] = gaps[GAPS - 1] * (double)i / (LINES - 1);
            const mot_rehearsal_truths truths = mot_rehearsal_apart(tasks, of->x[i], w);
            MOT_TRY(mot_rehearsal_make_plan(&setting, &truths, &rule, &plan));
            mot_rehearsal_theory(&setting, &truths, &plan, loss);
            const mot_rehearsal_figures figures = mot_rehearsal_figures_of(loss, tasks, tasks);
            of->line[s][i] = figure == 0 ? figures.forgetting : figures.error;
        }
    }
done:
    return status;
}

static mot_panel panel_of(int tasks, int figure, curves *of)
{
    static const int color[] = {8, 1, 2, 3};
    for (int s = 0; s < MOT_REHEARSAL_STRATEGIES; ++s) {
        const bool hybrid = s == MOT_REHEARSAL_HYBRID;
        of->series[3 * s] = (mot_series){.label = mot_rehearsal_strategy_names[s], .count = LINES, .x = of->x, .y = of->line[s],
                                         .color = color[s], .dashed = hybrid};
        mot_rehearsal_bars_series(&of->bars[s], color[s], &of->series[3 * s + 1]);
    }
    snprintf(of->title, sizeof of->title, "%s, T = %d", figure == 0 ? "Forgetting F" : "Generalization error G", tasks);
    return mot_study_lines(of->title, "gap g", (mot_axis){.label = figure == 0 ? "F" : "G"}, of->series,
                           3 * MOT_REHEARSAL_STRATEGIES);
}

static mot_status draw(mot_study *study, const rehearsal_numbers *numbers)
{
    static curves of[2][AFTERS];
    mot_panel panels[2 * AFTERS];
    size_t count = 0;
    mot_status status = MOT_OK;
    for (int figure = 0; figure < 2; ++figure)
        for (size_t a = 0; a < afters(study); ++a) {
            if (after[a] == 4) continue; /* the table has it */
            find_points(numbers, a, figure, &of[figure][a]);
            MOT_TRY(find_lines(after[a], figure, &of[figure][a]));
            panels[count++] = panel_of(after[a], figure, &of[figure][a]);
        }
    const mot_figure figure = {.panels = panels, .panel_count = count, .columns = (int)count / 2};
    MOT_TRY(mot_study_draw(study, "gaps", "Lines: closed forms. Points: simulated, with 3 standard errors to either side.", &figure));
done:
    return status;
}

/* ---- the table ---- */

static void tell_row(mot_study *study, const rehearsal_numbers *numbers, size_t g, size_t a)
{
    mot_study_say(study, "| %g |", gaps[g]);
    for (int figure = 0; figure < 2; ++figure)
        for (int s = MOT_REHEARSAL_CONCURRENT; s <= MOT_REHEARSAL_SEQUENTIAL; ++s) {
            const rehearsal_mean mean = mot_rehearsal_mean(numbers, column_of(g, s, a, figure));
            mot_study_say(study, " %.4f; %.4f +- %.4f |", mean.theory, mean.mean, mean.error);
        }
    mot_study_say(study, "\n");
}

static mot_status keep(mot_study *study, const rehearsal_numbers *numbers)
{
    double table[GAPS][MOT_REHEARSAL_STRATEGIES][AFTERS][2][3];
    for (size_t g = 0; g < GAPS; ++g)
        for (int s = 0; s < MOT_REHEARSAL_STRATEGIES; ++s)
            for (size_t a = 0; a < AFTERS; ++a)
                for (int figure = 0; figure < 2; ++figure) {
                    double *at = table[g][s][a][figure];
                    at[0] = at[1] = at[2] = NAN;
                    if (a >= afters(study)) continue;
                    const rehearsal_mean mean = mot_rehearsal_mean(numbers, column_of(g, s, a, figure));
                    at[0] = mean.theory, at[1] = mean.mean, at[2] = mean.error;
                }
    return mot_study_keep(study, "gaps", "points", 5, (const hsize_t[]){GAPS, MOT_REHEARSAL_STRATEGIES, AFTERS, 2, 3},
                          &table[0][0][0][0][0]);
}

static mot_status tell(mot_study *study, const rehearsal_numbers *numbers)
{
    mot_status status;
    mot_study_section(study, "Forgetting and error against the gap between tasks");
    mot_study_say(study, "Tasks that are all g apart. Hybrid takes for similar those at most as far apart as so many tasks may be "
                         "before they are forgotten less by sequential than by concurrent rehearsal (");
    for (size_t a = 0; a < afters(study); ++a) {
        const double bound = rule_of(MOT_REHEARSAL_HYBRID, after[a]).bound;
        mot_study_say(study, "%sT = %d: ", a > 0 ? ", " : "", after[a]);
        if (bound < 0) mot_study_say(study, "none");
        else mot_study_say(study, "%.3f", bound);
    }
    mot_study_say(study, "), so that here it is the one or the other, whichever has the smaller F. T = 4, by theory; simulated:\n\n"
                         "| g | F concurrent | F sequential | G concurrent | G sequential |\n|---|---|---|---|---|\n");
    for (size_t g = 0; g < GAPS; g += g < 4 ? 2 : 4) tell_row(study, numbers, g, 1);
    mot_study_say(study, "\n");
    MOT_TRY(draw(study, numbers));
    MOT_TRY(keep(study, numbers));
    MOT_TRY(mot_rehearsal_tell_agreement(study, numbers, "gaps",
                                         study->options.quick ? "All strategies, T = 2, 4 and 5" : "All strategies, T = 2, 4, 5 and 10",
                                         true));
done:
    return status;
}
const rehearsal_claim mot_rehearsal_gaps = {"gaps", measure, tell};

/* What the closed forms leave out: a memory of samples that tasks were learned from. */
#include <math.h>

#include "rehearsal_study.h"

static const double gaps[] = {0, 0.25, 0.5, 0.75, 1, 1.5, 2};
static const int after[] = {2, 5};
enum { GAPS = MOT_COUNT(gaps), AFTERS = MOT_COUNT(after), STRATEGIES = 2 };

static mot_status measure(mot_study *study, rehearsal_numbers *numbers)
{
    rehearsal_batch batch = {0};
    mot_rehearsal setting = mot_rehearsal_usual(after[AFTERS - 1]);
    mot_status status;
    setting.stored = true;
    MOT_TRY(mot_rehearsal_batch_make(&batch, &setting, GAPS * STRATEGIES));
    for (size_t g = 0; g < GAPS; ++g)
        for (int s = 0; s < STRATEGIES; ++s)
            MOT_TRY(mot_rehearsal_batch_apart(
                &batch, gaps[g], &(mot_rehearsal_rule){.strategy = (mot_rehearsal_strategy)(MOT_REHEARSAL_CONCURRENT + s)}));
    MOT_TRY(mot_rehearsal_measure(study->comm, &batch, study->options.seed, mot_rehearsal_runs(study), after, AFTERS, numbers));
done:
    mot_rehearsal_batch_free(&batch);
    return status;
}

static size_t column_of(size_t gap, size_t strategy, size_t a, size_t figure)
{
    return ((gap * STRATEGIES + strategy) * AFTERS + a) * 2 + figure;
}

static mot_status draw(mot_study *study, const rehearsal_numbers *numbers)
{
    static rehearsal_bars bars[AFTERS][2][STRATEGIES];
    static const char *const titles[AFTERS][2] = {{"F, T = 2", "G, T = 2"}, {"F, T = 5", "G, T = 5"}};
    static const int color[] = {1, 2};
    double theory[AFTERS][2][STRATEGIES][GAPS];
    mot_series series[AFTERS][2][3 * STRATEGIES];
    mot_panel panels[2 * AFTERS];
    for (size_t a = 0; a < AFTERS; ++a)
        for (size_t figure = 0; figure < 2; ++figure) {
            for (size_t s = 0; s < STRATEGIES; ++s) {
                rehearsal_bars *of = &bars[a][figure][s];
                mot_rehearsal_bars_begin(of);
                for (size_t g = 0; g < GAPS; ++g) {
                    const rehearsal_mean mean = mot_rehearsal_mean(numbers, column_of(g, s, a, figure));
                    mot_rehearsal_bars_add(of, gaps[g], &mean);
                    theory[a][figure][s][g] = mean.theory;
                }
                series[a][figure][3 * s] = (mot_series){.label = mot_rehearsal_strategy_names[MOT_REHEARSAL_CONCURRENT + s],
                                                        .count = GAPS, .x = gaps, .y = theory[a][figure][s], .color = color[s]};
                mot_rehearsal_bars_series(of, color[s], &series[a][figure][3 * s + 1]);
            }
            panels[2 * a + figure] = mot_study_lines(titles[a][figure], "gap g", (mot_axis){.label = figure == 0 ? "F" : "G"},
                                                     series[a][figure], 3 * STRATEGIES);
        }
    const mot_figure figure = {.panels = panels, .panel_count = 2 * AFTERS, .columns = 2};
    return mot_study_draw(study, "memories", "Lines: closed forms, for fresh samples. Points: a memory of samples that were learned from.",
                          &figure);
}

static mot_status tell(mot_study *study, const rehearsal_numbers *numbers)
{
    double table[GAPS][STRATEGIES][AFTERS][2][3];
    size_t within = 0, worse = 0;
    mot_status status = MOT_OK;
    mot_study_section(study, "A memory of samples that were learned from");
    mot_study_say(study, "The closed forms, and all runs above, have fresh samples in memory. A real memory holds some of the "
                         "samples that a task was learned from; here the first ones.\n\n"
                         "| g | T | F concurrent: theory of fresh, stored | F sequential | G concurrent | G sequential |\n"
                         "|---|---|---|---|---|---|\n");
    for (size_t g = 0; g < GAPS; ++g)
        for (size_t a = 0; a < AFTERS; ++a) {
            mot_study_say(study, "| %g | %d |", gaps[g], after[a]);
            for (size_t figure = 0; figure < 2; ++figure)
                for (size_t s = 0; s < STRATEGIES; ++s) {
                    const rehearsal_mean mean = mot_rehearsal_mean(numbers, column_of(g, s, a, figure));
                    double *at = table[g][s][a][figure];
                    at[0] = mean.theory, at[1] = mean.mean, at[2] = mean.error;
                    within += fabs(mean.z) <= 3;
                    worse += mean.z > 3;
                    mot_study_say(study, " %.4f, %.4f +- %.4f |", mean.theory, mean.mean, mean.error);
                }
            mot_study_say(study, "\n");
        }
    mot_study_say(study, "\n");
    MOT_TRY(draw(study, numbers));
    MOT_TRY(mot_study_keep(study, "memories", "points", 5, (const hsize_t[]){GAPS, STRATEGIES, AFTERS, 2, 3}, &table[0][0][0][0][0]));
    mot_study_verdict(study, within == numbers->columns,
                      "(Stored samples.) With these the closed forms are within 3 standard errors in %zu of %zu points; in %zu "
                      "of the others runs have more than the closed forms.",
                      within, numbers->columns, worse);
done:
    return status;
}
const rehearsal_claim mot_rehearsal_memories = {"memories", measure, tell};

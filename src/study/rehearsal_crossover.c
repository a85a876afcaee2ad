/* The gap from which on sequential rehearsal is better than concurrent: predicted by the closed forms, and measured. */
#include <math.h>

#include "rehearsal_study.h"

static const struct {
    const char *label;
    mot_rehearsal setting; /* but for the tasks; what is 0 here is as usual */
    double noise;
    bool in_quick;
} settings[] = {{"p = 200, n = M = 24, s = 0.3", {0}, 0.3, true}, {"M = 12", {.memory = 12}, 0.3, false},
                {"M = 48", {.memory = 48}, 0.3, true},            {"n = 12", {.samples = 12}, 0.3, false},
                {"n = 48", {.samples = 48}, 0.3, false},          {"s = 0", {0}, 0, true},
                {"s = 0.6", {0}, 0.6, false},                     {"p = 100", {.width = 100}, 0.3, false},
                {"p = 400", {.width = 400}, 0.3, false}};
static const int after[] = {2, 4, 5, 10};
static const double gaps[] = {0, 1, 2};
enum { SETTINGS = MOT_COUNT(settings), AFTERS = MOT_COUNT(after), GAPS = MOT_COUNT(gaps), LINES = 101 };
#define MOST_GAP 3.0

static bool has(const mot_study *study, size_t i)
{
    return !study->options.quick || settings[i].in_quick;
}

static size_t afters(const mot_study *study)
{
    return study->options.quick ? AFTERS - 1 : AFTERS;
}

static mot_rehearsal setting_of(size_t i, int tasks)
{
    mot_rehearsal of = mot_rehearsal_usual(tasks);
    const mot_rehearsal *other = &settings[i].setting;
    if (other->memory > 0) of.memory = other->memory;
    if (other->samples > 0) of.samples = other->samples;
    if (other->width > 0) of.width = other->width;
    of.noise = settings[i].noise;
    return of;
}

static mot_status measure(mot_study *study, rehearsal_numbers *numbers)
{
    rehearsal_batch batch = {0};
    mot_status status = MOT_OK;
    for (size_t i = 0; i < SETTINGS; ++i) {
        if (!has(study, i)) continue;
        const mot_rehearsal setting = setting_of(i, after[afters(study) - 1]);
        MOT_TRY(mot_rehearsal_batch_make(&batch, &setting, 2 * GAPS));
        for (size_t g = 0; g < GAPS; ++g)
            for (int s = MOT_REHEARSAL_CONCURRENT; s <= MOT_REHEARSAL_SEQUENTIAL; ++s)
                MOT_TRY(mot_rehearsal_batch_apart(&batch, gaps[g],
                                                  &(mot_rehearsal_rule){.strategy = (mot_rehearsal_strategy)s}));
        MOT_TRY(mot_rehearsal_measure(study->comm, &batch, study->options.seed, mot_rehearsal_many_runs(study), after,
                                      afters(study), numbers));
        mot_rehearsal_batch_free(&batch);
    }
done:
    mot_rehearsal_batch_free(&batch);
    return status;
}

/* ---- concurrent less sequential, at any gap ---- */

/* Fits are linear in the truths, and these in the gap: of every run the difference is a + b g + c g^2 exactly, which three gaps
 * tell. Means of a, b, c, and the covariance of these means. */
typedef struct parabola {
    double mean[3], covariance[3][3];
} parabola;

static void coefficients(const rehearsal_numbers *numbers, const size_t column[GAPS][2], size_t run, double of[3])
{
    double at[GAPS];
    for (size_t g = 0; g < GAPS; ++g)
        at[g] = numbers->value[column[g][0] * numbers->runs + run] - numbers->value[column[g][1] * numbers->runs + run];
    of[0] = at[0];
    of[2] = (at[2] - 2 * at[1] + at[0]) / 2;
    of[1] = at[1] - at[0] - of[2];
}

static void find_parabola(const rehearsal_numbers *numbers, const size_t column[GAPS][2], parabola *of)
{
    const double runs = (double)numbers->runs;
    double at[3];
    *of = (parabola){0};
    for (size_t run = 0; run < numbers->runs; ++run) {
        coefficients(numbers, column, run, at);
        for (int i = 0; i < 3; ++i) of->mean[i] += at[i] / runs;
    }
    for (size_t run = 0; run < numbers->runs; ++run) {
        coefficients(numbers, column, run, at);
        for (int i = 0; i < 3; ++i)
            for (int j = 0; j < 3; ++j)
                of->covariance[i][j] += (at[i] - of->mean[i]) * (at[j] - of->mean[j]) / (runs - 1) / runs;
    }
}

/* The mean at a gap, and its standard error. */
static double value_at(const parabola *of, double gap, double *error)
{
    const double power[] = {1, gap, gap * gap};
    double mean = 0, square = 0;
    for (int i = 0; i < 3; ++i) {
        mean += of->mean[i] * power[i];
        for (int j = 0; j < 3; ++j) square += of->covariance[i][j] * power[i] * power[j];
    }
    *error = sqrt(fmax(square, 0));
    return mean;
}

/* The first gap at which the mean, and so many standard errors more, is above 0; INFINITY: none below MOST_GAP. */
static double first_above(const parabola *of, double errors)
{
    enum { STEPS = 3000 };
    double before = 0;
    for (int i = 0; i <= STEPS; ++i) {
        double error;
        const double gap = MOST_GAP * i / STEPS, mean = value_at(of, gap, &error), now = mean + errors * error;
        if (now >= 0) return i == 0 ? 0 : gap - MOST_GAP / STEPS * now / (now - before);
        before = now;
    }
    return INFINITY;
}

/* ---- what came out ---- */

typedef struct crossover {
    double predicted, measured;
    double low, high;     /* 95 %: where the difference is not known from 0 */
    double least, most;   /* likewise, within 3 standard errors */
    double near, far;     /* at gap 0 and 2: the difference in standard errors */
    parabola difference;
} crossover;

static crossover find_crossover(const mot_study *study, const rehearsal_numbers *numbers, size_t place, size_t i, size_t a,
                                int figure)
{
    const mot_rehearsal setting = setting_of(i, after[a]);
    const mot_rehearsal_figures predicted = mot_rehearsal_crossover(&setting);
    size_t column[GAPS][2];
    crossover of = {.predicted = figure == 0 ? predicted.forgetting : predicted.error};
    for (size_t g = 0; g < GAPS; ++g)
        for (size_t s = 0; s < 2; ++s)
            column[g][s] = (((place * GAPS + g) * 2 + s) * afters(study) + a) * 2 + (size_t)figure;
    find_parabola(numbers, column, &of.difference);
    of.measured = first_above(&of.difference, 0);
    of.low = first_above(&of.difference, 1.96);
    of.high = first_above(&of.difference, -1.96);
    of.least = first_above(&of.difference, 3);
    of.most = first_above(&of.difference, -3);
    double error;
    of.near = value_at(&of.difference, 0, &error) / error;
    of.far = value_at(&of.difference, 2, &error) / error;
    return of;
}

/* All of them: [settings, afters, 2]. */
typedef struct crossovers {
    crossover of[SETTINGS][AFTERS][2];
    size_t count, in_interval, in_3, similar, dissimilar;
    double furthest; /* of the predicted from the measured */
} crossovers;

static void say_gap(mot_study *study, double gap)
{
    if (gap == 0) mot_study_say(study, "always");
    else if (isfinite(gap)) mot_study_say(study, "%.3f", gap);
    else mot_study_say(study, "> %g", MOST_GAP);
}

static void tell_row(mot_study *study, size_t i, crossovers *all)
{
    for (size_t a = 0; a < afters(study); ++a) {
        mot_study_say(study, "| %s | %d |", a == 0 ? settings[i].label : "", after[a]);
        for (int figure = 0; figure < 2; ++figure) {
            const crossover *of = &all->of[i][a][figure];
            mot_study_say(study, " ");
            say_gap(study, of->predicted);
            mot_study_say(study, " | ");
            say_gap(study, of->measured);
            if (of->high > 0) {
                mot_study_say(study, " (%.3f to ", of->low);
                if (isfinite(of->high)) mot_study_say(study, "%.3f)", of->high);
                else mot_study_say(study, "%g)", MOST_GAP);
            }
            mot_study_say(study, " |");
        }
        mot_study_say(study, "\n");
    }
}

static void count(crossovers *all, const crossover *of)
{
    ++all->count;
    all->in_interval += of->low <= of->predicted && of->predicted <= of->high;
    all->in_3 += of->least <= of->predicted && of->predicted <= of->most;
    all->similar += of->near < -3;
    all->dissimilar += of->far > 3;
    if (isfinite(of->predicted) && isfinite(of->measured))
        all->furthest = fmax(all->furthest, fabs(of->predicted - of->measured));
}

/* ---- the picture ---- */

static mot_status draw(mot_study *study, const crossovers *all)
{
    static const char *const labels[] = {"T = 2", "T = 4", "T = 5", "T = 10"};
    double x[LINES], y[AFTERS][LINES], low[AFTERS][LINES], high[AFTERS][LINES];
    double predicted[2][SETTINGS * AFTERS], measured[2][SETTINGS * AFTERS];
    const double ends[] = {0, 1};
    size_t points[2] = {0, 0};
    mot_series lines[AFTERS], scatter[3];
    mot_mark at[AFTERS];
    for (size_t a = 0; a < afters(study); ++a) {
        const crossover *of = &all->of[0][a][0];
        for (size_t i = 0; i < LINES; ++i) {
            double error;
            x[i] = (double)i / (LINES - 1);
            y[a][i] = value_at(&of->difference, x[i], &error);
            low[a][i] = y[a][i] - error;
            high[a][i] = y[a][i] + error;
        }
        lines[a] = (mot_series){.label = labels[a], .count = LINES, .x = x, .y = y[a], .lower = low[a], .upper = high[a],
                                .color = (int)a + 1};
        at[a] = (mot_mark){of->predicted, NULL};
    }
    for (int figure = 0; figure < 2; ++figure) {
        for (size_t i = 0; i < SETTINGS; ++i)
            for (size_t a = 0; has(study, i) && a < afters(study); ++a) {
                predicted[figure][points[figure]] = all->of[i][a][figure].predicted;
                measured[figure][points[figure]++] = all->of[i][a][figure].measured;
            }
        scatter[figure] = (mot_series){.label = figure == 0 ? "of F" : "of G", .count = points[figure], .x = predicted[figure],
                                       .y = measured[figure], .style = MOT_SERIES_POINTS, .color = figure + 1};
    }
    scatter[2] = (mot_series){.label = "as predicted", .count = 2, .x = ends, .y = ends, .dashed = true, .color = 8};
    const mot_mark zero = {0, NULL};
    mot_panel panels[] = {mot_study_lines("F of concurrent less that of sequential", "gap g", (mot_axis){.label = "difference"},
                                          lines, afters(study)),
                          mot_study_lines("Where they cross", "gap predicted", (mot_axis){.label = "gap measured"}, scatter, 3)};
    panels[0].levels = &zero;
    panels[0].level_count = 1;
    panels[0].marks = at;
    panels[0].mark_count = afters(study);
    const mot_figure figure = {.panels = panels, .panel_count = 2};
    return mot_study_draw(study, "crossover",
                          "Left: means of paired runs, bands one standard error; dashed, where theory has them cross "
                          "(p = 200, n = M = 24, s = 0.3). Right: all settings.",
                          &figure);
}

static mot_status keep(mot_study *study, const crossovers *all)
{
    double table[SETTINGS][AFTERS][2][4];
    for (size_t i = 0; i < SETTINGS; ++i)
        for (size_t a = 0; a < AFTERS; ++a)
            for (int figure = 0; figure < 2; ++figure) {
                const crossover *of = &all->of[i][a][figure];
                const bool there = has(study, i) && a < afters(study);
                const double row[] = {of->predicted, of->measured, of->low, of->high};
                for (int k = 0; k < 4; ++k) table[i][a][figure][k] = there ? row[k] : NAN;
            }
    return mot_study_keep(study, "crossover", "gaps", 4, (const hsize_t[]){SETTINGS, AFTERS, 2, 4}, &table[0][0][0][0]);
}

static mot_status tell(mot_study *study, const rehearsal_numbers *numbers)
{
    static crossovers all;
    size_t place = 0;
    mot_status status;
    all = (crossovers){.count = 0};
    mot_study_section(study, "From which gap on sequential rehearsal is better");
    mot_study_say(study, "In expectation F and G are lines over g^2, so that there is one gap at most where concurrent and "
                         "sequential rehearsal are alike. Measured is where the mean difference of %zu paired runs crosses 0, "
                         "in brackets where it is less than 1.96 standard errors from 0. Every setting differs from the first "
                         "as it says; always: sequential is better at g = 0 already.\n\n"
                         "| setting | T | F, predicted | measured | G, predicted | measured |\n|---|---|---|---|---|---|\n",
                  numbers->runs);
    for (size_t i = 0; i < SETTINGS; ++i) {
        if (!has(study, i)) continue;
        for (size_t a = 0; a < afters(study); ++a)
            for (int figure = 0; figure < 2; ++figure) {
                all.of[i][a][figure] = find_crossover(study, numbers, place, i, a, figure);
                count(&all, &all.of[i][a][figure]);
            }
        tell_row(study, i, &all);
        ++place;
    }
    mot_study_say(study, "\n");
    MOT_TRY(draw(study, &all));
    MOT_TRY(keep(study, &all));
    mot_study_verdict(study, all.in_3 == all.count,
                      "(The crossover.) %zu of %zu predicted gaps are within 3 standard errors of the measured ones, %zu within "
                      "their 95 %% intervals; the largest difference is %.3f.",
                      all.in_3, all.count, all.in_interval, all.furthest);
    mot_study_verdict(study, all.dissimilar == all.count,
                      "(Dissimilar tasks.) At g = 2 sequential rehearsal is better than concurrent by 3 standard errors or "
                      "more in %zu of %zu cases.",
                      all.dissimilar, all.count);
    mot_study_verdict(study, all.similar == all.count,
                      "(Similar tasks.) At g = 0 concurrent rehearsal is better than sequential by 3 standard errors or more "
                      "in %zu of %zu cases.",
                      all.similar, all.count);
done:
    return status;
}
const rehearsal_claim mot_rehearsal_crossovers = {"crossover", measure, tell};

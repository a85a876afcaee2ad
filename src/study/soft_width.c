/* The claim that the first expert is found in a time of the order of the root of D. */
#include <math.h>

#include "soft.h"

static const int widths[] = {32, 64, 128, 256, 512};
enum { WIDTHS = MOT_COUNT(widths), MOST = WIDTHS * STUDY_MOST_SEEDS };
static const double other_rates[] = {0.05, 0.01}; /* at the least width */

/* Steps on batches are steps of a random walk as well, by which a neuron's length grows with D times the rate. */
static double rate_of(int D)
{
    return fmin(0.025, 6.4 / D);
}

static size_t width_count(const mot_study *study)
{
    return study->options.quick ? 3 : WIDTHS;
}

/* Up to four times what one expert takes from a first cosine of 1 / sqrt(D) on; or until the loss is one that only the second
 * expert can bring. */
static study_variant *add(mot_study *study, int D, double at_rate)
{
    char name[STUDY_NAME], label[STUDY_NAME];
    const double until = 4 * mot_soft_theory(1 / sqrt(D));
    snprintf(name, sizeof name, "width-%d-rate-%g", D, at_rate);
    snprintf(label, sizeof label, "D = %d, rate %g", D, at_rate);
    return mot_study_add(study, name, label, mot_soft_base, study->options.quick ? 5 : D <= 256 ? 10 : 5,
                         1.2e-4 * D * until / at_rate,
                         "data.teacher.width=%d; train.rate=%g; train.until=loss < 1.1 or %d steps; eval.every=%d; "
                         "data.teacher.eval=256",
                         D, at_rate, (int)(until / at_rate), at_rate < 0.02 ? 10 : 4);
}

static void plan(mot_study *study)
{
    for (size_t i = 0; i < width_count(study); ++i) (void)add(study, widths[i], rate_of(widths[i]));
    for (size_t i = 0; i < MOT_COUNT(other_rates); ++i) (void)add(study, widths[0], other_rates[i]);
}

/* Of every seed: when, and when by the theory of an expert alone. */
static void measure(const study_variant *variant, double *time, double *theory)
{
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *result = &variant->result[s];
        double most = NAN;
        for (size_t j = 0; result->rows > 0 && j < result->N; ++j) most = fmax(most, mot_soft_toward(result, 0, j));
        time[s] = mot_soft_first(result);
        theory[s] = mot_soft_theory(most);
    }
}

static void tell_row(mot_study *study, const study_variant *variant, const double *time, const double *theory)
{
    char a[96], b[96];
    mot_study_say(study, "| %s | %s | %s |\n", variant->label, mot_study_spread(time, (size_t)variant->seeds, a),
                  mot_study_spread(theory, (size_t)variant->seeds, b));
}

typedef struct points {
    size_t count;
    double width[MOST], time[MOST];
} points;

static mot_status draw(mot_study *study, const points *p, const double *median)
{
    double x[WIDTHS], y[WIDTHS], theory[WIDTHS], shown[MOST], at[MOST];
    const size_t count = width_count(study);
    for (size_t i = 0; i < count; ++i) {
        x[i] = widths[i];
        y[i] = median[i];
        theory[i] = 0.22 * sqrt(x[i]);
    }
    for (size_t i = 0; i < p->count; ++i) {
        shown[i] = exp(p->time[i]);
        at[i] = exp(p->width[i]);
    }
    const mot_series series[] = {
        {.label = "median", .count = count, .x = x, .y = y, .style = MOT_SERIES_LINE_POINTS},
        {.label = "a seed", .count = p->count, .x = at, .y = shown, .style = MOT_SERIES_POINTS, .color = 6},
        {.label = "0.22 sqrt(D): from a cosine of 1 / sqrt(D)", .count = count,
         .x = x, .y = theory, .dashed = true, .color = 7}};
    mot_panel panel = mot_study_lines("When the first expert is found", "D", (mot_axis){.label = "t", .log = 2}, series, 3);
    panel.x.log = 2;
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    return mot_study_draw(study, "width", "Cosine 0.9 of the first expert, m* = 2, m = 6.", &figure);
}

static mot_status tell(mot_study *study)
{
    double time[STUDY_MOST_SEEDS], theory[STUDY_MOST_SEEDS], median[WIDTHS];
    points p = {0};
    size_t missing = 0;
    mot_status status = MOT_OK;
    mot_study_section(study, "The first expert is found in a time of order sqrt(D)");
    mot_study_say(study, "Two experts, six students. At leading order a first cosine z grows by dz/dt = 4.5 z^2 (1 - "
                         "z^2): from 1 / sqrt(D) to 0.9 in 0.22 sqrt(D). The last column takes the largest first "
                         "cosine of the seed instead. A rate is what a step is of t: the last rows show what it does "
                         "to the times.\n\n"
                         "| setting | first expert at t | theory, of the largest first cosine |\n|---|---|---|\n");
    for (size_t i = 0; i < width_count(study); ++i) {
        const study_variant *variant = add(study, widths[i], rate_of(widths[i]));
        measure(variant, time, theory);
        tell_row(study, variant, time, theory);
        median[i] = mot_study_median(time, (size_t)variant->seeds);
        for (int s = 0; s < variant->seeds; ++s) {
            missing += !isfinite(time[s]);
            if (!isfinite(time[s])) continue;
            p.width[p.count] = log(widths[i]);
            p.time[p.count++] = log(time[s]);
        }
    }
    for (size_t i = 0; i < MOT_COUNT(other_rates); ++i) {
        const study_variant *variant = add(study, widths[0], other_rates[i]);
        measure(variant, time, theory);
        tell_row(study, variant, time, theory);
    }
    mot_study_say(study, "\n");
    MOT_TRY(draw(study, &p, median));
    const mot_line line = mot_line_fit(p.width, p.time, p.count);
    const mot_interval slope = mot_line_slope(p.width, p.time, p.count);
    const double kept[] = {line.b, slope.low, slope.high};
    MOT_TRY(mot_study_keep(study, "width", "slope", 1, (const hsize_t[]){3}, kept));
    MOT_TRY(mot_study_keep(study, "width", "median", 1, (const hsize_t[]){width_count(study)}, median));
    mot_study_verdict(study, slope.low <= 0.5 && 0.5 <= slope.high && slope.low > 0.2 && slope.high < 0.8,
                      "The time grows like D^b with b = %.2f (95 %%: %.2f to %.2f) over %zu runs; 1/2 is expected, and an "
                      "interval around it within 0.2 to 0.8 asked.%s", line.b,
                      slope.low, slope.high, p.count, missing > 0 ? " Runs in which none was found are left out." : "");
done:
    return status;
}
const study_claim mot_soft_width = {"width", plan, tell};

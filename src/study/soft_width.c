/* The claim that the first expert is found in a time of the order of the root of D. */
#include <math.h>

#include "mot/rng.h"
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
    return mot_study_add(study, name, label, mot_soft_base, study->options.quick ? 5 : D <= 256 ? 30 : 10,
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

/* ---- what came out ---- */

/* One D: of every seed when, NaN for never, and when by the theory of an expert alone. */
typedef struct times {
    size_t seeds;
    double time[STUDY_MOST_SEEDS], theory[STUDY_MOST_SEEDS];
} times;

static void measure(const study_variant *variant, times *of)
{
    of->seeds = (size_t)variant->seeds;
    for (size_t s = 0; s < of->seeds; ++s) {
        const study_result *result = &variant->result[s];
        double most = NAN;
        for (size_t j = 0; result->rows > 0 && j < result->N; ++j) most = fmax(most, mot_soft_toward(result, 0, j));
        of->time[s] = mot_soft_first_turned(result);
        of->theory[s] = mot_soft_theory(most);
    }
}

/* The median where never is later than all; NaN: half of them or more. place [seeds]: which are meant, NULL for all once. */
static double median_of(const times *of, const size_t *place)
{
    double value[STUDY_MOST_SEEDS];
    for (size_t s = 0; s < of->seeds; ++s) {
        const double time = of->time[place != NULL ? place[s] : s];
        value[s] = isnan(time) ? 1e300 : time;
    }
    const double median = mot_median(value, of->seeds);
    return median < 1e200 ? median : NAN;
}

/* The slope of log median against log D: as it is (resample < 0), or of seeds that are drawn with replacement for each D. */
static double slope_of(const times *of, size_t count, int resample)
{
    double x[WIDTHS], y[WIDTHS];
    size_t points = 0, place[STUDY_MOST_SEEDS];
    for (size_t i = 0; i < count; ++i) {
        for (size_t s = 0; s < of[i].seeds; ++s) {
            const mot_random4 r = mot_random(1, MOT_STREAM_STUDY, (uint32_t)resample, (uint32_t)s, 0, (uint32_t)i);
            place[s] = resample < 0 ? s : (size_t)(mot_uniform(r.word[0]) * (double)of[i].seeds);
        }
        const double median = median_of(&of[i], place);
        if (isnan(median)) continue;
        x[points] = log(widths[i]);
        y[points++] = log(median);
    }
    return mot_line_fit(x, y, points).b;
}

/* The slope, and its 95 % interval. */
static void find_slope(const times *of, size_t count, double slope[3])
{
    enum { RESAMPLES = 1000 };
    double found[RESAMPLES];
    for (int r = 0; r < RESAMPLES; ++r) found[r] = slope_of(of, count, r);
    const size_t n = mot_study_finite(found, RESAMPLES);
    slope[0] = slope_of(of, count, -1);
    slope[1] = mot_quantile(found, n, 0.025);
    slope[2] = mot_quantile(found, n, 0.975);
}

static void tell_row(mot_study *study, const study_variant *variant, const times *of)
{
    char a[96], b[96], median[32] = "later";
    if (!isnan(median_of(of, NULL))) snprintf(median, sizeof median, "%.3f", median_of(of, NULL));
    mot_study_say(study, "| %s | %s | %s | %s |\n", variant->label, median, mot_study_spread(of->time, of->seeds, a),
                  mot_study_spread(of->theory, of->seeds, b));
}

static mot_status draw(mot_study *study, const times *of)
{
    double x[WIDTHS], y[WIDTHS], theory[WIDTHS], shown[MOST], at[MOST];
    const size_t count = width_count(study);
    size_t points = 0;
    for (size_t i = 0; i < count; ++i) {
        x[i] = widths[i];
        y[i] = median_of(&of[i], NULL);
        theory[i] = 0.22 * sqrt(x[i]);
        for (size_t s = 0; s < of[i].seeds; ++s) {
            shown[points] = of[i].time[s];
            at[points++] = widths[i];
        }
    }
    const mot_series series[] = {
        {.label = "median", .count = count, .x = x, .y = y, .style = MOT_SERIES_LINE_POINTS},
        {.label = "a seed", .count = points, .x = at, .y = shown, .style = MOT_SERIES_POINTS, .color = 6},
        {.label = "0.22 sqrt(D): from a cosine of 1 / sqrt(D)", .count = count,
         .x = x, .y = theory, .dashed = true, .color = 7}};
    mot_panel panel = mot_study_lines("When the first expert is found", "D", (mot_axis){.label = "t", .log = 2}, series, 3);
    panel.x.log = 2;
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    return mot_study_draw(study, "width", "Cosine 0.9 of the first expert, m* = 2, m = 6.", &figure);
}

static mot_status tell(mot_study *study)
{
    times of[WIDTHS] = {{0}}, other;
    double slope[3], median[WIDTHS];
    const size_t count = width_count(study);
    mot_status status = MOT_OK;
    mot_study_section(study, "The first expert is found in a time of order sqrt(D)");
    mot_study_say(study, "Two experts, six students. At leading order a first cosine z grows by dz/dt = 4.5 z^2 (1 - "
                         "z^2): from 1 / sqrt(D) to 0.9 in 0.22 sqrt(D). The last column takes the largest first "
                         "cosine of the seed instead. A neuron of length l turns l^2 times slower, and steps on "
                         "batches make it longer; so times are sums of rate / l^2, of the student that finds the "
                         "expert. The last rows show what the rate does. Medians count a seed in which nothing was "
                         "found as later than all.\n\n"
                         "| setting | median t | of those that found one | theory, of the largest first cosine |\n"
                         "|---|---|---|---|\n");
    for (size_t i = 0; i < count; ++i) {
        measure(add(study, widths[i], rate_of(widths[i])), &of[i]);
        tell_row(study, add(study, widths[i], rate_of(widths[i])), &of[i]);
        median[i] = median_of(&of[i], NULL);
    }
    for (size_t i = 0; i < MOT_COUNT(other_rates); ++i) {
        measure(add(study, widths[0], other_rates[i]), &other);
        tell_row(study, add(study, widths[0], other_rates[i]), &other);
    }
    mot_study_say(study, "\n");
    MOT_TRY(draw(study, of));
    find_slope(of, count, slope);
    MOT_TRY(mot_study_keep(study, "width", "slope", 1, (const hsize_t[]){3}, slope));
    MOT_TRY(mot_study_keep(study, "width", "median", 1, (const hsize_t[]){count}, median));
    const bool around = slope[1] <= 0.5 && 0.5 <= slope[2], narrow = slope[1] > 0.2 && slope[2] < 0.8;
    mot_study_verdict(study, around && narrow,
                      "The median grows like D^b with b = %.2f (95 %%, of resampled seeds: %.2f to %.2f); 1/2 is expected, "
                      "and an interval around it within 0.2 to 0.8 asked.%s",
                      slope[0], slope[1], slope[2],
                      around && !narrow ? " The interval has 1/2 in it, but so few seeds say no more." : "");
done:
    return status;
}
const study_claim mot_soft_width = {"width", plan, tell};

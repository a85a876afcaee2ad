/* Claims about how fast the loss falls: steps to eps. */
#include <math.h>
#include <string.h>

#include "claims.h"
#include "mot/memory.h"

enum { MOST_EPS = 12, MOST_LINES = 24 };

/* ---- the variants ---- */

/* What a line is in the comparison with one transformer. */
typedef enum rate_kind { RATE_OTHER, RATE_MOT, RATE_PARAMETERS, RATE_FLOPS } rate_kind;

typedef struct rate_line {
    const char *name, *label, *settings;
    double cost;
    bool in_quick, in_picture;
    rate_kind kind; /* one transformer: of equal parameters or FLOPs; the others are routed as MoT is */
} rate_line;

/* All on N = 4, sigma 0.25. Parameters of the 24 experts of MoT: 24 (D^2 + D) = 25,344; the heads of one transformer get
 * as many neurons as bring it there (claims.h has those of 4 heads). A normalized step has one length for all parameters of a unit, and one transformer
 * has 24 times as many in its one unit: so it gets a rate of its own as well. */
#define SLOW    "eval.every=100; "
#define FAST    CLAIMS_FAST "stages.2.until=150 steps; "
#define HEADS_1 "model.merged.neurons=760"
#define HEADS_2 "model.merged.heads=2; model.merged.neurons=364"
#define HEADS_E "model.merged.heads=24"
static const rate_line lines[] = {
    {"single-1-fast", "1 head, equal parameters, rate 0.25", FAST HEADS_1, 12, false, true, RATE_PARAMETERS},
    {"single-2-fast", "2 heads, equal parameters, rate 0.25", FAST HEADS_2, 12, false, true, RATE_PARAMETERS},
    {"single-4-fast", "4 heads, equal parameters, rate 0.25", FAST CLAIMS_HEADS_4, 12, true, true,
     RATE_PARAMETERS},
    {"single-24-fast", "E = 24 heads, equal parameters, rate 0.25", FAST HEADS_E, 15, false, true,
     RATE_PARAMETERS},
    {"single-1", "1 head, equal parameters", SLOW HEADS_1, 8, false, false, RATE_PARAMETERS},
    {"single-2", "2 heads, equal parameters", SLOW HEADS_2, 8, false, false, RATE_PARAMETERS},
    {"single-4", "4 heads, equal parameters", SLOW CLAIMS_HEADS_4, 8, false, false, RATE_PARAMETERS},
    {"single-24", "E = 24 heads, equal parameters", SLOW HEADS_E, 15, false, false, RATE_PARAMETERS},
    {"single-one", "1 head, 1 neuron, equal FLOPs", "", 2, true, true, RATE_FLOPS},
    {"single-one-fast", "1 head, 1 neuron, equal FLOPs, rate 0.05",
     "stages.0.rate=0.05; stages.1.rate=0.25; stages.2.rate=0.05", 2, false, false, RATE_FLOPS},
    /* experts of other kinds, routed as MoT is */
    {"mot-fast", "MoT, N = 4, rate 0.03",
     "stages.0.rate=0.03; stages.1.rate=0.15; stages.2.rate=0.03; stages.2.until=500 steps", 3, true, true,
     RATE_MOT},
    {"token-wise", "no attention, token-wise (a)", "model.merged.attention=none", 3, true, true, RATE_OTHER},
    {"pooled", "no attention, pooled (b)", "stages.1.train=[gate, ffn]; stages.1.rate=0.01", 3, true, true,
     RATE_OTHER},
    {"sigma-0.5", "MoT, sigma 0.5", "data.mixture.sigma=0.5", 3, true, true, RATE_OTHER},
    {"sigma-1", "MoT, sigma 1", "data.mixture.sigma=1", 3, false, true, RATE_OTHER},
    {"shared", "shared attention, FFN experts (d)", "model.tie=[attention]", 3, false, false, RATE_OTHER},
    {"neurons-2", "2 neurons an expert (e)", "model.merged.neurons=2", 4, false, false, RATE_OTHER},
    {"neurons-4", "4 neurons an expert (e)", "model.merged.neurons=4", 4, false, false, RATE_OTHER},
    {"neurons-8", "8 neurons an expert (e)", "model.merged.neurons=8", 5, false, false, RATE_OTHER},
    {"identity", "identity activation", "model.merged.activation=identity", 3, false, false, RATE_OTHER},
};

/* Adds a line; false: the quick form leaves it out. */
static bool add_line(mot_study *study, const rate_line *line, study_variant **variant)
{
    char name[64];
    const bool quick = study->options.quick,
               single = line->kind == RATE_PARAMETERS || line->kind == RATE_FLOPS;
    if (quick && !line->in_quick) return false;
    snprintf(name, sizeof name, "rate-%s", line->name);
    *variant = mot_study_add(study, name, line->label, mot_claims_rate, mot_claims_seeds(study), line->cost,
                             "data.mixture.eval=%d; %s%s%s", quick ? 20000 : 100000,
                             quick ? "eval.every=40; " : "", single ? CLAIMS_SINGLE : "model.experts=24; ",
                             line->settings);
    return true;
}

static void plan_rate(mot_study *study)
{
    study_variant *variant;
    (void)mot_claims_add_rate(study, 4);
    (void)mot_claims_add_rate(study, 8);
    for (size_t i = 0; i < MOT_COUNT(lines); ++i) (void)add_line(study, &lines[i], &variant);
}

/* ---- steps to eps ---- */

typedef struct rate_reach {
    size_t points;  /* that were reached, over seeds and eps */
    size_t arrived; /* seeds that reached the last eps */
    double x[STUDY_MOST_SEEDS * MOST_EPS], steps[STUDY_MOST_SEEDS * MOST_EPS],
        inverse[STUDY_MOST_SEEDS * MOST_EPS];
    int seed[STUDY_MOST_SEEDS * MOST_EPS];
    double median[MOST_EPS]; /* over the seeds; NaN where fewer than half arrive */
    double seconds;          /* median to the last eps */
} rate_reach;

/* A line, or MoT itself at another N: what was measured of it is in the table, the file and perhaps the picture. */
typedef struct rate_row {
    const study_variant *variant;
    rate_kind kind;
    bool in_picture;
    rate_reach reach;
    mot_power fit;
    mot_power_interval interval;
} rate_row;

static void measure_reach(const study_variant *variant, rate_reach *reach)
{
    for (size_t k = 0; k < MOST_EPS; ++k) {
        const double eps = pow(10, -(double)(k + 1));
        double values[STUDY_MOST_SEEDS];
        for (int s = 0; s < variant->seeds; ++s) {
            values[s] = mot_study_reach(&variant->result[s], eps, STUDY_STEP);
            if (!isfinite(values[s])) continue;
            reach->x[reach->points] = log(1 / eps);
            reach->inverse[reach->points] = 1 / eps;
            reach->steps[reach->points] = values[s];
            reach->seed[reach->points++] = s;
            if (k + 1 == MOST_EPS) ++reach->arrived;
        }
        const size_t n = mot_study_finite(values, (size_t)variant->seeds);
        reach->median[k] = 2 * n >= (size_t)variant->seeds && n > 0 ? mot_median(values, n) : NAN;
    }
    double time[STUDY_MOST_SEEDS];
    for (int s = 0; s < variant->seeds; ++s)
        time[s] = mot_study_reach(&variant->result[s], pow(10, -MOST_EPS), STUDY_TIME);
    const size_t n = mot_study_finite(time, (size_t)variant->seeds);
    reach->seconds = 2 * n >= (size_t)variant->seeds && n > 0 ? mot_median(time, n) : NAN;
}

static mot_status measure_row(const study_variant *variant, rate_kind kind, bool in_picture, rate_row *row)
{
    rate_reach *reach = &row->reach;
    mot_status status = MOT_OK;
    *row = (rate_row){.variant = variant,
                      .kind = kind,
                      .in_picture = in_picture,
                      .fit = {.p = NAN},
                      .interval = {{NAN, NAN}, 0, 0}};
    measure_reach(variant, reach);
    if (!isfinite(reach->median[3])) return MOT_OK; /* four decades are enough for a fit */
    MOT_TRY(mot_power_fit(reach->x, reach->steps, reach->points, &row->fit));
    if (mot_power_bootstrap(reach->x, reach->steps, reach->seed, reach->points, 400, 1, &row->interval) !=
        MOT_OK)
        row->interval = (mot_power_interval){{NAN, NAN}, 0, 0};
done:
    return status;
}

/* The first two rows are MoT with N = 4 and 8. */
static mot_status measure_rows(mot_study *study, rate_row *rows, size_t *count)
{
    mot_status status = MOT_OK;
    for (*count = 0; *count < 2; ++*count)
        MOT_TRY(measure_row(mot_claims_add_rate(study, *count == 0 ? 4 : 8), *count == 0 ? RATE_MOT : RATE_OTHER,
                            true, &rows[*count]));
    for (size_t i = 0; i < MOT_COUNT(lines); ++i) {
        study_variant *variant;
        if (!add_line(study, &lines[i], &variant)) continue;
        MOT_TRY(measure_row(variant, lines[i].kind, lines[i].in_picture, &rows[(*count)++]));
    }
done:
    return status;
}

/* One row of the table. */
static void tell_row(mot_study *study, const rate_row *row)
{
    const study_variant *variant = row->variant;
    const rate_reach *reach = &row->reach;
    double floors[STUDY_MOST_SEEDS];
    char text[96], p[64] = "-", linear[32] = "-", inverse[32] = "-", first[16] = "never", deep[16] = "never",
                   seconds[16] = "-";
    for (int s = 0; s < variant->seeds; ++s) floors[s] = mot_study_lowest_loss(&variant->result[s]);
    if (isfinite(reach->median[3])) {
        snprintf(p, sizeof p, "%.2f (%.2f to %.2f)", row->fit.p, row->interval.p.low, row->interval.p.high);
        snprintf(linear, sizeof linear, "%.3f", mot_line_fit(reach->x, reach->steps, reach->points).r2);
        snprintf(inverse, sizeof inverse, "%.3f",
                 mot_line_fit(reach->inverse, reach->steps, reach->points).r2);
        snprintf(first, sizeof first, "%.0f", reach->median[3]);
    }
    if (isfinite(reach->median[MOST_EPS - 1]))
        snprintf(deep, sizeof deep, "%.0f", reach->median[MOST_EPS - 1]);
    if (isfinite(reach->seconds)) snprintf(seconds, sizeof seconds, "%.2f", reach->seconds);
    mot_study_say(study, "| %s | %zu of %d | %s | %s | %s | %s | %s | %s | %s |\n", variant->label,
                  reach->arrived, variant->seeds, first, deep, seconds, p, linear, inverse,
                  mot_study_spread(floors, (size_t)variant->seeds, text));
}

static mot_status draw_rate(mot_study *study, const rate_row *rows, size_t count)
{
    study_curve curve[MOT_FIGURE_SERIES];
    mot_series loss[MOT_FIGURE_SERIES], steps[MOT_FIGURE_SERIES];
    double x[MOST_EPS];
    size_t drawn = 0;
    mot_status status = MOT_OK;
    memset(curve, 0, sizeof curve);
    for (size_t k = 0; k < MOST_EPS; ++k) x[k] = (double)(k + 1);
    for (size_t i = 0; i < count && drawn < MOT_FIGURE_SERIES; ++i) {
        const char *label = rows[i].variant->label;
        if (!rows[i].in_picture) continue;
        MOT_TRY(mot_study_curve_make(rows[i].variant, mot_study_number, STUDY_LOSS, STUDY_STEP, &curve[drawn]));
        loss[drawn] = mot_study_series(&curve[drawn], label, 0);
        loss[drawn].dashed = drawn >= 7;
        steps[drawn] = (mot_series){.label = label,
                                    .count = MOST_EPS,
                                    .x = x,
                                    .y = rows[i].reach.median,
                                    .style = MOT_SERIES_LINE_POINTS,
                                    .color = (int)drawn % MOT_FIGURE_COLORS + 1,
                                    .dashed = drawn >= 8};
        ++drawn;
    }
    mot_mark marks[16];
    mot_panel panels[] = {mot_study_lines("Test loss", "step",
                                          (mot_axis){.label = "loss", .log = 10, .low = 1e-20, .high = 2}, loss,
                                          drawn),
                          mot_study_lines("Steps to a test loss of eps", "log10(1/eps)",
                                          (mot_axis){.label = "steps", .low = 0, .high = NAN}, steps, drawn)};
    panels[0].key = panels[1].key = MOT_KEY_RIGHT;
    mot_study_mark(&panels[0], mot_study_longest(rows[0].variant), marks);
    const mot_figure figure = {.panels = panels, .panel_count = 2, .columns = 1, .width = 900, .height = 900};
    MOT_TRY(mot_study_draw(
        study, "rate",
        "Median and quartiles over the seeds; the same colour is the same variant in both. A line that ends "
        "on the right is a floor: fewer than half of the seeds get there.",
        &figure));
done:
    for (size_t i = 0; i < MOT_COUNT(curve); ++i) mot_study_curve_free(&curve[i]);
    return status;
}

/* What the fastest of a kind takes to the last eps; NaN where none arrives. */
typedef struct rate_best {
    double steps, seconds;
} rate_best;

static rate_best best_of(const rate_row *rows, size_t count, rate_kind kind)
{
    rate_best best = {NAN, NAN};
    for (size_t i = 0; i < count; ++i) {
        if (rows[i].kind != kind) continue;
        best.steps = fmin(best.steps, rows[i].reach.median[MOST_EPS - 1]);
        best.seconds = fmin(best.seconds, rows[i].reach.seconds);
    }
    return best;
}

/* Against one transformer: which arrives, in how many steps, in how many seconds. */
static void compare_single(mot_study *study, const rate_row *rows, size_t count)
{
    const rate_best mot = best_of(rows, count, RATE_MOT), parameters = best_of(rows, count, RATE_PARAMETERS),
                    flops = best_of(rows, count, RATE_FLOPS);
    char equal[128] = "at equal FLOPs it arrives as well";
    if (!isfinite(flops.steps)) snprintf(equal, sizeof equal, "of equal FLOPs never arrives, at either rate");
    const bool faster = isfinite(mot.steps) && (!isfinite(parameters.steps) || mot.steps <= parameters.steps);
    mot_study_verdict(study, faster && !isfinite(flops.steps),
                       "(MoT takes fewer steps than one transformer.) At its best rate MoT takes %.0f steps and "
                       "%.2f s to 1e-12. One transformer of equal parameters takes %.0f steps and %.2f s at a "
                       "rate of its own: all its parameters see every sample, for 24 times the work. One %s.%s",
                       mot.steps, mot.seconds, parameters.steps, parameters.seconds, equal,
                       faster ? "" : " What MoT saves on this data is work, not steps.");
}

static mot_status tell_rate(mot_study *study)
{
    rate_row *rows = NULL;
    size_t count;
    mot_status status;
    MOT_TRY(mot_allocate(&rows, MOST_LINES, sizeof *rows, "a claim"));
    MOT_TRY(measure_rows(study, rows, &count));
    mot_study_section(study, "The loss falls to eps in O(log 1/eps) steps");
    mot_study_say(
        study,
        "Setting: sigma = 0.25, 6N experts, stages of 200, 100 and 900 steps, noise falling from 1 to 0.3 "
        "over 600 steps; the test loss is the mean over %d fresh samples, all of them, summed in double. "
        "Steps to eps are fitted by a + b (log 1/eps)^p over eps = 1e-1 ... 1e-12, as far as they are "
        "reached; p with its 95 %% interval from resampled seeds. R2 of a line in log(1/eps), and in "
        "1/eps.\n\n"
        "Variants have the same schedule and rates (experts 0.01, attention 0.05) unless they say otherwise; "
        "one transformer has no gate and no noise. A rate is the length of a normalized step of a whole "
        "unit, so one transformer with 24 times the parameters of an expert moves each of them less: it is "
        "shown at a rate of its own, too. Seconds are those of training on one core, while the other cores "
        "trained others: a busy machine shows in all.\n\n",
        study->options.quick ? 20000 : 100000);
    MOT_TRY(draw_rate(study, rows, count));
    mot_study_say(study, "| variant | seeds at 1e-12 | steps to 1e-4 | steps to 1e-12 | seconds to 1e-12 | p | "
                         "R2 in log(1/eps) | R2 in 1/eps | lowest loss |\n"
                         "|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; ++i) {
        const hsize_t shape[] = {MOST_EPS};
        tell_row(study, &rows[i]);
        MOT_TRY(mot_study_keep(study, "rate", rows[i].variant->name, 1, shape, rows[i].reach.median));
    }
    mot_study_say(study, "\n");
    const rate_row *n4 = &rows[0], *n8 = &rows[1];
    const size_t seeds[] = {(size_t)n4->variant->seeds, (size_t)n8->variant->seeds};
    mot_study_verdict(study,
                       10 * n4->reach.arrived >= 9 * seeds[0] && 10 * n8->reach.arrived >= 9 * seeds[1] &&
                           n4->fit.p <= 1 && n8->fit.p <= 1,
                       "%zu of %zu seeds reach 1e-12 with N = 4 and %zu of %zu with N = 8, and steps grow like "
                       "(log 1/eps)^p with p = %.2f (%.2f to %.2f) and p = %.2f (%.2f to %.2f): not faster than "
                       "linearly. A cubic expert's margin grows like t^3 under normalized steps, so less than 1 "
                       "is expected.",
                       n4->reach.arrived, seeds[0], n8->reach.arrived, seeds[1], n4->fit.p, n4->interval.p.low,
                       n4->interval.p.high, n8->fit.p, n8->interval.p.low, n8->interval.p.high);
    compare_single(study, rows, count);
done:
    mot_free(rows);
    return status;
}
const study_claim mot_claim_rate = {"rate", plan_rate, tell_rate};

/* Claims about how fast the loss falls: steps to eps, plain gradient descent, floors. */
#include <math.h>
#include <string.h>

#include "claims.h"
#include "mot/memory.h"

enum { MOST_EPS = 12, MOST_LINES = 24, MOST_SEEDS = 64 };

/* ---- the variants ---- */

typedef struct rate_line {
    const char *name, *label, *settings;
    double cost;
    bool in_quick, in_picture;
} rate_line;

/* All on N = 4, sigma 0.25. Parameters of the 24 experts of MoT: 24 (D^2 + D) = 25,344; the heads of one transformer get
 * as many neurons as bring it there. A normalized step has one length for all parameters of a unit, and one transformer
 * has 24 times as many in its one unit: so it gets a rate of its own as well. */
#define SLOW    "eval.every=100; "
#define FAST    "stages.0.rate=0.25; stages.1.rate=0.25; stages.2.rate=0.25; stages.2.until=150 steps; "
#define HEADS_1 "model.merged.neurons=760"
#define HEADS_2 "model.merged.heads=2; model.merged.neurons=364"
#define HEADS_4 "model.merged.heads=4; model.merged.neurons=166"
#define HEADS_E "model.merged.heads=24"
static const rate_line lines[] = {
    {"single-1-fast", "1 head, equal parameters, rate 0.25", FAST HEADS_1, 12, false, true},
    {"single-2-fast", "2 heads, equal parameters, rate 0.25", FAST HEADS_2, 12, false, true},
    {"single-4-fast", "4 heads, equal parameters, rate 0.25", FAST HEADS_4, 12, true, true},
    {"single-24-fast", "E = 24 heads, equal parameters, rate 0.25", FAST HEADS_E, 15, false, true},
    {"single-1", "1 head, equal parameters", SLOW HEADS_1, 8, false, false},
    {"single-2", "2 heads, equal parameters", SLOW HEADS_2, 8, false, false},
    {"single-4", "4 heads, equal parameters", SLOW HEADS_4, 8, false, false},
    {"single-24", "E = 24 heads, equal parameters", SLOW HEADS_E, 15, false, false},
    {"single-one", "1 head, 1 neuron, equal FLOPs", "", 2, true, true},
    {"single-one-fast", "1 head, 1 neuron, equal FLOPs, rate 0.05",
     "stages.0.rate=0.05; stages.1.rate=0.25; stages.2.rate=0.05", 2, false, false},
};

/* Experts of other kinds, routed as MoT is. */
static const rate_line forms[] = {
    {"mot-fast", "MoT, N = 4, rate 0.03",
     "stages.0.rate=0.03; stages.1.rate=0.15; stages.2.rate=0.03; stages.2.until=500 steps", 3, true, true},
    {"token-wise", "no attention, token-wise (a)", "model.merged.attention=none", 3, true, true},
    {"pooled", "no attention, pooled (b)", "stages.1.train=[gate, ffn]; stages.1.rate=0.01", 3, true, true},
    {"sigma-0.5", "MoT, sigma 0.5", "data.mixture.sigma=0.5", 3, true, true},
    {"sigma-1", "MoT, sigma 1", "data.mixture.sigma=1", 3, false, true},
    {"shared", "shared attention, FFN experts (d)", "model.tie=[attention]", 3, false, false},
    {"neurons-2", "2 neurons an expert (e)", "model.merged.neurons=2", 4, false, false},
    {"neurons-4", "4 neurons an expert (e)", "model.merged.neurons=4", 4, false, false},
    {"neurons-8", "8 neurons an expert (e)", "model.merged.neurons=8", 5, false, false},
    {"identity", "identity activation", "model.merged.activation=identity", 3, false, false},
};

#define SINGLE "model.experts=1; route.scale=none; route.noise=none; route.noise_steps=0; route.noise_end=0; "

static size_t add_line(mot_study *study, const rate_line *line, bool single, bool *there)
{
    char name[64];
    const bool quick = study->options.quick;
    *there = !quick || line->in_quick;
    if (!*there) return 0;
    snprintf(name, sizeof name, "rate-%s", line->name);
    return study_add(study, name, line->label, claims_rate, 5, line->cost, "data.mixture.eval=%d; %s%s%s",
                     quick ? 20000 : 100000, quick ? "eval.every=40; " : "",
                     single ? SINGLE : "model.experts=24; ", line->settings);
}

static size_t collect(mot_study *study, size_t *variants, bool pictured)
{
    size_t count = 0;
    bool there;
    variants[count++] = claims_add_rate(study, 4);
    variants[count++] = claims_add_rate(study, 8);
    for (size_t i = 0; i < MOT_COUNT(lines); ++i) {
        const size_t v = add_line(study, &lines[i], true, &there);
        if (there && (lines[i].in_picture || !pictured)) variants[count++] = v;
    }
    for (size_t i = 0; i < MOT_COUNT(forms); ++i) {
        const size_t v = add_line(study, &forms[i], false, &there);
        if (there && (forms[i].in_picture || !pictured)) variants[count++] = v;
    }
    return count;
}

static void plan_rate(mot_study *study)
{
    size_t variants[MOST_LINES];
    (void)collect(study, variants, false);
}

/* ---- steps to eps ---- */

typedef struct rate_reach {
    size_t points;  /* that were reached, over seeds and eps */
    size_t arrived; /* seeds that reached the last eps */
    double x[MOST_SEEDS * MOST_EPS], steps[MOST_SEEDS * MOST_EPS], inverse[MOST_SEEDS * MOST_EPS];
    int seed[MOST_SEEDS * MOST_EPS];
    double median[MOST_EPS]; /* over the seeds; NaN where fewer than half arrive */
    double seconds;          /* median to the last eps */
} rate_reach;

static void measure_reach(const study_variant *variant, rate_reach *reach)
{
    memset(reach, 0, sizeof *reach);
    for (size_t k = 0; k < MOST_EPS; ++k) {
        const double eps = pow(10, -(double)(k + 1));
        double values[MOST_SEEDS];
        for (int s = 0; s < variant->seeds; ++s) {
            values[s] = study_reach(&variant->result[s], study_loss, eps, study_step);
            if (!isfinite(values[s])) continue;
            reach->x[reach->points] = log(1 / eps);
            reach->inverse[reach->points] = 1 / eps;
            reach->steps[reach->points] = values[s];
            reach->seed[reach->points++] = s;
            if (k + 1 == MOST_EPS) ++reach->arrived;
        }
        const size_t n = study_finite(values, (size_t)variant->seeds);
        reach->median[k] = 2 * n >= (size_t)variant->seeds && n > 0 ? mot_median(values, n) : NAN;
    }
    double time[MOST_SEEDS];
    for (int s = 0; s < variant->seeds; ++s)
        time[s] = study_reach(&variant->result[s], study_loss, pow(10, -MOST_EPS), study_time);
    const size_t n = study_finite(time, (size_t)variant->seeds);
    reach->seconds = 2 * n >= (size_t)variant->seeds && n > 0 ? mot_median(time, n) : NAN;
}

static double lowest(const study_result *result)
{
    double low = INFINITY;
    for (size_t r = 0; r < result->rows; ++r) low = fmin(low, result->loss[r]);
    return result->rows > 0 ? low : NAN;
}

/* One row of the table. */
static mot_status tell_line(mot_study *study, const study_variant *variant, const rate_reach *reach,
                            mot_power *fit, mot_power_interval *interval)
{
    double floors[MOST_SEEDS];
    char text[96], p[64] = "-", linear[32] = "-", inverse[32] = "-", first[16] = "never", deep[16] = "never",
                   seconds[16] = "-";
    mot_status status = MOT_OK;
    *fit = (mot_power){.p = NAN};
    *interval = (mot_power_interval){{NAN, NAN}, 0, 0};
    for (int s = 0; s < variant->seeds; ++s) floors[s] = lowest(&variant->result[s]);
    if (isfinite(reach->median[3])) { /* four decades are enough for a fit */
        MOT_TRY(mot_power_fit(reach->x, reach->steps, reach->points, fit));
        if (mot_power_bootstrap(reach->x, reach->steps, reach->seed, reach->points, 400, 1, interval) !=
            MOT_OK)
            *interval = (mot_power_interval){{NAN, NAN}, 0, 0};
        snprintf(p, sizeof p, "%.2f (%.2f to %.2f)", fit->p, interval->p.low, interval->p.high);
        snprintf(linear, sizeof linear, "%.3f", mot_line_fit(reach->x, reach->steps, reach->points).r2);
        snprintf(inverse, sizeof inverse, "%.3f",
                 mot_line_fit(reach->inverse, reach->steps, reach->points).r2);
    }
    if (isfinite(reach->median[3])) snprintf(first, sizeof first, "%.0f", reach->median[3]);
    if (isfinite(reach->median[MOST_EPS - 1]))
        snprintf(deep, sizeof deep, "%.0f", reach->median[MOST_EPS - 1]);
    if (isfinite(reach->seconds)) snprintf(seconds, sizeof seconds, "%.2f", reach->seconds);
    study_say(study, "| %s | %zu of %d | %s | %s | %s | %s | %s | %s | %s |\n", variant->label,
              reach->arrived, variant->seeds, first, deep, seconds, p, linear, inverse,
              study_spread(floors, (size_t)variant->seeds, text));
done:
    return status;
}

static mot_status draw_rate(mot_study *study, const size_t *variants, size_t count, const rate_reach *reaches)
{
    study_curve curve[MOST_LINES];
    mot_series loss[MOST_LINES], steps[MOST_LINES];
    double x[MOST_EPS];
    size_t drawn = 0;
    mot_status status = MOT_OK;
    memset(curve, 0, sizeof curve);
    for (size_t k = 0; k < MOST_EPS; ++k) x[k] = (double)(k + 1);
    for (size_t i = 0; i < count && i < MOT_FIGURE_SERIES; ++i) {
        const study_variant *variant = &study->variant[variants[i]];
        MOT_TRY(study_curve_make(variant, study_loss, false, false, &curve[i]));
        loss[i] = study_series(&curve[i], variant->label, 0);
        loss[i].dashed = i >= 7;
        steps[drawn++] = (mot_series){.label = variant->label,
                                      .count = MOST_EPS,
                                      .x = x,
                                      .y = reaches[i].median,
                                      .style = MOT_SERIES_LINE_POINTS,
                                      .color = (int)i % MOT_FIGURE_COLORS + 1,
                                      .dashed = i >= 8};
    }
    mot_mark marks[16];
    const size_t stages = claims_marks(&study->variant[variants[0]].result[0], marks);
    const mot_panel panels[] = {
        {.kind = MOT_PANEL_LINES,
         .title = "Test loss",
         .x = {.label = "step"},
         .y = {.label = "loss", .log = 10, .low = 1e-20, .high = 2},
         .series = loss,
         .series_count = drawn,
         .marks = marks,
         .mark_count = stages,
         .key = MOT_KEY_RIGHT},
        {.kind = MOT_PANEL_LINES,
         .title = "Steps to a test loss of eps",
         .x = {.label = "log10(1/eps)"},
         .y = {.label = "steps", .low = 0, .high = NAN},
         .series = steps,
         .series_count = drawn,
         .key = MOT_KEY_RIGHT},
    };
    const mot_figure figure = {.panels = panels, .panel_count = 2, .columns = 1, .width = 900, .height = 900};
    MOT_TRY(study_draw(
        study, "rate",
        "Median and quartiles over the seeds; the same colour is the same variant in both. A line that ends "
        "on the right is a floor: fewer than half of the seeds get there.",
        &figure));
done:
    for (size_t i = 0; i < MOST_LINES; ++i) study_curve_free(&curve[i]);
    return status;
}

/* What the fastest of a kind takes to the last eps; NaN where none arrives. */
typedef struct rate_best {
    double steps, seconds;
} rate_best;

static void take_best(rate_best *best, const rate_reach *reach)
{
    best->steps = fmin(best->steps, reach->median[MOST_EPS - 1]);
    best->seconds = fmin(best->seconds, reach->seconds);
}

/* Against one transformer: which arrives, in how many steps, in how many seconds. */
static void compare_single(mot_study *study, const rate_best *mot, const rate_best *parameters,
                           const rate_best *flops)
{
    char equal[128] = "at equal FLOPs it arrives as well";
    if (!isfinite(flops->steps))
        snprintf(equal, sizeof equal, "of equal FLOPs never arrives, at either rate");
    const bool faster = !isfinite(parameters->steps) || mot->steps <= parameters->steps;
    claims_verdict(study, faster && !isfinite(flops->steps),
                   "(MoT takes fewer steps than one transformer.) At its best rate MoT takes %.0f steps and "
                   "%.2f s to 1e-12. One "
                   "transformer of equal parameters takes %.0f steps and %.2f s at a rate of its own: all "
                   "its parameters see every "
                   "sample, for 24 times the work. One %s.%s",
                   mot->steps, mot->seconds, parameters->steps, parameters->seconds, equal,
                   faster ? "" : " What MoT saves on this data is work, not steps.");
}

static mot_status tell_rate(mot_study *study)
{
    size_t variants[MOST_LINES], all[MOST_LINES];
    const size_t count = collect(study, variants, true), everything = collect(study, all, false);
    rate_reach *reaches = NULL;
    mot_power fit, first = {0}, second = {0};
    mot_power_interval interval, intervals[2] = {{{0, 0}, 0, 0}};
    size_t arrived[2] = {0, 0};
    rate_best mot = {NAN, NAN}, parameters = mot, flops = mot;
    mot_status status;
    MOT_TRY(mot_allocate(&reaches, MOST_LINES, sizeof *reaches, "a claim"));
    study_section(study, "The loss falls to eps in O(log 1/eps) steps");
    study_say(study,
              "Setting: sigma = 0.25, 6N experts, "
              "stages of 200, 100 and "
              "900 steps, noise falling from 1 to 0.3 over 600 steps; the test loss is the mean over %d "
              "fresh samples, all of "
              "them, summed in double. Steps to eps are fitted by a + b (log 1/eps)^p over eps = 1e-1 ... "
              "1e-12, as far as "
              "they are reached; p with its 95 %% interval from resampled seeds. R2 of a line in log(1/eps), "
              "and in 1/eps.\n\n"
              "Variants have the same schedule and rates (experts 0.01, attention 0.05) unless they say "
              "otherwise; one transformer has no gate "
              "and no noise. A rate is the length of a normalized step of a whole unit, so one transformer "
              "with 24 times the parameters of "
              "an expert moves each of them less: it is shown at a rate of its own, too. Seconds are those "
              "of training on one core.\n\n",
              study->options.quick ? 20000 : 100000);
    for (size_t i = 0; i < count; ++i) measure_reach(&study->variant[variants[i]], &reaches[i]);
    MOT_TRY(draw_rate(study, variants, count, reaches));
    study_say(study, "| variant | seeds at 1e-12 | steps to 1e-4 | steps to 1e-12 | seconds to 1e-12 | p | "
                     "R2 in log(1/eps) | "
                     "R2 in 1/eps | lowest loss |\n"
                     "|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < everything; ++i) {
        measure_reach(&study->variant[all[i]], &reaches[0]);
        MOT_TRY(tell_line(study, &study->variant[all[i]], &reaches[0], &fit, &interval));
        const hsize_t shape[] = {MOST_EPS};
        MOT_TRY(study_keep(study, "rate", study->variant[all[i]].name, 1, shape, reaches[0].median));
        const char *name = study->variant[all[i]].name;
        if (strcmp(name, "rate-n4") == 0 || strcmp(name, "rate-mot-fast") == 0)
            take_best(&mot, &reaches[0]);
        else if (strncmp(name, "rate-single-one", 15) == 0)
            take_best(&flops, &reaches[0]);
        else if (strncmp(name, "rate-single", 11) == 0)
            take_best(&parameters, &reaches[0]);
        if (i < 2) {
            arrived[i] = reaches[0].arrived;
            intervals[i] = interval;
            *(i == 0 ? &first : &second) = fit;
        }
    }
    study_say(study, "\n");
    const int seeds[] = {study->variant[all[0]].seeds, study->variant[all[1]].seeds};
    claims_verdict(study,
                   10 * arrived[0] >= 9 * (size_t)seeds[0] && 10 * arrived[1] >= 9 * (size_t)seeds[1] &&
                       first.p <= 1 && second.p <= 1,
                   "%zu of %d seeds reach 1e-12 with N = 4 and %zu of %d with N = 8, and steps grow like "
                   "(log 1/eps)^p with p = %.2f "
                   "(%.2f to %.2f) and p = %.2f (%.2f to %.2f): not faster than linearly. A cubic expert's "
                   "margin grows like t^3 "
                   "under normalized steps, so less than 1 is expected.",
                   arrived[0], seeds[0], arrived[1], seeds[1], first.p, intervals[0].p.low,
                   intervals[0].p.high, second.p, intervals[1].p.low, intervals[1].p.high);
    compare_single(study, &mot, &parameters, &flops);
done:
    mot_free(reaches);
    return status;
}
const study_claim claim_rate = {"rate", plan_rate, tell_rate};

/* ---- plain gradient descent ---- */

static size_t add_plain(mot_study *study)
{
    const bool quick = study->options.quick;
    return study_add(study, "plain", "plain gradient descent", claims_rate, 5, quick ? 4 : 8,
                     "model.experts=24; data.mixture.eval=%d; stages.2.optimizer=sgd; stages.2.rate=1; "
                     "stages.2.until=%d steps; "
                     "eval.every=%d",
                     20000, quick ? 4000 : 12000, 200);
}

static void plan_plain(mot_study *study)
{
    (void)claims_add_rate(study, 4);
    (void)add_plain(study);
}

static mot_status tell_plain(mot_study *study)
{
    const study_variant *variants[] = {&study->variant[add_plain(study)],
                                       &study->variant[claims_add_rate(study, 4)]};
    study_curve curve[2];
    double slope[MOST_SEEDS];
    mot_status status = MOT_OK;
    memset(curve, 0, sizeof curve);
    mot_series series[2];
    for (size_t v = 0; v < 2; ++v) {
        MOT_TRY(study_curve_make(variants[v], study_loss, false, false, &curve[v]));
        const double begin = variants[v]->result[0].stage_begin[2];
        for (size_t r = 0; r < curve[v].count; ++r) curve[v].x[r] -= begin;
        series[v] = study_series(&curve[v], v == 0 ? "plain gradient descent" : "normalized", (int)v + 1);
    }
    for (int s = 0; s < variants[0]->seeds; ++s) { /* over the last decade of steps */
        const study_result *r = &variants[0]->result[s];
        double x[512], y[512];
        size_t n = 0;
        for (size_t i = 0; i < r->rows && n < 512; ++i) {
            const double t = r->step[i] - r->stage_begin[2];
            if (t * 10 < r->steps - r->stage_begin[2]) continue;
            x[n] = log(t);
            y[n++] = log(r->loss[i]);
        }
        slope[s] = mot_line_fit(x, y, n).b;
    }
    const mot_panel panel = {.kind = MOT_PANEL_LINES,
                             .title = "Test loss in stage III",
                             .x = {.label = "step of the stage", .log = 10},
                             .y = {.label = "loss", .log = 10, .low = 1e-12, .high = 2},
                             .series = series,
                             .series_count = 2};
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    study_section(study, "Plain gradient descent: 1/t");
    study_say(study, "The same first two stages; in the third the "
                     "experts take plain gradient steps "
                     "at rate 1 instead of normalized ones.\n\n");
    MOT_TRY(study_draw(study, "plain", "A straight line on these axes is a power of t.", &figure));
    char text[96];
    const hsize_t shape[] = {(hsize_t)variants[0]->seeds};
    MOT_TRY(study_keep(study, "plain", "slope", 1, shape, slope));
    const double median = mot_median(slope, (size_t)variants[0]->seeds);
    claims_verdict(
        study, median > -1.5 && median < -0.75,
        "Over the last decade of steps the loss falls like t^s with s = %s. A margin of degree three gives "
        "1 / (t (ln t)^(4/3)), whose local power is -1 - 4 / (3 ln t): O(1/eps) steps but for logarithms, "
        "whatever the "
        "architecture; "
        "the logarithm needs normalized steps.",
        study_spread(slope, (size_t)variants[0]->seeds, text));
done:
    for (size_t v = 0; v < 2; ++v) study_curve_free(&curve[v]);
    return status;
}
const study_claim claim_plain = {"plain", plan_plain, tell_plain};

/* ---- floors ---- */

static const double sigmas[] = {0.25, 0.5, 1};
static const int lengths[] = {4, 16};

typedef struct floor_form {
    const char *name, *label, *settings;
} floor_form;
static const floor_form floor_forms[] = {
    {"mot", "MoT", "model.experts=24"},
    {"token-wise", "no attention, token-wise (a)", "model.experts=24; model.merged.attention=none"},
    {"pooled", "no attention, pooled (b)",
     "model.experts=24; stages.1.train=[gate, ffn]; stages.1.rate=0.01"},
    {"single-fast", "one transformer, 4 heads, equal parameters, rate 0.25",
     SINGLE "stages.0.rate=0.25; stages.1.rate=0.25; stages.2.rate=0.25; " HEADS_4},
};

/* The transformer of equal parameters takes most of the time. */
static size_t floor_count(const mot_study *study)
{
    return MOT_COUNT(floor_forms) - (study->options.quick ? 1 : 0);
}

static size_t add_floor(mot_study *study, const floor_form *form, double sigma, int tokens)
{
    char name[64];
    snprintf(name, sizeof name, "floor-%s-s%g-l%d", form->name, sigma, tokens);
    return study_add(
        study, name, form->label, claims_rate, 5, 3,
        "data.mixture.eval=20000; eval.every=300; data.mixture.sigma=%g; data.mixture.tokens=%d; %s", sigma,
        tokens, form->settings);
}

/* The settings of a row: sigma at L = 8, then L at sigma 0.5. */
static size_t floor_settings(const mot_study *study, double *sigma, int *tokens)
{
    size_t count = 0;
    for (size_t i = 0; i < MOT_COUNT(sigmas); ++i, ++count) sigma[count] = sigmas[i], tokens[count] = 8;
    for (size_t i = 0; i < MOT_COUNT(lengths) && !study->options.quick; ++i, ++count)
        sigma[count] = 0.5, tokens[count] = lengths[i];
    return count;
}

static void plan_floor(mot_study *study)
{
    double sigma[8];
    int tokens[8];
    const size_t count = floor_settings(study, sigma, tokens);
    for (size_t c = 0; c < count; ++c)
        for (size_t f = 0; f < floor_count(study); ++f)
            (void)add_floor(study, &floor_forms[f], sigma[c], tokens[c]);
}

static mot_status tell_floor(mot_study *study)
{
    double sigma[8], error[MOST_SEEDS], routed[MOST_SEEDS], medians[4][8] = {{0}};
    int tokens[8];
    char text[96], other[96];
    const size_t count = floor_settings(study, sigma, tokens);
    mot_status status = MOT_OK;
    study_section(study, "What sets the floor");
    study_say(study, "The 0-1 error at the end (20,000 test samples), as the "
                     "noise grows and as the sample gets "
                     "longer; the schedule is that of section 6. For MoT also the loss of those samples that "
                     "are with an expert of their "
                     "class.\n\n| setting |");
    for (size_t f = 0; f < floor_count(study); ++f) study_say(study, " %s |", floor_forms[f].label);
    study_say(study, " MoT's loss where routing is right |\n|---|---|");
    for (size_t f = 0; f < floor_count(study); ++f) study_say(study, "---|");
    study_say(study, "\n");
    for (size_t c = 0; c < count; ++c) {
        study_say(study, "| sigma = %g, L = %d |", sigma[c], tokens[c]);
        for (size_t f = 0; f < floor_count(study); ++f) {
            const study_variant *variant =
                &study->variant[add_floor(study, &floor_forms[f], sigma[c], tokens[c])];
            study_last(variant, study_accuracy, error);
            for (int s = 0; s < variant->seeds; ++s) error[s] = 1 - error[s];
            if (f == 0) study_last(variant, study_routed_loss, routed);
            study_say(study, " %s |", study_spread(error, (size_t)variant->seeds, text));
            medians[f][c] = mot_median(error, study_finite(error, (size_t)variant->seeds));
        }
        study_say(study, " %s |\n", study_spread(routed, 5, other));
    }
    study_say(study, "\n");
    mot_series series[4];
    for (size_t f = 0; f < floor_count(study); ++f) {
        series[f] = (mot_series){.label = floor_forms[f].label,
                                 .count = MOT_COUNT(sigmas),
                                 .x = sigmas,
                                 .y = medians[f],
                                 .style = MOT_SERIES_LINE_POINTS};
        const hsize_t shape[] = {count};
        MOT_TRY(study_keep(study, "floor", floor_forms[f].name, 1, shape, medians[f]));
    }
    const mot_panel panel = {.kind = MOT_PANEL_LINES,
                             .title = "0-1 error at the end, L = 8",
                             .x = {.label = "sigma", .log = 2},
                             .y = {.label = "error", .log = 10},
                             .series = series,
                             .series_count = floor_count(study)};
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    MOT_TRY(study_draw(study, "floor", "Median over the seeds; an error of 0 is not drawn.", &figure));
    char single[120] = "";
    if (floor_count(study) > 3)
        snprintf(single, sizeof single,
                 " One transformer of equal parameters, which has no gate to err, comes to %.2g there.",
                 medians[3][2]);
    claims_verdict(study, medians[2][1] > 10 * medians[0][1],
                   "Without attention, pooled experts keep an error of %.2g at sigma 0.5 where MoT has %.2g: "
                   "the noise of all tokens is in "
                   "what they see. Token-wise experts come to %.2g. At sigma 1 MoT has %.2g: samples that "
                   "the linear gate sends astray set "
                   "its floor.%s",
                   medians[2][1], medians[0][1], medians[1][1], medians[0][2], single);
done:
    return status;
}
const study_claim claim_floor = {"floor", plan_floor, tell_floor};

/* Claims about sizes and data: how many experts it takes, what more classes and noise do, correlated signals. */
#include <math.h>

#include "claims.h"

enum { MOST_N = 4, MOST_FACTORS = 7 };

/* ---- E / (N ln N) ---- */

static const int class_counts[MOST_N] = {2, 4, 8, 16};
static const double factors[MOST_FACTORS] = {0.5, 1, 1.5, 2, 3, 4, 6};

static int experts_for(int N, double factor)
{
    const int E = (int)lround(factor * N * log(N));
    return E < 1 ? 1 : E;
}

static study_variant *add_experts(mot_study *study, int N, double factor)
{
    char name[64];
    snprintf(name, sizeof name, "experts-n%d-e%d", N, experts_for(N, factor));
    return mot_study_add(
        study, name, name, mot_claims_rate, study->options.quick ? 3 : 10, 0.25 * N,
        "data.mixture.classes=%d; model.experts=%d; train.batch=%d; data.mixture.eval=5000; eval.every=0; "
        "eval.start=false; stages.2.until=300 steps",
        N, experts_for(N, factor), N <= 4 ? 400 : 100 * N);
}

/* The quick form leaves out most factors. */
static int factor_step(const mot_study *study)
{
    return study->options.quick ? 3 : 1;
}

static int most_classes(const mot_study *study)
{
    return study->options.quick ? 3 : MOST_N;
}

static void plan_experts(mot_study *study)
{
    for (int n = 0; n < most_classes(study); ++n)
        for (int f = 0; f < MOST_FACTORS; f += factor_step(study))
            (void)add_experts(study, class_counts[n], factors[f]);
}

/* Whether at least half of every class is with experts that mostly have this class. */
static bool every_class_served(const study_result *r)
{
    if (r->rows == 0) return false;
    const double *load = r->column[STUDY_LOAD] + (r->rows - 1) * r->N * r->E;
    for (size_t n = 0; n < r->N; ++n) {
        double own = 0, all = 0;
        for (size_t e = 0; e < r->E; ++e) {
            all += load[n * r->E + e];
            if (mot_study_expert_kind(r, r->rows - 1, e, NULL) == n) own += load[n * r->E + e];
        }
        if (own * 2 < all || all == 0) return false;
    }
    return true;
}

/* The chance that E uniform draws hit all N classes: that every class is the best aligned one of some expert. */
static double all_drawn(int N, int E)
{
    double sum = 0, choose = 1;
    for (int k = 0; k <= N; ++k) {
        sum += (k % 2 == 0 ? 1 : -1) * choose * pow(1 - (double)k / N, E);
        choose = choose * (N - k) / (k + 1);
    }
    return fmin(fmax(sum, 0), 1);
}

static mot_status tell_experts(mot_study *study)
{
    double x[MOST_N][MOST_FACTORS], p[MOST_N][MOST_FACTORS], low[MOST_N][MOST_FACTORS],
        high[MOST_N][MOST_FACTORS];
    double draw[MOST_N][MOST_FACTORS], worst = 1;
    char labels[MOST_N][64];
    mot_series series[2 * MOST_N];
    const int counts = most_classes(study);
    mot_status status = MOT_OK;
    mot_study_section(study, "How many experts it takes: E / (N ln N)");
    mot_study_say(study, "The share of seeds for which every class ends with experts of its own: at least half "
                         "of its test samples are with experts that mostly have this class. In brackets: the "
                         "chance that E random draws hit all N classes, as if each expert took the class that "
                         "its first neuron points at.\n\n| N |");
    for (int f = 0; f < MOST_FACTORS; f += factor_step(study)) mot_study_say(study, " %g |", factors[f]);
    mot_study_say(study, "\n|---|");
    for (int f = 0; f < MOST_FACTORS; f += factor_step(study)) mot_study_say(study, "---|");
    mot_study_say(study, "\n");
    for (int n = 0; n < counts; ++n) {
        const int N = class_counts[n];
        mot_study_say(study, "| %d |", N);
        for (int f = 0; f < MOST_FACTORS; ++f) x[n][f] = p[n][f] = low[n][f] = high[n][f] = draw[n][f] = NAN;
        for (int f = 0; f < MOST_FACTORS; f += factor_step(study)) {
            const study_variant *variant = add_experts(study, N, factors[f]);
            const int E = experts_for(N, factors[f]);
            size_t served = 0;
            for (int s = 0; s < variant->seeds; ++s) served += every_class_served(&variant->result[s]);
            const mot_interval interval = mot_wilson(served, (size_t)variant->seeds);
            x[n][f] = E / (N * log(N));
            p[n][f] = (double)served / variant->seeds;
            low[n][f] = interval.low;
            high[n][f] = interval.high;
            draw[n][f] = all_drawn(N, E);
            if (factors[f] >= 4) worst = fmin(worst, p[n][f]);
            mot_study_say(study, " E = %d: %zu of %d (%.2f) |", E, served, variant->seeds, draw[n][f]);
        }
        mot_study_say(study, "\n");
        snprintf(labels[n], sizeof labels[n], "N = %d", N);
        series[n] = (mot_series){.label = labels[n],
                                 .count = MOST_FACTORS,
                                 .x = x[n],
                                 .y = p[n],
                                 .lower = low[n],
                                 .upper = high[n],
                                 .style = MOT_SERIES_LINE_POINTS,
                                 .color = n + 1};
        series[counts + n] = (mot_series){
            .count = MOST_FACTORS, .x = x[n], .y = draw[n], .dashed = true, .color = n + 1};
        const hsize_t shape[] = {MOST_FACTORS};
        char key[16];
        snprintf(key, sizeof key, "n%d", N);
        MOT_TRY(mot_study_keep(study, "experts", key, 1, shape, p[n]));
    }
    mot_study_say(study, "\n");
    mot_panel panel = mot_study_lines("Every class has experts of its own", "E / (N ln N)",
                                      (mot_axis){.label = "share of seeds", .low = 0, .high = 1.02}, series,
                                      2 * (size_t)counts);
    panel.key = MOT_KEY_RIGHT;
    const mot_figure figure = {.panels = &panel, .panel_count = 1, .width = 760};
    MOT_TRY(mot_study_draw(study, "experts",
                           "Bands: 95 % Wilson intervals. Dashed: all classes among E random draws.", &figure));
    mot_study_verdict(study, worst >= 0.9,
                       "From 4 N ln N experts on every class has its experts in at least %.0f %% of the seeds, "
                       "for every N tried: the number of experts that is needed grows like N log N.",
                       100 * worst);
done:
    return status;
}
const study_claim mot_claim_experts = {"experts", plan_experts, tell_experts};

/* ---- N and noise ---- */

static const int growth_counts[] = {2, 4, 8};
static const double growth_sigmas[] = {0.25, 0.5, 1};

static study_variant *add_growth(mot_study *study, int N, double sigma, bool single)
{
    char name[64], settings[320];
    const int E = 6 * N, neurons = (E * (32 * 32 + 32) / 4 - 32 * 32) / 32;
    snprintf(name, sizeof name, "growth-%s-n%d-s%g", single ? "single-fast" : "mot", N, sigma);
    if (single)
        snprintf(settings, sizeof settings,
                 CLAIMS_SINGLE "model.merged.heads=4; model.merged.neurons=%d; " CLAIMS_FAST, neurons);
    else
        snprintf(settings, sizeof settings, "model.experts=%d", E);
    return mot_study_add(study, name, single ? "one transformer, 4 heads" : "MoT", mot_claims_rate, 5,
                         (single ? 4 : 1) * N,
                         "data.mixture.classes=%d; data.mixture.sigma=%g; train.batch=%d; "
                         "data.mixture.eval=20000; eval.every=200; %s",
                         N, sigma, N == 4 ? 400 : 100 * N, settings);
}

static void plan_growth(mot_study *study)
{
    if (study->options.quick) return;
    for (size_t n = 0; n < MOT_COUNT(growth_counts); ++n)
        for (size_t s = 0; s < MOT_COUNT(growth_sigmas); ++s)
            for (int single = 0; single < 2; ++single)
                (void)add_growth(study, growth_counts[n], growth_sigmas[s], single);
}

static mot_status tell_growth(mot_study *study)
{
    double error[STUDY_MOST_SEEDS], used[STUDY_MOST_SEEDS], table[3][3][2];
    char text[3][96];
    mot_status status = MOT_OK;
    if (study->options.quick) return MOT_OK;
    mot_study_section(study, "More classes, more noise");
    mot_study_say(study, "MoT with 6N experts against one transformer with 4 heads, as many parameters and a "
                         "rate of its own (0.25), the same samples and steps: 0-1 error at the end.\n\n| N | "
                         "sigma | experts used | MoT | one transformer |\n|---|---|---|---|---|\n");
    size_t better = 0, cells = 0;
    for (size_t n = 0; n < MOT_COUNT(growth_counts); ++n)
        for (size_t s = 0; s < MOT_COUNT(growth_sigmas); ++s) {
            for (int single = 0; single < 2; ++single) {
                const study_variant *variant = add_growth(study, growth_counts[n], growth_sigmas[s], single);
                const size_t seeds = (size_t)variant->seeds;
                mot_study_last(variant, mot_study_error, 0, error);
                mot_study_spread(error, seeds, text[1 + single]);
                table[n][s][single] = mot_study_median(error, seeds);
                if (single) continue;
                mot_study_last(variant, mot_study_number, STUDY_USED, used);
                mot_study_spread(used, seeds, text[0]);
            }
            better += table[n][s][0] <= table[n][s][1];
            ++cells;
            mot_study_say(study, "| %d | %g | %s of %d | %s | %s |\n", growth_counts[n], growth_sigmas[s],
                          text[0], 6 * growth_counts[n], text[1], text[2]);
        }
    mot_study_say(study, "\n");
    const hsize_t shape[] = {3, 3, 2};
    MOT_TRY(mot_study_keep(study, "growth", "error", 3, shape, &table[0][0][0]));
    mot_study_verdict(
        study, better == cells, "MoT's median error is not above the transformer's in %zu of %zu settings.%s",
        better, cells,
        better == cells ? ""
                        : " Where it is, the linear gate's misroutes cost more than sharing one model does.");
done:
    return status;
}
const study_claim mot_claim_growth = {"growth", plan_growth, tell_growth};

/* ---- correlated signals, two signals a label ---- */

static const struct {
    const char *name, *label, *settings;
} kinds[] = {
    {"data-plain", "orthogonal, signed labels", ""},
    {"data-c25", "cosine 0.25 between any two signals", "data.mixture.correlation=0.25"},
    {"data-c50", "cosine 0.5", "data.mixture.correlation=0.5"},
    {"data-vector", "a signal for each label", "data.mixture.labels=vector"},
    {"data-uneven", "classes 4 : 2 : 1 : 1", "data.mixture.class_weights=[4, 2, 1, 1]"},
    {"data-strengths", "signals of strength 0.5 to 1.5",
     "data.mixture.alpha=[0.5, 1.5]; data.mixture.beta=[0.5, 1.5]; data.mixture.gamma=[0.5, 1.5]"},
};

static study_variant *add_kind(mot_study *study, size_t kind)
{
    return mot_study_add(study, kinds[kind].name, kinds[kind].label, mot_claims_rate, 5, 3,
                         "model.experts=24; data.mixture.eval=20000; eval.every=200; %s", kinds[kind].settings);
}

static void plan_data(mot_study *study)
{
    for (size_t k = 0; k < MOT_COUNT(kinds) && !study->options.quick; ++k) (void)add_kind(study, k);
}

static mot_status tell_data(mot_study *study)
{
    double purity[STUDY_MOST_SEEDS], error[STUDY_MOST_SEEDS], loss[STUDY_MOST_SEEDS],
        attention[STUDY_MOST_SEEDS], medians[MOT_COUNT(kinds)];
    char a[96], b[96], c[96], d[96];
    mot_status status = MOT_OK;
    if (study->options.quick) return MOT_OK;
    mot_study_section(study, "Other data");
    mot_study_say(study,
                  "Setting of section 6, N = 4. The last column is the attention of the class signal to the "
                  "classification signal: with a signal for each label it need not average to zero.\n\n"
                  "| data | purity | 0-1 error | lowest loss | class to signal |\n|---|---|---|---|---|\n");
    for (size_t k = 0; k < MOT_COUNT(kinds); ++k) {
        const study_variant *variant = add_kind(study, k);
        const size_t seeds = (size_t)variant->seeds;
        mot_study_last(variant, mot_study_number, STUDY_PURITY, purity);
        mot_study_last(variant, mot_study_error, 0, error);
        mot_study_last(variant, mot_study_attention, MOT_ROLE_CLASS * MOT_ROLES + MOT_ROLE_SIGNAL, attention);
        for (size_t s = 0; s < seeds; ++s) loss[s] = mot_study_lowest_loss(&variant->result[s]);
        mot_study_say(study, "| %s | %s | %s | %s | %s |\n", variant->label, mot_study_spread(purity, seeds, a),
                      mot_study_spread(error, seeds, b), mot_study_spread(loss, seeds, c),
                      mot_study_spread(attention, seeds, d));
        medians[k] = mot_study_median(error, seeds);
    }
    mot_study_say(study, "\n");
    const hsize_t shape[] = {MOT_COUNT(kinds)};
    MOT_TRY(mot_study_keep(study, "data", "error", 1, shape, medians));
    mot_study_verdict(study, medians[1] <= 1e-2 && medians[2] <= 1e-2,
                       "With correlated signals the error is %.2g (cosine 0.25) and %.2g (cosine 0.5), against "
                       "%.2g with orthogonal ones, under the schedule that suits those: the gate sees the sum of "
                       "all tokens, in which correlated signals overlap.",
                       medians[1], medians[2], medians[0]);
done:
    return status;
}
const study_claim mot_claim_data = {"data", plan_data, tell_data};

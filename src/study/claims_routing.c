/* Claims about the way of samples and of attention, over the steps, on the calibration setting. */
#include <math.h>
#include <string.h>

#include "claims.h"

static void plan(mot_study *study)
{
    (void)mot_claims_add_calibration(study);
}

static size_t count_at_least(const double *values, int count, double bound)
{
    size_t n = 0;
    for (int i = 0; i < count; ++i) n += values[i] >= bound;
    return n;
}

/* ---- 1: routing ---- */

static mot_status tell_routing(mot_study *study)
{
    const study_variant *variant = mot_claims_add_calibration(study);
    const size_t seeds = (size_t)variant->seeds;
    double purity[STUDY_MOST_SEEDS], error[STUDY_MOST_SEEDS], loss[STUDY_MOST_SEEDS],
        routed[STUDY_MOST_SEEDS];
    char a[96], b[96], c[96], d[96];
    study_curve curve[4];
    mot_status status = MOT_OK;
    memset(curve, 0, sizeof curve);
    mot_study_last(variant, mot_study_number, STUDY_PURITY, purity);
    mot_study_last(variant, mot_study_error, 0, error);
    mot_study_last(variant, mot_study_number, STUDY_LOSS, loss);
    mot_study_last(variant, mot_study_number, STUDY_ROUTED_LOSS, routed);
    MOT_TRY(mot_study_curve_make(variant, mot_study_number, STUDY_PURITY, STUDY_STEP, &curve[0]));
    MOT_TRY(mot_study_curve_make(variant, mot_study_number, STUDY_ENTROPY, STUDY_STEP, &curve[1]));
    MOT_TRY(mot_study_curve_make(variant, mot_study_number, STUDY_NMI, STUDY_STEP, &curve[2]));
    MOT_TRY(mot_study_curve_make(variant, mot_study_error, 0, STUDY_STEP, &curve[3]));
    mot_study_section(study, "The gate learns to send each class to experts of its own");
    mot_study_say(study, "Setting: N = 4 classes, E = 12 experts, D = 32, L = 8, sigma = 0.5, three stages; "
                         "purity is the share of "
                         "test samples that are with an expert that mostly has their class.\n\n");
    mot_mark marks[16];
    const mot_series routing[] = {mot_study_series(&curve[0], "purity", 1), mot_study_series(&curve[2], "NMI", 3),
                                  mot_study_series(&curve[1], "entropy of the load", 5)};
    const mot_series errors[] = {mot_study_series(&curve[3], "0-1 error", 2)};
    mot_panel panels[] = {
        mot_study_lines("Routing", "step", (mot_axis){.low = 0, .high = 1.02}, routing, 3),
        mot_study_lines("Error on test samples", "step", (mot_axis){.label = "error", .log = 10}, errors, 1)};
    for (size_t i = 0; i < 2; ++i) mot_study_mark(&panels[i], mot_study_longest(variant), marks);
    const mot_figure figure = {.panels = panels, .panel_count = 2};
    MOT_TRY(mot_study_draw(study, "routing",
                           "Median and quartiles over the seeds; dashed: stages II and III begin.", &figure));
    mot_study_say(
        study,
        "| at the end | median (range) over %zu seeds |\n|---|---|\n| purity | %s |\n| 0-1 error | %s |\n"
        "| loss | %s |\n| loss of the samples with an expert of their class | %s |\n\n",
        seeds, mot_study_spread(purity, seeds, a), mot_study_spread(error, seeds, b),
        mot_study_spread(loss, seeds, c), mot_study_spread(routed, seeds, d));
    size_t pure = count_at_least(purity, variant->seeds, 0.98), right = 0;
    for (size_t s = 0; s < seeds; ++s) right += error[s] <= 1e-3 + 1e-9;
    const hsize_t shape[] = {seeds};
    MOT_TRY(mot_study_keep(study, "routing", "purity", 1, shape, purity));
    MOT_TRY(mot_study_keep(study, "routing", "error", 1, shape, error));
    mot_study_verdict(
        study, 10 * pure >= 9 * seeds && 10 * right >= 9 * seeds,
        "Purity is at least 0.98 for %zu of %zu seeds, the error at most 0.001 for %zu.%s", pure, seeds, right,
        10 * right >= 9 * seeds ? "" : " Samples near the border between two classes' routes decide the error.");
done:
    for (size_t i = 0; i < MOT_COUNT(curve); ++i) mot_study_curve_free(&curve[i]);
    return status;
}
const study_claim mot_claim_routing = {"routing", plan, tell_routing};

/* ---- 3: attention ---- */

static mot_status tell_attention(mot_study *study)
{
    const study_variant *variant = mot_claims_add_calibration(study);
    static const char *const keys[MOT_ROLES] = {"noise (5 tokens)", "class signal", "classification signal",
                                                "distractor"};
    static const char *const queries[MOT_ROLES] = {"", "query: class signal", "query: classification signal",
                                                   "query: distractor"};
    enum { QUERIES = MOT_ROLES - 1 }; /* all but noise */
    double signal[STUDY_MOST_SEEDS], class[STUDY_MOST_SEEDS];
    mot_mark marks[16];
    mot_status status = MOT_OK;
    study_curve curve[QUERIES][MOT_ROLES];
    mot_series series[QUERIES][MOT_ROLES];
    mot_panel panels[QUERIES];
    memset(curve, 0, sizeof curve);
    for (size_t q = 0; q < QUERIES; ++q) {
        const size_t query = q + 1;
        for (size_t k = 0; k < MOT_ROLES; ++k) {
            MOT_TRY(
                mot_study_curve_make(variant, mot_study_attention, query * MOT_ROLES + k, STUDY_STEP, &curve[q][k]));
            series[q][k] = mot_study_series(&curve[q][k], keys[k], (int)k + 1);
        }
        panels[q] = mot_study_lines(queries[query], "step", (mot_axis){.low = 0, .high = 1.02}, series[q],
                                    MOT_ROLES);
        panels[q].key = q + 1 == QUERIES ? MOT_KEY_TOP_RIGHT : MOT_KEY_NONE;
        mot_study_mark(&panels[q], mot_study_longest(variant), marks);
    }
    mot_study_section(study, "Attention finds the signal");
    mot_study_say(study, "Mean attention of a kind of token on kinds of tokens, by the expert that the sample is "
                         "sent to.\n\n");
    const mot_figure figure = {.panels = panels, .panel_count = QUERIES, .width = 1150};
    MOT_TRY(mot_study_draw(study, "attention", "Attention is uniform (1/8 a token) until stage II.", &figure));
    mot_study_last(variant, mot_study_attention, MOT_ROLE_SIGNAL * MOT_ROLES + MOT_ROLE_SIGNAL, signal);
    mot_study_last(variant, mot_study_attention, MOT_ROLE_CLASS * MOT_ROLES + MOT_ROLE_SIGNAL, class);
    char a[96], b[96];
    const size_t seeds = (size_t)variant->seeds, there = count_at_least(signal, variant->seeds, 0.95);
    const hsize_t shape[] = {seeds};
    MOT_TRY(mot_study_keep(study, "attention", "signal_to_signal", 1, shape, signal));
    MOT_TRY(mot_study_keep(study, "attention", "class_to_signal", 1, shape, class));
    mot_study_verdict(study, 10 * there >= 9 * seeds,
                       "The classification signal attends to itself with %s, at least 0.95 for %zu of %zu seeds. "
                       "The class signal attends to it with %s only: with signed labels its gradient averages to "
                       "zero, since the sign of the signal is even.",
                       mot_study_spread(signal, seeds, a), there, seeds, mot_study_spread(class, seeds, b));
done:
    for (size_t q = 0; q < QUERIES; ++q)
        for (size_t k = 0; k < MOT_ROLES; ++k) mot_study_curve_free(&curve[q][k]);
    return status;
}
const study_claim mot_claim_attention = {"attention", plan, tell_attention};

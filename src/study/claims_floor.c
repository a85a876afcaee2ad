/* The claim about what sets the floor of the error: noise, length, and the form of the experts. */
#include "claims.h"

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
     CLAIMS_SINGLE CLAIMS_FAST CLAIMS_HEADS_4},
};

/* The transformer of equal parameters takes most of the time. */
static size_t floor_count(const mot_study *study)
{
    return MOT_COUNT(floor_forms) - (study->options.quick ? 1 : 0);
}

static study_variant *add_floor(mot_study *study, const floor_form *form, double sigma, int tokens)
{
    char name[64];
    snprintf(name, sizeof name, "floor-%s-s%g-l%d", form->name, sigma, tokens);
    return mot_study_add(
        study, name, form->label, mot_claims_rate, mot_claims_seeds(study), 3,
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
    double sigma[8], error[STUDY_MOST_SEEDS], routed[STUDY_MOST_SEEDS], medians[4][8] = {{0}};
    int tokens[8];
    char text[96], other[96];
    const size_t count = floor_settings(study, sigma, tokens);
    mot_status status = MOT_OK;
    mot_study_section(study, "What sets the floor");
    mot_study_say(study, "The 0-1 error at the end (20,000 test samples), as the noise grows and as the sample "
                         "gets longer; the schedule is that of section 6. For MoT also the loss of those samples "
                         "that are with an expert of their class.\n\n| setting |");
    for (size_t f = 0; f < floor_count(study); ++f) mot_study_say(study, " %s |", floor_forms[f].label);
    mot_study_say(study, " MoT's loss where routing is right |\n|---|---|");
    for (size_t f = 0; f < floor_count(study); ++f) mot_study_say(study, "---|");
    mot_study_say(study, "\n");
    for (size_t c = 0; c < count; ++c) {
        mot_study_say(study, "| sigma = %g, L = %d |", sigma[c], tokens[c]);
        for (size_t f = 0; f < floor_count(study); ++f) {
            const study_variant *variant = add_floor(study, &floor_forms[f], sigma[c], tokens[c]);
            const size_t seeds = (size_t)variant->seeds;
            mot_study_last(variant, mot_study_error, 0, error);
            medians[f][c] = mot_study_median(error, seeds);
            mot_study_say(study, " %s |", mot_study_spread(error, seeds, text));
            if (f > 0) continue;
            mot_study_last(variant, mot_study_number, STUDY_ROUTED_LOSS, routed);
            mot_study_spread(routed, seeds, other);
        }
        mot_study_say(study, " %s |\n", other);
    }
    mot_study_say(study, "\n");
    mot_series series[4];
    for (size_t f = 0; f < floor_count(study); ++f) {
        series[f] = (mot_series){.label = floor_forms[f].label,
                                 .count = MOT_COUNT(sigmas),
                                 .x = sigmas,
                                 .y = medians[f],
                                 .style = MOT_SERIES_LINE_POINTS};
        const hsize_t shape[] = {count};
        MOT_TRY(mot_study_keep(study, "floor", floor_forms[f].name, 1, shape, medians[f]));
    }
    mot_panel panel = mot_study_lines("0-1 error at the end, L = 8", "sigma",
                                      (mot_axis){.label = "error", .log = 10}, series, floor_count(study));
    panel.x.log = 2;
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    MOT_TRY(mot_study_draw(study, "floor", "Median over the seeds; an error of 0 is not drawn.", &figure));
    char single[120] = "";
    if (floor_count(study) > 3)
        snprintf(single, sizeof single,
                 " One transformer of equal parameters, which has no gate to err, comes to %.2g there.",
                 medians[3][2]);
    mot_study_verdict(study, medians[2][1] > 10 * medians[0][1],
                       "Without attention, pooled experts keep an error of %.2g at sigma 0.5 where MoT has %.2g: "
                       "the noise of all tokens is in what they see. Token-wise experts come to %.2g. At sigma 1 "
                       "MoT has %.2g: samples that the linear gate sends astray set its floor.%s",
                       medians[2][1], medians[0][1], medians[1][1], medians[0][2], single);
done:
    return status;
}
const study_claim mot_claim_floor = {"floor", plan_floor, tell_floor};

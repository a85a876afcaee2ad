/* The claim about plain gradient descent. */
#include <math.h>
#include <string.h>

#include "claims.h"

static study_variant *add_plain(mot_study *study)
{
    const bool quick = study->options.quick;
    return mot_study_add(study, "plain", "plain gradient descent", mot_claims_rate, mot_claims_seeds(study),
                         quick ? 4 : 8,
                         "model.experts=24; data.mixture.eval=%d; stages.2.optimizer=sgd; stages.2.rate=1; "
                         "stages.2.until=%d steps; eval.every=%d",
                         20000, quick ? 3000 : 12000, 200);
}

static void plan_plain(mot_study *study)
{
    (void)mot_claims_add_rate(study, 4);
    (void)add_plain(study);
}

static mot_status tell_plain(mot_study *study)
{
    const study_variant *variants[] = {add_plain(study), mot_claims_add_rate(study, 4)};
    study_curve curve[2];
    double slope[STUDY_MOST_SEEDS];
    mot_status status = MOT_OK;
    memset(curve, 0, sizeof curve);
    mot_series series[2];
    for (size_t v = 0; v < 2; ++v) {
        MOT_TRY(mot_study_curve_make(variants[v], mot_study_number, STUDY_LOSS, STUDY_STEP, &curve[v]));
        const double begin = mot_study_longest(variants[v])->stage_begin[2];
        for (size_t r = 0; r < curve[v].count; ++r) curve[v].x[r] -= begin;
        series[v] = mot_study_series(&curve[v], v == 0 ? "plain gradient descent" : "normalized", (int)v + 1);
    }
    for (int s = 0; s < variants[0]->seeds; ++s) { /* over the last decade of steps */
        const study_result *r = &variants[0]->result[s];
        double x[512], y[512];
        size_t n = 0;
        for (size_t i = 0; i < r->rows && n < 512; ++i) {
            const double t = r->column[STUDY_STEP][i] - r->stage_begin[2];
            if (t * 10 < r->steps - r->stage_begin[2]) continue;
            x[n] = log(t);
            y[n++] = log(r->column[STUDY_LOSS][i]);
        }
        slope[s] = mot_line_fit(x, y, n).b;
    }
    mot_panel panel = mot_study_lines("Test loss in stage III", "step of the stage",
                                      (mot_axis){.label = "loss", .log = 10, .low = 1e-12, .high = 2}, series, 2);
    panel.x.log = 10;
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    mot_study_section(study, "Plain gradient descent: 1/t");
    mot_study_say(study, "The same first two stages; in the third the experts take plain gradient steps at rate "
                         "1 instead of normalized ones.\n\n");
    MOT_TRY(mot_study_draw(study, "plain", "A straight line on these axes is a power of t.", &figure));
    char text[96];
    const hsize_t shape[] = {(hsize_t)variants[0]->seeds};
    MOT_TRY(mot_study_keep(study, "plain", "slope", 1, shape, slope));
    const double median = mot_study_median(slope, (size_t)variants[0]->seeds);
    mot_study_verdict(
        study, median > -1.5 && median < -0.75,
        "Over the last decade of steps the loss falls like t^s with s = %s. A margin of degree three gives 1 "
        "/ (t (ln t)^(4/3)), whose local power is -1 - 4 / (3 ln t): O(1/eps) steps but for logarithms, "
        "whatever the architecture; the logarithm needs normalized steps.",
        mot_study_spread(slope, (size_t)variants[0]->seeds, text));
done:
    for (size_t v = 0; v < 2; ++v) mot_study_curve_free(&curve[v]);
    return status;
}
const study_claim mot_claim_plain = {"plain", plan_plain, tell_plain};

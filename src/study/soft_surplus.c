/* The claim about students that nobody needs: they cannot shrink, and cancel each other in pairs. */
#include <math.h>

#include "soft.h"

enum { TEACHERS = 2, MOST_SURPLUS = 6 };

static size_t surplus_count(const mot_study *study)
{
    return study->options.quick ? 4 : MOST_SURPLUS;
}

static study_variant *add(mot_study *study, size_t surplus)
{
    char name[STUDY_NAME], label[STUDY_NAME];
    const bool quick = study->options.quick;
    snprintf(name, sizeof name, "surplus-%zu", surplus);
    snprintf(label, sizeof label, "m = %zu", TEACHERS + surplus);
    return mot_study_add(study, name, label, mot_soft_base, quick ? 4 : 10, 3 + 0.5 * (double)surplus,
                         "%smodel.experts=%zu; train.until=%d steps; eval.every=20", mot_soft_quick(study),
                         TEACHERS + surplus, quick ? 800 : 1600);
}

static void plan(mot_study *study)
{
    for (size_t s = 0; s < surplus_count(study); ++s) (void)add(study, s);
}

static mot_status draw(mot_study *study)
{
    const size_t count = surplus_count(study);
    study_curve curve[MOST_SURPLUS] = {{0}};
    mot_series series[MOST_SURPLUS];
    char label[MOST_SURPLUS][32];
    mot_status status = MOT_OK;
    for (size_t s = 0; s < count; ++s) {
        MOT_TRY(mot_study_curve_make(add(study, s), mot_study_number, STUDY_LOSS, STUDY_FLOWED, &curve[s]));
        snprintf(label[s], sizeof label[s], "surplus %zu", s);
        series[s] = mot_study_series(&curve[s], label[s], (int)s + 1);
        series[s].dashed = s % 2 == 1;
    }
    const mot_panel panel = mot_study_lines("Loss without pruning", "t", (mot_axis){.label = "loss", .log = 10}, series, count);
    const mot_figure figure = {.panels = &panel, .panel_count = 1, .width = 700};
    MOT_TRY(mot_study_draw(study, "surplus", "Median and quartiles over the seeds; dashed: an odd surplus.", &figure));
done:
    for (size_t s = 0; s < count; ++s) mot_study_curve_free(&curve[s]);
    return status;
}

static mot_status tell(mot_study *study)
{
    double loss[STUDY_MOST_SEEDS], median[MOST_SURPLUS], even = 0, odd = INFINITY;
    const size_t count = surplus_count(study);
    char a[96];
    mot_status status = MOT_OK;
    mot_study_section(study, "An even surplus cancels in pairs, an odd one does not");
    mot_study_say(study, "Two experts, D = 32, no pruning: a student that is not needed cannot shrink, but a second one with the "
                         "opposite neuron and the same gate takes its output away.\n\n"
                         "| students | surplus | loss at t = %d |\n|---|---|---|\n",
                  study->options.quick ? 40 : 80);
    for (size_t s = 0; s < count; ++s) {
        const study_variant *variant = add(study, s);
        mot_study_last(variant, mot_study_number, STUDY_LOSS, loss);
        median[s] = mot_study_median(loss, (size_t)variant->seeds);
        mot_study_say(study, "| %zu | %zu | %s |\n", TEACHERS + s, s, mot_study_spread(loss, (size_t)variant->seeds, a));
        if (s > 0 && s % 2 == 0) even = fmax(even, median[s]);
        if (s % 2 == 1) odd = fmin(odd, median[s]);
    }
    mot_study_say(study, "\n");
    MOT_TRY(draw(study));
    MOT_TRY(mot_study_keep(study, "surplus", "loss", 1, (const hsize_t[]){count}, median));
    mot_study_verdict(study, 100 * even <= odd,
                      "The largest median loss with an even surplus is %.2g, the least with an odd one %.2g.", even, odd);
done:
    return status;
}
const study_claim mot_soft_surplus = {"surplus", plan, tell};

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
                         "model.experts=%zu; train.until=1600 steps; eval.every=20", TEACHERS + surplus);
}

static void plan(mot_study *study)
{
    for (size_t s = 0; s < surplus_count(study); ++s) (void)add(study, s);
}

/* Loss at the end of every seed that has found all experts by then; NaN: it has not. */
static void last_losses(const study_variant *variant, double *loss)
{
    double aligned[STUDY_MOST_SEEDS];
    mot_study_last(variant, mot_study_number, STUDY_LOSS, loss);
    mot_study_last(variant, mot_soft_all, 0, aligned);
    for (int s = 0; s < variant->seeds; ++s)
        if (!(aligned[s] >= MOT_THEORY_FOUND)) loss[s] = NAN;
}

static mot_status draw(mot_study *study)
{
    enum { EACH = MOT_FIGURE_SERIES / MOST_SURPLUS };
    mot_series series[MOT_FIGURE_SERIES];
    char label[MOST_SURPLUS][32];
    double loss[STUDY_MOST_SEEDS];
    size_t count = 0;
    for (size_t surplus = 0; surplus < surplus_count(study); ++surplus) {
        const study_variant *variant = add(study, surplus);
        int drawn = 0;
        last_losses(variant, loss);
        snprintf(label[surplus], sizeof label[surplus], "surplus %zu", surplus);
        for (int s = 0; s < variant->seeds && drawn < EACH; ++s) {
            if (isnan(loss[s])) continue;
            series[count] = mot_soft_loss(&variant->result[s], drawn++ == 0 ? label[surplus] : NULL, (int)surplus + 1);
            series[count++].dashed = surplus % 2 == 1;
        }
    }
    if (count == 0) return MOT_OK;
    const mot_panel panel = mot_study_lines("Loss without pruning", "t", (mot_axis){.label = "test loss", .log = 10}, series,
                                            count);
    const mot_figure figure = {.panels = &panel, .panel_count = 1, .width = 700};
    return mot_study_draw(study, "surplus", "The first two seeds of each that find all experts; dashed: an odd "
                                            "surplus.", &figure);
}

static mot_status tell(mot_study *study)
{
    double loss[STUDY_MOST_SEEDS], median[MOST_SURPLUS], even = 0, odd = INFINITY;
    const size_t count = surplus_count(study);
    char a[96];
    mot_status status = MOT_OK;
    mot_study_section(study, "An even surplus cancels in pairs, an odd one does not");
    mot_study_say(study, "Two experts, D = 32, no pruning: a student that is not needed cannot shrink, but a second "
                         "one with the opposite neuron and the same gate takes its output away. Five can do it as well, "
                         "or seven, at the places of a regular polygon, but then the loss falls like a power of t; and "
                         "four of a pentagon learn an expert without being near to him. Losses are of the seeds that "
                         "have found both experts at t = 80.\n\n| students | surplus | loss at t = 80 "
                         "|\n|---|---|---|\n");
    for (size_t s = 0; s < count; ++s) {
        const study_variant *variant = add(study, s);
        last_losses(variant, loss);
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

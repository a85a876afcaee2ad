/* The order in which sequential rehearsal goes through the old tasks. */
#include <math.h>

#include "rehearsal_study.h"

static const int after[] = {3, 5};
enum { AFTERS = MOT_COUNT(after), ORDERS = MOT_REHEARSAL_ORDERS };

static size_t structures(const mot_study *study)
{
    return study->options.quick ? 100 : 1000;
}

static size_t simulated(const mot_study *study)
{
    return study->options.quick ? 4 : 16;
}

static mot_rehearsal_rule rule_of(int order)
{
    return (mot_rehearsal_rule){.strategy = MOT_REHEARSAL_SEQUENTIAL, .order = (mot_rehearsal_order)order};
}

static mot_status measure(mot_study *study, rehearsal_numbers *numbers)
{
    rehearsal_batch batch = {0};
    double w[MOT_REHEARSAL_TASKS * REHEARSAL_STRUCTURE_WIDTH];
    const mot_rehearsal setting = mot_rehearsal_usual(after[AFTERS - 1]);
    mot_status status;
    MOT_TRY(mot_rehearsal_batch_make(&batch, &setting, REHEARSAL_KINDS * simulated(study) * ORDERS));
    for (int kind = 0; kind < REHEARSAL_KINDS; ++kind)
        for (size_t i = 0; i < simulated(study); ++i) {
            const mot_rehearsal_truths truths = mot_rehearsal_draw(study->options.seed, kind, i, setting.tasks, w);
            for (int order = 0; order < ORDERS; ++order) {
                const mot_rehearsal_rule rule = rule_of(order);
                MOT_TRY(mot_rehearsal_batch_add(&batch, &truths, &rule));
            }
        }
    MOT_TRY(mot_rehearsal_measure(study->comm, &batch, study->options.seed, mot_rehearsal_runs(study), after, AFTERS, numbers));
done:
    mot_rehearsal_batch_free(&batch);
    return status;
}

/* ---- what came out ---- */

/* Of a kind and number of tasks: F and G in the mean over structures, and in how many an order is best. */
typedef struct outcome {
    double mean[ORDERS][2];
    size_t best[ORDERS][2];
} outcome;

static mot_status find_outcome(const mot_study *study, int kind, int tasks, outcome *of)
{
    const mot_rehearsal r = mot_rehearsal_usual(tasks);
    const size_t count = structures(study);
    double w[MOT_REHEARSAL_TASKS * REHEARSAL_STRUCTURE_WIDTH], loss[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS];
    mot_rehearsal_plan plan;
    mot_status status = MOT_OK;
    *of = (outcome){{{0}}, {{0}}};
    for (size_t i = 0; i < count; ++i) {
        const mot_rehearsal_truths truths = mot_rehearsal_draw(study->options.seed, kind, i, tasks, w);
        double value[ORDERS][2];
        for (int order = 0; order < ORDERS; ++order) {
            const mot_rehearsal_rule rule = rule_of(order);
            MOT_TRY(mot_rehearsal_make_plan(&r, &truths, &rule, &plan));
            mot_rehearsal_theory(&r, &truths, &plan, loss);
            const mot_rehearsal_figures figures = mot_rehearsal_figures_of(loss, tasks, tasks);
            value[order][0] = figures.forgetting, value[order][1] = figures.error;
        }
        for (int k = 0; k < 2; ++k) {
            const double least = fmin(value[0][k], fmin(value[1][k], value[2][k]));
            for (int order = 0; order < ORDERS; ++order) {
                of->mean[order][k] += value[order][k] / (double)count;
                of->best[order][k] += value[order][k] <= least + 1e-12 * (1 + fabs(least));
            }
        }
    }
done:
    return status;
}

/* Structures, of those simulated, and figures in which an order differs from oldest first by 3 standard errors, with the sign
 * that theory gives, or another. */
static void count_differences(const mot_study *study, const rehearsal_numbers *numbers, size_t *count, size_t *as_theory,
                              size_t *against)
{
    *count = *as_theory = *against = 0;
    for (size_t i = 0; i < REHEARSAL_KINDS * simulated(study); ++i)
        for (size_t order = 1; order < ORDERS; ++order)
            for (size_t k = 0; k < 2 * AFTERS; ++k) {
                const size_t first = i * ORDERS * 2 * AFTERS + k;
                const rehearsal_mean off = mot_rehearsal_difference(numbers, first + order * 2 * AFTERS, first);
                ++*count;
                if (!(fabs(off.mean) > 3 * off.error) || off.theory == 0) continue;
                *as_theory += off.mean * off.theory > 0;
                *against += off.mean * off.theory < 0;
            }
}

static mot_status tell(mot_study *study, const rehearsal_numbers *numbers)
{
    double kept[REHEARSAL_KINDS][AFTERS][ORDERS][2][2];
    size_t best = 0, all = 0, count, as_theory, against;
    mot_status status = MOT_OK;
    mot_study_section(study, "The order of revisiting");
    mot_study_say(study, "Sequential rehearsal of old tasks oldest first (the paper's order), newest first, and the most "
                         "distant from the new task first: F and G by theory, in the mean over the structures of above, and in "
                         "brackets in how many of %zu an order is best.\n\n"
                         "| structures | F, oldest first | newest | most dissimilar | G, oldest first | newest | most dissimilar |\n"
                         "|---|---|---|---|---|---|---|\n",
                  structures(study));
    for (int kind = 0; kind < REHEARSAL_KINDS; ++kind)
        for (size_t a = 0; a < AFTERS; ++a) {
            outcome of;
            MOT_TRY(find_outcome(study, kind, after[a], &of));
            mot_study_say(study, "| %s, T = %d |", mot_rehearsal_kind_names[kind], after[a]);
            for (int k = 0; k < 2; ++k)
                for (int order = 0; order < ORDERS; ++order) {
                    mot_study_say(study, " %.4f (%zu) |", of.mean[order][k], of.best[order][k]);
                    kept[kind][a][order][k][0] = of.mean[order][k];
                    kept[kind][a][order][k][1] = (double)of.best[order][k];
                }
            best += of.best[0][0] + of.best[0][1];
            all += 2 * structures(study);
            mot_study_say(study, "\n");
        }
    mot_study_say(study, "\n");
    MOT_TRY(mot_study_keep(study, "orders", "means", 5, (const hsize_t[]){REHEARSAL_KINDS, AFTERS, ORDERS, 2, 2},
                           &kept[0][0][0][0][0]));
    mot_study_verdict(study, 10 * best >= 9 * all,
                      "(Oldest first is best.) In %.1f %% of structures and figures, by theory, no other order has less (nine of "
                      "ten are asked).",
                      100 * (double)best / (double)all);
    count_differences(study, numbers, &count, &as_theory, &against);
    mot_study_verdict(study, against == 0,
                      "(Orders in runs.) Of %zu paired differences of an order from oldest first, %zu are 3 standard errors or "
                      "more; in %zu of these theory has the other sign.",
                      count, as_theory + against, against);
    MOT_TRY(mot_rehearsal_tell_agreement(study, numbers, "orders", "All orders", false));
done:
    return status;
}
const rehearsal_claim mot_rehearsal_orders = {"orders", measure, tell};

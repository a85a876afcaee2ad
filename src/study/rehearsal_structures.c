/* How often hybrid rehearsal is as good as the better of the other two, on random structures of similarity. */
#include <math.h>

#include "rehearsal_study.h"

static const double noises[] = {0, 0.3};
static const int after[] = {3, 5};
enum { NOISES = MOT_COUNT(noises), AFTERS = MOT_COUNT(after), RULES = 4, BEST = RULES, ALL };
static const char *const rule_names[RULES] = {"by distance", "cosine at least 0", "cosine at least 0.8",
                                              "foresight"};
/* What is simulated: concurrent, sequential, and hybrid by two rules. */
enum { CONCURRENT, SEQUENTIAL, BY_DISTANCE, BY_FORESIGHT, SIMULATED };

static size_t structures(const mot_study *study)
{
    return study->options.quick ? 100 : 1000;
}

/* In how many of them all plans are gone through, which are 1,024 for five tasks. */
static size_t searched(const mot_study *study)
{
    return structures(study) / 20;
}

static size_t simulated(const mot_study *study)
{
    return study->options.quick ? 4 : 16;
}

static mot_rehearsal setting_of(double noise, int tasks)
{
    mot_rehearsal of = mot_rehearsal_usual(tasks);
    of.noise = noise;
    return of;
}

static mot_rehearsal_rule rule_of(size_t rule, double noise, int tasks)
{
    const mot_rehearsal setting = setting_of(noise, tasks);
    mot_rehearsal_rule of = {.strategy = MOT_REHEARSAL_HYBRID};
    if (rule == 0) of.bound = mot_rehearsal_like_gap(&setting);
    if (rule == 1 || rule == 2) of.likeness = MOT_REHEARSAL_BY_COSINE;
    if (rule == 2) of.bound = 0.8;
    if (rule == 3) of.likeness = MOT_REHEARSAL_BY_FORESIGHT;
    return of;
}

static const double usual_noise = 0.3;

static mot_status add_structure(const mot_study *study, rehearsal_batch *batch, int kind, size_t number)
{
    double w[MOT_REHEARSAL_TASKS * REHEARSAL_STRUCTURE_WIDTH];
    const mot_rehearsal_truths truths = mot_rehearsal_draw(study->options.seed, kind, number, batch->setting.tasks, w);
    const mot_rehearsal_rule rules[SIMULATED] = {[CONCURRENT] = {.strategy = MOT_REHEARSAL_CONCURRENT},
                                                 [SEQUENTIAL] = {.strategy = MOT_REHEARSAL_SEQUENTIAL},
                                                 [BY_DISTANCE] = rule_of(0, usual_noise, batch->setting.tasks),
                                                 [BY_FORESIGHT] = rule_of(3, usual_noise, batch->setting.tasks)};
    mot_status status = MOT_OK;
    for (int r = 0; r < SIMULATED && status == MOT_OK; ++r) status = mot_rehearsal_batch_add(batch, &truths, &rules[r]);
    return status;
}

static mot_status measure(mot_study *study, rehearsal_numbers *numbers)
{
    rehearsal_batch batch = {0};
    const mot_rehearsal setting = setting_of(usual_noise, after[AFTERS - 1]);
    mot_status status;
    MOT_TRY(mot_rehearsal_batch_make(&batch, &setting, REHEARSAL_KINDS * simulated(study) * SIMULATED));
    for (int kind = 0; kind < REHEARSAL_KINDS; ++kind)
        for (size_t i = 0; i < simulated(study); ++i) MOT_TRY(add_structure(study, &batch, kind, i));
    MOT_TRY(mot_rehearsal_measure(study->comm, &batch, study->options.seed, mot_rehearsal_runs(study), after, AFTERS, numbers));
done:
    mot_rehearsal_batch_free(&batch);
    return status;
}

/* ---- by theory ---- */

/* Of a kind, noise, number of tasks and rule: structures in which hybrid is at most the better of the two, and better; and what
 * is gained in the mean. */
typedef struct tally {
    size_t count, as_good[2], better[2];
    double gain[2];
} tally;

static void count_one(tally *of, const mot_rehearsal_figures *a, const mot_rehearsal_figures *b, const mot_rehearsal_figures *hybrid)
{
    const double best[] = {fmin(a->forgetting, b->forgetting), fmin(a->error, b->error)},
                 mine[] = {hybrid->forgetting, hybrid->error};
    ++of->count;
    for (int k = 0; k < 2; ++k) {
        const double slack = 1e-12 * (1 + fabs(best[k])), gain = best[k] - mine[k];
        of->as_good[k] += gain >= -slack;
        of->better[k] += gain > slack;
        of->gain[k] += gain;
    }
}

static mot_status figure_out(const mot_rehearsal *r, const mot_rehearsal_truths *truths, const mot_rehearsal_rule *rule,
                             mot_rehearsal_figures *figures)
{
    double loss[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS];
    mot_rehearsal_plan plan;
    const mot_status status = mot_rehearsal_make_plan(r, truths, rule, &plan);
    if (status != MOT_OK) return status;
    mot_rehearsal_theory(r, truths, &plan, loss);
    *figures = mot_rehearsal_figures_of(loss, r->tasks, r->tasks);
    return MOT_OK;
}

/* Of all plans, a set of similar tasks for each task, those with the least F and the least G: concurrent and sequential are two of
 * them, so nothing is larger. */
static mot_status find_best(const mot_rehearsal *r, const mot_rehearsal_truths *truths, mot_rehearsal_figures *best)
{
    const int T = r->tasks, pairs = T * (T - 1) / 2;
    mot_status status = MOT_OK;
    *best = (mot_rehearsal_figures){INFINITY, INFINITY};
    for (uint32_t set = 0; set < UINT32_C(1) << pairs; ++set) {
        bool similar[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS];
        mot_rehearsal_figures of;
        for (int t = 1, bit = 0; t < T; ++t)
            for (int h = 0; h < t; ++h) similar[t * T + h] = set >> bit++ & 1;
        const mot_rehearsal_rule rule = {.strategy = MOT_REHEARSAL_HYBRID, .likeness = MOT_REHEARSAL_GIVEN, .similar = similar};
        MOT_TRY(figure_out(r, truths, &rule, &of));
        best->forgetting = fmin(best->forgetting, of.forgetting);
        best->error = fmin(best->error, of.error);
    }
done:
    return status;
}

static mot_status tally_up(const mot_study *study, double noise, int tasks, int kind, tally of[ALL])
{
    const mot_rehearsal r = setting_of(noise, tasks);
    double w[MOT_REHEARSAL_TASKS * REHEARSAL_STRUCTURE_WIDTH];
    mot_rehearsal_figures joint, single, hybrid;
    mot_rehearsal_rule by[RULES];
    mot_status status = MOT_OK;
    for (size_t rule = 0; rule < RULES; ++rule) by[rule] = rule_of(rule, noise, tasks);
    for (size_t i = 0; i < structures(study); ++i) {
        const mot_rehearsal_truths truths = mot_rehearsal_draw(study->options.seed, kind, i, tasks, w);
        MOT_TRY(figure_out(&r, &truths, &(mot_rehearsal_rule){.strategy = MOT_REHEARSAL_CONCURRENT}, &joint));
        MOT_TRY(figure_out(&r, &truths, &(mot_rehearsal_rule){.strategy = MOT_REHEARSAL_SEQUENTIAL}, &single));
        for (size_t rule = 0; rule < RULES; ++rule) {
            MOT_TRY(figure_out(&r, &truths, &by[rule], &hybrid));
            count_one(&of[rule], &joint, &single, &hybrid);
        }
        if (i >= searched(study)) continue;
        MOT_TRY(find_best(&r, &truths, &hybrid));
        count_one(&of[BEST], &joint, &single, &hybrid);
    }
done:
    return status;
}

static void add_up(tally *to, const tally *of)
{
    to->count += of->count;
    for (int k = 0; k < 2; ++k) {
        to->as_good[k] += of->as_good[k];
        to->better[k] += of->better[k];
    }
}

static double share(size_t part, size_t count)
{
    return 100 * (double)part / (double)count;
}

/* The table of all, and the sums over it of each rule. */
static mot_status tell_theory(mot_study *study, tally sum[ALL])
{
    double kept[NOISES][AFTERS][REHEARSAL_KINDS][ALL][2][3];
    mot_status status = MOT_OK;
    for (size_t n = 0; n < NOISES; ++n)
        for (size_t a = 0; a < AFTERS; ++a)
            for (int kind = 0; kind < REHEARSAL_KINDS; ++kind) {
                tally of[ALL] = {{0}};
                MOT_TRY(tally_up(study, noises[n], after[a], kind, of));
                mot_study_say(study, "| %s, s = %g, T = %d |", mot_rehearsal_kind_names[kind], noises[n], after[a]);
                for (size_t rule = 0; rule < ALL; ++rule) {
                    const size_t count = of[rule].count;
                    if (rule != BEST)
                        mot_study_say(study, " %.0f %%, %.0f %% (%.0f %%, %.0f %%) |", share(of[rule].as_good[0], count),
                                      share(of[rule].as_good[1], count), share(of[rule].better[0], count),
                                      share(of[rule].better[1], count));
                    else
                        mot_study_say(study, " (%.0f %%, %.0f %%) |", share(of[rule].better[0], count),
                                      share(of[rule].better[1], count));
                    for (int k = 0; k < 2; ++k) {
                        double *at = kept[n][a][kind][rule][k];
                        at[0] = (double)of[rule].as_good[k] / (double)count;
                        at[1] = (double)of[rule].better[k] / (double)count;
                        at[2] = of[rule].gain[k] / (double)count;
                    }
                    add_up(&sum[rule], &of[rule]);
                }
                mot_study_say(study, "\n");
            }
    mot_study_say(study, "\n");
    MOT_TRY(mot_study_keep(study, "structures", "shares", 6,
                           (const hsize_t[]){NOISES, AFTERS, REHEARSAL_KINDS, ALL, 2, 3}, &kept[0][0][0][0][0][0]));
done:
    return status;
}

/* ---- by simulation ---- */

/* Hybrid against the better of the two by their means: how often theory and simulation say that it is as good, and that the
 * other says the same, or that the difference is within 3 standard errors. */
typedef struct comparison {
    size_t count, by_theory, by_runs, same, close;
} comparison;

static void compare(const rehearsal_numbers *numbers, size_t joint, size_t single, size_t hybrid, comparison *of)
{
    const double a = mot_rehearsal_mean(numbers, joint).mean, b = mot_rehearsal_mean(numbers, single).mean;
    const rehearsal_mean off = mot_rehearsal_difference(numbers, hybrid, a < b ? joint : single);
    const double best = fmin(numbers->theory[joint], numbers->theory[single]);
    const bool theory = numbers->theory[hybrid] <= best + 1e-12 * (1 + fabs(best)), runs = off.mean <= 1e-12 * (1 + fabs(best));
    ++of->count;
    of->by_theory += theory;
    of->by_runs += runs;
    of->same += theory == runs;
    of->close += theory != runs && fabs(off.mean) <= 3 * off.error;
}

static comparison compare_all(const mot_study *study, const rehearsal_numbers *numbers, int hybrid)
{
    comparison of = {0};
    for (size_t i = 0; i < REHEARSAL_KINDS * simulated(study); ++i)
        for (size_t k = 0; k < 2 * AFTERS; ++k) {
            const size_t first = i * SIMULATED * 2 * AFTERS + k, step = 2 * AFTERS;
            compare(numbers, first + CONCURRENT * step, first + SEQUENTIAL * step, first + (size_t)hybrid * step, &of);
        }
    return of;
}

static mot_status tell(mot_study *study, const rehearsal_numbers *numbers)
{
    tally sum[ALL] = {{0}};
    mot_status status;
    mot_study_section(study, "Hybrid rehearsal on random structures");
    mot_study_say(study, "%zu structures of each kind: clusters, two or three centres with tasks 0.05 to 0.4 away from theirs; "
                         "correlations, random directions in 2 to 8 dimensions; drift, steps of 0.1 to 1 from task to task. In "
                         "how many of them, by theory, hybrid is at most the smaller of concurrent and sequential, in F and in "
                         "G; in brackets, in how many it is smaller. Four rules say what is similar: a distance up to the gap "
                         "at which as many tasks, all equally far apart, are forgotten alike either way (in the runs below, five "
                         "tasks); a cosine of the expected gradients, at least 0 or "
                         "0.8; and foresight, by which each task takes the set of old ones after which the mean loss of all "
                         "tasks so far is least. The last column is of the plans that are best in the end, of all that there "
                         "are, one for F and one for G (of the first %zu structures): no hybrid can be more often better.\n\n"
                         "| structures |",
                  structures(study), searched(study));
    for (size_t rule = 0; rule < RULES; ++rule) mot_study_say(study, " %s |", rule_names[rule]);
    mot_study_say(study, " best of all |\n|---|---|---|---|---|---|\n");
    MOT_TRY(tell_theory(study, sum));
    for (size_t rule = 0; rule < RULES; ++rule) {
        const tally *of = &sum[rule];
        mot_study_verdict(study, 10 * of->as_good[0] >= 9 * of->count && 10 * of->as_good[1] >= 9 * of->count,
                          "(Hybrid, similar: %s.) By theory at most the smaller of the two in %.1f %% of structures for F and "
                          "%.1f %% for G (nine of ten are asked), smaller than both in %.1f %% and %.1f %%.",
                          rule_names[rule], share(of->as_good[0], of->count), share(of->as_good[1], of->count),
                          share(of->better[0], of->count), share(of->better[1], of->count));
    }
    mot_study_say(study, "By theory there is a hybrid that is better than both in %.0f %% of structures for F and %.0f %% for G.\n\n",
                  share(sum[BEST].better[0], sum[BEST].count), share(sum[BEST].better[1], sum[BEST].count));
    MOT_TRY(mot_rehearsal_tell_agreement(study, numbers, "structures", "Random structures, T = 3 and 5", false));
    const comparison near = compare_all(study, numbers, BY_DISTANCE), seen = compare_all(study, numbers, BY_FORESIGHT);
    mot_study_verdict(study, near.same + near.close == near.count && seen.same + seen.close == seen.count,
                      "(Hybrid in runs.) Of %zu figures of simulated structures (s = 0.3) hybrid by distance is as good as the "
                      "better of the two in %zu by theory and %zu by runs, by foresight in %zu and %zu; they say the same of "
                      "%zu and %zu, and of all others but %zu the difference is within 3 standard errors.",
                      near.count, near.by_theory, near.by_runs, seen.by_theory, seen.by_runs, near.same, seen.same,
                      near.count - near.same - near.close + seen.count - seen.same - seen.close);
done:
    return status;
}
const rehearsal_claim mot_rehearsal_structures = {"structures", measure, tell};

/* The claim about stages: when to end them, whether to have them, and whether they find their own ends. */
#include <math.h>

#include "claims.h"

enum { MOST_FIRST = 5, MOST_LENGTHS = 4 };

static const int first_ends[MOST_FIRST] = {50, 100, 200, 400, 800}; /* T1 */
static const int lengths[MOST_LENGTHS] = {50, 100, 200, 400};       /* T2 - T1 */
static const double target = 1e-4;

#define COMMON                                                                                               \
    "model.experts=24; data.mixture.eval=20000; eval.every=10; stages.2.until=loss < 1e-6 or 900 steps; "

/* The quick form looks less often, and gives up earlier. */
static const char *shorter(const mot_study *study)
{
    return study->options.quick
               ? "data.mixture.eval=10000; eval.every=20; stages.2.until=loss < 1e-6 or 500 steps; "
               : "";
}

static study_variant *add_fixed(mot_study *study, int first, int length)
{
    char name[64], label[64];
    snprintf(name, sizeof name, "stages-%d-%d", first, length);
    snprintf(label, sizeof label, "three stages, T1 = %d, T2 = %d", first, first + length);
    return mot_study_add(study, name, label, mot_claims_rate, mot_claims_seeds(study), 2.5,
                         COMMON "%sstages.0.until=%d steps; stages.1.until=%d steps", shorter(study), first,
                         length);
}

static study_variant *add_self(mot_study *study)
{
    return mot_study_add(
        study, "stages-self", "three stages that find their ends", mot_claims_rate, mot_claims_seeds(study), 2.5,
        COMMON "%sstages.0.until=loss plateau 50; stages.1.until=purity plateau 40", shorter(study));
}

/* One or two stages are three of which some learn the same. */
static study_variant *add_one(mot_study *study)
{
    return mot_study_add(
        study, "stages-one", "one stage, end to end", mot_claims_rate, mot_claims_seeds(study), 3,
        COMMON
        "%sstages.0.train=[gate, attention, ffn]; stages.1.train=[gate, attention, ffn]; stages.1.rate=0.01; "
        "stages.2.train=[gate, attention, ffn]",
        shorter(study));
}

static study_variant *add_two(mot_study *study)
{
    return mot_study_add(
        study, "stages-two", "two stages: neurons, then both", mot_claims_rate, mot_claims_seeds(study), 3,
        COMMON
        "%sstages.1.train=[gate, attention, ffn]; stages.1.rate=0.01; stages.2.train=[gate, attention, ffn]",
        shorter(study));
}

static bool in_quick(int first, int length)
{
    return (first == 100 || first == 400) && (length == 100 || length == 200);
}

static void plan(mot_study *study)
{
    for (int f = 0; f < MOST_FIRST; ++f)
        for (int l = 0; l < MOST_LENGTHS; ++l)
            if (!study->options.quick || in_quick(first_ends[f], lengths[l]))
                (void)add_fixed(study, first_ends[f], lengths[l]);
    (void)add_self(study);
    (void)add_one(study);
    (void)add_two(study);
}

/* Steps to the target of every seed; the median counts a seed that never arrives as infinitely late. */
static double steps_to_target(const study_variant *variant, double *steps, char text[96])
{
    double late[STUDY_MOST_SEEDS];
    for (int s = 0; s < variant->seeds; ++s) {
        steps[s] = mot_study_reach(&variant->result[s], target, STUDY_STEP);
        late[s] = isfinite(steps[s]) ? steps[s] : 1e9;
    }
    mot_study_spread(steps, (size_t)variant->seeds, text);
    const double median = mot_median(late, (size_t)variant->seeds);
    return median < 1e9 ? median : NAN;
}

static void tell_row(mot_study *study, const study_variant *variant, double *median)
{
    double steps[STUDY_MOST_SEEDS], ends[2][STUDY_MOST_SEEDS];
    char text[96], a[96], b[96];
    *median = steps_to_target(variant, steps, text);
    for (int s = 0; s < variant->seeds; ++s)
        for (int k = 0; k < 2; ++k) {
            const study_result *r = &variant->result[s];
            ends[k][s] = r->stages > (size_t)k + 1 ? r->stage_begin[k + 1] : NAN;
        }
    mot_study_say(study, "| %s | %s | %s | %s |\n", variant->label,
                  mot_study_spread(ends[0], (size_t)variant->seeds, a),
                  mot_study_spread(ends[1], (size_t)variant->seeds, b), text);
}

static mot_status tell(mot_study *study)
{
    double table[MOST_FIRST * MOST_LENGTHS], steps[STUDY_MOST_SEEDS], best = INFINITY, self, one, two;
    char text[96];
    int best_first = 0, best_length = 0;
    const char *rows[MOST_FIRST] = {"50", "100", "200", "400", "800"},
               *columns[MOST_LENGTHS] = {"50", "100", "200", "400"};
    mot_status status = MOT_OK;
    for (int f = 0; f < MOST_FIRST; ++f)
        for (int l = 0; l < MOST_LENGTHS; ++l) {
            double *cell = &table[f * MOST_LENGTHS + l];
            *cell = NAN;
            if (study->options.quick && !in_quick(first_ends[f], lengths[l])) continue;
            *cell = steps_to_target(add_fixed(study, first_ends[f], lengths[l]), steps, text);
            if (!(*cell < best)) continue;
            best = *cell;
            best_first = first_ends[f];
            best_length = lengths[l];
        }
    mot_study_section(study, "When stages end, and whether they help");
    mot_study_say(study,
                  "Steps to a test loss of 1e-4 (%d samples, looked at every %d steps, setting of section 6 with "
                  "N = 4), median over %d seeds; a grey cell: fewer than half of the seeds arrive.\n\n",
                  study->options.quick ? 10000 : 20000, study->options.quick ? 20 : 10, mot_claims_seeds(study));
    double largest = 0;
    for (size_t i = 0; i < MOT_COUNT(table); ++i)
        if (isfinite(table[i])) largest = fmax(largest, table[i]);
    const mot_panel panel = {.kind = MOT_PANEL_HEAT,
                             .title = "Steps to a loss of 1e-4",
                             .x = {.label = "T2 - T1, steps of stage II"},
                             .y = {.label = "T1, steps of stage I"},
                             .heat = {.rows = MOST_FIRST,
                                      .columns = MOST_LENGTHS,
                                      .row_labels = rows,
                                      .column_labels = columns,
                                      .value = table,
                                      .limit = largest,
                                      .digits = 1,
                                      .label = "steps"}};
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    MOT_TRY(mot_study_draw(study, "stages", "Fixed stages.", &figure));
    const hsize_t shape[] = {MOST_FIRST, MOST_LENGTHS};
    MOT_TRY(mot_study_keep(study, "stages", "fixed", 2, shape, table));
    mot_study_say(study, "| stages | T1 | T2 | steps to 1e-4 |\n|---|---|---|---|\n");
    double ignored;
    if (isfinite(best)) tell_row(study, add_fixed(study, best_first, best_length), &ignored);
    tell_row(study, add_self(study), &self);
    tell_row(study, add_two(study), &two);
    tell_row(study, add_one(study), &one);
    mot_study_say(study,
                  "\n%sThe self-finding stages end when the loss has not fallen by 0.1 %% in a window of 50 "
                  "steps (I), and when the purity of the batches has not risen by 0.005 in one of 40 (II); the "
                  "same words in the configuration (`until: loss plateau 50`) do it on any data.\n\n",
                  isfinite(best) ? "The first row is the best of the fixed ones. " : "");
    const hsize_t three[] = {3};
    MOT_TRY(mot_study_keep(study, "stages", "self_two_one", 1, three, (const double[]){self, two, one}));
    if (isfinite(best))
        mot_study_verdict(study, self <= 1.1 * best,
                           "Stages that find their own ends take %.0f steps, the best fixed ones (T1 = %d, T2 = "
                           "%d) %.0f: %.2f times as many.",
                           self, best_first, best_first + best_length, best, self / best);
    else
        mot_study_verdict(study, isfinite(self), "With fixed stages fewer than half of the seeds arrive.");
    const double rival = fmin(isfinite(one) ? one : INFINITY, isfinite(two) ? two : INFINITY);
    char other[64] = "with one or two fewer than half of the seeds arrive";
    if (isfinite(rival)) snprintf(other, sizeof other, "the better of one and two %.0f", rival);
    mot_study_verdict(study, best < rival,
                       "(Three stages are faster than fewer.) The best three take %.0f steps, %s.", best, other);
done:
    return status;
}
const study_claim mot_claim_stages = {"stages", plan, tell};

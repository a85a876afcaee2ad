/* Claims about what experts become, on the calibration setting: maps, alignment, conflict. */
#include <math.h>
#include <string.h>

#include "claims.h"
#include "mot/memory.h"
#include "mot/theory.h"

enum { MOST_EXPERTS = 64, MOST_CLASSES = 16 }; /* that a picture shows */

static void plan(mot_study *study)
{
    (void)mot_claims_add_calibration(study);
}

static size_t last(const study_result *result)
{
    return result->rows - 1;
}

/* The evaluation at, or the last one before, the step. */
static size_t row_at(const study_result *result, double step)
{
    size_t row = 0;
    while (row + 1 < result->rows && result->column[STUDY_STEP][row + 1] <= step) ++row;
    return row;
}

/* A table [E, N] at an evaluation, and the samples that the experts have then. */
static const double *table_at(const study_result *result, study_column column, size_t row)
{
    return result->column[column] + row * result->E * result->N;
}

/* ---- 2: maps ---- */

/* Rows of experts in use at the end, sorted by the class they are for: makes the diagonal visible. None of a failed
 * trial. */
static size_t order_experts(const study_result *result, size_t order[MOST_EXPERTS])
{
    size_t count = 0;
    for (size_t n = 0; n < result->N; ++n)
        for (size_t e = 0; e < result->E && count < MOST_EXPERTS; ++e) {
            double samples;
            const size_t own = mot_study_expert_kind(result, last(result), e, &samples);
            if (samples > 0 && own == n) order[count++] = e;
        }
    return count;
}

static mot_status draw_maps(mot_study *study, const study_result *result)
{
    const size_t N = MOT_MIN(result->N, (size_t)MOST_CLASSES);
    static const char *const titles[] = {"after stage I", "after stage II", "at the end"};
    size_t order[MOST_EXPERTS], rows[3];
    const size_t count = order_experts(result, order);
    double *cells = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&cells, 6 * count * N, sizeof *cells, "a picture"));
    char names[MOST_EXPERTS][12], classes[MOST_CLASSES][12];
    const char *row_labels[MOST_EXPERTS], *column_labels[MOST_CLASSES];
    for (size_t i = 0; i < count; ++i) {
        snprintf(names[i], sizeof names[i], "expert %zu", order[i]);
        row_labels[i] = names[i];
    }
    for (size_t n = 0; n < N; ++n) {
        snprintf(classes[n], sizeof classes[n], "%zu", n);
        column_labels[n] = classes[n];
    }
    rows[0] = row_at(result, result->stages > 1 ? result->stage_begin[1] : result->steps);
    rows[1] = row_at(result, result->stages > 2 ? result->stage_begin[2] : result->steps);
    rows[2] = last(result);
    mot_panel panels[6];
    char title[6][64];
    for (size_t p = 0; p < 6; ++p) {
        const double *map = table_at(result, p < 3 ? STUDY_NEURONS : STUDY_GATE, rows[p % 3]);
        double *to = cells + p * count * N;
        for (size_t i = 0; i < count; ++i)
            for (size_t n = 0; n < N; ++n) to[i * N + n] = map[order[i] * result->N + n];
        snprintf(title[p], sizeof title[p], "%s, %s", p < 3 ? "neurons: W v / |W|" : "gate: theta c",
                 titles[p % 3]);
        panels[p] = (mot_panel){.kind = MOT_PANEL_HEAT,
                                .title = title[p],
                                .x = {.label = "class"},
                                .heat = {.rows = count,
                                         .columns = N,
                                         .row_labels = row_labels,
                                         .column_labels = column_labels,
                                         .value = to,
                                         .diverging = true,
                                         .limit = p < 3 ? 1 : 0}};
    }
    const mot_figure figure = {
        .panels = panels, .panel_count = 6, .columns = 3, .width = 1100, .height = 760};
    MOT_TRY(mot_study_draw(study, "maps", "Experts that get no sample at the end are left out.", &figure));
done:
    mot_free(cells);
    return status;
}

static double sharpness(const study_result *result, size_t row, size_t unused)
{
    (void)unused;
    return mot_theory_aligned(table_at(result, STUDY_NEURONS, row), table_at(result, STUDY_LOAD, row), result->E, result->N);
}

static mot_status tell_maps(mot_study *study)
{
    const study_variant *variant = mot_claims_add_calibration(study);
    const study_result *shown = mot_study_longest(variant);
    double share[STUDY_MOST_SEEDS];
    char text[96];
    mot_status status = MOT_OK;
    mot_study_section(study, "What the experts and the gate learned");
    mot_study_say(study,
                  "Each used expert's neuron against the classification signals, and its row of the gate "
                  "against the class signals; seed %d.\n\n",
                  (int)(shown - variant->result) + 1);
    if (shown->rows > 0) MOT_TRY(draw_maps(study, shown));
    mot_study_last(variant, sharpness, 0, share);
    const hsize_t shape[] = {(hsize_t)variant->seeds};
    MOT_TRY(mot_study_keep(study, "maps", "alignment", 1, shape, share));
    mot_study_verdict(study, mot_study_median(share, (size_t)variant->seeds) >= 0.9,
                       "The neuron that a sample meets at the end has a cosine of %s with the signal of one "
                       "class, mean over the samples.",
                       mot_study_spread(share, (size_t)variant->seeds, text));
done:
    return status;
}
const study_claim mot_claim_maps = {"maps", plan, tell_maps};

/* ---- 10: initial alignment ---- */

/* Hits of every seed; adds to hits and experts. */
static void count_hits(const study_variant *variant, double *rate, size_t *hits, size_t *experts)
{
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *r = &variant->result[s];
        size_t order[MOST_EXPERTS], right = 0;
        const size_t used = order_experts(r, order);
        for (size_t i = 0; i < used; ++i)
            right += mot_theory_class(table_at(r, STUDY_NEURONS, 0) + order[i] * r->N, r->N) == mot_study_expert_kind(r, last(r), order[i], NULL);
        rate[s] = used > 0 ? (double)right / (double)used : NAN;
        *hits += right;
        *experts += used;
    }
}

static mot_status tell_alignment(mot_study *study)
{
    const study_variant *variants[] = {mot_claims_add_calibration(study), mot_claims_add_rate(study, 4),
                                       mot_claims_add_rate(study, 8)};
    double rate[STUDY_MOST_SEEDS], low = INFINITY, share[3];
    mot_status status = MOT_OK;
    mot_study_section(study, "The initial neuron predicts the class");
    mot_study_say(study, "The class n for which an expert's neuron has the largest W(0) . v_n before the first "
                         "step, against the class that it mostly has at the end; experts that get samples.\n\n| "
                         "setting | hit rate of a seed | all seeds together | 95 %% interval | chance "
                         "|\n|---|---|---|---|---|\n");
    for (size_t v = 0; v < MOT_COUNT(variants); ++v) {
        size_t hits = 0, experts = 0;
        char text[96];
        count_hits(variants[v], rate, &hits, &experts);
        const mot_interval interval = mot_wilson(hits, experts);
        const hsize_t shape[] = {(hsize_t)variants[v]->seeds};
        const double N = (double)mot_study_longest(variants[v])->N;
        share[v] = (double)hits / (double)experts;
        low = fmin(low, interval.low * N);
        MOT_TRY(mot_study_keep(study, "alignment", variants[v]->name, 1, shape, rate));
        mot_study_say(study, "| %s | %s | %zu of %zu | %.2f to %.2f | %.3f |\n", variants[v]->label,
                      mot_study_spread(rate, (size_t)variants[v]->seeds, text), hits, experts, interval.low,
                      interval.high, 1 / N);
    }
    mot_study_say(study, "\n");
    mot_study_verdict(
        study, low > 1,
        "%.0f, %.0f and %.0f %% of the experts end with the class that their first neuron points at; "
        "chance is 25, 25 and 12.5 %%. The sign counts: a cubic neuron's gradient 3 (W v)^2 v drives "
        "it along +v, so a class that it points away from is overtaken by one that it points at.",
        100 * share[0], 100 * share[1], 100 * share[2]);
done:
    return status;
}

static void plan_alignment(mot_study *study)
{
    plan(study);
    (void)mot_claims_add_rate(study, 4);
    (void)mot_claims_add_rate(study, 8);
}
const study_claim mot_claim_alignment = {"alignment", plan_alignment, tell_alignment};

/* ---- 7: conflict ---- */

static study_variant *single(mot_study *study)
{
    return mot_study_add(study, "calibration-single", "one transformer", mot_claims_calibration,
                         study->options.quick ? 3 : 10, 2, CLAIMS_SINGLE "%s", mot_claims_quick(study));
}

static void plan_conflict(mot_study *study)
{
    (void)mot_claims_add_calibration(study);
    (void)single(study);
}

static double mean_agreement(const study_result *result, size_t row, size_t unused)
{
    (void)unused;
    return mot_theory_mean(result->column[STUDY_AGREEMENT] + row * result->E, table_at(result, STUDY_LOAD, row), result->E, result->N);
}

static mot_status tell_conflict(mot_study *study)
{
    const study_variant *variants[] = {mot_claims_add_calibration(study), single(study)};
    static const char *const labels[] = {"MoT, inside an expert", "one transformer"};
    const study_result *longest = mot_study_longest(variants[0]);
    double early[2][STUDY_MOST_SEEDS];
    study_curve curve[2];
    mot_series series[2];
    mot_mark marks[16];
    mot_status status = MOT_OK;
    memset(curve, 0, sizeof curve);
    for (size_t v = 0; v < 2; ++v) {
        MOT_TRY(mot_study_curve_make(variants[v], mean_agreement, 0, STUDY_STEP, &curve[v]));
        series[v] = mot_study_series(&curve[v], labels[v], (int)v + 1);
        for (int s = 0; s < variants[v]->seeds; ++s) {
            const study_result *r = &variants[v]->result[s];
            const size_t row = row_at(r, r->stages > 2 ? r->stage_begin[2] : r->steps);
            early[v][s] = r->rows > 0 ? mean_agreement(r, row, 0) : NAN;
        }
    }
    mot_panel panel = mot_study_lines("|sum of the classes' gradients| / sum of their lengths", "step",
                                      (mot_axis){.label = "agreement", .low = 0, .high = 1.02}, series, 2);
    mot_study_mark(&panel, longest, marks);
    mot_study_section(study, "Experts take conflict out of the gradient");
    mot_study_say(
        study,
        "The loss gradients of the classes at one expert, over the samples that it gets: 1 when all classes "
        "pull in one direction, or when there is one class alone; 1 / sqrt(N) = %.2f when the N classes are "
        "orthogonal and as strong; less when they cancel.\n\n",
        1 / sqrt((double)longest->N));
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    MOT_TRY(mot_study_draw(study, "conflict", "Mean over the experts, weighted by their samples.", &figure));
    char a[96], b[96];
    const size_t seeds = (size_t)variants[0]->seeds;
    const hsize_t shape[] = {seeds};
    MOT_TRY(mot_study_keep(study, "conflict", "mot", 1, shape, early[0]));
    MOT_TRY(mot_study_keep(study, "conflict", "single", 1, shape, early[1]));
    mot_study_spread(early[0], seeds, a);
    mot_study_spread(early[1], seeds, b);
    mot_study_verdict(study,
                       mot_quantile(early[0], mot_study_finite(early[0], seeds), 0) >
                           mot_quantile(early[1], mot_study_finite(early[1], seeds), 1),
                       "When stage III begins the agreement is %s inside an expert and %s in one transformer.", a,
                       b);
done:
    for (size_t v = 0; v < 2; ++v) mot_study_curve_free(&curve[v]);
    return status;
}
const study_claim mot_claim_conflict = {"conflict", plan_conflict, tell_conflict};

/* Claims about what happens inside, on the calibration setting: routing, maps, attention, alignment, conflict. */
#include <math.h>
#include <string.h>

#include "claims.h"
#include "mot/memory.h"

static study_variant *calibration(mot_study *study)
{
    return &study->variant[claims_add_calibration(study)];
}

static void plan(mot_study *study)
{
    (void)claims_add_calibration(study);
}

static size_t last(const study_result *result)
{
    return result->rows - 1;
}

/* The evaluation at, or the last one before, the step. */
static size_t row_at(const study_result *result, double step)
{
    size_t row = 0;
    while (row + 1 < result->rows && result->step[row + 1] <= step) ++row;
    return row;
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
    const study_variant *variant = calibration(study);
    const size_t seeds = (size_t)variant->seeds;
    double purity[64], error[64], loss[64], routed[64];
    char a[96], b[96], c[96], d[96];
    study_curve curve[4];
    mot_status status = MOT_OK;
    memset(curve, 0, sizeof curve);
    study_last(variant, study_purity, purity);
    study_last(variant, study_accuracy, error);
    study_last(variant, study_loss, loss);
    study_last(variant, study_routed_loss, routed);
    for (size_t s = 0; s < seeds; ++s) error[s] = 1 - error[s];
    MOT_TRY(study_curve_make(variant, study_purity, false, false, &curve[0]));
    MOT_TRY(study_curve_make(variant, study_entropy, false, false, &curve[1]));
    MOT_TRY(study_curve_make(variant, study_nmi, false, false, &curve[2]));
    MOT_TRY(study_curve_make(variant, study_accuracy, true, false, &curve[3]));
    study_section(study, "The gate learns to send each class to experts of its own");
    study_say(study, "Setting: N = 4 classes, E = 12 experts, D = 32, L = 8, sigma = 0.5, three stages; "
                     "purity is the share of "
                     "test samples that are with an expert that mostly has their class.\n\n");
    mot_mark marks[16];
    const mot_series routing[] = {study_series(&curve[0], "purity", 1), study_series(&curve[2], "NMI", 3),
                                  study_series(&curve[1], "entropy of the load", 5)};
    const mot_series errors[] = {study_series(&curve[3], "0-1 error", 2)};
    const size_t stages = claims_marks(&variant->result[0], marks);
    const mot_panel panels[] = {
        {.kind = MOT_PANEL_LINES,
         .title = "Routing",
         .x = {.label = "step"},
         .y = {.low = 0, .high = 1.02},
         .series = routing,
         .series_count = 3,
         .marks = marks,
         .mark_count = stages},
        {.kind = MOT_PANEL_LINES,
         .title = "Error on test samples",
         .x = {.label = "step"},
         .y = {.label = "error", .log = 10},
         .series = errors,
         .series_count = 1,
         .marks = marks,
         .mark_count = stages},
    };
    const mot_figure figure = {.panels = panels, .panel_count = 2};
    MOT_TRY(study_draw(study, "routing",
                       "Median and quartiles over the seeds; dashed: stages II and III begin.", &figure));
    study_say(
        study,
        "| at the end | median (range) over %zu seeds |\n|---|---|\n| purity | %s |\n| 0-1 error | %s |\n"
        "| loss | %s |\n| loss of the samples with an expert of their class | %s |\n\n",
        seeds, study_spread(purity, seeds, a), study_spread(error, seeds, b), study_spread(loss, seeds, c),
        study_spread(routed, seeds, d));
    size_t pure = count_at_least(purity, variant->seeds, 0.98), right = 0;
    for (size_t s = 0; s < seeds; ++s) right += error[s] <= 1e-3 + 1e-9;
    const hsize_t shape[] = {seeds};
    MOT_TRY(study_keep(study, "routing", "purity", 1, shape, purity));
    MOT_TRY(study_keep(study, "routing", "error", 1, shape, error));
    claims_verdict(study, 10 * pure >= 9 * seeds && 10 * right >= 9 * seeds,
                   "Purity is at least 0.98 for %zu of %zu seeds, the error at most 0.001 for %zu.%s", pure,
                   seeds, right,
                   10 * right >= 9 * seeds
                       ? ""
                       : " Samples near the border between two classes' routes decide the error.");
done:
    for (size_t i = 0; i < MOT_COUNT(curve); ++i) study_curve_free(&curve[i]);
    return status;
}
const study_claim claim_routing = {"routing", plan, tell_routing};

/* ---- 2: maps ---- */

/* Rows of experts in use at the end, sorted by the class they are for: makes the diagonal visible. */
static size_t order_experts(const study_result *result, size_t order[64])
{
    const size_t E = result->E, N = result->N, row = last(result);
    size_t count = 0;
    for (size_t n = 0; n < N; ++n)
        for (size_t e = 0; e < E && count < 64; ++e) {
            const double *load = result->load + row * N * E;
            double sum = 0;
            size_t own = 0;
            for (size_t k = 0; k < N; ++k) {
                sum += load[k * E + e];
                if (load[k * E + e] > load[own * E + e]) own = k;
            }
            if (sum > 0 && own == n) order[count++] = e;
        }
    return count;
}

static mot_status tell_maps(mot_study *study)
{
    const study_variant *variant = calibration(study);
    const study_result *result = &variant->result[0];
    const size_t N = result->N;
    static const char *const titles[] = {"after stage I", "after stage II", "at the end"};
    size_t order[64], rows[3];
    const size_t count = order_experts(result, order);
    double *cells = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&cells, 6 * count * N, sizeof *cells, "a picture"));
    char names[64][12], classes[16][12];
    const char *row_labels[64], *column_labels[16];
    for (size_t i = 0; i < count; ++i) {
        snprintf(names[i], sizeof names[i], "expert %zu", order[i]);
        row_labels[i] = names[i];
    }
    for (size_t n = 0; n < N && n < 16; ++n) {
        snprintf(classes[n], sizeof classes[n], "%zu", n);
        column_labels[n] = classes[n];
    }
    rows[0] = row_at(result, result->stages > 1 ? result->stage_begin[1] : result->steps);
    rows[1] = row_at(result, result->stages > 2 ? result->stage_begin[2] : result->steps);
    rows[2] = last(result);
    mot_panel panels[6];
    char title[6][64];
    for (size_t p = 0; p < 6; ++p) {
        const double *map = (p < 3 ? result->neurons : result->gate) + rows[p % 3] * result->E * N;
        double *to = cells + p * count * N;
        for (size_t i = 0; i < count; ++i)
            for (size_t n = 0; n < N; ++n) to[i * N + n] = map[order[i] * N + n];
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
    study_section(study, "What the experts and the gate learned");
    study_say(study, "Each used expert's neuron against the classification signals, and its row of the gate "
                     "against the class "
                     "signals; seed 1.\n\n");
    const mot_figure figure = {
        .panels = panels, .panel_count = 6, .columns = 3, .width = 1100, .height = 760};
    MOT_TRY(study_draw(study, "maps", "Experts that get no sample at the end are left out.", &figure));
    /* |largest| over all used experts and seeds: how much of a neuron is one signal */
    double share[64];
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *r = &variant->result[s];
        const size_t used = order_experts(r, order);
        double sum = 0, weight = 0;
        for (size_t i = 0; i < used; ++i) {
            double best = 0, load = 0;
            for (size_t n = 0; n < r->N; ++n) {
                best = fmax(best, fabs(r->neurons[(last(r) * r->E + order[i]) * r->N + n]));
                load += r->load[(last(r) * r->N + n) * r->E + order[i]];
            }
            sum += best * load;
            weight += load;
        }
        share[s] = sum / weight;
    }
    char text[96];
    const hsize_t shape[] = {(hsize_t)variant->seeds};
    MOT_TRY(study_keep(study, "maps", "alignment", 1, shape, share));
    const double median = mot_median(share, (size_t)variant->seeds);
    claims_verdict(study, median >= 0.9,
                   "The neuron that a sample meets at the end has a cosine of %s with the signal of one "
                   "class, mean over the "
                   "samples.",
                   study_spread(share, (size_t)variant->seeds, text));
done:
    mot_free(cells);
    return status;
}
const study_claim claim_maps = {"maps", plan, tell_maps};

/* ---- 3: attention ---- */

enum { NOISE, CLASS, SIGNAL, DISTRACTOR };

/* Median over the seeds of one entry of the attention table at every evaluation. */
static void attention_curve(const study_variant *variant, size_t query, size_t key, size_t rows,
                            double *median, double *low, double *high)
{
    double values[64];
    for (size_t r = 0; r < rows; ++r) {
        size_t n = 0;
        for (int s = 0; s < variant->seeds; ++s)
            if (r < variant->result[s].rows)
                values[n++] = variant->result[s].attention[(r * STUDY_ROLES + query) * STUDY_ROLES + key];
        median[r] = mot_median(values, n);
        low[r] = mot_quantile(values, n, 0.25);
        high[r] = mot_quantile(values, n, 0.75);
    }
}

static mot_status tell_attention(mot_study *study)
{
    const study_variant *variant = calibration(study);
    const study_result *first = &variant->result[0];
    static const char *const keys[] = {"noise (5 tokens)", "class signal", "classification signal",
                                       "distractor"};
    static const char *const queries[] = {"", "query: class signal", "query: classification signal",
                                          "query: distractor"};
    double *block = NULL, end[64];
    mot_mark marks[16];
    const size_t rows = first->rows, stages = claims_marks(first, marks);
    mot_status status;
    MOT_TRY(mot_allocate(&block, 36 * rows, sizeof *block, "a picture"));
    mot_series series[3][4];
    mot_panel panels[3];
    for (size_t q = 1; q <= 3; ++q) {
        for (size_t k = 0; k < 4; ++k) {
            double *at = block + ((q - 1) * 4 + k) * 3 * rows;
            attention_curve(variant, q, k, rows, at, at + rows, at + 2 * rows);
            series[q - 1][k] = (mot_series){.label = keys[k],
                                            .count = rows,
                                            .x = first->step,
                                            .y = at,
                                            .lower = at + rows,
                                            .upper = at + 2 * rows,
                                            .color = (int)k + 1};
        }
        panels[q - 1] = (mot_panel){.kind = MOT_PANEL_LINES,
                                    .title = queries[q],
                                    .x = {.label = "step"},
                                    .y = {.low = 0, .high = 1.02},
                                    .series = series[q - 1],
                                    .series_count = 4,
                                    .marks = marks,
                                    .mark_count = stages,
                                    .key = q == 3 ? MOT_KEY_TOP_RIGHT : MOT_KEY_NONE};
    }
    study_section(study, "Attention finds the signal");
    study_say(study, "Mean attention of a kind of token on kinds of "
                     "tokens, by the expert that "
                     "the sample is sent to.\n\n");
    const mot_figure figure = {.panels = panels, .panel_count = 3, .width = 1150};
    MOT_TRY(study_draw(study, "attention", "Attention is uniform (1/8 a token) until stage II.", &figure));
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *r = &variant->result[s];
        end[s] = r->attention[(last(r) * STUDY_ROLES + SIGNAL) * STUDY_ROLES + SIGNAL];
    }
    double class[64];
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *r = &variant->result[s];
        class[s] = r->attention[(last(r) * STUDY_ROLES + CLASS) * STUDY_ROLES + SIGNAL];
    }
    char a[96], b[96];
    const size_t seeds = (size_t)variant->seeds, there = count_at_least(end, variant->seeds, 0.95);
    const hsize_t shape[] = {seeds};
    MOT_TRY(study_keep(study, "attention", "signal_to_signal", 1, shape, end));
    MOT_TRY(study_keep(study, "attention", "class_to_signal", 1, shape, class));
    claims_verdict(study, 10 * there >= 9 * seeds,
                   "The classification signal attends to itself with %s, at least 0.95 for %zu of %zu seeds. "
                   "The class signal "
                   "attends to it with %s only: with signed labels its gradient averages to zero, since the "
                   "sign of the signal "
                   "is even.",
                   study_spread(end, seeds, a), there, seeds, study_spread(class, seeds, b));
done:
    mot_free(block);
    return status;
}
const study_claim claim_attention = {"attention", plan, tell_attention};

/* ---- 10: initial alignment ---- */

static size_t largest(const double *values, size_t count, size_t stride)
{
    size_t best = 0;
    for (size_t i = 1; i < count; ++i)
        if (fabs(values[i * stride]) > fabs(values[best * stride])) best = i;
    return best;
}

/* Hits of every seed; adds to hits and experts. */
static void count_hits(const study_variant *variant, double *rate, size_t *hits, size_t *experts)
{
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *r = &variant->result[s];
        size_t order[64], right = 0;
        const size_t used = order_experts(r, order);
        for (size_t i = 0; i < used; ++i) {
            const size_t before = largest(r->neurons + order[i] * r->N, r->N, 1);
            const size_t after = largest(r->load + last(r) * r->N * r->E + order[i], r->N, r->E);
            right += before == after;
        }
        rate[s] = used > 0 ? (double)right / (double)used : NAN;
        *hits += right;
        *experts += used;
    }
}

static mot_status tell_alignment(mot_study *study)
{
    const study_variant *variants[] = {calibration(study), &study->variant[claims_add_rate(study, 4)],
                                       &study->variant[claims_add_rate(study, 8)]};
    double rate[64], low = INFINITY, share[3];
    mot_status status = MOT_OK;
    study_section(study, "The initial neuron predicts the class");
    study_say(study, "The class n for which an expert's neuron has the largest |W(0) v_n| before the first "
                     "step, against the class "
                     "that it mostly has at the end; experts that get samples.\n\n| setting | hit rate of a "
                     "seed | all seeds "
                     "together | 95 %% interval | chance |\n|---|---|---|---|---|\n");
    for (size_t v = 0; v < MOT_COUNT(variants); ++v) {
        size_t hits = 0, experts = 0;
        char text[96];
        count_hits(variants[v], rate, &hits, &experts);
        const mot_interval interval = mot_wilson(hits, experts);
        const hsize_t shape[] = {(hsize_t)variants[v]->seeds};
        share[v] = (double)hits / (double)experts;
        low = fmin(low, interval.low * (double)variants[v]->result[0].N);
        MOT_TRY(study_keep(study, "alignment", variants[v]->name, 1, shape, rate));
        study_say(study, "| %s | %s | %zu of %zu | %.2f to %.2f | %.3f |\n", variants[v]->label,
                  study_spread(rate, (size_t)variants[v]->seeds, text), hits, experts, interval.low,
                  interval.high, 1 / (double)variants[v]->result[0].N);
    }
    study_say(study, "\n");
    claims_verdict(study, low > 1,
                   "%.0f %% (first stage of 400 steps), %.0f %% and %.0f %% (of 200 steps) of the experts "
                   "end with the class that "
                   "their first neuron points at; chance is 25, 25 and 12.5 %%. The longer the first stage, "
                   "the more classes a neuron "
                   "has picked up before the gate tells them apart.",
                   100 * share[0], 100 * share[1], 100 * share[2]);
done:
    return status;
}

static void plan_alignment(mot_study *study)
{
    plan(study);
    (void)claims_add_rate(study, 4);
    (void)claims_add_rate(study, 8);
}
const study_claim claim_alignment = {"alignment", plan_alignment, tell_alignment};

/* ---- 7: conflict ---- */

static size_t single(mot_study *study)
{
    return study_add(
        study, "calibration-single", "one transformer", claims_calibration, study->options.quick ? 5 : 10, 2,
        "model.experts=1; route.scale=none; route.noise=none; route.noise_steps=0; %s", claims_quick(study));
}

static void plan_conflict(mot_study *study)
{
    (void)claims_add_calibration(study);
    (void)single(study);
}

/* Mean over the experts, weighted by their samples, of a figure at one evaluation. */
static double over_experts(const study_result *r, const double *figure, size_t row)
{
    double sum = 0, weight = 0;
    for (size_t e = 0; e < r->E; ++e) {
        double load = 0;
        for (size_t n = 0; n < r->N; ++n) load += r->load[(row * r->N + n) * r->E + e];
        if (load == 0 || !isfinite(figure[row * r->E + e])) continue;
        sum += load * figure[row * r->E + e];
        weight += load;
    }
    return weight > 0 ? sum / weight : NAN;
}

static void conflict_curve(const study_variant *variant, size_t rows, double *median, double *low,
                           double *high)
{
    for (size_t r = 0; r < rows; ++r) {
        double values[64];
        size_t n = 0;
        for (int s = 0; s < variant->seeds; ++s)
            if (r < variant->result[s].rows)
                values[n++] = over_experts(&variant->result[s], variant->result[s].agreement, r);
        n = study_finite(values, n);
        median[r] = n > 0 ? mot_median(values, n) : NAN;
        low[r] = n > 0 ? mot_quantile(values, n, 0.25) : NAN;
        high[r] = n > 0 ? mot_quantile(values, n, 0.75) : NAN;
    }
}

static mot_status tell_conflict(mot_study *study)
{
    const study_variant *variants[] = {calibration(study), &study->variant[single(study)]};
    static const char *const labels[] = {"MoT, inside an expert", "one transformer"};
    double *block = NULL, early[2][64];
    const size_t rows = variants[0]->result[0].rows;
    mot_mark marks[16];
    mot_status status;
    MOT_TRY(mot_allocate(&block, 6 * rows, sizeof *block, "a picture"));
    mot_series series[2];
    for (size_t v = 0; v < 2; ++v) {
        double *at = block + 3 * v * rows;
        conflict_curve(variants[v], rows, at, at + rows, at + 2 * rows);
        series[v] = (mot_series){.label = labels[v],
                                 .count = rows,
                                 .x = variants[v]->result[0].step,
                                 .y = at,
                                 .lower = at + rows,
                                 .upper = at + 2 * rows,
                                 .color = (int)v + 1};
        for (int s = 0; s < variants[v]->seeds; ++s) {
            const study_result *r = &variants[v]->result[s];
            early[v][s] = over_experts(r, r->agreement,
                                       row_at(r, r->stages > 2 ? r->stage_begin[2] : r->steps));
        }
    }
    const mot_panel panel = {.kind = MOT_PANEL_LINES,
                             .title = "|sum of the classes' gradients| / sum of their lengths",
                             .x = {.label = "step"},
                             .y = {.label = "agreement", .low = 0, .high = 1.02},
                             .series = series,
                             .series_count = 2,
                             .marks = marks,
                             .mark_count = claims_marks(&variants[0]->result[0], marks)};
    study_section(study, "Experts take conflict out of the gradient");
    study_say(
        study,
        "The loss gradients of the classes at one expert, "
        "over the "
        "samples that it gets: 1 when all classes pull in one direction, or when there is one class alone; "
        "1 / sqrt(N) = %.2f when the N classes are orthogonal and as strong; less when they cancel.\n\n",
        1 / sqrt((double)variants[0]->result[0].N));
    const mot_figure figure = {.panels = &panel, .panel_count = 1};
    MOT_TRY(study_draw(study, "conflict", "Mean over the experts, weighted by their samples.", &figure));
    char a[96], b[96];
    const hsize_t shape[] = {(hsize_t)variants[0]->seeds};
    MOT_TRY(study_keep(study, "conflict", "mot", 1, shape, early[0]));
    MOT_TRY(study_keep(study, "conflict", "single", 1, shape, early[1]));
    const size_t seeds = (size_t)variants[0]->seeds;
    claims_verdict(study, mot_quantile(early[0], seeds, 0) > mot_quantile(early[1], seeds, 1),
                   "When stage III begins the agreement is %s inside an expert and %s in one transformer.",
                   study_spread(early[0], seeds, a), study_spread(early[1], seeds, b));
done:
    mot_free(block);
    return status;
}
const study_claim claim_conflict = {"conflict", plan_conflict, tell_conflict};

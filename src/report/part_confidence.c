/* Whether the gate is sure where the model is right. */
#include <math.h>
#include <stdlib.h>

#include "mot/memory.h"
#include "parts.h"

enum { BINS = 20, DECILES = 10, SURE_BUT_WRONG = 100 };

/* Of every sample. */
typedef struct confidence {
    double *prob, *margin, *entropy, *loss; /* [samples] */
} confidence;

static void measure(const report_analysis *a, const report_experts *x, const float *score, confidence *c)
{
    for (size_t i = 0; i < a->samples; ++i) {
        const float *p = score + i * x->E;
        double first = 0, second = 0, entropy = 0;
        for (size_t e = 0; e < x->E; ++e) {
            const double value = (double)p[e];
            if (value > first) second = first, first = value;
            else if (value > second) second = value;
            if (value > 0) entropy -= value * log(value);
        }
        c->prob[i] = (double)p[x->first[i]];
        c->margin[i] = first - second;
        c->entropy[i] = x->E > 1 ? entropy / log((double)x->E) : 0;
        c->loss[i] = (double)a->loss[i];
    }
}

static size_t bin_of(double value, size_t bins)
{
    return value >= 1 ? bins - 1 : value > 0 ? (size_t)(value * (double)bins) : 0;
}

/* How a number in [0, 1] is spread over right and over wrong samples. */
static mot_status put_histogram(report_all *report, report_part *part, int r, int l, const char *id, const char *title,
                                const char *label, const report_analysis *a, const double *value)
{
    static const char *const name[] = {"wrong", "right"};
    const bool classes = a->accuracy >= 0;
    const char **names;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_BARS, id, title, r, l, &view));
    MOT_TRY(mot_report_take(&report->pool, &names, BINS, sizeof *names));
    for (size_t b = 0; b < BINS; ++b)
        names[b] = mot_report_text(&report->pool, "%.2f–%.2f", (double)b / BINS, (double)(b + 1) / BINS);
    view->x = (report_axis){.label = label, .count = BINS, .names = names};
    view->y = (report_axis){.label = "samples"};
    MOT_TRY(mot_report_series(report, view, classes ? 2 : 1, BINS, false));
    for (size_t s = 0; s < view->series_count; ++s) view->series[s].name = classes ? name[s] : "all";
    for (size_t i = 0; i < a->samples; ++i) mot_report_values(view, classes && a->hit[i] > 0)[bin_of(value[i], BINS)] += 1;
done:
    return status;
}

/* Where the gate says p: how many are right, and of how many the first choice is the best expert. */
static mot_status put_reliability(report_all *report, report_part *part, int r, int l, const report_analysis *a,
                                  const report_experts *x, const float *only, const confidence *c)
{
    double count[DECILES] = {0}, prob[DECILES] = {0}, good[2][DECILES] = {{0}}, *place, gap[2] = {0};
    report_view *view;
    mot_status status;
    static const char *const name[] = {"first choice is the best expert", "answer is right"};
    for (size_t i = 0; i < a->samples; ++i) {
        const size_t b = bin_of(c->prob[i], DECILES);
        const float *loss = only + i * x->E;
        bool best = true;
        for (size_t e = 0; e < x->E; ++e) best = best && loss[x->first[i]] <= loss[e];
        count[b] += 1;
        prob[b] += c->prob[i];
        good[0][b] += best;
        good[1][b] += a->hit[i] > 0;
    }
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, "reliability", "Reliability of the gate", r, l, &view));
    MOT_TRY(mot_report_take(&report->pool, &place, DECILES, sizeof *place));
    const size_t series = a->accuracy >= 0 ? 2 : 1;
    MOT_TRY(mot_report_series(report, view, series, DECILES, true));
    view->x = (report_axis){.label = "probability of the first choice", .count = DECILES, .values = place, .high = 1};
    view->y = (report_axis){.label = "share of the samples", .high = 1};
    view->diagonal = true;
    for (size_t s = 0; s < series; ++s) view->series[s].name = name[s];
    for (size_t b = 0; b < DECILES; ++b) {
        place[b] = count[b] > 0 ? prob[b] / count[b] : ((double)b + 0.5) / DECILES;
        for (size_t s = 0; s < series; ++s) {
            mot_report_values(view, s)[b] = count[b] > 0 ? good[s][b] / count[b] : NAN;
            mot_report_wilson(good[s][b], count[b], &mot_report_low(view, s)[b], &mot_report_high(view, s)[b]);
            gap[s] += fabs(good[s][b] - prob[b]) / (double)a->samples;
        }
    }
    view->note = mot_report_text(&report->pool, "Expected calibration error against the best expert %.4f%s.", gap[0],
                                 series == 1 ? "" : mot_report_text(&report->pool, ", against right answers %.4f", gap[1]));
done:
    return status;
}

/* P(a right sample has more than a wrong one), ties half: from the ranks. */
static mot_status area(const report_analysis *a, const double *value, double *auroc)
{
    double *rank = NULL, sum = 0, right = 0;
    mot_status status;
    MOT_TRY(mot_allocate(&rank, a->samples, sizeof *rank, "ranks"));
    MOT_TRY(mot_report_ranks(a->samples, value, rank));
    for (size_t i = 0; i < a->samples; ++i)
        if (a->hit[i] > 0) sum += rank[i], right += 1;
    const double wrong = (double)a->samples - right;
    *auroc = right > 0 && wrong > 0 ? (sum - right * (right + 1) / 2) / (right * wrong) : NAN;
done:
    mot_free(rank);
    return status;
}

static mot_status put_table(report_all *report, report_part *part, int r, int l, const report_analysis *a, const confidence *c)
{
    static const char *const columns[] = {"figure", "value", "low", "high"};
    double sum[3][2] = {{0}}, count[2] = {0}, rho, auroc = NAN;
    const double *const value[] = {c->prob, c->margin, c->entropy};
    static const char *const name[][2] = {{"mean probability of the first choice, wrong samples", "the same, right samples"},
                                          {"mean margin, wrong samples", "the same, right samples"},
                                          {"mean entropy, wrong samples", "the same, right samples"}};
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_spearman(a->samples, c->prob, c->loss, &rho));
    if (a->accuracy >= 0) MOT_TRY(area(a, c->prob, &auroc));
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "confidence", "Confidence and error", r, l, &view));
    MOT_TRY(mot_report_take(&report->pool, &view->cell, 8 * MOT_COUNT(columns), sizeof *view->cell));
    view->x = (report_axis){.count = MOT_COUNT(columns), .names = columns};
    const double half = a->samples > 3 ? 1.959963984540054 / sqrt((double)a->samples - 3) : NAN;
    report_cell *cell = view->cell;
    cell[0].text = "rank correlation of probability and loss";
    cell[1].value = rho;
    cell[2].value = tanh(atanh(rho) - half);
    cell[3].value = tanh(atanh(rho) + half);
    view->rows = 1;
    if (a->accuracy < 0) goto done;
    cell = view->cell + view->rows++ * MOT_COUNT(columns);
    cell[0].text = "a right sample has the larger probability (AUROC)";
    cell[1].value = auroc;
    cell[2].value = cell[3].value = NAN;
    for (size_t i = 0; i < a->samples; ++i) {
        const int hit = a->hit[i] > 0;
        count[hit] += 1;
        for (size_t k = 0; k < 3; ++k) sum[k][hit] += value[k][i];
    }
    for (size_t k = 0; k < 3; ++k)
        for (int hit = 0; hit < 2; ++hit) {
            cell = view->cell + view->rows++ * MOT_COUNT(columns);
            cell[0].text = name[k][hit];
            cell[1].value = count[hit] > 0 ? sum[k][hit] / count[hit] : NAN;
            cell[2].value = cell[3].value = NAN;
        }
done:
    return status;
}

typedef struct place {
    double prob;
    size_t index;
} place;

static int surest_first(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (x->prob != y->prob) return x->prob < y->prob ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

static report_cell class_cell(const report_run *run, int label)
{
    return label >= 0 && label < run->classes ? (report_cell){run->class_names[label], 0} : (report_cell){NULL, NAN};
}

static mot_status put_wrong(report_all *report, report_part *part, int r, int l, const report_analysis *a, const report_experts *x,
                            const confidence *c)
{
    static const char *const columns[] = {"sample", "class", "predicted", "expert", "probability", "margin", "loss"};
    const report_run *const run = &report->run[r];
    size_t wrong = 0;
    place *sure = NULL;
    report_view *view;
    mot_status status = MOT_OK;
    if (a->accuracy < 0) return MOT_OK;
    MOT_TRY(mot_allocate(&sure, a->samples, sizeof *sure, "samples that are wrong"));
    for (size_t i = 0; i < a->samples; ++i)
        if (a->hit[i] == 0) sure[wrong++] = (place){c->prob[i], i};
    qsort(sure, wrong, sizeof *sure, surest_first);
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "sure-wrong", "Sure but wrong", r, l, &view));
    view->x = (report_axis){.count = MOT_COUNT(columns), .names = columns};
    view->rows = MOT_MIN(wrong, SURE_BUT_WRONG);
    view->note = mot_report_text(&report->pool, "%zu of %zu samples are wrong; the %zu whose gate was surest.", wrong, a->samples, view->rows);
    MOT_TRY(mot_report_take(&report->pool, &view->cell, view->rows * MOT_COUNT(columns), sizeof *view->cell));
    for (size_t s = 0; s < view->rows; ++s) {
        const size_t i = sure[s].index;
        report_cell *const cell = view->cell + s * MOT_COUNT(columns);
        cell[0].value = (double)a->sample[i];
        cell[1] = class_cell(run, a->label[i]);
        cell[2] = class_cell(run, a->predicted[i]);
        cell[3].text = x->names[x->first[i]];
        cell[4].value = c->prob[i];
        cell[5].value = c->margin[i];
        cell[6].value = c->loss[i];
    }
done:
    mot_free(sure);
    return status;
}

static mot_status make_layer(report_all *report, report_part *part, int r, int l, const report_analysis *a, const report_experts *x)
{
    size_t width, of_loss;
    float *score = NULL, *only = NULL;
    double *numbers = NULL;
    mot_status status;
    MOT_TRY(mot_report_analysis_rows(a, l, "gate_score", H5T_NATIVE_FLOAT, sizeof *score, &width, &score));
    MOT_TRY(mot_report_analysis_rows(a, l, "only_loss", H5T_NATIVE_FLOAT, sizeof *only, &of_loss, &only));
    if (score == NULL || only == NULL || width != x->E || of_loss != x->E) {
        status = mot_fail(MOT_ERR_INPUT, "%s: layer %d lacks the gate's probabilities", a->run->analysis, l);
        goto done;
    }
    MOT_TRY(mot_allocate(&numbers, 4 * a->samples, sizeof *numbers, "confidence"));
    confidence c = {numbers, numbers + a->samples, numbers + 2 * a->samples, numbers + 3 * a->samples};
    measure(a, x, score, &c);
    MOT_TRY(put_histogram(report, part, r, l, "margin", "Margin of the gate",
                          "largest probability less the next", a, c.margin));
    MOT_TRY(put_histogram(report, part, r, l, "entropy", "Entropy of the gate", "entropy / log E", a, c.entropy));
    MOT_TRY(put_reliability(report, part, r, l, a, x, only, &c));
    MOT_TRY(put_table(report, part, r, l, a, &c));
    MOT_TRY(put_wrong(report, part, r, l, a, x, &c));
done:
    mot_free(score);
    mot_free(only);
    mot_free(numbers);
    return status;
}

static mot_status make(report_all *report, report_part *part)
{
    return mot_report_each_analysis(report, part, make_layer);
}

const report_part_kind mot_report_part_confidence = {
    .id = "confidence",
    .title = "Confidence",
    .definition = "Of each sample the gate's largest probability less the next (margin), and the entropy of its probabilities over "
                  "log E. The reliability diagram has, in ten bins of the probability of the first choice, the share of samples "
                  "whose first choice is the expert with the least loss, and of those that are right; a calibrated gate is on the "
                  "diagonal. The rank correlation is Spearman's.",
    .denominator = "All samples of the evaluation split; of the reliability diagram those of the bin.",
    .interval = "95 %: of shares Wilson's, of the rank correlation Fisher's.",
    .make = make,
};

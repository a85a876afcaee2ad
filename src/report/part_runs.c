/* What several runs, or seeds, have in common. */
#include <math.h>
#include <string.h>

#include "mot/contingency.h"
#include "mot/memory.h"
#include "mot/statistics.h"
#include "parts.h"

#define MARGIN 0.01 /* accuracies that differ by less are taken for equal */

static const report_routes *last_routes(const report_run *run, int layer)
{
    if (run->spread != NULL || layer >= run->layers || run->layer[layer].routes_count == 0) return NULL;
    return &run->layer[layer].routes[run->layer[layer].routes_count - 1];
}

/* Whether samples of one number are the same sample; else why not. */
static const char *differ(report_all *report, const report_run *a, const report_run *b)
{
    const report_fact *split_a = mot_report_fact(a, "eval.split"), *split_b = mot_report_fact(b, "eval.split");
    if (strcmp(a->checksum, b->checksum) != 0)
        return mot_report_text(&report->pool, "%s and %s learned from other data: their routes and accuracies cannot be compared.",
                               a->name, b->name);
    if (split_a != NULL && split_b != NULL && split_a->text != NULL && split_b->text != NULL &&
        strcmp(split_a->text, split_b->text) != 0)
        return mot_report_text(&report->pool, "%s is evaluated with split %s and %s with %s: their routes cannot be compared.", a->name,
                               split_a->text, b->name, split_b->text);
    return NULL;
}

static mot_status rand_index(const report_routes *a, int experts_a, const report_routes *b, int experts_b, double *ari)
{
    int64_t *count;
    mot_status status;
    MOT_TRY(mot_allocate(&count, (size_t)experts_a * (size_t)experts_b, sizeof *count, "two runs' experts"));
    for (size_t s = 0; s < MOT_MIN(a->samples, b->samples); ++s) {
        const uint16_t x = a->expert[s * REPORT_CHOICES], y = b->expert[s * REPORT_CHOICES];
        if (x != REPORT_NOBODY && y != REPORT_NOBODY) count[(size_t)x * (size_t)experts_b + y]++;
    }
    *ari = mot_contingency_ari(experts_a, experts_b, count);
    mot_free(count);
done:
    return status;
}

static mot_status put_rand(report_all *report, report_part *part, int l, const char *const *names)
{
    const size_t R = report->runs;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_HEAT, "runs-rand", "Agreement of routes", -1, l, &view));
    if (l > 0) view->csv = mot_report_text(&report->pool, "runs-rand-layer%d.csv", l);
    view->x = view->y = (report_axis){.label = "run", .count = R, .names = names};
    view->unit = "adjusted Rand index";
    view->diverging = true;
    view->note = "Of the last evaluation that each has. A pair without a number cannot be compared, or has no recorded choices.";
    MOT_TRY(mot_report_frames(report, view, 1, R * R));
    view->frame[0].step = -1; /* each run has its own */
    view->frame[0].label = "last evaluation";
    double *const value = (double *)view->frame[0].value;
    for (size_t a = 0; a < R; ++a)
        for (size_t b = 0; b < R; ++b) {
            const report_routes *x = last_routes(&report->run[a], l), *y = last_routes(&report->run[b], l);
            value[a * R + b] = b < a ? value[b * R + a] : NAN;
            if (b < a || x == NULL || y == NULL || differ(report, &report->run[a], &report->run[b]) != NULL) continue;
            MOT_TRY(rand_index(x, report->run[a].layer[l].experts, y, report->run[b].layer[l].experts, &value[a * R + b]));
        }
done:
    return status;
}

/* ---- figures over seeds ---- */

/* Whether a number of summary.json is something that a run has learned, or what it took. */
static bool is_figure(const report_fact *fact)
{
    static const char *const taken[] = {"eval.", "routing.", "layer", "stream.", "teacher.", "attention.", "time.wall_s", "speed.samples_per_s"};
    static const char *const left_out[] = {"eval.step", "eval.samples", "eval.majority", "stream.tasks", "stream.learned"};
    bool is = false;
    for (size_t i = 0; i < MOT_COUNT(taken); ++i) is = is || strncmp(fact->key, taken[i], strlen(taken[i])) == 0;
    for (size_t i = 0; i < MOT_COUNT(left_out); ++i) is = is && strcmp(fact->key, left_out[i]) != 0;
    return is && fact->text == NULL && strstr(fact->key, "_bytes") == NULL;
}

/* Those of the runs of a variant; how many. */
static size_t take_figures(const report_all *report, size_t variant, const char *key, double *value)
{
    size_t count = 0;
    for (size_t r = 0; r < report->runs; ++r) {
        const report_fact *const fact = mot_report_fact(&report->run[r], key);
        if (report->run[r].variant == variant && !report->run[r].again && fact != NULL && fact->text == NULL) value[count++] = fact->value;
    }
    return count;
}

/* A row of each variant that has the figure. */
static mot_status put_figure(report_all *report, const char *key, double *value, report_view *view)
{
    mot_status status = MOT_OK;
    for (size_t v = 0; v < report->variants; ++v) {
        const size_t count = take_figures(report, v, key, value);
        mot_interval interval;
        if (count == 0) continue;
        MOT_TRY(mot_bootstrap_mean(value, count, &interval));
        const mot_summary of = mot_summarize(value, count);
        report_cell *const cell = view->cell + view->rows++ * view->x.count;
        cell[0].text = key;
        cell[1].text = report->variant[v].name;
        const double number[] = {(double)count, of.mean, interval.low, interval.high, of.deviation, of.min, of.max};
        for (size_t i = 0; i < MOT_COUNT(number); ++i) cell[2 + i].value = number[i];
    }
done:
    return status;
}

/* Whether a run before this one has the figure too, whose row it then is in. */
static bool was_there(const report_all *report, size_t run, const char *key)
{
    for (size_t r = 0; r < run; ++r)
        if (mot_report_fact(&report->run[r], key) != NULL) return true;
    return false;
}

static mot_status put_spread(report_all *report, report_part *part)
{
    static const char *const columns[] = {"figure", "settings", "seeds", "mean", "low", "high", "standard deviation", "least", "largest"};
    size_t figures = 0;
    double *value = NULL;
    report_view *view;
    mot_status status;
    for (size_t r = 0; r < report->runs; ++r) figures += report->run[r].facts;
    MOT_TRY(mot_allocate(&value, report->runs, sizeof *value, "figures"));
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "runs-spread", "Figures over seeds", -1, -1, &view));
    MOT_TRY(mot_report_take(&report->pool, &view->cell, figures * report->variants * MOT_COUNT(columns), sizeof *view->cell));
    view->x = (report_axis){.count = MOT_COUNT(columns), .names = columns};
    view->note = "Low and high: the interval of the mean over seeds at 95 %, by bootstrap.";
    for (size_t r = 0; r < report->runs; ++r)
        for (size_t f = 0; f < report->run[r].facts; ++f) {
            const report_fact *const fact = &report->run[r].fact[f];
            if (is_figure(fact) && !was_there(report, r, fact->key)) MOT_TRY(put_figure(report, fact->key, value, view));
        }
done:
    mot_free(value);
    return status;
}

/* Who has too few seeds for an interval, and who counts for none. */
static void tell_seeds(report_all *report, report_part *part)
{
    const char *few = "";
    for (size_t v = 0; v < report->variants; ++v)
        if (report->variant[v].seeds < MOT_BOOTSTRAP_LEAST)
            few = mot_report_text(&report->pool, "%s%s%s: %zu", few, few[0] != '\0' ? ", " : "", report->variant[v].name, report->variant[v].seeds);
    if (few[0] != '\0')
        mot_report_lacks(report, part, NULL,
                         "An interval over seeds needs %d runs that differ in their seeds alone: `mot train %s/config.yaml run=NEW seed=N` "
                         "makes another one. Seeds that there are of fewer: %s.",
                         (int)MOT_BOOTSTRAP_LEAST, report->run[0].name, few);
    for (size_t r = 0; r < report->runs; ++r)
        if (report->run[r].again)
            mot_report_lacks(report, part, NULL, "%s has the seed of a run before it, and nothing else is different: it does not count over seeds.",
                             report->run[r].name);
}

/* ---- equivalence ---- */

/* Samples that both runs' last evaluations have: how many, and how many the first (the other) alone has right. */
static void count_pairs(const report_run *a, const report_run *b, double *all, double *first, double *other)
{
    const report_layer *x = &a->layer[0], *y = &b->layer[0];
    for (size_t s = 0; s < MOT_MIN(x->last_samples, y->last_samples); ++s) {
        if (x->label[s] < 0 || y->label[s] < 0 || x->predicted[s] < 0 || y->predicted[s] < 0) continue;
        const bool right = x->predicted[s] == x->label[s], too = y->predicted[s] == y->label[s];
        *all += 1;
        *first += right && !too;
        *other += too && !right;
    }
}

static double above(double z) /* of the normal distribution */
{
    return 0.5 * erfc(z / sqrt(2));
}

/* Two one-sided tests, at 5 % each: the difference is above -MARGIN, and below it. */
static void test(report_cell *cell, double all, double first, double other)
{
    const double difference = (first - other) / all;
    const double error = sqrt(fmax(first + other - (first - other) * (first - other) / all, 0)) / all;
    const double below = error > 0 ? above((difference + MARGIN) / error) : difference > -MARGIN ? 0 : 1;
    const double over = error > 0 ? above((MARGIN - difference) / error) : difference < MARGIN ? 0 : 1;
    const double p = fmax(below, over);
    cell[0].value = all;
    cell[1].value = difference;
    cell[2].value = difference - 1.6448536269514722 * error;
    cell[3].value = difference + 1.6448536269514722 * error;
    cell[4].value = p;
    cell[5].text = p < 0.05 ? "yes" : "not shown";
}

static mot_status put_equivalence(report_all *report, report_part *part)
{
    static const char *const columns[] = {"run", "other run", "samples", "difference of accuracies", "low", "high", "p", "equivalent"};
    const size_t R = report->runs;
    const char *reason = NULL;
    size_t apart = 0;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "runs-equivalence", "Equivalence of accuracies", -1, -1, &view));
    MOT_TRY(mot_report_take(&report->pool, &view->cell, R * R * MOT_COUNT(columns), sizeof *view->cell));
    view->x = (report_axis){.count = MOT_COUNT(columns), .names = columns};
    view->note = "Equivalent: two one-sided tests at 5 % say that accuracies differ by less than 0.01, over the same samples.";
    for (size_t a = 0; a < R; ++a)
        for (size_t b = a + 1; b < R; ++b) {
            double all = 0, first = 0, other = 0;
            const char *why = differ(report, &report->run[a], &report->run[b]);
            if (why == NULL && last_routes(&report->run[a], 0) != NULL && last_routes(&report->run[b], 0) != NULL)
                count_pairs(&report->run[a], &report->run[b], &all, &first, &other);
            apart += why != NULL;
            if (reason == NULL) reason = why;
            if (all == 0) continue;
            report_cell *const cell = view->cell + view->rows++ * MOT_COUNT(columns);
            cell[0].text = report->run[a].name;
            cell[1].text = report->run[b].name;
            test(cell + 2, all, first, other);
        }
    if (apart == 1) mot_report_lacks(report, part, NULL, "%s", reason);
    if (apart > 1) mot_report_lacks(report, part, NULL, "%s So it is with %zu of %zu pairs of runs.", reason, apart, R * (R - 1) / 2);
done:
    return status;
}

/* Runs of other shapes may be compared all the same; it is said. */
static void compare_shapes(report_all *report, report_part *part)
{
    for (size_t r = 1; r < report->runs; ++r) {
        const report_run *const a = &report->run[0], *const b = &report->run[r];
        if (a->layers == 0 || b->layers == 0) continue;
        if (a->layers != b->layers)
            mot_report_lacks(report, part, NULL, "%s has %d layers of experts and %s %d: those that both have are compared.", a->name,
                             a->layers, b->name, b->layers);
        for (int l = 0; l < MOT_MIN(a->layers, b->layers); ++l)
            if (a->layer[l].experts != b->layer[l].experts)
                mot_report_lacks(report, part, NULL,
                                 "%s has %d experts in layer %d and %s %d: their routes cannot agree in everything.", a->name,
                                 a->layer[l].experts, l, b->name, b->layer[l].experts);
    }
}

static mot_status make(report_all *report, report_part *part)
{
    const char **names;
    int layers = 0;
    mot_status status = MOT_OK;
    if (report->runs < 2) {
        mot_report_lacks(report, part, NULL, "This compares runs: `mot report %s OTHER...` has several, such as seeds.",
                         report->run[0].name);
        return MOT_OK;
    }
    MOT_TRY(mot_report_take(&report->pool, &names, report->runs, sizeof *names));
    for (size_t r = 0; r < report->runs; ++r) {
        names[r] = report->run[r].name;
        layers = MOT_MAX(layers, report->run[r].layers);
    }
    compare_shapes(report, part);
    tell_seeds(report, part);
    for (int l = 0; l < layers; ++l) MOT_TRY(put_rand(report, part, l, names));
    MOT_TRY(put_spread(report, part));
    MOT_TRY(put_equivalence(report, part));
done:
    return status;
}

const report_part_kind mot_report_part_runs = {
    .id = "runs",
    .title = "Several runs",
    .definition = "How far the experts of two runs part the samples alike, by the adjusted Rand index: 1 where the same samples are "
                  "together, whatever the experts are called, 0 as by chance. How every figure of summary.json spreads over runs "
                  "that differ in their seeds alone; and whether accuracies are equivalent.",
    .denominator = "The samples that the last evaluations of both runs have, by first choice; the runs of a setting that have the figure.",
    .interval = "Figures: of the mean over seeds, by the percentile bootstrap of 4,000 resamples; of three seeds it goes from the least to the "
                "largest, of fewer there is none. Equivalence: two one-sided tests (TOST) at 5 % with a margin of 0.01, over paired samples; the bounds are the interval "
                "at 90 % that belongs to them.",
    .make = make,
};

/* The claim that experts align one after another, each router after its expert, in the order of their first correlations. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "soft.h"

enum { MOST_POINTS = 256, MOST_TEACHERS = 4, CURVE = 40 };

static study_variant *add(mot_study *study, size_t size)
{
    return mot_soft_add_phases(study, &mot_soft_sizes[size], "group", "");
}

static void plan(mot_study *study)
{
    for (size_t i = 0; i < mot_soft_size_count(study); ++i) (void)add(study, i);
}

/* ---- one run ---- */

/* Experts (lines) and gates (dashed) of the first seed; curve [2 teachers, rows] is the caller's. */
static void fill_lines(const study_result *result, double *curve, mot_series series[2 * MOST_TEACHERS],
                             char label[MOST_TEACHERS][32])
{
    const size_t rows = result->rows;
    for (size_t j = 0; j < result->N; ++j) {
        snprintf(label[j], sizeof label[j], "expert %zu", j + 1);
        for (size_t gate = 0; gate < 2; ++gate) {
            double *y = curve + (2 * j + gate) * rows;
            for (size_t r = 0; r < rows; ++r) y[r] = (gate ? mot_soft_gate : mot_soft_expert)(result, r, j);
            series[2 * j + gate] = (mot_series){.label = gate ? NULL : label[j],
                                                .count = rows,
                                                .x = result->column[STUDY_FLOWED],
                                                .y = y,
                                                .dashed = gate == 1,
                                                .color = (int)j + 1};
        }
    }
}

/* ---- times against first correlations, of all seeds ---- */

typedef struct points {
    size_t count;
    double magnitude[MOST_POINTS], toward[MOST_POINTS], time[MOST_POINTS]; /* of experts that were found */
} points;

static void gather(const study_variant *variant, points *p)
{
    *p = (points){0};
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *result = &variant->result[s];
        for (size_t j = 0; j < result->N && p->count < MOST_POINTS; ++j) {
            const double time = mot_soft_reach(result, mot_soft_expert, j, MOT_THEORY_FOUND);
            if (!isfinite(time)) continue;
            p->magnitude[p->count] = mot_soft_expert(result, 0, j);
            p->toward[p->count] = mot_soft_toward(result, 0, j);
            p->time[p->count++] = time;
        }
    }
}

/* Up to the pruning. */
static mot_panel cosines(const study_result *result, const mot_series *lines, mot_mark *pruned)
{
    const double end = result->column[STUDY_FLOWED][mot_soft_learned(result)];
    mot_panel panel = mot_study_lines("Cosines with the teacher, one seed", "t",
                                      (mot_axis){.label = "cosine", .low = -0.4, .high = 1.02}, lines, 2 * result->N);
    *pruned = (mot_mark){end, "pruned"};
    panel.x.high = 1.1 * end;
    panel.marks = pruned;
    panel.mark_count = 1;
    return panel;
}

static mot_status draw(mot_study *study, const study_variant *variant, const points *p)
{
    const study_result *result = &variant->result[0];
    mot_series lines[2 * MOST_TEACHERS];
    char label[MOST_TEACHERS][32];
    double z[CURVE], t[CURVE], *curve = NULL;
    mot_mark pruned;
    mot_status status = MOT_OK;
    if (result->rows == 0) return MOT_OK;
    MOT_TRY(mot_allocate(&curve, 2 * result->N * result->rows, sizeof *curve, "a claim"));
    fill_lines(result, curve, lines, label);
    for (size_t i = 0; i < CURVE; ++i) {
        z[i] = 0.1 + 0.4 * (double)i / (CURVE - 1);
        t[i] = mot_soft_theory(z[i]);
    }
    const mot_series scatter[] = {
        {.label = "an expert of a seed", .count = p->count, .x = p->toward, .y = p->time, .style = MOT_SERIES_POINTS},
        {.label = "theory", .count = CURVE, .x = z, .y = t, .dashed = true, .color = 7}};
    const mot_panel panels[] = {cosines(result, lines, &pruned),
                                mot_study_lines("When an expert is found", "largest w . w* at t = 0",
                                                (mot_axis){.label = "t", .log = 10}, scatter, 2)};
    const mot_figure figure = {.panels = panels, .panel_count = 2};
    MOT_TRY(mot_study_draw(study, "alignment",
                           "Left: the nearest student's neuron (lines) and the nearest gate (dashed) of each expert "
                           "of the teacher. Right: all seeds; theory is an expert alone, dz/dt = 4.5 z^2 (1 - z^2).",
                           &figure));
done:
    mot_free(curve);
    return status;
}

/* ---- the claim ---- */

/* Seeds in which the expert that is found first is the one with the largest first cosine. */
static size_t count_predicted(const study_variant *variant)
{
    size_t count = 0;
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *result = &variant->result[s];
        size_t first = 0, most = 0;
        for (size_t j = 0; result->rows > 0 && j < result->N; ++j) {
            const double time = mot_soft_reach(result, mot_soft_expert, j, MOT_THEORY_FOUND),
                         least = mot_soft_reach(result, mot_soft_expert, first, MOT_THEORY_FOUND);
            if (time < least || isnan(least)) first = j;
            if (mot_soft_toward(result, 0, j) > mot_soft_toward(result, 0, most)) most = j;
        }
        count += isfinite(mot_soft_first(result)) && first == most;
    }
    return count;
}

static void tell_row(mot_study *study, const study_variant *variant, const points *p)
{
    const soft_guided count = mot_soft_count(variant);
    const mot_correlation magnitude = mot_spearman(p->magnitude, p->time, p->count),
                          toward = mot_spearman(p->toward, p->time, p->count);
    double first[STUDY_MOST_SEEDS], last[STUDY_MOST_SEEDS];
    char a[96], b[96];
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *result = &variant->result[s];
        first[s] = mot_soft_first(result);
        last[s] = mot_soft_reach(result, mot_soft_all, 0, MOT_THEORY_FOUND);
    }
    mot_study_say(study,
                  "| %s | %zu of %zu | %s | %s | %zu of %zu | %zu of %d | %.2f (%.2f to %.2f) | %.2f (%.2f to %.2f) "
                  "|\n",
                  variant->label, count.experts, count.teachers, mot_study_spread(first, (size_t)variant->seeds, a),
                  mot_study_spread(last, (size_t)variant->seeds, b), count.after, count.gates,
                  count_predicted(variant), variant->seeds, magnitude.r, magnitude.interval.low, magnitude.interval.high, toward.r, toward.interval.low, toward.interval.high);
}

static mot_status keep(mot_study *study, const study_variant *variant, const points *p)
{
    const hsize_t shape[] = {p->count};
    char name[2 * STUDY_NAME];
    mot_status status = MOT_OK;
    if (p->count == 0) return MOT_OK;
    snprintf(name, sizeof name, "%s_time", variant->name);
    MOT_TRY(mot_study_keep(study, "alignment", name, 1, shape, p->time));
    snprintf(name, sizeof name, "%s_toward", variant->name);
    MOT_TRY(mot_study_keep(study, "alignment", name, 1, shape, p->toward));
    snprintf(name, sizeof name, "%s_magnitude", variant->name);
    MOT_TRY(mot_study_keep(study, "alignment", name, 1, shape, p->magnitude));
done:
    return status;
}

static mot_status tell(mot_study *study)
{
    const size_t sizes = mot_soft_size_count(study), drawn = sizes > 1; /* the one with more experts, if there is one */
    soft_guided all = {0};
    double worst = -1;
    size_t predicted = 0;
    points *p = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&p, sizes, sizeof *p, "a claim"));
    mot_study_section(study, "Experts align one after another, each router after its expert");
    mot_study_say(study, "Students learn until the loss is below 0.005 (or for 2400 steps) at a rate of 0.05 on "
                         "fresh batches. An expert of the teacher is found when a student's neuron has a cosine of "
                         "0.9 with his in magnitude; his router, when a gate has a cosine of 0.9 with his. Predicted "
                         "as the first to be found is the one with the largest cosine of a student at t = 0. "
                         "Spearman's correlation is between the time when an expert is found and its largest cosine "
                         "at t = 0, over all experts of all seeds.\n\n");
    for (size_t i = 0; i < sizes; ++i) gather(add(study, i), &p[i]);
    MOT_TRY(draw(study, add(study, drawn), &p[drawn]));
    mot_study_say(study, "| setting | experts found | the first at t | the last at t | router after its expert | the "
                         "first is the one predicted | time against abs(w . w*) | time against w . w* |\n"
                         "|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizes; ++i) {
        const study_variant *variant = add(study, i);
        const soft_guided count = mot_soft_count(variant);
        tell_row(study, variant, &p[i]);
        MOT_TRY(keep(study, variant, &p[i]));
        all.gates += count.gates;
        all.after += count.after;
        predicted += mot_wilson(count_predicted(variant), (size_t)variant->seeds).low > 1. / mot_soft_sizes[i].teachers;
        worst = fmax(worst, mot_spearman(p[i].toward, p[i].time, p[i].count).interval.high);
    }
    mot_study_say(study, "\n");
    mot_study_verdict(study, all.gates > 0 && 100 * all.after >= 95 * all.gates,
                      "(Guided.) %zu of %zu routers that were found were found after their expert.", all.after, all.gates);
    mot_study_verdict(study, predicted == sizes,
                      "(The first.) The expert that is found first is the one with the largest first cosine more "
                      "often than by chance (1 / m*) in %zu of %zu settings, by their 95 %% intervals.",
                      predicted, sizes);
    mot_study_verdict(study, worst < 0,
                      "(Order of learning.) Over all experts and seeds, an expert is found the sooner the larger its "
                      "first cosine with a student: the 95 %% interval of the rank correlation ends at %.2f where it "
                      "is widest. The sign counts: at first dz/dt = 4.5 z^2, which drives a neuron that points away "
                      "from an expert through 0.",
                      worst);
done:
    mot_free(p);
    return status;
}
const study_claim mot_soft_alignment = {"alignment", plan, tell};

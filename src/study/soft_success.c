/* The claim that a few times more students than experts of the teacher find them all. */
#include <math.h>
#include <string.h>

#include "soft.h"

enum { MOST_TEACHERS = 3, MOST_FACTORS = 6 };
static const int teachers[MOST_TEACHERS] = {2, 4, 8};
static const double factors[MOST_FACTORS] = {1, 1.5, 2, 3, 4, 6}; /* m / m* */

static size_t teacher_count(const mot_study *study)
{
    return study->options.quick ? 2 : MOST_TEACHERS;
}

/* The quick form leaves out every other factor. */
static size_t factor_step(const mot_study *study)
{
    return study->options.quick ? 2 : 1;
}

static study_variant *add(mot_study *study, int count, double factor)
{
    char name[STUDY_NAME], label[STUDY_NAME];
    const bool quick = study->options.quick;
    const int m = (int)lround(factor * count);
    snprintf(name, sizeof name, "success-m%d-of-%d", m, count);
    snprintf(label, sizeof label, "m* = %d, m = %d", count, m);
    return mot_study_add(study, name, label, mot_soft_base, quick ? 4 : 10, 2 + 0.2 * (m + count),
                         "data.teacher.experts=%d; model.experts=%d; train.until=%d steps; eval.every=50",
                         count, m, 800);
}

static void plan(mot_study *study)
{
    for (size_t i = 0; i < teacher_count(study); ++i)
        for (size_t f = 0; f < MOST_FACTORS; f += factor_step(study)) (void)add(study, teachers[i], factors[f]);
}

/* Of one teacher: shares of the seeds, for each factor that is tried. */
typedef struct shares {
    size_t count;
    double over[MOST_FACTORS], over_log[MOST_FACTORS]; /* m / m*, m / (m* ln m*) */
    double share[MOST_FACTORS], low[MOST_FACTORS], high[MOST_FACTORS];
    double enough; /* the least m / m* from which on at least 9 of 10 seeds find all; NaN: none */
    char label[16];
} shares;

static size_t succeeded(const study_variant *variant, study_value *value, size_t which, double bound)
{
    size_t count = 0;
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *result = &variant->result[s];
        count += result->rows > 0 && value(result, result->rows - 1, which) >= bound;
    }
    return count;
}

/* Measures, and says a row of the table. */
static void measure(mot_study *study, int count, shares *of)
{
    snprintf(of->label, sizeof of->label, "m* = %d", count);
    of->enough = NAN;
    of->count = 0;
    mot_study_say(study, "| %d |", count);
    for (size_t f = 0; f < MOST_FACTORS; f += factor_step(study)) {
        const study_variant *variant = add(study, count, factors[f]);
        const size_t seeds = (size_t)variant->seeds,
                     matched = succeeded(variant, mot_study_number, STUDY_MATCHED, count),
                     experts = succeeded(variant, mot_soft_all, 0, MOT_THEORY_FOUND);
        const mot_interval interval = mot_wilson(matched, seeds);
        const double m = round(factors[f] * count);
        const size_t at = of->count++;
        of->over[at] = m / count;
        of->over_log[at] = m / (count * log(count));
        of->share[at] = (double)matched / (double)seeds;
        of->low[at] = interval.low;
        of->high[at] = interval.high;
        if (10 * matched < 9 * seeds) of->enough = NAN;
        else if (isnan(of->enough)) of->enough = of->over[at];
        mot_study_say(study, " %zu of %zu (%.2f to %.2f); %zu |", matched, seeds, interval.low, interval.high, experts);
    }
    mot_study_say(study, "\n");
}

static mot_status draw(mot_study *study, const shares *of)
{
    const size_t count = teacher_count(study);
    mot_series series[2][MOST_TEACHERS];
    for (size_t log = 0; log < 2; ++log)
        for (size_t i = 0; i < count; ++i)
            series[log][i] = (mot_series){.label = of[i].label,
                                          .count = of[i].count,
                                          .x = log ? of[i].over_log : of[i].over,
                                          .y = of[i].share,
                                          .lower = of[i].low,
                                          .upper = of[i].high,
                                          .style = MOT_SERIES_LINE_POINTS,
                                          .color = (int)i + 1};
    const mot_axis y = {.label = "share of seeds", .low = 0, .high = 1.02};
    const mot_panel panels[] = {mot_study_lines("All experts and routers found", "m / m*", y, series[0], count),
                                mot_study_lines("The same", "m / (m* ln m*)", y, series[1], count)};
    const mot_figure figure = {.panels = panels, .panel_count = 2};
    return mot_study_draw(study, "success", "Bands: 95 % Wilson intervals.", &figure);
}

static mot_status tell(mot_study *study)
{
    shares of[MOST_TEACHERS];
    const size_t count = teacher_count(study);
    size_t enough = 0;
    char text[200] = "", name[16];
    mot_status status = MOT_OK;
    mot_study_section(study, "How many students it takes");
    mot_study_say(study, "The share of seeds for which at t = 40 every expert of the teacher has a student whose "
                         "neuron and gate both have a cosine above 0.9 with his, with its 95 %% Wilson interval; "
                         "behind the semicolon, the seeds for which all neurons are found (cosine 0.9 in magnitude). "
                         "D = 32. Where there are many students, several share an expert: each of them has his neuron, "
                         "but their gates are his only together, or four are at the places of a regular pentagon with "
                         "cosines of 0.81 and -0.31, which give what his neuron gives. So seeds miss a router and have "
                         "a small loss all the same; pruning leaves one of those who share.\n\n| m* |");
    for (size_t f = 0; f < MOST_FACTORS; f += factor_step(study)) mot_study_say(study, " m = %g m* |", factors[f]);
    mot_study_say(study, "\n|---|");
    for (size_t f = 0; f < MOST_FACTORS; f += factor_step(study)) mot_study_say(study, "---|");
    mot_study_say(study, "\n");
    for (size_t i = 0; i < count; ++i) {
        measure(study, teachers[i], &of[i]);
        enough += isfinite(of[i].enough);
        const size_t used = strlen(text);
        if (isfinite(of[i].enough))
            snprintf(text + used, sizeof text - used, "%s%g m* for m* = %d", used > 0 ? ", " : "", of[i].enough, teachers[i]);
        else
            snprintf(text + used, sizeof text - used, "%snone of those tried for m* = %d", used > 0 ? ", " : "", teachers[i]);
        snprintf(name, sizeof name, "m%d", teachers[i]);
        MOT_TRY(mot_study_keep(study, "success", name, 1, (const hsize_t[]){of[i].count}, of[i].share));
    }
    mot_study_say(study, "\n");
    MOT_TRY(draw(study, of));
    mot_study_verdict(study, enough == count, "From so many students on at least nine of ten seeds find all: %s.", text);
done:
    return status;
}
const study_claim mot_soft_success = {"success", plan, tell};

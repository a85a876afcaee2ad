/* F and G of many cases, by theory and by run, and how far the two agree. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "mot/rng.h"
#include "rehearsal_study.h"

/* ---- cases ---- */

mot_status mot_rehearsal_batch_make(rehearsal_batch *batch, const mot_rehearsal *setting, size_t room)
{
    *batch = (rehearsal_batch){.setting = *setting, .room = room};
    return mot_allocate(&batch->made, room, sizeof *batch->made, "the cases of a study");
}

void mot_rehearsal_batch_free(rehearsal_batch *batch)
{
    mot_free(batch->made);
    *batch = (rehearsal_batch){0};
}

mot_status mot_rehearsal_batch_add(rehearsal_batch *batch, const mot_rehearsal_truths *truths, const mot_rehearsal_rule *rule)
{
    rehearsal_case *of = &batch->made[batch->count];
    const size_t numbers = (size_t)truths->tasks * truths->length;
    if (batch->count == batch->room || numbers > REHEARSAL_TRUTHS)
        return mot_fail(MOT_ERR_INPUT, "a study has no room for another case");
    memcpy(of->w, truths->w, numbers * sizeof *of->w);
    of->truths = (mot_rehearsal_truths){truths->tasks, truths->length, of->w};
    ++batch->count;
    return mot_rehearsal_make_plan(&batch->setting, &of->truths, rule, &of->plan);
}

mot_status mot_rehearsal_batch_apart(rehearsal_batch *batch, double gap, const mot_rehearsal_rule *rule)
{
    double w[REHEARSAL_TRUTHS];
    const mot_rehearsal_truths truths = mot_rehearsal_apart(batch->setting.tasks, gap, w);
    return mot_rehearsal_batch_add(batch, &truths, rule);
}

/* ---- columns ---- */

void mot_rehearsal_numbers_free(rehearsal_numbers *numbers)
{
    mot_free(numbers->theory);
    mot_free(numbers->value);
    *numbers = (rehearsal_numbers){0};
}

static mot_status grow(rehearsal_numbers *numbers, size_t runs, size_t columns)
{
    const size_t all = numbers->columns + columns;
    mot_status status = MOT_OK;
    if (numbers->columns == 0) numbers->runs = runs;
    if (numbers->runs != runs) return mot_fail(MOT_ERR_INPUT, "all numbers of a claim are of as many runs");
    MOT_TRY(mot_reserve(&numbers->theory, &numbers->theory_room, all, sizeof *numbers->theory, "numbers of a study"));
    MOT_TRY(mot_reserve(&numbers->value, &numbers->value_room, all * runs, sizeof *numbers->value, "numbers of a study"));
done:
    return status;
}

static void take_figures(const double *loss, int tasks, const int *after, size_t afters, double *first, size_t stride)
{
    for (size_t a = 0; a < afters; ++a) {
        const mot_rehearsal_figures of = mot_rehearsal_figures_of(loss, tasks, after[a]);
        first[2 * a * stride] = of.forgetting;
        first[(2 * a + 1) * stride] = of.error;
    }
}

mot_status mot_rehearsal_measure(const mot_comm *comm, const rehearsal_batch *batch, uint64_t seed, size_t runs,
                                 const int *after, size_t afters, rehearsal_numbers *numbers)
{
    const int T = batch->setting.tasks;
    const size_t table = (size_t)T * (size_t)T, count = batch->count, columns = 2 * afters * count;
    double *loss = NULL, expected[MOT_REHEARSAL_TASKS * MOT_REHEARSAL_TASKS];
    mot_rehearsal_case *cases = NULL;
    mot_status status = grow(numbers, runs, columns);
    if (status == MOT_OK) status = mot_allocate(&loss, runs * count * table, sizeof *loss, "the losses of all runs");
    if (status == MOT_OK) status = mot_allocate(&cases, count, sizeof *cases, "the cases of a study");
    MOT_TRY(mot_comm_agree(comm, status));
    for (size_t c = 0; c < count; ++c) cases[c] = (mot_rehearsal_case){&batch->made[c].truths, &batch->made[c].plan};
    MOT_TRY(mot_rehearsal_simulate(comm, &batch->setting, cases, count, seed, runs, loss));
    for (size_t c = 0; c < count; ++c) {
        const size_t column = numbers->columns + 2 * afters * c;
        mot_rehearsal_theory(&batch->setting, cases[c].truths, cases[c].plan, expected);
        take_figures(expected, T, after, afters, numbers->theory + column, 1);
        for (size_t run = 0; run < runs; ++run)
            take_figures(loss + (run * count + c) * table, T, after, afters, numbers->value + column * runs + run, runs);
    }
    numbers->columns += columns;
done:
    mot_free(loss);
    mot_free(cases);
    return status;
}

/* ---- means ---- */

static rehearsal_mean mean_of(size_t runs, const double *value, const double *less, double theory)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < runs; ++i) mean += (value[i] - (less != NULL ? less[i] : 0)) / (double)runs;
    for (size_t i = 0; i < runs; ++i) {
        const double off = value[i] - (less != NULL ? less[i] : 0) - mean;
        squares += off * off;
    }
    const double error = sqrt(squares / (double)(runs - 1) / (double)runs), off = mean - theory;
    /* what does not vary is off by rounding alone */
    return (rehearsal_mean){theory, mean, error, fabs(off) <= 1e-12 * (1 + fabs(theory)) ? 0 : off / error};
}

rehearsal_mean mot_rehearsal_mean(const rehearsal_numbers *numbers, size_t column)
{
    return mean_of(numbers->runs, numbers->value + column * numbers->runs, NULL, numbers->theory[column]);
}

rehearsal_mean mot_rehearsal_difference(const rehearsal_numbers *numbers, size_t column, size_t other)
{
    return mean_of(numbers->runs, numbers->value + column * numbers->runs, numbers->value + other * numbers->runs,
                   numbers->theory[column] - numbers->theory[other]);
}

/* ---- agreement ---- */

enum { FLIPS = 4000 };
#define CHANCE 0.0027 /* of 3 standard errors, for one point */

/* off [columns, runs]: of the mean, such that the squares of a column sum up to 1: then a flipped sum is a z. */
static void standardize(const rehearsal_numbers *numbers, double *off, rehearsal_agreement *of)
{
    const size_t runs = numbers->runs;
    for (size_t c = 0; c < numbers->columns; ++c) {
        const rehearsal_mean column = mot_rehearsal_mean(numbers, c);
        const double length = column.error * sqrt((double)(runs - 1) * (double)runs);
        for (size_t i = 0; i < runs; ++i)
            off[c * runs + i] = length > 0 ? (numbers->value[c * runs + i] - column.mean) / length : 0;
        of->within += fabs(column.z) <= 3;
        of->largest = fmax(of->largest, fabs(column.z));
        of->sum += column.z * column.z;
    }
}

static void draw_signs(uint64_t seed, uint32_t flip, size_t runs, double *sign)
{
    for (size_t i = 0; i < runs; ++i) {
        const mot_random4 r = mot_random(seed, MOT_STREAM_STUDY, flip, (uint32_t)(i / 4), 0, UINT32_MAX);
        sign[i] = r.word[i % 4] >> 31 ? -1 : 1;
    }
}

mot_status mot_rehearsal_agree(const rehearsal_numbers *numbers, uint64_t seed, rehearsal_agreement *of)
{
    const size_t runs = numbers->runs;
    double *off = NULL;
    mot_status status = mot_allocate(&off, (numbers->columns + 1) * runs, sizeof *off, "numbers of a study");
    if (status != MOT_OK) return status;
    double *sign = off + numbers->columns * runs;
    *of = (rehearsal_agreement){.points = numbers->columns};
    standardize(numbers, off, of);
    for (uint32_t flip = 0; flip < FLIPS; ++flip) {
        double largest = 0, sum = 0;
        draw_signs(seed, flip, runs, sign);
        for (size_t c = 0; c < numbers->columns; ++c) {
            double z = 0;
            for (size_t i = 0; i < runs; ++i) z += sign[i] * off[c * runs + i];
            largest = fmax(largest, fabs(z));
            sum += z * z;
        }
        of->p_largest += (largest >= of->largest) / (double)FLIPS;
        of->p_sum += (sum >= of->sum) / (double)FLIPS;
    }
    mot_free(off);
    return status;
}

mot_status mot_rehearsal_tell_agreement(mot_study *study, const rehearsal_numbers *numbers, const char *claim, const char *what,
                                        bool every)
{
    rehearsal_agreement of;
    mot_status status;
    MOT_TRY(mot_rehearsal_agree(numbers, study->options.seed, &of));
    const double kept[] = {(double)of.points, (double)of.within, of.largest, of.sum, of.p_largest, of.p_sum};
    MOT_TRY(mot_study_keep(study, claim, "agreement", 1, (const hsize_t[]){MOT_COUNT(kept)}, kept));
    if (every)
        mot_study_verdict(study, of.within == of.points,
                          "(Every point.) %s: %zu of %zu simulated points are within 3 standard errors of their line, of %zu "
                          "runs; the largest |z| is %.2f.",
                          what, of.within, of.points, numbers->runs, of.largest);
    mot_study_verdict(study, of.p_largest >= CHANCE && of.p_sum >= CHANCE,
                      "(All points together.) %s: %zu of %zu points within 3 standard errors. Chance brings the largest |z|, "
                      "%.2f, in %.1f %% of cases, and chi-square, %.1f or %.2f a point, in %.1f %%; neither may be below "
                      "%.2f %%, as of one point beyond 3 standard errors.",
                      what, of.within, of.points, of.largest, 100 * of.p_largest, of.sum, of.sum / (double)of.points,
                      100 * of.p_sum, 100 * CHANCE);
done:
    return status;
}

/* ---- pictures ---- */

void mot_rehearsal_bars_begin(rehearsal_bars *bars)
{
    bars->count = 0;
}

void mot_rehearsal_bars_add(rehearsal_bars *bars, double x, const rehearsal_mean *mean)
{
    const double ends[] = {mean->mean - 3 * mean->error, mean->mean + 3 * mean->error, NAN};
    for (int i = 0; i < 3; ++i) {
        bars->x[3 * bars->count + (size_t)i] = x;
        bars->ends[3 * bars->count + (size_t)i] = ends[i];
    }
    bars->at[bars->count] = x;
    bars->mean[bars->count++] = mean->mean;
}

void mot_rehearsal_bars_series(const rehearsal_bars *bars, int color, mot_series series[2])
{
    series[0] = (mot_series){.count = bars->count, .x = bars->at, .y = bars->mean, .style = MOT_SERIES_POINTS, .color = color};
    series[1] = (mot_series){.count = 3 * bars->count, .x = bars->x, .y = bars->ends, .color = color};
}

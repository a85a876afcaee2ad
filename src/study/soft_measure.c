/* What is asked of a trial of teacher and students. */
#include "soft.h"

#include <math.h>

/* The largest of a column [E, N] over the students that are there, for one teacher. */
static double largest(const study_result *result, study_column column, size_t row, size_t teacher, bool magnitude)
{
    const double *const cosine = result->column[column];
    if (cosine == NULL) return NAN;
    return mot_theory_largest(cosine + row * result->E * result->N, result->E, result->N, teacher, magnitude);
}

double mot_soft_expert(const study_result *result, size_t row, size_t which)
{
    return largest(result, STUDY_TEACHER_W, row, which, true);
}

double mot_soft_gate(const study_result *result, size_t row, size_t which)
{
    return largest(result, STUDY_TEACHER_V, row, which, false);
}

double mot_soft_toward(const study_result *result, size_t row, size_t which)
{
    return largest(result, STUDY_TEACHER_W, row, which, false);
}

double mot_soft_all(const study_result *result, size_t row, size_t unused)
{
    (void)unused;
    double least = NAN;
    for (size_t j = 0; j < result->N; ++j) least = fmin(least, mot_soft_expert(result, row, j));
    return least;
}

size_t mot_soft_students(const study_result *result, size_t row)
{
    size_t count = 0;
    for (size_t e = 0; e < result->E; ++e)
        count += !isnan(result->column[STUDY_TEACHER_W][(row * result->E + e) * result->N]);
    return count;
}

size_t mot_soft_learned(const study_result *result)
{
    size_t row = 0;
    while (row + 1 < result->rows &&
           (result->stages < 2 || result->column[STUDY_STEP][row + 1] < result->stage_begin[1]))
        ++row;
    return row;
}

/* A value of a trial. */
typedef struct asked {
    const study_result *result;
    study_value *value;
    size_t which;
} asked;

static double ask(const void *with, size_t row)
{
    const asked *of = with;
    return of->value(of->result, row, of->which);
}

double mot_soft_reach(const study_result *result, study_value *value, size_t which, double bound)
{
    const asked of = {result, value, which};
    return mot_theory_reach(result->rows, result->column[STUDY_FLOWED], ask, &of, bound);
}

double mot_soft_first(const study_result *result)
{
    double first = NAN;
    for (size_t j = 0; j < result->N; ++j)
        first = fmin(first, mot_soft_reach(result, mot_soft_expert, j, MOT_THEORY_FOUND));
    return first;
}

/* When one student finds one expert, by his clock; NaN: never. */
static double turned(const study_result *result, size_t e, size_t j)
{
    const double *at = result->column[STUDY_FLOWED], *length = result->column[STUDY_LENGTH_W] + e,
                 *cosine = result->column[STUDY_TEACHER_W] + e * result->N + j;
    const size_t E = result->E, width = E * result->N;
    double clock = 0;
    for (size_t r = 1; r < result->rows; ++r) {
        const double before = fabs(cosine[(r - 1) * width]), now = fabs(cosine[r * width]);
        const double a = length[(r - 1) * E], b = length[r * E],
                     more = (at[r] - at[r - 1]) * (1 / (a * a) + 1 / (b * b)) / 2;
        if (now >= MOT_THEORY_FOUND) return clock + (MOT_THEORY_FOUND - before) / (now - before) * more;
        clock += more;
    }
    return NAN;
}

double mot_soft_first_turned(const study_result *result)
{
    double first = NAN;
    for (size_t e = 0; e < result->E; ++e)
        for (size_t j = 0; j < result->N; ++j) first = fmin(first, turned(result, e, j));
    return first;
}

soft_guided mot_soft_count(const study_variant *variant)
{
    soft_guided count = {0};
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *result = &variant->result[s];
        for (size_t j = 0; j < result->N; ++j) {
            const double expert = mot_soft_reach(result, mot_soft_expert, j, MOT_THEORY_FOUND),
                         gate = mot_soft_reach(result, mot_soft_gate, j, MOT_THEORY_FOUND);
            ++count.teachers;
            count.experts += isfinite(expert);
            count.gates += isfinite(gate);
            count.after += gate > expert;
        }
    }
    return count;
}

double mot_soft_theory(double z)
{
    /* the integral of 1 / (z^2 (1 - z^2)) is atanh z - 1 / z */
    return (atanh(MOT_THEORY_FOUND) - 1 / MOT_THEORY_FOUND - atanh(z) + 1 / z) / 4.5;
}

size_t mot_soft_exact(const study_variant *variant)
{
    size_t count = 0;
    for (int s = 0; s < variant->seeds; ++s) count += mot_study_lowest_loss(&variant->result[s]) <= SOFT_EXACT;
    return count;
}

mot_series mot_soft_loss(const study_result *result, const char *label, int color)
{
    return (mot_series){.label = label,
                        .count = result->rows,
                        .x = result->column[STUDY_FLOWED],
                        .y = result->column[STUDY_LOSS],
                        .color = color};
}

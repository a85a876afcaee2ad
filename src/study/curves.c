/* What is asked of a variant: its course over the seeds, where it ends, when it is there. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "study_private.h"

double *study_loss(const study_result *result)
{
    return result->loss;
}

double *study_accuracy(const study_result *result)
{
    return result->accuracy;
}

double *study_purity(const study_result *result)
{
    return result->purity;
}

double *study_nmi(const study_result *result)
{
    return result->nmi;
}

double *study_entropy(const study_result *result)
{
    return result->entropy;
}

double *study_used(const study_result *result)
{
    return result->experts_used;
}

double *study_step(const study_result *result)
{
    return result->step;
}

double *study_time(const study_result *result)
{
    return result->time;
}

double *study_routed_loss(const study_result *result)
{
    return result->routed_loss;
}

static const study_result *longest(const study_variant *variant)
{
    const study_result *most = &variant->result[0];
    for (int s = 1; s < variant->seeds; ++s)
        if (variant->result[s].rows > most->rows) most = &variant->result[s];
    return most;
}

mot_status study_curve_make(const study_variant *variant, study_column *column, bool one_minus,
                            bool over_time, study_curve *curve)
{
    const study_result *at = longest(variant);
    const size_t count = at->rows;
    double *block, *values = NULL;
    mot_status status;
    *curve = (study_curve){0};
    MOT_TRY(mot_allocate(&block, 4 * count, sizeof *block, "a curve"));
    *curve = (study_curve){count, block, block + count, block + 2 * count, block + 3 * count};
    MOT_TRY(mot_allocate(&values, (size_t)variant->seeds, sizeof *values, "a curve"));
    for (size_t r = 0; r < count; ++r) {
        size_t n = 0;
        for (int s = 0; s < variant->seeds; ++s) {
            const study_result *result = &variant->result[s];
            if (r >= result->rows || !isfinite(column(result)[r])) continue;
            values[n++] = one_minus ? 1 - column(result)[r] : column(result)[r];
        }
        curve->x[r] = at->step[r];
        curve->median[r] = n > 0 ? mot_median(values, n) : NAN;
        curve->low[r] = n > 0 ? mot_quantile(values, n, 0.25) : NAN;
        curve->high[r] = n > 0 ? mot_quantile(values, n, 0.75) : NAN;
        if (!over_time) continue;
        n = 0;
        for (int s = 0; s < variant->seeds; ++s)
            if (r < variant->result[s].rows) values[n++] = variant->result[s].time[r];
        curve->x[r] = mot_median(values, n);
    }
done:
    mot_free(values);
    return status;
}

void study_curve_free(study_curve *curve)
{
    mot_free(curve->x);
    *curve = (study_curve){0};
}

mot_series study_series(const study_curve *curve, const char *label, int color)
{
    return (mot_series){.label = label,
                        .count = curve->count,
                        .x = curve->x,
                        .y = curve->median,
                        .lower = curve->low,
                        .upper = curve->high,
                        .color = color};
}

void study_last(const study_variant *variant, study_column *column, double *values)
{
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *result = &variant->result[s];
        values[s] = result->rows > 0 && column(result) != NULL ? column(result)[result->rows - 1] : NAN;
    }
}

/* Values at 0 are taken as tiny: the loss of a float margin beyond 745 is 0 in double. */
static double logarithm(double value)
{
    return log(fmax(value, 1e-300));
}

double study_reach(const study_result *result, study_column *column, double bound, study_column *over)
{
    const double *value = result->rows > 0 ? column(result) : NULL,
                 *at = result->rows > 0 ? over(result) : NULL;
    for (size_t r = 0; r < result->rows; ++r) {
        if (!(value[r] <= bound)) continue;
        if (r == 0) return at[0];
        const double above = logarithm(value[r - 1]), below = logarithm(value[r]);
        const double part = above > below ? (above - logarithm(bound)) / (above - below) : 1;
        return at[r - 1] + part * (at[r] - at[r - 1]);
    }
    return NAN;
}

/* Moves what is finite to the front. */
size_t study_finite(double *values, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; ++i)
        if (isfinite(values[i])) values[n++] = values[i];
    return n;
}

static void put(double value, char *text, size_t size)
{
    const double magnitude = fabs(value);
    const char *format = magnitude < 1e6 && magnitude == floor(magnitude) ? "%.0f"
                         : magnitude < 1e-2 || magnitude >= 1e6           ? "%.1e"
                         : magnitude < 10                                 ? "%.3f"
                         : magnitude < 100                                ? "%.1f"
                                                                          : "%.0f";
    snprintf(text, size, format, value);
}

const char *study_spread(const double *values, size_t count, char text[96])
{
    double kept[256];
    const size_t taken = MOT_MIN(count, MOT_COUNT(kept));
    memcpy(kept, values, taken * sizeof *kept);
    const size_t n = study_finite(kept, taken);
    char median[24], low[24], high[24];
    if (n == 0) return strcpy(text, "never");
    put(mot_median(kept, n), median, sizeof median);
    put(mot_quantile(kept, n, 0), low, sizeof low);
    put(mot_quantile(kept, n, 1), high, sizeof high);
    if (strcmp(low, high) == 0)
        snprintf(text, 96, "%s", median);
    else
        snprintf(text, 96, "%s (%s to %s)", median, low, high);
    if (n < count) snprintf(text + strlen(text), 96 - strlen(text), ", %zu of %zu", n, count);
    return text;
}

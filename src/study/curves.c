/* What is asked of a variant: its course over the seeds, where it ends, when it is there. */
#include <math.h>
#include <string.h>

#include "mot/memory.h"
#include "study_private.h"

double mot_study_number(const study_result *result, size_t row, size_t column)
{
    return result->column[column] != NULL ? result->column[column][row] : NAN;
}

double mot_study_error(const study_result *result, size_t row, size_t unused)
{
    (void)unused;
    return 1 - mot_study_number(result, row, STUDY_ACCURACY);
}

double mot_study_attention(const study_result *result, size_t row, size_t which)
{
    const double *attention = result->column[STUDY_ATTENTION];
    return attention != NULL ? attention[row * MOT_ROLES * MOT_ROLES + which] : NAN;
}

size_t mot_study_expert_kind(const study_result *result, size_t row, size_t expert, double *samples)
{
    const double *load = result->column[STUDY_LOAD] + row * result->N * result->E + expert;
    double sum = 0;
    size_t most = 0;
    for (size_t n = 0; n < result->N; ++n) {
        sum += load[n * result->E];
        if (load[n * result->E] > load[most * result->E]) most = n;
    }
    if (samples != NULL) *samples = sum;
    return most;
}

const study_result *mot_study_longest(const study_variant *variant)
{
    const study_result *most = &variant->result[0];
    for (int s = 1; s < variant->seeds; ++s)
        if (variant->result[s].rows > most->rows) most = &variant->result[s];
    return most;
}

/* The finite values of all seeds at an evaluation. */
static size_t over_seeds(const study_variant *variant, study_value *value, size_t which, size_t row,
                         double *values)
{
    size_t n = 0;
    for (int s = 0; s < variant->seeds; ++s)
        if (row < variant->result[s].rows) values[n++] = value(&variant->result[s], row, which);
    return mot_study_finite(values, n);
}

mot_status mot_study_curve_make(const study_variant *variant, study_value *value, size_t which, study_column over,
                                study_curve *curve)
{
    const study_result *at = mot_study_longest(variant);
    const size_t count = at->rows;
    double *block, values[STUDY_MOST_SEEDS];
    *curve = (study_curve){0};
    const mot_status status = mot_allocate(&block, 4 * count, sizeof *block, "a curve");
    if (status != MOT_OK) return status;
    *curve = (study_curve){count, block, block + count, block + 2 * count, block + 3 * count};
    for (size_t r = 0; r < count; ++r) {
        size_t n = over_seeds(variant, value, which, r, values);
        curve->median[r] = mot_median(values, n);
        curve->low[r] = mot_quantile(values, n, 0.25);
        curve->high[r] = mot_quantile(values, n, 0.75);
        n = over != STUDY_STEP ? over_seeds(variant, mot_study_number, over, r, values) : 0;
        curve->x[r] = over != STUDY_STEP ? mot_median(values, n) : at->column[STUDY_STEP][r];
    }
    return MOT_OK;
}

void mot_study_curve_free(study_curve *curve)
{
    mot_free(curve->x);
    *curve = (study_curve){0};
}

mot_series mot_study_series(const study_curve *curve, const char *label, int color)
{
    return (mot_series){.label = label,
                        .count = curve->count,
                        .x = curve->x,
                        .y = curve->median,
                        .lower = curve->low,
                        .upper = curve->high,
                        .color = color};
}

mot_panel mot_study_lines(const char *title, const char *x, mot_axis y, const mot_series *series, size_t count)
{
    return (mot_panel){.kind = MOT_PANEL_LINES,
                       .title = title,
                       .x = {.label = x},
                       .y = y,
                       .series = series,
                       .series_count = count};
}

void mot_study_mark(mot_panel *panel, const study_result *result, mot_mark marks[16])
{
    static const char *const names[] = {"I", "II", "III"};
    for (size_t s = 1; s < result->stages; ++s)
        marks[s - 1] = (mot_mark){result->stage_begin[s], result->stages <= 3 ? names[s] : NULL};
    panel->marks = marks;
    panel->mark_count = result->stages > 0 ? result->stages - 1 : 0;
}

void mot_study_last(const study_variant *variant, study_value *value, size_t which, double *values)
{
    for (int s = 0; s < variant->seeds; ++s) {
        const study_result *result = &variant->result[s];
        values[s] = result->rows > 0 ? value(result, result->rows - 1, which) : NAN;
    }
}

double mot_study_lowest_loss(const study_result *result)
{
    double low = NAN;
    for (size_t r = 0; r < result->rows; ++r) low = fmin(low, mot_study_number(result, r, STUDY_LOSS));
    return low;
}

/* Values at 0 are taken as tiny: the loss of a float margin beyond 745 is 0 in double. */
static double logarithm(double value)
{
    return log(fmax(value, 1e-300));
}

double mot_study_reach(const study_result *result, double bound, study_column over)
{
    const double *loss = result->column[STUDY_LOSS], *at = result->column[over];
    for (size_t r = 0; loss != NULL && r < result->rows; ++r) {
        if (!(loss[r] <= bound)) continue;
        if (r == 0) return at[0];
        const double above = logarithm(loss[r - 1]), below = logarithm(loss[r]);
        const double part = above > below ? (above - logarithm(bound)) / (above - below) : 1;
        return at[r - 1] + part * (at[r] - at[r - 1]);
    }
    return NAN;
}

/* Moves what is finite to the front. */
size_t mot_study_finite(double *values, size_t count)
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

/* The finite ones of a value a seed, in `kept`. */
static size_t keep_finite(const double *values, size_t count, double kept[STUDY_MOST_SEEDS])
{
    const size_t taken = MOT_MIN(count, (size_t)STUDY_MOST_SEEDS);
    memcpy(kept, values, taken * sizeof *kept);
    return mot_study_finite(kept, taken);
}

double mot_study_median(const double *values, size_t count)
{
    double kept[STUDY_MOST_SEEDS];
    return mot_median(kept, keep_finite(values, count, kept));
}

const char *mot_study_spread(const double *values, size_t count, char text[96])
{
    double kept[STUDY_MOST_SEEDS];
    const size_t n = keep_finite(values, count, kept);
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

/* Figures of streams over seeds, and how they are said and drawn. */
#include <math.h>

#include "deep.h"

static double continual(const mot_task_matrix *tasks, const double *table, mot_continual_name name)
{
    mot_continual_figure figure[MOT_CONTINUAL_FIGURES];
    if (tasks->tasks == 0 || table == NULL) return NAN;
    mot_continual_measure(tasks->tasks, mot_task_matrix_learned(tasks), table, figure);
    return 100 * figure[name].value;
}

static double value_of(const study_result *result, deep_value which)
{
    const mot_task_matrix *tasks = &result->tasks;
    switch (which) {
    case DEEP_ACC:
        return continual(tasks, tasks->accuracy, MOT_CONTINUAL_ACC);
    case DEEP_FORGETTING:
        return continual(tasks, tasks->accuracy, MOT_CONTINUAL_FORGETTING);
    case DEEP_LEARNING:
        return continual(tasks, tasks->accuracy, MOT_CONTINUAL_LEARNING);
    case DEEP_UNAIDED:
        return continual(tasks, tasks->unaided, MOT_CONTINUAL_ACC);
    case DEEP_UNAIDED_FORGETTING:
        return continual(tasks, tasks->unaided, MOT_CONTINUAL_FORGETTING);
    case DEEP_NMI:
        return result->rows > 0 ? mot_study_number(result, result->rows - 1, STUDY_NMI) : NAN;
    case DEEP_VALUES:
        break;
    }
    return NAN;
}

void mot_deep_values(const study_variant *variant, deep_value which, double *values)
{
    for (int s = 0; s < variant->seeds; ++s) values[s] = value_of(&variant->result[s], which);
}

deep_mean mot_deep_mean_of(double *values, size_t count)
{
    const size_t finite = mot_study_finite(values, count);
    return (deep_mean){finite, mot_summarize(values, finite).mean, mot_mean_interval(values, finite)};
}

deep_mean mot_deep_mean(const study_variant *variant, deep_value which)
{
    double values[STUDY_MOST_SEEDS];
    mot_deep_values(variant, which, values);
    return mot_deep_mean_of(values, (size_t)variant->seeds);
}

deep_mean mot_deep_difference(const study_variant *variant, const study_variant *other, deep_value which)
{
    double values[STUDY_MOST_SEEDS], others[STUDY_MOST_SEEDS];
    const size_t seeds = (size_t)MOT_MIN(variant->seeds, other->seeds);
    mot_deep_values(variant, which, values);
    mot_deep_values(other, which, others);
    for (size_t s = 0; s < seeds; ++s) values[s] -= others[s];
    return mot_deep_mean_of(values, seeds);
}

study_verdict mot_deep_decide(size_t so, size_t not_so, size_t asked)
{
    return so == asked ? STUDY_HOLDS : not_so > 0 ? STUDY_NOT_SO : STUDY_UNDECIDED;
}

const char *mot_deep_text(const deep_mean *of, bool sign, char text[96])
{
    snprintf(text, 96, sign ? "%+.1f (%+.1f to %+.1f)" : "%.1f (%.1f to %.1f)", of->mean, of->interval.low, of->interval.high);
    return text;
}

deep_cosines mot_deep_compare(const study_variant *variant, double tau)
{
    enum { MOST = 4096 };
    double magnitude[MOST];
    size_t count = 0, similar = 0;
    for (int s = 0; s < variant->seeds; ++s) {
        const mot_task_matrix *tasks = &variant->result[s].tasks;
        const size_t all = (size_t)tasks->tasks * (size_t)tasks->tasks;
        for (size_t i = 0; i < all && count < MOST; ++i) {
            if (isnan(tasks->cosine[i])) continue;
            similar += tasks->cosine[i] >= tau;
            magnitude[count++] = fabs(tasks->cosine[i]);
        }
    }
    return (deep_cosines){count > 0 ? (double)similar / (double)count : NAN, mot_median(magnitude, count)};
}

/* ---- lines ---- */

/* What pictures show, one panel each. */
static const deep_value shown[2] = {DEEP_ACC, DEEP_FORGETTING};
static const char *const titles[2] = {"Acc, task known, %", "Forgetting, points"};

void mot_deep_line_add(deep_line *line, double x, const study_variant *variant)
{
    const size_t at = line->count++;
    line->x[at] = x;
    for (size_t i = 0; i < MOT_COUNT(shown); ++i) {
        const deep_mean mean = mot_deep_mean(variant, shown[i]);
        line->mean[i][at] = mean.mean;
        line->low[i][at] = mean.interval.low;
        line->high[i][at] = mean.interval.high;
    }
}

mot_series mot_deep_line_series(const deep_line *line, int which, const char *label, int color)
{
    return (mot_series){.label = label,
                        .count = line->count,
                        .x = line->x,
                        .y = line->mean[which],
                        .lower = line->low[which],
                        .upper = line->high[which],
                        .style = MOT_SERIES_LINE_POINTS,
                        .color = color};
}

mot_status mot_deep_draw(mot_study *study, const char *name, const char *caption, const mot_axis *x, const deep_line *line,
                         const char *const *label, size_t count)
{
    mot_series series[2][MOT_FIGURE_SERIES];
    mot_panel panels[2];
    for (int which = 0; which < 2; ++which) {
        for (size_t i = 0; i < count; ++i)
            series[which][i] = mot_deep_line_series(&line[i], which, label[i], (int)i + 1);
        panels[which] = mot_study_lines(titles[which], "", (mot_axis){.label = ""}, series[which], count);
        panels[which].x = *x;
    }
    const mot_figure figure = {.panels = panels, .panel_count = 2};
    return mot_study_draw(study, name, caption, &figure);
}

void mot_deep_bar_set(deep_bars *bars, size_t at, const study_variant *variant)
{
    for (size_t i = 0; i < MOT_COUNT(shown); ++i) {
        const deep_mean mean = mot_deep_mean(variant, shown[i]);
        bars->mean[i][at] = mean.mean;
        bars->low[i][at] = mean.interval.low;
        bars->high[i][at] = mean.interval.high;
    }
}

mot_status mot_deep_draw_bars(mot_study *study, const char *name, const char *caption, int width, int height,
                              const deep_bars *bars)
{
    mot_panel panels[2];
    for (size_t i = 0; i < MOT_COUNT(shown); ++i)
        panels[i] = (mot_panel){.kind = MOT_PANEL_BARS,
                                .title = titles[i],
                                .bars = {.groups = bars->groups,
                                         .series = bars->series,
                                         .group_labels = bars->group,
                                         .series_labels = bars->label,
                                         .value = bars->mean[i],
                                         .lower = bars->low[i],
                                         .upper = bars->high[i]}};
    const mot_figure figure = {.panels = panels, .panel_count = 2, .width = width, .height = height};
    return mot_study_draw(study, name, caption, &figure);
}

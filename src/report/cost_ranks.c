/* What each rank's time went to, and what it costs that ranks have unequal work. */
#include <math.h>
#include <string.h>

#include "parts.h"

static const char *const rank_part[REPORT_RANK_NAMES] = {"compute", "exchange", "wait", "other"};

static double sum_of(size_t count, const double *value)
{
    double sum = 0;
    for (size_t i = 0; i < count; ++i) sum += value[i];
    return sum;
}

/* Seconds of a step of a rank over all bins; NaN: it was never there. */
static double of_rank(const report_ranks *ranks, const double *seconds, size_t r)
{
    double sum = 0, steps = 0;
    for (size_t b = 0; b < ranks->bins; ++b) {
        sum += seconds[b * ranks->ranks + r];
        steps += ranks->there[b * ranks->ranks + r];
    }
    return steps > 0 ? sum / steps : NAN;
}

/* "Of steps 1 to 400.", and what is missing of them. */
static const char *which_steps(report_all *report, const report_run *run)
{
    const report_ranks *const ranks = &run->ranks;
    const double steps = sum_of(ranks->bins, ranks->steps), all = (double)(run->last - run->first + 1);
    const char *const missing =
        steps >= all ? ""
                     : mot_report_text(&report->pool,
                                       " %.0f of the record's steps are not in it: recorded by an older version, or between a report "
                                       "and a stop.",
                                       all - steps);
    return mot_report_text(&report->pool, "Of steps %" MOT_PRI_GIDX " to %.0f.%s", ranks->first, ranks->step[ranks->bins - 1], missing);
}

static mot_status put_bars(report_all *report, report_part *part, int r, const char *const *names)
{
    const report_run *const run = &report->run[r];
    const report_ranks *const ranks = &run->ranks;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_BARS, "cost-ranks", "Seconds of a step, by rank", r, -1, &view));
    view->x = (report_axis){.label = "rank", .count = ranks->ranks, .names = names};
    view->y = (report_axis){.label = "s"};
    view->note = mot_report_text(&report->pool, "%s Means over the steps that had such a rank; other: between steps.",
                                 which_steps(report, run));
    MOT_TRY(mot_report_series(report, view, REPORT_RANK_NAMES, ranks->ranks, false));
    for (size_t k = 0; k < REPORT_RANK_NAMES; ++k) {
        view->series[k].name = rank_part[k];
        for (size_t i = 0; i < ranks->ranks; ++i) mot_report_values(view, k)[i] = of_rank(ranks, ranks->seconds[k], i);
    }
done:
    return status;
}

static mot_status put_map(report_all *report, report_part *part, int r, report_rank_name kind, const char *const *names,
                          const char *const *steps)
{
    static const char *const id[] = {"cost-ranks-compute", "cost-ranks-exchange", "cost-ranks-wait"},
                            *const title[] = {"Computation, rank by step", "Exchange, rank by step", "Waiting, rank by step"};
    const report_ranks *const ranks = &report->run[r].ranks;
    const size_t R = ranks->ranks, B = ranks->bins;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_HEAT, id[kind], title[kind], r, -1, &view));
    view->x = (report_axis){.label = "step", .count = B, .names = steps};
    view->y = (report_axis){.label = "rank", .count = R, .names = names};
    view->unit = "s a step";
    view->note = B < ranks->rows ? mot_report_text(&report->pool, "%zu reports in %zu columns.", ranks->rows, B) : NULL;
    MOT_TRY(mot_report_frames(report, view, 1, R * B));
    view->frame[0].step = (mot_gidx)ranks->step[B - 1];
    view->frame[0].label = mot_report_text(&report->pool, "steps %" MOT_PRI_GIDX " to %.0f", ranks->first, ranks->step[B - 1]);
    double *const value = (double *)view->frame[0].value;
    for (size_t i = 0; i < R; ++i)
        for (size_t b = 0; b < B; ++b) {
            const double there = ranks->there[b * R + i];
            value[i * B + b] = there > 0 ? ranks->seconds[kind][b * R + i] / there : NAN;
        }
done:
    return status;
}

static mot_status put_price(report_all *report, report_part *part, int r)
{
    const report_run *const run = &report->run[r];
    const report_ranks *const ranks = &run->ranks;
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_LINES, "cost-price", "Price of imbalance", r, -1, &view));
    view->x = (report_axis){.label = "step", .count = ranks->bins, .values = ranks->step};
    view->y = (report_axis){.label = "share of the step"};
    view->marks = run->marks;
    view->mark = run->mark;
    MOT_TRY(mot_report_series(report, view, 2, ranks->bins, false));
    view->series[0].name = "slowest rank over the mean";
    view->series[1].name = "of it, left over the steps of a report";
    view->series[1].dashed = true;
    for (size_t b = 0; b < ranks->bins; ++b) {
        const bool known = ranks->whole[b] > 0;
        mot_report_values(view, 0)[b] = known ? (ranks->slowest[b] - ranks->mean[b]) / ranks->whole[b] : NAN;
        mot_report_values(view, 1)[b] = known ? (ranks->kept[b] - ranks->mean[b]) / ranks->whole[b] : NAN;
    }
done:
    return status;
}

/* "Rank 2 computed longest, 1.25 times the mean of the ranks." */
static const char *who_is_slowest(report_all *report, const report_ranks *ranks)
{
    size_t slowest = 0, there = 0;
    double mean = 0;
    for (size_t i = 0; i < ranks->ranks; ++i) {
        const double compute = of_rank(ranks, ranks->seconds[REPORT_RANK_COMPUTE], i);
        if (isnan(compute)) continue;
        mean += compute;
        there++;
        if (compute > of_rank(ranks, ranks->seconds[REPORT_RANK_COMPUTE], slowest)) slowest = i;
    }
    mean /= (double)there;
    return mot_report_text(&report->pool, "Rank %zu computed longest, %.3g times the mean of the ranks.", slowest,
                           of_rank(ranks, ranks->seconds[REPORT_RANK_COMPUTE], slowest) / mean);
}

static mot_status put_price_table(report_all *report, report_part *part, int r)
{
    static const char *const columns[] = {"what", "s a step", "share of the step"};
    const report_run *const run = &report->run[r];
    const report_ranks *const ranks = &run->ranks;
    const double steps = sum_of(ranks->bins, ranks->steps), whole = sum_of(ranks->bins, ranks->whole) / steps,
                 mean = sum_of(ranks->bins, ranks->mean) / steps, slowest = sum_of(ranks->bins, ranks->slowest) / steps,
                 kept = sum_of(ranks->bins, ranks->kept) / steps;
    const struct {
        const char *what;
        double seconds;
    } row[] = {{"the step", whole},
               {"computation, mean of the ranks", mean},
               {"computation of the slowest rank", slowest},
               {"price of imbalance", slowest - mean},
               {"of it, left over the steps of a report", kept - mean},
               {"of it, evened out over the steps of a report", slowest - kept},
               {"the step, were all ranks even", whole - (slowest - mean)}};
    report_view *view;
    mot_status status;
    MOT_TRY(mot_report_view(report, part, REPORT_TABLE, "cost-price-run", "Price of imbalance over the run", r, -1, &view));
    view->x = (report_axis){.count = MOT_COUNT(columns), .names = columns};
    view->rows = MOT_COUNT(row);
    view->note = mot_report_text(&report->pool, "%s %s", which_steps(report, run), who_is_slowest(report, ranks));
    MOT_TRY(mot_report_take(&report->pool, &view->cell, view->rows * MOT_COUNT(columns), sizeof *view->cell));
    for (size_t i = 0; i < view->rows; ++i) {
        report_cell *const cell = view->cell + i * MOT_COUNT(columns);
        cell[0].text = row[i].what;
        cell[1].value = row[i].seconds;
        cell[2].value = whole > 0 ? row[i].seconds / whole : NAN;
    }
done:
    return status;
}

mot_status mot_report_cost_of_ranks(report_all *report, report_part *part, int r)
{
    const report_run *const run = &report->run[r];
    const report_ranks *const ranks = &run->ranks;
    const char *const *names, **steps;
    mot_status status = MOT_OK;
    if (run->last > 0 && ranks->rows == 0)
        mot_report_lacks(report, part, run,
                         "The record has no seconds by rank, as those of older versions and of runs without a report (report.every): "
                         "`mot train %s/config.yaml run=NEW` trains it again, and has them.",
                         run->name);
    if (ranks->rows == 0 || ranks->ranks == 1) return MOT_OK; /* one rank's seconds are those of the step */
    MOT_TRY(mot_report_numbers(report, ranks->ranks, &names));
    MOT_TRY(mot_report_take(&report->pool, &steps, ranks->bins, sizeof *steps));
    for (size_t b = 0; b < ranks->bins; ++b) steps[b] = mot_report_text(&report->pool, "%.0f", ranks->step[b]);
    MOT_TRY(put_price_table(report, part, r));
    MOT_TRY(put_price(report, part, r));
    MOT_TRY(put_bars(report, part, r, names));
    for (int kind = REPORT_RANK_COMPUTE; kind <= REPORT_RANK_WAIT; ++kind)
        MOT_TRY(put_map(report, part, r, (report_rank_name)kind, names, (const char *const *)steps));
done:
    return status;
}

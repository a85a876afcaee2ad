/* What `mot bench` prints. */
#include "bench_private.h"

#include <stdio.h>

#include "mot/log.h"

enum { MOST_RANKS = 32 };

static bench_figure figure(const bench_result *result, int kind, int rank)
{
    static double value[MOT_BENCH_MOST_REPEATS];
    mot_bench_values(result, kind, rank, value);
    return mot_bench_figure_of(result->repeats, value);
}

/* A rank's operations and bytes of a phase, a step: the mean; and its longest time over its mean time. */
typedef struct phase_sums {
    double flops, bytes, imbalance;
} phase_sums;

static phase_sums sum_up(const bench_result *result, int phase)
{
    static double value[MOT_BENCH_MOST_REPEATS];
    phase_sums sums = {0};
    const double rows = (double)result->ranks * result->repeats;
    for (int i = 0; i < result->repeats; ++i) {
        double sum = 0, most = 0;
        for (int r = 0; r < result->ranks; ++r) {
            const bench_sample *sample = &result->sample[r * result->repeats + i];
            sums.flops += sample->flops[phase] / rows;
            sums.bytes += sample->bytes[phase] / rows;
            sum += sample->phase_s[phase];
            most = MOT_MAX(most, sample->phase_s[phase]);
        }
        value[i] = sum > 0 ? most * result->ranks / sum : 0;
    }
    sums.imbalance = mot_bench_figure_of(result->repeats, value).median;
    return sums;
}

/* "1.25", or nothing for 0. */
static const char *number(double value, const char *format, char text[24])
{
    text[0] = '\0';
    if (value > 0) snprintf(text, 24, format, value);
    return text;
}

static void say_phases(const bench_result *result)
{
    const double step_s = figure(result, BENCH_STEP_S, -1).median;
    mot_log(MOT_LOG_INFO, "\n%-10s %9s %6s %8s %10s %9s %9s %9s %9s %8s", "phase", "ms", "share", "max/mean",
            "MFLOP", "MB", "GFLOP/s", "GB/s", "limit ms", "reached");
    for (int p = 0; p < MOT_PHASES; ++p) {
        const double ms = 1e3 * figure(result, BENCH_PHASE_S + p, -1).median,
                     reached = figure(result, BENCH_PHASE_REACHED + p, -1).median;
        const phase_sums sums = sum_up(result, p);
        char a[24], b[24], c[24], d[24], e[24], f[24];
        if (ms <= 0) continue; /* a phase that this configuration does not have */
        mot_log(MOT_LOG_INFO, "%-10s %9.4f %5.1f%% %8.2f %10s %9s %9s %9s %9s %8s", mot_phase_name[p], ms,
                0.1 * ms / step_s, sums.imbalance, number(1e-6 * sums.flops, "%.3f", a),
                number(1e-6 * sums.bytes, "%.4f", b), number(1e-6 * sums.flops / ms, "%.2f", c),
                number(1e-6 * sums.bytes / ms, "%.2f", d), number(reached * ms, "%.4f", e),
                number(100 * reached, "%.0f%%", f));
    }
}

/* What the coordinator takes for a sample and an expert: its work is all that grows with both. */
static void say_scores(const bench_result *result)
{
    static const mot_phase phases[] = {MOT_PHASE_SCORE, MOT_PHASE_CHOOSE, MOT_PHASE_REPORT};
    char line[128] = "";
    int at = 0;
    if (result->scores == 0) return;
    for (size_t i = 0; i < MOT_COUNT(phases); ++i)
        at += snprintf(line + at, sizeof line - (size_t)at, "  %s %.2f", mot_phase_name[phases[i]],
                       1e9 * figure(result, BENCH_PHASE_S + (int)phases[i], MOT_ROOT).median / (double)result->scores);
    mot_log(MOT_LOG_INFO, "\nns a score, of %zu a step (samples times experts), on rank 0:%s", result->scores, line);
}

static void say_ranks(const bench_result *result, const mot_placement *placement)
{
    char line[512];
    int at = snprintf(line, sizeof line, "\n%-5s %7s %9s %9s %7s %7s", "rank", "experts", "products",
                      "experts", "triad", "copy");
    for (int p = 0; p < MOT_PHASES; ++p)
        if (figure(result, BENCH_PHASE_S + p, -1).median > 0)
            at += snprintf(line + at, sizeof line - (size_t)at, " %14s", mot_phase_name[p]);
    mot_log(MOT_LOG_INFO, "%s", line);
    at = snprintf(line, sizeof line, "%-5s %7s %9s %9s %7s %7s", "", "", "GFLOP/s", "GFLOP/s", "GB/s",
                  "GB/s");
    for (int p = 0; p < MOT_PHASES; ++p)
        if (figure(result, BENCH_PHASE_S + p, -1).median > 0)
            at += snprintf(line + at, sizeof line - (size_t)at, " %14s", "ms, reached");
    mot_log(MOT_LOG_INFO, "%s", line);
    for (int r = 0; r < MOT_MIN(result->ranks, MOST_RANKS); ++r) {
        const double products = 1e-9 * figure(result, BENCH_PRODUCT_FLOPS_PER_S, r).median,
                     reached = figure(result, BENCH_PHASE_REACHED + MOT_PHASE_EXPERT, r).median;
        at = snprintf(line, sizeof line, "%-5d %7d %9.2f %9.2f %7.2f %7.2f", r,
                      mot_placement_count(placement, r), products, reached * products,
                      1e-9 * figure(result, BENCH_TRIAD_BYTES_PER_S, r).median,
                      1e-9 * figure(result, BENCH_COPY_BYTES_PER_S, r).median);
        for (int p = 0; p < MOT_PHASES; ++p) {
            char share[24];
            if (figure(result, BENCH_PHASE_S + p, -1).median <= 0) continue;
            at += snprintf(line + at, sizeof line - (size_t)at, " %9.4f %4s",
                           1e3 * figure(result, BENCH_PHASE_S + p, r).median,
                           number(100 * figure(result, BENCH_PHASE_REACHED + p, r).median, "%.0f%%", share));
        }
        mot_log(MOT_LOG_INFO, "%s", line);
    }
    if (result->ranks > MOST_RANKS)
        mot_log(MOT_LOG_INFO, "... %d ranks more (--json FILE has them all)", result->ranks - MOST_RANKS);
}

void mot_bench_say(const mot_placement *placement, const bench_result *result)
{
    const bench_figure step = figure(result, BENCH_STEP_S, -1),
                       speed = figure(result, BENCH_SAMPLES_PER_S, -1);
    mot_log(MOT_LOG_INFO, "\n%d repeats of %d steps of %zu samples: medians, quartiles in brackets",
            result->repeats, result->steps, result->batch);
    mot_log(MOT_LOG_INFO, "step       %.4f ms [%.4f, %.4f]", 1e3 * step.median, 1e3 * step.low,
            1e3 * step.high);
    mot_log(MOT_LOG_INFO, "samples/s  %.1f [%.1f, %.1f]", speed.median, speed.low, speed.high);
    say_phases(result);
    say_scores(result);
    say_ranks(result, placement);
    mot_log(
        MOT_LOG_INFO,
        "\nA mean over ranks, then each rank. The limit is what products, memory (triad, copy) or "
        "MPI_Alltoallv\n"
        "alone take for the same operations, bytes or rows; reached is limit over time, above 100%% where\n"
        "what was counted lay in a cache.");
    mot_run_say_bytes(result->work);
}

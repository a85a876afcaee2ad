/* Where the time of a run went: the phases of its training steps, what it did besides them, and the ranks' balance. */
#include "run_reporter.h"

#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/screen.h"

static const char *const part_name[RUN_PARTS + 1] = {
    [RUN_RECORD] = "record",         [RUN_LOG] = "log",
    [RUN_EVALUATION] = "evaluation", [RUN_CHECKPOINT] = "checkpoint",
    [RUN_REBALANCE] = "rebalance",   [RUN_PARTS] = "other",
};

void mot_run_count_seconds(run_course *course, const mot_step_result *result)
{
    course->progress.compute_s += result->compute_s;
    course->progress.exchange_s += result->exchange_s;
    course->progress.wait_s += result->wait_s;
}

double mot_run_seconds(const run_course *course)
{
    return course->progress.wall_s + mot_clock_s() - course->restored_s;
}

void mot_run_time_evaluation(run_reporter *reporter, mot_step *step, const mot_step_work *before)
{
    const mot_step_work *now = mot_step_measure(step);
    for (int p = 0; p < MOT_PHASES; ++p) {
        mot_phase_work *sum = &reporter->evaluations.phase[p];
        sum->seconds += now->phase[p].seconds - before->phase[p].seconds;
        sum->flops += now->phase[p].flops - before->phase[p].flops;
        sum->bytes += now->phase[p].bytes - before->phase[p].bytes;
    }
}

void mot_run_time(const run_reporter *reporter, const run_world *world, double wall_s,
                  run_time_row row[RUN_TIME_ROWS])
{
    enum { N = RUN_TIME_ROWS };
    const mot_step_work *work = mot_step_measure(world->step);
    double sum[3 * N] = {0}, least[N], most[N], accounted_s = 0;
    for (int p = 0; p < MOT_PHASES; ++p) {
        const mot_phase_work *all = &work->phase[p], *evaluations = &reporter->evaluations.phase[p];
        sum[p] = all->seconds - evaluations->seconds;
        sum[N + p] = all->flops - evaluations->flops;
        sum[2 * N + p] = all->bytes - evaluations->bytes;
    }
    for (int p = 0; p < RUN_PARTS; ++p) sum[MOT_PHASES + p] = reporter->part_s[p];
    for (int i = 0; i < N - 1; ++i) accounted_s += sum[i];
    sum[N - 1] = MOT_MAX(0, wall_s - accounted_s);

    memcpy(least, sum, sizeof least);
    memcpy(most, sum, sizeof most);
    mot_comm_allreduce(world->comm, sum, 3 * N, MPI_DOUBLE, MPI_SUM);
    mot_comm_allreduce(world->comm, least, N, MPI_DOUBLE, MPI_MIN);
    mot_comm_allreduce(world->comm, most, N, MPI_DOUBLE, MPI_MAX);
    for (int i = 0; i < N; ++i)
        row[i] = (run_time_row){
            .name = i < MOT_PHASES ? mot_phase_name[i] : part_name[i - MOT_PHASES],
            .mean_s = sum[i] / world->comm->size,
            .least_s = least[i],
            .most_s = most[i],
            .flops = sum[N + i],
            .bytes = sum[2 * N + i],
        };
}

/* A row of texts, as many of them as a terminal has room for. */
enum { COLUMNS = 8 };
static void say_columns(const char *const text[COLUMNS])
{
    static const mot_screen_column column[COLUMNS] = {{8, -12}, {7, 7}, {6, 10}, {3, 10},
                                                      {4, 10},  {5, 9}, {2, 10}, {1, 10}};
    char line[128];
    mot_screen_row(line, sizeof line, COLUMNS, column, text);
    mot_log(MOT_LOG_INFO, "%s", line);
}

/* A rank's rate while it was at it, "1.25"; nothing where there is none. */
static void put_rate(char text[24], double amount, double seconds)
{
    if (amount > 0) snprintf(text, 24, "%.2f", amount / seconds * 1e-9);
}

void mot_run_say_time(int ranks, const run_time_row row[RUN_TIME_ROWS], double wall_s)
{
    mot_log_gap();
    say_columns(
        (const char *const[]){"time", "share", "mean s", "min s", "max s", "max/mean", "GFLOP/s", "GB/s"});
    for (int i = 0; i < RUN_TIME_ROWS; ++i) {
        char share[24], mean[24], least[24], most[24], ratio[24], flops[24] = "", bytes[24] = "";
        if (row[i].most_s <= 0) continue; /* a phase that this configuration does not have */
        snprintf(share, sizeof share, "%.1f%%", 100 * row[i].mean_s / wall_s);
        snprintf(mean, sizeof mean, "%.3f", row[i].mean_s);
        snprintf(least, sizeof least, "%.3f", row[i].least_s);
        snprintf(most, sizeof most, "%.3f", row[i].most_s);
        snprintf(ratio, sizeof ratio, "%.2f", row[i].most_s / row[i].mean_s);
        put_rate(flops, row[i].flops, ranks * row[i].mean_s);
        put_rate(bytes, row[i].bytes, ranks * row[i].mean_s);
        say_columns((const char *const[]){row[i].name, share, mean, least, most, ratio, flops, bytes});
    }
}

void mot_run_put_time(mot_json *json, const run_time_row row[RUN_TIME_ROWS])
{
    for (int i = 0; i < RUN_TIME_ROWS; ++i) {
        const struct {
            const char *suffix;
            double value;
        } figure[] = {
            {"_s", row[i].mean_s},    {"_min_s", row[i].least_s}, {"_max_s", row[i].most_s},
            {"_flops", row[i].flops}, {"_bytes", row[i].bytes},
        };
        const size_t figures = i < MOT_PHASES ? MOT_COUNT(figure) : 3;
        for (size_t f = 0; f < figures; ++f) {
            char key[64];
            snprintf(key, sizeof key, "phase.%s%s", row[i].name, figure[f].suffix);
            mot_json_real(json, key, figure[f].value);
        }
    }
}

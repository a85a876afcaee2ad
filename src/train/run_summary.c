/* summary.json, and what a run says at its end. */
#include "run_private.h"

#include <stdio.h>

#include "mot/atomic_file.h"
#include "mot/blas.h"
#include "mot/clock.h"
#include "mot/level.h"
#include "mot/log.h"
#include "mot/watch.h"

enum { MOST_ROWS = 40, MOST_COLUMNS = 16 };

/* Each row a class (or a group, where there are too many classes), each column an expert: per cent of the class. */
void run_say_table(const mot_run *run)
{
    const run_eval *eval = &run->last_eval;
    if (run->comm->rank != MOT_ROOT) return;
    const bool by_group = run->classes > MOST_ROWS && eval->group_load != NULL;
    const int rows = by_group ? run->groups : run->classes, E = run->config.model.experts;
    const int64_t *load = by_group ? eval->group_load : eval->class_load;
    const bool learn_group = run->config.data.target == MOT_TARGET_GROUP;
    char **names = by_group || learn_group ? run->eval_set.group_names : run->eval_set.class_names;
    const int columns = MOT_MIN(E, MOST_COLUMNS), shown = MOT_MIN(rows, MOST_ROWS);
    char line[512];
    size_t at = (size_t)snprintf(line, sizeof line, "\n%-18s %7s",
                                 by_group ? "group \\ expert, %" : "class \\ expert, %", "samples");
    for (int e = 0; e < columns; ++e) at += (size_t)snprintf(line + at, sizeof line - at, " %5d", e);
    mot_log(MOT_LOG_INFO, "%s%s", line, columns < E ? " ..." : "");
    for (int c = 0; c < shown; ++c) {
        int64_t sum = 0;
        char number[16];
        for (int e = 0; e < E; ++e) sum += load[(size_t)c * (size_t)E + (size_t)e];
        snprintf(number, sizeof number, "%d", c);
        at = (size_t)snprintf(line, sizeof line, "%-18.18s %7" PRId64, names != NULL ? names[c] : number,
                              sum);
        for (int e = 0; e < columns; ++e) {
            const int64_t cell = load[(size_t)c * (size_t)E + (size_t)e];
            if (cell == 0)
                at += (size_t)snprintf(line + at, sizeof line - at, "     .");
            else
                at += (size_t)snprintf(line + at, sizeof line - at, " %5.1f",
                                       100.0 * (double)cell / (double)sum);
        }
        mot_log(MOT_LOG_INFO, "%s", line);
    }
    if (shown < rows) mot_log(MOT_LOG_INFO, "... %d more (all in record/, see docs/files.md)", rows - shown);
}

/* Work of all ranks together. */
typedef struct run_speed {
    double samples_per_s, gflops, fraction, compute_s, exchange_s, wait_s;
} run_speed;

static run_speed measure(mot_run *run)
{
    const mot_step_work *work = mot_step_measure(run->step);
    mot_yardstick_measure(&run->yardstick, run->model.kind, &run->model.shape);
    const double peak = run->yardstick.flops_per_s * 1e-9,
                 own = work->expert_s > 0 ? work->expert_flops / work->expert_s * 1e-9 : 0; /* a thread */
    /* Ranks without experts have no speed; the fraction is the mean over those that have. */
    double sum[6] = {own * run->place.threads, peak > 0 ? own / peak : 0, work->expert_s > 0,
                     work->compute_s,          work->exchange_s,          work->wait_s};
    mot_comm_allreduce(run->comm, sum, 6, MPI_DOUBLE, MPI_SUM);
    const double ranks = run->comm->size, wall = mot_clock_s() - run->start_s;
    const double samples = (double)((run->progress.step - run->start_step) *
                                    (mot_gidx)run->config.train.batch);
    return (run_speed){samples / wall, sum[0],         sum[2] > 0 ? sum[1] / sum[2] : 0,
                       sum[3] / ranks, sum[4] / ranks, sum[5] / ranks};
}

enum { PATH = 1024 };

/* The object with what every summary says, and the path of its file. */
static mot_status begin_summary(const mot_run *run, const char *status_text, char path[PATH], mot_json **json)
{
    const mot_status status = mot_path_join(path, PATH, run->config.run, "summary.json");
    if (status != MOT_OK) return status;
    *json = mot_json_begin();
    if (*json == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for summary.json");
    mot_json_text(*json, "status", status_text);
    mot_json_text(*json, "run_id", run->id);
    mot_json_int(*json, "steps", run->progress.step);
    mot_json_int(*json, "stage", run->progress.stage);
    mot_json_int(*json, "restarts", run->progress.restarts);
    mot_json_int(*json, "skipped", run->progress.skipped);
    mot_json_int(*json, "rollbacks", run->progress.rollbacks);
    mot_json_int(*json, "mpi.ranks", run->comm->size);
    mot_json_int(*json, "mpi.hosts", run->place.hosts);
    mot_json_int(*json, "threads", run->place.threads);
    mot_json_text(*json, "level", mot_level());
    return MOT_OK;
}

mot_status run_note(const mot_run *run, const char *status_text, const char *error)
{
    char path[PATH];
    mot_json *json;
    const mot_status status = begin_summary(run, status_text, path, &json);
    if (status != MOT_OK) return status;
    if (error != NULL) mot_json_text(json, "error", error);
    return mot_json_save(json, path);
}

mot_status run_summarize(mot_run *run, const char *status_text)
{
    char digest[33], path[PATH];
    double wall = mot_clock_s() - run->start_s;
    mot_watch_phase("summary");
    mot_comm_bcast(run->comm, &wall, sizeof wall, MOT_ROOT);
    run_time_row time[RUN_TIME_ROWS];
    run_time(run, wall, time);
    const run_speed speed = measure(run);
    const run_memory_peak memory = run_measure_memory(run);
    char peak[32], growth[32], sum[32];
    const run_eval *eval = &run->last_eval;
    const mot_state state = run_state(run);
    mot_status status = mot_state_digest(run->comm, &state, digest);
    MOT_TRY(mot_comm_agree(run->comm, status));
    if (run->comm->rank == MOT_ROOT) {
        const bool evaluated = run->evaluated == run->progress.step;
        const bool bf16 = run->model.shape.precision == MOT_PRECISION_BF16;
        const double none = NAN;
        mot_json *json;
        status = begin_summary(run, status_text, path, &json);
        if (status == MOT_OK) {
            mot_json_text(json, "digest", digest);
            mot_json_real(json, "eval.loss", evaluated ? eval->loss : none);
            mot_json_real(json, "eval.accuracy", evaluated ? eval->accuracy : none);
            mot_json_real(json, "eval.group_accuracy",
                          evaluated && eval->group_accuracy >= 0 ? eval->group_accuracy : none);
            mot_json_real(json, "routing.purity", evaluated ? eval->routing.purity : none);
            mot_json_real(json, "routing.nmi", evaluated ? eval->routing.nmi : none);
            mot_json_real(json, "routing.entropy", evaluated ? eval->routing.entropy : none);
            mot_json_int(json, "routing.experts_used", evaluated ? eval->routing.experts_used : 0);
            mot_json_real(json, "time.wall_s", wall);
            mot_json_real(json, "time.compute_s", speed.compute_s);
            mot_json_real(json, "time.exchange_s", speed.exchange_s);
            mot_json_real(json, "time.wait_s", speed.wait_s);
            run_put_time(json, time);
            mot_json_real(json, "speed.samples_per_s", speed.samples_per_s);
            mot_json_real(json, "speed.expert_gflops", speed.gflops);
            mot_json_real(json, "speed.sgemm_fraction", speed.fraction);
            mot_json_text(json, "speed.bare_product", mot_bare_name[run->yardstick.by]);
            mot_json_int(json, "rebalance.moves", run->moves);
            mot_json_int(json, "rebalance.bytes", (int64_t)run->moved_bytes);
            mot_json_real(json, "memory.peak_bytes", memory.peak);
            mot_json_real(json, "memory.growth_bytes", memory.growth);
            mot_json_real(json, "memory.sum_bytes", memory.sum);
            mot_json_text(json, "precision", bf16 ? "bf16" : "fp32");
            mot_json_text(json, "blas", mot_blas_name());
            status = mot_json_save(json, path);
        }
    }
    MOT_TRY(mot_comm_agree(run->comm, status));
    run_say_time(run, time, wall);
    mot_log(MOT_LOG_INFO, "\ndigest %s  (equal for any number of ranks)", digest);
    mot_log(MOT_LOG_INFO,
            "experts ran at %.1f GFLOP/s over all ranks, %.0f%% of a bare product; compute %.1f s, exchange "
            "%.1f s, wait %.1f s of %.1f s",
            speed.gflops, 100 * speed.fraction, speed.compute_s, speed.exchange_s, speed.wait_s, wall);
    mot_log(
        MOT_LOG_INFO,
        "memory: rank %.0f was the largest with %s, %s of them since the run was set up; its parts are %s",
        memory.rank, run_bytes_text((size_t)memory.peak, peak), run_bytes_text((size_t)memory.growth, growth),
        run_bytes_text((size_t)memory.sum, sum));
done:
    return status;
}

/* summary.json, and what a run says at its end. */
#include "run_private.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mot/atomic_file.h"
#include "mot/blas.h"
#include "mot/clock.h"
#include "mot/level.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/watch.h"

/* Work of all ranks together. */
typedef struct run_speed {
    double samples_per_s, gflops, fraction; /* of the whole run; of this process; NAN: there was no time to measure it */
    double compute_s, exchange_s, wait_s;   /* of this process */
    double sent;                            /* bytes, of this process, to other ranks */
} run_speed;

static run_speed measure(run_reporter *reporter, const run_world *world, const run_course *course,
                         double seconds)
{
    const mot_step_work *work = mot_step_measure(world->step);
    if (reporter->yardstick.flops_per_s > 0)
        mot_yardstick_measure(&reporter->yardstick, world->model.layer->kind, &world->model.layer->shape);
    const double peak = reporter->yardstick.flops_per_s * 1e-9,
                 own = work->expert_s > 0 ? work->expert_flops / work->expert_s * 1e-9 : 0, /* of a thread that has work */
                 phase_s = work->phase[MOT_PHASE_EXPERT].seconds;
    /* Ranks without experts have no speed; the fraction is the mean over those that have. */
    double sum[7] = {phase_s > 0 ? work->expert_flops / phase_s * 1e-9 : 0,
                     peak > 0 ? own / peak : 0,
                     peak > 0 && work->expert_s > 0,
                     work->compute_s,
                     work->exchange_s,
                     work->wait_s,
                     (double)work->sent_bytes};
    mot_comm_allreduce(world->comm, sum, 7, MPI_DOUBLE, MPI_SUM);
    const double ranks = world->comm->size;
    const double samples = (double)course->progress.timed_steps * (double)course->config.train.batch;
    return (run_speed){samples / seconds, sum[0],         sum[2] > 0 ? sum[1] / sum[2] : NAN,
                       sum[3] / ranks,    sum[4] / ranks, sum[5] / ranks, sum[6]};
}

enum { PATH = 1024 };

/* The object with what every summary says, and the path of its file. */
static mot_status begin_summary(const mot_run *run, const char *status_text, char path[PATH], mot_json **json)
{
    const mot_progress *progress = &run->course.progress;
    const mot_status status = mot_path_join(path, PATH, run->course.config.run, "summary.json");
    if (status != MOT_OK) return status;
    *json = mot_json_begin();
    mot_json_text(*json, "status", status_text);
    mot_json_text(*json, "run_id", run->keeper.id);
    mot_json_int(*json, "steps", progress->step);
    mot_json_int(*json, "stage", progress->stage);
    mot_json_int(*json, "restarts", progress->restarts);
    mot_json_int(*json, "skipped", progress->skipped);
    mot_json_int(*json, "rollbacks", progress->rollbacks);
    mot_json_int(*json, "mpi.ranks", run->world.comm->size);
    mot_json_int(*json, "mpi.hosts", run->world.place.hosts);
    mot_json_int(*json, "threads", run->world.place.threads);
    mot_json_text(*json, "level", mot_level());
    mot_run_put_told(&run->course.config, *json);
    mot_run_put_warnings(&run->reporter, *json);
    return MOT_OK;
}

mot_status mot_run_note(const mot_run *run, const char *status_text, const char *error)
{
    char path[PATH];
    mot_json *json;
    const mot_status status = begin_summary(run, status_text, path, &json);
    if (status != MOT_OK) return status;
    if (error != NULL) mot_json_text(json, "error", error);
    return mot_json_save(json, path);
}

bool mot_run_is_summed_up(const run_course *course)
{
    char path[PATH], *text = NULL;
    bool done;
    if (mot_summary_read(course->config.run, &text, &done) != MOT_OK) return false; /* it is written anew */
    if (done && mot_path_join(path, PATH, course->config.run, "summary.json") == MOT_OK)
        utimensat(AT_FDCWD, path, NULL, 0); /* launch/run.sh sees that this start, too, has come to its end */
    mot_free(text);
    return done;
}

mot_status mot_run_digest(mot_run *run, char digest[MOT_DIGEST_TEXT])
{
    const mot_state state = mot_run_state(run);
    return mot_comm_agree(run->world.comm, mot_state_digest(run->world.comm, &state, digest));
}

static void say_digest(const char *digest)
{
    mot_log_gap();
    mot_log_wrap(7, "digest %s  (equal for any number of ranks)", digest);
}

mot_status mot_run_say_digest(mot_run *run)
{
    char digest[33];
    const mot_status status = mot_run_digest(run, digest);
    if (status == MOT_OK) say_digest(digest);
    return status;
}

mot_status mot_run_summarize(mot_run *run, const char *status_text)
{
    char digest[33], path[PATH];
    const mot_progress *progress = &run->course.progress;
    const double seconds = mot_run_seconds(&run->course);
    double wall = mot_clock_s() - run->reporter.start_s;
    mot_watch_phase("summary");
    mot_comm_bcast(run->world.comm, &wall, sizeof wall, MOT_ROOT);
    run_time_row time[RUN_TIME_ROWS];
    mot_run_time(&run->reporter, &run->world, wall, time);
    const run_speed speed = measure(&run->reporter, &run->world, &run->course, seconds);
    const run_memory_peak memory = mot_run_measure_memory(&run->world, &run->course);
    char peak[32], growth[32], sum[32], fraction[40] = "";
    mot_status status;
    MOT_TRY(mot_run_digest(run, digest));
    if (run->world.comm->rank == MOT_ROOT) {
        const run_eval *eval = &run->reporter.last_eval;
        const bool bf16 = run->world.model.layer->shape.precision == MOT_PRECISION_BF16;
        mot_json *json;
        status = begin_summary(run, status_text, path, &json);
        if (status == MOT_OK) {
            mot_json_text(json, "digest", digest);
            if (run->world.model.layer->experts < run->course.config.model.experts)
                mot_run_put_numbers(json, "experts.left", run->world.model.layer->experts, run->world.model.layer->origin);
            mot_json_text(json, "eval.split", run->course.config.eval.split);
            mot_json_int(json, "eval.step", eval->step);
            mot_json_int(json, "eval.samples", eval->samples);
            mot_run_put_eval(&run->reporter, json);
            mot_run_put_tasks(&run->reporter.tasks, json);
            mot_json_real(json, "time.wall_s", seconds);
            mot_json_real(json, "time.compute_s", progress->compute_s);
            mot_json_real(json, "time.exchange_s", progress->exchange_s);
            mot_json_real(json, "time.wait_s", progress->wait_s);
            mot_json_real(json, "time.process_s", wall);
            mot_run_put_time(json, time);
            mot_json_real(json, "speed.samples_per_s", speed.samples_per_s);
            mot_json_real(json, "speed.expert_gflops", speed.gflops);
            mot_json_real(json, "speed.sgemm_fraction", speed.fraction);
            if (run->reporter.yardstick.flops_per_s > 0)
                mot_json_text(json, "speed.bare_product", mot_bare_name[run->reporter.yardstick.by]);
            else
                mot_json_real(json, "speed.bare_product", NAN);
            mot_json_int(json, "mpi.sent_bytes", (int64_t)speed.sent);
            mot_run_layers_put_bytes(&run->world, json);
            mot_json_int(json, "rebalance.moves", run->world.moves.experts);
            mot_json_int(json, "rebalance.bytes", (int64_t)run->world.moves.bytes);
            mot_json_real(json, "memory.peak_bytes", memory.peak);
            mot_json_real(json, "memory.growth_bytes", memory.growth);
            mot_json_real(json, "memory.sum_bytes", memory.sum);
            mot_json_text(json, "precision", bf16 ? "bf16" : "fp32");
            mot_json_text(json, "blas", mot_blas_name());
            status = mot_json_save(json, path);
        }
    }
    MOT_TRY(mot_comm_agree(run->world.comm, status));
    mot_run_say_time(run->world.comm->size, time, wall);
    say_digest(digest);
    if (!isnan(speed.fraction))
        snprintf(fraction, sizeof fraction, ", %.0f%% of a bare product", 100 * speed.fraction);
    mot_log_wrap(
        2,
        "experts ran at %.1f GFLOP/s over all ranks%s; compute %.1f s, exchange %.1f s, wait %.1f s of %.1f s",
        speed.gflops, fraction, speed.compute_s, speed.exchange_s, speed.wait_s, wall);
    mot_run_say_bytes(mot_step_measure(run->world.step));
    mot_log_wrap(
        2, "memory: rank %.0f was the largest with %s, %s of them since the run was set up; its parts are %s",
        memory.rank, mot_run_bytes_text((size_t)memory.peak, peak),
        mot_run_bytes_text((size_t)memory.growth, growth), mot_run_bytes_text((size_t)memory.sum, sum));
done:
    return status;
}

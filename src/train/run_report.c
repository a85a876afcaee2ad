/* What a run says while it goes on: banner, progress, a line a report step. */
#include "run_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mot/blas.h"
#include "mot/clock.h"
#include "mot/level.h"
#include "mot/log.h"
#include "mot/source.h"
#include "mot/version.h"

/* ---- before ---- */

/* Wrong launches run quietly otherwise: say them aloud. */
static void warn_of_launch(const run_world *world)
{
    const char *const tasks = getenv("SLURM_NTASKS");
    const bool direct = getenv("SLURM_STEP_ID") != NULL; /* in a batch script mpirun may use fewer */
    if (tasks != NULL && direct && atoi(tasks) > world->comm->size)
        mot_log(MOT_LOG_WARNING,
                "SLURM_NTASKS is %s, but MPI knows %d rank%s: srun and this MPI do not understand "
                "each other; use srun --mpi=pmix (MPICH: --mpi=pmi2), or mpirun",
                tasks, world->comm->size, world->comm->size == 1 ? "" : "s");
    if (world->place.crowded)
        mot_log(MOT_LOG_WARNING,
                "more threads than cores on a host: they take turns, and timings say little");
    else if (world->comm->size > 1 && world->place.cores == 1 &&
             getenv("OMPI_MCA_mpi_yield_when_idle") != NULL &&
             strcmp(getenv("OMPI_MCA_mpi_yield_when_idle"), "0") != 0)
        mot_log(MOT_LOG_WARNING,
                "mpi_yield_when_idle is on although every rank has a core: waiting is slower");
}

enum { BANNER = 11 }; /* columns before what a line of it says */

/* "embed, dense 1 block, layer 0: 8 experts of 1 block, 1 a sample, ..., head: 12345 parameters" */
static void say_layers(const mot_model *model, const mot_model_size *size)
{
    char text[1200] = "";
    for (int i = 0; i < model->flows; ++i) {
        const mot_flow *flow = &model->flow[i];
        const size_t used = strlen(text);
        if (flow->role == MOT_LAYER_EXPERTS) {
            const mot_layer *layer = &model->layer[flow->at];
            const size_t blocks = layer->config->depth;
            char shared[32] = "";
            if (layer->shared > 0) snprintf(shared, sizeof shared, " beside %d shared", layer->shared);
            snprintf(text + used, sizeof text - used, "layer %d: %d expert%s of %zu block%s (%zu parameters), %zu a sample%s; ",
                     flow->at, layer->experts, layer->experts == 1 ? "" : "s", blocks, blocks == 1 ? "" : "s",
                     mot_table_parameters(&layer->own_table, ~0u), mot_layer_choices(layer), shared);
            continue;
        }
        const size_t blocks = model->dense[flow->at].config->depth;
        if (flow->role == MOT_LAYER_DENSE)
            snprintf(text + used, sizeof text - used, "dense, %zu block%s; ", blocks, blocks == 1 ? "" : "s");
        else
            snprintf(text + used, sizeof text - used, "%s; ", flow->role == MOT_LAYER_EMBED ? "embed" : "head");
    }
    mot_log_wrap(BANNER, "  model    %s%zu parameters in all, %zu of them on every rank, gates %zu", text, size->all, size->tied,
                 size->gate);
}

void mot_run_banner(const run_world *world, const run_course *course, const char *what)
{
    const mot_config *config = &course->config;
    const mot_model_size size = mot_model_measure(&world->model);
    char memory[32], parts[96] = "";
    const int E = world->model.layer->experts;
    const size_t K = mot_model_choices(&world->model);
    mot_log_wrap(BANNER, "mot %s (%s), %s, %s", MOT_VERSION, MOT_COMMIT, MOT_BUILD_FLAGS, mot_level());
    mot_log_wrap(BANNER, "  job      %d rank%s x %d thread%s on %d host%s, %d core%s a rank; coordinator %s",
                 world->comm->size, world->comm->size == 1 ? "" : "s", world->place.threads,
                 world->place.threads == 1 ? "" : "s", world->place.hosts, world->place.hosts == 1 ? "" : "s",
                 world->place.cores, world->place.cores == 1 ? "" : "s",
                 config->route.dedicated && world->comm->size > 1 ? "dedicated" : "shared");
    const mot_nodes *nodes = mot_step_nodes(world->step);
    char between[64] = "";
    if (nodes->count > 1)
        snprintf(between, sizeof between, ", between %d hosts one message a pair", nodes->count);
    if (nodes->count < nodes->ranks)
        mot_log_wrap(BANNER, "  exchange within a host through shared memory%s", between);
    else if (nodes->ranks > 1)
        mot_log_wrap(BANNER, "  exchange from rank to rank by messages");
    mot_log_wrap(BANNER, "  blas     %s", mot_blas_name());
    char samples[32] = "fresh", targets[48], evaluation[48] = "";
    if (world->train.dataset->samples != MOT_ENDLESS)
        snprintf(samples, sizeof samples, "%" MOT_PRI_GIDX, world->train.dataset->samples);
    if (course->purpose != RUN_BENCH)
        snprintf(evaluation, sizeof evaluation, ", %s (%" MOT_PRI_GIDX " for evaluation)",
                 course->purpose == RUN_TRAIN ? "train" : config->eval.split, world->eval_set.samples);
    if (world->classes > 0)
        snprintf(targets, sizeof targets, "%d classes", world->classes);
    else
        snprintf(targets, sizeof targets, "targets of %zu number%s", world->model.layer->shape.outputs,
                 world->model.layer->shape.outputs == 1 ? "" : "s");
    mot_log_wrap(BANNER, "  data     %s: %s samples, %s%s%s", mot_source_title(&config->data), samples, targets,
                 world->groups > 0 && config->data.target == MOT_TARGET_LABEL ? " in groups" : "", evaluation);
    mot_run_say_stream(world, course, BANNER);
    if (size.tied > 0) snprintf(parts, sizeof parts, ", %zu tied", size.tied);
    if (world->model.flows > 0)
        say_layers(&world->model, &size);
    else
        mot_log_wrap(BANNER,
                     "  model    %d %s expert%s of %zu parameters%s, gate %zu: %zu in all; %zu of %d a sample%s",
                     E, world->model.layer->kind->kind.name, E == 1 ? "" : "s", size.own, parts, size.gate, size.all, K, E,
                     world->model.layer->shape.precision == MOT_PRECISION_BF16 ? "; products in bf16" : "");
    mot_log_wrap(BANNER,
                 "  memory   %s on rank 0 (parameters, gradients, optimizer, workspace, buffers, data, files)",
                 mot_run_bytes_text(mot_run_memory(world, course), memory));
    if (what != NULL) mot_log_wrap(BANNER, "  %s", what);
    warn_of_launch(world);
}

void mot_run_say(const mot_run *run)
{
    mot_run_banner(&run->world, &run->course, NULL);
}

/* ---- during ---- */

void mot_run_report_begin(run_reporter *reporter, mot_gidx step)
{
    memset(&reporter->since, 0, sizeof reporter->since);
    reporter->since.begun_s = mot_clock_s();
    reporter->since.step = step;
    mot_run_ranks_begin(reporter);
}

static double load_ratio(const int64_t *load, int experts)
{
    int64_t most = 0, sum = 0;
    for (int e = 0; e < experts; ++e) {
        most = MOT_MAX(most, load[e]);
        sum += load[e];
    }
    return sum > 0 ? (double)most * experts / (double)sum : 0;
}

static run_means take_means(const run_reporter *reporter, const run_world *world, const run_course *course,
                            const mot_step_result *result)
{
    const double steps = (double)(course->progress.step - reporter->since.step),
                 wall = mot_clock_s() - reporter->since.begun_s;
    const double learned = steps - (double)reporter->since.skipped,
                 batch = (double)course->config.train.batch;
    const double samples = steps * batch;
    return (run_means){
        .classes = world->classes > 0,
        .loss = reporter->since.loss / learned, /* without any, not a number */
        .accuracy = reporter->since.hits / (learned * batch),
        .samples_per_s = samples / wall,
        .gflops = reporter->since.flops / wall * 1e-9,
        .load_ratio = load_ratio(result->load, world->model.layer->experts),
        .compute = reporter->since.compute_s / wall,
        .exchange = reporter->since.exchange_s / wall,
        .wait = reporter->since.wait_s / wall,
        .wall_s = wall,
    };
}

static mot_status write_line(mot_run *run, const mot_step_result *result, const run_means *means, int stage,
                             double rate)
{
    mot_json *json = mot_json_begin();
    mot_json_int(json, "step", run->course.progress.step);
    mot_json_int(json, "stage", stage);
    mot_json_real(json, "train.loss", means->loss);
    if (means->classes) mot_json_real(json, "train.accuracy", means->accuracy);
    mot_json_real(json, "train.rate", rate);
    if (means->classes || run->world.groups > 0) mot_json_real(json, "routing.purity", result->purity);
    mot_json_real(json, "routing.load_max_over_mean", means->load_ratio);
    mot_json_real(json, "routing.balance_loss", result->balance.switch_loss);
    mot_json_real(json, "routing.z_loss", result->balance.z_loss);
    mot_json_ints(json, "routing.load", (size_t)run->world.model.layer->experts, result->load);
    mot_run_layers_put_step(&run->world, result, json);
    const mot_status status = mot_run_routing_put_step(&run->world, result, json);
    mot_json_real(json, "speed.samples_per_s", means->samples_per_s);
    mot_json_real(json, "speed.expert_gflops", means->gflops);
    mot_json_real(json, "time.compute", means->compute);
    mot_json_real(json, "time.exchange", means->exchange);
    mot_json_real(json, "time.wait", means->wait);
    mot_json_real(json, "time.interval_s", means->wall_s);
    const mot_status written = mot_record_log_json(run->keeper.record, json);
    return status == MOT_OK ? written : status;
}

mot_status mot_run_report_step(mot_run *run, const mot_step_result *result, int stage, double rate)
{
    run_reporter *reporter = &run->reporter;
    const run_course *course = &run->course;
    mot_status status = MOT_OK;
    if (isnan(result->loss)) {
        ++reporter->since.skipped;
    } else {
        reporter->since.loss += result->loss;
        reporter->since.hits += result->hits;
    }
    reporter->since.compute_s += result->compute_s;
    reporter->since.exchange_s += result->exchange_s;
    reporter->since.wait_s += result->wait_s;
    reporter->since.flops += result->flops;
    const bool due = course->progress.step % course->config.report_every == 0 ||
                     course->progress.stage == mot_stage_count(&course->config);
    if (run->world.comm->rank == MOT_ROOT) {
        const run_means means = take_means(reporter, &run->world, course, result);
        mot_run_keep_pace(reporter, stage);
        mot_run_ranks_add(reporter, result);
        if (due) {
            mot_run_say_means(course->progress.step, &means);
            status = write_line(run, result, &means, stage, rate);
        }
        if (due && status == MOT_OK)
            status = mot_run_ranks_record(reporter, run->keeper.record, course->progress.step, means.wall_s);
        mot_run_draw_progress(reporter, &run->world, course, &means);
    }
    if (!due) return MOT_OK;
    mot_run_report_begin(reporter, course->progress.step);
    return mot_comm_agree(run->world.comm, status);
}

/* "group" or "label", where the gate is told it; else "". */
static const char *told_of(const mot_config *config)
{
    return mot_config_told(config, MOT_TOLD_LABEL) != NULL   ? "label"
           : mot_config_told(config, MOT_TOLD_GROUP) != NULL ? "group"
                                                             : "";
}

void mot_run_put_told(const mot_config *config, mot_json *json)
{
    if (told_of(config)[0] != '\0') mot_json_text(json, "gate.told", told_of(config));
}

/* How right the outputs are, besides the loss. */
static void put_quality(const run_eval *eval, bool classes, char text[96], char more[64])
{
    const double *number = eval->number;
    char group[48] = "";
    text[0] = more[0] = '\0';
    if (!isnan(number[RUN_EXPLAINED])) snprintf(text, 96, "  explained %.4f", number[RUN_EXPLAINED]);
    if (!classes) return;
    if (!isnan(number[RUN_GROUP_ACCURACY]))
        snprintf(group, sizeof group, " (group %.4f)", number[RUN_GROUP_ACCURACY]);
    snprintf(text, 96, "  acc %6.4f%s", number[RUN_ACCURACY], group);
    snprintf(more, 64, "; macro-F1 %.4f, commonest class %.4f", number[RUN_MACRO_F1], number[RUN_MAJORITY]);
}

void mot_run_say_eval(const mot_run *run)
{
    enum { INDENT = 13 };
    const run_eval *eval = &run->reporter.last_eval;
    const double *number = eval->number;
    char quality[96], more[64], told[40] = "", theory[40] = "";
    if (run->world.comm->rank != MOT_ROOT) return;
    put_quality(eval, run->world.classes > 0, quality, more);
    if (told_of(&run->course.config)[0] != '\0')
        snprintf(told, sizeof told, "; the gate is told the %s", told_of(&run->course.config));
    if (!isnan(number[RUN_SIGNAL_ATTENTION]))
        snprintf(theory, sizeof theory, "; signal attention %.3f", number[RUN_SIGNAL_ATTENTION]);
    mot_log_wrap(INDENT, "eval %6" MOT_PRI_GIDX "  loss %s%s on %" MOT_PRI_GIDX " samples of '%s'%s%s",
                 run->course.progress.step, run_loss_text(number[RUN_LOSS]).text, quality, eval->samples, run->course.config.eval.split, more,
                 told);
    mot_run_layers_say(eval, &run->world, INDENT, theory);
    mot_run_say_figures(&run->reporter, INDENT);
}

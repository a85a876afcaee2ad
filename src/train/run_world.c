/* What a run is trained with: data, model, step. */
#include "run_world.h"

#include <stdio.h>
#include <string.h>

#include "mot/blas.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/optimizer.h"
#include "mot/source.h"
#include "mot/stage.h"
#include "mot/threads.h"
#include "mot/watch.h"

/* Which hosts, how many cores and threads, and whether these have to share cores. Collective. */
static mot_status look_around(const mot_comm *comm, int threads, run_place *place)
{
    cpu_set_t mine, all, *allowed = NULL;
    mot_threads_cores(&mine);
    place->cores = CPU_COUNT(&mine);

    int rank, ranks;
    MPI_Comm_rank(comm->host, &rank);
    MPI_Comm_size(comm->host, &ranks);
    MPI_Allreduce(&mine, &all, sizeof mine, MPI_BYTE, MPI_BOR, comm->host);
    mot_status status = mot_allocate(&allowed, (size_t)ranks, sizeof *allowed, "the cores of a host");
    status = mot_comm_agree(comm, status);
    if (status == MOT_OK) {
        MPI_Allgather(&mine, sizeof mine, MPI_BYTE, allowed, sizeof mine, MPI_BYTE, comm->host);
        place->threads = threads > 0 ? threads : mot_threads_share(allowed, ranks, rank);
    }
    int running = place->threads, first = rank == 0;
    MPI_Allreduce(MPI_IN_PLACE, &running, 1, MPI_INT, MPI_SUM, comm->host);
    int crowded = running > CPU_COUNT(&all);
    mot_comm_allreduce(comm, &first, 1, MPI_INT, MPI_SUM);
    mot_comm_allreduce(comm, &crowded, 1, MPI_INT, MPI_LOR);
    place->hosts = first;
    place->crowded = crowded;
    mot_free(allowed);
    return status;
}

/* Each rank reads the file that it sees under that name. Collective. */
static mot_status check_same_data(run_world *world, const run_course *course)
{
    const mot_comm *comm = world->comm;
    char of_root[sizeof world->dataset_checksum];
    mot_status status = MOT_OK;
    if (world->train_set.checksum[0] != '\0' || world->eval_set.checksum[0] != '\0')
        snprintf(world->dataset_checksum, sizeof world->dataset_checksum, "%s %s", world->train_set.checksum,
                 world->eval_set.checksum);
    memcpy(of_root, world->dataset_checksum, sizeof of_root);
    mot_comm_bcast(comm, of_root, sizeof of_root, MOT_ROOT);
    if (strcmp(of_root, world->dataset_checksum) != 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s = %s holds other samples on rank %d (checksum %s) than on rank %d (%s)",
                          mot_source_files_key(&course->config.data), mot_source_title(&course->config.data), comm->rank, world->dataset_checksum, MOT_ROOT, of_root);
    return mot_comm_agree(comm, status);
}

static void describe_sources(run_world *world, const run_course *course)
{
    const mot_config *config = &course->config;
    const mot_batch_source common = {
        .patch = config->model.patch,
        .learn_group = config->data.target == MOT_TARGET_GROUP && course->purpose != RUN_PREDICT,
        .seed = config->seed,
    };
    mot_dataset *const train = world->train.dataset, *const eval = world->eval.dataset;
    world->train = world->eval = common;
    world->train.dataset = train;
    world->train.augment = &config->data.augment;
    world->train.shuffled = train->samples != MOT_ENDLESS && config->data.shuffle;
    world->train.repeats = true;
    world->eval.dataset = eval;
}

/* With a head a task, a sample's task is known; where it is evaluated too, unless nobody knows it. */
static void know_heads(const run_world *world, const run_course *course, mot_loss *loss)
{
    const mot_stream *stream = mot_dataset_stream(world->train.dataset);
    if (stream != NULL && course->config.data.target == MOT_TARGET_LABEL && course->purpose != RUN_PREDICT)
        loss->head = stream->head;
}

/* A run that is continued or evaluated stays with what it began with; its checkpoints say so. Collective. */
static mot_status choose_precision(run_world *world, run_course *course)
{
    mot_precision_rule *rule = &course->config.model.precision;
    const bool open = *rule == MOT_RULE_AUTO || *rule == MOT_RULE_BF16;
    int before = -1;
    if (world->comm->rank == MOT_ROOT && course->purpose == RUN_TRAIN && open)
        before = mot_run_precision_before(&course->config);
    mot_comm_bcast(world->comm, &before, sizeof before, MOT_ROOT);
    if (course->purpose == RUN_EVAL) before = (int)*rule;
    if (open && before == MOT_RULE_FP32) *rule = MOT_RULE_FP32;
    if (open && (before == MOT_RULE_BF16 || before == MOT_RULE_BF16_ALWAYS)) *rule = MOT_RULE_BF16_ALWAYS;
    const mot_status status = mot_model_choose_precision(&world->model);
    *rule = world->model.layer->shape.precision == MOT_PRECISION_BF16 ? MOT_RULE_BF16_ALWAYS : MOT_RULE_FP32;
    return status;
}

/* Bytes that were allocated since `*held` were held, which becomes now. */
static size_t held_since(size_t *held)
{
    const size_t before = *held;
    *held = mot_memory_held();
    return *held - before;
}

mot_status mot_run_world_open(run_world *world, run_course *course, const mot_comm *comm, mot_schema *schema)
{
    const mot_config *config = &course->config;
    const bool learns = course->purpose == RUN_TRAIN;
    mot_status status;
    if (schema != NULL) {
        world->schema = *schema;
        *schema = (mot_schema){0};
    }
    world->comm = comm;
    MOT_TRY(mot_blas_agree(comm));
    if (learns) {
        mot_watch_part("step", 0);
        mot_watch_phase("start");
        MOT_TRY(mot_watchdog_start(&world->watchdog, comm, config->watch.warn, config->watch.abort));
    }
    MOT_TRY(look_around(comm, config->threads, &world->place));
    world->held.before = mot_memory_resident().now;
    size_t held = mot_memory_held();
    status = mot_allocate(&world->moves.load, (size_t)config->model.experts, sizeof(int64_t), "loads");
    if (status == MOT_OK) status = mot_run_open_data(world, course);
    if (status == MOT_OK) status = mot_run_rehearsal_open(world, course);
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(check_same_data(world, course));
    world->held.data = held_since(&held);

    mot_token_shape shape;
    mot_loss loss;
    describe_sources(world, course);
    status = mot_loss_init(&loss, mot_loss_kind_at(config->train.loss), mot_batch_target_bytes(&world->train),
                           world->classes);
    if (status == MOT_OK) know_heads(world, course, &loss);
    if (status == MOT_OK)
        status = mot_token_shape_of(&world->train.dataset->format, config->model.patch, &shape);
    if (status == MOT_OK)
        status = mot_model_create(&world->model, comm, config, shape.tokens, shape.width, shape.vocabulary,
                                  loss.outputs, comm->size == 1);
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(choose_precision(world, course));
    world->held.model = held_since(&held);
    MOT_TRY(mot_step_create(&world->step, &world->model, &world->train, &loss, world->groups,
                            course->purpose == RUN_BENCH ? config->train.batch
                                                         : MOT_MAX(config->train.batch, config->eval.batch),
                            world->place.threads));
    mot_step_expect(world->step, world->train.dataset, (size_t)config->train.batch, world->eval.dataset, (size_t)config->eval.batch);
    world->held.step = held_since(&held);
    mot_watchdog_step(world->watchdog, world->step);
done:
    return status;
}

void mot_run_world_close(run_world *world)
{
    mot_watchdog_stop(&world->watchdog);
    mot_step_destroy(&world->step);
    mot_model_free(&world->model);
    mot_free(world->parent);
    mot_free(world->moves.load);
    mot_run_rehearsal_close(&world->rehearsal);
    mot_dataset_close(&world->train_set);
    mot_dataset_close(&world->eval_set);
    mot_schema_free(&world->schema);
}

void mot_run_begin_stage(run_world *world, const run_course *course)
{
    const mot_units *units = &world->model.units;
    if (course->progress.stage == mot_stage_count(&course->config)) return;
    mot_log(MOT_LOG_INFO, "stage '%s' begins after step %" MOT_PRI_GIDX,
            mot_stage_at(&course->config, course->progress.stage)->name, course->progress.step);
    for (size_t u = 0; u < units->count; ++u)
        if (units->unit[u].params != NULL) mot_optimizer_reset(units->unit[u].params);
}

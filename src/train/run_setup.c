/* What a run needs before its first step: data, model, step. */
#include "run_private.h"

#include <stdio.h>
#include <string.h>

#include "mot/blas.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/threads.h"
#include "mot/watch.h"

/* Which hosts, how many cores and threads, and whether these have to share cores. Collective. */
static mot_status look_around(const mot_comm *comm, int threads, run_place *place)
{
    cpu_set_t mine, all, *allowed = NULL;
    mot_threads_cores(&mine);
    place->cores = CPU_COUNT(&mine);

    MPI_Comm host;
    int rank, ranks;
    MPI_Comm_split_type(comm->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    MPI_Comm_rank(host, &rank);
    MPI_Comm_size(host, &ranks);
    MPI_Allreduce(&mine, &all, sizeof mine, MPI_BYTE, MPI_BOR, host);
    mot_status status = mot_allocate(&allowed, (size_t)ranks, sizeof *allowed, "the cores of a host");
    status = mot_comm_agree(comm, status);
    if (status == MOT_OK) {
        MPI_Allgather(&mine, sizeof mine, MPI_BYTE, allowed, sizeof mine, MPI_BYTE, host);
        place->threads = threads > 0 ? threads : mot_threads_share(allowed, ranks, rank);
    }
    int running = place->threads, first = rank == 0;
    MPI_Allreduce(MPI_IN_PLACE, &running, 1, MPI_INT, MPI_SUM, host);
    int crowded = running > CPU_COUNT(&all);
    mot_comm_allreduce(comm, &first, 1, MPI_INT, MPI_SUM);
    mot_comm_allreduce(comm, &crowded, 1, MPI_INT, MPI_LOR);
    place->hosts = first;
    place->crowded = crowded;
    MPI_Comm_free(&host);
    mot_free(allowed);
    return status;
}

/* Each rank reads the file that it sees under that name. Collective. */
static mot_status check_same_data(mot_run *run)
{
    const mot_comm *comm = run->comm;
    char of_root[sizeof run->dataset_checksum];
    mot_status status = MOT_OK;
    if (run->train_set.checksum[0] != '\0' || run->eval_set.checksum[0] != '\0')
        snprintf(run->dataset_checksum, sizeof run->dataset_checksum, "%s %s", run->train_set.checksum,
                 run->eval_set.checksum);
    memcpy(of_root, run->dataset_checksum, sizeof of_root);
    mot_comm_bcast(comm, of_root, sizeof of_root, MOT_ROOT);
    if (strcmp(of_root, run->dataset_checksum) != 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "data.file = %s holds other samples on rank %d (checksum %s) than on rank %d (%s)",
                          run->config.data.file, comm->rank, run->dataset_checksum, MOT_ROOT, of_root);
    return mot_comm_agree(comm, status);
}

static void describe_sources(mot_run *run)
{
    const mot_config *config = &run->config;
    const mot_batch_source common = {
        .gate = &run->model.gate,
        .patch = config->model.patch,
        .learn_group = config->data.target == MOT_TARGET_GROUP && run->purpose != RUN_PREDICT,
        .seed = config->seed,
    };
    mot_dataset *const train = run->train.dataset, *const eval = run->eval.dataset;
    run->train = run->eval = common;
    run->train.dataset = train;
    run->train.augment = &config->data.augment;
    run->train.shuffled = train->samples != MOT_ENDLESS;
    run->eval.dataset = eval;
}

/* A run that is continued or evaluated stays with what it began with; its checkpoints say so. Collective. */
static mot_status choose_precision(mot_run *run)
{
    mot_precision_rule *rule = &run->config.model.precision;
    const bool open = *rule == MOT_RULE_AUTO || *rule == MOT_RULE_BF16;
    int before = -1;
    if (run->comm->rank == MOT_ROOT && run->purpose == RUN_TRAIN && open) before = run_precision_before(run);
    mot_comm_bcast(run->comm, &before, sizeof before, MOT_ROOT);
    if (run->purpose == RUN_EVAL) before = (int)*rule;
    if (open && before == MOT_RULE_FP32) *rule = MOT_RULE_FP32;
    if (open && (before == MOT_RULE_BF16 || before == MOT_RULE_BF16_ALWAYS)) *rule = MOT_RULE_BF16_ALWAYS;
    const mot_status status = mot_model_choose_precision(&run->model);
    *rule = run->model.shape.precision == MOT_PRECISION_BF16 ? MOT_RULE_BF16_ALWAYS : MOT_RULE_FP32;
    return status;
}

/* Bytes that were allocated since `*held` were held, which becomes now. */
static size_t held_since(size_t *held)
{
    const size_t before = *held;
    *held = mot_memory_held();
    return *held - before;
}

mot_status run_open(mot_run *run, const mot_comm *comm, const mot_config *config, run_purpose purpose,
                    mot_schema *schema)
{
    mot_status status;
    memset(run, 0, sizeof *run);
    if (schema != NULL) {
        run->schema = *schema;
        *schema = (mot_schema){0};
    }
    run->comm = comm;
    run->config = *config;
    run->purpose = purpose;
    run->evaluated = run->last_eval.step = -1;
    MOT_TRY(mot_blas_agree(comm));
    if (purpose == RUN_TRAIN) {
        mot_watch_part("step", 0);
        mot_watch_phase("start");
        MOT_TRY(watchdog_start(&run->watchdog, comm, config->watch.warn, config->watch.abort));
    }
    MOT_TRY(look_around(comm, config->threads, &run->place));
    run->resident_before = mot_memory_resident().now;
    size_t held = mot_memory_held();
    status = mot_allocate(&run->load, (size_t)config->model.experts, sizeof *run->load, "loads");
    if (status == MOT_OK) status = run_open_data(run);
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(check_same_data(run));
    run->data_bytes = held_since(&held);

    mot_token_shape shape;
    mot_loss loss;
    describe_sources(run);
    status = mot_loss_init(&loss, mot_loss_kind_at(config->train.loss), mot_batch_target_bytes(&run->train),
                           run->classes);
    if (status == MOT_OK)
        status = mot_token_shape_of(&run->train.dataset->format, config->model.patch, &shape);
    if (status == MOT_OK)
        status = mot_model_create(&run->model, comm, &run->config, shape.tokens, shape.width,
                                  shape.vocabulary, loss.outputs, comm->size == 1);
    MOT_TRY(mot_comm_agree(comm, status));
    MOT_TRY(choose_precision(run));
    run->model_bytes = held_since(&held);
    MOT_TRY(mot_step_create(&run->step, &run->model, &run->train, &loss, run->groups,
                            purpose == RUN_BENCH ? run->config.train.batch
                                                 : MOT_MAX(run->config.train.batch, config->eval.batch),
                            run->place.threads));
    run->step_bytes = held_since(&held);
    watchdog_step(run->watchdog, run->step);
    if (purpose == RUN_TRAIN) run->copy_bytes = run_copy_bytes(run);
    if (purpose == RUN_BENCH || purpose == RUN_PREDICT) goto done;
    status = run_figures_create(run);
    if (comm->rank == MOT_ROOT && status == MOT_OK) {
        status = mot_config_text(&run->config, &run->config_text);
        if (status == MOT_OK) status = run_count_create(run);
        if (status == MOT_OK && purpose == RUN_TRAIN) status = run_health_create(run);
    }
    MOT_TRY(mot_comm_agree(comm, status));
    run->figure_bytes = held_since(&held);
done:
    if (status != MOT_OK) run_close(run);
    return status;
}

void run_close(mot_run *run)
{
    mot_saver_destroy(&run->saver);
    watchdog_stop(&run->watchdog);
    mot_record_close(&run->record);
    mot_lock_release(&run->lock);
    run_figures_destroy(run);
    run_count_destroy(&run->last_eval);
    run_health_destroy(run);
    mot_free(run->config_text);
    mot_free(run->former);
    mot_step_destroy(&run->step);
    mot_model_free(&run->model);
    mot_free(run->parent);
    mot_free(run->load);
    mot_dataset_close(&run->train_set);
    mot_dataset_close(&run->eval_set);
    mot_schema_free(&run->schema);
    memset(run, 0, sizeof *run); /* so that it may be closed again */
}

mot_state run_state(mot_run *run)
{
    mot_state state = mot_model_state(&run->model, &run->progress, run->config_text);
    state.dataset_checksum = run->dataset_checksum;
    state.run_id = run->id;
    state.progress.wall_s = run_seconds(run);
    state.more = run_write_schema;
    state.more_of = &run->schema;
    return state;
}

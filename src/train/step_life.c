/* How a step is made and unmade, and what it holds. */
#include "step_private.h"

#include <assert.h>

#include "mot/memory.h"

static mot_status create_root(mot_step *step)
{
    coordinator *root = &step->root;
    const mot_gate *gate = &step->model->layer->gate;
    /* Where nothing is chosen, the coordinator has neither scores nor rows of the gate. */
    const size_t B = step->most, K = step->K, R = step->reported, E = gate->experts,
                 scores = step->soft.on ? 0 : B * E, notes = step->soft.on ? 0 : B, ranks = (size_t)step->comm->size;
    const size_t kinds = (size_t)MOT_MAX(1, MOT_MAX(step->loss.classes, step->groups));
    const char *what = "the coordinator's arrays";
    mot_status status;
    MOT_TRY(mot_allocate(&root->gathered, notes, step->batch.note_bytes, what));
    MOT_TRY(mot_allocate(&root->counts, ranks, sizeof(int), what));
    MOT_TRY(mot_allocate(&root->places, ranks, sizeof(int), what));
    MOT_TRY(mot_allocate(&root->rank, ranks, sizeof *root->rank, what));
    MOT_TRY(mot_allocate(&root->sample, B, sizeof *root->sample, what));
    MOT_TRY(mot_allocate(&root->label, B, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&root->group, B, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&root->predicted, B, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&root->right, B, sizeof(bool), what));
    if (step->loss.head != NULL) MOT_TRY(mot_allocate(&root->unaided, B, sizeof(bool), what));
    MOT_TRY(mot_allocate(&root->g, gate->tokens > 0 ? 0 : B * mot_gate_row(gate), sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->id, B * gate->tokens, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&root->h, scores, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->p, scores, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->d_h, scores, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->kept, mot_gate_kept(gate, B), sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->d_weight, B * K, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->prob, B * K, sizeof(float), what));
    MOT_TRY(mot_allocate(&root->loss, B, sizeof(double), what));
    MOT_TRY(mot_allocate(&root->report, B * R, sizeof *root->report, what));
    MOT_TRY(mot_allocate(&root->reporter, B * R, sizeof(int), what));
    MOT_TRY(mot_allocate(&root->importance, E, sizeof(double), what));
    MOT_TRY(mot_allocate(&root->table, E * kinds, sizeof(int64_t), what));
done:
    return status;
}

static void free_root(coordinator *root)
{
    void *const arrays[] = {
        root->gathered, root->counts, root->places,        root->rank,     root->sample,
        root->label,    root->group,  root->predicted,     root->g,        root->id,
        root->h,        root->p,      root->d_h,           root->kept,     root->d_weight,
        root->prob,     root->loss,   root->report,        root->reporter, root->importance,
        root->table,    root->output, root->report_output, root->right,
        root->unaided};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

static mot_status create_chunks(mot_step *step)
{
    mot_status status;
    MOT_TRY(mot_allocate(&step->chunk, step->chunks, sizeof *step->chunk, "chunks"));
    for (size_t c = 0; c < step->chunks; ++c) {
        step_chunk *chunk = &step->chunk[c];
        if (step->split.on) MOT_TRY(mot_split_init(&chunk->split, &step->model->layer->placement));
        MOT_TRY(mot_plan_init(&chunk->plan, &step->model->layer->placement, &step->nodes));
        MOT_TRY(mot_exchange_init(&chunk->dispatch, step->comm, &step->nodes, step->wire.row_bytes));
        MOT_TRY(mot_exchange_init(&chunk->outputs, step->comm, &step->nodes, step->wire.output_bytes));
    }
done:
    return status;
}

static void free_chunks(mot_step *step)
{
    for (size_t c = 0; step->chunk != NULL && c < step->chunks; ++c) {
        step_chunk *chunk = &step->chunk[c];
        mot_plan_free(&chunk->plan);
        mot_split_free(&chunk->split);
        mot_exchange_free(&chunk->dispatch);
        mot_exchange_free(&chunk->outputs);
    }
    mot_free(step->chunk);
}

/* The choices travel as one message: status, experts, weights. */
static mot_status create_message(mot_step *step)
{
    const size_t rows = step->most * step->K,
                 weights = (sizeof(int64_t) + rows * sizeof(int32_t) + 7) / 8 * 8;
    step->choices.bytes = weights + rows * sizeof(mot_real);
    mot_status status;
    MOT_TRY(mot_allocate(&step->choices.message, step->choices.bytes, 1, "the choices"));
    step->choices.status = (int32_t *)(void *)step->choices.message;
    step->choices.expert = (int32_t *)(void *)(step->choices.message + sizeof(int64_t));
    step->choices.weight = (mot_real *)(void *)(step->choices.message + weights);
done:
    return status;
}

static mot_status create_worker(const mot_step *step, step_worker *worker)
{
    const mot_model *model = step->model;
    const mot_table *table = &model->layer->table;
    const size_t tile = step->tile, tokens = tile * step->shape.tokens, C = step->C, real = sizeof(mot_real);
    mot_status status;
    MOT_TRY(mot_arena_init(&worker->arena, model->layer->kind->workspace(&model->layer->shape)));
    MOT_TRY(mot_allocate(&worker->first, tile + 1, sizeof(size_t), "a tile"));
    MOT_TRY(mot_allocate(&worker->x, tokens * step->shape.width, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->id, tokens, sizeof(int32_t), "a tile"));
    MOT_TRY(mot_allocate(&worker->out, tile * C, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->d_out, tile * C, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->head, tile, sizeof *worker->head, "a tile"));
    MOT_TRY(mot_allocate(&worker->combined, C, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->sample, step->wire.samples != MOT_PAYLOAD_FP32 ? step->format.bytes : 0, 1,
                         "a sample"));
    MOT_TRY(mot_allocate(&worker->sum, table->count, real, "a strip's gradient"));
    MOT_TRY(mot_allocate(&worker->row, table->rows, sizeof(mot_real *), "a strip's gradient"));
done:
    return status;
}

static void free_worker(step_worker *worker)
{
    void *const arrays[] = {worker->first, worker->x,        worker->id,  worker->out, worker->d_out,
                            worker->head,  worker->combined, worker->sum, worker->row, worker->sample};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    mot_arena_free(&worker->arena);
}

/* Threads, what each of them needs, and the strips they share out. */
static mot_status create_workers(mot_step *step, int threads)
{
    const size_t E = (size_t)step->model->layer->experts, C = step->C,
                 units = step->model->units.count;
    mot_status status;
    MOT_TRY(mot_threads_create(&step->threads, threads));
    MOT_TRY(mot_allocate(&step->worker, (size_t)threads, sizeof *step->worker, "threads"));
    for (int t = 0; t < threads; ++t) MOT_TRY(create_worker(step, &step->worker[t]));
    step->strips.room = step->most * step->K / step->tile + (size_t)step->model->layer->experts;
    MOT_TRY(mot_allocate(&step->strips.strip, step->strips.room, sizeof *step->strips.strip, "strips"));
    MOT_TRY(mot_allocate(&step->strips.added, E, sizeof *step->strips.added, "strips"));
    MOT_TRY(mot_allocate(&step->due, units, sizeof *step->due, "units"));
    MOT_TRY(mot_allocate(&step->updated, units, sizeof *step->updated, "units"));
    MOT_TRY(mot_allocate(&step->home.combined, C, sizeof(mot_real), "a sample"));
    MOT_TRY(mot_allocate(&step->home.d_combined, C, sizeof(mot_real), "a sample"));
    MOT_TRY(mot_allocate(&step->home.output, C, sizeof(mot_real), "a sample"));
done:
    return status;
}

/* Joins the threads first: they may use all of it. */
static void free_workers(mot_step *step)
{
    const int threads = step->threads != NULL ? mot_threads_count(step->threads) : 0;
    mot_threads_destroy(&step->threads);
    for (int t = 0; step->worker != NULL && t < threads; ++t) free_worker(&step->worker[t]);
    void *const arrays[] = {step->worker,  step->strips.strip,  step->strips.added,    step->due,
                            step->updated, step->home.combined, step->home.d_combined, step->home.output};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

/* Ranks of one host exchange through memory that they share, if they can: a container a rank may keep them from it.
 * Collective. */
static mot_status choose_nodes(mot_step *step)
{
    const mot_comm *comm = step->comm;
    const mot_exchange_form form = step->model->config->route.exchange;
    const int host = mot_nodes_host(comm);
    const mot_status status = mot_nodes_init(&step->nodes, comm,
                                             form == MOT_EXCHANGE_DIRECT ? comm->rank : host);
    if (status != MOT_OK || form != MOT_EXCHANGE_AUTO) return status;
    mot_shared trial = {0};
    int all = mot_shared_resize(&trial, &step->nodes, 1, 0) == MOT_OK;
    mot_shared_free(&trial);
    mot_comm_allreduce(comm, &all, 1, MPI_INT, MPI_MIN);
    if (all) return MOT_OK;
    mot_nodes_free(&step->nodes);
    return mot_nodes_init(&step->nodes, comm, comm->rank);
}

/* One rank's part of the making; the caller agrees on the status. */
static mot_status create_here(mot_step *step, const mot_batch_source *reader, int threads)
{
    mot_status status;
    MOT_TRY(mot_batch_init(&step->batch, step->comm, &step->model->layer->gate, reader, step->most, step->chunks));
    MPI_Type_contiguous((int)step->batch.note_bytes, MPI_BYTE, &step->wire.note);
    MPI_Type_commit(&step->wire.note);
    MPI_Type_contiguous(sizeof(choice_report), MPI_BYTE, &step->wire.report);
    MPI_Type_commit(&step->wire.report);
    MOT_TRY(mot_step_split_create(step));
    MOT_TRY(create_chunks(step));
    MOT_TRY(create_message(step));
    MOT_TRY(create_workers(step, threads));
    MOT_TRY(mot_step_soft_create(step));
    step->reports.room = step->most * step->reported;
    MOT_TRY(mot_allocate(&step->reports.report, step->reports.room, sizeof(choice_report), "reports"));
    MOT_TRY(mot_allocate(&step->load, (size_t)step->model->layer->experts, sizeof(int64_t), "loads"));
    if (step->K > 1)
        MOT_TRY(mot_allocate(&step->home.row, step->most * step->K, sizeof(uint32_t), "reports"));
    if (step->comm->rank == MOT_ROOT) MOT_TRY(create_root(step));
done:
    return status;
}

static size_t up_to_16(size_t bytes)
{
    return (bytes + 15) / 16 * 16;
}

mot_status mot_step_create(mot_step **result, mot_model *model, const mot_batch_source *reader,
                           const mot_loss *loss, int groups, size_t most, int threads)
{
    mot_status status;
    mot_step *step = NULL;
    assert(loss->target_bytes == mot_batch_target_bytes(reader));
    status = mot_allocate(&step, 1, sizeof *step, "a step");
    MOT_TRY(mot_comm_agree(model->comm, status));
    step->model = model;
    step->comm = model->comm;
    step->format = reader->dataset->format;
    step->patch = reader->patch;
    step->loss = *loss;
    step->most = most;
    step->K = model->layer->gate.kind->spread ? 0 : mot_model_choices(model);
    step->reported = MOT_MAX(step->K, (size_t)1);
    step->C = loss->outputs;
    step->chunks = (size_t)model->config->route.chunks;
    step->wire.outputs = model->config->route.payload;
    step->wire.samples = step->format.element == MOT_ELEMENT_F32 ? step->wire.outputs : MOT_PAYLOAD_FP32;
    const size_t sample = step->wire.samples == MOT_PAYLOAD_FP32
                              ? step->format.bytes
                              : mot_payload_bytes(step->wire.samples, step->format.bytes / sizeof(float));
    step->wire.head_bytes = up_to_16(sizeof(row_head) + loss->target_bytes);
    step->wire.row_bytes = up_to_16(step->wire.head_bytes + sample);
    step->wire.output_bytes = mot_payload_bytes(step->wire.outputs, step->C);
    step->tile = model->layer->kind->tile(&model->layer->shape);
    step->strips.rows = mot_expert_strip(model->layer->kind, &model->layer->shape, &model->layer->table);
    step->groups = groups;
    step->wire.note = step->wire.report = step->wire.output = MPI_DATATYPE_NULL;
    (void)mot_token_shape_of(&step->format, step->patch, &step->shape); /* the model was made from it */
    MOT_TRY(choose_nodes(step));
    status = create_here(step, reader, threads);
    MOT_TRY(mot_comm_agree(model->comm, status));
    status = mot_batch_share(&step->batch, &step->nodes);
done:
    status = mot_comm_agree(model->comm, status);
    if (status != MOT_OK) mot_step_destroy(&step);
    *result = step;
    return status;
}

void mot_step_destroy(mot_step **handle)
{
    mot_step *step = *handle;
    *handle = NULL;
    if (step == NULL) return;
    free_root(&step->root);
    free_chunks(step);
    mot_batch_free(&step->batch);
    mot_nodes_free(&step->nodes);
    free_workers(step);
    mot_step_split_destroy(&step->split);
    mot_step_soft_destroy(&step->soft);
    mot_free(step->choices.message);
    mot_free(step->reports.report);
    mot_free(step->reports.output);
    mot_free(step->load);
    mot_free(step->home.row);
    if (step->wire.note != MPI_DATATYPE_NULL) MPI_Type_free(&step->wire.note);
    if (step->wire.report != MPI_DATATYPE_NULL) MPI_Type_free(&step->wire.report);
    if (step->wire.output != MPI_DATATYPE_NULL) MPI_Type_free(&step->wire.output);
    mot_free(step);
}

mot_status mot_step_keep_outputs(mot_step *step)
{
    static const char *const what = "outputs of samples";
    mot_status status;
    MPI_Type_contiguous((int)(step->C * sizeof(mot_real)), MPI_BYTE, &step->wire.output);
    MPI_Type_commit(&step->wire.output);
    MOT_TRY(mot_allocate(&step->reports.output, step->reports.room * step->C, sizeof(mot_real), what));
    if (step->comm->rank == MOT_ROOT) {
        coordinator *root = &step->root;
        MOT_TRY(mot_allocate(&root->report_output, step->reports.room * step->C, sizeof(mot_real), what));
        MOT_TRY(mot_allocate(&root->output, step->most * step->C, sizeof(mot_real), what));
    }
done:
    return mot_comm_agree(step->comm, status);
}

void mot_step_forget(mot_step *step)
{
    mot_batch_forget(&step->batch);
}

const mot_loss *mot_step_loss(const mot_step *step)
{
    return &step->loss;
}

const mot_nodes *mot_step_nodes(const mot_step *step)
{
    return &step->nodes;
}

mot_step_size mot_step_bytes(const mot_step *step)
{
    const size_t ranks = (size_t)step->comm->size, rows = step->most * step->K, home = rows / ranks + step->K,
                 owners = (size_t)mot_placement_workers(&step->model->layer->placement),
                 owner = step->model->layer->local > 0 ? rows / owners + 1 : 0,
                 output = step->K > 1 ? step->wire.output_bytes : 0;
    /* A row in a buffer on either side, with its entries in the plan: sample, choice, place, and at its owner its order. */
    const size_t row = step->wire.row_bytes + output + 3 * sizeof(int32_t);
    /* Of a thread: activations of a tile, its tokens, and a strip's gradient. */
    const size_t tile = step->tile * step->shape.tokens * (step->shape.width + 1) * sizeof(mot_real),
                 strip = step->model->layer->table.count * sizeof(mot_real),
                 threads = (size_t)mot_threads_count(step->threads);
    return (mot_step_size){.workspace = threads * (step->worker[0].arena.size + tile + strip),
                           .exchange = home * row + owner * (row + sizeof(uint32_t)) +
                                       (step->batch.shared.mapped ? step->batch.shared.size : 0),
                           .guests_most = mot_step_split_most(step),
                           .guests = mot_step_split_held(step),
                           .dispatch_row = step->wire.row_bytes,
                           .output_row = step->wire.output_bytes,
                           .most_rows = rows};
}

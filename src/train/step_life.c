/* How a step is made and unmade, and what it holds. */
#include "step_private.h"

#include <assert.h>

#include "mot/memory.h"

/* Of a layer: choices of a sample, experts. */
static size_t most_choices(const mot_step *step)
{
    size_t most = 1;
    for (int l = 0; l < step->model->layers; ++l) most = MOT_MAX(most, step->layer[l].K);
    return most;
}
static size_t most_experts(const mot_step *step)
{
    size_t most = 1;
    for (int l = 0; l < step->model->layers; ++l) most = MOT_MAX(most, (size_t)step->model->layer[l].experts);
    return most;
}

static mot_status create_root(mot_step *step)
{
    coordinator *root = &step->root;
    const size_t B = step->most, R = step->reported, E = most_experts(step),
                 notes = step->soft.on ? 0 : B, ranks = (size_t)step->comm->size,
                 kinds = (size_t)MOT_MAX(1, MOT_MAX(step->loss.classes, step->groups));
    const char *what = "the coordinator's arrays";
    mot_status status;
    MOT_TRY(mot_allocate_sparse(&root->gathered, notes, step->batch.note_bytes, what)); /* idle_bytes */
    MOT_TRY(mot_allocate(&root->counts, ranks, sizeof(int), what));
    MOT_TRY(mot_allocate(&root->places, ranks, sizeof(int), what));
    MOT_TRY(mot_allocate(&root->rank, ranks, sizeof *root->rank, what));
    MOT_TRY(mot_allocate(&root->before, ranks, sizeof *root->before, what));
    MOT_TRY(mot_allocate(&root->done, ranks, sizeof *root->done, what));
    MOT_TRY(mot_allocate(&root->sample, B, sizeof *root->sample, what));
    MOT_TRY(mot_allocate(&root->label, B, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&root->group, B, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&root->predicted, B, sizeof(int32_t), what));
    MOT_TRY(mot_allocate(&root->right, B, sizeof(bool), what));
    if (step->loss.head != NULL) MOT_TRY(mot_allocate(&root->unaided, B, sizeof(bool), what));
    MOT_TRY(mot_allocate(&root->loss, B, sizeof(double), what));
    MOT_TRY(mot_allocate(&root->report, B * R, sizeof *root->report, what));
    MOT_TRY(mot_allocate(&root->reporter, B * most_choices(step), sizeof(int), what));
    MOT_TRY(mot_allocate(&root->table, E * kinds, sizeof(int64_t), what));
done:
    return status;
}

static void free_root(coordinator *root)
{
    void *const arrays[] = {root->gathered, root->counts, root->places,        root->rank,   root->sample,
                            root->label,    root->group,  root->predicted,     root->loss,   root->report,
                            root->reporter, root->table,  root->report_output, root->output, root->right,
                            root->unaided,  root->before, root->done};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

static mot_status create_worker(const mot_step *step, step_worker *worker)
{
    const mot_model *model = step->model;
    const mot_table *table = &model->layer->table;
    const size_t tile = step->layer->tile, tokens = tile * step->shape.tokens, C = step->C, real = sizeof(mot_real);
    mot_status status;
    MOT_TRY(mot_arena_init(&worker->arena, model->layer->kind->workspace(&model->layer->shape) +
                                                mot_prepared_of_strip(model->layer->kind, &model->layer->shape)));
    MOT_TRY(mot_allocate(&worker->first, tile + 1, sizeof(size_t), "a tile"));
    MOT_TRY(mot_allocate(&worker->x, tokens * step->shape.width, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->id, tokens, sizeof(int32_t), "a tile"));
    MOT_TRY(mot_allocate(&worker->out, tile * C, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->d_out, tile * C, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->head, tile, sizeof *worker->head, "a tile"));
    MOT_TRY(mot_allocate(&worker->combined, C, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->sample, step->layer->wire.samples != MOT_PAYLOAD_FP32 ? step->format.bytes : 0, 1,
                         "a sample"));
    MOT_TRY(mot_allocate(&worker->sum, table->count, real, "a strip's gradient"));
    MOT_TRY(mot_allocate(&worker->row, table->rows, sizeof(mot_real *), "a strip's gradient"));
    if (table->words > 0)
        MOT_TRY(mot_allocate(&worker->met, mot_met_size(mot_table_vocabulary(table)), sizeof *worker->met, "words"));
done:
    return status;
}

static void free_worker(step_worker *worker)
{
    void *const arrays[] = {worker->first, worker->x,        worker->id,  worker->out, worker->d_out,
                            worker->head,  worker->combined, worker->sum, worker->row, worker->sample,
                            worker->met};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    mot_arena_free(&worker->arena);
}

/* Threads, what each of them needs, and the strips they share out. */
static mot_status create_workers(mot_step *step, int threads)
{
    const size_t C = step->C, units = step->model->units.count;
    mot_status status;
    MOT_TRY(mot_threads_create(&step->threads, threads));
    MOT_TRY(mot_allocate(&step->worker, (size_t)threads, sizeof *step->worker, "threads"));
    const bool alone = step->stack == NULL;
    for (int t = 0; alone && t < threads; ++t) MOT_TRY(create_worker(step, &step->worker[t]));
    if (alone) step->strips.room = step->most * step->layer->K / step->layer->tile + (size_t)step->model->layer->experts;
    MOT_TRY(mot_allocate(&step->strips.strip, step->strips.room, sizeof *step->strips.strip, "strips"));
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
    void *const arrays[] = {step->worker,  step->strips.strip,  step->due,
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
    const bool stack = step->model->flows > 0;
    if (stack) MOT_TRY(mot_stack_create(step, threads));
    MOT_TRY(mot_batch_init(&step->batch, step->comm, stack ? NULL : &step->model->layer->gate,
                           stack ? mot_stack_grain(step) : 1, reader, step->most, step->chunks));
    MPI_Type_contiguous((int)step->batch.note_unit, MPI_BYTE, &step->types.note);
    MPI_Type_commit(&step->types.note);
    MPI_Type_contiguous(sizeof(choice_report), MPI_BYTE, &step->types.report);
    MPI_Type_commit(&step->types.report);
    if (!stack) MOT_TRY(mot_step_split_create(step));
    if (!stack) {
        const mot_layer *of = step->layer->of;
        MOT_TRY(mot_step_layer_create(step, step->layer));
        MOT_TRY(mot_prepared_create(&step->layer->prepared, of->kind, &of->shape, (size_t)of->local));
    }
    MOT_TRY(create_workers(step, threads));
    MOT_TRY(mot_batch_make_ahead(&step->batch, step->comm, reader, step->threads));
    MOT_TRY(mot_step_soft_create(step));
    step->reports.room = step->most * step->reported;
    MOT_TRY(mot_allocate(&step->reports.report, step->reports.room, sizeof(choice_report), "reports"));
    if (step->stack != NULL || most_choices(step) > 1)
        MOT_TRY(mot_allocate(&step->home.row, step->most * most_choices(step), sizeof(uint32_t), "reports"));
    if (step->comm->rank == MOT_ROOT) MOT_TRY(create_root(step));
done:
    return status;
}

static size_t up_to_16(size_t bytes)
{
    return (bytes + 15) / 16 * 16;
}

/* Of a layer that has samples as they are stored, and whose experts give the loss what it wants. */
static void describe_layer(const mot_step *step, step_layer *layer, mot_layer *of)
{
    layer_wire *wire = &layer->wire;
    layer->of = of;
    layer->K = of->gate.kind->spread ? 0 : mot_layer_choices(of);
    layer->tile = of->kind->tile(&of->shape);
    layer->strip = mot_expert_strip(of->kind, &of->shape, &of->table);
    wire->outputs = of->route->payload;
    wire->samples = step->format.element == MOT_ELEMENT_F32 ? wire->outputs : MOT_PAYLOAD_FP32;
    const size_t sample = wire->samples == MOT_PAYLOAD_FP32
                              ? step->format.bytes
                              : mot_payload_bytes(wire->samples, step->format.bytes / sizeof(float));
    wire->head_bytes = up_to_16(sizeof(row_head) + step->loss.target_bytes);
    wire->row_bytes = up_to_16(wire->head_bytes + sample);
    wire->output_bytes = mot_payload_bytes(wire->outputs, step->C);
    wire->own_lengths = step->format.kind == MOT_SAMPLE_TEXT;
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
    step->C = loss->outputs;
    step->chunks = (size_t)model->config->route.chunks;
    step->groups = groups;
    mot_step_expect(step, reader->dataset, most, NULL, 0);
    step->types = (step_types){MPI_DATATYPE_NULL, MPI_DATATYPE_NULL, MPI_DATATYPE_NULL};
    (void)mot_token_shape_of(&step->format, step->patch, &step->shape); /* the model was made from it */
    status = mot_allocate(&step->layer, (size_t)model->layers, sizeof *step->layer, "layers");
    MOT_TRY(mot_comm_agree(model->comm, status));
    status = mot_allocate(&step->result, (size_t)model->layers, sizeof *step->result, "layers");
    MOT_TRY(mot_comm_agree(model->comm, status));
    if (model->flows == 0) describe_layer(step, step->layer, model->layer);
    step->reported = model->flows == 0 ? MOT_MAX(step->layer->K, (size_t)1) : 1;
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
    mot_batch_free(&step->batch);
    for (int l = 0; step->layer != NULL && l < step->model->layers; ++l) mot_step_layer_free(step, &step->layer[l]);
    mot_nodes_free(&step->nodes);
    free_workers(step);
    mot_free(step->layer);
    mot_free(step->result);
    mot_step_split_destroy(&step->split);
    mot_step_soft_destroy(&step->soft);
    mot_stack_destroy(step);
    mot_free(step->reports.report);
    mot_free(step->reports.output);
    mot_free(step->home.row);
    if (step->types.note != MPI_DATATYPE_NULL) MPI_Type_free(&step->types.note);
    if (step->types.report != MPI_DATATYPE_NULL) MPI_Type_free(&step->types.report);
    if (step->types.output != MPI_DATATYPE_NULL) MPI_Type_free(&step->types.output);
    mot_free(step);
}

mot_status mot_step_keep_outputs(mot_step *step)
{
    static const char *const what = "outputs of samples";
    mot_status status;
    MPI_Type_contiguous((int)(step->C * sizeof(mot_real)), MPI_BYTE, &step->types.output);
    MPI_Type_commit(&step->types.output);
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

void mot_step_expect(mot_step *step, const mot_dataset *train, size_t train_batch, const mot_dataset *eval, size_t eval_batch)
{
    step->comes[0].of = train;
    step->comes[0].batch = train_batch;
    step->comes[1].of = eval;
    step->comes[1].batch = eval_batch;
}

/* Tokens that `count` texts of a batch have at most. An epoch may end in a batch, so that each may be there once more. */
static size_t most_tokens(const mot_step *step, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < MOT_COUNT(step->comes); ++i) {
        const mot_dataset *of = step->comes[i].of;
        if (of == NULL || of->source == NULL || of->samples <= 0) continue;
        const size_t samples = (size_t)of->samples, batch = step->comes[i].batch;
        most = MOT_MAX(most, mot_dataset_most_tokens(of, MOT_MIN(count, batch), (batch + samples - 1) / samples + 1));
    }
    return most > 0 ? most : count * step->shape.tokens;
}

size_t mot_step_dispatch_bytes(const mot_step *step, size_t rows)
{
    const layer_wire *wire = &step->layer->wire;
    if (!wire->own_lengths || rows == 0) return rows * wire->row_bytes;
    const size_t samples = (rows + step->layer->K - 1) / step->layer->K;
    return step->layer->K * most_tokens(step, samples) * mot_element_bytes(step->format.element) +
           rows * (wire->head_bytes + MOT_UNIT_BYTES);
}

/* Of the batch and those that are loaded ahead, which are made as long as their texts. */
static size_t batch_bytes(const mot_step *step)
{
    const mot_batch *batch = &step->batch;
    if (!batch->own_lengths) return 0;
    const size_t count = step->most / (size_t)step->comm->size + 1, tokens = most_tokens(step, count),
                 notes = batch->note_unit != batch->note_bytes
                             ? tokens * sizeof(int32_t) + count * (batch->note_numbers + 8) + batch->note_bytes
                             : 0;
    return (batch->ahead != NULL ? 1 + MOT_BATCHES_READY : 1) * (tokens * mot_element_bytes(step->format.element) + notes);
}

/* What the coordinator has for notes and words that are all as long as the longest, and will not touch. */
static size_t idle_bytes(const mot_step *step)
{
    const size_t page = 4096, B = step->most, all = step->batch.note_bytes;
    if (step->comm->rank != MOT_ROOT || step->batch.note_unit == all) return 0;
    const size_t ids = most_tokens(step, B) * sizeof(int32_t), notes = ids + B * (step->batch.note_numbers + 8),
                 words = ids + B * 2 * page, rows = B * step->shape.tokens * sizeof(int32_t);
    return B * all - MOT_MIN(notes, B * all) + rows - MOT_MIN(words, rows);
}

mot_step_size mot_step_bytes(const mot_step *step)
{
    if (step->stack != NULL) return mot_stack_bytes(step);
    const size_t ranks = (size_t)step->comm->size, rows = step->most * step->layer->K, home = rows / ranks + step->layer->K,
                 owners = (size_t)mot_placement_workers(&step->model->layer->placement),
                 owner = step->model->layer->local > 0 ? rows / owners + 1 : 0,
                 output = step->layer->K > 1 ? step->layer->wire.output_bytes : 0;
    /* Beside a row in a buffer on either side, its entries in the plan: sample, choice, two places, and at its owner its order. */
    const size_t entries = output + 4 * sizeof(int32_t);
    const step_prepared *prepared = &step->layer->prepared;
    /* Of a thread: activations of a tile, its tokens, and a strip's gradient. */
    const size_t tile = step->layer->tile * step->shape.tokens * (step->shape.width + 1) * sizeof(mot_real),
                 strip = step->model->layer->table.count * sizeof(mot_real),
                 threads = (size_t)mot_threads_count(step->threads);
    size_t dispatched = 0;
    for (size_t c = 0; c < step->chunks; ++c)
        dispatched += mot_exchange_home_bytes(&step->layer->chunk[c].dispatch, &step->layer->chunk[c].plan);
    return (mot_step_size){.workspace = threads * (step->worker[0].arena.size + tile + strip) + prepared->created,
                           .prepared = prepared->bytes,
                           .exchange = home * entries + owner * (entries + sizeof(uint32_t)) + mot_step_dispatch_bytes(step, home) +
                                       mot_step_dispatch_bytes(step, owner) + batch_bytes(step) +
                                       (step->batch.shared.mapped ? step->batch.shared.size : 0),
                           .idle = idle_bytes(step),
                           .guests_most = mot_step_split_most(step),
                           .guests = mot_step_split_held(step) + prepared->room - prepared->created,
                           .dispatch_row = step->layer->wire.row_bytes,
                           .output_row = step->layer->wire.output_bytes,
                           .most_rows = rows,
                           .dispatched = dispatched,
                           .own_lengths = step->layer->wire.own_lengths};
}

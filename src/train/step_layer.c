/* A layer of experts in a step: its memory, and room for its rows. */
#include "step_private.h"

#include "mot/memory.h"

/* ---- memory ---- */

static mot_status create_chunks(mot_step *step, step_layer *layer)
{
    mot_status status;
    MOT_TRY(mot_allocate(&layer->chunk, step->chunks, sizeof *layer->chunk, "chunks"));
    for (size_t c = 0; c < step->chunks; ++c) {
        step_chunk *chunk = &layer->chunk[c];
        if (step->split.on) MOT_TRY(mot_split_init(&chunk->split, &layer->of->placement));
        MOT_TRY(mot_plan_init(&chunk->plan, &layer->of->placement, &step->nodes));
        MOT_TRY(mot_exchange_init(&chunk->dispatch, step->comm, &step->nodes, layer->wire.own_lengths ? 0 : layer->wire.row_bytes));
        MOT_TRY(mot_exchange_init(&chunk->outputs, step->comm, &step->nodes, layer->wire.output_bytes));
    }
done:
    return status;
}

static void free_chunks(const mot_step *step, step_layer *layer)
{
    for (size_t c = 0; layer->chunk != NULL && c < step->chunks; ++c) {
        step_chunk *chunk = &layer->chunk[c];
        mot_plan_free(&chunk->plan);
        mot_split_free(&chunk->split);
        mot_exchange_free(&chunk->dispatch);
        mot_exchange_free(&chunk->outputs);
    }
    mot_free(layer->chunk);
}

/* The choices travel as one message. */
static mot_status create_message(const mot_step *step, step_layer *layer)
{
    const size_t rows = step->most * layer->K,
                 weights = (sizeof(int64_t) + rows * sizeof(int32_t) + 7) / 8 * 8, units = weights + rows * sizeof(mot_real);
    layer_choices *choices = &layer->choices;
    choices->bytes = units + (layer->wire.own_lengths ? step->most * sizeof(uint32_t) : 0);
    mot_status status;
    MOT_TRY(mot_allocate(&choices->message, choices->bytes, 1, "the choices"));
    choices->status = (int32_t *)(void *)choices->message;
    choices->expert = (int32_t *)(void *)(choices->message + sizeof(int64_t));
    choices->weight = (mot_real *)(void *)(choices->message + weights);
    choices->units = layer->wire.own_lengths ? (uint32_t *)(void *)(choices->message + units) : NULL;
done:
    return status;
}

static mot_status create_root(const mot_step *step, step_layer *layer)
{
    layer_root *root = &layer->root;
    const mot_gate *gate = &layer->of->gate;
    /* Where nothing is chosen, the coordinator has neither scores nor rows of the gate. */
    const size_t B = step->most, K = layer->K, E = gate->experts, scores = K > 0 ? B * E : 0;
    const char *what = "the coordinator's arrays";
    mot_status status;
    MOT_TRY(mot_allocate(&root->g, gate->tokens > 0 ? 0 : B * mot_gate_row(gate), sizeof(mot_real), what));
    MOT_TRY(mot_allocate_sparse(&root->id, B * gate->tokens, sizeof(int32_t), what)); /* of each text only its own are written */
    MOT_TRY(mot_allocate(&root->h, scores, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->p, scores, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->d_h, scores, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->kept, mot_gate_kept(gate, B), sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->d_weight, B * K, sizeof(mot_real), what));
    MOT_TRY(mot_allocate(&root->prob, B * K, sizeof(float), what));
    MOT_TRY(mot_allocate(&root->importance, E, sizeof(double), what));
    if (gate->table.words > 0)
        MOT_TRY(mot_allocate(&root->met, mot_met_size(mot_table_vocabulary(&gate->table)), sizeof *root->met, what));
done:
    return status;
}

mot_status mot_step_layer_create(mot_step *step, step_layer *layer)
{
    mot_status status;
    MOT_TRY(create_chunks(step, layer));
    MOT_TRY(create_message(step, layer));
    MOT_TRY(mot_allocate(&layer->added, (size_t)layer->of->experts, sizeof *layer->added, "strips"));
    MOT_TRY(mot_allocate(&layer->load, (size_t)layer->of->experts, sizeof(int64_t), "loads"));
    if (step->comm->rank == MOT_ROOT) MOT_TRY(create_root(step, layer));
done:
    return status;
}

void mot_step_layer_free(const mot_step *step, step_layer *layer)
{
    const layer_root *root = &layer->root;
    void *const arrays[] = {root->g,    root->id,       root->h,      root->p,
                            root->d_h,  root->kept,     root->prob,   root->d_weight,
                            root->importance, root->d_g, root->met, layer->added, layer->load, layer->choices.message};
    free_chunks(step, layer);
    mot_prepared_free(&layer->prepared);
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

/* ---- rows ---- */

void mot_layer_find_rows(mot_step *step, const step_layer *layer, const step_chunk *chunk)
{
    const mot_plan *plan = &chunk->plan;
    for (size_t r = 0; r < plan->rows_home; ++r)
        step->home.row[(size_t)plan->home_sample[r] * layer->K + (size_t)plan->home_choice[r]] = (uint32_t)r;
}


/* Whether a plan has grown beyond all before it. `back`: outputs travel too. */
static bool grows(const mot_step *step, const step_layer *layer, bool back)
{
    for (size_t c = 0; c < step->chunks; ++c) {
        const step_chunk *chunk = &layer->chunk[c];
        if (!mot_exchange_fits(&chunk->dispatch, &chunk->plan)) return true;
        if (back && !mot_exchange_fits(&chunk->outputs, &chunk->plan)) return true;
    }
    return false;
}

/* Collective over the members of a node, which all go on to the end, whatever happens. */
static mot_status reserve(const mot_step *step, step_layer *layer, bool back)
{
    mot_status status = MOT_OK;
    for (size_t c = 0; c < step->chunks; ++c) {
        step_chunk *chunk = &layer->chunk[c];
        mot_status one = mot_exchange_reserve(&chunk->dispatch, &chunk->plan);
        if (one == MOT_OK && back) one = mot_exchange_reserve(&chunk->outputs, &chunk->plan);
        if (one != MOT_OK) status = one;
    }
    return status;
}

mot_status mot_layer_make_room(const mot_step *step, step_layer *layer, bool back, mot_status status)
{
    const mot_comm *comm = step->comm;
    /* Memory may have run out on one rank alone: nobody sends before all can receive. Here ranks also meet before they
     * write into what others have read in the step before. */
    int any[2] = {status != MOT_OK, status == MOT_OK && grows(step, layer, back)};
    mot_comm_allreduce(comm, any, 2, MPI_INT, MPI_MAX);
    if (any[0]) return mot_comm_agree(comm, status);
    return any[1] ? mot_comm_agree(comm, reserve(step, layer, back)) : MOT_OK;
}

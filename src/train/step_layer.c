/* A layer of experts in a step: its memory; and at the coordinator from features to scores, and to choices. */
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
        MOT_TRY(mot_exchange_init(&chunk->dispatch, step->comm, &step->nodes, layer->wire.row_bytes));
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

/* The choices travel as one message: status, experts, weights. */
static mot_status create_message(const mot_step *step, step_layer *layer)
{
    const size_t rows = step->most * layer->K,
                 weights = (sizeof(int64_t) + rows * sizeof(int32_t) + 7) / 8 * 8;
    layer_choices *choices = &layer->choices;
    choices->bytes = weights + rows * sizeof(mot_real);
    mot_status status;
    MOT_TRY(mot_allocate(&choices->message, choices->bytes, 1, "the choices"));
    choices->status = (int32_t *)(void *)choices->message;
    choices->expert = (int32_t *)(void *)(choices->message + sizeof(int64_t));
    choices->weight = (mot_real *)(void *)(choices->message + weights);
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
    MOT_TRY(mot_allocate(&root->id, B * gate->tokens, sizeof(int32_t), what));
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
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

/* ---- the coordinator ---- */

void mot_layer_take_features(const step_layer *layer, size_t position, const void *numbers)
{
    const mot_gate *gate = &layer->of->gate;
    const size_t row = mot_gate_row(gate);
    if (gate->tokens > 0)
        memcpy(layer->root.id + position * row, numbers, row * sizeof *layer->root.id);
    else
        memcpy(layer->root.g + position * row, numbers, row * sizeof *layer->root.g);
}

mot_choice_batch mot_layer_choice(const mot_step *step, const step_layer *layer, const mot_step_task *task)
{
    const coordinator *root = &step->root;
    return (mot_choice_batch){
        .n = step->batch.total,
        .E = (size_t)layer->of->experts,
        .K = layer->K,
        .h = layer->root.h,
        .bias = layer->of->balance_bias,
        .group = layer->of->gate.config->told == MOT_TOLD_LABEL ? root->label : root->group,
        .seed = step->model->config->seed,
        .step = task->stage != NULL ? task->number : -1,
        .first = task->first,
        .expert = layer->choices.expert,
        .weight = layer->choices.weight,
        .p = layer->root.p,
    };
}

static void leave_out(mot_real *h, size_t n, size_t E, int active, const bool *without)
{
    for (size_t b = 0; active > 0 && b < n; ++b)
        for (size_t e = (size_t)active; e < E; ++e) h[b * E + e] = MOT_LEFT_OUT;
    for (size_t b = 0; without != NULL && b < n; ++b)
        for (size_t e = 0; e < E; ++e)
            if (without[e]) h[b * E + e] = MOT_LEFT_OUT;
}

/* The words of the batch, whose rows of the gate catch up. */
static void meet_words(mot_step *step, const step_layer *layer)
{
    const mot_gate *gate = &layer->of->gate;
    const layer_root *root = &layer->root;
    if (root->met == NULL) return;
    mot_met_none(root->met, mot_table_vocabulary(&gate->table));
    mot_met_words(root->met, root->id, step->batch.total * gate->tokens); /* and the one that stands behind a text's end */
    mot_step_catch_up_met(step, &layer->of->gate_params, root->met);
}

void mot_layer_score(mot_step *step, const step_layer *layer, const mot_step_task *task)
{
    const mot_gate *gate = &layer->of->gate;
    const layer_root *root = &layer->root;
    const size_t n = step->batch.total;
    const bool texts = gate->tokens > 0;
    if (task->stage != NULL) meet_words(step, layer);
    mot_gate_forward(gate, &layer->of->gate_params, n, texts ? NULL : root->g, texts ? root->id : NULL, root->h,
                     root->kept);
    leave_out(root->h, n, gate->experts, task->active, task->without != NULL ? task->without[layer - step->layer] : NULL);
}

void mot_layer_choose(const mot_step *step, const step_layer *layer, const mot_step_task *task)
{
    const mot_choice_batch choice = mot_layer_choice(step, layer, task);
    const mot_route_config route = mot_layer_routing(layer, task);
    mot_choose(&route, layer->of->gate.kind, &choice);
}

void mot_layer_importance(const mot_step *step, step_layer *layer)
{
    const layer_root *root = &layer->root;
    const size_t n = step->batch.total, E = (size_t)layer->of->experts, K = layer->K;
    const mot_choice_batch choice = {.n = n, .E = E, .h = root->h, .p = root->p};
    layer->root.confidence = mot_choice_confidence(&choice);
    memset(root->importance, 0, E * sizeof *root->importance);
    for (size_t p = 0; p < n; ++p)
        for (size_t e = 0; e < E; ++e) root->importance[e] += root->p[p * E + e];
    for (size_t r = 0; r < n * K; ++r)
        root->prob[r] = root->p[r / K * E + (size_t)layer->choices.expert[r]];
}

static bool gate_learns(const step_layer *layer, const mot_step_task *task)
{
    return task->stage != NULL && mot_gate_learns(&layer->of->gate) && (task->stage->train >> MOT_PART_GATE & 1u);
}

mot_balance mot_layer_gate_gradient(const mot_step *step, const step_layer *layer, const mot_step_task *task,
                                    mot_real share)
{
    mot_layer *of = layer->of;
    const layer_root *root = &layer->root;
    const mot_route_config route = mot_layer_routing(layer, task);
    const mot_choice_batch choice = mot_layer_choice(step, layer, task);
    const bool texts = of->gate.tokens > 0, hands_on = task->stage != NULL && root->d_g != NULL;
    if (choice.K == 0) return (mot_balance){0}; /* a spread gate has its gradient */
    if (!gate_learns(layer, task) && !hands_on) return mot_balance_losses(&route, &choice, NULL);
    for (size_t r = 0; r < choice.n * choice.K; ++r) root->d_weight[r] *= share;
    mot_choose_backward(&route, &choice, root->d_weight, root->d_h);
    const mot_balance balance = mot_balance_losses(&route, &choice, root->d_h);
    if (root->met != NULL) mot_met_join(of->gate_params.met, root->met, mot_table_vocabulary(&of->gate.table));
    if (gate_learns(layer, task))
        mot_gate_learn_labels(&of->gate, &of->gate_params, choice.n, step->root.label, !task->look, root->kept);
    mot_gate_backward(&of->gate, &of->gate_params, choice.n, texts ? NULL : root->g, texts ? root->id : NULL, root->d_h,
                      root->kept, root->d_g);
    return balance;
}

mot_status mot_layer_learn_gate(const mot_step *step, const step_layer *layer, const mot_step_task *task)
{
    mot_layer *of = layer->of;
    const mot_route_config route = mot_layer_routing(layer, task);
    if (!gate_learns(layer, task) || task->look) return MOT_OK;
    const mot_status status = mot_step_learn(task, &step->model->units.unit[of->first_unit]);
    if (status != MOT_OK)
        return mot_fail(status, "step %" MOT_PRI_GIDX ": %s", task->number + 1, mot_error_message());
    /* Those that are not active are the last. */
    mot_balance_bias(&route, task->active > 0 ? (size_t)task->active : of->gate.experts, layer->load, of->balance_bias);
    return MOT_OK;
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

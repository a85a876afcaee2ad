/* What a step through several layers holds. Rooms grow with the rows that come, and stay. */
#include "mot/memory.h"
#include "step_stack.h"

/* Room for `need` elements, whatever there was being lost where it grows; then by a quarter at least, so that it soon grows no
 * more: who gets how many samples changes from step to step. */
static mot_status room(void *memory, size_t *have, size_t need, size_t size, const char *what)
{
    const size_t more = *have + *have / 4;
    void *old, *const none = NULL;
    if (need <= *have) return MOT_OK;
    memcpy(&old, memory, sizeof old);
    mot_free(old);
    memcpy(memory, &none, sizeof none);
    *have = 0;
    return mot_reserve(memory, have, MOT_MAX(need, more), size, what);
}

/* ---- stands ---- */

mot_status mot_stack_stand(const mot_step *step, stack_stand *stand, size_t count, size_t rows, size_t groups)
{
    static const char *const what = "samples of a layer";
    mot_status status = MOT_OK;
    if (stand->place == NULL) MOT_TRY(mot_allocate(&stand->place, step->most, sizeof *stand->place, what));
    if (count > stand->room || stand->first == NULL) {
        size_t have[5] = {0};
        stand->room = 0;
        MOT_TRY(room(&stand->position, &have[0], count, sizeof *stand->position, what));
        MOT_TRY(room(&stand->first, &have[1], count + 1, sizeof *stand->first, what));
        MOT_TRY(room(&stand->target, &have[2], count * step->loss.target_bytes, 1, what));
        MOT_TRY(room(&stand->weight, &have[3], count, sizeof *stand->weight, what));
        MOT_TRY(room(&stand->slot, &have[4], count, sizeof *stand->slot, what));
        stand->room = count;
    }
    MOT_TRY(room(&stand->d, &stand->row_room, rows * step->stack->D, sizeof *stand->d, what));
    MOT_TRY(room(&stand->group_first, &stand->group_room, groups + 1, sizeof *stand->group_first, what));
    stand->count = count;
    stand->groups = groups;
    stand->first[0] = stand->group_first[0] = 0;
done:
    return status;
}

static void free_stand(stack_stand *stand)
{
    void *const arrays[] = {stand->position, stand->place,  stand->first, stand->group_first,
                            stand->target,   stand->weight, stand->slot, stand->d};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

/* Rows that a sample at home has as a state; its words are noted. */
static size_t rows_of(const mot_step *step, size_t position)
{
    const mot_batch *batch = &step->batch;
    const mot_expert_shape *embed = step->stack->stage[0].shape;
    stack_worker *worker = step->stack->worker;
    size_t tokens = step->shape.tokens;
    if (step->shape.vocabulary > 0) {
        tokens = mot_batch_decode(&step->format, step->patch, step->shape.width,
                                  mot_batch_sample(batch, position), mot_batch_sample_bytes(batch, position), worker->x, worker->id);
        mot_met_words(step->stack->met, worker->id, tokens);
    }
    return mot_expert_rows(&mot_embed_kind, embed, tokens);
}

mot_status mot_stack_home(mot_step *step)
{
    const mot_batch *batch = &step->batch;
    step_stack *stack = step->stack;
    stack_stand *home = &stack->home;
    size_t s = 0, group = 0;
    const mot_status status = mot_stack_stand(step, home, batch->mine, batch->mine * stack->most_rows,
                                              batch->mine / stack->grain + step->chunks);
    if (status != MOT_OK) return status;
    if (stack->met != NULL) mot_met_none(stack->met, step->shape.vocabulary);
    for (size_t c = 0; c < step->chunks; ++c) {
        const size_t from = mot_chunk_first(batch, c), to = mot_chunk_first(batch, c + 1);
        for (size_t p = from; p < to; ++p) {
            if (batch->home[p] != step->comm->rank) continue;
            if ((p - from) % stack->grain == 0 && s > home->group_first[group]) home->group_first[++group] = s;
            home->position[s] = (uint32_t)p;
            home->place[p] = (uint32_t)s;
            memcpy(home->target + s * step->loss.target_bytes, mot_batch_note(batch, p)->target, step->loss.target_bytes);
            home->first[s + 1] = home->first[s] + rows_of(step, p);
            ++s;
        }
        if (s > home->group_first[group]) home->group_first[++group] = s;
    }
    home->groups = group;
    assert(s == home->count);
    return MOT_OK;
}

/* ---- a stage ---- */

static mot_status cut_strips(mot_step *step, stack_stage *stage)
{
    const stack_stand *there = stage->there;
    const size_t local = stage->layer != NULL ? (size_t)stage->layer->of->local : 0;
    mot_status status = MOT_OK;
    size_t *turn = step->stack->turn;
    stage->strips = stage->tiles = 0;
    memset(turn, 0, (local + 1) * sizeof *turn);
    for (size_t g = 0; g < there->groups; ++g) {
        const size_t end = there->group_first[g + 1];
        for (size_t s = there->group_first[g]; s < end; s += stage->strip_rows) {
            const size_t count = MOT_MIN(stage->strip_rows, end - s), owner = local > 0 ? g % local : 0;
            MOT_TRY(mot_reserve(&stage->strip, &stage->strip_room, stage->strips + 1, sizeof *stage->strip, "strips"));
            stage->strip[stage->strips++] = (stack_strip){owner, s, count, turn[owner]++, stage->tiles, 0};
            stage->tiles += (count + stage->tile - 1) / stage->tile;
        }
    }
done:
    return status;
}

/* Where each strip keeps what its tiles want again; behind them, what forward takes while it runs. */
static mot_status lay_arenas(stack_stage *stage)
{
    const size_t kept = stage->kind->kept != NULL ? stage->kind->kept(stage->shape) : 0,
                 beside = stage->kind->workspace(stage->shape) - kept;
    size_t bytes = 0;
    for (size_t i = 0; i < stage->strips; ++i) {
        stack_strip *strip = &stage->strip[i];
        strip->arena = bytes;
        bytes += (strip->count + stage->tile - 1) / stage->tile * kept + beside;
    }
    return room(&stage->arena, &stage->arena_room, bytes, 1, "activations");
}

static mot_status make_room(mot_step *step, stack_stage *stage, bool learn)
{
    static const char *const what = "states of a layer";
    const step_stack *stack = step->stack;
    const size_t D = stack->D, there = stage->there->count * stack->most_rows * D,
                 behind = stack_behind(stage)->count * stack->most_rows * D;
    mot_status status;
    MOT_TRY(cut_strips(step, stage));
    MOT_TRY(mot_prepared_begin(&stage->prepared, stack_units(stage), learn));
    MOT_TRY(room(&stage->relative, &stage->relative_room, stage->there->count + stage->tiles, sizeof *stage->relative,
                 what));
    MOT_TRY(room(&stage->kept, &stage->kept_room, stage->tiles, sizeof *stage->kept, what));
    if (stage->role != MOT_LAYER_HEAD && stage->of == NULL)
        MOT_TRY(room(&stage->out, &stage->out_size, behind, sizeof *stage->out, what));
    if (stage->layer != NULL) {
        const size_t reports = MOT_MAX(stage->there->count, stage->here->count * stage->layer->K);
        MOT_TRY(room(&stage->in_room, &stage->in_size, there, sizeof *stage->in_room, what));
        MOT_TRY(room(&stage->given, &stage->given_size, there, sizeof *stage->given, what));
        MOT_TRY(room(&stage->report, &stage->report_room, reports, sizeof *stage->report, what));
        stage->in = stage->in_room;
    }
    for (int s = 0; s < stage->shareds; ++s) MOT_TRY(make_room(step, &stage->shared[s], learn));
    if (!learn) goto done;
    if (stage->shareds > 0) MOT_TRY(room(&stage->past, &stage->past_size, behind, sizeof *stage->past, what));
    if (stage->dense != NULL) MOT_TRY(mot_stack_terms(stage));
    if (stage->keeps) MOT_TRY(lay_arenas(stage));
done:
    return status;
}

mot_status mot_stack_room(mot_step *step, stack_stage *stage, bool learn)
{
    const stack_stage *const end = step->stack->stage + step->stack->stages;
    mot_status status = make_room(step, stage++, learn);
    while (status == MOT_OK && stage < end && stage->layer == NULL) status = make_room(step, stage++, learn);
    return status;
}

static void free_stage(stack_stage *stage)
{
    void *const arrays[] = {stage->in_room,  stage->given,   stage->out,      stage->strip,   stage->relative,
                            stage->kept,     stage->arena,   stage->term,     stage->report,  stage->feature,
                            stage->features, stage->order,   stage->held,     stage->d_features, stage->all_reports,
                            stage->past,     stage->shared,  stage->met};
    for (int s = 0; s < stage->shareds; ++s) free_stage(&stage->shared[s]);
    mot_prepared_free(&stage->prepared);
    free_stand(&stage->owned);
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    MPI_Datatype *const types[] = {&stage->feature_type, &stage->report_type, &stage->row_type};
    for (size_t i = 0; i < MOT_COUNT(types); ++i)
        if (*types[i] != MPI_DATATYPE_NULL) MPI_Type_free(types[i]);
}

/* ---- the whole ---- */

static void make_type(MPI_Datatype *type, size_t bytes)
{
    MPI_Type_contiguous((int)bytes, MPI_BYTE, type);
    MPI_Type_commit(type);
}

/* Records that travel around the coordinator for the layer's gate, of so many samples at one rank at most. */
static mot_status create_records(mot_step *step, stack_stage *stage)
{
    const mot_gate *gate = &stage->layer->of->gate;
    const size_t B = step->most, row = mot_gate_row(gate) * sizeof(mot_real);
    const bool root = step->comm->rank == MOT_ROOT, states = gate->config->input == MOT_GATE_STATE;
    mot_status status;
    stage->feature_bytes = sizeof(uint64_t) + row;
    make_type(&stage->feature_type, stage->feature_bytes);
    make_type(&stage->report_type, sizeof(stack_report));
    make_type(&stage->row_type, row > 0 ? row : 1);
    MOT_TRY(mot_allocate(&stage->feature, B, stage->feature_bytes, "features for a gate"));
    if (states) MOT_TRY(mot_allocate(&stage->d_features, 2 * B, row, "gradients of a gate's features"));
    if (!root) goto done;
    MOT_TRY(mot_allocate(&stage->features, B, stage->feature_bytes, "features for a gate"));
    MOT_TRY(mot_allocate(&stage->order, B, sizeof *stage->order, "features for a gate"));
    MOT_TRY(mot_allocate(&stage->all_reports, B * stage->layer->K, sizeof *stage->all_reports, "reports"));
    if (states) MOT_TRY(mot_allocate(&stage->layer->root.d_g, B, row, "gradients of a gate's features"));
done:
    return status;
}

/* A layer's rows are states. */
static void describe_layer(const mot_step *step, step_layer *layer, mot_layer *of)
{
    const size_t state = mot_payload_bytes(of->route->payload, step->stack->most_rows * step->stack->D), to = 16,
                 head = sizeof(stack_head) + step->loss.target_bytes;
    layer->wire.samples = layer->wire.outputs = of->route->payload;
    layer->of = of;
    layer->K = mot_layer_choices(of);
    layer->tile = of->kind->tile(&of->shape);
    layer->strip = mot_expert_strip(of->kind, &of->shape, &of->table);
    layer->wire.head_bytes = (head + to - 1) / to * to;
    layer->wire.row_bytes = layer->wire.head_bytes + state;
    layer->wire.output_bytes = state;
}

/* The head then works tile by tile with the layer before it, and its strips are that one's. */
static void turn_before_head(step_stack *stack)
{
    stack_stage *head = &stack->stage[stack->stages - 1], *last = head - 1;
    last->turns = last->layer != NULL && last->layer->K == 1 && last->shareds == 0;
    if (!last->turns) return;
    last->tile = head->tile = MOT_MIN(last->tile, head->tile);
    head->strip_rows = last->strip_rows;
}

static mot_status create_stages(mot_step *step)
{
    const mot_model *model = step->model;
    step_stack *stack = step->stack;
    stack_stand *here = &stack->home;
    mot_status status = MOT_OK;
    for (int i = 0; i < model->flows; ++i) {
        const mot_flow *flow = &model->flow[i];
        stack_stage *stage = &stack->stage[i];
        *stage = (stack_stage){.role = flow->role, .here = here, .there = here,
                               .feature_type = MPI_DATATYPE_NULL, .report_type = MPI_DATATYPE_NULL,
                               .row_type = MPI_DATATYPE_NULL};
        ++stack->stages;
        if (flow->role == MOT_LAYER_EXPERTS) {
            mot_layer *of = &model->layer[flow->at];
            stage->layer = &step->layer[flow->at];
            stage->kind = of->kind;
            stage->shape = &of->shape;
            stage->table = &of->table;
            stage->residual = model->config->layer[i].residual;
            stage->there = &stage->owned;
            describe_layer(step, stage->layer, of);
            MOT_TRY(mot_step_layer_create(step, stage->layer));
            MOT_TRY(create_records(step, stage));
            MOT_TRY(mot_allocate(&stage->held, step->most, sizeof *stage->held, "a batch"));
            MOT_TRY(mot_stack_shared_create(step, stage));
            if (stage->layer->K == 1) here = stage->there;
        } else {
            mot_dense *dense = &model->dense[flow->at];
            stage->dense = dense;
            stage->kind = dense->kind;
            stage->shape = &dense->shape;
            stage->table = &dense->table;
        }
        stage->tile = stage->kind->tile(stage->shape);
        stage->strip_rows = mot_expert_strip(stage->kind, stage->shape, stage->table);
        for (int s = 0; s < stage->shareds; ++s) {
            stack_stage *shared = &stage->shared[s];
            shared->tile = stage->tile;
            shared->strip_rows = stage->strip_rows;
            MOT_TRY(mot_prepared_create(&shared->prepared, shared->kind, shared->shape, stack_units(shared)));
        }
        MOT_TRY(mot_prepared_create(&stage->prepared, stage->kind, stage->shape, stack_units(stage)));
    }
    turn_before_head(stack);
done:
    return status;
}

static mot_status create_worker(const mot_step *step, stack_worker *worker)
{
    const step_stack *stack = step->stack;
    const size_t real = sizeof(mot_real);
    size_t arena = 0, tile = 1, count = 0, rows = 0;
    mot_status status;
    for (int i = 0; i < stack->stages; ++i) {
        const stack_stage *stage = &stack->stage[i];
        arena = MOT_MAX(arena, stage->kind->workspace(stage->shape) + mot_prepared_of_strip(stage->kind, stage->shape));
        tile = MOT_MAX(tile, stage->tile);
        count = MOT_MAX(count, stage->table->count);
        rows = MOT_MAX(rows, stage->table->rows);
    }
    const stack_stage *head = &stack->stage[stack->stages - 1];
    if (head[-1].turns) /* what the experts keep waits while the head works */
        arena = MOT_MAX(arena, head[-1].kind->workspace(head[-1].shape) + head->kind->workspace(head->shape) +
                                   mot_prepared_of_strip(head[-1].kind, head[-1].shape));
    const size_t states = tile * stack->most_rows * stack->D, numbers = MOT_MAX(states, tile * step->C),
                 tokens = tile * step->shape.tokens;
    MOT_TRY(mot_arena_init(&worker->arena, arena));
    MOT_TRY(mot_allocate(&worker->first, tile + 1, sizeof *worker->first, "a tile"));
    MOT_TRY(mot_allocate(&worker->x, tokens * MOT_MAX(step->shape.width, (size_t)1), real, "a tile"));
    MOT_TRY(mot_allocate(&worker->id, tokens, sizeof *worker->id, "a tile"));
    MOT_TRY(mot_allocate(&worker->out, numbers, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->d, numbers, real, "a tile"));
    MOT_TRY(mot_allocate(&worker->sum, count, real, "a strip's gradient"));
    MOT_TRY(mot_allocate(&worker->row, rows, sizeof *worker->row, "a strip's gradient"));
    MOT_TRY(mot_allocate(&worker->head_row, head->table->rows, sizeof *worker->head_row, "a strip's gradient"));
done:
    return status;
}

static void free_worker(stack_worker *worker)
{
    void *const arrays[] = {worker->first, worker->x, worker->id, worker->out,
                            worker->d,     worker->sum, worker->row, worker->head_row};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    mot_arena_free(&worker->arena);
}

/* A grain is so small that a batch has sixteen where it can, a whole number of tiles of all that works at home, and no more than
 * a strip. */
static size_t choose_grain(const mot_step *step)
{
    const step_stack *stack = step->stack;
    size_t tile = 1, strip = SIZE_MAX;
    for (int i = 0; i < stack->stages && stack->stage[i].here == &stack->home; ++i) {
        tile = MOT_MAX(tile, stack->stage[i].tile);
        if (stack->stage[i].dense != NULL || (stack->stage[i].shareds > 0 && stack->stage[i].layer->K > 1))
            strip = MOT_MIN(strip, stack->stage[i].strip_rows);
    }
    const size_t share = step->model->config->train.batch / step->chunks / 16, wanted = share / tile * tile;
    return MOT_MAX(tile, MOT_MIN(wanted, strip));
}

static void choose_to_keep(const step_stack *stack, stack_stage *stage)
{
    stage->keeps = !stack->recompute && mot_stack_waits(stage);
    for (int s = 0; s < stage->shareds; ++s) choose_to_keep(stack, &stage->shared[s]);
}

mot_status mot_stack_create(mot_step *step, int threads)
{
    const mot_model *model = step->model;
    const mot_expert_shape *embed = &model->dense[0].shape;
    size_t most_local = 0;
    mot_status status;
    MOT_TRY(mot_allocate(&step->stack, 1, sizeof *step->stack, "layers"));
    step_stack *stack = step->stack;
    stack->D = embed->config->width;
    stack->most_rows = mot_expert_rows(&mot_embed_kind, embed, embed->tokens);
    MOT_TRY(mot_allocate(&stack->stage, (size_t)model->flows, sizeof *stack->stage, "layers"));
    MOT_TRY(create_stages(step));
    stack->grain = choose_grain(step);
    /* Which rank comes to which answer cannot be seen in the bits. */
    stack->recompute = model->config->recompute == MOT_RECOMPUTE_YES ||
                       (model->config->recompute == MOT_RECOMPUTE_AUTO &&
                        mot_stack_activations(step) > model->config->activation_memory);
    for (int i = 0; i < stack->stages; ++i) choose_to_keep(stack, &stack->stage[i]);
    for (int l = 0; l < model->layers; ++l) most_local = MOT_MAX(most_local, (size_t)model->layer[l].experts);
    MOT_TRY(mot_allocate(&stack->turn, most_local + 1, sizeof *stack->turn, "strips"));
    MOT_TRY(mot_allocate(&stack->holder, step->most, sizeof *stack->holder, "a batch"));
    if (model->dense[0].table.words > 0)
        MOT_TRY(mot_allocate(&stack->met, mot_met_size(step->shape.vocabulary), sizeof *stack->met, "words"));
    MOT_TRY(mot_allocate(&stack->count, 4 * (size_t)step->comm->size, sizeof *stack->count, "counts"));
    MOT_TRY(mot_allocate(&stack->worker, (size_t)threads, sizeof *stack->worker, "threads"));
    stack->workers = threads;
    for (int t = 0; t < threads; ++t) MOT_TRY(create_worker(step, &stack->worker[t]));
done:
    return status;
}

size_t mot_stack_grain(const mot_step *step)
{
    return step->stack->grain;
}

void mot_stack_destroy(mot_step *step)
{
    step_stack *stack = step->stack;
    if (stack == NULL) return;
    for (int t = 0; stack->worker != NULL && t < stack->workers; ++t) free_worker(&stack->worker[t]);
    for (int i = 0; i < stack->stages; ++i) free_stage(&stack->stage[i]);
    free_stand(&stack->home);
    void *const arrays[] = {stack->stage, stack->worker, stack->holder, stack->count, stack->turn, stack->met};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
    mot_free(stack);
}

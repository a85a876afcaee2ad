/* A layer of experts in a step through several: where states go, and what comes back. */
#include "mot/rowops.h"
#include "mot/tokens.h"
#include "step_stack.h"

/* ---- features: around the coordinator ---- */

/* Whose samples a gate is told of: those that come into the layer, or those at home. */
static const stack_stand *seen_by(const mot_step *step, const stack_stage *stage)
{
    return stage->layer->of->gate.config->input == MOT_GATE_STATE ? stage->here : &step->stack->home;
}

static void write_features(mot_step *step, stack_stage *stage)
{
    const mot_gate *gate = &stage->layer->of->gate;
    const stack_stand *seen = seen_by(step, stage);
    const mot_batch *batch = &step->batch;
    stack_worker *worker = step->stack->worker;
    const mot_real *states = seen == stage->here && seen->count > 0 ? stage[-1].out : NULL;
    for (size_t s = 0; s < seen->count; ++s) {
        unsigned char *record = stage->feature + s * stage->feature_bytes, *numbers = record + sizeof(uint64_t);
        const uint64_t position = seen->position[s];
        memcpy(record, &position, sizeof position);
        if (gate->config->input == MOT_GATE_STATE) {
            mot_gate_features(gate, (mot_real *)(void *)numbers, states + seen->first[s] * step->stack->D,
                              stack_rows(seen, s), step->stack->D);
            continue;
        }
        const size_t count =
            mot_batch_decode(&step->format, step->patch, step->shape.width,
                             mot_batch_sample(batch, position), mot_batch_sample_bytes(batch, position), worker->x, worker->id);
        mot_gate_describe(gate, numbers, worker->x, worker->id, count, step->shape.width);
    }
}

/* The root: from rank order to position order. */
static void spread_features(mot_step *step, const stack_stage *stage)
{
    for (size_t i = 0; i < step->batch.total; ++i) {
        const unsigned char *record = stage->features + i * stage->feature_bytes, *numbers = record + sizeof(uint64_t);
        uint64_t position;
        memcpy(&position, record, sizeof position);
        stage->order[i] = (uint32_t)position;
        mot_layer_take_features(stage->layer, position, numbers, mot_gate_row(&stage->layer->of->gate));
    }
}

static void choose(mot_step *step, stack_stage *stage, const mot_step_task *task)
{
    const mot_comm *comm = step->comm;
    step_layer *layer = stage->layer;
    const bool coordinates = comm->rank == MOT_ROOT, states = seen_by(step, stage) == stage->here;
    double since = mot_clock_s();
    write_features(step, stage);
    lap(step, MOT_PHASE_SCORE, &since);
    enter_meeting(step, MOT_PHASE_CHOOSE);
    if (coordinates) mot_step_count_rows(step, step->batch.total, states ? step->stack->holder : step->batch.home);
    mot_comm_gatherv(comm, stage->feature, (int)seen_by(step, stage)->count, stage->feature_type, stage->features,
                     step->root.counts, step->root.places);
    lap(step, MOT_PHASE_WAIT, &since);
    if (coordinates) {
        enter(MOT_PHASE_SCORE);
        *layer->choices.status = MOT_OK;
        spread_features(step, stage);
        mot_layer_score(step, layer, task);
        lap(step, MOT_PHASE_SCORE, &since);
        mot_layer_choose(step, layer, task);
        lap(step, MOT_PHASE_CHOOSE, &since);
    }
    mot_comm_bcast(comm, layer->choices.message, layer->choices.bytes, MOT_ROOT);
    lap(step, MOT_PHASE_WAIT, &since);
}

/* ---- the hop ---- */

/* Who sends what to whom, and room for it; this rank's own status. */
static mot_status plan(mot_step *step, stack_stage *stage, bool learn)
{
    step_layer *layer = stage->layer;
    const size_t K = layer->K, local = (size_t)layer->of->local;
    stack_stand *there = stage->there;
    size_t count = 0;
    mot_status status;
    for (size_t c = 0; c < step->chunks; ++c) {
        const size_t from = mot_chunk_first(&step->batch, c), n = mot_chunk_first(&step->batch, c + 1) - from;
        MOT_TRY(mot_plan_build(&layer->chunk[c].plan, &layer->of->placement, n, K, step->stack->holder + from,
                               layer->choices.expert + from * K, NULL, NULL));
        count += layer->chunk[c].plan.rows_owner;
    }
    MOT_TRY(mot_stack_stand(step, there, count, count * step->stack->most_rows, step->chunks * local));
    count = 0;
    for (size_t c = 0; c < step->chunks; ++c) {
        const mot_plan *of = &layer->chunk[c].plan;
        for (size_t e = 0; e < local; ++e)
            there->group_first[c * local + e + 1] = count + of->group_first[e + 1];
        count += of->rows_owner;
    }
    MOT_TRY(mot_stack_room(step, stage, learn));
done:
    return status;
}

static void dispatch(mot_step *step, stack_stage *stage, size_t c)
{
    const size_t K = stage->layer->K, D = step->stack->D, from = mot_chunk_first(&step->batch, c),
                 target = step->loss.target_bytes;
    const stack_stand *here = stage->here;
    const mot_real *states = stage[-1].out;
    step_chunk *chunk = &stage->layer->chunk[c];
    for (size_t r = 0; r < chunk->plan.rows_home; ++r) {
        const size_t p = from + (size_t)chunk->plan.home_sample[r], k = (size_t)chunk->plan.home_choice[r],
                     s = here->place[p], rows = stack_rows(here, s);
        unsigned char *row = mot_exchange_home(&chunk->dispatch, &chunk->plan, r);
        const stack_head head = {(uint32_t)p, (uint32_t)k, (uint32_t)rows, stage->layer->choices.weight[p * K + k]};
        memcpy(row, &head, sizeof head);
        memcpy(row + sizeof head, here->target + s * target, target);
        stack_pack(stage, states + here->first[s] * D, rows * D, row + stage->layer->wire.head_bytes);
    }
    mot_exchange_begin(&chunk->dispatch, &chunk->plan, MOT_DISPATCH);
}

/* Rows that have arrived become states, expert by expert. `base`: samples of the chunks before. */
static void arrive(mot_step *step, stack_stage *stage, size_t c, size_t base)
{
    const size_t D = step->stack->D, target = step->loss.target_bytes;
    stack_stand *there = stage->there;
    step_chunk *chunk = &stage->layer->chunk[c];
    const bool back = stage->back;
    for (size_t i = 0; i < chunk->plan.rows_owner; ++i) {
        const size_t s = base + i;
        const unsigned char *row = mot_exchange_owner(&chunk->dispatch, &chunk->plan, chunk->plan.row[i]);
        stack_head head;
        memcpy(&head, row, sizeof head);
        there->position[s] = head.position;
        there->place[head.position] = (uint32_t)s;
        there->weight[s] = head.weight;
        there->first[s + 1] = there->first[s] + head.rows;
        there->slot[s] = back ? mot_exchange_owner(&chunk->outputs, &chunk->plan, chunk->plan.row[i]) : NULL;
        memcpy(there->target + s * target, row + sizeof head, target);
        mot_payload_unpack(stage->layer->wire.outputs, head.rows * D, row + stage->layer->wire.head_bytes,
                           stage->in_room + there->first[s] * D);
    }
}

/* The strips of a chunk are [*from, *to): those that begin before sample `end`. */
static void strips_of(const stack_stage *stage, size_t end, size_t *from, size_t *to)
{
    *from = *to;
    while (*to < stage->strips && stage->strip[*to].first < end) ++*to;
}

/* K > 1: y = x + sum_k w_k (h_k - x), or the sum of w_k h_k, in the order of the choices. */
static void combine(mot_step *step, stack_stage *stage, size_t c)
{
    const size_t K = stage->layer->K, D = step->stack->D, from = mot_chunk_first(&step->batch, c);
    const stack_stand *here = stage->here;
    const mot_real *states = stage[-1].out;
    mot_real *room = step->stack->worker->out;
    step_chunk *chunk = &stage->layer->chunk[c];
    mot_layer_find_rows(step, stage->layer, chunk);
    for (size_t p = from; p < mot_chunk_first(&step->batch, c + 1); ++p) {
        if (step->stack->holder[p] != step->comm->rank) continue;
        const size_t s = here->place[p], at = here->first[s] * D, numbers = stack_rows(here, s) * D;
        const mot_real *x = states + at;
        mot_real *y = stage->out + at;
        if (stage->residual && stage->shareds == 0) /* else shared experts made y of x */
            memcpy(y, x, numbers * sizeof *y);
        else if (stage->shareds == 0)
            memset(y, 0, numbers * sizeof *y);
        for (size_t k = 0; k < K; ++k) {
            const mot_real w = stage->layer->choices.weight[p * K + k];
            const mot_real *h = stack_unpack(
                stage, mot_exchange_home(&chunk->outputs, &chunk->plan, step->home.row[(p - from) * K + k]), numbers, room);
            for (size_t i = 0; i < numbers; ++i) y[i] += stage->residual ? w * (h[i] - x[i]) : w * h[i];
        }
    }
}

/* Over the strips [from, to) of the stand where y is made, before what the chosen experts gave is added to it. */
static void forward_shared(mot_step *step, stack_stage *stage, size_t from, size_t to, bool learn)
{
    for (int s = 0; s < stage->shareds; ++s) {
        stage->shared[s].in = stage->layer->K > 1 ? stage[-1].out : stage->in;
        mot_stack_forward(step, &stage->shared[s], from, to, learn);
    }
}

mot_status mot_stack_hop(mot_step *step, stack_stage *stage, const mot_step_task *task, bool learn)
{
    step_layer *layer = stage->layer;
    const bool together = layer->K > 1;
    size_t base = 0, from = 0, to = 0;
    stage->back = learn || together;
    choose(step, stage, task);
    double since = mot_clock_s();
    enter(MOT_PHASE_DISPATCH);
    mot_status status = mot_layer_make_room(step, layer, stage->back, plan(step, stage, learn));
    if (status != MOT_OK) return status;
    for (size_t c = 0; c < step->chunks; ++c) dispatch(step, stage, c);
    lap(step, MOT_PHASE_DISPATCH, &since);
    if (together && stage->shareds > 0) {
        enter(MOT_PHASE_EXPERT);
        forward_shared(step, stage, 0, stage->shared->strips, learn);
        lap(step, MOT_PHASE_EXPERT, &since);
    }
    for (size_t c = 0; c < step->chunks; ++c) {
        enter_exchange(MOT_PHASE_DISPATCH);
        mot_exchange_end(&layer->chunk[c].dispatch);
        arrive(step, stage, c, base);
        base += layer->chunk[c].plan.rows_owner;
        lap(step, MOT_PHASE_DISPATCH, &since);
        enter(MOT_PHASE_EXPERT);
        strips_of(stage, base, &from, &to);
        if (!together) forward_shared(step, stage, from, to, learn); /* the same strips: they are of one form */
        mot_stack_forward(step, stage, from, to, learn);
        lap(step, MOT_PHASE_EXPERT, &since);
        if (together) mot_exchange_begin(&layer->chunk[c].outputs, &layer->chunk[c].plan, MOT_COMBINE);
        lap(step, MOT_PHASE_COMBINE, &since);
    }
    for (size_t c = 0; c < step->chunks && together; ++c) {
        enter_exchange(MOT_PHASE_COMBINE);
        mot_exchange_end(&layer->chunk[c].outputs);
        combine(step, stage, c);
        lap(step, MOT_PHASE_COMBINE, &since);
    }
    for (size_t p = 0; p < step->batch.total; ++p) {
        stage->held[p] = step->stack->holder[p];
        if (!together) /* samples are with their experts now */
            step->stack->holder[p] = layer->of->placement.owner[layer->choices.expert[p]];
    }
    return MOT_OK;
}

/* ---- the way back ---- */

/* K > 1, at home: d_weight, and w_k d of y for each expert, in the place of what it gave. */
static void part(mot_step *step, stack_stage *stage, size_t c)
{
    const size_t K = stage->layer->K, D = step->stack->D, from = mot_chunk_first(&step->batch, c);
    const stack_stand *here = stage->here;
    const mot_real *states = stage[-1].out;
    mot_real *room = step->stack->worker->out;
    step_chunk *chunk = &stage->layer->chunk[c];
    for (size_t r = 0; r < chunk->plan.rows_home; ++r) {
        const size_t p = from + (size_t)chunk->plan.home_sample[r], k = (size_t)chunk->plan.home_choice[r],
                     s = here->place[p], at = here->first[s] * D, numbers = stack_rows(here, s) * D;
        const mot_real *d_y = here->d + at, *x = states + at, w = stage->layer->choices.weight[p * K + k];
        void *row = mot_exchange_home(&chunk->outputs, &chunk->plan, r);
        const mot_real *h = stack_unpack(stage, row, numbers, room);
        const mot_real by_h = mot_row_dot(d_y, h, numbers);
        stage->report[stage->reports++] = (stack_report){
            (uint32_t)p, (uint32_t)k, stage->residual ? by_h - mot_row_dot(d_y, x, numbers) : by_h};
        for (size_t i = 0; i < numbers; ++i) room[i] = w * d_y[i];
        stack_pack(stage, room, numbers, row);
    }
}

/* d of x, where x came from. */
static void gather(mot_step *step, stack_stage *stage, size_t c)
{
    const size_t K = stage->layer->K, D = step->stack->D, from = mot_chunk_first(&step->batch, c);
    const stack_stand *here = stage->here;
    step_chunk *chunk = &stage->layer->chunk[c];
    mot_layer_find_rows(step, stage->layer, chunk);
    for (size_t p = from; p < mot_chunk_first(&step->batch, c + 1); ++p) {
        if (stage->held[p] != step->comm->rank) continue;
        const size_t s = here->place[p], numbers = stack_rows(here, s) * D;
        mot_real *d = here->d + here->first[s] * D, left = stage->residual && K > 1 ? 1 : 0;
        for (size_t k = 0; k < K && left != 0; ++k) left -= stage->layer->choices.weight[p * K + k];
        if (stage->residual && K > 1) left -= (mot_real)stage->shareds;
        for (size_t i = 0; i < numbers; ++i) d[i] = left != 0 ? left * d[i] : 0;
        if (stage->shareds > 0 && K > 1) mot_row_add(d, stage->past + here->first[s] * D, numbers);
        for (size_t k = 0; k < K; ++k)
            mot_row_add(d, stack_unpack(stage, mot_exchange_home(&chunk->outputs, &chunk->plan, step->home.row[(p - from) * K + k]),
                                        numbers, step->stack->worker->out),
                        numbers);
    }
}

/* The root: who reports of how many (sample, choice): K = 1: who worked on it; K > 1: who has the sample. */
static void count_reports(mot_step *step, const stack_stage *stage)
{
    const step_layer *layer = stage->layer;
    int *reporter = step->root.reporter;
    for (size_t r = 0; r < step->batch.total * layer->K; ++r)
        reporter[r] = layer->K == 1 ? layer->of->placement.owner[layer->choices.expert[r]] : stage->held[r / layer->K];
    mot_step_count_rows(step, step->batch.total * layer->K, reporter);
}

/* The root: the gate's gradient from what all ranks report of their samples' weights. */
static void learn_gate(mot_step *step, stack_stage *stage, const mot_step_task *task)
{
    step_layer *layer = stage->layer;
    for (size_t i = 0; i < step->batch.total * layer->K; ++i) {
        const stack_report *report = &stage->all_reports[i];
        layer->root.d_weight[(size_t)report->position * layer->K + report->choice] = report->d_weight;
    }
    layer->z_loss = mot_layer_gate_gradient(step, layer, task, 1);
}

/* d by the features goes back to the states that they are the mean of. */
static void spread_gradient(mot_step *step, stack_stage *stage)
{
    const mot_comm *comm = step->comm;
    const size_t F = step->stack->D, ranks = (size_t)comm->size;
    const stack_stand *here = stage->here;
    mot_real *sent = stage->d_features, *got = stage->d_features + step->most * F;
    int *counts = step->stack->count, *places = counts + ranks, *all_counts = places + ranks,
        *all_places = all_counts + ranks;
    memset(counts, 0, 4 * ranks * sizeof *counts);
    if (comm->rank == MOT_ROOT) {
        for (size_t i = 0; i < step->batch.total; ++i)
            memcpy(sent + i * F, stage->layer->root.d_g + (size_t)stage->order[i] * F, F * sizeof *sent);
        for (size_t p = 0; p < step->batch.total; ++p) ++counts[stage->held[p]];
        for (size_t r = 1; r < ranks; ++r) places[r] = places[r - 1] + counts[r - 1];
    }
    all_counts[MOT_ROOT] = (int)here->count;
    for (size_t r = MOT_ROOT + 1; r < ranks; ++r) all_places[r] = (int)here->count;
    mot_comm_alltoallv(comm, sent, counts, places, got, all_counts, all_places, stage->row_type);
    for (size_t s = 0; s < here->count; ++s) {
        const size_t rows = stack_rows(here, s);
        for (size_t r = 0; r < rows; ++r)
            mot_row_axpy(here->d + (here->first[s] + r) * F, 1 / (mot_real)rows, got + s * F, F);
    }
}

void mot_stack_hop_back(mot_step *step, stack_stage *stage, const mot_step_task *task)
{
    const mot_comm *comm = step->comm;
    step_layer *layer = stage->layer;
    const bool together = layer->K > 1;
    size_t from = 0, to = 0, base = 0;
    double since = mot_clock_s();
    stage->reports = together ? 0 : stage->there->count;
    for (size_t c = 0; c < step->chunks && together; ++c) {
        enter(MOT_PHASE_LOSS);
        part(step, stage, c);
        lap(step, MOT_PHASE_LOSS, &since);
        mot_exchange_begin(&layer->chunk[c].outputs, &layer->chunk[c].plan, MOT_DISPATCH);
        lap(step, MOT_PHASE_RETURN, &since);
    }
    if (stage->shareds > 0) {
        enter(MOT_PHASE_EXPERT);
        for (int s = 0; s < stage->shareds; ++s) mot_stack_backward(step, &stage->shared[s], 0, stage->shared[s].strips);
        lap(step, MOT_PHASE_EXPERT, &since);
    }
    for (size_t c = 0; c < step->chunks; ++c) {
        step_chunk *chunk = &layer->chunk[c];
        enter_exchange(MOT_PHASE_RETURN);
        if (together) mot_exchange_end(&chunk->outputs);
        lap(step, MOT_PHASE_RETURN, &since);
        base += chunk->plan.rows_owner;
        enter(MOT_PHASE_EXPERT);
        strips_of(stage, base, &from, &to);
        mot_stack_backward(step, stage, from, to);
        lap(step, MOT_PHASE_EXPERT, &since);
        mot_exchange_begin(&chunk->outputs, &chunk->plan, MOT_COMBINE);
        lap(step, MOT_PHASE_RETURN, &since);
    }
    for (size_t c = 0; c < step->chunks; ++c) {
        enter_exchange(MOT_PHASE_RETURN);
        mot_exchange_end(&layer->chunk[c].outputs);
        gather(step, stage, c);
        lap(step, MOT_PHASE_RETURN, &since);
    }
    enter_meeting(step, MOT_PHASE_REPORT);
    if (comm->rank == MOT_ROOT) count_reports(step, stage);
    mot_comm_gatherv(comm, stage->report, (int)stage->reports, stage->report_type, stage->all_reports, step->root.counts,
                     step->root.places);
    lap(step, MOT_PHASE_WAIT, &since);
    if (comm->rank == MOT_ROOT) learn_gate(step, stage, task);
    lap(step, MOT_PHASE_REPORT, &since);
    if (layer->of->gate.config->input == MOT_GATE_STATE) spread_gradient(step, stage);
    lap(step, MOT_PHASE_WAIT, &since);
}

/* What is done to the states that are here, strip by strip; threads share them out. */
#include "mot/rowops.h"
#include "mot/tokens.h"
#include "step_stack.h"

typedef struct stage_work {
    mot_step *step;
    stack_stage *stage, *head;
    size_t from; /* the first strip */
    bool learn;
} stage_work;

static const mot_real *const *weight_of(const stack_stage *stage, const stack_strip *strip)
{
    return stage->dense != NULL ? stage->dense->weight
                                : stage->layer->of->weight + strip->group * stage->table->rows;
}

/* Samples [first, first + n) of the stand, as the stage takes them. */
static mot_tile take_tile(const stage_work *work, stack_worker *worker, size_t first, size_t n, size_t *relative)
{
    const mot_step *step = work->step;
    const stack_stage *stage = work->stage;
    const stack_stand *stand = stage->there;
    const mot_batch *batch = &step->batch;
    if (stage->role != MOT_LAYER_EMBED) {
        for (size_t s = 0; s <= n; ++s) relative[s] = stand->first[first + s] - stand->first[first];
        return (mot_tile){.samples = n, .first = relative, .x = stage->in + stand->first[first] * step->stack->D};
    }
    size_t used = relative[0] = 0;
    for (size_t s = 0; s < n; ++s) {
        const size_t position = stand->position[first + s];
        used += mot_batch_decode(&step->format, step->patch, step->shape.width, mot_batch_sample(batch, position),
                                 mot_batch_sample_bytes(batch, position), worker->x + used * step->shape.width, worker->id + used);
        relative[s + 1] = used;
    }
    const bool texts = step->shape.vocabulary > 0;
    return (mot_tile){.samples = n, .first = relative, .x = texts ? NULL : worker->x, .id = texts ? worker->id : NULL};
}

/* A tile of a strip, and whose it is. */
typedef struct strip_tile {
    const stage_work *work;
    stack_worker *worker;
    const stack_strip *strip;
    size_t first, n, number; /* samples [first, first + n) of the stand; `number`: among the stage's tiles */
    mot_tile rows;
} strip_tile;

typedef void tile_work(const strip_tile *of, void *context);

static void for_tiles(const stage_work *work, const stack_strip *strip, int thread, tile_work *what, void *context)
{
    mot_step *step = work->step;
    const stack_stage *stage = work->stage;
    stack_worker *worker = &step->stack->worker[thread];
    strip_tile of = {work, worker, strip, .number = strip->tile};
    const double start = mot_clock_s();
    const void *prepared = mot_prepared_for(&stage->prepared, &worker->before, &worker->arena, weight_of(stage, strip), strip->group,
                                            (strip->count + stage->tile - 1) / stage->tile, work->learn);
    for (size_t done = 0; done < strip->count; done += stage->tile, ++of.number) {
        of.first = strip->first + done;
        of.n = MOT_MIN(stage->tile, strip->count - done);
        of.rows = take_tile(work, worker, of.first, of.n, stage->relative + of.first + of.number);
        of.rows.prepared = prepared;
        what(&of, context);
        mot_watch_progress();
        if (thread == 0) mot_step_progress(step);
    }
    worker->busy_s += mot_clock_s() - start;
}

static void count_forward(const strip_tile *of, const stack_stage *stage)
{
    of->worker->flops += mot_expert_tile_flops(stage->kind, stage->shape, &of->rows);
}

static void count_backward(const strip_tile *of, const stack_stage *stage)
{
    of->worker->flops += mot_expert_tile_backward_flops(stage->kind, stage->shape, &of->rows, of->work->step->learns);
}

/* ---- forward ---- */

/* K = 1: y = x + w (h - x), or w h; K > 1: h goes home. h is what the expert's blocks made of x. */
static void give_back(const stage_work *work, size_t first, size_t n)
{
    const mot_step *step = work->step;
    stack_stage *stage = work->stage;
    const stack_stand *there = stage->there;
    const size_t D = step->stack->D;
    for (size_t s = first; s < first + n; ++s) {
        const size_t from = there->first[s] * D, numbers = stack_rows(there, s) * D;
        const mot_real *x = stage->in + from, *h = stage->given + from, w = there->weight[s];
        mot_real *y = stage->out + from;
        const mot_real *past = stage->shareds > 0 ? y : x; /* what shared experts made of x */
        if (stage->layer->K > 1) {
            stack_pack(stage, h, numbers, there->slot[s]);
            continue;
        }
        if (!stage->residual && stage->shareds == 0)
            for (size_t i = 0; i < numbers; ++i) y[i] = w * h[i];
        else
            for (size_t i = 0; i < numbers; ++i) y[i] = past[i] + w * (stage->residual ? h[i] - x[i] : h[i]);
    }
}

/* What forward keeps of the tile, in `arena`; without one nothing is kept. */
static void *forward_tile(const strip_tile *of, mot_arena *arena)
{
    const stack_stage *stage = of->work->stage;
    const size_t D = of->work->step->stack->D, at = stage->there->first[of->first] * D;
    mot_real *out = stage->of != NULL ? mot_stack_shared_out(stage, of->worker, at)
                    : stage->layer != NULL ? stage->given + at
                                           : stage->out + at;
    void *kept = stage->kind->forward(stage->shape, weight_of(stage, of->strip), &of->rows,
                                      arena != NULL ? arena : &of->worker->arena, arena != NULL, out);
    if (stage->layer != NULL) give_back(of->work, of->first, of->n);
    if (stage->of != NULL) mot_stack_shared_add(stage, of->worker, at, of->rows.first[of->n] * D);
    count_forward(of, stage);
    return kept;
}

/* Of samples that have the strip's expert as their first choice. */
static void look_at_tile(const strip_tile *of)
{
    const mot_step *step = of->work->step;
    const stack_stage *stage = of->work->stage;
    const step_layer *layer = stage->layer;
    const mot_placement *placement = &layer->of->placement;
    const int expert = placement->local[placement->first[step->comm->rank] + (int)of->strip->group];
    for (size_t s = 0; s < of->n; ++s) {
        const size_t position = stage->there->position[of->first + s];
        if (layer->choices.expert[position * layer->K] == expert)
            mot_step_look(step, layer, weight_of(stage, of->strip), &of->rows, s, position, &of->worker->arena, of->worker->out);
    }
}

static void forward_one(const strip_tile *of, void *arena)
{
    const stack_stage *stage = of->work->stage;
    stage->kept[of->number] = forward_tile(of, arena);
    if (of->work->step->attention != NULL && stage->layer != NULL) look_at_tile(of);
}

static void forward_strip(void *context, size_t task, int thread)
{
    const stage_work *work = context;
    const stack_stage *stage = work->stage;
    const stack_strip *strip = &stage->strip[work->from + task];
    mot_arena own = {.base = stage->arena + strip->arena, .size = SIZE_MAX}; /* as it was laid for the strip */
    for_tiles(work, strip, thread, forward_one, work->learn && stage->keeps ? &own : NULL);
}

/* ---- backward ---- */

/* d of h, from d of y (K = 1) or as it came; and d_weight. */
static void take_gradient(const stage_work *work, stack_worker *worker, size_t first, size_t n)
{
    const mot_step *step = work->step;
    stack_stage *stage = work->stage;
    const stack_stand *there = stage->there;
    const size_t D = step->stack->D;
    for (size_t s = first; s < first + n; ++s) {
        const size_t from = there->first[s] * D, numbers = stack_rows(there, s) * D;
        const mot_real *x = stage->in + from, *h = stage->given + from, *d_y = there->d + from, w = there->weight[s];
        mot_real *d_h = worker->d + (from - there->first[first] * D);
        if (stage->layer->K > 1) {
            mot_payload_unpack(stage->layer->wire.outputs, numbers, there->slot[s], d_h);
            continue;
        }
        const mot_real by_h = mot_row_dot(d_y, h, numbers);
        stage->report[s] = (stack_report){
            there->position[s], 0, stage->residual ? by_h - mot_row_dot(d_y, x, numbers) : by_h};
        for (size_t i = 0; i < numbers; ++i) d_h[i] = w * d_y[i];
    }
}

/* d of x sets out for where x came from. */
static void send_gradient(const stage_work *work, const stack_worker *worker, size_t first, size_t n)
{
    const mot_step *step = work->step;
    const stack_stage *stage = work->stage;
    const stack_stand *there = stage->there;
    const size_t D = step->stack->D;
    for (size_t s = first; s < first + n; ++s) {
        const size_t from = there->first[s] * D, numbers = stack_rows(there, s) * D;
        const mot_real *d_y = there->d + from;
        mot_real *d_x = worker->d + (from - there->first[first] * D);
        const mot_real left = 1 - there->weight[s] - (mot_real)stage->shareds;
        const bool past = stage->residual && stage->layer->K == 1;
        for (size_t i = 0; i < numbers && past; ++i) d_x[i] += left * d_y[i];
        if (stage->shareds > 0 && stage->layer->K == 1) mot_row_add(d_x, stage->past + from, numbers);
        stack_pack(stage, d_x, numbers, there->slot[s]);
    }
}

/* Rows of a gradient that is a block of the table, and begins at zero. */
static mot_real *const *begin_block(const stack_stage *stage, mot_real **row, mot_real *block, uint64_t *met)
{
    mot_table_begin(stage->table, block, met, row);
    return row;
}

/* A strip's gradient: a block of its own, but for an expert's first strip. */
static mot_real *const *begin_gradient(const stage_work *work, stack_worker *worker, size_t number)
{
    const stack_stage *stage = work->stage;
    const stack_strip *strip = &stage->strip[number];
    if (stage->dense != NULL)
        return begin_block(stage, worker->row, stage->term + number * stage->table->count, mot_stack_met(stage, number));
    if (strip->turn > 0) return begin_block(stage, worker->row, worker->sum, NULL);
    return (mot_real *const *)(stage->layer->of->gradient + strip->group * stage->table->rows);
}

/* An expert's strips are added in their order. */
static void end_gradient(const stage_work *work, stack_worker *worker, const stack_strip *strip)
{
    const stack_stage *stage = work->stage;
    if (stage->layer == NULL) return;
    size_t *added = &stage->layer->added[strip->group];
    mot_threads_await(work->step->threads, added, strip->turn);
    if (strip->turn > 0) mot_step_add_strip(work->step, stage->layer, strip->group, worker->sum, NULL);
    mot_threads_advance(work->step->threads, added);
}

static void backward_tile(const strip_tile *of, void *kept, mot_real *const *gradient)
{
    const stack_stage *stage = of->work->stage;
    const mot_step *step = of->work->step;
    const bool experts = stage->layer != NULL, shared = stage->of != NULL;
    const size_t D = step->stack->D, at = stage->there->first[of->first] * D, numbers = of->rows.first[of->n] * D;
    mot_real *d = experts || shared ? of->worker->d : stage->there->d + at;
    uint64_t *met = mot_stack_met(stage, (size_t)(of->strip - stage->strip));
    if (met != NULL) mot_met_words(met, of->rows.id, of->rows.first[of->n]);
    if (experts) take_gradient(of->work, of->worker, of->first, of->n);
    if (shared) memcpy(d, stage->there->d + at, numbers * sizeof *d);
    stage->kind->backward(stage->shape, weight_of(stage, of->strip), gradient, &of->rows, &of->worker->arena, kept, d,
                          stage->role != MOT_LAYER_EMBED ? d : NULL, step->learns);
    if (experts) send_gradient(of->work, of->worker, of->first, of->n);
    if (shared) mot_stack_shared_add_back(stage, of->worker, at, numbers);
    count_backward(of, stage);
}

static void backward_one(const strip_tile *of, void *context)
{
    mot_real *const *const *gradient = context;
    const stack_stage *stage = of->work->stage;
    const size_t mark = mot_arena_mark(&of->worker->arena);
    void *kept = stage->kept[of->number];
    if (!stage->keeps && stage->role != MOT_LAYER_EMBED) { /* once more; what comes out is known */
        kept = stage->kind->forward(stage->shape, weight_of(stage, of->strip), &of->rows, &of->worker->arena, true,
                                    of->worker->out);
        count_forward(of, stage);
    }
    backward_tile(of, kept, *gradient);
    mot_arena_rewind(&of->worker->arena, mark);
}

static void backward_strip(void *context, size_t task, int thread)
{
    const stage_work *work = context;
    stack_worker *worker = &work->step->stack->worker[thread];
    const size_t number = work->from + task;
    const stack_strip *strip = &work->stage->strip[number];
    mot_real *const *gradient = begin_gradient(work, worker, number);
    for_tiles(work, strip, thread, backward_one, &gradient);
    end_gradient(work, worker, strip);
}

/* ---- the head ---- */

/* Outputs of a tile, their loss and, with `gradient`, the gradient by the states: nothing waits. */
static void loss_tile(const strip_tile *of, const mot_real *states, mot_real *const *gradient)
{
    mot_step *step = of->work->step;
    const stack_stage *head = of->work->head;
    const stack_stand *stand = head->there;
    stack_worker *worker = of->worker;
    const size_t D = step->stack->D, C = step->C, mark = mot_arena_mark(&worker->arena);
    const mot_real share = 1 / (mot_real)step->batch.total;
    mot_tile rows = of->rows;
    rows.prepared = mot_prepared_at(&head->prepared, 0);
    rows.x = states + stand->first[of->first] * D;
    void *kept = head->kind->forward(head->shape, head->dense->weight, &rows, &worker->arena, gradient != NULL, worker->out);
    for (size_t s = 0; s < of->n; ++s) {
        const size_t at = of->first + s;
        choice_report *report = &step->reports.report[at];
        mot_real *d = worker->d + s * C;
        *report = mot_step_judge(step, worker->out + s * C, stand->target + at * step->loss.target_bytes, d);
        report->position = stand->position[at];
        mot_step_keep_output(step, report, worker->out + s * C);
        for (size_t c = 0; c < C; ++c) d[c] *= share;
    }
    if (gradient != NULL)
        head->kind->backward(head->shape, head->dense->weight, gradient, &rows, &worker->arena, kept, worker->d,
                             stand->d + stand->first[of->first] * D, step->learns);
    mot_arena_rewind(&worker->arena, mark);
    count_forward(of, head);
    if (gradient != NULL) count_backward(of, head);
}

static void loss_one(const strip_tile *of, void *context)
{
    mot_real *const *const *gradient = context;
    loss_tile(of, of->work->stage->in, *gradient);
}

static mot_real *const *begin_head(const stage_work *work, stack_worker *worker, size_t number)
{
    const stack_stage *head = work->head;
    return work->learn ? begin_block(head, worker->head_row, head->term + number * head->table->count, NULL)
                       : NULL;
}

static void loss_strip(void *context, size_t task, int thread)
{
    const stage_work *work = context;
    mot_real *const *gradient = begin_head(work, &work->step->stack->worker[thread], task);
    for_tiles(work, &work->stage->strip[task], thread, loss_one, &gradient);
}

/* ---- there and back: a layer behind which the head is, where the states are ---- */

typedef struct both_gradients {
    mot_real *const *experts, *const *head;
} both_gradients;

static void turn_one(const strip_tile *of, void *context)
{
    const both_gradients *gradient = context;
    const size_t mark = mot_arena_mark(&of->worker->arena);
    void *kept = forward_tile(of, &of->worker->arena);
    loss_tile(of, of->work->stage->out, gradient->head);
    backward_tile(of, kept, gradient->experts);
    mot_arena_rewind(&of->worker->arena, mark);
}

static void turn_strip(void *context, size_t task, int thread)
{
    const stage_work *work = context;
    stack_worker *worker = &work->step->stack->worker[thread];
    const size_t number = work->from + task;
    const stack_strip *strip = &work->stage->strip[number];
    both_gradients gradient = {begin_gradient(work, worker, number), begin_head(work, worker, number)};
    for_tiles(work, strip, thread, turn_one, &gradient);
    end_gradient(work, worker, strip);
}

/* ---- threads ---- */

static void run(mot_step *step, stack_stage *stage, size_t from, size_t to, bool learn, mot_thread_work *what)
{
    stage_work work = {step, stage, step->stack->stage + step->stack->stages - 1, from, learn};
    for (size_t i = from; i < to; ++i)
        mot_prepared_want(&stage->prepared, stage->strip[i].group, weight_of(stage, &stage->strip[i]));
    step->work.expert_s += mot_prepared_make(&stage->prepared, step->threads);
    if (stage->turns && learn) {
        mot_prepared_want(&work.head->prepared, 0, work.head->dense->weight);
        step->work.expert_s += mot_prepared_make(&work.head->prepared, step->threads);
    }
    mot_threads_run(step->threads, to - from, what, &work);
    for (int t = 0; t < step->stack->workers; ++t) {
        stack_worker *worker = &step->stack->worker[t];
        mot_prepared_forget(&worker->before, &worker->arena); /* of this stage */
        step->work.expert_s += worker->busy_s;
        step->work.expert_flops += worker->flops;
        worker->busy_s = worker->flops = 0;
    }
}

void mot_stack_forward(mot_step *step, stack_stage *stage, size_t from, size_t to, bool learn)
{
    run(step, stage, from, to, learn, learn && stage->turns ? turn_strip : forward_strip);
}

void mot_stack_backward(mot_step *step, stack_stage *stage, size_t from, size_t to)
{
    if (!stage->turns) run(step, stage, from, to, true, backward_strip);
}

void mot_stack_loss(mot_step *step, stack_stage *stage, bool learn)
{
    step->reports.count = stage->there->count;
    if (!learn || !stage[-1].turns) run(step, stage, 0, stage->strips, learn, loss_strip);
}

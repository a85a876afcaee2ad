/* What is done to the states that are here, strip by strip; threads share them out. */
#include "mot/rowops.h"
#include "mot/tokens.h"
#include "step_stack.h"

typedef struct stage_work {
    mot_step *step;
    stack_stage *stage;
    size_t from; /* the first strip */
    bool learn;
} stage_work;

static const mot_real *const *weight_of(const stack_stage *stage, const stack_strip *strip)
{
    return stage->dense != NULL ? stage->dense->weight
                                : stage->layer->of->weight + strip->group * stage->table->rows;
}

/* Whether what forward keeps of a tile waits for the way back. */
static bool keeps(const stage_work *work)
{
    return work->learn && !work->step->stack->recompute;
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
        const unsigned char *sample =
            batch->bytes + batch->slot[stand->position[first + s]] * batch->sample_bytes;
        used += mot_tokens_decode(&step->format, step->patch, sample, worker->x + used * step->shape.width,
                                  worker->id + used);
        relative[s + 1] = used;
    }
    const bool texts = step->shape.vocabulary > 0;
    return (mot_tile){.samples = n, .first = relative, .x = texts ? NULL : worker->x, .id = texts ? worker->id : NULL};
}

static void count_flops(const stage_work *work, stack_worker *worker, const mot_tile *tile, double times)
{
    for (size_t s = 0; s < tile->samples; ++s)
        worker->flops += times * work->stage->kind->flops(work->stage->shape, tile->first[s + 1] - tile->first[s]);
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
        if (stage->layer->K > 1) {
            memcpy(there->slot[s], h, numbers * sizeof *h);
            continue;
        }
        for (size_t i = 0; i < numbers; ++i) y[i] = stage->residual ? x[i] + w * (h[i] - x[i]) : w * h[i];
    }
}

static void forward_strip(void *context, size_t task, int thread)
{
    const stage_work *work = context;
    mot_step *step = work->step;
    stack_stage *stage = work->stage;
    stack_worker *worker = &step->stack->worker[thread];
    const stack_strip *strip = &stage->strip[work->from + task];
    const mot_real *const *weight = weight_of(stage, strip);
    const size_t D = step->stack->D;
    mot_arena own = {.base = stage->arena + strip->arena, .size = SIZE_MAX}; /* as it was laid for the strip */
    mot_real *states = stage->layer != NULL ? stage->given : stage->out;
    const double start = mot_clock_s();
    for (size_t done = 0, t = strip->tile; done < strip->count; done += stage->tile, ++t) {
        const size_t first = strip->first + done, n = MOT_MIN(stage->tile, strip->count - done);
        const mot_tile tile = take_tile(work, worker, first, n, stage->relative + first + t);
        mot_arena *arena = keeps(work) ? &own : &worker->arena;
        stage->kept[t] = stage->kind->forward(stage->shape, weight, &tile, arena, keeps(work),
                                              states + stage->there->first[first] * D);
        if (stage->layer != NULL) give_back(work, first, n);
        count_flops(work, worker, &tile, 1);
        mot_watch_progress();
        if (thread == 0) mot_step_progress(step);
    }
    worker->busy_s += mot_clock_s() - start;
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
            memcpy(d_h, there->slot[s], numbers * sizeof *d_h);
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
        const mot_real *d_x = worker->d + (from - there->first[first] * D), *d_y = there->d + from;
        mot_real *row = there->slot[s];
        const mot_real left = 1 - there->weight[s];
        const bool past = stage->residual && stage->layer->K == 1;
        for (size_t i = 0; i < numbers; ++i) row[i] = past ? d_x[i] + left * d_y[i] : d_x[i];
    }
}

/* Rows of a gradient that is a block of the table, and begins at zero. */
static mot_real *const *begin_block(const stack_stage *stage, stack_worker *worker, mot_real *block)
{
    mot_table_begin(stage->table, block, worker->row);
    return worker->row;
}

static void backward_strip(void *context, size_t task, int thread)
{
    const stage_work *work = context;
    mot_step *step = work->step;
    stack_stage *stage = work->stage;
    stack_worker *worker = &step->stack->worker[thread];
    const stack_strip *strip = &stage->strip[work->from + task];
    const mot_real *const *weight = weight_of(stage, strip);
    const size_t D = step->stack->D;
    const bool experts = stage->layer != NULL, apart = experts && strip->turn > 0;
    mot_real *const *gradient =
        !experts ? begin_block(stage, worker, stage->term + (work->from + task) * stage->table->count)
        : apart  ? begin_block(stage, worker, worker->sum)
                 : (mot_real *const *)(stage->layer->of->gradient + strip->group * stage->table->rows);
    const double start = mot_clock_s();
    for (size_t done = 0, t = strip->tile; done < strip->count; done += stage->tile, ++t) {
        const size_t first = strip->first + done, n = MOT_MIN(stage->tile, strip->count - done),
                     mark = mot_arena_mark(&worker->arena);
        const mot_tile tile = take_tile(work, worker, first, n, stage->relative + first + t);
        void *kept = stage->kept[t];
        if (!keeps(work) && stage->role != MOT_LAYER_EMBED) /* once more; what comes out is known */
            kept = stage->kind->forward(stage->shape, weight, &tile, &worker->arena, true, worker->out);
        mot_real *d = experts ? worker->d : stage->there->d + stage->there->first[first] * D;
        if (experts) take_gradient(work, worker, first, n);
        stage->kind->backward(stage->shape, weight, gradient, &tile, &worker->arena, kept, d,
                              stage->role != MOT_LAYER_EMBED ? d : NULL, step->learns);
        if (experts) send_gradient(work, worker, first, n);
        mot_arena_rewind(&worker->arena, mark);
        count_flops(work, worker, &tile, keeps(work) ? 2 : 3);
        mot_watch_progress();
        if (thread == 0) mot_step_progress(step);
    }
    worker->busy_s += mot_clock_s() - start;
    if (!experts) return;
    size_t *added = &stage->layer->added[strip->group];
    mot_threads_await(step->threads, added, strip->turn);
    if (apart) mot_step_add_strip(step, stage->layer, strip->group, worker->sum);
    mot_threads_advance(step->threads, added);
}

/* ---- the head ---- */

/* Outputs, their loss and, in learning, the gradient by the states: tile by tile, nothing waits. */
static void loss_strip(void *context, size_t task, int thread)
{
    const stage_work *work = context;
    mot_step *step = work->step;
    stack_stage *stage = work->stage;
    stack_worker *worker = &step->stack->worker[thread];
    const stack_strip *strip = &stage->strip[task];
    const stack_stand *stand = stage->there;
    const size_t D = step->stack->D, C = step->C;
    const mot_real share = 1 / (mot_real)step->batch.total;
    mot_real *const *gradient =
        work->learn ? begin_block(stage, worker, stage->term + task * stage->table->count) : NULL;
    const double start = mot_clock_s();
    for (size_t done = 0, t = strip->tile; done < strip->count; done += stage->tile, ++t) {
        const size_t first = strip->first + done, n = MOT_MIN(stage->tile, strip->count - done),
                     mark = mot_arena_mark(&worker->arena);
        const mot_tile tile = take_tile(work, worker, first, n, stage->relative + first + t);
        void *kept = stage->kind->forward(stage->shape, stage->dense->weight, &tile, &worker->arena, work->learn,
                                          worker->out);
        for (size_t s = 0; s < n; ++s) {
            choice_report *report = &step->reports.report[first + s];
            mot_real *d = worker->d + s * C;
            *report = mot_step_judge(step, worker->out + s * C, stand->target + (first + s) * step->loss.target_bytes, d);
            report->position = stand->position[first + s];
            mot_step_keep_output(step, report, worker->out + s * C);
            for (size_t c = 0; c < C; ++c) d[c] *= share;
        }
        if (work->learn)
            stage->kind->backward(stage->shape, stage->dense->weight, gradient, &tile, &worker->arena, kept, worker->d,
                                  stand->d + stand->first[first] * D, step->learns);
        mot_arena_rewind(&worker->arena, mark);
        count_flops(work, worker, &tile, work->learn ? 3 : 1);
        mot_watch_progress();
    }
    worker->busy_s += mot_clock_s() - start;
}

/* ---- threads ---- */

static void run(mot_step *step, stack_stage *stage, size_t from, size_t to, bool learn, mot_thread_work *what)
{
    stage_work work = {step, stage, from, learn};
    mot_threads_run(step->threads, to - from, what, &work);
    for (int t = 0; t < step->stack->workers; ++t) {
        stack_worker *worker = &step->stack->worker[t];
        step->work.expert_s += worker->busy_s;
        step->work.expert_flops += worker->flops;
        worker->busy_s = worker->flops = 0;
    }
}

void mot_stack_forward(mot_step *step, stack_stage *stage, size_t from, size_t to, bool learn)
{
    run(step, stage, from, to, learn, forward_strip);
}

void mot_stack_backward(mot_step *step, stack_stage *stage, size_t from, size_t to)
{
    run(step, stage, from, to, true, backward_strip);
}

void mot_stack_loss(mot_step *step, stack_stage *stage, bool learn)
{
    step->reports.count = stage->there->count;
    run(step, stage, 0, stage->strips, learn, loss_strip);
}

/* Soft routing (step_soft.c): the experts' work on the whole batch, tile by tile. An expert's gradient is summed in the order of
 * the batch; threads share out tiles forward and experts backward, with products of which nobody can tell. */
#include <string.h>

#include "mot/memory.h"
#include "mot/product.h"
#include "mot/rowops.h"
#include "mot/vector.h"
#include "step_private.h"

/* Of a thread's arena, for a tile and this rank's experts: what is here, and what the experts take. */
size_t mot_step_soft_tile_bytes(const mot_step *step, size_t local)
{
    const mot_model *model = step->model;
    const size_t n = step->layer->tile, F = model->layer->gate.features, C = step->C, real = sizeof(mot_real);
    const size_t experts = model->layer->kind->team != NULL ? model->layer->kind->team->workspace(&model->layer->shape, local)
                                                     : model->layer->kind->workspace(&model->layer->shape);
    return mot_arena_bytes(n * F, real) + mot_arena_bytes(F * mot_padded(n), real) +
           2 * mot_arena_bytes(local * n * C, real) + mot_arena_bytes(local * n, real) + experts;
}

/* Of the batch's samples from `first` on. */
typedef struct soft_tile {
    size_t first;
    mot_tile rows;
    const mot_real *g; /* [samples, F] */
} soft_tile;

static soft_tile open_tile(const mot_step *step, step_worker *worker, size_t first)
{
    const mot_gate *gate = &step->model->layer->gate;
    const mot_batch *batch = &step->batch;
    const step_soft *soft = &step->soft;
    const size_t n = MOT_MIN(step->layer->tile, batch->total - first), width = step->shape.width;
    size_t used = 0;
    worker->first[0] = 0;
    if (soft->plain) { /* as they are stored */
        for (size_t s = 0; s < n; ++s) worker->first[s + 1] = s + 1;
        const mot_real *x = (const mot_real *)(const void *)(batch->bytes + first * batch->sample_bytes);
        return (soft_tile){first, {.samples = n, .first = worker->first, .x = x}, x};
    }
    for (size_t s = 0; s < n; ++s) {
        used += mot_batch_decode(&step->format, step->patch, width,
                                 mot_batch_sample(batch, first + s), mot_batch_sample_bytes(batch, first + s),
                                 worker->x + used * width, worker->id);
        worker->first[s + 1] = used;
    }
    soft_tile tile = {first, {.samples = n, .first = worker->first, .x = worker->x}, worker->x};
    if (used == n) return tile; /* of one token, which is all that the gate sees of it */
    mot_real *g = mot_arena_take(&worker->arena, n * gate->features, sizeof *g);
    for (size_t s = 0; s < n; ++s)
        mot_gate_features(gate, g + s * gate->features, worker->x + worker->first[s] * width,
                          worker->first[s + 1] - worker->first[s], width);
    tile.g = g;
    return tile;
}

/* What a team keeps of a tile: [experts, samples, kept] of each, tile after tile. */
static mot_real *keep_of(const mot_step *step, const soft_tile *tile)
{
    const mot_expert_team *team = step->model->layer->kind->team;
    return step->soft.keep + tile->first * (size_t)step->model->layer->local * team->kept;
}

/* The tile for local expert e. */
static mot_tile rows_for(const mot_step *step, const soft_tile *tile, size_t e)
{
    mot_tile rows = tile->rows;
    rows.prepared = mot_prepared_at(&step->layer->prepared, e);
    return rows;
}

/* out [local, n, C]; `learn`: what backward will want is kept. */
static void forward(const mot_step *step, step_worker *worker, const soft_tile *tile, bool learn,
                    mot_real *out)
{
    const mot_model *model = step->model;
    const size_t local = (size_t)model->layer->local, T = model->layer->table.rows;
    if (model->layer->kind->team != NULL) {
        model->layer->kind->team->forward(&model->layer->shape, local, model->layer->weight, &tile->rows, &worker->arena,
                                   learn ? keep_of(step, tile) : NULL, out);
        return;
    }
    for (size_t e = 0; e < local; ++e) {
        const size_t mark = mot_arena_mark(&worker->arena);
        const mot_tile rows = rows_for(step, tile, e);
        (void)model->layer->kind->forward(&model->layer->shape, model->layer->weight + e * T, &rows, &worker->arena, false,
                                   out + e * tile->rows.samples * step->C);
        mot_arena_rewind(&worker->arena, mark);
    }
}

/* Operations that one expert's scores of the tile take, or the gradients by them. */
static double score_flops(const mot_step *step, const soft_tile *tile)
{
    return 2 * (double)step->model->layer->gate.features * (double)tile->rows.samples;
}

/* Of local experts [from, from + count). A team knows what it did; others go forward once more. */
static void backward(const mot_step *step, step_worker *worker, size_t from, size_t count,
                     const soft_tile *tile, mot_real *out, const mot_real *d_out)
{
    const mot_model *model = step->model;
    const mot_expert_team *team = model->layer->kind->team;
    const size_t T = model->layer->table.rows, n = tile->rows.samples;
    const mot_real *const *weight = model->layer->weight + from * T;
    mot_real *const *gradient = model->layer->gradient + from * T;
    worker->flops += (double)count * mot_expert_tile_backward_flops(model->layer->kind, &model->layer->shape, &tile->rows, step->learns);
    if (team != NULL) {
        team->backward(&model->layer->shape, count, weight, gradient, &tile->rows, &worker->arena,
                       keep_of(step, tile) + from * n * team->kept, d_out, step->learns);
        return;
    }
    worker->flops += (double)count * mot_expert_tile_flops(model->layer->kind, &model->layer->shape, &tile->rows);
    for (size_t e = 0; e < count; ++e) {
        const size_t mark = mot_arena_mark(&worker->arena);
        const mot_tile rows = rows_for(step, tile, from + e);
        void *kept = model->layer->kind->forward(&model->layer->shape, weight + e * T, &rows, &worker->arena, true,
                                          out);
        model->layer->kind->backward(&model->layer->shape, weight + e * T, gradient + e * T, &rows, &worker->arena,
                              kept, d_out + e * n * step->C, NULL, step->learns);
        mot_arena_rewind(&worker->arena, mark);
    }
}

/* ---- forward ---- */

/* Scores and outputs of all local experts; a sigmoid's scores become p at once. */
static void forward_tile(void *context, size_t task, int thread)
{
    mot_step *step = context;
    const step_soft *soft = &step->soft;
    const mot_gate *gate = &step->model->layer->gate;
    step_worker *worker = &step->worker[thread];
    const size_t local = (size_t)step->model->layer->local, B = step->most, C = step->C, F = gate->features,
                 mark = mot_arena_mark(&worker->arena);
    const double start = mot_clock_s();
    soft_tile tile = open_tile(step, worker, task * step->layer->tile);
    const size_t n = tile.rows.samples, padded = mot_padded(n);
    mot_real *g = mot_arena_take(&worker->arena, F * padded, sizeof *g);
    mot_transpose(g, padded, tile.g, F, n, F);
    mot_multiply(&(mot_product){.m = local,
                                .n = n,
                                .k = F,
                                .a = soft->mine,
                                .a_row = F,
                                .a_step = 1,
                                .b = g,
                                .ldb = padded,
                                .c = soft->h + tile.first,
                                .ldc = B});
    if (tile.g == tile.rows.x) tile.rows.column = g;
    mot_real *out = mot_arena_take(&worker->arena, local * n * C, sizeof *out);
    forward(step, worker, &tile, soft->learns, out);
    for (size_t e = 0; e < local; ++e) {
        memcpy(soft->f + (e * B + tile.first) * C, out + e * n * C, n * C * sizeof *out);
        if (!soft->coupled) mot_row_sigmoid(soft->h + e * B + tile.first, n);
    }
    mot_arena_rewind(&worker->arena, mark);
    mot_watch_progress();
    worker->busy_s += mot_clock_s() - start;
    const mot_layer *layer = step->model->layer;
    worker->flops += (double)local * (score_flops(step, &tile) + mot_expert_tile_flops(layer->kind, &layer->shape, &tile.rows));
}

/* ---- backward ---- */

typedef struct soft_backward {
    mot_step *step;
    size_t parts;       /* in which threads share out the local experts */
    bool gate, experts; /* that learn */
} soft_backward;

/* d_f [C] and d_h of a (sample, expert) from what came back of the sample, as the head of this file has it. */
static mot_real turn_one_back(const step_soft *soft, size_t C, mot_real h, const mot_real *f, const mot_real *heard,
                          mot_real *d_f)
{
    const mot_real p = soft->coupled ? mot_exp(h - heard[C]) : h;
    mot_real along = 0;
    for (size_t c = 0; c < C; ++c) {
        d_f[c] = p * heard[c];
        along += heard[c] * f[c];
    }
    return soft->coupled ? p * (along - heard[C + 1]) : p * (1 - p) * along;
}

/* The same of n samples; for one output and a sigmoid, in one loop of numbers. */
static void turn_back(const step_soft *soft, size_t C, size_t n, const mot_real *h, const mot_real *f,
                      const mot_real *heard, mot_real *restrict d_f, mot_real *restrict d_h)
{
    if (C == 1 && !soft->coupled)
        for (size_t s = 0; s < n; ++s) {
            d_f[s] = h[s] * heard[s];
            d_h[s] = h[s] * (1 - h[s]) * (heard[s] * f[s]);
        }
    else
        for (size_t s = 0; s < n; ++s)
            d_h[s] = turn_one_back(soft, C, h[s], f + s * C, heard + s * soft->back, d_f + s * C);
}

static void backward_part(void *context, size_t part, int thread)
{
    const soft_backward *all = context;
    mot_step *step = all->step;
    const step_soft *soft = &step->soft;
    step_worker *worker = &step->worker[thread];
    const size_t local = (size_t)step->model->layer->local, from = mot_part_first(local, all->parts, part),
                 count = mot_part_first(local, all->parts, part + 1) - from, B = step->most, C = step->C,
                 F = step->model->layer->gate.features;
    const double start = mot_clock_s();
    for (size_t first = 0; first < step->batch.total; first += step->layer->tile) {
        const size_t mark = mot_arena_mark(&worker->arena);
        const soft_tile tile = open_tile(step, worker, first);
        const size_t n = tile.rows.samples;
        mot_real *d_f = mot_arena_take(&worker->arena, count * n * C, sizeof *d_f),
                 *d_h = mot_arena_take(&worker->arena, count * n, sizeof *d_h),
                 *out = mot_arena_take(&worker->arena, count * n * C, sizeof *out);
        for (size_t e = 0; e < count; ++e) {
            const size_t at = (from + e) * B + first;
            turn_back(soft, C, n, soft->h + at, soft->f + at * C, soft->heard + first * soft->back,
                      d_f + e * n * C, d_h + e * n);
        }
        if (all->gate) {
            mot_multiply(&(mot_product){.m = count,
                                        .n = F,
                                        .k = n,
                                        .a = d_h,
                                        .a_row = n,
                                        .a_step = 1,
                                        .b = tile.g,
                                        .ldb = F,
                                        .start = soft->raw + from * F,
                                        .c = soft->raw + from * F,
                                        .ldc = F});
            worker->flops += (double)count * score_flops(step, &tile);
        }
        if (all->experts) backward(step, worker, from, count, &tile, out, d_f);
        mot_arena_rewind(&worker->arena, mark);
        mot_watch_progress();
    }
    worker->busy_s += mot_clock_s() - start;
}

/* What threads did. */
static void settle_work(mot_step *step)
{
    for (int t = 0; t < mot_threads_count(step->threads); ++t) {
        step_worker *worker = &step->worker[t];
        step->work.expert_s += worker->busy_s;
        step->work.expert_flops += worker->flops;
        worker->busy_s = worker->flops = 0;
    }
}

/* ---- all tiles ---- */

void mot_step_soft_forward(mot_step *step)
{
    const size_t tiles = (step->batch.total + step->layer->tile - 1) / step->layer->tile;
    const mot_layer *layer = step->model->layer;
    step->soft.learns = step->learns != 0;
    for (size_t e = 0; layer->kind->team == NULL && e < (size_t)layer->local; ++e)
        mot_prepared_want(&step->layer->prepared, e, layer->weight + e * layer->table.rows);
    step->work.expert_s += mot_prepared_make(&step->layer->prepared, step->threads);
    mot_threads_run(step->threads, step->model->layer->local > 0 ? tiles : 0, forward_tile, step);
    settle_work(step);
}

void mot_step_soft_backward(mot_step *step, bool gate)
{
    const size_t local = (size_t)step->model->layer->local, threads = (size_t)mot_threads_count(step->threads);
    soft_backward all = {step, MOT_MIN(threads, local), gate, step->learns != 0};
    memset(step->soft.raw, 0, local * step->model->layer->gate.features * sizeof(mot_real));
    mot_threads_run(step->threads, all.parts, backward_part, &all);
    for (size_t e = 0; e < local; ++e) step->layer->added[e] = 1;
    settle_work(step);
}

/* The experts' work on the rows of one chunk, shared out to threads strip by strip.
 *
 * An expert's rows are cut into strips, strips into tiles, in global order; strip_rows is a function of the model's
 * shape, and a strip's gradient is summed by itself:
 *
 *      rows     0 1 2 3 4 5 6 7 | 8 9 10 11 12 13 14 15 | 16 17 18
 *      strip    0               | 1                     | 2            gradient = ((0 + s0) + s1) + s2
 *
 * Strip 0 of a step is summed in the expert's gradient itself, which is zero then; later ones in a buffer of the thread,
 * which is added when those before have been. So who works on a strip, and when, cannot be seen in the bits. */
#include "step_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mot/tokens.h"

static bool learns_in(expert_work work)
{
    return work == WORK_LEARN || work == WORK_LEARN_AGAIN;
}

/* ---- a tile ---- */

/* Rows that arrived become tokens, one sample after another. */
static mot_tile decode_tile(const mot_step *step, step_worker *worker, const step_chunk *chunk,
                            const uint32_t *rows, size_t n)
{
    size_t used = 0;
    worker->first[0] = 0;
    for (size_t s = 0; s < n; ++s) {
        const void *sample = mot_step_row_sample(step, chunk, rows[s]);
        worker->head[s] = mot_exchange_owner(&chunk->dispatch, &chunk->plan, rows[s]);
        if (step->layer->wire.samples != MOT_PAYLOAD_FP32) {
            mot_payload_unpack(step->layer->wire.samples, step->format.bytes / sizeof(float), sample,
                               worker->sample);
            sample = worker->sample;
        }
        used += mot_batch_decode(&step->format, step->patch, step->shape.width, sample, mot_step_row_bytes(step, chunk, rows[s]),
                                 worker->x + used * step->shape.width, worker->id + used);
        worker->first[s + 1] = used;
    }
    const bool texts = step->shape.vocabulary > 0;
    return (mot_tile){.samples = n,
                      .first = worker->first,
                      .x = texts ? NULL : worker->x,
                      .id = texts ? worker->id : NULL};
}

/* F = w f, its loss, and d_out = w dF / B; reports the loss and d_weight = <dF, f>. */
static void take_loss(const mot_step *step, step_worker *worker, size_t n, choice_report *report)
{
    const size_t C = step->C;
    const mot_real share = 1 / (mot_real)step->batch.total;
    for (size_t s = 0; s < n; ++s, ++report) {
        const row_head *head = worker->head[s];
        const mot_real *f = worker->out + s * C;
        mot_real *d = worker->d_out + s * C, d_weight = 0;
        for (size_t c = 0; c < C; ++c) worker->combined[c] = head->weight * f[c];
        *report = mot_step_judge(step, worker->combined, head->target, d);
        mot_step_keep_output(step, report, worker->combined);
        for (size_t c = 0; c < C; ++c) {
            d_weight += d[c] * f[c];
            d[c] *= head->weight * share;
        }
        report->position = head->position;
        report->choice = (uint16_t)head->choice;
        report->d_weight = d_weight;
    }
}

/* What all strips of a chunk have in common. */
typedef struct chunk_work {
    mot_step *step;
    step_chunk *chunk;
    expert_work work;
    choice_report *report; /* WORK_LOSS, WORK_LEARN: row r of the chunk's order by expert reports in slot r */
} chunk_work;

/* Rows [first, first + n) of the order by expert. met: gets the words (NULL: nobody wants them). */
static void work_tile(const chunk_work *common, step_worker *worker, const mot_real *const *weight, const void *prepared,
                      mot_real *const *gradient, uint64_t *met, size_t first, size_t n)
{
    const mot_step *step = common->step;
    const mot_model *model = step->model;
    step_chunk *chunk = common->chunk;
    const uint32_t *rows = chunk->plan.row + first;
    const expert_work work = common->work;
    const bool learn = learns_in(work);
    const size_t C = step->C, mark = mot_arena_mark(&worker->arena);
    mot_tile tile = decode_tile(step, worker, chunk, rows, n);
    tile.prepared = prepared;
    if (met != NULL) mot_met_words(met, tile.id, tile.first[n]);
    const double start = mot_clock_s();
    void *kept = model->layer->kind->forward(&model->layer->shape, weight, &tile, &worker->arena, learn, worker->out);

    if (work == WORK_OUTPUTS)
        for (size_t s = 0; s < n; ++s)
            mot_payload_pack(step->layer->wire.outputs, C, worker->out + s * C,
                             mot_exchange_owner(&chunk->outputs, &chunk->plan, rows[s]));
    if (work == WORK_LOSS || work == WORK_LEARN) take_loss(step, worker, n, common->report + first);
    if (work == WORK_LEARN_AGAIN)
        for (size_t s = 0; s < n; ++s)
            mot_payload_unpack(step->layer->wire.outputs, C,
                               mot_exchange_owner(&chunk->outputs, &chunk->plan, rows[s]),
                               worker->d_out + s * C);
    if (learn)
        model->layer->kind->backward(&model->layer->shape, weight, gradient, &tile, &worker->arena, kept, worker->d_out,
                              NULL, step->learns);
    mot_arena_rewind(&worker->arena, mark);
    for (size_t s = 0; step->attention != NULL && s < n; ++s)
        if (worker->head[s]->choice == 0)
            mot_step_look(step, step->layer, weight, &tile, s, worker->head[s]->position, &worker->arena, worker->out);

    mot_watch_progress();
    worker->busy_s += mot_clock_s() - start;
    worker->flops += mot_expert_tile_flops(model->layer->kind, &model->layer->shape, &tile);
    if (learn) worker->flops += mot_expert_tile_backward_flops(model->layer->kind, &model->layer->shape, &tile, step->learns);
}

/* ---- a strip ---- */

/* A group's place in step->layer->prepared: local experts, then guests by their slots. */
static size_t unit_of(const mot_step *step, const step_chunk *chunk, size_t group)
{
    const size_t local = (size_t)step->model->layer->local;
    return group < local ? group : local + (size_t)step->split.slot[chunk->plan.group_expert[group]];
}

static const mot_real *const *weight_of(const mot_step *step, const step_chunk *chunk, size_t group)
{
    const mot_layer *layer = step->model->layer;
    const size_t local = (size_t)layer->local, T = layer->table.rows, unit = unit_of(step, chunk, group);
    return unit < local ? layer->weight + unit * T : step->split.weight + (unit - local) * T;
}

static void work_strip(void *context, size_t task, int thread)
{
    const chunk_work *common = context;
    mot_step *step = common->step;
    const mot_model *model = step->model;
    const step_strip *strip = &step->strips.strip[task];
    step_worker *worker = &step->worker[thread];
    const bool learn = learns_in(common->work), guest = strip->group >= (size_t)model->layer->local,
               apart = learn && (guest || strip->turn > 0);
    const mot_real *const *weight = weight_of(step, common->chunk, strip->group);
    const size_t T = model->layer->table.rows;
    uint64_t *met = apart && !guest ? worker->met : NULL;
    mot_real *const *expert = guest ? NULL : model->layer->gradient + strip->group * T;
    if (apart) /* the thread sums into a block of its own, or of a guest's strip */
        mot_table_begin(&model->layer->table,
                        guest ? step->split.done + strip->turn * model->layer->table.count : worker->sum, met, worker->row);
    const size_t tile = step->layer->tile;
    const double start = mot_clock_s();
    const void *prepared = mot_prepared_for(&step->layer->prepared, &worker->before, &worker->arena, weight,
                                            unit_of(step, common->chunk, strip->group), (strip->rows + tile - 1) / tile, learn);
    worker->busy_s += mot_clock_s() - start;
    for (size_t r = 0; r < strip->rows; r += tile) {
        work_tile(common, worker, weight, prepared, apart ? worker->row : expert, met, strip->first + r,
                  MOT_MIN(tile, strip->rows - r));
        if (thread == 0) mot_step_progress(step);
    }
    if (!learn || guest) return;
    size_t *added = &step->layer->added[strip->group];
    mot_threads_await(step->threads, added, strip->turn);
    if (apart) mot_step_add_strip(step, step->layer, strip->group, worker->sum, met);
    mot_threads_advance(step->threads, added);
}

/* ---- a chunk ---- */

/* Large strips first, so that threads end together; strips of one expert keep their order, for a strip waits for those
 * before it; and where there is a choice another expert comes next, so that it seldom has to. One thread takes expert after
 * expert, whose weights it then prepares once. */
static int by_size(const void *left, const void *right)
{
    const step_strip *a = left, *b = right;
    if (a->rows != b->rows) return a->rows > b->rows ? -1 : 1;
    if (a->turn != b->turn) return a->turn < b->turn ? -1 : 1;
    return (a->group > b->group) - (a->group < b->group);
}

/* Cuts the rows of groups [from, to). Where nothing is learned there is nothing to keep in order: a tile each. */
static void cut_strips(mot_step *step, const mot_plan *plan, size_t from, size_t to, bool learn)
{
    const size_t length = learn ? step->layer->strip : step->layer->tile, local = (size_t)step->model->layer->local;
    size_t done = 0;
    step->strips.count = 0;
    for (size_t g = from; g < to; ++g) {
        size_t own = g < local ? step->layer->added[g] : 0, *turn = g < local ? &own : &done;
        for (size_t r = plan->group_first[g]; r < plan->group_first[g + 1]; r += length) {
            assert(step->strips.count < step->strips.room);
            step->strips.strip[step->strips.count++] = (step_strip){
                g, r, MOT_MIN(length, plan->group_first[g + 1] - r), (*turn)++};
        }
    }
    if (learn && mot_threads_count(step->threads) > 1)
        qsort(step->strips.strip, step->strips.count, sizeof *step->strips.strip, by_size);
}

static void work_groups(chunk_work *common, size_t from, size_t to)
{
    mot_step *step = common->step;
    const step_chunk *chunk = common->chunk;
    for (size_t g = from; g < to; ++g)
        if (chunk->plan.group_first[g] < chunk->plan.group_first[g + 1])
            mot_prepared_want(&step->layer->prepared, unit_of(step, chunk, g), weight_of(step, chunk, g));
    step->work.expert_s += mot_prepared_make(&step->layer->prepared, step->threads);
    cut_strips(step, &chunk->plan, from, to, learns_in(common->work));
    mot_threads_run(step->threads, step->strips.count, work_strip, common);
    for (int t = 0; t < mot_threads_count(step->threads); ++t) /* weights will change */
        mot_prepared_forget(&step->worker[t].before, &step->worker[t].arena);
}

void mot_step_experts(mot_step *step, step_chunk *chunk, expert_work work)
{
    const bool reports = work == WORK_LOSS || work == WORK_LEARN;
    const size_t local = (size_t)step->model->layer->local;
    chunk_work common = {step, chunk, work, step->reports.report + step->reports.count};
    if (reports) step->reports.count += chunk->plan.rows_owner;
    assert(step->reports.count <= step->reports.room);
    mot_step_split_settle(step, MOT_PHASE_EXPERT);
    if (work != WORK_LEARN_AGAIN) mot_step_meet_words(step, chunk); /* which met them before */
    if (learns_in(work)) {
        /* Guests first: their gradients travel while local experts work. */
        mot_step_split_expect(step, chunk);
        work_groups(&common, local, chunk->plan.groups);
        mot_step_split_return(step, chunk);
        work_groups(&common, 0, local);
    } else {
        work_groups(&common, 0, chunk->plan.groups);
    }
    for (int t = 0; t < mot_threads_count(step->threads); ++t) {
        step_worker *worker = &step->worker[t];
        step->work.expert_s += worker->busy_s;
        step->work.expert_flops += worker->flops;
        worker->busy_s = worker->flops = 0;
    }
}

/* Soft routing by a spread gate: every sample goes to every expert, so there is nothing to choose, and no sample travels.
 *
 *            every rank, for all samples and its own experts          home of a sample
 *   load     read (or make) the whole batch
 *   score    directions of the gate come from the coordinator; h_i = g . u_i
 *   expert   forward
 *   combine  outputs  ────────────────── exchange ─────────────────► F = sum_i p_i f_i, in the order of the experts
 *   loss                                                             loss, dF
 *   return   ◄───────────────────────── all gather ──────────────── the same few numbers for all experts
 *   expert   p and d_h of each, backward, update
 *   report   gradients by directions, losses ──► coordinator: update gate
 *
 * What goes home of a (sample, expert) is p_i f_i [C] where p_i is the expert's own affair (sigmoid); else h_i and f_i [C].
 * What comes back of a sample is dF [C] / B; else also log sum_j exp h_j and s = <dF, F> / B, with which
 *
 *      d_f_i = p_i dF,   d_h_i = p_i (1 - p_i) <dF, f_i>;      p_i = exp(h_i - log sum),   d_h_i = p_i (<dF, f_i> - s)
 *
 * An expert's gradient is summed tile by tile in the order of the batch. Threads share out tiles forward, experts backward;
 * products are such (mot_multiply, mot_expert_team) that nobody can tell. */
#include "step_private.h"

#include <string.h>

#include "mot/memory.h"
#include "mot/product.h"
#include "mot/rowops.h"
#include "mot/vector.h"

/* ---- memory ---- */

/* Of a thread's arena, for a tile and this rank's experts: what is here, and what the experts take. */
static size_t tile_bytes(const mot_step *step, size_t local)
{
    const mot_model *model = step->model;
    const size_t n = step->tile, F = model->gate.features, C = step->C, real = sizeof(mot_real);
    const size_t experts = model->kind->team != NULL ? model->kind->team->workspace(&model->shape, local)
                                                     : model->kind->workspace(&model->shape);
    return mot_arena_bytes(n * F, real) + mot_arena_bytes(F * mot_padded(n), real) +
           2 * mot_arena_bytes(local * n * C, real) + mot_arena_bytes(local * n, real) + experts;
}

/* Numbers of all arrays of a step, in one block; *soft gets their places. */
static size_t lay_out(const mot_step *step, step_soft *soft, mot_real *block)
{
    const mot_model *model = step->model;
    const size_t local = (size_t)model->local, E = model->gate.experts, F = model->gate.features, C = step->C,
                 B = step->most, mine = B / (size_t)step->comm->size + 1,
                 root = step->comm->rank == MOT_ROOT ? E * F : 0;
    struct {
        mot_real **array;
        size_t numbers;
    } const all[] = {{&soft->unit, E * F},
                     {&soft->mine, local * F},
                     {&soft->raw, local * F},
                     {&soft->all_raw, root},
                     {&soft->h, local * B},
                     {&soft->f, local * B * C},
                     {&soft->keep, local * B * (model->kind->team != NULL ? model->kind->team->kept : 0)},
                     {&soft->sent, local * B * soft->there},
                     {&soft->got, E * mine * soft->there},
                     {&soft->combined, mine * C},
                     {&soft->sum, mine},
                     {&soft->said, mine * soft->back},
                     {&soft->heard, B * soft->back}};
    size_t used = 0;
    for (size_t i = 0; i < MOT_COUNT(all); ++i) {
        *all[i].array = block + used;
        used += (all[i].numbers + 15) / 16 * 16;
    }
    return used;
}

mot_status mot_step_soft_create(mot_step *step)
{
    step_soft *soft = &step->soft;
    const mot_gate_kind *gate = step->model->gate.kind;
    const size_t ranks = (size_t)step->comm->size;
    mot_status status = MOT_OK;
    if (!gate->spread) return MOT_OK;
    soft->on = true;
    soft->coupled = gate->coupled;
    soft->plain = mot_tokens_plain(&step->format) && step->shape.tokens == 1;
    soft->there = step->C + soft->coupled;
    soft->back = step->C + 2 * (size_t)soft->coupled;
    int fits;
    MOT_TRY(mot_mpi_count(step->model->gate.experts * step->most * soft->there, &fits));
    MOT_TRY(mot_allocate(&soft->count, 4 * ranks, sizeof *soft->count, "soft routing"));
    status = mot_step_soft_prepare(step);
done:
    return status;
}

void mot_step_soft_destroy(step_soft *soft)
{
    mot_free(soft->count);
    mot_free(soft->block);
}

mot_status mot_step_soft_prepare(mot_step *step)
{
    step_soft *soft = &step->soft;
    const size_t bytes = tile_bytes(step, (size_t)step->model->local);
    mot_status status;
    MOT_TRY(mot_reserve(&soft->block, &soft->room, lay_out(step, soft, soft->block), sizeof(mot_real),
                        "soft routing"));
    (void)lay_out(step, soft, soft->block);
    for (int t = 0; t < mot_threads_count(step->threads); ++t) {
        mot_arena *arena = &step->worker[t].arena;
        if (arena->size >= bytes) continue;
        mot_arena_free(arena);
        MOT_TRY(mot_arena_init(arena, bytes));
    }
done:
    return status;
}

/* ---- a tile ---- */

/* Of the batch's samples from `first` on. */
typedef struct soft_tile {
    size_t first;
    mot_tile rows;
    const mot_real *g; /* [samples, F] */
} soft_tile;

static soft_tile open_tile(const mot_step *step, step_worker *worker, size_t first)
{
    const mot_gate *gate = &step->model->gate;
    const mot_batch *batch = &step->batch;
    const step_soft *soft = &step->soft;
    const size_t n = MOT_MIN(step->tile, batch->total - first), width = step->shape.width;
    size_t used = 0;
    worker->first[0] = 0;
    if (soft->plain) { /* as they are stored */
        for (size_t s = 0; s < n; ++s) worker->first[s + 1] = s + 1;
        const mot_real *x = (const mot_real *)(const void *)(batch->bytes + first * batch->sample_bytes);
        return (soft_tile){first, {n, worker->first, x, NULL}, x};
    }
    for (size_t s = 0; s < n; ++s) {
        used += mot_tokens_decode(&step->format, step->patch,
                                  batch->bytes + batch->slot[first + s] * batch->sample_bytes,
                                  worker->x + used * width, worker->id);
        worker->first[s + 1] = used;
    }
    soft_tile tile = {first, {n, worker->first, worker->x, NULL}, worker->x};
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
    const mot_expert_team *team = step->model->kind->team;
    return step->soft.keep + tile->first * (size_t)step->model->local * team->kept;
}

/* out [local, n, C]; `learn`: what backward will want is kept. */
static void forward(const mot_step *step, step_worker *worker, const soft_tile *tile, bool learn,
                    mot_real *out)
{
    const mot_model *model = step->model;
    const size_t local = (size_t)model->local, T = model->table.rows;
    if (model->kind->team != NULL) {
        model->kind->team->forward(&model->shape, local, model->weight, &tile->rows, &worker->arena,
                                   learn ? keep_of(step, tile) : NULL, out);
        return;
    }
    for (size_t e = 0; e < local; ++e) {
        const size_t mark = mot_arena_mark(&worker->arena);
        (void)model->kind->forward(&model->shape, model->weight + e * T, &tile->rows, &worker->arena, false,
                                   out + e * tile->rows.samples * step->C);
        mot_arena_rewind(&worker->arena, mark);
    }
}

/* Of local experts [from, from + count). A team knows what it did; others go forward once more. */
static void backward(const mot_step *step, step_worker *worker, size_t from, size_t count,
                     const soft_tile *tile, mot_real *out, const mot_real *d_out)
{
    const mot_model *model = step->model;
    const mot_expert_team *team = model->kind->team;
    const size_t T = model->table.rows, n = tile->rows.samples;
    const mot_real *const *weight = model->weight + from * T;
    mot_real *const *gradient = model->gradient + from * T;
    if (team != NULL) {
        team->backward(&model->shape, count, weight, gradient, &tile->rows, &worker->arena,
                       keep_of(step, tile) + from * n * team->kept, d_out, step->learns);
        return;
    }
    for (size_t e = 0; e < count; ++e) {
        const size_t mark = mot_arena_mark(&worker->arena);
        void *kept = model->kind->forward(&model->shape, weight + e * T, &tile->rows, &worker->arena, true,
                                          out);
        model->kind->backward(&model->shape, weight + e * T, gradient + e * T, &tile->rows, &worker->arena,
                              kept, d_out + e * n * step->C, step->learns);
        mot_arena_rewind(&worker->arena, mark);
    }
}

/* Of scores and experts. */
static void count_flops(const mot_step *step, step_worker *worker, const soft_tile *tile, size_t experts,
                        double passes)
{
    const mot_model *model = step->model;
    for (size_t s = 0; s < tile->rows.samples; ++s)
        worker->flops += passes * (double)experts *
                         (2 * (double)model->gate.features +
                          model->kind->flops(&model->shape, worker->first[s + 1] - worker->first[s]));
}

/* ---- forward ---- */

/* Scores and outputs of all local experts; a sigmoid's scores become p at once. */
static void forward_tile(void *context, size_t task, int thread)
{
    mot_step *step = context;
    const step_soft *soft = &step->soft;
    const mot_gate *gate = &step->model->gate;
    step_worker *worker = &step->worker[thread];
    const size_t local = (size_t)step->model->local, B = step->most, C = step->C, F = gate->features,
                 mark = mot_arena_mark(&worker->arena);
    const double start = mot_clock_s();
    const soft_tile tile = open_tile(step, worker, task * step->tile);
    const size_t n = tile.rows.samples, padded = mot_padded(n), inner = mot_arena_mark(&worker->arena);
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
    mot_arena_rewind(&worker->arena, inner);
    mot_real *out = mot_arena_take(&worker->arena, local * n * C, sizeof *out);
    forward(step, worker, &tile, soft->learns, out);
    for (size_t e = 0; e < local; ++e) {
        memcpy(soft->f + (e * B + tile.first) * C, out + e * n * C, n * C * sizeof *out);
        if (!soft->coupled) mot_row_sigmoid(soft->h + e * B + tile.first, n);
    }
    mot_arena_rewind(&worker->arena, mark);
    mot_watch_progress();
    worker->busy_s += mot_clock_s() - start;
    count_flops(step, worker, &tile, local, 1);
}

/* ---- home and back ---- */

/* Positions of the batch whose home is a rank: [first, first + count). */
static size_t home_first(const mot_step *step, int rank)
{
    return mot_part_first(step->batch.total, (size_t)step->comm->size, (size_t)rank);
}

static size_t home_count(const mot_step *step, int rank)
{
    return home_first(step, rank + 1) - home_first(step, rank);
}

/* h_i and f_i; or p_i f_i. */
static void pack_pairs(const mot_real *h, const mot_real *f, size_t count, size_t C, mot_real *restrict to)
{
    for (size_t s = 0; s < count; ++s) {
        *to++ = h[s];
        for (size_t c = 0; c < C; ++c) *to++ = f[s * C + c];
    }
}

static void pack_shares(const mot_real *p, const mot_real *f, size_t count, size_t C, mot_real *restrict to)
{
    if (C == 1)
        for (size_t s = 0; s < count; ++s) to[s] = p[s] * f[s];
    else
        for (size_t i = 0; i < count * C; ++i) to[i] = p[i / C] * f[i];
}

/* sent: | home rank 0: expert 0 [samples, there], expert 1, ... | home rank 1 | ... */
static void pack(mot_step *step)
{
    const step_soft *soft = &step->soft;
    const size_t local = (size_t)step->model->local, B = step->most, C = step->C;
    mot_real *to = soft->sent;
    for (int r = 0; r < step->comm->size; ++r)
        for (size_t e = 0; e < local; ++e) {
            const size_t from = e * B + home_first(step, r), count = home_count(step, r);
            if (soft->coupled)
                pack_pairs(soft->h + from, soft->f + from * C, count, C, to);
            else
                pack_shares(soft->h + from, soft->f + from * C, count, C, to);
            to += count * soft->there;
        }
}

static void send_home(mot_step *step)
{
    step_soft *soft = &step->soft;
    const mot_comm *comm = step->comm;
    const size_t mine = home_count(step, comm->rank) * soft->there,
                 local = (size_t)step->model->local * soft->there;
    int *const count = soft->count, *const place = count + comm->size, *const counts = place + comm->size,
               *const places = counts + comm->size;
    for (int r = 0; r < comm->size; ++r) {
        count[r] = (int)(local * home_count(step, r));
        place[r] = (int)(local * home_first(step, r));
        counts[r] = (int)(mine * (size_t)mot_placement_count(&step->model->placement, r));
        places[r] = (int)(mine * (size_t)step->model->placement.first[r]);
        if (r != comm->rank) soft->sent_bytes += (size_t)count[r] * sizeof(mot_real);
    }
    mot_comm_alltoallv(comm, soft->sent, count, place, soft->got, counts, places, MOT_MPI_REAL);
}

/* What came of an expert: [samples of this rank, there]. */
static const mot_real *came_from(const mot_step *step, size_t expert, size_t mine)
{
    const mot_placement *placement = &step->model->placement;
    const size_t place = (size_t)placement->first[placement->owner[expert]] +
                         (size_t)placement->local_index[expert];
    return step->soft.got + place * mine * step->soft.there;
}

/* F of a sigmoid: the sum of what came. */
static void add_up(const mot_step *step, size_t mine)
{
    const step_soft *soft = &step->soft;
    memset(soft->combined, 0, mine * step->C * sizeof(mot_real));
    for (size_t e = 0; e < step->model->gate.experts; ++e)
        mot_row_add(soft->combined, came_from(step, e, mine), mine * step->C);
}

/* F of a softmax; sum becomes the logarithm of the sum of exponentials. */
static void weigh(const mot_step *step, size_t mine)
{
    const step_soft *soft = &step->soft;
    const size_t E = step->model->gate.experts, C = step->C, there = soft->there;
    memset(soft->combined, 0, mine * C * sizeof(mot_real));
    for (size_t s = 0; s < mine; ++s) {
        mot_real most = came_from(step, 0, mine)[s * there], sum = 0, *combined = soft->combined + s * C;
        for (size_t e = 1; e < E; ++e) most = MOT_MAX(most, came_from(step, e, mine)[s * there]);
        for (size_t e = 0; e < E; ++e) {
            const mot_real *row = came_from(step, e, mine) + s * there, x = mot_exp(row[0] - most);
            sum += x;
            for (size_t c = 0; c < C; ++c) combined[c] += x * row[1 + c];
        }
        for (size_t c = 0; c < C; ++c) combined[c] /= sum;
        soft->sum[s] = most + (mot_real)log((double)sum);
    }
}

static void take_losses(mot_step *step, size_t mine)
{
    const step_soft *soft = &step->soft;
    const size_t C = step->C, from = home_first(step, step->comm->rank);
    const mot_real share = 1 / (mot_real)step->batch.total;
    for (size_t s = 0; s < mine; ++s) {
        const mot_real *combined = soft->combined + s * C;
        mot_real *said = soft->said + s * soft->back, along = 0;
        choice_report *report = mot_step_next_report(step);
        *report = mot_step_judge(step, combined, mot_batch_note(&step->batch, from + s)->target, said);
        report->position = (uint32_t)(from + s);
        mot_step_keep_output(step, report, combined);
        for (size_t c = 0; c < C; ++c) {
            said[c] *= share;
            along += said[c] * combined[c];
        }
        if (!soft->coupled) continue;
        said[C] = soft->sum[s];
        said[C + 1] = along;
    }
}

static void send_back(mot_step *step)
{
    step_soft *soft = &step->soft;
    const mot_comm *comm = step->comm;
    int *const counts = soft->count, *const places = counts + comm->size;
    for (int r = 0; r < comm->size; ++r) {
        counts[r] = (int)(home_count(step, r) * soft->back);
        places[r] = (int)(home_first(step, r) * soft->back);
    }
    mot_comm_allgatherv(comm, soft->said, counts[comm->rank], soft->heard, counts, places, MOT_MPI_REAL);
    soft->sent_bytes += (size_t)counts[comm->rank] * sizeof(mot_real) * (size_t)(comm->size - 1);
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
    const size_t local = (size_t)step->model->local, from = mot_part_first(local, all->parts, part),
                 count = mot_part_first(local, all->parts, part + 1) - from, B = step->most, C = step->C,
                 F = step->model->gate.features;
    const double start = mot_clock_s();
    for (size_t first = 0; first < step->batch.total; first += step->tile) {
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
        if (all->gate)
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
        if (all->experts) {
            backward(step, worker, from, count, &tile, out, d_f);
            count_flops(step, worker, &tile, count, 2);
        }
        mot_arena_rewind(&worker->arena, mark);
        mot_watch_progress();
    }
    worker->busy_s += mot_clock_s() - start;
}

/* The gradients by all directions become those of the gate. */
static void give_gate(mot_step *step)
{
    step_soft *soft = &step->soft;
    mot_model *model = step->model;
    const mot_comm *comm = step->comm;
    const size_t F = model->gate.features;
    int *const counts = soft->count, *const places = counts + comm->size;
    for (int r = 0; r < comm->size; ++r) {
        counts[r] = (int)((size_t)mot_placement_count(&model->placement, r) * F);
        places[r] = (int)((size_t)model->placement.first[r] * F);
    }
    mot_comm_gatherv(comm, soft->raw, counts[comm->rank], MOT_MPI_REAL, soft->all_raw, counts, places);
    if (comm->rank != MOT_ROOT) {
        soft->sent_bytes += (size_t)counts[comm->rank] * sizeof(mot_real);
        return;
    }
    for (size_t i = 0; i < model->gate.experts; ++i)
        mot_gate_directions_backward(&model->gate, &model->gate_params, (size_t)model->placement.local[i],
                                     soft->all_raw + i * F);
}

/* ---- the whole ---- */

void mot_step_soft_notes(mot_step *step)
{
    coordinator *root = &step->root;
    for (size_t p = 0; p < step->batch.total; ++p) {
        const mot_sample_note *note = mot_batch_note(&step->batch, p);
        root->sample[p] = note->index;
        root->label[p] = mot_target_class(&step->loss, note->target);
        root->group[p] = note->group;
    }
}

/* Directions of the gate, from the coordinator to all; those of this rank's experts. */
static void get_directions(mot_step *step)
{
    const step_soft *soft = &step->soft;
    const mot_model *model = step->model;
    const mot_comm *comm = step->comm;
    const size_t E = model->gate.experts, F = model->gate.features;
    if (comm->rank == MOT_ROOT) {
        mot_gate_directions(&model->gate, &model->gate_params, soft->unit);
        step->soft.sent_bytes += E * F * sizeof(mot_real) * (size_t)(comm->size - 1);
    }
    mot_comm_bcast(comm, soft->unit, E * F * sizeof(mot_real), MOT_ROOT);
    for (int e = 0; e < model->local; ++e)
        memcpy(soft->mine + (size_t)e * F,
               soft->unit + (size_t)model->placement.local[model->placement.first[comm->rank] + e] * F,
               F * sizeof(mot_real));
}

static void settle_work(mot_step *step)
{
    for (int t = 0; t < mot_threads_count(step->threads); ++t) {
        step_worker *worker = &step->worker[t];
        step->work.expert_s += worker->busy_s;
        step->work.expert_flops += worker->flops;
        worker->busy_s = worker->flops = 0;
    }
}

void mot_step_soft_work(mot_step *step, const mot_step_task *task)
{
    step_soft *soft = &step->soft;
    const size_t local = (size_t)step->model->local, mine = home_count(step, step->comm->rank),
                 threads = (size_t)mot_threads_count(step->threads);
    double since = mot_clock_s();
    enter_meeting(step, MOT_PHASE_SCORE);
    get_directions(step);
    lap(step, MOT_PHASE_WAIT, &since);
    enter(MOT_PHASE_EXPERT);
    soft->learns = step->learns != 0;
    mot_threads_run(step->threads, local > 0 ? (step->batch.total + step->tile - 1) / step->tile : 0,
                    forward_tile, step);
    lap(step, MOT_PHASE_EXPERT, &since);
    enter_exchange(MOT_PHASE_COMBINE);
    pack(step);
    send_home(step);
    lap(step, MOT_PHASE_COMBINE, &since);
    enter(MOT_PHASE_LOSS);
    if (soft->coupled)
        weigh(step, mine);
    else
        add_up(step, mine);
    take_losses(step, mine);
    lap(step, MOT_PHASE_LOSS, &since);
    soft_backward all = {step, MOT_MIN(threads, MOT_MAX(local, (size_t)1)), false, step->learns != 0};
    all.gate = task->stage != NULL && (task->stage->train >> MOT_PART_GATE & 1u);
    if (all.gate || all.experts) {
        enter_exchange(MOT_PHASE_RETURN);
        send_back(step);
        lap(step, MOT_PHASE_RETURN, &since);
        enter(MOT_PHASE_EXPERT);
        memset(soft->raw, 0, local * step->model->gate.features * sizeof(mot_real));
        mot_threads_run(step->threads, local > 0 ? all.parts : 0, backward_part, &all);
        for (size_t e = 0; e < local; ++e) step->strips.added[e] = 1;
        lap(step, MOT_PHASE_EXPERT, &since);
    }
    if (all.gate) {
        enter_meeting(step, MOT_PHASE_REPORT);
        give_gate(step);
        lap(step, MOT_PHASE_WAIT, &since);
    }
    settle_work(step);
    if (step->comm->rank != MOT_ROOT) soft->sent_bytes += step->reports.count * sizeof(choice_report);
}

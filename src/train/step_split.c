/* Experts with many rows are helped (split.h): weights go to the helpers, and the gradients of strips come back.
 *
 *      owner                                        helper
 *      weights of its experts ────────────────────► a guest: the expert's weights in a block of this rank
 *      its own strips, 0 .. m - 1                   strips m .. n - 1, each summed in a block of its own
 *      adds them as m .. n - 1 ◄─────────────────── those blocks
 *
 * All of this is known to everybody from the choices, so nobody asks for anything; messages between two ranks match by
 * their order, which is that of the shares. */
#include "model_private.h"
#include "mot/memory.h"
#include "step_private.h"

#include <assert.h>
#include <string.h>

static size_t strips_of(const mot_step *step, size_t rows)
{
    return (rows + step->layer->strip - 1) / step->layer->strip;
}

mot_status mot_step_split_create(mot_step *step)
{
    const size_t E = (size_t)step->model->layer->experts;
    step_split *split = &step->split;
    mot_status status = MOT_OK;
    split->on = step->model->config->route.split && step->comm->size > 1;
    if (!split->on) return MOT_OK;
    MPI_Type_contiguous(MOT_TABLE_STEP * sizeof(mot_real), MPI_BYTE, &split->unit);
    MPI_Type_commit(&split->unit);
    MOT_TRY(mot_allocate(&split->slot, E, sizeof(int), "guests"));
    MOT_TRY(mot_allocate(&split->guest, E, sizeof(int), "guests"));
    MOT_TRY(mot_allocate(&split->sent, (size_t)step->comm->size, sizeof(bool), "guests"));
done:
    return status;
}

void mot_step_split_destroy(step_split *split)
{
    if (split->on && split->unit != MPI_DATATYPE_NULL) MPI_Type_free(&split->unit);
    void *const arrays[] = {split->slot,   split->guest, split->sent, split->value,
                            split->weight, split->done,  split->back, split->request};
    for (size_t i = 0; i < MOT_COUNT(arrays); ++i) mot_free(arrays[i]);
}

/* A guest's weights lie in its slot's block, but for tied tensors, which every rank has. */
static void point(mot_step *step, size_t slot)
{
    const mot_model *model = step->model;
    const mot_real *own = step->split.value + slot * model->layer->own_table.count;
    const mot_real **weight = step->split.weight + slot * model->layer->table.rows;
    model_place place = {0};
    for (size_t r = 0; r < model->layer->table.rows; ++r) {
        mot_layer_next(model->layer, r, &place);
        weight[r] = (place.tied ? model->layer->tied.value : own) + place.offset;
    }
}

mot_status mot_step_split_prepare(mot_step *step)
{
    step_split *split = &step->split;
    const mot_model *model = step->model;
    const size_t E = (size_t)model->layer->experts;
    mot_status status = MOT_OK;
    if (!split->on) return MOT_OK;
    size_t messages = 2 * E, done = 0, back = 0;
    split->guests = 0;
    for (size_t e = 0; e < E; ++e) split->slot[e] = -1;
    for (size_t c = 0; c < step->chunks; ++c) {
        const mot_split *shares = &step->layer->chunk[c].split;
        size_t here = 0, away = 0;
        messages += 2 * shares->shares;
        for (size_t i = 0; i < shares->shares; ++i) {
            const mot_share *share = &shares->share[i];
            const bool mine = mot_model_expert(model, share->expert) != NULL,
                       by_me = share->worker == step->comm->rank;
            if (mine && !by_me) away += strips_of(step, share->rows);
            if (mine || !by_me) continue;
            here += strips_of(step, share->rows);
            split->slot[share->expert] = 0; /* numbered below, by expert */
        }
        done = MOT_MAX(done, here);
        back = MOT_MAX(back, away);
    }
    for (size_t e = 0; e < E; ++e) {
        if (split->slot[e] < 0) continue;
        split->guest[split->guests] = (int)e;
        split->slot[e] = (int)split->guests++;
    }
    const size_t own = model->layer->own_table.count, all = model->layer->table.count, real = sizeof(mot_real);
    MOT_TRY(mot_reserve(&split->value, &split->value_room, split->guests * own, real, "guests"));
    MOT_TRY(mot_reserve(&split->weight, &split->weight_room, split->guests * model->layer->table.rows,
                        sizeof(void *), "guests"));
    MOT_TRY(mot_reserve(&split->done, &split->done_room, done * all, real, "the gradients of guests"));
    MOT_TRY(mot_reserve(&split->back, &split->back_room, back * all, real, "gradients from helpers"));
    MOT_TRY(mot_reserve(&split->request, &split->request_room, messages, sizeof(MPI_Request), "guests"));
    for (size_t g = 0; g < split->guests; ++g) point(step, g);
done:
    return status;
}

/* A rank may have all rows of a chunk, and keeps its fair share; or it has none, and takes such a share from others,
 * strip by strip, each at worst of another expert. */
size_t mot_step_split_most(const mot_step *step)
{
    const mot_model *model = step->model;
    const size_t workers = (size_t)mot_placement_workers(&model->layer->placement),
                 chunk = (step->most * step->layer->K + step->chunks - 1) / step->chunks,
                 fair = (chunk + workers - 1) / workers,
                 others = (size_t)(model->layer->experts - model->layer->local);
    if (!step->split.on || step->comm->rank < mot_placement_first_worker(&model->layer->placement)) return 0;
    const size_t strips = strips_of(step, fair) + 1, guests = MOT_MIN(others, strips * step->chunks),
                 back = model->layer->local > 0 ? strips_of(step, chunk - fair) : 0,
                 helping = guests * model->layer->own_table.count + (guests > 0 ? strips : 0) * model->layer->table.count;
    return MOT_MAX(helping * sizeof(mot_real) + guests * step->layer->prepared.bytes,
                   back * model->layer->table.count * sizeof(mot_real));
}

size_t mot_step_split_held(const mot_step *step)
{
    const step_split *split = &step->split;
    return (split->value_room + split->done_room + split->back_room) * sizeof(mot_real);
}

static MPI_Request *next_request(step_split *split)
{
    assert((size_t)split->requests < split->request_room);
    return &split->request[split->requests++];
}

/* Sets out for another rank; what splits send is part of the dispatch. */
static void send(mot_step *step, const mot_real *numbers, size_t count, int to, int tag)
{
    const size_t bytes = count * sizeof *numbers;
    MPI_Isend(numbers, mot_table_steps(count), step->split.unit, to, tag, step->comm->mpi,
              next_request(&step->split));
    step->split.sent_bytes += bytes;
    step->work.phase[MOT_PHASE_DISPATCH].bytes += (double)bytes;
}

/* The weights of expert e to every rank that helps it in any chunk, once. */
static void send_weights(mot_step *step, int e)
{
    step_split *split = &step->split;
    const size_t count = step->model->layer->own_table.count;
    memset(split->sent, 0, (size_t)step->comm->size * sizeof(bool));
    split->sent[step->comm->rank] = true;
    for (size_t c = 0; c < step->chunks; ++c) {
        const mot_split *shares = &step->layer->chunk[c].split;
        for (size_t i = shares->first[e]; i < shares->first[e + 1]; ++i) {
            const int worker = shares->share[i].worker;
            if (split->sent[worker]) continue;
            split->sent[worker] = true;
            mot_params_catch_up(mot_model_expert(step->model, e));
            send(step, mot_model_expert(step->model, e)->value, count, worker, MOT_TAG_WEIGHTS);
        }
    }
}

void mot_step_split_begin(mot_step *step)
{
    step_split *split = &step->split;
    const mot_model *model = step->model;
    if (!split->on) return;
    assert(split->requests == 0);
    if (split->guests > 0) mot_params_catch_up(&step->model->layer->tied); /* whose words are theirs too */
    for (size_t g = 0; g < split->guests; ++g)
        MPI_Irecv(split->value + g * model->layer->own_table.count, mot_table_steps(model->layer->own_table.count),
                  split->unit, model->layer->placement.owner[split->guest[g]], MOT_TAG_WEIGHTS, step->comm->mpi,
                  next_request(split));
    for (int e = 0; e < model->layer->experts; ++e)
        if (mot_model_expert(model, e) != NULL) send_weights(step, e);
}

void mot_step_split_expect(mot_step *step, const step_chunk *chunk)
{
    step_split *split = &step->split;
    const mot_model *model = step->model;
    size_t strips = 0;
    if (!split->on) return;
    split->owing = chunk;
    for (size_t i = 0; i < chunk->split.shares; ++i) {
        const mot_share *share = &chunk->split.share[i];
        if (mot_model_expert(model, share->expert) == NULL || share->worker == step->comm->rank) continue;
        const size_t n = strips_of(step, share->rows);
        MPI_Irecv(split->back + strips * model->layer->table.count, mot_table_steps(n * model->layer->table.count),
                  split->unit, share->worker, MOT_TAG_STRIPS, step->comm->mpi, next_request(split));
        strips += n;
    }
}

void mot_step_split_return(mot_step *step, const step_chunk *chunk)
{
    step_split *split = &step->split;
    const mot_model *model = step->model;
    const mot_plan *plan = &chunk->plan;
    size_t strips = 0;
    for (size_t g = (size_t)model->layer->local; g < plan->groups; ++g) {
        const size_t n = strips_of(step, plan->group_first[g + 1] - plan->group_first[g]);
        send(step, split->done + strips * model->layer->table.count, n * model->layer->table.count,
             model->layer->placement.owner[plan->group_expert[g]], MOT_TAG_STRIPS);
        strips += n;
    }
}

void mot_step_split_settle(mot_step *step, mot_phase phase)
{
    step_split *split = &step->split;
    const mot_model *model = step->model;
    if (!split->on) return;
    const double start = mot_clock_s();
    enter_exchange(MOT_PHASE_DISPATCH);
    mot_exchange_wait(&step->nodes, step->comm, split->requests, split->request);
    split->requests = 0;
    enter(phase);
    const double waited = mot_clock_s() - start;
    step->work.phase[MOT_PHASE_DISPATCH].seconds += waited;
    step->work.phase[phase].seconds -= waited; /* which the caller's next lap adds */
    if (split->owing == NULL) return;
    const mot_real *strip = split->back;
    for (size_t i = 0; i < split->owing->split.shares; ++i) {
        const mot_share *share = &split->owing->split.share[i];
        if (mot_model_expert(model, share->expert) == NULL || share->worker == step->comm->rank) continue;
        const size_t local = (size_t)model->layer->placement.local_index[share->expert];
        for (size_t n = strips_of(step, share->rows); n > 0; --n, strip += model->layer->table.count) {
            mot_step_add_strip(step, step->layer, local, strip, NULL);
            ++step->layer->added[local];
        }
    }
    split->owing = NULL;
}

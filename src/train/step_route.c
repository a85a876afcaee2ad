/* Score and choose: the way to the coordinator and back; then rows set out. */
#include "step_private.h"

#include <string.h>

#include "mot/memory.h"

/* ---- the coordinator ---- */

void mot_step_gather_notes(mot_step *step)
{
    const mot_batch *batch = &step->batch;
    coordinator *root = &step->root;
    const int ranks = step->comm->size;
    root->noted = 0;
    for (int r = 0; step->comm->rank == MOT_ROOT && r < ranks; ++r) {
        root->counts[r] = (int)root->rank[r].units;
        root->noted += (size_t)root->counts[r] * batch->note_unit;
        root->places[r] = r > 0 ? root->places[r - 1] + root->counts[r - 1] : 0;
    }
    mot_comm_gatherv(step->comm, batch->note, (int)mot_batch_note_units(batch), step->types.note, root->gathered, root->counts,
                     root->places);
}

void mot_step_spread_notes(mot_step *step)
{
    const mot_batch *batch = &step->batch;
    coordinator *root = &step->root;
    uint32_t *units = step->layer->choices.units;
    for (size_t p = 0; p < batch->total; ++p) {
        int *place = &root->places[batch->home[p]];
        const unsigned char *at = root->gathered + (size_t)*place * batch->note_unit;
        const mot_sample_note *note = (const mot_sample_note *)(const void *)at;
        const bool own_length = batch->note_unit != batch->note_bytes;
        *place += own_length ? (int)((batch->note_numbers + note->ids * sizeof(int32_t) + batch->note_unit - 1) / batch->note_unit) : 1;
        root->sample[p] = note->index;
        root->label[p] = mot_target_class(&step->loss, note->target);
        root->group[p] = note->group;
        if (units != NULL) units[p] = (uint32_t)((step->layer->wire.head_bytes + note->bytes + MOT_UNIT_BYTES - 1) / MOT_UNIT_BYTES);
        if (batch->gate != NULL) mot_layer_take_features(step->layer, p, at + batch->note_numbers, own_length ? note->ids : mot_gate_row(batch->gate));
    }
}

static void score_and_choose(mot_step *step, const mot_step_task *task, double *since)
{
    mot_step_spread_notes(step);
    mot_layer_score(step, step->layer, task);
    lap(step, MOT_PHASE_SCORE, since);
    mot_layer_choose(step, step->layer, task);
}

/* ---- every rank ---- */

void mot_step_count_rows(mot_step *step, size_t rows, const int *owner)
{
    coordinator *root = &step->root;
    const int ranks = step->comm->size;
    memset(root->counts, 0, (size_t)ranks * sizeof *root->counts);
    for (size_t i = 0; i < rows; ++i) ++root->counts[owner[i]];
    root->places[0] = 0;
    for (int r = 1; r < ranks; ++r) root->places[r] = root->places[r - 1] + root->counts[r - 1];
}

mot_status mot_step_choose(mot_step *step, const mot_step_task *task, mot_status status, bool stop)
{
    const mot_comm *comm = step->comm;
    const mot_batch *batch = &step->batch;
    coordinator *root = &step->root;
    const bool coordinates = comm->rank == MOT_ROOT;
    double since = mot_clock_s();

    const rank_note note = {status, stop, (int64_t)mot_batch_note_units(batch), mot_step_sums(step)};
    enter_meeting(step, MOT_PHASE_CHOOSE);
    mot_comm_gather(comm, &note, sizeof note, root->rank);
    if (!step->soft.on) { /* else everybody has all */
        mot_step_gather_notes(step);
    }
    lap(step, MOT_PHASE_WAIT, &since);

    if (coordinates) {
        enter(MOT_PHASE_SCORE);
        *step->layer->choices.status = MOT_OK;
        step->stop = false;
        for (int r = 0; r < comm->size; ++r) {
            if (root->rank[r].status != MOT_OK) *step->layer->choices.status = root->rank[r].status;
            step->stop = step->stop || root->rank[r].stop;
        }
        if (*step->layer->choices.status == MOT_OK && step->soft.on)
            mot_step_soft_notes(step);
        else if (*step->layer->choices.status == MOT_OK)
            score_and_choose(step, task, &since);
        lap(step, MOT_PHASE_CHOOSE, &since);
    }
    mot_comm_bcast(comm, step->layer->choices.message, step->layer->choices.bytes, MOT_ROOT);
    lap(step, MOT_PHASE_WAIT, &since);
    /* Everybody learns from the message that somebody failed, and only then asks who and why. */
    return *step->layer->choices.status == MOT_OK ? MOT_OK : mot_comm_agree(comm, status);
}

/* One chunk: who sends what to whom. */
static mot_status plan_chunk(mot_step *step, size_t c)
{
    const mot_batch *batch = &step->batch;
    const size_t from = mot_chunk_first(batch, c), count = mot_chunk_first(batch, c + 1) - from, K = step->layer->K;
    step_chunk *chunk = &step->layer->chunk[c];
    mot_plan *plan = &chunk->plan;
    mot_status status;
    const int32_t *expert = step->layer->choices.expert + from * K;
    mot_split *split = step->split.on ? &chunk->split : NULL;
    if (split != NULL)
        MOT_TRY(mot_split_build(split, &step->model->layer->placement, count * K, expert, step->layer->strip));
    const uint32_t *units = step->layer->choices.units;
    MOT_TRY(mot_plan_build(plan, &step->model->layer->placement, count, K, batch->home + from, expert, split,
                           units != NULL ? units + from : NULL));
done:
    return status;
}

/* Behind a text of its own length its row is filled up with padding. */
static void pack_sample(const mot_step *step, size_t p, unsigned char *row)
{
    const step_layer *layer = step->layer;
    const unsigned char *sample = mot_batch_sample(&step->batch, p);
    const size_t bytes = mot_batch_sample_bytes(&step->batch, p);
    if (layer->choices.units != NULL)
        memset(row + bytes, 0, layer->choices.units[p] * (size_t)MOT_UNIT_BYTES - layer->wire.head_bytes - bytes);
    if (layer->wire.samples == MOT_PAYLOAD_FP32)
        memcpy(row, sample, bytes);
    else
        mot_payload_pack(step->layer->wire.samples, bytes / sizeof(float), (const mot_real *)(const void *)sample, row);
}

/* Its rows are packed and set out. */
static void dispatch_chunk(mot_step *step, size_t c)
{
    const mot_batch *batch = &step->batch;
    const size_t from = mot_chunk_first(batch, c), K = step->layer->K;
    step_chunk *chunk = &step->layer->chunk[c];
    const mot_plan *plan = &chunk->plan;
    const size_t *own = plan->home_first + plan->rank;
    for (size_t r = 0; r < plan->rows_home; ++r) {
        const size_t p = from + (size_t)plan->home_sample[r], k = (size_t)plan->home_choice[r];
        unsigned char *row = mot_exchange_home(&chunk->dispatch, plan, r);
        const row_head head = {(uint32_t)p, (uint32_t)k, step->layer->choices.weight[p * K + k]};
        memcpy(row, &head, sizeof head);
        memcpy(row + sizeof head, mot_batch_note(batch, p)->target, step->loss.target_bytes);
        if (r >= own[0] && r < own[1] && mot_step_stays(step)) continue;
        pack_sample(step, p, row + step->layer->wire.head_bytes);
    }
    mot_exchange_begin(&chunk->dispatch, plan, MOT_DISPATCH);
}

mot_status mot_step_dispatch(mot_step *step)
{
    double since = mot_clock_s();
    mot_status status = MOT_OK;
    enter(MOT_PHASE_DISPATCH);
    for (size_t c = 0; c < step->chunks && status == MOT_OK; ++c) status = plan_chunk(step, c);
    if (status == MOT_OK) status = mot_step_split_prepare(step);
    if (status == MOT_OK)
        status = mot_prepared_begin(&step->layer->prepared, (size_t)step->model->layer->local + step->split.guests,
                                    step->learns != 0);
    status = mot_layer_make_room(step, step->layer, step->layer->K > 1, status);
    if (status != MOT_OK) return status;
    mot_step_split_begin(step);
    /* The first is on its way while the next is packed. */
    for (size_t c = 0; c < step->chunks; ++c) dispatch_chunk(step, c);
    lap(step, MOT_PHASE_DISPATCH, &since);
    return MOT_OK;
}

void mot_step_peers(const mot_step *step, bool *peer)
{
    const mot_batch *batch = &step->batch;
    const int *owner = step->model->layer->placement.owner, me = step->comm->rank;
    for (int r = 0; r < step->comm->size; ++r) peer[r] = step->soft.on || step->stack != NULL;
    for (size_t i = 0; step->stack == NULL && i < batch->total * step->layer->K; ++i) {
        const int home = batch->home[i / step->layer->K], there = owner[step->layer->choices.expert[i]];
        if (home == me) peer[there] = true;
        if (there == me) peer[home] = true;
    }
    peer[me] = false;
}

void mot_step_progress(mot_step *step)
{
    /* Sockets hold what 10 Gbit/s move in this time. More often only helps other processes: where ranks have to share
     * cores, MPI gives the core away each time it finds nothing to do. */
    const double often_s = 5e-4;
    const double now = mot_clock_s();
    if (now - step->progress_s < often_s) return;
    step->progress_s = now;
    /* One that has not arrived is enough: testing it moves all. */
    for (int l = 0; l < step->model->layers; ++l)
        for (size_t c = 0; c < step->chunks; ++c) {
            step_chunk *chunk = &step->layer[l].chunk[c];
            if (!mot_exchange_test(&chunk->dispatch) || !mot_exchange_test(&chunk->outputs)) return;
        }
    int arrived;
    MPI_Testall(step->split.requests, step->split.request, &arrived, MPI_STATUSES_IGNORE);
}

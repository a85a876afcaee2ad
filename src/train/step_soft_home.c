/* Soft routing (step_soft.c): what travels. Outputs go home, are combined there in the order of the experts, and the same few
 * numbers of each sample come back to all; the gate's directions come from the coordinator, and gradients by them go there. */
#include <string.h>

#include "mot/rowops.h"
#include "step_private.h"

/* ---- outputs go home ---- */

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
    const size_t local = (size_t)step->model->layer->local, B = step->most, C = step->C;
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
                 local = (size_t)step->model->layer->local * soft->there;
    int *const count = soft->count, *const place = count + comm->size, *const counts = place + comm->size,
               *const places = counts + comm->size;
    for (int r = 0; r < comm->size; ++r) {
        count[r] = (int)(local * home_count(step, r));
        place[r] = (int)(local * home_first(step, r));
        counts[r] = (int)(mine * (size_t)mot_placement_count(&step->model->layer->placement, r));
        places[r] = (int)(mine * (size_t)step->model->layer->placement.first[r]);
        if (r != comm->rank) soft->sent_bytes += (size_t)count[r] * sizeof(mot_real);
    }
    mot_comm_alltoallv(comm, soft->sent, count, place, soft->got, counts, places, MOT_MPI_REAL);
}

void mot_step_soft_combine(mot_step *step)
{
    pack(step);
    send_home(step);
}

/* What came of an expert: [samples of this rank, there]. */
static const mot_real *came_from(const mot_step *step, size_t expert, size_t mine)
{
    const mot_placement *placement = &step->model->layer->placement;
    const size_t place = (size_t)placement->first[placement->owner[expert]] +
                         (size_t)placement->local_index[expert];
    return step->soft.got + place * mine * step->soft.there;
}

/* ---- losses ---- */

/* F of a sigmoid: the sum of what came. */
static void add_up(const mot_step *step, size_t mine)
{
    const step_soft *soft = &step->soft;
    memset(soft->combined, 0, mine * step->C * sizeof(mot_real));
    for (size_t e = 0; e < step->model->layer->gate.experts; ++e)
        mot_row_add(soft->combined, came_from(step, e, mine), mine * step->C);
}

/* F of a softmax; sum becomes the logarithm of the sum of exponentials. */
static void weigh(const mot_step *step, size_t mine)
{
    const step_soft *soft = &step->soft;
    const size_t E = step->model->layer->gate.experts, C = step->C, there = soft->there;
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

void mot_step_soft_losses(mot_step *step)
{
    const step_soft *soft = &step->soft;
    const size_t mine = home_count(step, step->comm->rank);
    const size_t C = step->C, from = home_first(step, step->comm->rank);
    const mot_real share = 1 / (mot_real)step->batch.total;
    if (soft->coupled)
        weigh(step, mine);
    else
        add_up(step, mine);
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

void mot_step_soft_return(mot_step *step)
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

/* ---- the gate ---- */

/* Directions of the gate, from the coordinator to all; those of this rank's experts. */
void mot_step_soft_directions(mot_step *step)
{
    const step_soft *soft = &step->soft;
    const mot_model *model = step->model;
    const mot_comm *comm = step->comm;
    const size_t E = model->layer->gate.experts, F = model->layer->gate.features;
    if (comm->rank == MOT_ROOT) {
        mot_gate_directions(&model->layer->gate, &model->layer->gate_params, soft->unit);
        step->soft.sent_bytes += E * F * sizeof(mot_real) * (size_t)(comm->size - 1);
    }
    mot_comm_bcast(comm, soft->unit, E * F * sizeof(mot_real), MOT_ROOT);
    for (int e = 0; e < model->layer->local; ++e)
        memcpy(soft->mine + (size_t)e * F,
               soft->unit + (size_t)model->layer->placement.local[model->layer->placement.first[comm->rank] + e] * F,
               F * sizeof(mot_real));
}

/* The gradients by all directions become those of the gate. */
void mot_step_soft_give_gate(mot_step *step)
{
    step_soft *soft = &step->soft;
    mot_model *model = step->model;
    const mot_comm *comm = step->comm;
    const size_t F = model->layer->gate.features;
    int *const counts = soft->count, *const places = counts + comm->size;
    for (int r = 0; r < comm->size; ++r) {
        counts[r] = (int)((size_t)mot_placement_count(&model->layer->placement, r) * F);
        places[r] = (int)((size_t)model->layer->placement.first[r] * F);
    }
    mot_comm_gatherv(comm, soft->raw, counts[comm->rank], MOT_MPI_REAL, soft->all_raw, counts, places);
    if (comm->rank != MOT_ROOT) {
        soft->sent_bytes += (size_t)counts[comm->rank] * sizeof(mot_real);
        return;
    }
    for (size_t i = 0; i < model->layer->gate.experts; ++i)
        mot_gate_directions_backward(&model->layer->gate, &model->layer->gate_params, (size_t)model->layer->placement.local[i],
                                     soft->all_raw + i * F);
}

/* Experts change ranks: parameters, moments and the number of updates go; gradients are zero when a step begins. */
#include "model_private.h"
#include "mot/memory.h"
#include "mot/watch.h"

enum { MESSAGES = 4 }; /* an expert: values, two moments, updates */

typedef struct move {
    const mot_model *model;
    MPI_Datatype unit;
    MPI_Request *request;
    int requests;
} move;

static void send(move *m, mot_params *params, int to)
{
    const int units = mot_table_steps(params->table->count);
    const mot_real *const block[] = {params->value, params->moment[0], params->moment[1]};
    const MPI_Comm mpi = m->model->comm->mpi;
    for (size_t b = 0; b < MOT_COUNT(block); ++b)
        MPI_Isend(block[b], units, m->unit, to, MOT_TAG_EXPERT, mpi, &m->request[m->requests++]);
    MPI_Isend(&params->updates, 1, MPI_INT64_T, to, MOT_TAG_EXPERT, mpi, &m->request[m->requests++]);
}

static void receive(move *m, mot_params *params, int from)
{
    const int units = mot_table_steps(params->table->count);
    mot_real *const block[] = {params->value, params->moment[0], params->moment[1]};
    const MPI_Comm mpi = m->model->comm->mpi;
    for (size_t b = 0; b < MOT_COUNT(block); ++b)
        MPI_Irecv(block[b], units, m->unit, from, MOT_TAG_EXPERT, mpi, &m->request[m->requests++]);
    MPI_Irecv(&params->updates, 1, MPI_INT64_T, from, MOT_TAG_EXPERT, mpi, &m->request[m->requests++]);
}

/* Messages between two ranks match by their order, which is that of the units. */
static void exchange(move *m, model_experts *held)
{
    const mot_model *model = m->model;
    const mot_unit *const after = held->units.unit;
    const int rank = model->comm->rank;
    MPI_Type_contiguous(MOT_TABLE_STEP * sizeof(mot_real), MPI_BYTE, &m->unit);
    MPI_Type_commit(&m->unit);
    for (size_t u = 0; u < held->units.count; ++u) {
        const mot_unit *const before = mot_model_former(model, held, u);
        if (after[u].owner == rank && before->owner != rank) receive(m, after[u].params, before->owner);
    }
    for (size_t u = 0; u < held->units.count; ++u) {
        const mot_unit *const before = mot_model_former(model, held, u);
        if (before->owner == rank && after[u].owner != rank) send(m, before->params, after[u].owner);
    }
    mot_watch_wait(MOT_WATCH_ALL);
    mot_comm_wait(model->comm, m->requests, m->request);
    mot_watch_wait(MOT_WATCH_NOBODY);
    MPI_Type_free(&m->unit);
}

mot_status mot_model_settle(mot_model *model, int layer, mot_placement *placement, const int *from)
{
    const size_t experts = (size_t)model->layer[layer].local + (size_t)mot_placement_count(placement, model->comm->rank);
    move m = {.model = model};
    model_experts held;
    mot_status status;
    mot_model_catch_up(model);
    status = mot_model_hold(model, layer, placement, from, &held);
    if (status == MOT_OK)
        status = mot_allocate(&m.request, MESSAGES * experts, sizeof *m.request, "experts that move");
    status = mot_comm_agree(model->comm, status);
    if (status == MOT_OK) {
        exchange(&m, &held);
        mot_model_adopt(model, &held);
    } else {
        mot_model_let_go(model, &held);
    }
    mot_free(m.request);
    return status;
}

mot_status mot_model_move(mot_model *model, int layer, mot_placement *placement)
{
    return mot_model_settle(model, layer, placement, NULL);
}

size_t mot_layer_expert_bytes(const mot_layer *layer)
{
    return 3 * layer->own_table.count * sizeof(mot_real) + sizeof(int64_t);
}

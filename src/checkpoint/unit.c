#include "checkpoint_file.h"

#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

const mot_progress_field mot_progress_fields[] = {
    {"step", MOT_PROGRESS_INT64, offsetof(mot_progress, step)},
    {"stage", MOT_PROGRESS_INT32, offsetof(mot_progress, stage)},
    {"stage_first", MOT_PROGRESS_INT64, offsetof(mot_progress, stage_first)},
    {"window_steps", MOT_PROGRESS_INT64, offsetof(mot_progress, window_steps)},
    {"window_loss", MOT_PROGRESS_REAL, offsetof(mot_progress, window_loss)},
    {"window_purity", MOT_PROGRESS_REAL, offsetof(mot_progress, window_purity)},
    {"previous_loss", MOT_PROGRESS_REAL, offsetof(mot_progress, previous_loss)},
    {"previous_purity", MOT_PROGRESS_REAL, offsetof(mot_progress, previous_purity)},
    {"windows", MOT_PROGRESS_INT32, offsetof(mot_progress, windows)},
    {"restarts", MOT_PROGRESS_INT32, offsetof(mot_progress, restarts)},
};
const size_t mot_progress_field_count = MOT_COUNT(mot_progress_fields);

void mot_unit_path(char path[MOT_CHECKPOINT_PATH], int unit)
{
    if (unit == MOT_UNIT_GATE)
        snprintf(path, MOT_CHECKPOINT_PATH, "gate");
    else if (unit == MOT_UNIT_TIED)
        snprintf(path, MOT_CHECKPOINT_PATH, "tied");
    else
        snprintf(path, MOT_CHECKPOINT_PATH, "experts/%05d", unit);
}

void mot_tensor_path(char path[MOT_CHECKPOINT_PATH], int unit, const mot_tensor *tensor, int moment)
{
    char group[MOT_CHECKPOINT_PATH], tail[24] = "";
    mot_unit_path(group, unit);
    if (moment >= 0) snprintf(tail, sizeof tail, ".moment%d", moment);
    const bool parts = unit != MOT_UNIT_GATE; /* the gate has no parts */
    snprintf(path, MOT_CHECKPOINT_PATH, "%.32s%s%s/%s%s", group, parts ? "/" : "",
             parts ? mot_part_name[tensor->part] : "", tensor->name, tail);
}

static bool all_zero(const mot_real *value, size_t count)
{
    static const mot_real zero[256];
    for (size_t at = 0; at < count; at += MOT_COUNT(zero)) {
        /* By bytes: a -0.0 is something, and must come back as it was. */
        if (memcmp(value + at, zero, sizeof *value * MOT_MIN(MOT_COUNT(zero), count - at)) != 0) return false;
    }
    return true;
}

int mot_unit_moments(const mot_params *unit)
{
    for (int m = MOT_MOMENTS; m > 0; --m) {
        if (!all_zero(unit->moment[m - 1], unit->table->count)) return m;
    }
    return 0;
}

/* One message holds at most 1 GiB, far below where MPI's int ends. */
static const size_t piece = (size_t)1 << 28;

static void send_block(const mot_comm *comm, const mot_real *value, size_t count, int to)
{
    for (size_t at = 0; at < count; at += piece)
        MPI_Send(value + at, (int)MOT_MIN(piece, count - at), MOT_MPI_REAL, to, MOT_TAG_TENSOR, comm->mpi);
}

static void receive_block(const mot_comm *comm, mot_real *value, size_t count, int from)
{
    for (size_t at = 0; at < count; at += piece)
        MPI_Recv(value + at, (int)MOT_MIN(piece, count - at), MOT_MPI_REAL, from, MOT_TAG_TENSOR, comm->mpi,
                 MPI_STATUS_IGNORE);
}

void mot_unit_send(const mot_comm *comm, const mot_params *unit, const mot_unit_header *header, int to)
{
    MPI_Send(header, sizeof *header, MPI_BYTE, to, MOT_TAG_TENSOR, comm->mpi);
    if (!header->sound) return;
    send_block(comm, unit->value, unit->table->count, to);
    for (int m = 0; m < header->moments; ++m) send_block(comm, unit->moment[m], unit->table->count, to);
}

void mot_unit_receive(const mot_comm *comm, mot_params *unit, mot_unit_header *header, int from)
{
    MPI_Recv(header, sizeof *header, MPI_BYTE, from, MOT_TAG_TENSOR, comm->mpi, MPI_STATUS_IGNORE);
    if (!header->sound) return;
    receive_block(comm, unit->value, unit->table->count, from);
    for (int m = 0; m < MOT_MOMENTS; ++m) {
        if (m < header->moments)
            receive_block(comm, unit->moment[m], unit->table->count, from);
        else
            memset(unit->moment[m], 0, unit->table->count * sizeof(mot_real));
    }
    unit->updates = header->updates;
}

mot_status mot_unit_staging(const mot_state *state, mot_params *staging)
{
    const mot_table *const tables[] = {state->gate_table, state->tied_table, state->expert_table};
    size_t most = MOT_MAX((size_t)state->experts, 1); /* the balance bias passes through here too */
    for (size_t t = 0; t < MOT_COUNT(tables); ++t) {
        if (mot_table_used(tables[t])) most = MOT_MAX(most, tables[t]->count);
    }
    *staging = (mot_params){0};
    mot_status status = mot_allocate(&staging->value, most, sizeof(mot_real), "a unit of a checkpoint");
    for (int m = 0; m < MOT_MOMENTS && status == MOT_OK; ++m)
        status = mot_allocate(&staging->moment[m], most, sizeof(mot_real), "a unit of a checkpoint");
    if (status != MOT_OK) mot_unit_staging_free(staging);
    return status;
}

void mot_unit_staging_free(mot_params *staging)
{
    mot_free(staging->value);
    for (int m = 0; m < MOT_MOMENTS; ++m) mot_free(staging->moment[m]);
    *staging = (mot_params){0};
}

mot_status mot_state_check(const mot_comm *comm, const mot_state *state)
{
    for (int e = 0; e < state->experts; ++e) {
        if (state->owner[e] < 0 || state->owner[e] >= comm->size)
            return mot_fail(MOT_ERR_INPUT, "expert %d belongs to rank %d outside [0, %d)", e, state->owner[e],
                            comm->size);
        if (state->owner[e] == comm->rank && state->expert[e] == NULL)
            return mot_fail(MOT_ERR_INPUT, "expert %d is not on rank %d, which owns it", e, comm->rank);
    }
    if (mot_table_used(state->tied_table) && state->tied == NULL)
        return mot_fail(MOT_ERR_INPUT, "rank %d lacks the tied tensors", comm->rank);
    if (comm->rank == MOT_ROOT && mot_table_used(state->gate_table) && state->gate == NULL)
        return mot_fail(MOT_ERR_INPUT, "the root lacks the gate");
    return MOT_OK;
}

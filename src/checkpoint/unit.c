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

void mot_tensor_send(const mot_comm *comm, const mot_real *value, size_t count, int to)
{
    for (size_t at = 0; at < count; at += piece)
        MPI_Send(value + at, (int)MOT_MIN(piece, count - at), MOT_MPI_REAL, to, MOT_TAG_TENSOR, comm->mpi);
}

void mot_tensor_receive(const mot_comm *comm, mot_real *value, size_t count, int from)
{
    for (size_t at = 0; at < count; at += piece)
        MPI_Recv(value + at, (int)MOT_MIN(piece, count - at), MOT_MPI_REAL, from, MOT_TAG_TENSOR, comm->mpi,
                 MPI_STATUS_IGNORE);
}

void mot_unit_send_header(const mot_comm *comm, const mot_unit_header *header, int to)
{
    MPI_Send(header, sizeof *header, MPI_BYTE, to, MOT_TAG_TENSOR, comm->mpi);
}

void mot_unit_receive_header(const mot_comm *comm, mot_unit_header *header, int from)
{
    MPI_Recv(header, sizeof *header, MPI_BYTE, from, MOT_TAG_TENSOR, comm->mpi, MPI_STATUS_IGNORE);
}

void mot_unit_send(const mot_comm *comm, const mot_params *unit, const mot_unit_header *header, int to)
{
    mot_unit_send_header(comm, header, to);
    for (int m = -1; header->sound && m < (int)header->moments; ++m) {
        const mot_real *const block = m < 0 ? unit->value : unit->moment[m];
        for (size_t r = 0; r < unit->table->rows; ++r)
            mot_tensor_send(comm, block + unit->table->row[r].offset, unit->table->row[r].count, to);
    }
}

void mot_unit_receive(const mot_comm *comm, mot_params *unit, mot_unit_header *header, int from)
{
    mot_unit_receive_header(comm, header, from);
    if (!header->sound) return;
    /* The padding between tensors stays as it is, zero. */
    for (int m = -1; m < (int)header->moments; ++m) {
        mot_real *const block = m < 0 ? unit->value : unit->moment[m];
        for (size_t r = 0; r < unit->table->rows; ++r)
            mot_tensor_receive(comm, block + unit->table->row[r].offset, unit->table->row[r].count, from);
    }
    for (int m = (int)header->moments; m < MOT_MOMENTS; ++m)
        memset(unit->moment[m], 0, unit->table->count * sizeof(mot_real));
    unit->updates = header->updates;
}

mot_status mot_tensor_staging(const mot_state *state, mot_real **value)
{
    const mot_table *const tables[] = {state->gate_table, state->tied_table, state->expert_table};
    size_t most = MOT_MAX((size_t)state->experts, 1); /* the balance bias passes through here too */
    for (size_t t = 0; t < MOT_COUNT(tables); ++t)
        for (size_t r = 0; mot_table_used(tables[t]) && r < tables[t]->rows; ++r)
            most = MOT_MAX(most, tables[t]->row[r].count);
    return mot_allocate(value, most, sizeof(mot_real), "a tensor of a checkpoint");
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

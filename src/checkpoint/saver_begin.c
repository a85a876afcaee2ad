/* What happens while training waits: everybody learns what there is, and copies what is its own. */
#include "saver_private.h"

#include <string.h>

#include "mot/memory.h"

void mot_saver_free_units(mot_saver *saver)
{
    mot_free(saver->digest_of);
    mot_free(saver->block);
    mot_free(saver->first);
    mot_free(saver->about);
    mot_free(saver->origin);
    mot_free(saver->bias);
    mot_free(saver->units);
    saver->unit_room = 0;
}

/* Arrays for a state of so many units; there are no more experts than those. */
static mot_status make_room(mot_saver *saver, const mot_state *state, bool copy)
{
    const size_t units = state->units.count;
    mot_status status = MOT_OK;
    if (saver->unit_room < units) {
        mot_saver_free_units(saver);
        MOT_TRY(mot_allocate(&saver->about, units, sizeof *saver->about, "units"));
        MOT_TRY(mot_allocate(&saver->first, units + 1, sizeof *saver->first, "units"));
        MOT_TRY(mot_allocate(&saver->block, units, sizeof *saver->block, "units"));
        MOT_TRY(mot_allocate(&saver->digest_of, units, sizeof *saver->digest_of, "units"));
        MOT_TRY(mot_allocate(&saver->bias, units, sizeof *saver->bias, "the balance bias"));
        MOT_TRY(mot_allocate(&saver->origin, units, sizeof *saver->origin, "the numbers of experts"));
        MOT_TRY(mot_allocate(&saver->units, units, sizeof *saver->units, "units"));
        saver->unit_room = units;
    }
    const size_t copies = copy ? mot_state_bytes(saver->comm, state) : 0;
    size_t digests = 0; /* as if every unit had all moments, which is not known yet */
    for (size_t u = 0; u < units; ++u) digests += mot_unit_digests(&state->units.unit[u], MOT_MOMENTS);
    int bytes;
    MOT_TRY(mot_mpi_count(digests * sizeof *saver->digest, &bytes));
    MOT_TRY(mot_reserve(&saver->digest, &saver->digest_room, digests, sizeof *saver->digest, "digests"));
    MOT_TRY(mot_reserve(&saver->copy, &saver->copy_room, copies, 1, "copies of tensors for a checkpoint"));
done:
    return status;
}

/* Units that are alike have the same moments in a file, as rows of one dataset: those that any of them has. */
static void even_out(mot_unit_about *about, size_t alike)
{
    int64_t most = 0;
    for (size_t i = 0; i < alike; ++i) most = MOT_MAX(most, about[i].moments);
    for (size_t i = 0; i < alike; ++i) about[i].moments = most;
}

/* Every rank learns what there is of every unit, and that each has one holder. */
static mot_status survey(mot_saver *saver, const mot_state *state)
{
    const mot_units *units = &state->units;
    int count;
    for (size_t u = 0; u < units->count; ++u) {
        const mot_unit *unit = &units->unit[u];
        saver->about[u] = (mot_unit_about){0};
        if (mot_unit_keeper(unit) != saver->comm->rank) continue;
        saver->about[u].holders = 1;
        if (unit->params == NULL) continue;
        saver->about[u].updates = unit->params->updates;
        saver->about[u].moments = mot_unit_moments(unit->params);
    }
    const mot_status status = mot_mpi_count(units->count * 3, &count);
    if (status != MOT_OK) return status;
    _Static_assert(sizeof(mot_unit_about) == 3 * sizeof(int64_t), "summed as numbers");
    mot_comm_allreduce(saver->comm, saver->about, count, MPI_INT64_T, MPI_SUM);
    for (size_t u = 0; u < units->count; ++u) {
        if (saver->about[u].holders == 1) continue;
        return mot_fail(MOT_ERR_INPUT,
                        "%" PRId64 " ranks hold unit %zu (/%s), expected one: no checkpoint is written",
                        saver->about[u].holders, u, units->unit[u].group);
    }
    for (size_t u = 0, alike; u < units->count; u += alike) {
        alike = mot_units_alike(units, u);
        even_out(saver->about + u, alike);
    }
    return MOT_OK;
}

/* Where each unit lies in the file, and its digests in memory. */
static void lay_out(mot_saver *saver, const mot_state *state)
{
    const size_t units = state->units.count, ranks = (size_t)saver->comm->size;
    size_t all = 0;
    saver->first[0] = MOT_H5_HEAD;
    memset(saver->digests, 0, ranks * sizeof *saver->digests);
    for (size_t u = 0; u < units; ++u) {
        const mot_unit *unit = &state->units.unit[u];
        const int64_t moments = saver->about[u].moments;
        saver->first[u + 1] = mot_next_unit(saver->first[u], mot_unit_bytes(unit->table, moments));
        saver->digests[mot_unit_keeper(unit)] += mot_unit_digests(unit, moments);
    }
    for (size_t r = 0; r < ranks; all += saver->digests[r++]) saver->digest_at[r] = all;
    for (size_t u = 0; u < units; ++u) { /* a rank's units in their order */
        const mot_unit *unit = &state->units.unit[u];
        const int keeper = mot_unit_keeper(unit);
        saver->digest_of[u] = saver->digest + saver->digest_at[keeper];
        saver->digest_at[keeper] += mot_unit_digests(unit, saver->about[u].moments);
    }
    for (size_t r = 0; r < ranks; ++r) saver->digest_at[r] -= saver->digests[r];
}

/* The root's, and with the next message everybody's. */
static mot_status make_names(saver_names *names, const char *path)
{
    const mot_status status = mot_file_temporary(names->temporary, path);
    if (status == MOT_OK) strcpy(names->path, path); /* the temporary name is longer */
    return status;
}

/* The tensors that this rank writes, copied or where they are. */
static void take_tensors(mot_saver *saver, const mot_state *state, bool copy)
{
    unsigned char *free_room = saver->copy;
    for (size_t u = 0; u < state->units.count; ++u) {
        const mot_params *params = state->units.unit[u].params;
        if (params == NULL || mot_unit_keeper(&state->units.unit[u]) != saver->comm->rank) continue;
        for (int b = 0; b < 1 + (int)saver->about[u].moments; ++b) {
            const mot_real *block = b == 0 ? params->value : params->moment[b - 1];
            const size_t bytes = params->table->count * sizeof *block;
            saver->block[u][b] = copy ? memcpy(free_room, block, bytes) : block;
            if (copy) free_room += bytes;
        }
    }
}

mot_status mot_saver_prepare(mot_saver *saver, const mot_state *state, const char *path, bool copy)
{
    const mot_comm *comm = saver->comm;
    mot_status status = mot_state_check(comm, state);
    if (status == MOT_OK) status = make_room(saver, state, copy);
    if (status == MOT_OK && comm->rank == MOT_ROOT) status = make_names(&saver->names, path);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, &saver->names, sizeof saver->names, MOT_ROOT);
    MOT_TRY(survey(saver, state)); /* the same on every rank */
    lay_out(saver, state);
    take_tensors(saver, state, copy);
    saver->state = *state;
    memcpy(saver->units, state->units.unit, state->units.count * sizeof *saver->units);
    saver->state.units.unit = saver->units;
    if (state->balance_bias != NULL) {
        memcpy(saver->bias, state->balance_bias, mot_state_biases(state) * sizeof *saver->bias);
        saver->state.balance_bias = saver->bias;
    }
    if (state->origin != NULL) {
        memcpy(saver->origin, state->origin, (size_t)state->experts * sizeof *saver->origin);
        saver->state.origin = saver->origin;
    }
done:
    return status;
}

#include "checkpoint_file.h"

#include "mot/memory.h"

mot_status mot_unit_digest(const mot_table *table, const mot_real *value, mot_digest *digest)
{
    mot_digest_state *state = mot_digest_begin();
    if (state == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
    if (table != NULL) {
        /* Tensor by tensor: the padding between them is nobody's value. */
        for (size_t r = 0; r < table->rows; ++r) {
            const mot_tensor *const tensor = &table->row[r];
            mot_digest_add(state, value + tensor->offset, tensor->count * sizeof *value);
        }
    }
    *digest = mot_digest_end(state);
    return MOT_OK;
}

void mot_state_digest_text(const mot_digest *units, int experts, char text[MOT_DIGEST_TEXT])
{
    const mot_digest all = mot_digest_bytes(units, ((size_t)experts + 2) * sizeof *units);
    mot_digest_text(&all, text);
}

mot_status mot_state_digest(const mot_comm *comm, const mot_state *state, char text[33])
{
    /* Each rank fills in what is its own and leaves zeros elsewhere: an or over the ranks is the whole list. */
    mot_status status = MOT_OK;
    mot_digest *list = NULL;
    const size_t units = (size_t)state->experts + 2;
    int bytes = 0;
    MOT_TRY(mot_state_check(comm, state));
    MOT_TRY(mot_mpi_count(units * sizeof *list, &bytes));
    MOT_TRY(mot_allocate(&list, units, sizeof *list, "digests"));
    if (comm->rank == MOT_ROOT) {
        const bool gate = mot_unit_table(state, MOT_NUMBER_GATE) != NULL,
                   tied = mot_unit_table(state, MOT_NUMBER_TIED) != NULL;
        MOT_TRY(mot_unit_digest(gate ? state->gate_table : NULL, gate ? state->gate->value : NULL, &list[0]));
        MOT_TRY(mot_unit_digest(tied ? state->tied_table : NULL, tied ? state->tied->value : NULL, &list[1]));
    }
    for (int e = 0; e < state->experts; ++e) {
        if (state->owner[e] != comm->rank) continue;
        MOT_TRY(mot_unit_digest(state->expert_table, state->expert[e]->value, &list[e + 2]));
    }

done:
    status = mot_comm_agree(comm, status);
    if (status == MOT_OK) {
        mot_comm_allreduce(comm, list, bytes, MPI_BYTE, MPI_BOR);
        mot_state_digest_text(list, state->experts, text);
    }
    mot_free(list);
    return status;
}

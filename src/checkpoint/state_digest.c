#include "checkpoint_file.h"

#include "mot/memory.h"

/* Of the values of a unit's tensors in table order; a unit without tensors has the digest of no bytes. */
static mot_status unit_digest(const mot_unit *unit, mot_digest *digest)
{
    mot_digest_state *state = mot_digest_begin();
    if (state == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
    /* Tensor by tensor: the padding between them is nobody's value. */
    for (size_t r = 0; r < unit->table->rows; ++r) {
        const mot_tensor *const tensor = &unit->table->row[r];
        mot_digest_add(state, unit->params->value + tensor->offset, tensor->count * sizeof(mot_real));
    }
    *digest = mot_digest_end(state);
    return MOT_OK;
}

void mot_state_digest_text(const mot_digest *unit, size_t units, char text[MOT_DIGEST_TEXT])
{
    const mot_digest all = mot_digest_bytes(unit, units * sizeof *unit);
    mot_digest_text(&all, text);
}

mot_status mot_state_digest(const mot_comm *comm, const mot_state *state, char text[33])
{
    /* Each rank fills in what it keeps and leaves zeros elsewhere: an or over the ranks is the whole list. */
    mot_status status = MOT_OK;
    mot_digest *list = NULL;
    const mot_units *units = &state->units;
    int bytes = 0;
    MOT_TRY(mot_state_check(comm, state));
    MOT_TRY(mot_mpi_count(units->count * sizeof *list, &bytes));
    MOT_TRY(mot_allocate(&list, units->count, sizeof *list, "digests"));
    for (size_t u = 0; u < units->count; ++u)
        if (mot_unit_keeper(&units->unit[u]) == comm->rank) MOT_TRY(unit_digest(&units->unit[u], &list[u]));

done:
    status = mot_comm_agree(comm, status);
    if (status == MOT_OK) {
        mot_comm_allreduce(comm, list, bytes, MPI_BYTE, MPI_BOR);
        mot_state_digest_text(list, units->count, text);
    }
    mot_free(list);
    return status;
}

#include "checkpoint_file.h"

#include <stdio.h>
#include <string.h>

const mot_progress_field mot_progress_fields[] = {
    {"step", MOT_PROGRESS_INT64, offsetof(mot_progress, step), NULL},
    {"stage", MOT_PROGRESS_INT32, offsetof(mot_progress, stage), NULL},
    {"stage_first", MOT_PROGRESS_INT64, offsetof(mot_progress, stage_first), NULL},
    {"window_steps", MOT_PROGRESS_INT64, offsetof(mot_progress, window_steps), NULL},
    {"purity_steps", MOT_PROGRESS_INT64, offsetof(mot_progress, purity_steps), "window_steps"},
    {"window_loss", MOT_PROGRESS_REAL, offsetof(mot_progress, window_loss), NULL},
    {"window_purity", MOT_PROGRESS_REAL, offsetof(mot_progress, window_purity), NULL},
    {"previous_loss", MOT_PROGRESS_REAL, offsetof(mot_progress, previous_loss), NULL},
    {"previous_purity", MOT_PROGRESS_REAL, offsetof(mot_progress, previous_purity), NULL},
    {"windows", MOT_PROGRESS_INT32, offsetof(mot_progress, windows), NULL},
    {"purity_windows", MOT_PROGRESS_INT32, offsetof(mot_progress, purity_windows), "windows"},
    {"restarts", MOT_PROGRESS_INT32, offsetof(mot_progress, restarts), NULL},
    {"skipped", MOT_PROGRESS_INT32, offsetof(mot_progress, skipped), NULL},
    {"rollbacks", MOT_PROGRESS_INT32, offsetof(mot_progress, rollbacks), NULL},
    {"left_out", MOT_PROGRESS_INT64, offsetof(mot_progress, left_out), NULL},
    {"best_step", MOT_PROGRESS_INT64, offsetof(mot_progress, best_step), NULL},
    {"best_loss", MOT_PROGRESS_REAL, offsetof(mot_progress, best_loss), NULL},
    {"wall_s", MOT_PROGRESS_REAL, offsetof(mot_progress, wall_s), ""},
    {"compute_s", MOT_PROGRESS_REAL, offsetof(mot_progress, compute_s), ""},
    {"exchange_s", MOT_PROGRESS_REAL, offsetof(mot_progress, exchange_s), ""},
    {"wait_s", MOT_PROGRESS_REAL, offsetof(mot_progress, wait_s), ""},
    {"timed_steps", MOT_PROGRESS_INT64, offsetof(mot_progress, timed_steps), ""},
};
const size_t mot_progress_field_count = MOT_COUNT(mot_progress_fields);

const mot_table *mot_unit_table(const mot_state *state, size_t number)
{
    const mot_table *const table = number == MOT_NUMBER_GATE   ? state->gate_table
                                   : number == MOT_NUMBER_TIED ? state->tied_table
                                                               : state->expert_table;
    return table != NULL && table->rows > 0 ? table : NULL;
}

int mot_unit_owner(const mot_state *state, size_t number)
{
    return number < MOT_NUMBER_EXPERT ? MOT_ROOT : state->owner[number - MOT_NUMBER_EXPERT];
}

mot_params *mot_unit_params(const mot_state *state, size_t number)
{
    if (mot_unit_table(state, number) == NULL) return NULL;
    return number == MOT_NUMBER_GATE   ? state->gate
           : number == MOT_NUMBER_TIED ? state->tied
                                       : state->expert[number - MOT_NUMBER_EXPERT];
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

mot_status mot_state_check(const mot_comm *comm, const mot_state *state)
{
    for (int e = 0; e < state->experts; ++e) {
        if (state->owner[e] < 0 || state->owner[e] >= comm->size)
            return mot_fail(MOT_ERR_INPUT, "expert %d belongs to rank %d outside [0, %d)", e, state->owner[e],
                            comm->size);
        if (state->owner[e] == comm->rank && state->expert[e] == NULL)
            return mot_fail(MOT_ERR_INPUT, "expert %d is not on rank %d, which owns it", e, comm->rank);
    }
    if (mot_unit_table(state, MOT_NUMBER_TIED) != NULL && state->tied == NULL)
        return mot_fail(MOT_ERR_INPUT, "rank %d lacks the tied tensors", comm->rank);
    if (comm->rank == MOT_ROOT && mot_unit_table(state, MOT_NUMBER_GATE) != NULL && state->gate == NULL)
        return mot_fail(MOT_ERR_INPUT, "the root lacks the gate");
    return MOT_OK;
}

size_t mot_state_bytes(const mot_comm *comm, const mot_state *state)
{
    size_t bytes = 0;
    for (size_t u = 0; u < mot_unit_count(state); ++u) {
        const mot_table *const table = mot_unit_table(state, u);
        if (table != NULL && mot_unit_owner(state, u) == comm->rank)
            bytes += table->count * sizeof(mot_real) * MOT_BLOCKS;
    }
    return bytes;
}

const char *mot_unit_group(int unit)
{
    return unit == MOT_UNIT_GATE ? "gate" : unit == MOT_UNIT_TIED ? "tied" : "experts";
}

void mot_tensor_path(char path[MOT_CHECKPOINT_NAME], const char *group, const mot_tensor *tensor, int moment)
{
    char tail[24] = "";
    if (moment >= 0) snprintf(tail, sizeof tail, ".moment%d", moment);
    const bool parts = tensor->part != MOT_PART_GATE; /* the gate has no parts */
    snprintf(path, MOT_CHECKPOINT_NAME, "%.32s%s%s/%s%s", group, parts ? "/" : "",
             parts ? mot_part_name[tensor->part] : "", tensor->name, tail);
}

void mot_tensor_words(char words[MOT_CHECKPOINT_NAME], int unit, const mot_tensor *tensor, int moment)
{
    mot_tensor_path(words, mot_unit_group(unit), tensor, moment);
    const size_t used = strlen(words);
    if (unit >= 0) snprintf(words + used, MOT_CHECKPOINT_NAME - used, " of expert %d", unit);
}

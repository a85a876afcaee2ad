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
    {"previous_alignment", MOT_PROGRESS_REAL, offsetof(mot_progress, previous_alignment), ""},
    {"action_left", MOT_PROGRESS_INT32, offsetof(mot_progress, action_left), ""},
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
    for (size_t u = 0; u < state->units.count; ++u) {
        const mot_unit *const unit = &state->units.unit[u];
        if (unit->owner != MOT_ALIKE && (unit->owner < 0 || unit->owner >= comm->size))
            return mot_fail(MOT_ERR_INPUT, "unit %zu, /%s, belongs to rank %d outside [0, %d)", u,
                            unit->group, unit->owner, comm->size);
        const bool held = unit->owner == MOT_ALIKE || unit->owner == comm->rank;
        if (held && unit->table->rows > 0 && unit->params == NULL)
            return mot_fail(MOT_ERR_INPUT, "unit %zu, /%s, is not on rank %d, which holds it", u, unit->group,
                            comm->rank);
    }
    return MOT_OK;
}

size_t mot_state_bytes(const mot_comm *comm, const mot_state *state)
{
    size_t bytes = 0;
    for (size_t u = 0; u < state->units.count; ++u) {
        const mot_unit *const unit = &state->units.unit[u];
        if (mot_unit_keeper(unit) == comm->rank) bytes += unit->table->count * sizeof(mot_real) * MOT_BLOCKS;
    }
    return bytes;
}

void mot_tensor_path(char path[MOT_CHECKPOINT_NAME], const char *group, const mot_tensor *tensor, int moment)
{
    char tail[24] = "";
    if (moment >= 0) snprintf(tail, sizeof tail, ".moment%d", moment);
    const bool parts = tensor->part != MOT_PART_GATE; /* the gate has no parts */
    snprintf(path, MOT_CHECKPOINT_NAME, "%.32s%s%s/%s%s", group, parts ? "/" : "",
             parts ? mot_part_name[tensor->part] : "", tensor->name, tail);
}

void mot_tensor_words(char words[MOT_CHECKPOINT_NAME], const mot_unit *unit, const mot_tensor *tensor,
                      int moment)
{
    mot_tensor_path(words, unit->group, tensor, moment);
    const size_t used = strlen(words);
    if (unit->row != MOT_ALONE)
        snprintf(words + used, MOT_CHECKPOINT_NAME - used, " of expert %d", unit->row);
}

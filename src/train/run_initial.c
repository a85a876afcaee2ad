/* Initial values from outside: an array a tensor, whose name is its path in a checkpoint; experts are its first axis.
 *
 *      gate/weight [F, E]    tied/...    experts/ffn/neuron [E, D]
 *
 * What the file does not have stays as it was drawn. */
#include <stdio.h>
#include <string.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/npz.h"
#include "run_private.h"

/* Whether the vectors of a unit's first tensor count by their directions alone: neurons, rows of it; a gate of unit length,
 * columns. */
static bool is_directed(const mot_model *model, const mot_unit *unit)
{
    return unit->role == MOT_ROLE_GATE ? model->layer->gate.kind->spread : model->layer->kind->directed && unit->row != MOT_ALONE;
}

/* all: [count, numbers] of neurons, [F, E] of a gate. */
static mot_status check_directions(const char *name, const mot_tensor *tensor, bool rows, size_t count, const float *all)
{
    const size_t vectors = rows ? count : tensor->shape[1], length = rows ? tensor->count : tensor->shape[0];
    for (size_t e = 0; e < vectors; ++e) {
        bool zero = true;
        for (size_t d = 0; d < length; ++d) zero = zero && all[rows ? e * length + d : d * vectors + e] == 0;
        if (zero)
            return mot_fail(MOT_ERR_INPUT, "init.from: %s: the vector of expert %zu is 0, and has no direction", name, e);
    }
    return MOT_OK;
}

/* Of all units of a group, the first of which is `first`: one tensor. Every rank reads, and takes what it holds. */
static mot_status read_tensor(mot_npz *npz, const mot_units *units, size_t first, size_t r, bool directed, size_t *read)
{
    const mot_unit *unit = &units->unit[first];
    const mot_tensor *tensor = &unit->table->row[r];
    const size_t count = mot_units_alike(units, first), axis = unit->row != MOT_ALONE;
    size_t shape[MOT_TENSOR_RANK + 1] = {count};
    char name[MOT_CHECKPOINT_NAME];
    float *all = NULL;
    bool found;
    mot_status status;
    for (int d = 0; d < tensor->rank; ++d) shape[axis + (size_t)d] = tensor->shape[d];
    mot_tensor_path(name, unit->group, tensor, -1);
    MOT_TRY(mot_allocate(&all, count * tensor->count, sizeof *all, "initial values"));
    MOT_TRY(mot_npz_numbers(npz, name, axis + (size_t)tensor->rank, shape, all, &found));
    *read += found;
    if (found && directed) MOT_TRY(check_directions(name, tensor, axis != 0, count, all));
    for (size_t u = 0; found && u < count; ++u) {
        const mot_params *params = units->unit[first + u].params;
        if (params != NULL)
            memcpy(params->value + tensor->offset, all + u * tensor->count, tensor->count * sizeof *all);
    }
done:
    mot_free(all);
    return status;
}

static mot_status read_all(const mot_model *model, const char *path)
{
    const mot_units *units = &model->units;
    mot_npz *npz = NULL;
    size_t read = 0, used = 0;
    char wanted[600] = "", name[MOT_CHECKPOINT_NAME];
    mot_status status;
    MOT_TRY(mot_npz_open(&npz, path));
    for (size_t u = 0; u < units->count; u += mot_units_alike(units, u))
        for (size_t r = 0; r < units->unit[u].table->rows; ++r) {
            MOT_TRY(read_tensor(npz, units, u, r, r == 0 && is_directed(model, &units->unit[u]), &read));
            mot_tensor_path(name, units->unit[u].group, &units->unit[u].table->row[r], -1);
            if (used < sizeof wanted)
                used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s%s", used > 0 ? ", " : "", name);
        }
    MOT_TRY(mot_npz_all_read(npz, wanted));
    if (read == 0) status = mot_fail(MOT_ERR_INPUT, "%s has no array, expected some of: %s", path, wanted);
done:
    mot_npz_close(&npz);
    return status;
}

mot_status mot_run_take_initial(const run_world *world, const run_course *course)
{
    const char *path = course->config.init.from;
    if (path[0] == '\0') return MOT_OK;
    const mot_status status = mot_comm_agree(world->comm, read_all(&world->model, path));
    if (status == MOT_OK) mot_log(MOT_LOG_INFO, "initial values from %s", path);
    return status;
}

mot_status mot_run_check_initial(const run_world *world, const run_course *course)
{
    char folder[1024], path[2048];
    int begun = 0;
    if (world->comm->rank == MOT_ROOT)
        begun = mot_path_join(folder, sizeof folder, course->config.run, "checkpoints") == MOT_OK &&
                mot_checkpoint_newest(folder, path, sizeof path) >= 0;
    mot_comm_bcast(world->comm, &begun, sizeof begun, MOT_ROOT);
    if (begun || course->config.init.from[0] == '\0') return MOT_OK;
    return mot_comm_agree(world->comm, read_all(&world->model, course->config.init.from));
}

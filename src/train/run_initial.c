/* Initial values from outside: an array a tensor, whose name is its path in a checkpoint; experts are its first axis.
 *
 *      gate/weight [F, E]    tied/...    experts/neuron [E, D]
 *
 * What the file does not have stays as it was drawn. */
#include <stdio.h>
#include <string.h>

#include "mot/log.h"
#include "mot/memory.h"
#include "mot/npz.h"
#include "run_private.h"

/* Of all units of a group, the first of which is `first`: one tensor. Every rank reads, and takes what it holds. */
static mot_status read_tensor(mot_npz *npz, const mot_units *units, size_t first, size_t r, size_t *read)
{
    const mot_unit *unit = &units->unit[first];
    const mot_tensor *tensor = &unit->table->row[r];
    const size_t count = mot_units_alike(units, first), axis = unit->row != MOT_ALONE;
    size_t shape[MOT_TENSOR_RANK + 1] = {count};
    char name[2 * MOT_TENSOR_NAME];
    float *all = NULL;
    bool found;
    mot_status status;
    for (int d = 0; d < tensor->rank; ++d) shape[axis + (size_t)d] = tensor->shape[d];
    snprintf(name, sizeof name, "%s/%s", unit->group, tensor->name);
    MOT_TRY(mot_allocate(&all, count * tensor->count, sizeof *all, "initial values"));
    MOT_TRY(mot_npz_numbers(npz, name, axis + (size_t)tensor->rank, shape, all, &found));
    *read += found;
    for (size_t u = 0; found && u < count; ++u) {
        const mot_params *params = units->unit[first + u].params;
        if (params != NULL)
            memcpy(params->value + tensor->offset, all + u * tensor->count, tensor->count * sizeof *all);
    }
done:
    mot_free(all);
    return status;
}

static mot_status read_all(const mot_units *units, const char *path)
{
    mot_npz *npz = NULL;
    size_t read = 0, used = 0;
    char wanted[600] = "";
    mot_status status;
    MOT_TRY(mot_npz_open(&npz, path));
    for (size_t u = 0; u < units->count; u += mot_units_alike(units, u))
        for (size_t r = 0; r < units->unit[u].table->rows; ++r) {
            MOT_TRY(read_tensor(npz, units, u, r, &read));
            if (used < sizeof wanted)
                used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s%s/%s", used > 0 ? ", " : "",
                                         units->unit[u].group, units->unit[u].table->row[r].name);
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
    const mot_status status = mot_comm_agree(world->comm, read_all(&world->model.units, path));
    if (status == MOT_OK) mot_log(MOT_LOG_INFO, "initial values from %s", path);
    return status;
}

/* Initial values from outside: those of another run (run_initial_run.c), or of a file with an array a tensor, whose name is its
 * path in a checkpoint; experts are its first axis.
 *
 *      gate/weight [F, E]    tied/...    experts/ffn/neuron [E, D]
 *
 * What the file does not have stays as it was drawn. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mot/atomic_file.h"
#include "mot/log.h"
#include "mot/memory.h"
#include "mot/npz.h"
#include "run_initial.h"
#include "run_private.h"

/* Of all units of a group, the first of which is `first`: one tensor. Every rank reads, and takes what it holds. */
static mot_status read_tensor(mot_npz *npz, const mot_model *model, size_t first, size_t r, bool take, size_t *read)
{
    const mot_units *units = &model->units;
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
    if (found && mot_initial_directed(model, unit, r))
        MOT_TRY(mot_initial_check_directions(name, tensor, axis != 0, 0, count, all));
    for (size_t u = 0; found && take && u < count; ++u) {
        const mot_params *params = units->unit[first + u].params;
        if (params != NULL)
            memcpy(params->value + tensor->offset, all + u * tensor->count, tensor->count * sizeof *all);
    }
done:
    mot_free(all);
    return status;
}

static mot_status read_all(const mot_model *model, const char *path, bool take)
{
    const mot_units *units = &model->units;
    mot_npz *npz = NULL;
    size_t read = 0, used = 0;
    char wanted[600] = "", name[MOT_CHECKPOINT_NAME];
    mot_status status;
    MOT_TRY(mot_npz_open(&npz, path));
    for (size_t u = 0; u < units->count; u += mot_units_alike(units, u))
        for (size_t r = 0; r < units->unit[u].table->rows; ++r) {
            MOT_TRY(read_tensor(npz, model, u, r, take, &read));
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

/* ---- which it is ---- */

typedef struct origin {
    bool is_run;
    char path[RUN_CHECKPOINT_PATH];
} origin;

/* A run folder, a checkpoint or a file of arrays. Root. */
static mot_status find_origin(const mot_config *config, origin *found)
{
    const char *from = config->init.from;
    struct stat info;
    mot_status status = MOT_OK;
    *found = (origin){.is_run = true};
    if (stat(from, &info) != 0)
        return mot_fail(MOT_ERR_INPUT, "init.from = %s: no such run folder, checkpoint or .npz file", from);
    if (S_ISDIR(info.st_mode) || mot_h5_is_sealed(from)) return mot_run_find_checkpoint(from, found->path, sizeof found->path);
    found->is_run = false;
    MOT_TRY(mot_path_join(found->path, sizeof found->path, from, ""));
    if (config->init.noise > 0 || config->init.parts != (1u << MOT_PARTS) - 1)
        status = mot_fail(MOT_ERR_INPUT, "init.%s is of a run in init.from, and %s is no run folder or checkpoint",
                          config->init.noise > 0 ? "noise" : "parts", from);
done:
    return status;
}

/* Reads all, and keeps it where it is to be taken. */
static mot_status read_origin(const run_world *world, const run_course *course, bool take, bool say)
{
    const mot_comm *comm = world->comm;
    origin from = {.is_run = false};
    mot_status status = MOT_OK;
    if (comm->rank == MOT_ROOT) status = find_origin(&course->config, &from);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, &from, sizeof from, MOT_ROOT);
    status = from.is_run ? mot_initial_of_run(world, from.path, take) : read_all(&world->model, from.path, take);
    MOT_TRY(mot_comm_agree(comm, status));
    if (say && !from.is_run) mot_log(MOT_LOG_INFO, "initial values from %s", from.path);
    if (say && from.is_run) MOT_TRY(mot_comm_agree(comm, mot_initial_say(world, from.path)));
done:
    return status;
}

mot_status mot_run_take_initial(const run_world *world, const run_course *course)
{
    return course->config.init.from[0] != '\0' ? read_origin(world, course, true, true) : MOT_OK;
}

mot_status mot_run_check_initial(const run_world *world, const run_course *course, bool say)
{
    char folder[1024], path[2048];
    int begun = 0;
    if (world->comm->rank == MOT_ROOT)
        begun = mot_path_join(folder, sizeof folder, course->config.run, "checkpoints") == MOT_OK &&
                mot_checkpoint_newest(folder, path, sizeof path) >= 0;
    mot_comm_bcast(world->comm, &begun, sizeof begun, MOT_ROOT);
    return begun || course->config.init.from[0] == '\0' ? MOT_OK : read_origin(world, course, false, say);
}

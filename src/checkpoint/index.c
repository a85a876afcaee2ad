/* The structure of a checkpoint: what the root checks before a tensor is looked at. */
#include "checkpoint_file.h"

#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

mot_status mot_check_format(hid_t file, const char *path, int *version)
{
    mot_status status = MOT_OK;
    char *format = NULL;
    int64_t is = 0, complete = 0;
    if (!mot_h5_has_attribute(file, ".", "format"))
        return mot_fail(MOT_ERR_INPUT, "%s: not a checkpoint: it has no attribute 'format'", path);
    MOT_TRY(mot_h5_get_text(file, ".", "format", &format));
    if (strcmp(format, MOT_CHECKPOINT_FORMAT) != 0) {
        status = mot_fail(MOT_ERR_INPUT, "%s: not a checkpoint: its format is '%.60s', expected '%s'", path,
                          format, MOT_CHECKPOINT_FORMAT);
        goto done;
    }
    MOT_TRY(mot_h5_get_int(file, ".", "format_version", &is));
    if (is != MOT_CHECKPOINT_VERSION && is != MOT_CHECKPOINT_FORMER) {
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: checkpoint of format version %" PRId64
                          ", this program reads versions %d and %d",
                          path, is, MOT_CHECKPOINT_FORMER, MOT_CHECKPOINT_VERSION);
        goto done;
    }
    if (version != NULL) *version = (int)is;
    if (mot_h5_has_attribute(file, ".", "complete"))
        MOT_TRY(mot_h5_get_int(file, ".", "complete", &complete));
    if (complete != 1)
        status = mot_fail(MOT_ERR_INPUT, "%s: the checkpoint is not complete: its last mark is missing",
                          path);

done:
    mot_free(format);
    return status;
}

/* ---- units that are alike, in the former version: each a group of its own ---- */

static void former_group(char path[MOT_CHECKPOINT_NAME], const char *group, size_t row)
{
    snprintf(path, MOT_CHECKPOINT_NAME, "%.32s/%05zu", group, row);
}

static mot_status check_former(hid_t file, const char *path, size_t experts)
{
    static const char group[] = "experts";
    H5G_info_t info;
    char name[MOT_CHECKPOINT_NAME];
    for (size_t e = 0; e < experts; ++e) {
        former_group(name, group, e);
        if (!mot_h5_exists(file, name))
            return mot_fail(MOT_ERR_INPUT, "%s: expert %zu is missing: no /%s, expected experts 0 to %zu",
                            path, e, name, experts - 1);
    }
    /* All of 0..E-1 are there, so a different count means one too many. */
    if (H5Gget_info_by_name(file, group, &info, H5P_DEFAULT) < 0 || info.nlinks != (hsize_t)experts)
        return mot_fail(MOT_ERR_INPUT, "%s: /experts has %llu members, expected the experts 0 to %zu only",
                        path, (unsigned long long)info.nlinks, experts - 1);
    return MOT_OK;
}

mot_status mot_other_experts(const char *path, int64_t stored, int64_t experts)
{
    return mot_fail(MOT_ERR_INPUT, "%s: a checkpoint of %" PRId64 " experts, the configuration has %" PRId64, path,
                    stored, experts);
}

mot_status mot_check_experts(hid_t file, const char *path, int version, int64_t experts)
{
    int64_t stored = 0;
    const mot_status status = mot_h5_get_int(file, ".", "experts", &stored);
    if (status != MOT_OK) return status;
    if (stored != experts) return mot_other_experts(path, stored, experts);
    return version == MOT_CHECKPOINT_FORMER ? check_former(file, path, (size_t)experts) : MOT_OK;
}

/* ---- tensors ---- */

static mot_status compare_shape(const char *path, const char *name, int found_rank, const hsize_t *found,
                                const mot_tensor *tensor)
{
    bool same = found_rank == tensor->rank;
    for (int d = 0; same && d < found_rank; ++d) same = found[d] == tensor->shape[d];
    if (same) return MOT_OK;
    char is[128] = "", wanted[128] = "";
    size_t used = 0;
    for (int d = 0; d < found_rank; ++d)
        used += (size_t)snprintf(is + used, sizeof is - used, "%s%llu", d > 0 ? ", " : "",
                                 (unsigned long long)found[d]);
    used = 0;
    for (int d = 0; d < tensor->rank; ++d)
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s%zu", d > 0 ? ", " : "",
                                 tensor->shape[d]);
    return mot_fail(MOT_ERR_INPUT, "%s: tensor /%s has shape [%s], the configuration has [%s]", path, name,
                    is, wanted);
}

static mot_status check_there(hid_t file, const char *path, const char *name)
{
    if (mot_h5_exists(file, name)) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s: tensor /%s is missing", path, name);
}

mot_status mot_get_digest(hid_t file, const char *path, const char *name, mot_digest *digest)
{
    char *text = NULL;
    mot_status status = mot_h5_get_text(file, name, "xxh3", &text);
    if (status == MOT_OK && !mot_digest_parse(text, digest))
        status = mot_fail(MOT_ERR_INPUT, "%s: tensor /%s has the checksum '%.40s', expected 32 digits", path,
                          name, text);
    mot_free(text);
    return status;
}

static mot_status index_tensor(hid_t file, const char *path, const char *name, const mot_tensor *tensor,
                               mot_place *place)
{
    mot_status status = MOT_OK;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    MOT_TRY(check_there(file, path, name));
    MOT_TRY(mot_h5_shape(file, name, &rank, shape));
    MOT_TRY(compare_shape(path, name, rank, shape, tensor));
    MOT_TRY(mot_h5_position(file, name, H5T_NATIVE_FLOAT, &place->at));
    MOT_TRY(mot_get_digest(file, path, name, &place->digest));

done:
    return status;
}

static mot_status check_about(const char *path, const char *group, const mot_unit_about *about)
{
    if (about->moments >= 0 && about->moments <= MOT_MOMENTS && about->updates >= 0) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT,
                    "%s: /%s has moments %" PRId64 " and updates %" PRId64
                    ", expected 0 to %d and no negative count",
                    path, group, about->moments, about->updates, MOT_MOMENTS);
}

/* A unit that has a group for itself. `place`: one for each tensor of each block. */
static mot_status index_unit(hid_t file, const char *path, const char *group, const mot_table *table,
                             mot_unit_about *about, mot_place *place, mot_gidx *tensors)
{
    mot_status status = MOT_OK;
    char name[MOT_CHECKPOINT_NAME];
    if (!mot_h5_exists(file, group)) return mot_fail(MOT_ERR_INPUT, "%s: /%s is missing", path, group);
    MOT_TRY(mot_h5_get_int(file, group, "moments", &about->moments));
    MOT_TRY(mot_h5_get_int(file, group, "updates", &about->updates));
    MOT_TRY(check_about(path, group, about));
    for (int m = -1; m < (int)about->moments; ++m) {
        for (size_t r = 0; r < table->rows; ++r) {
            mot_tensor_path(name, group, &table->row[r], m);
            MOT_TRY(index_tensor(file, path, name, &table->row[r], place++));
            ++*tensors;
        }
    }

done:
    return status;
}

/* What units of a group write their own beside; `place` is that of the first, and each has as many. */
typedef struct alike {
    const mot_unit *unit; /* the first */
    size_t rows;
    mot_unit_about *about; /* [rows] */
    mot_place *place;      /* [rows, each] */
    size_t each;
} alike;

static mot_status index_former(hid_t file, const char *path, const alike *all, mot_gidx *tensors)
{
    mot_status status = MOT_OK;
    char group[MOT_CHECKPOINT_NAME];
    for (size_t i = 0; i < all->rows; ++i) {
        int64_t expert;
        former_group(group, all->unit->group, i);
        MOT_TRY(mot_h5_get_int(file, group, "expert", &expert));
        if (expert != (int64_t)i)
            return mot_fail(MOT_ERR_INPUT, "%s: /%s holds expert %" PRId64 ", expected expert %zu", path,
                            group, expert, i);
        MOT_TRY(index_unit(file, path, group, all->unit->table, &all->about[i], all->place + i * all->each,
                           tensors));
    }
done:
    return status;
}

/* Block by block in table order. */
static mot_status index_tensors(hid_t file, const char *path, const alike *all, const mot_stack *stack,
                                mot_gidx *tensors)
{
    const mot_table *const table = all->unit->table;
    mot_place *place = all->place;
    mot_status status = MOT_OK;
    char name[MOT_CHECKPOINT_NAME];
    for (int m = -1; m < (int)all->about[0].moments; ++m) {
        for (size_t r = 0; r < table->rows; ++r, ++place) {
            mot_stacked tensor;
            mot_tensor_path(name, all->unit->group, &table->row[r], m);
            MOT_TRY(check_there(file, path, name));
            MOT_TRY(mot_stack_find(stack, file, path, name, &tensor));
            MOT_TRY(compare_shape(path, name, tensor.rank, tensor.shape, &table->row[r]));
            for (size_t i = 0; i < all->rows; ++i)
                place[i * all->each] = (mot_place){tensor.at + i * stack->stride,
                                                   stack->digest[i * stack->columns + tensor.column]};
            ++*tensors;
        }
    }
done:
    return status;
}

static mot_status index_stack(hid_t file, const char *path, const alike *all, mot_gidx *tensors)
{
    const char *const group = all->unit->group;
    char name[MOT_CHECKPOINT_NAME];
    int64_t moments, *updates = NULL;
    mot_stack stack = {0};
    mot_status status;
    MOT_TRY(mot_stack_check(file, path, group, all->rows));
    MOT_TRY(mot_allocate(&updates, all->rows, sizeof *updates, "updates of experts"));
    mot_stack_path(name, group, mot_stack_updates);
    MOT_TRY(mot_h5_read(file, name, H5T_NATIVE_INT64, 1, (hsize_t[]){all->rows}, updates));
    MOT_TRY(mot_h5_get_int(file, group, "moments", &moments));
    for (size_t i = 0; i < all->rows; ++i) {
        all->about[i] = (mot_unit_about){.updates = updates[i], .moments = moments};
        MOT_TRY(check_about(path, group, &all->about[i]));
    }
    if (all->unit->table->rows == 0) goto done;
    MOT_TRY(mot_stack_read(&stack, file, path, group, all->rows));
    MOT_TRY(index_tensors(file, path, all, &stack, tensors));

done:
    mot_stack_free(&stack);
    mot_free(updates);
    return status;
}

/* The units of one group, from u on. */
static mot_status index_group(mot_index *index, hid_t file, const char *path, int version,
                              const mot_units *units, size_t u, mot_gidx *tensors)
{
    const mot_unit *const unit = &units->unit[u];
    const alike all = {unit, mot_units_alike(units, u), &index->about[u], index->place + index->start[u],
                       index->start[u + 1] - index->start[u]};
    if (unit->row != MOT_ALONE)
        return version == MOT_CHECKPOINT_FORMER ? index_former(file, path, &all, tensors)
                                                : index_stack(file, path, &all, tensors);
    if (unit->table->rows == 0) return MOT_OK;
    return index_unit(file, path, unit->group, unit->table, all.about, all.place, tensors);
}

/* ---- the whole ---- */

static mot_status read_progress(hid_t file, const char *path, mot_progress *progress)
{
    mot_status status = MOT_OK;
    *progress = (mot_progress){0};
    for (size_t f = 0; f < mot_progress_field_count && status == MOT_OK; ++f) {
        const mot_progress_field *const field = &mot_progress_fields[f];
        const bool former = field->formerly != NULL && !mot_h5_has_attribute(file, "progress", field->name);
        const char *const name = former ? field->formerly : field->name;
        if (name[0] == '\0') continue;
        void *const value = (char *)progress + field->offset;
        int64_t integer = 0;
        if (field->kind == MOT_PROGRESS_REAL) {
            status = mot_h5_get_real(file, "progress", name, value);
            continue;
        }
        status = mot_h5_get_int(file, "progress", name, &integer);
        if (status != MOT_OK) break;
        if (integer < 0 || (field->kind == MOT_PROGRESS_INT32 && integer > INT32_MAX))
            return mot_fail(MOT_ERR_INPUT, "%s: /progress has %s %" PRId64 ", expected a count", path,
                            field->name, integer);
        if (field->kind == MOT_PROGRESS_INT32)
            *(int32_t *)value = (int32_t)integer;
        else
            *(int64_t *)value = integer;
    }
    return status;
}

mot_status mot_index_create(mot_index *index, const mot_state *state)
{
    const size_t units = state->units.count;
    mot_status status = MOT_OK;
    *index = (mot_index){0};
    MOT_TRY(mot_allocate(&index->about, units, sizeof *index->about, "units of a checkpoint"));
    MOT_TRY(mot_allocate(&index->start, units + 1, sizeof *index->start, "units of a checkpoint"));
    for (size_t u = 0; u < units; ++u)
        index->start[u + 1] = index->start[u] + state->units.unit[u].table->rows * MOT_BLOCKS;
    MOT_TRY(
        mot_allocate(&index->place, index->start[units], sizeof *index->place, "tensors of a checkpoint"));

done:
    if (status != MOT_OK) mot_index_free(index);
    return status;
}

void mot_index_free(mot_index *index)
{
    mot_free(index->place);
    mot_free(index->start);
    mot_free(index->about);
    *index = (mot_index){0};
}

mot_status mot_index_read(mot_index *index, hid_t *file, const char *path, const mot_state *state)
{
    mot_status status = MOT_OK;
    mot_gidx tensors = 0;
    int64_t stored = 0;
    int version;
    MOT_TRY(mot_h5_open_sealed(file, path, "checkpoint"));
    MOT_TRY(mot_check_format(*file, path, &version));
    MOT_TRY(mot_check_experts(*file, path, version, state->experts));
    MOT_TRY(mot_check_origin(*file, path, state->experts, state));
    MOT_TRY(read_progress(*file, path, &index->progress));
    for (size_t u = 0; u < state->units.count; u += mot_units_alike(&state->units, u))
        MOT_TRY(index_group(index, *file, path, version, &state->units, u, &tensors));
    MOT_TRY(mot_h5_get_int(*file, ".", "tensors", &stored));
    if (stored != tensors)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: %" PRId64 " tensors where the configuration has %" MOT_PRI_GIDX
                          ": it belongs to another model",
                          path, stored, tensors);

done:
    return status;
}

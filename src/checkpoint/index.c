/* The structure of a checkpoint: what the root checks before a tensor is looked at. */
#include "checkpoint_file.h"

#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

mot_status mot_check_format(hid_t file, const char *path)
{
    mot_status status = MOT_OK;
    char *format = NULL;
    int64_t version = 0, complete = 0;
    if (!mot_h5_has_attribute(file, ".", "format"))
        return mot_fail(MOT_ERR_INPUT, "%s: not a checkpoint: it has no attribute 'format'", path);
    MOT_TRY(mot_h5_get_text(file, ".", "format", &format));
    if (strcmp(format, MOT_CHECKPOINT_FORMAT) != 0) {
        status = mot_fail(MOT_ERR_INPUT, "%s: not a checkpoint: its format is '%.60s', expected '%s'", path,
                          format, MOT_CHECKPOINT_FORMAT);
        goto done;
    }
    MOT_TRY(mot_h5_get_int(file, ".", "format_version", &version));
    if (version != MOT_CHECKPOINT_VERSION) {
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: checkpoint of format version %" PRId64 ", this program reads version %d", path,
                          version, MOT_CHECKPOINT_VERSION);
        goto done;
    }
    if (mot_h5_has_attribute(file, ".", "complete"))
        MOT_TRY(mot_h5_get_int(file, ".", "complete", &complete));
    if (complete != 1)
        status = mot_fail(MOT_ERR_INPUT, "%s: the checkpoint is not complete: its last mark is missing",
                          path);

done:
    mot_free(format);
    return status;
}

mot_status mot_check_experts(hid_t file, const char *path, int experts)
{
    mot_status status = MOT_OK;
    int64_t stored = 0;
    H5G_info_t info;
    char name[MOT_CHECKPOINT_NAME];
    MOT_TRY(mot_h5_get_int(file, ".", "experts", &stored));
    if (stored != experts)
        return mot_fail(MOT_ERR_INPUT, "%s: a checkpoint of %" PRId64 " experts, the configuration has %d",
                        path, stored, experts);
    for (int e = 0; e < experts; ++e) {
        mot_unit_path(name, e);
        if (!mot_h5_exists(file, name))
            return mot_fail(MOT_ERR_INPUT, "%s: expert %d is missing: no /%s, expected experts 0 to %d", path,
                            e, name, experts - 1);
    }
    /* All of 0..E-1 are there, so a different count means one too many. */
    if (H5Gget_info_by_name(file, "experts", &info, H5P_DEFAULT) < 0 || info.nlinks != (hsize_t)experts)
        return mot_fail(MOT_ERR_INPUT, "%s: /experts has %llu members, expected the experts 0 to %d only",
                        path, (unsigned long long)info.nlinks, experts - 1);

done:
    return status;
}

static mot_status check_shape(hid_t file, const char *path, const char *name, int rank, const size_t *shape)
{
    int found_rank;
    hsize_t found[MOT_H5_MAX_RANK];
    if (!mot_h5_exists(file, name)) return mot_fail(MOT_ERR_INPUT, "%s: tensor /%s is missing", path, name);
    mot_status status = mot_h5_shape(file, name, &found_rank, found);
    if (status != MOT_OK) return status;
    bool same = found_rank == rank;
    for (int d = 0; same && d < rank; ++d) same = found[d] == shape[d];
    if (same) return MOT_OK;
    char is[128] = "", wanted[128] = "";
    size_t used = 0;
    for (int d = 0; d < found_rank; ++d)
        used += (size_t)snprintf(is + used, sizeof is - used, "%s%llu", d > 0 ? ", " : "",
                                 (unsigned long long)found[d]);
    used = 0;
    for (int d = 0; d < rank; ++d)
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s%zu", d > 0 ? ", " : "", shape[d]);
    return mot_fail(MOT_ERR_INPUT, "%s: tensor /%s has shape [%s], the configuration has [%s]", path, name,
                    is, wanted);
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

static mot_status index_tensor(hid_t file, const char *path, const char *name, int rank, const size_t *shape,
                               mot_place *place)
{
    mot_status status = MOT_OK;
    MOT_TRY(check_shape(file, path, name, rank, shape));
    MOT_TRY(mot_h5_position(file, name, H5T_NATIVE_FLOAT, &place->at));
    MOT_TRY(mot_get_digest(file, path, name, &place->digest));

done:
    return status;
}

/* `place`: one for each tensor of each block. */
static mot_status index_unit(hid_t file, const char *path, const mot_table *table, int unit,
                             mot_unit_about *about, mot_place *place, mot_gidx *tensors)
{
    mot_status status = MOT_OK;
    int64_t expert = unit;
    char group[MOT_CHECKPOINT_NAME], name[MOT_CHECKPOINT_NAME];
    if (table == NULL && unit < 0) return MOT_OK;
    mot_unit_path(group, unit);
    if (!mot_h5_exists(file, group)) return mot_fail(MOT_ERR_INPUT, "%s: /%s is missing", path, group);
    MOT_TRY(mot_h5_get_int(file, group, "moments", &about->moments));
    MOT_TRY(mot_h5_get_int(file, group, "updates", &about->updates));
    if (unit >= 0) MOT_TRY(mot_h5_get_int(file, group, "expert", &expert));
    if (expert != unit)
        return mot_fail(MOT_ERR_INPUT, "%s: /%s holds expert %" PRId64 ", expected expert %d", path, group,
                        expert, unit);
    if (about->moments < 0 || about->moments > MOT_MOMENTS || about->updates < 0)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: /%s has moments %" PRId64 " and updates %" PRId64
                        ", expected 0 to %d and no negative count",
                        path, group, about->moments, about->updates, MOT_MOMENTS);
    for (int m = -1; m < (int)about->moments; ++m) {
        for (size_t r = 0; table != NULL && r < table->rows; ++r) {
            mot_tensor_path(name, unit, &table->row[r], m);
            MOT_TRY(index_tensor(file, path, name, table->row[r].rank, table->row[r].shape, place++));
            ++*tensors;
        }
    }

done:
    return status;
}

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
    const size_t units = mot_unit_count(state);
    mot_status status = MOT_OK;
    *index = (mot_index){0};
    MOT_TRY(mot_allocate(&index->about, units, sizeof *index->about, "units of a checkpoint"));
    MOT_TRY(mot_allocate(&index->start, units + 1, sizeof *index->start, "units of a checkpoint"));
    for (size_t u = 0; u < units; ++u) {
        const mot_table *const table = mot_unit_table(state, u);
        index->start[u + 1] = index->start[u] + (table != NULL ? table->rows * MOT_BLOCKS : 0);
    }
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
    MOT_TRY(mot_h5_open_sealed(file, path, "checkpoint"));
    MOT_TRY(mot_check_format(*file, path));
    MOT_TRY(mot_check_experts(*file, path, state->experts));
    MOT_TRY(read_progress(*file, path, &index->progress));
    for (size_t u = 0; u < mot_unit_count(state); ++u)
        MOT_TRY(index_unit(*file, path, mot_unit_table(state, u), mot_unit_of(u), &index->about[u],
                           index->place + index->start[u], &tensors));
    MOT_TRY(mot_h5_get_int(*file, ".", "tensors", &stored));
    if (stored != tensors)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: %" PRId64 " tensors where the configuration has %" MOT_PRI_GIDX
                          ": it belongs to another model",
                          path, stored, tensors);

done:
    return status;
}

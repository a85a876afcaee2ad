#include "checkpoint_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mot/atomic_file.h"
#include "mot/level.h"
#include "mot/memory.h"
#include "mot/version.h"

/* ---- one dataset, one unit ---- */

static mot_status set_digest(hid_t file, const char *name, const mot_digest *digest)
{
    char text[MOT_DIGEST_TEXT];
    mot_digest_text(digest, text);
    return mot_h5_set_text(file, name, "xxh3", text);
}

static mot_status write_bias(hid_t file, const mot_state *state)
{
    mot_status status = MOT_OK;
    const size_t count = mot_state_biases(state);
    const mot_digest digest = mot_digest_bytes(state->balance_bias, count * sizeof(mot_real));
    for (size_t e = 0; e < count; ++e) {
        if (!isfinite(state->balance_bias[e]))
            return mot_fail(MOT_ERR_NUMERIC, "/gate/balance_bias [%zu] is %g: no checkpoint is written", e,
                            (double)state->balance_bias[e]);
    }
    MOT_TRY(mot_h5_write(file, "gate/balance_bias", H5T_NATIVE_FLOAT, 1, (hsize_t[]){count},
                         MOT_H5_CONTIGUOUS, state->balance_bias));
    MOT_TRY(set_digest(file, "gate/balance_bias", &digest));
done:
    return status;
}

/* A unit that is alone, whose tensors lie in the file. */
static mot_status describe_unit(hid_t file, const mot_description *description, size_t number,
                                mot_gidx *tensors)
{
    mot_status status = MOT_OK;
    const mot_unit *const unit = &description->state->units.unit[number];
    const mot_table *const table = unit->table;
    const mot_unit_about *const about = &description->about[number];
    const mot_digest *digest = description->digest[number] + 1;
    uint64_t at = description->first[number];
    char name[MOT_CHECKPOINT_NAME];
    if (table->rows == 0) return MOT_OK;
    MOT_TRY(mot_h5_make_group(file, unit->group));
    MOT_TRY(mot_h5_set_int(file, unit->group, "updates", about->updates));
    MOT_TRY(mot_h5_set_int(file, unit->group, "moments", about->moments));
    for (int m = -1; m < (int)about->moments; ++m) {
        for (size_t r = 0; r < table->rows; ++r) {
            const mot_tensor *const tensor = &table->row[r];
            hsize_t shape[MOT_TENSOR_RANK];
            for (int d = 0; d < tensor->rank; ++d) shape[d] = tensor->shape[d];
            mot_tensor_path(name, unit->group, tensor, m);
            MOT_TRY(mot_h5_place(file, name, H5T_NATIVE_FLOAT, tensor->rank, shape, at));
            MOT_TRY(set_digest(file, name, digest++));
            at += tensor->count * sizeof(mot_real);
            ++*tensors;
        }
    }

done:
    return status;
}

/* ---- what the root knows by itself ---- */

static mot_status write_progress(hid_t file, const mot_progress *progress)
{
    mot_status status = mot_h5_make_group(file, "progress");
    for (size_t f = 0; f < mot_progress_field_count && status == MOT_OK; ++f) {
        const mot_progress_field *const field = &mot_progress_fields[f];
        const void *const value = (const char *)progress + field->offset;
        if (field->kind == MOT_PROGRESS_REAL)
            status = mot_h5_set_real(file, "progress", field->name, *(const double *)value);
        else
            status = mot_h5_set_int(file, "progress", field->name,
                                    field->kind == MOT_PROGRESS_INT32 ? *(const int32_t *)value
                                                                      : *(const int64_t *)value);
    }
    return status;
}

static mot_status write_provenance(hid_t file, const mot_description *description)
{
    const mot_state *const state = description->state;
    mot_status status = MOT_OK;
    char created[32], libraries[MPI_MAX_LIBRARY_VERSION_STRING + 64], mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    const time_t now = time(NULL);
    struct tm utc;
    unsigned major, minor, release;
    int length;
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    H5get_libversion(&major, &minor, &release);
    MPI_Get_library_version(mpi, &length);
    mpi[strcspn(mpi, ",\n")] = '\0';
    snprintf(libraries, sizeof libraries, "HDF5 %u.%u.%u; %s", major, minor, release, mpi);

    MOT_TRY(mot_h5_set_text(file, ".", "format", MOT_CHECKPOINT_FORMAT));
    MOT_TRY(mot_h5_set_int(file, ".", "format_version", MOT_CHECKPOINT_VERSION));
    MOT_TRY(mot_h5_set_text(file, ".", "mot_version", MOT_VERSION));
    MOT_TRY(mot_h5_set_text(file, ".", "commit", MOT_COMMIT));
    MOT_TRY(mot_h5_set_text(file, ".", "level", mot_level()));
    MOT_TRY(mot_h5_set_text(file, ".", "created", created));
    MOT_TRY(mot_h5_set_text(file, ".", "libraries", libraries));
    MOT_TRY(mot_h5_set_text(file, ".", "hosts", description->hosts));
    MOT_TRY(mot_h5_set_text(file, ".", "dataset_checksum",
                            state->dataset_checksum != NULL ? state->dataset_checksum : ""));
    MOT_TRY(mot_h5_set_text(file, ".", "run_id", state->run_id != NULL ? state->run_id : ""));
    MOT_TRY(mot_h5_set_int(file, ".", "ranks", description->ranks));
    MOT_TRY(mot_h5_set_int(file, ".", "experts", state->experts));
    MOT_TRY(mot_h5_set_int(file, ".", "seed", (int64_t)state->seed)); /* the same 64 bits */
    MOT_TRY(mot_h5_set_int(file, ".", "restarts", state->progress.restarts));

done:
    return status;
}

/* Everything but the tensors. */
static mot_status write_head(hid_t file, const mot_description *description)
{
    mot_status status = MOT_OK;
    const mot_state *const state = description->state;
    const char *const config = state->config_text != NULL ? state->config_text : "";
    const mot_digest digest = mot_digest_bytes(config, strlen(config));
    MOT_TRY(write_provenance(file, description));
    MOT_TRY(mot_h5_write_texts(file, "config", 1, &config));
    MOT_TRY(set_digest(file, "config", &digest));
    MOT_TRY(write_progress(file, &state->progress));
    MOT_TRY(mot_h5_make_group(file, "gate"));
    if (state->balance_bias != NULL) MOT_TRY(write_bias(file, state));
    if (state->more != NULL) MOT_TRY(state->more(state->more_of, file));

done:
    return status;
}

static mot_status write_origin(hid_t file, const mot_state *state)
{
    if (state->origin == NULL) return MOT_OK;
    return mot_h5_write(file, mot_origin_path, H5T_NATIVE_INT32, 1, (hsize_t[]){(hsize_t)state->experts},
                        MOT_H5_CONTIGUOUS, state->origin);
}

static mot_status write_tail(hid_t file, const mot_description *description, mot_gidx tensors)
{
    mot_status status = MOT_OK;
    char text[MOT_DIGEST_TEXT];
    mot_digest *units = NULL;
    const size_t count = description->state->units.count;
    MOT_TRY(mot_allocate(&units, count, sizeof *units, "digests"));
    for (size_t u = 0; u < count; ++u) units[u] = description->digest[u][0];
    mot_state_digest_text(units, count, text);
    MOT_TRY(mot_h5_set_text(file, ".", "digest", text));
    MOT_TRY(mot_h5_set_int(file, ".", "tensors", tensors));
    MOT_TRY(mot_h5_set_int(file, ".", "complete", 1));

done:
    mot_free(units);
    return status;
}

mot_status mot_description_write(const mot_description *description, const char *path)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    mot_gidx tensors = 0;
    const mot_units *const units = &description->state->units;
    MOT_TRY(mot_h5_create_file(&file, path, description->first[units->count]));
    MOT_TRY(write_head(file, description));
    for (size_t u = 0, rows; u < units->count; u += rows) {
        rows = mot_units_alike(units, u);
        MOT_TRY(units->unit[u].row == MOT_ALONE ? describe_unit(file, description, u, &tensors)
                                                : mot_stack_describe(file, description, u, rows, &tensors));
    }
    MOT_TRY(write_origin(file, description->state));
    MOT_TRY(write_tail(file, description, tensors));
    MOT_TRY(mot_h5_close_file(&file, path, true));

done:
    (void)mot_h5_close_file(&file, path, false);
    return status;
}

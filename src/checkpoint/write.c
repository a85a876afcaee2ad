#include "checkpoint_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mot/atomic_file.h"
#include "mot/memory.h"
#include "mot/version.h"

/* ---- one dataset, one unit ---- */

static mot_status write_digest(hid_t file, const char *name, const void *bytes, size_t count)
{
    char text[MOT_DIGEST_TEXT];
    const mot_digest digest = mot_digest_bytes(bytes, count);
    mot_digest_text(&digest, text);
    return mot_h5_set_text(file, name, "xxh3", text);
}

static mot_status write_reals(hid_t file, const char *name, int rank, const size_t *shape,
                              const mot_real *value)
{
    hsize_t extent[MOT_H5_MAX_RANK];
    size_t count = 1;
    for (int d = 0; d < rank; ++d) {
        extent[d] = shape[d];
        count *= shape[d];
    }
    for (size_t i = 0; i < count; ++i) {
        /* Such a checkpoint would be refused when it is needed; better the last good one stays the newest. */
        if (!isfinite(value[i]))
            return mot_fail(MOT_ERR_NUMERIC, "/%s [%zu] is %g: no checkpoint is written", name, i,
                            (double)value[i]);
    }
    mot_status status = mot_h5_write(file, name, H5T_NATIVE_FLOAT, rank, extent, MOT_H5_CONTIGUOUS, value);
    return status == MOT_OK ? write_digest(file, name, value, count * sizeof *value) : status;
}

/* A group that is there already is fine. */
static mot_status make_group(hid_t file, const char *name)
{
    if (H5Lexists(file, name, H5P_DEFAULT) > 0) return MOT_OK;
    hid_t parents = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(parents, 1);
    hid_t group = H5Gcreate2(file, name, parents, H5P_DEFAULT, H5P_DEFAULT);
    mot_h5_close(&parents);
    if (group < 0) return mot_fail(MOT_ERR_FILE, "cannot make the group /%s of a checkpoint", name);
    mot_h5_close(&group);
    return MOT_OK;
}

static mot_status write_unit(hid_t file, const mot_params *unit, int moments, mot_gidx *tensors)
{
    mot_status status = MOT_OK;
    char group[MOT_CHECKPOINT_PATH], name[MOT_CHECKPOINT_PATH];
    mot_unit_path(group, unit->unit);
    MOT_TRY(make_group(file, group));
    for (size_t r = 0; r < unit->table->rows; ++r) {
        const mot_tensor *const tensor = &unit->table->row[r];
        for (int m = -1; m < moments; ++m) {
            const mot_real *const block = m < 0 ? unit->value : unit->moment[m];
            mot_tensor_path(name, unit->unit, tensor, m);
            MOT_TRY(write_reals(file, name, tensor->rank, tensor->shape, block + tensor->offset));
            ++*tensors;
        }
    }
    MOT_TRY(mot_h5_set_int(file, group, "updates", unit->updates));
    MOT_TRY(mot_h5_set_int(file, group, "moments", moments));
    if (unit->unit >= 0) MOT_TRY(mot_h5_set_int(file, group, "expert", unit->unit));

done:
    return status;
}

/* ---- what the root knows by itself ---- */

static mot_status write_progress(hid_t file, const mot_progress *progress)
{
    mot_status status = make_group(file, "progress");
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

/* "node1 x 4, node2 x 4" from the ranks' host names; cut where it gets long. */
static void hosts_text(char *text, size_t size, const char *names, int ranks)
{
    size_t used = 0;
    text[0] = '\0';
    for (int first = 0; first < ranks;) {
        const char *const name = names + (size_t)first * MPI_MAX_PROCESSOR_NAME;
        int next = first + 1;
        while (next < ranks && strcmp(names + (size_t)next * MPI_MAX_PROCESSOR_NAME, name) == 0) ++next;
        const int wrote = snprintf(text + used, size - used, "%s%s x %d", first > 0 ? ", " : "", name,
                                   next - first);
        if (wrote < 0 || (size_t)wrote >= size - used) return;
        used += (size_t)wrote;
        first = next;
    }
}

static mot_status write_provenance(hid_t file, const mot_comm *comm, const mot_state *state,
                                   const char *hosts)
{
    mot_status status = MOT_OK;
    char created[32], libraries[MPI_MAX_LIBRARY_VERSION_STRING + 64], mpi[MPI_MAX_LIBRARY_VERSION_STRING];
    char map[8192];
    const time_t now = time(NULL);
    struct tm utc;
    unsigned major, minor, release;
    int length;
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    H5get_libversion(&major, &minor, &release);
    MPI_Get_library_version(mpi, &length);
    mpi[strcspn(mpi, ",\n")] = '\0';
    snprintf(libraries, sizeof libraries, "HDF5 %u.%u.%u; %s", major, minor, release, mpi);
    hosts_text(map, sizeof map, hosts, comm->size);

    MOT_TRY(mot_h5_set_text(file, ".", "format", MOT_CHECKPOINT_FORMAT));
    MOT_TRY(mot_h5_set_int(file, ".", "format_version", MOT_CHECKPOINT_VERSION));
    MOT_TRY(mot_h5_set_text(file, ".", "mot_version", MOT_VERSION));
    MOT_TRY(mot_h5_set_text(file, ".", "commit", MOT_COMMIT));
    MOT_TRY(mot_h5_set_text(file, ".", "created", created));
    MOT_TRY(mot_h5_set_text(file, ".", "libraries", libraries));
    MOT_TRY(mot_h5_set_text(file, ".", "hosts", map));
    MOT_TRY(mot_h5_set_int(file, ".", "ranks", comm->size));
    MOT_TRY(mot_h5_set_int(file, ".", "experts", state->experts));
    MOT_TRY(mot_h5_set_int(file, ".", "seed", (int64_t)state->seed)); /* the same 64 bits */
    MOT_TRY(mot_h5_set_int(file, ".", "restarts", state->progress.restarts));

done:
    return status;
}

/* Everything but the experts. */
static mot_status write_head(hid_t *file, const mot_comm *comm, const mot_state *state, const char *hosts)
{
    mot_status status = MOT_OK;
    const char *const config = state->config_text != NULL ? state->config_text : "";
    const size_t experts[] = {(size_t)state->experts};
    MOT_TRY(mot_h5_create_image(file));
    MOT_TRY(write_provenance(*file, comm, state, hosts));
    MOT_TRY(mot_h5_write_texts(*file, "config", 1, &config));
    MOT_TRY(write_digest(*file, "config", config, strlen(config)));
    MOT_TRY(write_progress(*file, &state->progress));
    MOT_TRY(make_group(*file, "gate"));
    MOT_TRY(make_group(*file, "experts"));
    if (state->balance_bias != NULL)
        MOT_TRY(write_reals(*file, "gate/balance_bias", 1, experts, state->balance_bias));

done:
    return status;
}

static mot_status write_tail(hid_t file, const mot_digest *digests, int experts, mot_gidx tensors)
{
    mot_status status = MOT_OK;
    char digest[MOT_DIGEST_TEXT];
    mot_state_digest_text(digests, experts, digest);
    MOT_TRY(mot_h5_set_text(file, ".", "digest", digest));
    MOT_TRY(mot_h5_set_int(file, ".", "tensors", tensors));
    MOT_TRY(mot_h5_set_int(file, ".", "complete", 1));

done:
    return status;
}

/* The image and its mark, under the file's name. The bytes are taken from the driver's memory:
 * H5Fget_file_image of HDF5 1.10 clears a flag of the superblock without making its checksum again, and the
 * file would not open. */
static mot_status save(hid_t file, const char *path)
{
    mot_status status = MOT_OK;
    unsigned char *image = NULL;
    void *memory = NULL;
    ssize_t size = -1;
    if (H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0) size = H5Fget_file_image(file, NULL, 0);
    if (size < 0 || H5Fget_vfd_handle(file, H5P_DEFAULT, &memory) < 0 || memory == NULL)
        return mot_fail(MOT_ERR_FILE, "%s: the checkpoint cannot be completed in memory", path);
    MOT_TRY(mot_allocate(&image, (size_t)size + MOT_MARK, 1, "the image of a checkpoint"));
    memcpy(image, *(unsigned char **)memory,
           (size_t)size); /* the core driver's handle is the address of its block */
    mot_mark_make(image + size, image, (size_t)size);
    MOT_TRY(mot_file_replace(path, image, (size_t)size + MOT_MARK));

done:
    mot_free(image);
    return status;
}

/* ---- the collective ---- */

static mot_status put_unit(hid_t file, const mot_params *unit, int moments, mot_gidx *tensors,
                           mot_digest *digest)
{
    mot_status status = write_unit(file, unit, moments, tensors);
    return status == MOT_OK ? mot_unit_digest(unit->table, unit->value, digest) : status;
}

/* 1. all agree that the state is whole and that the root has its memory
 * 2. the root writes what it knows: provenance, configuration, progress, gate, tied tensors
 * 3. the experts travel to the root, one at a time, in order; a root that failed goes on receiving
 * 4. the root marks the image and replaces the file; all agree on the outcome */
mot_status mot_checkpoint_write(const mot_comm *comm, const mot_state *state, const char *path)
{
    const bool root = comm->rank == MOT_ROOT;
    const size_t width = MPI_MAX_PROCESSOR_NAME;
    hid_t file = H5I_INVALID_HID;
    mot_params staging = {0};
    mot_digest *digests = NULL;
    mot_gidx tensors = 0;
    char *hosts = NULL, host[MPI_MAX_PROCESSOR_NAME] = "";
    int length;

    /* 1 */
    mot_status status = mot_state_check(comm, state);
    if (status == MOT_OK && root) {
        status = mot_unit_staging(state, &staging);
        if (status == MOT_OK)
            status = mot_allocate(&digests, (size_t)state->experts + 2, sizeof *digests, "digests");
        if (status == MOT_OK) status = mot_allocate(&hosts, (size_t)comm->size, width, "host names");
    }
    status = mot_comm_agree(comm, status);
    if (status != MOT_OK) goto done;
    MPI_Get_processor_name(host, &length);
    MPI_Gather(host, (int)width, MPI_CHAR, hosts, (int)width, MPI_CHAR, MOT_ROOT, comm->mpi);

    /* 2 */
    if (root) {
        status = write_head(&file, comm, state, hosts);
        const bool gate = mot_table_used(state->gate_table), tied = mot_table_used(state->tied_table);
        if (status == MOT_OK)
            status = gate ? put_unit(file, state->gate, mot_unit_moments(state->gate), &tensors, &digests[0])
                          : mot_unit_digest(NULL, NULL, &digests[0]);
        if (status == MOT_OK)
            status = tied ? put_unit(file, state->tied, mot_unit_moments(state->tied), &tensors, &digests[1])
                          : mot_unit_digest(NULL, NULL, &digests[1]);
    }

    /* 3 */
    for (int e = 0; e < state->experts; ++e) {
        const int owner = state->owner[e];
        if (comm->rank == owner && !root) {
            const mot_unit_header header = {1, state->expert[e]->updates, mot_unit_moments(state->expert[e])};
            mot_unit_send(comm, state->expert[e], &header, MOT_ROOT);
        }
        if (!root) continue;
        const mot_params *unit = state->expert[e];
        int moments = 0;
        if (owner != MOT_ROOT) {
            mot_unit_header header;
            staging.table = state->expert_table;
            staging.unit = e;
            mot_unit_receive(comm, &staging, &header, owner);
            moments = (int)header.moments;
            unit = &staging;
        } else {
            moments = mot_unit_moments(unit);
        }
        if (status == MOT_OK) status = put_unit(file, unit, moments, &tensors, &digests[e + 2]);
    }

    /* 4 */
    if (root) {
        if (status == MOT_OK) status = write_tail(file, digests, state->experts, tensors);
        if (status == MOT_OK) status = save(file, path);
    }
    status = mot_comm_agree(comm, status);

done:
    mot_h5_close(&file);
    mot_unit_staging_free(&staging);
    mot_free(digests);
    mot_free(hosts);
    return status;
}

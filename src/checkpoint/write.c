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

static mot_status begin_unit(hid_t file, int unit)
{
    char group[MOT_CHECKPOINT_PATH];
    mot_unit_path(group, unit);
    return make_group(file, group);
}

/* A tensor's values (moment -1) or a moment. */
static mot_status write_tensor(hid_t file, const mot_tensor *tensor, int unit, int moment,
                               const mot_real *value, mot_gidx *tensors)
{
    char name[MOT_CHECKPOINT_PATH];
    mot_tensor_path(name, unit, tensor, moment);
    ++*tensors;
    return write_reals(file, name, tensor->rank, tensor->shape, value);
}

static mot_status end_unit(hid_t file, int unit, int64_t updates, int64_t moments)
{
    mot_status status = MOT_OK;
    char group[MOT_CHECKPOINT_PATH];
    mot_unit_path(group, unit);
    MOT_TRY(mot_h5_set_int(file, group, "updates", updates));
    MOT_TRY(mot_h5_set_int(file, group, "moments", moments));
    if (unit >= 0) MOT_TRY(mot_h5_set_int(file, group, "expert", unit));

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
static mot_status write_head(hid_t *file, const char *path, const mot_comm *comm, const mot_state *state,
                             const char *hosts)
{
    mot_status status = MOT_OK;
    const char *const config = state->config_text != NULL ? state->config_text : "";
    const size_t experts[] = {(size_t)state->experts};
    MOT_TRY(mot_h5_create_file(file, path));
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

/* ---- the collective ---- */

/* A unit that the root holds. */
static mot_status put_unit(hid_t file, const mot_params *unit, mot_gidx *tensors, mot_digest *digest)
{
    const int moments = mot_unit_moments(unit);
    mot_status status = MOT_OK;
    MOT_TRY(begin_unit(file, unit->unit));
    for (int m = -1; m < moments; ++m) {
        const mot_real *const block = m < 0 ? unit->value : unit->moment[m];
        for (size_t r = 0; r < unit->table->rows; ++r) {
            const mot_tensor *const tensor = &unit->table->row[r];
            MOT_TRY(write_tensor(file, tensor, unit->unit, m, block + tensor->offset, tensors));
        }
    }
    MOT_TRY(end_unit(file, unit->unit, unit->updates, moments));
    MOT_TRY(mot_unit_digest(unit->table, unit->value, digest));

done:
    return status;
}

/* An expert that comes from another rank, tensor by tensor through `staging`. After a failure the rest is received all
 * the same, since it is on its way. */
static mot_status pass_expert(const mot_comm *comm, hid_t file, const mot_state *state, int expert,
                              mot_real *staging, mot_status status, mot_gidx *tensors, mot_digest *digest)
{
    const mot_table *const table = state->expert_table;
    const int from = state->owner[expert];
    mot_unit_header header;
    mot_digest_state *values = mot_digest_begin();
    if (status == MOT_OK && values == NULL)
        status = mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
    mot_unit_receive_header(comm, &header, from);
    if (status == MOT_OK) status = begin_unit(file, expert);
    for (int m = -1; m < (int)header.moments; ++m) {
        for (size_t r = 0; r < table->rows; ++r) {
            const mot_tensor *const tensor = &table->row[r];
            mot_tensor_receive(comm, staging, tensor->count, from);
            if (status == MOT_OK) status = write_tensor(file, tensor, expert, m, staging, tensors);
            if (m < 0 && values != NULL) mot_digest_add(values, staging, tensor->count * sizeof *staging);
        }
    }
    if (values != NULL) *digest = mot_digest_end(values);
    return status == MOT_OK ? end_unit(file, expert, header.updates, header.moments) : status;
}

/* 1. all agree that the state is whole and that the root has its memory
 * 2. the root writes what it knows: provenance, configuration, progress, gate, tied tensors
 * 3. the experts travel to the root, one at a time, in order; a root that failed goes on receiving
 * 4. the root marks the file and gives it its name; all agree on the outcome
 * The file is streamed, and an expert passes the root tensor by tensor, so the root holds no more than before. */
mot_status mot_checkpoint_write(const mot_comm *comm, const mot_state *state, const char *path)
{
    const bool root = comm->rank == MOT_ROOT;
    const size_t width = MPI_MAX_PROCESSOR_NAME;
    hid_t file = H5I_INVALID_HID;
    mot_real *staging = NULL;
    mot_digest *digests = NULL;
    mot_gidx tensors = 0;
    char *hosts = NULL, host[MPI_MAX_PROCESSOR_NAME] = "";
    int length;

    /* 1 */
    mot_status status = mot_state_check(comm, state);
    if (status == MOT_OK && root) {
        status = mot_tensor_staging(state, &staging);
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
        status = write_head(&file, path, comm, state, hosts);
        const bool gate = mot_table_used(state->gate_table), tied = mot_table_used(state->tied_table);
        if (status == MOT_OK)
            status = gate ? put_unit(file, state->gate, &tensors, &digests[0])
                          : mot_unit_digest(NULL, NULL, &digests[0]);
        if (status == MOT_OK)
            status = tied ? put_unit(file, state->tied, &tensors, &digests[1])
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
        if (owner != MOT_ROOT)
            status = pass_expert(comm, file, state, e, staging, status, &tensors, &digests[e + 2]);
        else if (status == MOT_OK)
            status = put_unit(file, state->expert[e], &tensors, &digests[e + 2]);
    }

    /* 4 */
    if (root) {
        if (status == MOT_OK) status = write_tail(file, digests, state->experts, tensors);
        if (status == MOT_OK) status = mot_h5_seal_file(&file, path, mot_mark_append);
    }
    status = mot_comm_agree(comm, status);

done:
    (void)mot_h5_close_file(&file, path, false);
    mot_free(staging);
    mot_free(digests);
    mot_free(hosts);
    return status;
}

#include "checkpoint_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

/* ---- what the root checks before anything is touched ---- */

static mot_status check_format(hid_t file, const char *path)
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

static mot_status check_experts(hid_t file, const char *path, int experts)
{
    mot_status status = MOT_OK;
    int64_t stored = 0;
    H5G_info_t info;
    char name[MOT_CHECKPOINT_PATH];
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

/* The bytes have the checksum that was written beside them, and are numbers. */
static mot_status check_values(hid_t file, const char *path, const char *name, const mot_real *value,
                               size_t count)
{
    char *said = NULL, found[MOT_DIGEST_TEXT];
    mot_status status = mot_h5_get_text(file, name, "xxh3", &said);
    if (status != MOT_OK) return status;
    const mot_digest digest = mot_digest_bytes(value, count * sizeof *value);
    mot_digest_text(&digest, found);
    if (strcmp(said, found) != 0)
        status = mot_fail(MOT_ERR_INPUT, "%s: tensor /%s has checksum %s, but %.40s was written", path, name,
                          found, said);
    mot_free(said);
    for (size_t i = 0; i < count && status == MOT_OK; ++i) {
        if (!isfinite(value[i]))
            status = mot_fail(MOT_ERR_INPUT, "%s: tensor /%s [%zu] is %g, expected a finite value", path,
                              name, i, (double)value[i]);
    }
    return status;
}

/* Shape, checksum and values of one tensor; `room` holds it meanwhile. */
static mot_status check_tensor(hid_t file, const char *path, const char *name, int rank, const size_t *shape,
                               mot_real *room)
{
    hsize_t extent[MOT_H5_MAX_RANK];
    size_t count = 1;
    mot_status status = check_shape(file, path, name, rank, shape);
    for (int d = 0; d < rank; ++d) {
        extent[d] = shape[d];
        count *= shape[d];
    }
    if (status == MOT_OK) status = mot_h5_read(file, name, H5T_NATIVE_FLOAT, rank, extent, room);
    return status == MOT_OK ? check_values(file, path, name, room, count) : status;
}

static mot_status check_unit(hid_t file, const char *path, const mot_table *table, int unit, mot_real *room,
                             mot_gidx *tensors)
{
    mot_status status = MOT_OK;
    int64_t moments = 0, updates = 0, expert = unit;
    char group[MOT_CHECKPOINT_PATH], name[MOT_CHECKPOINT_PATH];
    if (!mot_table_used(table) && unit < 0) return MOT_OK;
    mot_unit_path(group, unit);
    if (!mot_h5_exists(file, group)) return mot_fail(MOT_ERR_INPUT, "%s: /%s is missing", path, group);
    MOT_TRY(mot_h5_get_int(file, group, "moments", &moments));
    MOT_TRY(mot_h5_get_int(file, group, "updates", &updates));
    if (unit >= 0) MOT_TRY(mot_h5_get_int(file, group, "expert", &expert));
    if (expert != unit)
        return mot_fail(MOT_ERR_INPUT, "%s: /%s holds expert %" PRId64 ", expected expert %d", path, group,
                        expert, unit);
    if (moments < 0 || moments > MOT_MOMENTS || updates < 0)
        return mot_fail(MOT_ERR_INPUT,
                        "%s: /%s has moments %" PRId64 " and updates %" PRId64
                        ", expected 0 to %d and no negative count",
                        path, group, moments, updates, MOT_MOMENTS);
    for (size_t r = 0; r < table->rows; ++r) {
        for (int m = -1; m < (int)moments; ++m) {
            mot_tensor_path(name, unit, &table->row[r], m);
            MOT_TRY(check_tensor(file, path, name, table->row[r].rank, table->row[r].shape, room));
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
        void *const value = (char *)progress + field->offset;
        int64_t integer = 0;
        if (field->kind == MOT_PROGRESS_REAL) {
            status = mot_h5_get_real(file, "progress", field->name, value);
            continue;
        }
        status = mot_h5_get_int(file, "progress", field->name, &integer);
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

/* Opens the file and finds it sound, or says why not. `room`: for the largest tensor, and for E numbers. */
static mot_status check_file(hid_t *file, const char *path, const mot_state *state, mot_real *room,
                             mot_progress *progress)
{
    mot_status status = MOT_OK;
    mot_gidx tensors = 0;
    int64_t stored = 0;
    const size_t experts[] = {(size_t)state->experts};
    MOT_TRY(mot_mark_check(path));
    MOT_TRY(mot_h5_open(file, path, false));
    MOT_TRY(check_format(*file, path));
    MOT_TRY(check_experts(*file, path, state->experts));
    MOT_TRY(read_progress(*file, path, progress));
    if (state->balance_bias != NULL)
        MOT_TRY(check_tensor(*file, path, "gate/balance_bias", 1, experts, room));
    MOT_TRY(check_unit(*file, path, state->gate_table, MOT_UNIT_GATE, room, &tensors));
    MOT_TRY(check_unit(*file, path, state->tied_table, MOT_UNIT_TIED, room, &tensors));
    for (int e = 0; e < state->experts; ++e)
        MOT_TRY(check_unit(*file, path, state->expert_table, e, room, &tensors));
    MOT_TRY(mot_h5_get_int(*file, ".", "tensors", &stored));
    if (stored != tensors)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: %" PRId64 " tensors where the configuration has %" MOT_PRI_GIDX
                          ": it belongs to another model",
                          path, stored, tensors);

done:
    return status;
}

/* ---- reading and handing out ---- */

static mot_status get_counts(hid_t file, int id, int64_t *updates, int64_t *moments)
{
    mot_status status = MOT_OK;
    char name[MOT_CHECKPOINT_PATH];
    mot_unit_path(name, id);
    MOT_TRY(mot_h5_get_int(file, name, "moments", moments));
    MOT_TRY(mot_h5_get_int(file, name, "updates", updates));

done:
    return status;
}

/* A tensor's values (moment -1) or a moment. */
static mot_status get_tensor(hid_t file, const mot_tensor *tensor, int id, int moment, mot_real *value)
{
    char name[MOT_CHECKPOINT_PATH];
    hsize_t shape[MOT_TENSOR_RANK];
    for (int d = 0; d < tensor->rank; ++d) shape[d] = tensor->shape[d];
    mot_tensor_path(name, id, tensor, moment);
    return mot_h5_read(file, name, H5T_NATIVE_FLOAT, tensor->rank, shape, value);
}

/* The padding between tensors stays as it is, zero. */
static mot_status get_unit(hid_t file, const mot_table *table, int id, mot_params *unit)
{
    mot_status status = MOT_OK;
    int64_t moments = 0;
    MOT_TRY(get_counts(file, id, &unit->updates, &moments));
    for (int m = -1; m < MOT_MOMENTS; ++m) {
        mot_real *const block = m < 0 ? unit->value : unit->moment[m];
        if (m >= moments) memset(block, 0, table->count * sizeof(mot_real));
        for (size_t r = 0; m < moments && r < table->rows; ++r)
            MOT_TRY(get_tensor(file, &table->row[r], id, m, block + table->row[r].offset));
    }

done:
    return status;
}

/* An expert for another rank, tensor by tensor through `staging`. What was announced is sent even if the disk goes away
 * meanwhile. */
static mot_status pass_expert(const mot_comm *comm, hid_t file, const mot_state *state, int expert,
                              mot_real *staging, mot_status status)
{
    const mot_table *const table = state->expert_table;
    const int to = state->owner[expert];
    int64_t updates = 0, moments = 0;
    if (status == MOT_OK) status = get_counts(file, expert, &updates, &moments);
    const mot_unit_header header = {status == MOT_OK, updates, MOT_MIN(moments, MOT_MOMENTS)};
    mot_unit_send_header(comm, &header, to);
    for (int m = -1; header.sound && m < (int)header.moments; ++m) {
        for (size_t r = 0; r < table->rows; ++r) {
            if (status == MOT_OK) status = get_tensor(file, &table->row[r], expert, m, staging);
            mot_tensor_send(comm, staging, table->row[r].count, to);
        }
    }
    return status;
}

/* The tied tensors to every rank alike. */
static void share_unit(const mot_comm *comm, mot_params *unit)
{
    const size_t bytes = unit->table->count * sizeof(mot_real);
    mot_comm_bcast(comm, &unit->updates, sizeof unit->updates, MOT_ROOT);
    mot_comm_bcast(comm, unit->value, bytes, MOT_ROOT);
    for (int m = 0; m < MOT_MOMENTS; ++m) mot_comm_bcast(comm, unit->moment[m], bytes, MOT_ROOT);
}

static mot_status hand_out_experts(const mot_comm *comm, mot_state *state, hid_t file, mot_real *staging)
{
    mot_status status = MOT_OK;
    for (int e = 0; e < state->experts; ++e) {
        const int owner = state->owner[e];
        if (comm->rank == MOT_ROOT && owner == MOT_ROOT) {
            if (status == MOT_OK) status = get_unit(file, state->expert_table, e, state->expert[e]);
        } else if (comm->rank == MOT_ROOT) {
            status = pass_expert(comm, file, state, e, staging, status);
        } else if (comm->rank == owner) {
            mot_unit_header header;
            mot_unit_receive(comm, state->expert[e], &header, MOT_ROOT);
        }
    }
    return status;
}

/* 1. the root checks the whole file, the others their part of the state; all agree. Up to here nothing has
 * changed
 * 2. the root reads its own, broadcasts progress and tied tensors
 * 3. the experts travel from the root, one at a time, in order; a root that failed sends headers that say so
 * 4. all agree. A failure after 1 (the disk went away while the file was open) leaves the state undefined. */
mot_status mot_checkpoint_read(const mot_comm *comm, mot_state *state, const char *path)
{
    const bool root = comm->rank == MOT_ROOT;
    const bool gate = mot_table_used(state->gate_table), tied = mot_table_used(state->tied_table);
    const hsize_t experts[] = {(hsize_t)state->experts};
    hid_t file = H5I_INVALID_HID;
    mot_real *staging = NULL;
    mot_progress progress = {0};

    /* 1 */
    mot_status status = mot_state_check(comm, state);
    if (status == MOT_OK && root) status = mot_tensor_staging(state, &staging);
    if (status == MOT_OK && root) status = check_file(&file, path, state, staging, &progress);
    status = mot_comm_agree(comm, status);
    if (status != MOT_OK) goto done;

    /* 2 */
    if (root) {
        if (state->balance_bias != NULL)
            status = mot_h5_read(file, "gate/balance_bias", H5T_NATIVE_FLOAT, 1, experts,
                                 state->balance_bias);
        if (status == MOT_OK && gate) status = get_unit(file, state->gate_table, MOT_UNIT_GATE, state->gate);
        if (status == MOT_OK && tied) status = get_unit(file, state->tied_table, MOT_UNIT_TIED, state->tied);
    }
    mot_comm_bcast(comm, &progress, sizeof progress, MOT_ROOT);
    if (tied) share_unit(comm, state->tied);

    /* 3, 4 */
    const mot_status handed = hand_out_experts(comm, state, file, staging);
    status = mot_comm_agree(comm, status == MOT_OK ? handed : status);
    if (status == MOT_OK) state->progress = progress;

done:
    mot_h5_close(&file);
    mot_free(staging);
    return status;
}

/* ---- without a state ---- */

mot_status mot_checkpoint_config(const char *path, char **text)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char **texts = NULL;
    size_t count = 0;
    *text = NULL;
    MOT_TRY(mot_mark_check(path));
    MOT_TRY(mot_h5_open(&file, path, false));
    MOT_TRY(check_format(file, path));
    MOT_TRY(mot_h5_read_texts(file, "config", 1, &count, &texts));
    if (count != 1) {
        status = mot_fail(MOT_ERR_INPUT, "%s: /config holds %zu texts, expected one", path, count);
        goto done;
    }
    const size_t length = strlen(texts[0]);
    MOT_TRY(mot_allocate(text, length + 1, 1, "a configuration"));
    memcpy(*text, texts[0], length);

done:
    mot_free(texts);
    mot_h5_close(&file);
    return status;
}

mot_status mot_checkpoint_verify(const char *path)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    int64_t experts = 0;
    MOT_TRY(mot_mark_check(path));
    MOT_TRY(mot_h5_open(&file, path, false));
    MOT_TRY(check_format(file, path));
    MOT_TRY(mot_h5_get_int(file, ".", "experts", &experts));
    MOT_TRY(check_experts(file, path, (int)MOT_MIN(experts, INT32_MAX)));

done:
    mot_h5_close(&file);
    return status;
}

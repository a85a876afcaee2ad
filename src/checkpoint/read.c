#include "checkpoint_file.h"

#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

/* ---- with a state ---- */

static bool reads(const mot_comm *comm, const mot_unit *unit)
{
    return unit->table->rows > 0 && mot_unit_keeper(unit) == comm->rank;
}

static mot_status check_unit(mot_tensor_file *file, const mot_state *state, const mot_index *index,
                             size_t number)
{
    const mot_unit *const unit = &state->units.unit[number];
    const mot_table *const table = unit->table;
    const mot_place *place = index->place + index->start[number];
    mot_status status = MOT_OK;
    char name[MOT_CHECKPOINT_NAME];
    for (int m = -1; m < (int)index->about[number].moments; ++m) {
        for (size_t r = 0; r < table->rows; ++r, ++place) {
            mot_tensor_words(name, unit, &table->row[r], m);
            MOT_TRY(mot_tensor_check(file, place->at, table->row[r].count, name, &place->digest));
        }
    }
done:
    return status;
}

/* The padding between tensors stays as it is, zero. */
static mot_status read_unit(mot_tensor_file *file, const mot_state *state, const mot_index *index,
                            size_t number)
{
    mot_params *const unit = state->units.unit[number].params;
    const mot_place *place = index->place + index->start[number];
    mot_status status = MOT_OK;
    for (int m = -1; m < MOT_MOMENTS; ++m) {
        mot_real *const block = m < 0 ? unit->value : unit->moment[m];
        const bool stored = m < (int)index->about[number].moments;
        if (!stored) memset(block, 0, unit->table->count * sizeof *block);
        for (size_t r = 0; stored && r < unit->table->rows; ++r, ++place) {
            const mot_tensor *const tensor = &unit->table->row[r];
            MOT_TRY(mot_tensor_read(file, place->at, block + tensor->offset, tensor->count));
        }
    }
    unit->updates = index->about[number].updates;
done:
    return status;
}

/* What the root found in the file's structure, to all. */
static void share_index(const mot_comm *comm, const mot_state *state, mot_index *index)
{
    const size_t units = state->units.count;
    mot_comm_bcast(comm, &index->progress, sizeof index->progress, MOT_ROOT);
    mot_comm_bcast(comm, index->about, units * sizeof *index->about, MOT_ROOT);
    mot_comm_bcast(comm, index->place, index->start[units] * sizeof *index->place, MOT_ROOT);
}

/* What every rank holds alike. */
static void share_unit(const mot_comm *comm, mot_params *unit)
{
    const size_t bytes = unit->table->count * sizeof(mot_real);
    mot_comm_bcast(comm, &unit->updates, sizeof unit->updates, MOT_ROOT);
    mot_comm_bcast(comm, unit->value, bytes, MOT_ROOT);
    for (int m = 0; m < MOT_MOMENTS; ++m) mot_comm_bcast(comm, unit->moment[m], bytes, MOT_ROOT);
}

mot_status mot_balance_bias_read(hid_t file, const char *path, int experts, mot_real *bias)
{
    static const char name[] = "gate/balance_bias";
    const size_t count = (size_t)experts;
    mot_digest said;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_read(file, name, H5T_NATIVE_FLOAT, 1, (hsize_t[]){count}, bias));
    MOT_TRY(mot_get_digest(file, path, name, &said));
    const mot_digest found = mot_digest_bytes(bias, count * sizeof *bias);
    if (memcmp(&found, &said, sizeof found) != 0)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: the checkpoint is damaged: /%s has another checksum than was written", path,
                          name);
done:
    return status;
}

/* 1. the root checks the structure of the file and tells everybody where the tensors are
 * 2. every rank checks the tensors that it will hold; all agree. Up to here nothing of the state has changed
 * 3. every rank reads them; the root sends what all hold alike
 * 4. all agree. A failure after 2 (the disk went away meanwhile) leaves the state undefined. */
mot_status mot_checkpoint_read(const mot_comm *comm, mot_state *state, const char *given)
{
    const bool root = comm->rank == MOT_ROOT;
    const mot_unit *const unit = state->units.unit;
    const size_t units = state->units.count;
    hid_t file = H5I_INVALID_HID;
    mot_tensor_file tensors = {.descriptor = -1};
    mot_index index = {0};
    mot_real *bias = NULL;
    char path[MOT_PATH] = "";

    /* 1 */
    mot_status status = mot_state_check(comm, state);
    if (status == MOT_OK) status = mot_index_create(&index, state);
    if (status == MOT_OK)
        status = mot_allocate(&bias, mot_state_biases(state), sizeof *bias, "the balance bias");
    if (status == MOT_OK && root) status = mot_path_join(path, sizeof path, given, "");
    if (status == MOT_OK && root) status = mot_index_read(&index, &file, path, state);
    if (status == MOT_OK && root && state->balance_bias != NULL) status = mot_balance_bias_read(file, path, (int)mot_state_biases(state), bias);
    mot_h5_close(&file);
    MOT_TRY(mot_comm_agree(comm, status));
    mot_comm_bcast(comm, path, sizeof path, MOT_ROOT);
    share_index(comm, state, &index);

    /* 2 */
    status = mot_tensor_file_open(&tensors, path, path, false);
    for (size_t u = 0; u < units && status == MOT_OK; ++u)
        if (reads(comm, &unit[u])) status = check_unit(&tensors, state, &index, u);
    MOT_TRY(mot_comm_agree(comm, status));

    /* 3, 4 */
    for (size_t u = 0; u < units && status == MOT_OK; ++u)
        if (reads(comm, &unit[u])) status = read_unit(&tensors, state, &index, u);
    for (size_t u = 0; u < units; ++u)
        if (unit[u].owner == MOT_ALIKE && unit[u].table->rows > 0) share_unit(comm, unit[u].params);
    MOT_TRY(mot_comm_agree(comm, status));
    if (root && state->balance_bias != NULL)
        memcpy(state->balance_bias, bias, mot_state_biases(state) * sizeof *bias);
    state->progress = index.progress;

done:
    (void)mot_tensor_file_close(&tensors, false);
    mot_free(bias);
    mot_index_free(&index);
    return status;
}

/* ---- without a state ---- */

mot_status mot_checkpoint_config(const char *path, char **text, char **dataset_checksum)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char **texts = NULL;
    size_t count = 0;
    *text = NULL;
    if (dataset_checksum != NULL) *dataset_checksum = NULL;
    MOT_TRY(mot_h5_open_sealed(&file, path, "checkpoint"));
    MOT_TRY(mot_check_format(file, path, NULL));
    MOT_TRY(mot_h5_read_texts(file, "config", 1, &count, &texts));
    if (count != 1) {
        status = mot_fail(MOT_ERR_INPUT, "%s: /config holds %zu texts, expected one", path, count);
        goto done;
    }
    const size_t length = strlen(texts[0]);
    MOT_TRY(mot_allocate(text, length + 1, 1, "a configuration"));
    memcpy(*text, texts[0], length);
    if (dataset_checksum != NULL && mot_h5_has_attribute(file, ".", "dataset_checksum"))
        MOT_TRY(mot_h5_get_text(file, ".", "dataset_checksum", dataset_checksum));

done:
    mot_free(texts);
    mot_h5_close(&file);
    if (status != MOT_OK) {
        mot_free(*text);
        *text = NULL;
    }
    return status;
}

mot_status mot_checkpoint_experts(const char *path, int begun, bool *there)
{
    mot_status status;
    hid_t file = H5I_INVALID_HID;
    int64_t stored = 0;
    int *origin = NULL;
    MOT_TRY(mot_h5_open_sealed(&file, path, "checkpoint"));
    MOT_TRY(mot_check_format(file, path, NULL));
    MOT_TRY(mot_h5_get_int(file, ".", "experts", &stored));
    if (stored < 1 || stored > begun || (stored < begun && !mot_h5_exists(file, mot_origin_path)))
        MOT_TRY(mot_other_experts(path, stored, begun));
    MOT_TRY(mot_allocate(&origin, (size_t)stored, sizeof *origin, "the numbers of experts"));
    MOT_TRY(mot_get_origin(file, path, (int)stored, begun, origin));
    memset(there, 0, (size_t)begun * sizeof *there);
    for (int e = 0; e < (int)stored; ++e) there[origin[e]] = true;

done:
    mot_free(origin);
    mot_h5_close(&file);
    return status;
}

mot_status mot_checkpoint_run_id(const char *path, char *id, size_t size)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    char *text = NULL;
    id[0] = '\0';
    MOT_TRY(mot_h5_open_sealed(&file, path, "checkpoint"));
    if (mot_h5_has_attribute(file, ".", "run_id")) MOT_TRY(mot_h5_get_text(file, ".", "run_id", &text));
    if (text != NULL) snprintf(id, size, "%s", text);

done:
    mot_free(text);
    mot_h5_close(&file);
    return status;
}

mot_status mot_checkpoint_more(const char *path, mot_status (*read)(void *to, hid_t file, const char *path),
                               void *to)
{
    mot_status status = MOT_OK;
    hid_t file = H5I_INVALID_HID;
    MOT_TRY(mot_h5_open_sealed(&file, path, "checkpoint"));
    MOT_TRY(mot_check_format(file, path, NULL));
    MOT_TRY(read(to, file, path));

done:
    mot_h5_close(&file);
    return status;
}

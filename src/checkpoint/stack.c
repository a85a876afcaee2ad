/* Units that are alike as rows of one dataset, which every tensor is a view of. */
#include "checkpoint_file.h"

#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

void mot_stack_path(char path[MOT_CHECKPOINT_NAME], const char *group, const char *own)
{
    snprintf(path, MOT_CHECKPOINT_NAME, "/%s/%s", group, own);
}

/* ---- writing ---- */

static mot_status write_updates(hid_t file, const char *group, const mot_unit_about *about, size_t rows)
{
    char name[MOT_CHECKPOINT_NAME];
    int64_t *updates = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&updates, rows, sizeof *updates, "updates of experts"));
    for (size_t i = 0; i < rows; ++i) updates[i] = about[i].updates;
    mot_stack_path(name, group, mot_stack_updates);
    MOT_TRY(mot_h5_write(file, name, H5T_NATIVE_INT64, 1, (hsize_t[]){rows}, MOT_H5_CONTIGUOUS, updates));
done:
    mot_free(updates);
    return status;
}

/* `of`: [rows], each with its values' digest in front of those of the tensors. */
static mot_status write_digests(hid_t file, const char *group, const mot_digest *const *of, size_t rows,
                                size_t columns)
{
    char name[MOT_CHECKPOINT_NAME];
    mot_digest *digest = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&digest, rows * columns, sizeof *digest, "digests"));
    for (size_t i = 0; i < rows; ++i) memcpy(digest + i * columns, of[i] + 1, columns * sizeof *digest);
    mot_stack_path(name, group, mot_stack_xxh3);
    MOT_TRY(mot_h5_write(file, name, H5T_NATIVE_UINT8, 3, (hsize_t[]){rows, columns, sizeof *digest},
                         MOT_H5_CONTIGUOUS, digest));
done:
    mot_free(digest);
    return status;
}

mot_status mot_stack_describe(hid_t file, const mot_description *description, size_t first, size_t rows,
                              mot_gidx *tensors)
{
    const mot_unit *const unit = &description->state->units.unit[first];
    const int64_t moments = description->about[first].moments;
    const uint64_t *const begin = description->first + first;
    hsize_t shape[1 + MOT_TENSOR_RANK] = {rows};
    size_t at = 0, column = 0;
    char name[MOT_CHECKPOINT_NAME], state[MOT_CHECKPOINT_NAME];
    mot_status status;
    MOT_TRY(mot_h5_make_group(file, unit->group));
    MOT_TRY(mot_h5_set_int(file, unit->group, "moments", moments));
    MOT_TRY(write_updates(file, unit->group, description->about + first, rows));
    if (unit->table->rows == 0) goto done;
    mot_stack_path(state, unit->group, mot_stack_state);
    MOT_TRY(mot_h5_place(file, state, H5T_NATIVE_FLOAT, 2,
                         (hsize_t[]){rows, (begin[1] - begin[0]) / sizeof(mot_real)}, begin[0]));
    for (int m = -1; m < (int)moments; ++m) {
        for (size_t r = 0; r < unit->table->rows; ++r) {
            const mot_tensor *const tensor = &unit->table->row[r];
            for (int d = 0; d < tensor->rank; ++d) shape[1 + d] = tensor->shape[d];
            mot_tensor_path(name, unit->group, tensor, m);
            MOT_TRY(mot_h5_view(file, name, state, at, 1 + tensor->rank, shape));
            MOT_TRY(mot_h5_set_int(file, name, mot_stack_column, (int64_t)column++));
            at += tensor->count;
        }
    }
    MOT_TRY(write_digests(file, unit->group, description->digest + first, rows, column));
    *tensors += (mot_gidx)column;

done:
    return status;
}

/* ---- reading ---- */

mot_status mot_stack_check(hid_t file, const char *path, const char *group, size_t rows)
{
    char name[MOT_CHECKPOINT_NAME];
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK] = {0};
    mot_stack_path(name, group, mot_stack_updates);
    const mot_status status = mot_h5_shape(file, name, &rank, shape);
    if (status != MOT_OK || (rank == 1 && shape[0] == rows)) return status;
    return mot_fail(MOT_ERR_INPUT, "%s: %s has %llu rows, expected those of the experts 0 to %zu", path, name,
                    (unsigned long long)shape[0], rows - 1);
}

mot_status mot_stack_read(mot_stack *stack, hid_t file, const char *path, const char *group, size_t rows)
{
    mot_status status;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK] = {0};
    *stack = (mot_stack){.rows = rows};
    mot_stack_path(stack->state, group, mot_stack_state);
    mot_stack_path(stack->xxh3, group, mot_stack_xxh3);
    MOT_TRY(mot_h5_shape(file, stack->state, &rank, shape));
    if (rank != 2 || shape[0] != rows) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has %llu rows, expected one for each of %zu experts", path,
                          stack->state, (unsigned long long)(rank > 0 ? shape[0] : 0), rows);
        goto done;
    }
    MOT_TRY(mot_h5_position(file, stack->state, H5T_NATIVE_FLOAT, &stack->at));
    stack->stride = shape[1] * sizeof(mot_real);
    MOT_TRY(mot_h5_shape(file, stack->xxh3, &rank, shape));
    if (rank != 3 || shape[0] != rows || shape[2] != sizeof(mot_digest)) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %s does not hold the checksums of %zu experts", path,
                          stack->xxh3, rows);
        goto done;
    }
    stack->columns = (size_t)shape[1];
    MOT_TRY(mot_allocate(&stack->digest, rows * stack->columns, sizeof *stack->digest, "digests"));
    MOT_TRY(mot_h5_read(file, stack->xxh3, H5T_NATIVE_UINT8, 3, shape, stack->digest));

done:
    if (status != MOT_OK) mot_stack_free(stack);
    return status;
}

void mot_stack_free(mot_stack *stack)
{
    mot_free(stack->digest);
    *stack = (mot_stack){0};
}

mot_status mot_stack_find(const mot_stack *stack, hid_t file, const char *path, const char *name,
                          mot_stacked *tensor)
{
    mot_status status;
    int64_t column;
    hsize_t shape[MOT_H5_MAX_RANK], first;
    int rank;
    MOT_TRY(mot_h5_view_place(file, name, stack->state, &rank, shape, &first));
    MOT_TRY(mot_h5_get_int(file, name, mot_stack_column, &column));
    *tensor = (mot_stacked){.rank = rank - 1, .count = 1};
    for (int d = 0; d < tensor->rank; ++d) {
        tensor->shape[d] = shape[d + 1];
        tensor->count *= (size_t)shape[d + 1]; /* the view's numbers were counted */
    }
    const uint64_t in_row = stack->stride / sizeof(mot_real);
    if (shape[0] != stack->rows || first > in_row || tensor->count > in_row - first)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: tensor /%s has %llu rows of %zu numbers, which %s does not have", path, name,
                          (unsigned long long)shape[0], tensor->count, stack->state);
    else if (column < 0 || column >= (int64_t)stack->columns)
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: tensor /%s has no checksums: %s %" PRId64 ", expected one below %zu", path,
                          name, mot_stack_column, column, stack->columns);
    tensor->at = stack->at + first * sizeof(mot_real);
    tensor->column = (size_t)column;

done:
    return status;
}

/* All experts as rows of one dataset, which every tensor is a view of. */
#include "checkpoint_file.h"

#include <string.h>

#include "mot/memory.h"

/* ---- writing ---- */

static mot_status write_updates(hid_t file, const mot_description *description)
{
    const size_t experts = (size_t)description->state->experts;
    const mot_unit_about *const about = description->about + MOT_NUMBER_EXPERT;
    int64_t *updates = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&updates, experts, sizeof *updates, "updates of experts"));
    for (size_t e = 0; e < experts; ++e) updates[e] = about[e].updates;
    MOT_TRY(mot_h5_write(file, MOT_STACK_UPDATES, H5T_NATIVE_INT64, 1, (hsize_t[]){experts},
                         MOT_H5_CONTIGUOUS, updates));
done:
    mot_free(updates);
    return status;
}

static mot_status write_digests(hid_t file, const mot_description *description, size_t columns)
{
    const size_t experts = (size_t)description->state->experts;
    mot_digest *digest = NULL;
    mot_status status;
    MOT_TRY(mot_allocate(&digest, experts * columns, sizeof *digest, "digests"));
    for (size_t e = 0; e < experts; ++e)
        memcpy(digest + e * columns, description->digest[MOT_NUMBER_EXPERT + e] + 1,
               columns * sizeof *digest);
    MOT_TRY(mot_h5_write(file, MOT_STACK_XXH3, H5T_NATIVE_UINT8, 3,
                         (hsize_t[]){experts, columns, sizeof *digest}, MOT_H5_CONTIGUOUS, digest));
done:
    mot_free(digest);
    return status;
}

mot_status mot_stack_describe(hid_t file, const mot_description *description, mot_gidx *tensors)
{
    const mot_table *const table = mot_unit_table(description->state, MOT_NUMBER_EXPERT);
    const int64_t moments = description->about[MOT_NUMBER_EXPERT].moments;
    const uint64_t *const first = description->first + MOT_NUMBER_EXPERT;
    const char *const group = mot_unit_group(0);
    hsize_t shape[1 + MOT_TENSOR_RANK] = {(hsize_t)description->state->experts};
    size_t at = 0, column = 0;
    char name[MOT_CHECKPOINT_NAME];
    mot_status status;
    MOT_TRY(mot_h5_make_group(file, group));
    MOT_TRY(mot_h5_set_int(file, group, "moments", moments));
    MOT_TRY(write_updates(file, description));
    if (table == NULL) goto done;
    MOT_TRY(mot_h5_place(file, MOT_STACK_STATE, H5T_NATIVE_FLOAT, 2,
                         (hsize_t[]){shape[0], (first[1] - first[0]) / sizeof(mot_real)}, first[0]));
    for (int m = -1; m < (int)moments; ++m) {
        for (size_t r = 0; r < table->rows; ++r) {
            const mot_tensor *const tensor = &table->row[r];
            for (int d = 0; d < tensor->rank; ++d) shape[1 + d] = tensor->shape[d];
            mot_tensor_path(name, group, tensor, m);
            MOT_TRY(mot_h5_view(file, name, MOT_STACK_STATE, at, 1 + tensor->rank, shape));
            MOT_TRY(mot_h5_set_int(file, name, MOT_STACK_COLUMN, (int64_t)column++));
            at += tensor->count;
        }
    }
    MOT_TRY(write_digests(file, description, column));
    *tensors += (mot_gidx)column;

done:
    return status;
}

/* ---- reading ---- */

mot_status mot_stack_read(mot_stack *stack, hid_t file, const char *path, size_t experts)
{
    mot_status status;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK] = {0};
    *stack = (mot_stack){.experts = experts};
    MOT_TRY(mot_h5_shape(file, MOT_STACK_STATE, &rank, shape));
    if (rank != 2 || shape[0] != experts) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %s has %llu rows, expected one for each of %zu experts", path,
                          MOT_STACK_STATE, (unsigned long long)(rank > 0 ? shape[0] : 0), experts);
        goto done;
    }
    MOT_TRY(mot_h5_position(file, MOT_STACK_STATE, H5T_NATIVE_FLOAT, &stack->at));
    stack->stride = shape[1] * sizeof(mot_real);
    MOT_TRY(mot_h5_shape(file, MOT_STACK_XXH3, &rank, shape));
    if (rank != 3 || shape[0] != experts || shape[2] != sizeof(mot_digest)) {
        status = mot_fail(MOT_ERR_INPUT, "%s: %s does not hold the checksums of %zu experts", path,
                          MOT_STACK_XXH3, experts);
        goto done;
    }
    stack->columns = (size_t)shape[1];
    MOT_TRY(mot_allocate(&stack->digest, experts * stack->columns, sizeof *stack->digest, "digests"));
    MOT_TRY(mot_h5_read(file, MOT_STACK_XXH3, H5T_NATIVE_UINT8, 3, shape, stack->digest));

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
    MOT_TRY(mot_h5_view_place(file, name, MOT_STACK_STATE, &rank, shape, &first));
    MOT_TRY(mot_h5_get_int(file, name, MOT_STACK_COLUMN, &column));
    *tensor = (mot_stacked){.rank = rank - 1, .count = 1};
    for (int d = 0; d < tensor->rank; ++d) {
        tensor->shape[d] = shape[d + 1];
        tensor->count *= (size_t)shape[d + 1]; /* the view's numbers were counted */
    }
    const uint64_t in_row = stack->stride / sizeof(mot_real);
    if (shape[0] != stack->experts || first > in_row || tensor->count > in_row - first)
        status = mot_fail(MOT_ERR_INPUT, "%s: tensor /%s has %llu rows of %zu numbers, which %s does not have", path,
                          name, (unsigned long long)shape[0], tensor->count, MOT_STACK_STATE);
    else if (column < 0 || column >= (int64_t)stack->columns)
        status = mot_fail(MOT_ERR_INPUT, "%s: tensor /%s has no checksums: %s %" PRId64 ", expected one below %zu",
                          path, name, MOT_STACK_COLUMN, column, stack->columns);
    tensor->at = stack->at + first * sizeof(mot_real);
    tensor->column = (size_t)column;

done:
    return status;
}

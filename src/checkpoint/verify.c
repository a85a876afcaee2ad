/* All tensors of a file, whatever its model: their checksums looked at, or made anew, or other values put in their places. */
#include "checkpoint_file.h"

#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

typedef struct walk {
    hid_t file;
    mot_tensor_file tensors;
    mot_stack stack; /* empty in files of the former version, and where experts have no tensors of their own */
    size_t experts;
    bool renew, of_units, changed_here; /* the last two: of the group of the root that is walked */
    mot_replace_function *give;         /* other values, with what it is handed; NULL: they stay */
    void *of;
    int64_t found;  /* tensors */
    size_t changed; /* those whose checksums were renewed */
    mot_status status;
} walk;

/* Other values in the place of `rows` times `each` numbers, which begin `stride` bytes apart. Moments become zero: nothing has been
 * learned with these values yet. shape [rank]: as the file shows it. */
static mot_status replace(const walk *w, const char *name, int rank, const hsize_t *shape, uint64_t at, size_t rows, size_t each,
                          uint64_t stride)
{
    mot_real *value = NULL;
    mot_digest ignored;
    mot_status status;
    MOT_TRY(mot_allocate(&value, rows * each, sizeof *value, "a tensor"));
    if (strstr(name, ".moment") == NULL) MOT_TRY(w->give(w->of, name, rank, shape, value));
    for (size_t r = 0; r < rows; ++r)
        MOT_TRY(mot_tensor_write(&w->tensors, at + r * stride, value + r * each, each, name, &ignored, NULL));
done:
    mot_free(value);
    return status;
}

/* The only number array beside the gate's tensors, which HDF5 writes. */
static mot_status replace_bias(const walk *w, const char *name)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_real *value = NULL;
    mot_status status;
    MOT_TRY(mot_h5_shape(w->file, name, &rank, shape));
    if (rank != 1) return mot_fail(MOT_ERR_INPUT, "%s: /%s is not what mot writes", w->tensors.path, name);
    MOT_TRY(mot_allocate(&value, (size_t)shape[0], sizeof *value, "the balance bias"));
    MOT_TRY(w->give(w->of, name, rank, shape, value));
    status = mot_h5_write_rows(w->file, name, H5T_NATIVE_FLOAT, 0, shape[0], value);
done:
    mot_free(value);
    return status;
}

static mot_status walk_lone(walk *w, const char *name)
{
    mot_status status = MOT_OK;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    size_t count = 1;
    uint64_t at;
    mot_digest digest;
    if (w->renew) goto done; /* mot_h5_renew_checksums did it */
    MOT_TRY(mot_h5_shape(w->file, name, &rank, shape));
    for (int d = 0; d < rank; ++d) {
        if (!__builtin_mul_overflow(count, shape[d], &count)) continue;
        status = mot_fail(MOT_ERR_INPUT, "%s: /%s is larger than any memory", w->tensors.path, name);
        goto done;
    }
    if (w->give != NULL && strcmp(name, "gate/balance_bias") == 0) return replace_bias(w, name);
    MOT_TRY(mot_h5_position(w->file, name, H5T_NATIVE_FLOAT, &at));
    if (w->give != NULL) return replace(w, name, rank, shape, at, 1, count, 0);
    MOT_TRY(mot_get_digest(w->file, w->tensors.path, name, &digest));
    MOT_TRY(mot_tensor_check(&w->tensors, at, count, name, &digest));
done:
    return status;
}

/* Of all experts. */
static mot_status walk_stacked(walk *w, const char *name)
{
    mot_status status;
    mot_stacked tensor;
    bool changed = false;
    char words[2 * MOT_CHECKPOINT_NAME];
    MOT_TRY(mot_stack_find(&w->stack, w->file, w->tensors.path, name, &tensor));
    if (w->give != NULL) {
        hsize_t shape[MOT_H5_MAX_RANK] = {w->stack.rows};
        memcpy(shape + 1, tensor.shape, (size_t)tensor.rank * sizeof *shape);
        return replace(w, name, tensor.rank + 1, shape, tensor.at, w->stack.rows, tensor.count, w->stack.stride);
    }
    for (size_t e = 0; e < w->stack.rows; ++e) {
        const uint64_t at = tensor.at + e * w->stack.stride;
        mot_digest *const said = &w->stack.digest[e * w->stack.columns + tensor.column], found;
        if (w->renew) {
            MOT_TRY(mot_tensor_digest(&w->tensors, at, tensor.count, &found));
            changed = changed || memcmp(&found, said, sizeof found) != 0;
            *said = found;
        } else {
            snprintf(words, sizeof words, "%s of expert %zu", name, e);
            MOT_TRY(mot_tensor_check(&w->tensors, at, tensor.count, words, said));
        }
    }
    w->changed += changed;
    w->changed_here = w->changed_here || changed;
done:
    return status;
}

static bool has(const walk *w, const char *group, const char *own)
{
    char name[MOT_CHECKPOINT_NAME];
    mot_stack_path(name, group, own);
    return mot_h5_exists(w->file, name);
}

static mot_status leave_group(walk *w)
{
    mot_status status = MOT_OK;
    if (w->changed_here)
        status = mot_h5_write_rows(w->file, w->stack.xxh3, H5T_NATIVE_UINT8, 0, w->stack.rows,
                                   w->stack.digest);
    w->changed_here = false;
    mot_stack_free(&w->stack);
    return status;
}

/* Of the root: one of units, alone or stacked, or what is not ours to judge. A gate without tensors and experts of the former
 * version say nothing of moments. */
static mot_status enter_group(walk *w, const char *group)
{
    mot_status status;
    int rank;
    char updates[MOT_CHECKPOINT_NAME];
    hsize_t shape[MOT_H5_MAX_RANK] = {w->experts};
    MOT_TRY(leave_group(w));
    w->of_units = mot_h5_has_attribute(w->file, group, "moments") || strcmp(group, "gate") == 0 ||
                  strcmp(group, "experts") == 0;
    mot_stack_path(updates, group, mot_stack_updates);
    if (strcmp(group, "experts") != 0 && has(w, group, mot_stack_updates)) /* another layer's */
        MOT_TRY(mot_h5_shape(w->file, updates, &rank, shape));
    if (has(w, group, mot_stack_updates))
        MOT_TRY(mot_stack_check(w->file, w->tensors.path, group, shape[0]));
    if (has(w, group, mot_stack_state))
        MOT_TRY(mot_stack_read(&w->stack, w->file, w->tensors.path, group, shape[0]));
done:
    return status;
}

static mot_status walk_dataset(walk *w, const char *name)
{
    static const char *const own[] = {mot_stack_state, mot_stack_xxh3, mot_stack_updates, "origin"};
    const char *const member = strchr(name, '/');
    if (member == NULL || !w->of_units) return MOT_OK;
    for (size_t o = 0; o < MOT_COUNT(own); ++o)
        if (strcmp(member + 1, own[o]) == 0) return MOT_OK;
    w->found += strcmp(name, "gate/balance_bias") != 0;
    return w->stack.digest != NULL && mot_h5_has_attribute(w->file, name, mot_stack_column)
               ? walk_stacked(w, name)
               : walk_lone(w, name);
}

/* A group of the root comes with all that is in it before the next one; links elsewhere are not followed. */
static herr_t visit(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
    (void)file;
    walk *const w = context;
    if (info->type == H5O_TYPE_DATASET)
        w->status = walk_dataset(w, name);
    else if (strchr(name, '/') == NULL && strcmp(name, ".") != 0)
        w->status = enter_group(w, name);
    return w->status == MOT_OK ? 0 : 1;
}

/* `path`: where the file lies that is open as w->file. */
static mot_status walk_file(walk *w, const char *path)
{
    mot_status status;
    int64_t experts = 0;
    int version;
    w->tensors.descriptor = -1;
    MOT_TRY(mot_check_format(w->file, path, &version));
    MOT_TRY(mot_h5_get_int(w->file, ".", "experts", &experts));
    MOT_TRY(mot_check_experts(w->file, path, version, experts));
    MOT_TRY(mot_check_origin(w->file, path, experts, NULL));
    w->experts = (size_t)experts;
    if (w->give != NULL && version != MOT_CHECKPOINT_VERSION)
        return mot_fail(MOT_ERR_INPUT, "%s: checkpoint of format version %d, whose values stay as they are; expected version %d", path,
                        version, MOT_CHECKPOINT_VERSION);
    MOT_TRY(mot_tensor_file_open(&w->tensors, path, path, w->give != NULL));
    const herr_t walked = H5Ovisit2(w->file, H5_INDEX_NAME, H5_ITER_INC, visit, w, H5O_INFO_BASIC);
    MOT_TRY(w->status);
    if (walked < 0) status = mot_fail(MOT_ERR_INPUT, "%s: its groups cannot be read", path);
    if (status == MOT_OK) status = leave_group(w);

done:
    mot_stack_free(&w->stack);
    (void)mot_tensor_file_close(&w->tensors, false);
    return status;
}

mot_status mot_checkpoint_verify(const char *path)
{
    walk w = {.file = H5I_INVALID_HID};
    int64_t stored = 0;
    mot_status status;
    MOT_TRY(mot_h5_open_sealed(&w.file, path, "checkpoint"));
    MOT_TRY(walk_file(&w, path));
    MOT_TRY(mot_h5_get_int(w.file, ".", "tensors", &stored));
    if (stored != w.found)
        status = mot_fail(MOT_ERR_INPUT, "%s: %" PRId64 " tensors, %" PRId64 " were written", path, w.found,
                          stored);

done:
    mot_h5_close(&w.file);
    return status;
}

mot_status mot_checkpoint_renew(hid_t file, const char *path, size_t *changed)
{
    walk w = {.file = file, .renew = true};
    mot_status status;
    MOT_TRY(mot_h5_renew_checksums(file, changed));
    MOT_TRY(walk_file(&w, path));
    *changed += w.changed;
    /* Of the parameters there is a digest too, by which runs are compared: it is that of no run any more. */
    if (*changed > 0) MOT_TRY(mot_h5_set_text(file, ".", "digest", "changed by hand"));

done:
    return status;
}

/* Of a group that is walked, the updates that its units have taken. */
static herr_t forget_updates(hid_t file, const char *name, const H5L_info_t *info, void *context)
{
    walk *w = context;
    char updates[MOT_CHECKPOINT_NAME];
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    int64_t *none = NULL;
    mot_status status = MOT_OK;
    (void)info;
    if (!mot_h5_has_attribute(file, name, "moments")) return 0;
    mot_stack_path(updates, name, mot_stack_updates);
    if (!mot_h5_exists(file, updates)) {
        w->status = mot_h5_set_int(file, name, "updates", 0);
        return w->status == MOT_OK ? 0 : 1;
    }
    MOT_TRY(mot_h5_shape(file, updates, &rank, shape));
    MOT_TRY(mot_allocate(&none, (size_t)shape[0], sizeof *none, "updates of experts"));
    MOT_TRY(mot_h5_write_rows(file, updates, H5T_NATIVE_INT64, 0, shape[0], none));
done:
    mot_free(none);
    w->status = status;
    return status == MOT_OK ? 0 : 1;
}

mot_status mot_checkpoint_replace(const char *path, const char *run_id, mot_replace_function *give, void *of)
{
    walk w = {.file = H5I_INVALID_HID, .give = give, .of = of};
    hsize_t at = 0;
    size_t changed;
    mot_status status;
    MOT_TRY(mot_h5_edit(&w.file, path, path));
    MOT_TRY(walk_file(&w, path));
    const herr_t walked = H5Literate(w.file, H5_INDEX_NAME, H5_ITER_INC, &at, forget_updates, &w);
    MOT_TRY(w.status);
    if (walked < 0) return mot_fail(MOT_ERR_INPUT, "%s: its groups cannot be read", path);
    MOT_TRY(mot_h5_set_text(w.file, ".", "run_id", run_id));
    MOT_TRY(mot_checkpoint_renew(w.file, path, &changed));
    MOT_TRY(mot_h5_seal(&w.file, path, path));
done:
    mot_h5_close(&w.file);
    return status;
}

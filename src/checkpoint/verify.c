/* All tensors of a file, whatever its model: their checksums looked at, or made anew. */
#include "checkpoint_file.h"

#include <stdio.h>
#include <string.h>

typedef struct walk {
    hid_t file;
    mot_tensor_file tensors;
    mot_stack stack; /* empty in files of the former version, and where experts have no tensors of their own */
    size_t experts;
    bool renew, of_units, changed_here; /* the last two: of the group of the root that is walked */
    int64_t found;  /* tensors */
    size_t changed; /* those whose checksums were renewed */
    mot_status status;
} walk;

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
    MOT_TRY(mot_h5_position(w->file, name, H5T_NATIVE_FLOAT, &at));
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
    MOT_TRY(mot_tensor_file_open(&w->tensors, path, path, false));
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

/* All tensors of a file, whatever its model: their checksums looked at, or made anew. */
#include "checkpoint_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

typedef struct walk {
    hid_t file;
    mot_tensor_file tensors;
    mot_stack stack; /* empty in files of the former version, and where experts have no tensors of their own */
    bool renew;
    int64_t found;  /* tensors */
    size_t changed; /* those whose checksums were renewed */
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
done:
    return status;
}

static bool is_stacks_own(const char *member)
{
    static const char *const own[] = {mot_stack_state, mot_stack_xxh3, mot_stack_updates};
    for (size_t o = 0; o < MOT_COUNT(own); ++o)
        if (strcmp(member, own[o]) == 0) return true;
    return false;
}

/* All tensors in a group and below. */
static mot_status walk_group(walk *w, const char *group, int depth)
{
    enum { DEEPEST = 8 };
    H5G_info_t info;
    mot_status status = MOT_OK;
    if (depth > DEEPEST || H5Gget_info_by_name(w->file, group, &info, H5P_DEFAULT) < 0)
        return mot_fail(MOT_ERR_INPUT, "%s: the group /%s cannot be read", w->tensors.path, group);
    for (hsize_t i = 0; i < info.nlinks; ++i) {
        char member[MOT_CHECKPOINT_NAME], name[2 * MOT_CHECKPOINT_NAME];
        H5O_info_t about;
        H5L_info_t link;
        if (H5Lget_name_by_idx(w->file, group, H5_INDEX_NAME, H5_ITER_INC, i, member, sizeof member,
                               H5P_DEFAULT) <= 0 ||
            snprintf(name, sizeof name, "%s/%s", group, member) >= MOT_CHECKPOINT_NAME ||
            H5Lget_info(w->file, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD ||
            H5Oget_info_by_name2(w->file, name, &about, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
            return mot_fail(MOT_ERR_INPUT, "%s: a member of /%s is not what mot writes", w->tensors.path,
                            group);
        if (about.type == H5O_TYPE_GROUP) {
            MOT_TRY(walk_group(w, name, depth + 1));
        } else if (depth > 0 || !is_stacks_own(member)) {
            const bool stacked = w->stack.digest != NULL && mot_h5_has_attribute(w->file, name, mot_stack_column);
            MOT_TRY(stacked ? walk_stacked(w, name) : walk_lone(w, name));
            w->found += strcmp(name, "gate/balance_bias") != 0;
        }
    }
done:
    return status;
}

static bool has(const walk *w, const char *group, const char *own)
{
    char name[MOT_CHECKPOINT_NAME];
    mot_stack_path(name, group, own);
    return mot_h5_exists(w->file, name);
}

/* A group of units, alone or stacked. */
static mot_status walk_units(walk *w, const char *group, size_t rows)
{
    mot_status status = MOT_OK;
    if (has(w, group, mot_stack_updates)) MOT_TRY(mot_stack_check(w->file, w->tensors.path, group, rows));
    if (has(w, group, mot_stack_state))
        MOT_TRY(mot_stack_read(&w->stack, w->file, w->tensors.path, group, rows));
    MOT_TRY(walk_group(w, group, 0));
    if (w->changed > 0 && w->stack.digest != NULL)
        MOT_TRY(mot_h5_write_rows(w->file, w->stack.xxh3, H5T_NATIVE_UINT8, 0, w->stack.rows, w->stack.digest));
done:
    mot_stack_free(&w->stack);
    return status;
}

/* What else lies in a file is not ours to judge. A gate without tensors and experts of the former version say nothing of
 * moments. */
static bool holds_units(hid_t file, const char *name)
{
    return mot_h5_has_attribute(file, name, "moments") || strcmp(name, "gate") == 0 ||
           strcmp(name, "experts") == 0;
}

/* `path`: where the file lies that is open as w->file. */
static mot_status walk_file(walk *w, const char *path)
{
    mot_status status;
    int64_t experts = 0;
    int version;
    H5G_info_t info;
    w->tensors.descriptor = -1;
    MOT_TRY(mot_check_format(w->file, path, &version));
    MOT_TRY(mot_h5_get_int(w->file, ".", "experts", &experts));
    MOT_TRY(mot_check_experts(w->file, path, version, experts));
    MOT_TRY(mot_tensor_file_open(&w->tensors, path, path, false));
    if (H5Gget_info(w->file, &info) < 0) info.nlinks = 0;
    for (hsize_t i = 0; i < info.nlinks; ++i) {
        char name[MOT_CHECKPOINT_NAME] = "";
        H5O_info_t about;
        H5Lget_name_by_idx(w->file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
        if (mot_h5_exists(w->file, name) && holds_units(w->file, name) &&
            H5Oget_info_by_name2(w->file, name, &about, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
            about.type == H5O_TYPE_GROUP)
            MOT_TRY(walk_units(w, name, (size_t)experts));
    }

done:
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

#include "checkpoint_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mot/memory.h"

enum { DEEPEST = 8 };
static const size_t config_limit = (size_t)1 << 24;

typedef struct walk {
    hid_t file;
    const char *name; /* of the file, for sentences */
    bool check;
    mot_digest_state *seal;
    mot_tree *tree;
    unsigned char *bytes; /* one dataset */
    size_t capacity;
    mot_status status; /* of the attributes of one object, on its way through HDF5 */
    const char *object;
} walk;

static void add_text(walk *w, const char *text)
{
    mot_digest_add(w->seal, text, strlen(text) + 1);
}

static mot_status damaged(const walk *w, const char *object, const char *how)
{
    return mot_fail(MOT_ERR_INPUT, "%s: /%s %s: the checkpoint is damaged", w->name, object, how);
}

/* ---- attributes ---- */

static mot_status seal_attribute(walk *w, const char *attribute, H5T_class_t class)
{
    const char *const object = w->object[0] != '\0' ? w->object : ".";
    mot_status status = MOT_OK;
    char *text = NULL, number[64];
    int64_t integer;
    double real;
    switch (class) {
    case H5T_STRING:
        MOT_TRY(mot_h5_get_text(w->file, object, attribute, &text));
        break;
    case H5T_INTEGER:
        MOT_TRY(mot_h5_get_int(w->file, object, attribute, &integer));
        snprintf(number, sizeof number, "%" PRId64, integer);
        break;
    case H5T_FLOAT:
        MOT_TRY(mot_h5_get_real(w->file, object, attribute, &real));
        snprintf(number, sizeof number, "%.17g", real);
        break;
    default:
        return damaged(w, w->object, "has an attribute of a foreign type");
    }
    add_text(w, attribute);
    add_text(w, text != NULL ? text : number);

done:
    mot_free(text);
    return status;
}

static herr_t each_attribute(hid_t object, const char *attribute, const H5A_info_t *info, void *data)
{
    (void)info;
    walk *const w = data;
    /* The seal cannot hold itself, and `complete` comes after it. */
    if (w->object[0] == '\0' && (strcmp(attribute, "seal") == 0 || strcmp(attribute, "complete") == 0))
        return 0;
    const hid_t opened = H5Aopen(object, attribute, H5P_DEFAULT);
    const hid_t type = opened >= 0 ? H5Aget_type(opened) : H5I_INVALID_HID;
    const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    if (type >= 0) H5Tclose(type);
    if (opened >= 0) H5Aclose(opened);
    w->status = seal_attribute(w, attribute, class);
    return w->status == MOT_OK ? 0 : -1;
}

static mot_status seal_attributes(walk *w, hid_t object, const char *path)
{
    hsize_t at = 0;
    w->object = path;
    w->status = MOT_OK;
    if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &at, each_attribute, w) < 0 && w->status == MOT_OK)
        return damaged(w, path, "has unreadable attributes");
    return w->status;
}

/* ---- datasets ---- */

static mot_status same_digest(walk *w, const char *path, const void *bytes, size_t count)
{
    char *said = NULL, found[MOT_DIGEST_TEXT];
    mot_status status = mot_h5_get_text(w->file, path, "xxh3", &said);
    if (status != MOT_OK) return status;
    const mot_digest digest = mot_digest_bytes(bytes, count);
    mot_digest_text(&digest, found);
    if (strcmp(said, found) != 0) {
        status = mot_fail(MOT_ERR_INPUT,
                          "%s: /%s has checksum %s, but %s was written: the checkpoint is damaged", w->name,
                          path, found, said);
    }
    mot_free(said);
    return status;
}

static mot_status check_text(walk *w, const char *path)
{
    char **texts = NULL;
    size_t count = 0;
    mot_status status = mot_h5_read_texts(w->file, path, 1, &count, &texts);
    if (status == MOT_OK && (count != 1 || strlen(texts[0]) > config_limit))
        status = damaged(w, path, "is not one text");
    if (status == MOT_OK) status = same_digest(w, path, texts[0], strlen(texts[0]));
    mot_free(texts);
    return status;
}

static mot_status check_reals(walk *w, hid_t dataset, const char *path, size_t count)
{
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    /* What the file really stores bounds what is allocated, whatever the shape claims. */
    if (H5Dget_storage_size(dataset) / sizeof(float) != count)
        return damaged(w, path, "is shorter than its shape");
    mot_status status = mot_reserve(&w->bytes, &w->capacity, count * sizeof(float), 1, "a tensor");
    if (status == MOT_OK) status = mot_h5_shape(w->file, path, &rank, shape);
    if (status == MOT_OK) status = mot_h5_read(w->file, path, H5T_NATIVE_FLOAT, rank, shape, w->bytes);
    if (status == MOT_OK) status = same_digest(w, path, w->bytes, count * sizeof(float));
    if (status != MOT_OK) return status;
    const float *const value = (const float *)(const void *)w->bytes;
    for (size_t i = 0; i < count; ++i) {
        if (!isfinite(value[i]))
            return mot_fail(MOT_ERR_INPUT, "%s: /%s [%zu] is %g, expected finite values", w->name, path, i,
                            value[i]);
    }
    return MOT_OK;
}

static mot_status walk_dataset(walk *w, hid_t dataset, const char *path)
{
    mot_status status = MOT_OK;
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    const H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
    const int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    hsize_t shape[H5S_MAX_RANK] = {0};
    char line[64];
    if ((class != H5T_FLOAT && class != H5T_STRING) || rank < 1 || rank > MOT_H5_MAX_RANK ||
        H5Sget_simple_extent_dims(space, shape, NULL) != rank) {
        status = damaged(w, path, "is not a dataset of a checkpoint");
        goto done;
    }
    size_t count = 1;
    for (int d = 0; d < rank; ++d) {
        if (__builtin_mul_overflow(count, (size_t)shape[d], &count) || count > SIZE_MAX / sizeof(float)) {
            status = damaged(w, path, "has an impossible shape");
            goto done;
        }
        snprintf(line, sizeof line, "%llu", (unsigned long long)shape[d]);
        add_text(w, line);
    }
    if (w->check) MOT_TRY(class == H5T_STRING ? check_text(w, path) : check_reals(w, dataset, path, count));

done:
    mot_h5_close(&space);
    mot_h5_close(&type);
    return status;
}

/* ---- groups ---- */

static mot_status walk_object(walk *w, hid_t object, const char *path, int depth)
{
    mot_status status = MOT_OK;
    const H5I_type_t kind = H5Iget_type(object);
    add_text(w, path);
    MOT_TRY(seal_attributes(w, object, path));
    if (kind == H5I_DATASET) {
        w->tree->datasets++;
        return walk_dataset(w, object, path);
    }
    H5G_info_t group;
    if ((kind != H5I_GROUP && kind != H5I_FILE) || H5Gget_info(object, &group) < 0)
        return damaged(w, path, "is neither a group nor a dataset");
    if (depth > DEEPEST) return damaged(w, path, "lies too deep");
    w->tree->groups++;
    for (hsize_t i = 0; i < group.nlinks; ++i) {
        char name[MOT_CHECKPOINT_PATH], inner[MOT_CHECKPOINT_PATH];
        const ssize_t length = H5Lget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                                  sizeof name, H5P_DEFAULT);
        if (length <= 0 || (size_t)length >= sizeof name) return damaged(w, path, "holds an unreadable name");
        const int needed = snprintf(inner, sizeof inner, "%s%s%s", path, path[0] != '\0' ? "/" : "", name);
        if ((size_t)needed >= sizeof inner) return damaged(w, path, "holds a name that is too long");
        H5L_info_t link;
        if (H5Lget_info(object, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
            return damaged(w, inner, "is a link");
        hid_t member = H5Oopen(object, name, H5P_DEFAULT);
        if (member < 0) return damaged(w, inner, "cannot be opened");
        status = walk_object(w, member, inner, depth + 1);
        mot_h5_close(&member);
        if (status != MOT_OK) return status;
    }

done:
    return status;
}

mot_status mot_tree_walk(hid_t file, const char *path, bool check, mot_tree *tree)
{
    *tree = (mot_tree){0};
    walk w = {.file = file, .name = path, .check = check, .seal = mot_digest_begin(), .tree = tree};
    if (w.seal == NULL) return mot_fail(MOT_ERR_MEMORY, "not enough memory for a digest");
    const mot_status status = walk_object(&w, file, "", 0);
    const mot_digest seal = mot_digest_end(w.seal);
    mot_digest_text(&seal, tree->seal);
    mot_free(w.bytes);
    return status;
}

/* Arrays in an HDF5 file that another program made: "FILE X=/path Y=/path [GROUP=/path]", and VAL_X=... for other splits. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "array.h"
#include "dataset_private.h"
#include "mot/h5.h"
#include "mot/memory.h"

enum { ROLES = 3 };
static const char *const roles[ROLES] = {"X", "Y", "GROUP"};

typedef struct h5_split {
    const char *path[ROLES];
    arrays arrays;
} h5_split;

/* ---- arguments ---- */

/* "X=/a", "TEST_GROUP=/b": which path of which split. */
static mot_status read_argument(const char *text, h5_split *splits)
{
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        for (int role = 0; role < ROLES; ++role) {
            char key[24];
            snprintf(key, sizeof key, "%s_%s=", mot_dataset_split_names[s], roles[role]);
            const char *plain = s == 0 ? strchr(key, '_') + 1 : key;
            const char *found = strncasecmp(text, key, strlen(key)) == 0       ? text + strlen(key)
                                : strncasecmp(text, plain, strlen(plain)) == 0 ? text + strlen(plain)
                                                                               : NULL;
            if (found == NULL) continue;
            splits[s].path[role] = found;
            return MOT_OK;
        }
    return mot_fail(MOT_ERR_INPUT,
                    "'%s': expected X=/PATH, Y=/PATH or GROUP=/PATH, for other splits VAL_X=/PATH and so on",
                    text);
}

/* ---- one array ---- */

/* What the dataset's numbers are, and the type to read them as. */
static mot_status find_type(hid_t dataset, array *a, hid_t *memory)
{
    hid_t type = H5Dget_type(dataset);
    const H5T_class_t class = H5Tget_class(type);
    const size_t size = H5Tget_size(type);
    mot_status status = MOT_OK;
    *memory = H5I_INVALID_HID;
    if ((class == H5T_INTEGER || class == H5T_ENUM) && size <= 8) { /* h5py keeps truth values as an enum */
        hid_t base = class == H5T_ENUM ? H5Tget_super(type) : H5Tcopy(type);
        *memory = H5Tget_native_type(type, H5T_DIR_ASCEND);
        a->kind = H5Tget_sign(base) == H5T_SGN_NONE ? ARRAY_UNSIGNED : ARRAY_SIGNED;
        a->size = H5Tget_size(*memory);
        mot_h5_close(&base);
    } else if (class == H5T_FLOAT && size <= 16) {
        a->kind = ARRAY_FLOAT;
        a->size = 8;
        *memory = H5Tcopy(H5T_NATIVE_DOUBLE);
        if (size == 4) *memory = H5Tcopy(H5T_NATIVE_FLOAT), a->size = 4;
    } else if (class == H5T_STRING) {
        a->kind = ARRAY_BYTES;
        a->size = size;
        *memory = H5Tcopy(type);
    } else {
        status = mot_fail(MOT_ERR_INPUT, "%s: expected integers, floats or texts, and no %s", a->path,
                          class == H5T_COMPOUND ? "tables or complex numbers (compound)"
                                                : "type of that kind");
    }
    mot_h5_close(&type);
    return status;
}

static mot_status find_shape(hid_t dataset, array *a)
{
    hsize_t shape[H5S_MAX_RANK];
    hid_t space = H5Dget_space(dataset);
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank >= 1 && rank <= ARRAY_MAX_RANK) H5Sget_simple_extent_dims(space, shape, NULL);
    mot_h5_close(&space);
    if (rank < 1 || rank > ARRAY_MAX_RANK)
        return mot_fail(MOT_ERR_INPUT, "%s: %d dimensions, expected 1 to %d", a->path, rank, ARRAY_MAX_RANK);
    a->rank = (size_t)rank;
    for (int d = 0; d < rank; ++d) a->shape[d] = (size_t)shape[d];
    return mot_array_lay_out(a, false);
}

/* Texts of any length become texts of the longest one's. */
static mot_status read_variable_texts(hid_t dataset, hid_t memory, array *a)
{
    char **texts = NULL;
    hid_t space = H5Dget_space(dataset);
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&texts, a->count, sizeof *texts, "texts"));
    if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0) {
        status = mot_fail(MOT_ERR_INPUT, "%s: cannot be read", a->path);
        goto done;
    }
    a->size = 1;
    for (size_t i = 0; i < a->count; ++i)
        if (texts[i] != NULL) a->size = MOT_MAX(a->size, strlen(texts[i]));
    if (a->size > import_limit / a->count)
        status = mot_fail(MOT_ERR_INPUT, "%s: texts of up to %zu bytes are no labels", a->path, a->size);
    if (status == MOT_OK) status = mot_allocate(&a->owned, a->count, a->size, "texts");
    for (size_t i = 0; status == MOT_OK && i < a->count; ++i)
        if (texts[i] != NULL) memcpy(a->owned + i * a->size, texts[i], strlen(texts[i]));
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, texts);
done:
    mot_h5_close(&space);
    mot_free(texts);
    return status;
}

static mot_status read_array(hid_t file, const char *where, const char *name, array *a)
{
    hid_t dataset = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    mot_status status = MOT_OK;
    *a = (array){.size = 0};
    snprintf(a->path, sizeof a->path, "%s:%s", where, name);
    MOT_TRY(mot_h5_open_dataset(file, name, &dataset));
    MOT_TRY(find_type(dataset, a, &memory));
    MOT_TRY(find_shape(dataset, a));
    if (H5Tis_variable_str(memory) > 0) {
        MOT_TRY(read_variable_texts(dataset, memory, a));
    } else {
        if (a->count > import_limit / a->size) {
            status = mot_fail(MOT_ERR_INPUT, "%s: %s is more than %zu bytes", a->path, mot_array_describe(a).text,
                              import_limit);
            goto done;
        }
        MOT_TRY(mot_allocate(&a->owned, a->count, a->size, "an array"));
        if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, a->owned) < 0)
            status = mot_fail(MOT_ERR_INPUT,
                              "%s: cannot be read: damaged, or packed by a filter that this HDF5 lacks",
                              a->path);
    }
    a->data = a->owned;
done:
    mot_h5_close(&memory);
    mot_h5_close(&dataset);
    return status;
}

static mot_status read_split(const mot_import_options *options, int s, hid_t file, const char *where,
                             h5_split *split)
{
    array *const into[ROLES] = {&split->arrays.x, &split->arrays.y, &split->arrays.group};
    mot_status status = MOT_OK;
    if (split->path[0] == NULL && options->as != NULL) {
        status = mot_fail(MOT_ERR_INPUT, "%s: which dataset holds the samples? (--x /PATH)", where);
        goto done;
    }
    if (split->path[0] == NULL || (split->path[1] == NULL && options->as == NULL)) {
        status = mot_fail(MOT_ERR_INPUT, "%s: expected %s%s=/PATH: which dataset holds the %s?", where,
                          s == 0   ? ""
                          : s == 1 ? "VAL_"
                                   : "TEST_",
                          split->path[0] == NULL ? "X" : "Y", split->path[0] == NULL ? "samples" : "labels");
        goto done;
    }
    for (int role = 0; role < ROLES; ++role)
        if (split->path[role] != NULL) MOT_TRY(read_array(file, where, split->path[role], into[role]));
done:
    return status;
}

mot_status mot_import_hdf5(const mot_import_options *options)
{
    h5_split splits[IMPORT_SPLITS] = {{.path = {NULL}}};
    arrays all[IMPORT_SPLITS];
    hid_t file = H5I_INVALID_HID;
    mot_status status = MOT_OK;
    if (options->as != NULL) splits[0].path[0] = options->array[0];
    for (size_t i = 0; i < options->argument_count; ++i) MOT_TRY(read_argument(options->argument[i], splits));
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        const bool own = options->files[s] != NULL;
        for (int role = 0; s > 0 && own && role < ROLES; ++role) /* the same paths in another file */
            if (splits[s].path[role] == NULL) splits[s].path[role] = splits[0].path[role];
        if (!own && splits[s].path[0] == NULL && splits[s].path[1] == NULL) continue;
        const char *where = own ? options->files[s] : options->files[0];
        MOT_TRY(mot_h5_open(&file, where, false));
        MOT_TRY(read_split(options, s, file, where, &splits[s]));
        mot_h5_close(&file);
    }
    for (int s = 0; s < IMPORT_SPLITS; ++s) all[s] = splits[s].arrays;
    MOT_TRY(mot_import_arrays(options, all));
done:
    mot_h5_close(&file);
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        mot_array_free(&splits[s].arrays.x);
        mot_array_free(&splits[s].arrays.y);
        mot_array_free(&splits[s].arrays.group);
    }
    return status;
}

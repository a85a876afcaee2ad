/* NumPy arrays: .npy files "X,Y[,GROUP]", or one .npz file with the arrays x, y and perhaps group, or such as the options
 * name. */
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "dataset_private.h"
#include "mot/memory.h"

enum { FILES = 3 };

typedef struct npy_split {
    char *bytes[FILES];
    arrays arrays;
} npy_split;

/* Member `wanted`, or, with none told, the usual names for this role and split. */
static mot_status find_array(const mot_import_options *options, const char *path, const char *zip,
                             size_t size, int split, int role, array *a)
{
    static const char *const usual[FILES][8] = {{"x", "X", "data", "images", "features", "arr_0"},
                                                {"y", "Y", "labels", "label", "target", "arr_1"},
                                                {"group", "groups"}};
    bool found = false;
    mot_status status = MOT_OK;
    if (options->array[role] != NULL) {
        MOT_TRY(mot_npz_find(path, zip, size, options->array[role], a, &found));
    } else {
        for (int i = 0; !found && i < 8 && usual[role][i] != NULL; ++i) {
            char name[32];
            snprintf(name, sizeof name, "%s_%s", usual[role][i], mot_dataset_split_names[split]);
            MOT_TRY(mot_npz_find(path, zip, size, name, a, &found));
            if (!found) MOT_TRY(mot_npz_find(path, zip, size, usual[role][i], a, &found));
        }
    }
    if (found || (role == 2 && options->array[role] == NULL)) goto done;
    char names[300];
    mot_npz_names(zip, size, names, sizeof names);
    status = mot_fail(MOT_ERR_INPUT, "%s has no array '%s'; it has: %s (--%s NAME says which)", path,
                      options->array[role] != NULL ? options->array[role] : usual[role][0], names,
                      role == 0   ? "x"
                      : role == 1 ? "y"
                                  : "group");
done:
    return status;
}

static mot_status read_split(const mot_import_options *options, int split, npy_split *s)
{
    char **files = NULL;
    size_t count, size[FILES];
    array *const into[FILES] = {&s->arrays.x, &s->arrays.y, &s->arrays.group};
    mot_status status = MOT_OK;
    MOT_TRY(
        mot_import_split_list(options->files[split], IMPORT_MAX_FILES, "the files of a split", &count, &files));
    if (count > FILES) {
        status = mot_fail(MOT_ERR_INPUT, "'%s': %zu files, expected X.npy,Y.npy[,GROUP.npy] or FILE.npz",
                          options->files[split], count);
        goto done;
    }
    if (options->as != NULL && count > 1) {
        status = mot_fail(MOT_ERR_INPUT, "'%s': %zu files, expected one of samples alone",
                          options->files[split], count);
        goto done;
    }
    for (size_t i = 0; i < count; ++i) MOT_TRY(mot_import_read(files[i], import_limit, &s->bytes[i], &size[i]));
    if (count == 1 && (size[0] < 6 || memcmp(s->bytes[0], "\x93NUMPY", 6) != 0)) {
        for (int role = 0; role < (options->as != NULL ? 1 : FILES); ++role)
            MOT_TRY(find_array(options, files[0], s->bytes[0], size[0], split, role, into[role]));
        goto done;
    }
    for (size_t i = 0; i < count; ++i) MOT_TRY(mot_npy_parse(files[i], s->bytes[i], size[i], into[i]));
done:
    mot_free(files);
    return status;
}

mot_status mot_import_npy(const mot_import_options *options)
{
    npy_split splits[IMPORT_SPLITS] = {{.bytes = {NULL}}};
    arrays all[IMPORT_SPLITS];
    mot_status status = MOT_OK;
    for (int s = 0; s < IMPORT_SPLITS; ++s)
        if (options->files[s] != NULL) MOT_TRY(read_split(options, s, &splits[s]));
    for (int s = 0; s < IMPORT_SPLITS; ++s) all[s] = splits[s].arrays;
    MOT_TRY(mot_import_arrays(options, all));
done:
    for (int s = 0; s < IMPORT_SPLITS; ++s) {
        mot_array_free(&splits[s].arrays.x);
        mot_array_free(&splits[s].arrays.y);
        mot_array_free(&splits[s].arrays.group);
        for (int i = 0; i < FILES; ++i) mot_free(splits[s].bytes[i]);
    }
    return status;
}

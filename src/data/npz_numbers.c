/* Numbers of a .npz file, array by array. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "mot/memory.h"
#include "mot/npz.h"

struct mot_npz {
    char path[PATH_MAX];
    char *bytes;
    size_t size, members, asked; /* asked: members that were found */
};

mot_status mot_npz_open(mot_npz **result, const char *path)
{
    mot_npz *npz;
    mot_status status;
    *result = NULL;
    MOT_TRY(mot_allocate(&npz, 1, sizeof *npz, "a .npz file"));
    *result = npz;
    snprintf(npz->path, sizeof npz->path, "%s", path);
    MOT_TRY(mot_import_read(path, import_limit, &npz->bytes, &npz->size));
    MOT_TRY(mot_npz_count(path, npz->bytes, npz->size, &npz->members));
done:
    if (status != MOT_OK) mot_npz_close(result);
    return status;
}

void mot_npz_close(mot_npz **npz)
{
    if (*npz != NULL) mot_free((*npz)->bytes);
    mot_free(*npz);
    *npz = NULL;
}

static mot_status check_shape(const array *a, size_t rank, const size_t *shape)
{
    array expected = {.kind = a->kind, .size = a->size, .rank = rank};
    bool same = a->rank == rank && !array_is_text(a);
    for (size_t d = 0; d < rank; ++d) {
        expected.shape[d] = shape[d];
        same = same && a->shape[d] == shape[d];
    }
    if (same) return MOT_OK;
    return mot_fail(MOT_ERR_INPUT, "%s is %s, expected %s", a->path, mot_array_describe(a).text,
                    array_is_text(a) ? "numbers" : mot_array_describe(&expected).text);
}

mot_status mot_npz_numbers(mot_npz *npz, const char *name, size_t rank, const size_t *shape, float *data, bool *found)
{
    array a = {0};
    mot_status status;
    MOT_TRY(mot_npz_find(npz->path, npz->bytes, npz->size, name, &a, found));
    if (!*found) goto done;
    ++npz->asked;
    MOT_TRY(check_shape(&a, rank, shape));
    for (size_t i = 0; i < a.count; ++i) {
        const double number = mot_array_number(&a, i);
        if (!(fabs(number) <= FLT_MAX)) {
            status = mot_fail(MOT_ERR_INPUT, "%s: number %zu is %g, expected a finite float", a.path, i, number);
            goto done;
        }
        data[i] = (float)number;
    }
done:
    mot_array_free(&a);
    return status;
}

size_t mot_npz_leave(mot_npz *npz, const char *name, bool *found)
{
    array a = {0};
    (void)mot_npz_find(npz->path, npz->bytes, npz->size, name, &a, found); /* whatever is in it */
    const size_t count = a.count;
    npz->asked += *found;
    mot_array_free(&a);
    return count;
}

mot_status mot_npz_all_read(const mot_npz *npz, const char *wanted)
{
    char names[300];
    if (npz->asked == npz->members) return MOT_OK;
    mot_npz_names(npz->bytes, npz->size, names, sizeof names);
    return mot_fail(MOT_ERR_INPUT, "%s: of its %zu arrays (%s) %zu have a place: %s", npz->path, npz->members, names,
                    npz->asked, wanted);
}

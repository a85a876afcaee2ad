/* Lists of strings. */
#include <string.h>

#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

static const size_t most_bytes = (size_t)256 << 20;

/* Pointers and characters in one block: [count] pointers, then the strings, each with its final 0. */
static mot_status pack(size_t count, const char *const *strings, size_t longest, size_t stride,
                       const char *fixed, char ***texts)
{
    size_t bytes = count * sizeof(char *);
    for (size_t i = 0; i < count; ++i) {
        const char *string = fixed != NULL ? fixed + i * stride : strings[i];
        bytes += (string != NULL ? strnlen(string, longest) : 0) + 1;
        if (bytes > most_bytes) return MOT_ERR_INPUT;
    }
    mot_status status = mot_allocate(texts, bytes, 1, "a list of names");
    if (status != MOT_OK) return status;
    char *at = (char *)*texts + count * sizeof(char *);
    for (size_t i = 0; i < count; ++i) {
        const char *string = fixed != NULL ? fixed + i * stride : strings[i];
        const size_t length = string != NULL ? strnlen(string, longest) : 0;
        (*texts)[i] = at;
        if (length > 0) memcpy(at, string, length);
        at[length] = '\0';
        at += length + 1;
    }
    return MOT_OK;
}

mot_status mot_h5_read_texts(hid_t where, const char *name, size_t limit, size_t *count, char ***texts)
{
    *texts = NULL;
    *count = 0;
    hid_t dataset, stored = H5I_INVALID_HID, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    void *data = NULL;
    bool heap = false;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_open_dataset(where, name, &dataset));
    stored = H5Dget_type(dataset);
    space = H5Dget_space(dataset);
    if (stored < 0 || H5Tget_class(stored) != H5T_STRING || H5Sget_simple_extent_ndims(space) != 1) {
        status = h5_fail(MOT_ERR_INPUT, false, where, name, "is not a list of strings");
        goto done;
    }
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    if (points < 0 || (uint64_t)points > limit) {
        status = h5_fail(MOT_ERR_INPUT, false, where, name, "has %lld strings, at most %zu are allowed",
                         (long long)points, limit);
        goto done;
    }
    const bool variable = H5Tis_variable_str(stored) > 0;
    const size_t size = variable ? sizeof(char *) : H5Tget_size(stored);
    size_t bytes;
    if (size == 0 || __builtin_mul_overflow(size, (size_t)points, &bytes) || bytes > most_bytes) {
        status = h5_fail(MOT_ERR_INPUT, false, where, name, "has more than 256 MiB of strings");
        goto done;
    }
    type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, variable ? H5T_VARIABLE : size);
    H5Tset_strpad(type, variable ? H5T_STR_NULLTERM : H5T_STR_NULLPAD);
    H5Tset_cset(type, H5Tget_cset(stored));
    MOT_TRY(mot_allocate(&data, (size_t)points, size, "a list of names"));
    heap = variable;
    if (points > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        status = h5_fail(MOT_ERR_INPUT, true, where, name, "cannot be read");
        goto done;
    }
    status = pack((size_t)points, variable ? data : NULL, variable ? most_bytes : size, size,
                  variable ? NULL : data, texts);
    if (status == MOT_ERR_INPUT) h5_fail(status, false, where, name, "has more than 256 MiB of strings");
    if (status == MOT_OK) *count = (size_t)points;
done:
    if (heap && H5Sget_simple_extent_npoints(space) > 0) H5Dvlen_reclaim(type, space, H5P_DEFAULT, data);
    mot_free(data);
    mot_h5_close(&type);
    mot_h5_close(&space);
    mot_h5_close(&stored);
    mot_h5_close(&dataset);
    return status;
}

/* Lists of strings: fixed length, each padded with 0 to the longest. */
#include <string.h>

#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

static const size_t most_bytes = (size_t)256 << 20;

mot_status mot_h5_write_texts(hid_t where, const char *name, size_t count, const char *const *texts)
{
    size_t longest = 1, bytes;
    for (size_t i = 0; i < count; ++i) longest = MOT_MAX(longest, strlen(texts[i]));
    if (__builtin_mul_overflow(count, longest, &bytes) || bytes > most_bytes)
        return h5_fail(MOT_ERR_FILE, false, where, name,
                       "%zu strings of up to %zu bytes are more than 256 MiB", count, longest);
    char *table = NULL;
    hid_t type = h5_string_type(longest);
    const hsize_t shape = count;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&table, count, longest, "a list of names"));
    for (size_t i = 0; i < count; ++i) memcpy(table + i * longest, texts[i], strlen(texts[i]));
    MOT_TRY(mot_h5_write(where, name, type, 1, &shape, bytes > 4096 ? MOT_H5_COMPRESSED : MOT_H5_CONTIGUOUS,
                         table));
done:
    mot_free(table);
    mot_h5_close(&type);
    return status;
}

/* Pointers and characters in one block: [count] pointers, then the strings, each with a final 0. */
static mot_status unpack(size_t count, size_t size, const char *table, char ***texts)
{
    mot_status status = mot_allocate(texts, count, sizeof(char *) + size + 1, "a list of names");
    if (status != MOT_OK) return status;
    char *at = (char *)*texts + count * sizeof(char *);
    for (size_t i = 0; i < count; ++i, at += size + 1) {
        (*texts)[i] = at;
        memcpy(at, table + i * size, size);
    }
    return MOT_OK;
}

mot_status mot_h5_read_texts(hid_t where, const char *name, size_t limit, size_t *count, char ***texts)
{
    *texts = NULL;
    *count = 0;
    hid_t dataset, stored = H5I_INVALID_HID, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    char *table = NULL;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_open_dataset(where, name, &dataset));
    stored = H5Dget_type(dataset);
    space = H5Dget_space(dataset);
    if (stored < 0 || H5Tget_class(stored) != H5T_STRING || H5Tis_variable_str(stored) != 0 ||
        H5Sget_simple_extent_ndims(space) != 1) {
        status = h5_fail(MOT_ERR_INPUT, false, where, name, "is not a list of strings of fixed length");
        goto done;
    }
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    if (points < 0 || (uint64_t)points > limit) {
        status = h5_fail(MOT_ERR_INPUT, false, where, name, "has %lld strings, at most %zu are allowed",
                         (long long)points, limit);
        goto done;
    }
    const size_t size = H5Tget_size(stored);
    size_t bytes;
    if (size == 0 || __builtin_mul_overflow(size, (size_t)points, &bytes) || bytes > most_bytes) {
        status = h5_fail(MOT_ERR_INPUT, false, where, name, "has more than 256 MiB of strings");
        goto done;
    }
    type = h5_string_type(size);
    H5Tset_cset(type, H5Tget_cset(stored));
    MOT_TRY(mot_allocate(&table, (size_t)points, size, "a list of names"));
    if (points > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, table) < 0) {
        status = h5_fail(MOT_ERR_INPUT, true, where, name, "cannot be read");
        goto done;
    }
    MOT_TRY(unpack((size_t)points, size, table, texts));
    *count = (size_t)points;
done:
    mot_free(table);
    mot_h5_close(&type);
    mot_h5_close(&space);
    mot_h5_close(&stored);
    mot_h5_close(&dataset);
    return status;
}

/* Lists of strings. */
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
        return mot_h5_fail(MOT_ERR_FILE, false, where, name,
                           "%zu strings of up to %zu bytes are more than 256 MiB", count, longest);
    char *table = NULL;
    hid_t type = mot_h5_string_type(longest);
    const hsize_t shape = count;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&table, count, longest, "a list of names"));
    for (size_t i = 0; i < count; ++i) memcpy(table + i * longest, texts[i], strlen(texts[i]));
    MOT_TRY(mot_h5_write(where, name, type, 1, &shape, MOT_H5_COMPRESSED, table));
done:
    mot_free(table);
    mot_h5_close(&type);
    return status;
}

mot_status mot_h5_write_names(hid_t where, const char *name, size_t count, const char *const *texts)
{
    hid_t type = mot_h5_string_type(H5T_VARIABLE);
    const hsize_t shape = count;
    const mot_status status = mot_h5_write(where, name, type, 1, &shape, MOT_H5_CONTIGUOUS, texts);
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

/* HDF5 allocates each string by itself; those that were not written are NULL. */
static mot_status read_variable(hid_t where, const char *name, hid_t dataset, hid_t type, hid_t space,
                                size_t count, char ***texts)
{
    char **read = NULL, *table = NULL;
    size_t longest = 1, bytes;
    bool got = false;
    mot_status status = MOT_OK;
    MOT_TRY(mot_allocate(&read, count, sizeof *read, "a list of names"));
    got = count == 0 || H5Dread(dataset, type, H5S_ALL, H5S_ALL, mot_h5_transfer(dataset, type), read) >= 0;
    if (!got) status = mot_h5_fail(MOT_ERR_INPUT, true, where, name, "cannot be read");
    for (size_t i = 0; got && i < count; ++i)
        if (read[i] != NULL) longest = MOT_MAX(longest, strlen(read[i]));
    if (got && (__builtin_mul_overflow(count, longest, &bytes) || bytes > most_bytes))
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "has more than 256 MiB of strings");
    if (status == MOT_OK) status = mot_allocate(&table, count, longest, "a list of names");
    for (size_t i = 0; status == MOT_OK && i < count; ++i)
        if (read[i] != NULL) memcpy(table + i * longest, read[i], strlen(read[i]));
    if (status == MOT_OK) status = unpack(count, longest, table, texts);

done:
    if (got && count > 0) H5Dvlen_reclaim(type, space, H5P_DEFAULT, read);
    mot_free(table);
    mot_free(read);
    return status;
}

static mot_status read_fixed(hid_t where, const char *name, hid_t dataset, hid_t type, size_t count,
                             char ***texts)
{
    char *table = NULL;
    const size_t size = H5Tget_size(type);
    size_t bytes;
    mot_status status = MOT_OK;
    if (size == 0 || __builtin_mul_overflow(size, count, &bytes) || bytes > most_bytes)
        return mot_h5_fail(MOT_ERR_INPUT, false, where, name, "has more than 256 MiB of strings");
    MOT_TRY(mot_allocate(&table, count, size, "a list of names"));
    if (count > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, mot_h5_transfer(dataset, type), table) < 0) {
        status = mot_h5_fail(MOT_ERR_INPUT, true, where, name, "cannot be read");
        goto done;
    }
    MOT_TRY(unpack(count, size, table, texts));

done:
    mot_free(table);
    return status;
}

static mot_status read_texts(hid_t where, const char *name, size_t limit, bool variable, size_t *count,
                             char ***texts)
{
    *texts = NULL;
    *count = 0;
    hid_t dataset, stored = H5I_INVALID_HID, type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_open_dataset(where, name, &dataset));
    stored = H5Dget_type(dataset);
    space = H5Dget_space(dataset);
    const bool varies = stored >= 0 && H5Tis_variable_str(stored) > 0;
    if (stored < 0 || H5Tget_class(stored) != H5T_STRING || (varies && !variable) ||
        H5Sget_simple_extent_ndims(space) != 1) {
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "is not a list of strings%s",
                             variable ? "" : " of fixed length");
        goto done;
    }
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    if (points < 0 || (uint64_t)points > limit) {
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "has %lld strings, at most %zu are allowed",
                             (long long)points, limit);
        goto done;
    }
    type = mot_h5_string_type(varies ? H5T_VARIABLE : H5Tget_size(stored));
    H5Tset_cset(type, H5Tget_cset(stored));
    if (varies)
        MOT_TRY(read_variable(where, name, dataset, type, space, (size_t)points, texts));
    else
        MOT_TRY(read_fixed(where, name, dataset, type, (size_t)points, texts));
    *count = (size_t)points;

done:
    mot_h5_close(&type);
    mot_h5_close(&space);
    mot_h5_close(&stored);
    mot_h5_close(&dataset);
    return status;
}

mot_status mot_h5_read_texts(hid_t where, const char *name, size_t limit, size_t *count, char ***texts)
{
    return read_texts(where, name, limit, false, count, texts);
}

mot_status mot_h5_read_names(hid_t where, const char *name, size_t limit, size_t *count, char ***texts)
{
    return read_texts(where, name, limit, true, count, texts);
}

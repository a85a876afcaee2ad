#include <string.h>

#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

enum { MAX_TEXT = 16 << 20 };

/* ---- writing ---- */

/* An attribute of that name is replaced. */
static mot_status set(hid_t where, const char *object, const char *name, hid_t file_type, hid_t memory_type,
                      size_t count, bool scalar, const void *value)
{
    const hsize_t extent = count;
    hid_t space = scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, NULL);
    hid_t attribute = H5I_INVALID_HID, owner = H5Oopen(where, object, H5P_DEFAULT);
    mot_status status = MOT_OK;
    if (owner < 0) {
        status = mot_h5_fail(MOT_ERR_FILE, true, where, object, "cannot be given the attribute '%s'", name);
        goto done;
    }
    if (H5Aexists(owner, name) > 0) H5Adelete(owner, name);
    attribute = H5Acreate2(owner, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, memory_type, value) < 0)
        status = mot_h5_fail(MOT_ERR_FILE, true, where, object, "cannot write the attribute '%s'", name);
done:
    mot_h5_close(&attribute);
    mot_h5_close(&owner);
    mot_h5_close(&space);
    return status;
}

/* Fixed length: HDF5 1.10 trusts the heap addresses of variable strings and crashes on damaged ones. */
hid_t mot_h5_string_type(size_t size)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, MOT_MAX(size, 1));
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

mot_status mot_h5_set_text(hid_t where, const char *object, const char *name, const char *text)
{
    hid_t type = mot_h5_string_type(strlen(text));
    const mot_status status = set(where, object, name, type, type, 1, true, text);
    mot_h5_close(&type);
    return status;
}

mot_status mot_h5_set_int(hid_t where, const char *object, const char *name, int64_t value)
{
    return set(where, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, 1, true, &value);
}

mot_status mot_h5_set_real(hid_t where, const char *object, const char *name, double value)
{
    return set(where, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, true, &value);
}

mot_status mot_h5_set_reals(hid_t where, const char *object, const char *name, size_t count,
                            const double *values)
{
    return set(where, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, count, false, values);
}

/* ---- reading ---- */

bool mot_h5_has_attribute(hid_t where, const char *object, const char *name)
{
    hid_t owner;
    const bool there = mot_h5_open_object(where, object, &owner) == MOT_OK && H5Aexists(owner, name) > 0;
    mot_h5_close(&owner);
    return there;
}

/* An attribute opened for reading: `count` values whose type is of class `class_a` or `class_b`. */
typedef struct reading {
    hid_t attribute, type;
} reading;

static void finish(reading *r)
{
    mot_h5_close(&r->type);
    mot_h5_close(&r->attribute);
}

static mot_status begin(reading *r, hid_t where, const char *object, const char *name, size_t count,
                        H5T_class_t class_a, H5T_class_t class_b, const char *expected)
{
    *r = (reading){H5I_INVALID_HID, H5I_INVALID_HID};
    hid_t owner = H5I_INVALID_HID, space = H5I_INVALID_HID;
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_open_object(where, object, &owner));
    if (H5Aexists(owner, name) <= 0) {
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, object, "the attribute '%s' is missing", name);
        goto done;
    }
    r->attribute = H5Aopen(owner, name, H5P_DEFAULT);
    if (r->attribute < 0 || (r->type = H5Aget_type(r->attribute)) < 0 ||
        (space = H5Aget_space(r->attribute)) < 0) {
        status = mot_h5_fail(MOT_ERR_INPUT, true, where, object, "the attribute '%s' cannot be opened", name);
        goto done;
    }
    const H5T_class_t class = H5Tget_class(r->type);
    if (class != class_a && class != class_b) {
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, object, "the attribute '%s' is not %s", name, expected);
        goto done;
    }
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    if (points < 0 || (size_t)points != count)
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, object,
                             "the attribute '%s' has %lld values, expected %zu", name, (long long)points, count);
done:
    mot_h5_close(&space);
    mot_h5_close(&owner);
    if (status != MOT_OK) finish(r);
    return status;
}

static mot_status get(hid_t where, const char *object, const char *name, hid_t type, size_t count,
                      H5T_class_t class_a, H5T_class_t class_b, const char *expected, void *values)
{
    reading r;
    mot_status status = begin(&r, where, object, name, count, class_a, class_b, expected);
    if (status != MOT_OK) return status;
    if (H5Aread(r.attribute, type, values) < 0)
        status = mot_h5_fail(MOT_ERR_INPUT, true, where, object, "the attribute '%s' cannot be read", name);
    finish(&r);
    return status;
}

mot_status mot_h5_get_int(hid_t where, const char *object, const char *name, int64_t *value)
{
    return get(where, object, name, H5T_NATIVE_INT64, 1, H5T_INTEGER, H5T_INTEGER, "an integer", value);
}

mot_status mot_h5_get_real(hid_t where, const char *object, const char *name, double *value)
{
    return mot_h5_get_reals(where, object, name, 1, value);
}

mot_status mot_h5_get_reals(hid_t where, const char *object, const char *name, size_t count, double *values)
{
    return get(where, object, name, H5T_NATIVE_DOUBLE, count, H5T_FLOAT, H5T_INTEGER, "a number", values);
}

mot_status mot_h5_get_text(hid_t where, const char *object, const char *name, char **text)
{
    *text = NULL;
    reading r;
    mot_status status = begin(&r, where, object, name, 1, H5T_STRING, H5T_STRING, "a text");
    if (status != MOT_OK) return status;
    const size_t size = H5Tget_size(r.type);
    hid_t type = mot_h5_string_type(size);
    H5Tset_cset(type, H5Tget_cset(r.type)); /* characters are taken as they are: UTF-8 contains ASCII */
    if (H5Tis_variable_str(r.type) != 0) {
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, object,
                             "the attribute '%s' is a string of variable length, expected a fixed one", name);
        goto done;
    }
    if (size == 0 || size > MAX_TEXT) {
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, object, "the attribute '%s' is longer than 16 MiB",
                             name);
        goto done;
    }
    MOT_TRY(mot_allocate(text, size + 1, 1, "an attribute"));
    if (H5Aread(r.attribute, type, *text) < 0)
        status = mot_h5_fail(MOT_ERR_INPUT, true, where, object, "the attribute '%s' cannot be read", name);
done:
    if (status != MOT_OK) {
        mot_free(*text);
        *text = NULL;
    }
    mot_h5_close(&type);
    finish(&r);
    return status;
}

mot_status mot_h5_find_text(hid_t where, const char *object, const char *name, char **text)
{
    *text = NULL;
    return mot_h5_has_attribute(where, object, name) ? mot_h5_get_text(where, object, name, text) : MOT_OK;
}

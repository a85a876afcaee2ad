/* Dimension scales by the HDF5 Dimension Scale Specification 1.0, written with plain attributes: the
 * high-level library is one more dependency for these three.
 *
 *      the scale:      CLASS = "DIMENSION_SCALE", NAME = label, REFERENCE_LIST = [{dataset, dimension}, ...]
 *      the dataset:    DIMENSION_LIST = for each dimension a list of references to its scales
 */
#include <string.h>

#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

typedef struct back_reference {
    hobj_ref_t dataset;
    int dimension;
} back_reference;

static hid_t back_type(void)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(back_reference));
    H5Tinsert(type, "dataset", HOFFSET(back_reference, dataset), H5T_STD_REF_OBJ);
    H5Tinsert(type, "dimension", HOFFSET(back_reference, dimension), H5T_NATIVE_INT);
    return type;
}

/* The specification wants fixed-length strings with a final 0. */
static bool set_string(hid_t owner, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, strlen(text) + 1);
    if (H5Aexists(owner, name) > 0) H5Adelete(owner, name);
    hid_t attribute = H5Acreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    const bool good = attribute >= 0 && H5Awrite(attribute, type, text) >= 0;
    mot_h5_close(&attribute);
    mot_h5_close(&space);
    mot_h5_close(&type);
    return good;
}

/* Reads the attribute if it is there, adds one entry, and writes it again in its new size. */
static bool add_back_reference(hid_t scale, back_reference added)
{
    const char *name = "REFERENCE_LIST";
    hid_t type = back_type(), attribute = H5I_INVALID_HID, space = H5I_INVALID_HID;
    back_reference *list = NULL;
    hssize_t count = 0;
    bool good = true;
    if (H5Aexists(scale, name) > 0) {
        attribute = H5Aopen(scale, name, H5P_DEFAULT);
        space = H5Aget_space(attribute);
        count = H5Sget_simple_extent_npoints(space);
        good = count >= 0;
    }
    if (good) list = mot_calloc((size_t)count + 1, sizeof *list);
    good = list != NULL && (count == 0 || H5Aread(attribute, type, list) >= 0);
    mot_h5_close(&attribute);
    mot_h5_close(&space);
    if (good) {
        list[count] = added;
        const hsize_t extent = (hsize_t)count + 1;
        if (count > 0) H5Adelete(scale, name);
        space = H5Screate_simple(1, &extent, NULL);
        attribute = H5Acreate2(scale, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        good = attribute >= 0 && H5Awrite(attribute, type, list) >= 0;
    }
    mot_h5_close(&attribute);
    mot_h5_close(&space);
    mot_h5_close(&type);
    mot_free(list);
    return good;
}

/* One scale a dimension: an earlier one is replaced. */
static bool set_dimension(hid_t dataset, int rank, unsigned dim, hobj_ref_t *scale)
{
    const char *name = "DIMENSION_LIST";
    const hsize_t extent = (hsize_t)rank;
    hvl_t list[MOT_H5_MAX_RANK] = {{0}};
    hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ), space = H5Screate_simple(1, &extent, NULL);
    hid_t attribute = H5I_INVALID_HID;
    bool good = true;
    const bool old = H5Aexists(dataset, name) > 0;
    if (old) {
        attribute = H5Aopen(dataset, name, H5P_DEFAULT);
        good = attribute >= 0 && H5Aread(attribute, type, list) >= 0;
        mot_h5_close(&attribute);
    }
    if (good) {
        hvl_t all[MOT_H5_MAX_RANK];
        memcpy(all, list, sizeof all);
        all[dim] = (hvl_t){1, scale};
        if (old) H5Adelete(dataset, name);
        attribute = H5Acreate2(dataset, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        good = attribute >= 0 && H5Awrite(attribute, type, all) >= 0;
        if (old) H5Dvlen_reclaim(type, space, H5P_DEFAULT, list);
    }
    mot_h5_close(&attribute);
    mot_h5_close(&space);
    mot_h5_close(&type);
    return good;
}

static bool make_scale(hid_t scale, const char *label)
{
    return scale >= 0 && set_string(scale, "CLASS", "DIMENSION_SCALE") && set_string(scale, "NAME", label);
}

mot_status mot_h5_make_scale(hid_t where, const char *name, const char *label)
{
    hid_t scale = H5Dopen2(where, name, H5P_DEFAULT);
    const mot_status status = make_scale(scale, label)
                                  ? MOT_OK
                                  : mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be made a scale");
    mot_h5_close(&scale);
    return status;
}

mot_status mot_h5_scale(hid_t where, const char *dataset, unsigned dim, const char *name, const char *label)
{
    hobj_ref_t to_scale, to_dataset;
    hid_t scale = H5Dopen2(where, name, H5P_DEFAULT), owner = H5Dopen2(where, dataset, H5P_DEFAULT);
    hid_t space = owner >= 0 ? H5Dget_space(owner) : H5I_INVALID_HID;
    const int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : 0;
    mot_status status = MOT_OK;
    if (owner >= 0 && (dim >= (unsigned)rank || rank > MOT_H5_MAX_RANK)) {
        status = mot_h5_fail(MOT_ERR_FILE, false, where, dataset, "has %d dimensions, so none with number %u",
                             rank, dim);
        goto done;
    }
    if (owner < 0 || !make_scale(scale, label) || H5Rcreate(&to_scale, where, name, H5R_OBJECT, -1) < 0 ||
        H5Rcreate(&to_dataset, where, dataset, H5R_OBJECT, -1) < 0 ||
        !add_back_reference(scale, (back_reference){to_dataset, (int)dim}) ||
        !set_dimension(owner, rank, dim, &to_scale))
        status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be made the scale of dimension %u of %s",
                             dim, dataset);
done:
    mot_h5_close(&space);
    mot_h5_close(&owner);
    mot_h5_close(&scale);
    return status;
}

/* The specification's fixed-length string, of whatever length. */
static bool get_string(hid_t owner, const char *name, char *text, size_t size)
{
    hid_t attribute = H5Aexists(owner, name) > 0 ? H5Aopen(owner, name, H5P_DEFAULT) : H5I_INVALID_HID;
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    const bool good = attribute >= 0 && H5Aread(attribute, type, text) >= 0;
    mot_h5_close(&attribute);
    mot_h5_close(&type);
    return good;
}

mot_status mot_h5_axis(hid_t where, const char *dataset, unsigned dim, char *label, size_t size)
{
    hid_t owner, scale = H5I_INVALID_HID, attribute = H5I_INVALID_HID, space = H5I_INVALID_HID;
    hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
    hvl_t list[MOT_H5_MAX_RANK] = {{0}};
    mot_status status = mot_h5_open_object(where, dataset, &owner);
    if (status == MOT_OK && H5Aexists(owner, "DIMENSION_LIST") > 0) {
        attribute = H5Aopen(owner, "DIMENSION_LIST", H5P_DEFAULT);
        space = H5Aget_space(attribute);
        const hssize_t count = H5Sget_simple_extent_npoints(space);
        if (count > (hssize_t)dim && count <= MOT_H5_MAX_RANK && H5Aread(attribute, type, list) >= 0) {
            if (list[dim].len > 0) scale = H5Rdereference2(owner, H5P_DEFAULT, H5R_OBJECT, list[dim].p);
            H5Dvlen_reclaim(type, space, H5P_DEFAULT, list);
        }
    }
    if (status == MOT_OK && (scale < 0 || !get_string(scale, "NAME", label, size)))
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, dataset, "dimension %u has no scale", dim);
    mot_h5_close(&scale);
    mot_h5_close(&space);
    mot_h5_close(&attribute);
    mot_h5_close(&type);
    mot_h5_close(&owner);
    return status;
}

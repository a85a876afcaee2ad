/* Views: datasets that show part of another one in the same file. */
#include <string.h>

#include "mot/h5.h"
#include "store_private.h"

/* The bytes of a row may be aligned to pages and in the order in which programs write them, which no dataset of its own
 * could be; a view is what people see. */
mot_status mot_h5_view(hid_t where, const char *name, const char *of, hsize_t first, int rank,
                       const hsize_t *shape)
{
    mot_status status = mot_h5_make_parents(where, name);
    if (status != MOT_OK) return status;
    hid_t source = H5Dopen2(where, of, H5P_DEFAULT), from = H5Dget_space(source), type = H5Dget_type(source);
    hid_t space = H5Screate_simple(rank, shape, NULL), links = mot_h5_link_list();
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), dataset = H5I_INVALID_HID;
    const hsize_t points = (hsize_t)H5Sget_simple_extent_npoints(space);
    H5Pset_obj_track_times(list, false);
    bool made = source >= 0;
    if (made && points > 0) { /* HDF5 makes no view of nothing */
        const hsize_t start[] = {0, first}, extent[] = {shape[0], points / shape[0]};
        made = H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, extent, NULL) >= 0 &&
               H5Pset_virtual(list, space, ".", of, from) >= 0;
    }
    if (made) dataset = H5Dcreate2(where, name, type, space, links, list, H5P_DEFAULT);
    if (dataset < 0) status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be made a view of %s", of);
    mot_h5_close(&dataset);
    mot_h5_close(&list);
    mot_h5_close(&links);
    mot_h5_close(&space);
    mot_h5_close(&type);
    mot_h5_close(&from);
    mot_h5_close(&source);
    return status == MOT_OK ? mot_h5_check_written(where, name) : status;
}

/* One rectangle of all rows of `of`, from column *first on, with as many numbers as there are points. */
static bool is_view(hid_t list, const char *of, hsize_t rows, hsize_t points, hsize_t *first)
{
    char name[STORE_MAX_NAME];
    size_t count = 0;
    hsize_t start[2], end[2];
    if (H5Pget_layout(list) != H5D_VIRTUAL || H5Pget_virtual_count(list, &count) < 0 || count != 1)
        return false;
    if (H5Pget_virtual_filename(list, 0, name, sizeof name) < 0 || strcmp(name, ".") != 0) return false;
    if (H5Pget_virtual_dsetname(list, 0, name, sizeof name) < 0 || strcmp(name, of) != 0) return false;
    hid_t from = H5Pget_virtual_srcspace(list, 0), to = H5Pget_virtual_vspace(list, 0);
    const bool whole = H5Sget_simple_extent_ndims(from) == 2 && H5Sget_select_bounds(from, start, end) >= 0 &&
                       start[0] == 0 && end[0] == rows - 1 && end[1] - start[1] == points / rows - 1 &&
                       H5Sget_select_npoints(from) == (hssize_t)points &&
                       H5Sget_select_npoints(to) == (hssize_t)points;
    if (whole) *first = start[1];
    mot_h5_close(&to);
    mot_h5_close(&from);
    return whole;
}

mot_status mot_h5_view_place(hid_t where, const char *name, const char *of, int *rank,
                             hsize_t shape[MOT_H5_MAX_RANK], hsize_t *first)
{
    hid_t dataset, list = H5I_INVALID_HID, type = H5I_INVALID_HID;
    hsize_t points = 1;
    mot_status status;
    *first = 0;
    MOT_TRY(mot_h5_open_object(where, name, &dataset));
    if (H5Iget_type(dataset) != H5I_DATASET) {
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "is not a dataset");
        goto done;
    }
    MOT_TRY(mot_h5_shape_of(where, name, dataset, rank, shape));
    list = H5Dget_create_plist(dataset);
    type = H5Dget_type(dataset);
    bool fits = *rank > 0 && list >= 0 && H5Tequal(type, H5T_IEEE_F32LE) > 0;
    for (int d = 0; d < *rank && fits; ++d) fits = !__builtin_mul_overflow(points, shape[d], &points);
    if (!fits || (points > 0 && !is_view(list, of, shape[0], points, first)))
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "is not a view of %s as mot makes it", of);
done:
    mot_h5_close(&type);
    mot_h5_close(&list);
    mot_h5_close(&dataset);
    return status;
}

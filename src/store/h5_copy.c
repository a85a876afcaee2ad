/* What one file has, in another: groups, datasets, attributes, scales and views. H5Ocopy by itself loses the scales, whose references
 * lead into the file that they come from, and the views. */
#include <stdio.h>
#include <string.h>

#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

enum { NAME = 512, MOST_TEXTS = 1 << 22 };

typedef struct copying {
    hid_t from, to;      /* files */
    const char *place;   /* the group of `to` that becomes the root of `from`: "/segments/x"; "": the root */
    mot_status status;
} copying;

static mot_status fail(const copying *c, const char *name)
{
    return mot_h5_fail(MOT_ERR_INPUT, true, c->from, name, "cannot be copied");
}

static mot_status place_of(const copying *c, const char *name, char placed[NAME])
{
    if (snprintf(placed, NAME, "%s/%s", c->place, name) < NAME) return MOT_OK;
    return mot_h5_fail(MOT_ERR_INPUT, false, c->from, name, "has a name that is too long");
}

/* ---- attributes ---- */

/* Those of scales, which are made anew, and none with references or texts of variable length. */
static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *to)
{
    static const char *const scales[] = {"REFERENCE_LIST", "DIMENSION_LIST"};
    const hid_t owner = *(const hid_t *)to;
    (void)info;
    for (size_t i = 0; i < MOT_COUNT(scales); ++i)
        if (strcmp(name, scales[i]) == 0) return 0;
    hid_t attribute = H5Aopen(from, name, H5P_DEFAULT), type = H5Aget_type(attribute), space = H5Aget_space(attribute), made;
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    void *bytes = count >= 0 ? mot_calloc((size_t)count + 1, H5Tget_size(type)) : NULL;
    bool good = bytes != NULL;
    if (good && H5Tdetect_class(type, H5T_VLEN) <= 0 && H5Tis_variable_str(type) <= 0 && H5Tdetect_class(type, H5T_REFERENCE) <= 0) {
        made = H5Acreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        good = made >= 0 && H5Aread(attribute, type, bytes) >= 0 && H5Awrite(made, type, bytes) >= 0;
        mot_h5_close(&made);
    }
    mot_free(bytes);
    mot_h5_close(&space);
    mot_h5_close(&type);
    mot_h5_close(&attribute);
    return good ? 0 : -1;
}

static mot_status copy_attributes(const copying *c, const char *name, const char *placed)
{
    hid_t from = H5Oopen(c->from, name, H5P_DEFAULT), to = H5Oopen(c->to, placed, H5P_DEFAULT);
    hsize_t at = 0;
    const bool good = from >= 0 && to >= 0 && H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, &at, copy_attribute, &to) >= 0;
    mot_h5_close(&from);
    mot_h5_close(&to);
    return good ? MOT_OK : fail(c, name);
}

/* ---- datasets ---- */

/* netCDF reads texts of a fixed length beyond their end. */
static mot_status copy_texts(const copying *c, const char *name, const char *placed)
{
    char **texts = NULL;
    size_t count;
    mot_status status;
    MOT_TRY(mot_h5_read_names(c->from, name, MOST_TEXTS, &count, &texts));
    MOT_TRY(mot_h5_write_names(c->to, placed, count, (const char *const *)texts));
done:
    mot_free(texts);
    return status;
}

/* Of a dataset in the same group of the file. */
static mot_status copy_view(const copying *c, const char *name, const char *placed, hid_t properties)
{
    char of[NAME], placed_of[NAME];
    hsize_t shape[MOT_H5_MAX_RANK], first;
    int rank;
    mot_status status;
    if (H5Pget_virtual_dsetname(properties, 0, of, sizeof of) < 0) return fail(c, name);
    MOT_TRY(mot_h5_view_place(c->from, name, of, &rank, shape, &first));
    MOT_TRY(place_of(c, of + (of[0] == '/'), placed_of));
    MOT_TRY(mot_h5_view(c->to, placed, placed_of, first, rank, shape));
done:
    return status;
}

/* `views`: those alone, else all others: what they show must be there. */
static mot_status copy_dataset(const copying *c, const char *name, bool views)
{
    char placed[NAME];
    hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID, properties = H5I_INVALID_HID, how = H5I_INVALID_HID;
    mot_status status;
    MOT_TRY(place_of(c, name, placed));
    dataset = H5Dopen2(c->from, name, H5P_DEFAULT); /* a view too */
    if (dataset < 0) return fail(c, name);
    type = H5Dget_type(dataset);
    properties = H5Dget_create_plist(dataset);
    if ((H5Pget_layout(properties) == H5D_VIRTUAL) != views) goto done;
    if (H5Tget_class(type) == H5T_STRING) {
        MOT_TRY(copy_texts(c, name, placed));
    } else if (views) {
        MOT_TRY(copy_view(c, name, placed, properties));
    } else {
        how = H5Pcreate(H5P_OBJECT_COPY);
        if (how < 0 || H5Pset_copy_object(how, H5O_COPY_WITHOUT_ATTR_FLAG) < 0 ||
            H5Ocopy(c->from, name, c->to, placed, how, H5P_DEFAULT) < 0) {
            status = fail(c, name);
            goto done;
        }
    }
    MOT_TRY(copy_attributes(c, name, placed));
done:
    mot_h5_close(&how);
    mot_h5_close(&properties);
    mot_h5_close(&type);
    mot_h5_close(&dataset);
    return status;
}

/* ---- scales, once all that is no view is there ---- */

static mot_status copy_scale(const copying *c, const char *name, unsigned dim, const hvl_t *references)
{
    char label[128], scale[NAME], placed[NAME], placed_scale[NAME];
    mot_status status;
    if (references->len == 0) return MOT_OK;
    if (H5Rget_name(c->from, H5R_OBJECT, references->p, scale, sizeof scale) <= 0) return fail(c, name);
    MOT_TRY(mot_h5_axis(c->from, name, dim, label, sizeof label));
    MOT_TRY(place_of(c, name, placed));
    MOT_TRY(place_of(c, scale + (scale[0] == '/'), placed_scale));
    MOT_TRY(mot_h5_scale(c->to, placed, dim, placed_scale, label));
done:
    return status;
}

static mot_status copy_scales(const copying *c, const char *name)
{
    hid_t dataset = H5I_INVALID_HID, type = H5Tvlen_create(H5T_STD_REF_OBJ), attribute = H5I_INVALID_HID, space = H5I_INVALID_HID;
    hvl_t list[MOT_H5_MAX_RANK] = {{0}};
    mot_status status = MOT_OK;
    dataset = H5Dopen2(c->from, name, H5P_DEFAULT);
    if (dataset < 0 || H5Aexists(dataset, "DIMENSION_LIST") <= 0) goto done;
    attribute = H5Aopen(dataset, "DIMENSION_LIST", H5P_DEFAULT);
    space = H5Aget_space(attribute);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count < 0 || count > MOT_H5_MAX_RANK || H5Aread(attribute, type, list) < 0) {
        status = fail(c, name);
        goto done;
    }
    for (hssize_t d = 0; d < count && status == MOT_OK; ++d) status = copy_scale(c, name, (unsigned)d, &list[d]);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, list);
done:
    mot_h5_close(&space);
    mot_h5_close(&attribute);
    mot_h5_close(&type);
    mot_h5_close(&dataset);
    return status;
}

/* ---- all ---- */

/* H5Ovisit comes to a group before what is in it, to each object once, and follows no link out of the file. */
static herr_t visit_object(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
    copying *c = context;
    char placed[NAME];
    (void)file;
    if (strcmp(name, ".") == 0) {
        c->status = copy_attributes(c, ".", c->place[0] != '\0' ? c->place : "/");
    } else if (info->type == H5O_TYPE_DATASET) {
        c->status = copy_dataset(c, name, false);
    } else if (info->type == H5O_TYPE_GROUP) {
        c->status = place_of(c, name, placed);
        if (c->status == MOT_OK) c->status = mot_h5_make_group(c->to, placed);
        if (c->status == MOT_OK) c->status = copy_attributes(c, name, placed);
    }
    return c->status == MOT_OK ? 0 : 1;
}

static herr_t visit_again(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
    copying *c = context;
    (void)file;
    if (info->type != H5O_TYPE_DATASET) return 0;
    c->status = copy_dataset(c, name, true);
    if (c->status == MOT_OK) c->status = copy_scales(c, name);
    return c->status == MOT_OK ? 0 : 1;
}

mot_status mot_h5_copy(hid_t from, hid_t to, const char *place)
{
    const bool root = strcmp(place, "/") == 0;
    copying c = {from, to, root ? "" : place, root ? MOT_OK : mot_h5_make_group(to, place)};
    if (c.status != MOT_OK) return c.status;
    if (H5Ovisit2(from, H5_INDEX_NAME, H5_ITER_INC, visit_object, &c, H5O_INFO_BASIC) < 0 && c.status == MOT_OK) return fail(&c, ".");
    if (c.status == MOT_OK && H5Ovisit2(from, H5_INDEX_NAME, H5_ITER_INC, visit_again, &c, H5O_INFO_BASIC) < 0 && c.status == MOT_OK)
        return fail(&c, ".");
    return c.status;
}

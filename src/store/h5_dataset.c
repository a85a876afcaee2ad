
#include "mot/h5.h"
#include "mot/memory.h"
#include "store_private.h"

/* Level 4 makes the columns of a record 3 % smaller than level 1, and takes half as long again. */
enum { CHUNK_BYTES = 256 << 10, DEFLATE_LEVEL = 1, LEAST_BYTES = 4096 };

/* ---- writing ---- */

/* Numbers are stored little-endian whatever this machine is. */
static hid_t stored_type(hid_t type)
{
    const hid_t stored = H5Tcopy(type);
    const H5T_class_t class = H5Tget_class(type);
    if (stored >= 0 && (class == H5T_INTEGER || class == H5T_FLOAT)) H5Tset_order(stored, H5T_ORDER_LE);
    return stored;
}

/* Whole rows up to CHUNK_BYTES; rows larger than that are cut along their first dimensions. A growing dataset
 * starts from an unlimited number of rows. */
static void choose_chunk(int rank, const hsize_t *shape, size_t size, bool growing, hsize_t *chunk)
{
    hsize_t bytes = size; /* of what is taken so far, from the last dimension on */
    for (int d = rank - 1; d >= 0; --d) {
        const hsize_t fits = MOT_MAX(CHUNK_BYTES / bytes, 1);
        chunk[d] = d == 0 && growing ? fits : MOT_MAX(MOT_MIN(shape[d], fits), 1);
        bytes *= chunk[d];
    }
}

static hid_t creation_list(int rank, const hsize_t *shape, size_t size, mot_h5_layout layout)
{
    const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(list, false);
    double bytes = (double)size; /* an index of chunks takes 2 KiB */
    for (int d = 0; d < rank; ++d) bytes *= (double)shape[d];
    if (rank == 0 || layout == MOT_H5_CONTIGUOUS || (layout == MOT_H5_COMPRESSED && bytes <= LEAST_BYTES))
        return list;
    hsize_t chunk[MOT_H5_MAX_RANK];
    choose_chunk(rank, shape, size, layout == MOT_H5_GROWING, chunk);
    H5Pset_chunk(list, rank, chunk);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, DEFLATE_LEVEL);
    return list;
}

hid_t mot_h5_link_list(void)
{
    const hid_t list = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_char_encoding(list, H5T_CSET_UTF8);
    return list;
}

hid_t mot_h5_transfer(hid_t dataset, hid_t type)
{
    static hid_t list = H5I_INVALID_HID; /* stays: closing it would clear the message of a failure */
    if (list < 0) {
        list = H5Pcreate(H5P_DATASET_XFER);
        H5Pset_buffer(list, MOT_H5_PIECE, NULL, NULL);
    }
    hid_t stored = H5Dget_type(dataset);
    const size_t element = MOT_MAX(H5Tget_size(type), H5Tget_size(stored)); /* which must have room */
    mot_h5_close(&stored);
    return element > MOT_H5_PIECE ? H5P_DEFAULT : list;
}

/* `place`: where its bytes lie, which others write; HADDR_UNDEF: where HDF5 finds room. */
static mot_status create(hid_t where, const char *name, hid_t type, int rank, const hsize_t *shape,
                         mot_h5_layout layout, haddr_t place, const void *data)
{
    if (rank < (layout == MOT_H5_GROWING) || rank > MOT_H5_MAX_RANK)
        return mot_h5_fail(MOT_ERR_FILE, false, where, name, "%d dimensions, at most %d are allowed", rank,
                           MOT_H5_MAX_RANK);
    mot_status status = mot_h5_make_parents(where, name);
    if (status != MOT_OK) return status;
    hsize_t most[MOT_H5_MAX_RANK];
    for (int d = 0; d < rank; ++d) most[d] = d == 0 && layout == MOT_H5_GROWING ? H5S_UNLIMITED : shape[d];
    hid_t links = mot_h5_link_list(), list = creation_list(rank, shape, H5Tget_size(type), layout);
    hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, shape, most);
    hid_t stored = stored_type(type), dataset = H5I_INVALID_HID;
    if (H5Sget_simple_extent_npoints(space) == 0) place = HADDR_UNDEF; /* no bytes, no place */
    if (place != HADDR_UNDEF) {
        H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
        H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
        (void)mot_h5_stream_place(where, place); /* what came of it is looked at below */
    }
    dataset = H5Dcreate2(where, name, stored, space, links, list, H5P_DEFAULT);
    if (dataset < 0)
        status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be made");
    else if (data != NULL && H5Sget_simple_extent_npoints(space) > 0 &&
             H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, mot_h5_transfer(dataset, type), data) < 0)
        status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be written");
    if (status == MOT_OK && place != HADDR_UNDEF && H5Dget_offset(dataset) != place)
        status = mot_h5_fail(MOT_ERR_FILE, false, where, name, "HDF5 does not put it at byte %llu",
                             (unsigned long long)place);
    if (dataset >= 0 && H5Dclose(dataset) < 0 && status == MOT_OK)
        status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be written");
    if (status == MOT_OK) status = mot_h5_check_written(where, name);
    mot_h5_close(&stored);
    mot_h5_close(&space);
    mot_h5_close(&list);
    mot_h5_close(&links);
    return status;
}

mot_status mot_h5_write(hid_t where, const char *name, hid_t type, int rank, const hsize_t *shape,
                        mot_h5_layout layout, const void *data)
{
    return create(where, name, type, rank, shape, layout, HADDR_UNDEF, data);
}

mot_status mot_h5_place(hid_t where, const char *name, hid_t type, int rank, const hsize_t *shape,
                        uint64_t address)
{
    return create(where, name, type, rank, shape, MOT_H5_CONTIGUOUS, address, NULL);
}

/* Selects rows [first, first + count) of `space`, and makes the matching space in memory. */
static bool select_rows(hid_t space, int rank, const hsize_t *shape, hsize_t first, hsize_t count,
                        hid_t *memory)
{
    hsize_t start[MOT_H5_MAX_RANK] = {0}, extent[MOT_H5_MAX_RANK];
    for (int d = 0; d < rank; ++d) extent[d] = shape[d];
    start[0] = first;
    extent[0] = count;
    *memory = H5Screate_simple(rank, extent, NULL);
    return *memory >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL) >= 0;
}

mot_status mot_h5_write_rows(hid_t where, const char *name, hid_t type, hsize_t first, hsize_t count,
                             const void *data)
{
    hid_t space = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    hid_t dataset = H5Dopen2(where, name, H5P_DEFAULT);
    hsize_t shape[MOT_H5_MAX_RANK], most[MOT_H5_MAX_RANK], end = 0;
    mot_status status = MOT_OK;
    if (dataset < 0 || (space = H5Dget_space(dataset)) < 0) {
        status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be opened to write");
        goto done;
    }
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 1 || rank > MOT_H5_MAX_RANK || __builtin_add_overflow(first, count, &end) ||
        H5Sget_simple_extent_dims(space, shape, most) < 0) {
        status = mot_h5_fail(MOT_ERR_FILE, false, where, name, "has no rows that could be written");
        goto done;
    }
    if (end > shape[0] && most[0] != H5S_UNLIMITED) {
        status = mot_h5_fail(MOT_ERR_FILE, false, where, name, "rows up to %llu do not fit into %llu",
                             (unsigned long long)end, (unsigned long long)shape[0]);
        goto done;
    }
    if (end > shape[0]) {
        shape[0] = end;
        mot_h5_close(&space);
        if (H5Dset_extent(dataset, shape) < 0 || (space = H5Dget_space(dataset)) < 0) {
            status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot grow to %llu rows",
                                 (unsigned long long)end);
            goto done;
        }
    }
    if (count > 0 && (!select_rows(space, rank, shape, first, count, &memory) ||
                      H5Dwrite(dataset, type, memory, space, mot_h5_transfer(dataset, type), data) < 0))
        status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be written");
done:
    mot_h5_close(&memory);
    mot_h5_close(&space);
    if (dataset >= 0 && H5Dclose(dataset) < 0 && status == MOT_OK) /* chunks may reach the file only here */
        status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be written");
    return status == MOT_OK ? mot_h5_check_written(where, name) : status;
}

mot_status mot_h5_block(hid_t where, const char *name, size_t bytes, size_t *rows)
{
    hid_t dataset = H5Dopen2(where, name, H5P_DEFAULT), list = H5I_INVALID_HID, space = H5I_INVALID_HID,
          type = H5I_INVALID_HID;
    hsize_t shape[H5S_MAX_RANK] = {1}, chunk[H5S_MAX_RANK] = {1};
    mot_status status = MOT_OK;
    if (dataset < 0 || (list = H5Dget_create_plist(dataset)) < 0 || (space = H5Dget_space(dataset)) < 0 ||
        (type = H5Dget_type(dataset)) < 0)
        status = mot_h5_fail(MOT_ERR_FILE, true, where, name, "cannot be opened to write");
    const int rank = status == MOT_OK ? H5Sget_simple_extent_dims(space, shape, NULL) : 0;
    size_t row = status == MOT_OK ? H5Tget_size(type) : 1;
    for (int d = 1; d < rank; ++d) row *= (size_t)shape[d];
    if (status == MOT_OK && H5Pget_layout(list) == H5D_CHUNKED) H5Pget_chunk(list, H5S_MAX_RANK, chunk);
    *rows = MOT_MAX(bytes / MOT_MAX(row, (size_t)1) / (size_t)chunk[0], (size_t)1) * (size_t)chunk[0];
    mot_h5_close(&type);
    mot_h5_close(&space);
    mot_h5_close(&list);
    mot_h5_close(&dataset);
    return status;
}

/* ---- reading ---- */

/* A hostile file may claim extents without bytes behind them, or point to bytes of other files. */
static mot_status check_storage(hid_t where, const char *name, hid_t dataset)
{
    hid_t list = H5Dget_create_plist(dataset), space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    const H5D_layout_t layout = list >= 0 ? H5Pget_layout(list) : H5D_LAYOUT_ERROR;
    const hssize_t points = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    const size_t size = type >= 0 ? H5Tget_size(type) : 0;
    uint64_t bytes;
    mot_status status = MOT_OK;
    if (layout < 0 || points < 0 || size == 0 || __builtin_mul_overflow((uint64_t)points, size, &bytes))
        status = mot_h5_fail(MOT_ERR_INPUT, true, where, name, "cannot be understood");
    else if (layout == H5D_VIRTUAL || H5Pget_external_count(list) != 0)
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name,
                             "keeps its data in another file, which is not followed");
    else if (layout == H5D_CONTIGUOUS && H5Dget_storage_size(dataset) < bytes)
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "claims %llu bytes and has %llu",
                             (unsigned long long)bytes, (unsigned long long)H5Dget_storage_size(dataset));
    mot_h5_close(&type);
    mot_h5_close(&space);
    mot_h5_close(&list);
    return status;
}

mot_status mot_h5_open_dataset(hid_t where, const char *name, hid_t *dataset)
{
    mot_status status = mot_h5_open_object(where, name, dataset);
    if (status != MOT_OK) return status;
    if (H5Iget_type(*dataset) != H5I_DATASET)
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "is not a dataset");
    else
        status = check_storage(where, name, *dataset);
    if (status != MOT_OK) mot_h5_close(dataset);
    return status;
}

mot_status mot_h5_shape_of(hid_t where, const char *name, hid_t dataset, int *rank, hsize_t *shape)
{
    hid_t space = H5Dget_space(dataset);
    *rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    mot_status status = MOT_OK;
    if (*rank < 0 || *rank > MOT_H5_MAX_RANK)
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "has %d dimensions, at most %d are allowed",
                             *rank, MOT_H5_MAX_RANK);
    else if (*rank > 0 && H5Sget_simple_extent_dims(space, shape, NULL) < 0)
        status = mot_h5_fail(MOT_ERR_INPUT, true, where, name, "has no shape");
    mot_h5_close(&space);
    return status;
}

mot_status mot_h5_shape(hid_t where, const char *name, int *rank, hsize_t shape[MOT_H5_MAX_RANK])
{
    hid_t dataset;
    mot_status status = mot_h5_open_dataset(where, name, &dataset);
    if (status == MOT_OK) status = mot_h5_shape_of(where, name, dataset, rank, shape);
    mot_h5_close(&dataset);
    return status;
}

mot_status mot_h5_position(hid_t where, const char *name, hid_t type, uint64_t *address)
{
    hid_t dataset, wanted = stored_type(type), stored = H5I_INVALID_HID;
    mot_status status = mot_h5_open_dataset(where, name, &dataset);
    if (status == MOT_OK) {
        stored = H5Dget_type(dataset);
        const haddr_t offset = H5Dget_offset(dataset); /* undefined when there are no bytes */
        if (stored < 0 || H5Tequal(stored, wanted) <= 0 ||
            (offset == HADDR_UNDEF && H5Dget_storage_size(dataset) > 0))
            status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "is not stored as mot stores it");
        *address = offset;
    }
    mot_h5_close(&stored);
    mot_h5_close(&dataset);
    mot_h5_close(&wanted);
    return status;
}

static mot_status check_class(hid_t where, const char *name, hid_t dataset, hid_t type)
{
    hid_t stored = H5Dget_type(dataset);
    const bool same = stored >= 0 && H5Tget_class(stored) == H5Tget_class(type);
    mot_h5_close(&stored);
    if (same) return MOT_OK;
    const H5T_class_t class = H5Tget_class(type);
    return mot_h5_fail(MOT_ERR_INPUT, false, where, name, "does not hold %s",
                       class == H5T_INTEGER ? "integers"
                       : class == H5T_FLOAT ? "floating-point numbers"
                                            : "the type expected");
}

mot_status mot_h5_read(hid_t where, const char *name, hid_t type, int rank, const hsize_t *shape, void *data)
{
    hid_t dataset;
    int found;
    hsize_t extent[MOT_H5_MAX_RANK];
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_open_dataset(where, name, &dataset));
    MOT_TRY(mot_h5_shape_of(where, name, dataset, &found, extent));
    MOT_TRY(check_class(where, name, dataset, type));
    if (found != rank) {
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "has %d dimensions, expected %d", found, rank);
        goto done;
    }
    for (int d = 0; d < rank; ++d) {
        if (extent[d] == shape[d]) continue;
        status = mot_h5_fail(MOT_ERR_INPUT, false, where, name, "dimension %d is %llu, expected %llu", d,
                             (unsigned long long)extent[d], (unsigned long long)shape[d]);
        goto done;
    }
    if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, mot_h5_transfer(dataset, type), data) < 0)
        status = mot_h5_fail(MOT_ERR_INPUT, true, where, name, "cannot be read");
done:
    mot_h5_close(&dataset);
    return status;
}

mot_status mot_h5_read_rows_of(hid_t dataset, hid_t type, hsize_t first, hsize_t count, void *data)
{
    hid_t space = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    int rank;
    hsize_t shape[MOT_H5_MAX_RANK];
    mot_status status = MOT_OK;
    MOT_TRY(mot_h5_shape_of(dataset, ".", dataset, &rank, shape));
    MOT_TRY(check_class(dataset, ".", dataset, type));
    if (rank < 1 || first > shape[0] || count > shape[0] - first) {
        status = mot_h5_fail(MOT_ERR_INPUT, false, dataset, ".", "rows %llu to %llu are not among its %llu",
                             (unsigned long long)first, (unsigned long long)(first + count),
                             rank < 1 ? 0 : (unsigned long long)shape[0]);
        goto done;
    }
    if (count == 0) goto done;
    space = H5Dget_space(dataset);
    if (space < 0 || !select_rows(space, rank, shape, first, count, &memory) ||
        H5Dread(dataset, type, memory, space, mot_h5_transfer(dataset, type), data) < 0)
        status = mot_h5_fail(MOT_ERR_INPUT, true, dataset, ".", "cannot be read");
done:
    mot_h5_close(&memory);
    mot_h5_close(&space);
    return status;
}

mot_status mot_h5_read_rows(hid_t where, const char *name, hid_t type, hsize_t first, hsize_t count,
                            void *data)
{
    hid_t dataset;
    mot_status status = mot_h5_open_dataset(where, name, &dataset);
    if (status == MOT_OK) status = mot_h5_read_rows_of(dataset, type, first, count, data);
    mot_h5_close(&dataset);
    return status;
}

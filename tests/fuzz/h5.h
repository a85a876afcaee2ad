/* h5.h: HDF5 files that are whole as far as libhdf5 can tell, and hold anything.
 *
 * libhdf5 1.10 itself crashes on damaged metadata, which a mark behind the file keeps from it. What a fuzzer changes
 * here are contents: a good file is taken, and the input is read as a list of changes to attributes, datasets and links,
 * made by libhdf5. */
#ifndef MOT_FUZZ_H5_H
#define MOT_FUZZ_H5_H

#include "fuzz.h"
#include "mot/h5.h"

/* A good file, and the names in it that changes are made under. */
typedef struct fuzz_file {
    char *image; /* for the life of the process */
    size_t size;
    const char *const *objects, *const *attributes; /* end with NULL; objects[0] is "/" */
} fuzz_file;

typedef struct fuzz_bytes {
    const uint8_t *at, *end;
} fuzz_bytes;

static inline unsigned fuzz_take(fuzz_bytes *bytes)
{
    return bytes->at < bytes->end ? *bytes->at++ : 0;
}

/* Numbers at the edges, now and then any number. */
static inline int64_t fuzz_number(fuzz_bytes *bytes)
{
    static const int64_t edges[] = {0,  1,   2,       3,       4,         5,         7,         8,
                                    16, 255, 1 << 16, 1 << 20, INT32_MAX, INT64_MAX, INT64_MIN, -1};
    const unsigned choice = fuzz_take(bytes);
    int64_t number = 0;
    if (choice < 0xc0) return edges[choice % MOT_COUNT(edges)];
    for (unsigned i = 0; i <= choice % 8; ++i) number = (int64_t)((uint64_t)number << 8 | fuzz_take(bytes));
    return number;
}

static inline const char *fuzz_name(fuzz_bytes *bytes, const char *const *names)
{
    size_t count = 0;
    while (names[count] != NULL) ++count;
    return names[fuzz_take(bytes) % count];
}

static inline hid_t fuzz_type(fuzz_bytes *bytes)
{
    const hid_t types[] = {H5T_STD_U8LE,  H5T_STD_I8LE,   H5T_STD_I32LE,  H5T_STD_I32BE,
                           H5T_STD_I64LE, H5T_IEEE_F32LE, H5T_IEEE_F64BE, H5T_STD_U64LE,
                           H5T_STD_B8LE,  H5T_C_S1,       H5T_C_S1,       H5T_STD_REF_OBJ,
                           H5T_STD_I16LE, H5T_STD_I32LE,  H5T_IEEE_F32LE, H5T_IEEE_F64LE};
    const unsigned choice = fuzz_take(bytes);
    const hid_t type = H5Tcopy(types[choice % MOT_COUNT(types)]);
    if (H5Tget_class(type) == H5T_STRING) {
        const unsigned size = fuzz_take(bytes);
        H5Tset_size(type, size == 255 ? H5T_VARIABLE : size + 1);
        if (size & 1) H5Tset_strpad(type, H5T_STR_NULLPAD);
    }
    if (choice >= 0xf0 && H5Tget_class(type) == H5T_INTEGER) H5Tset_size(type, 3); /* of three bytes */
    return type;
}

static inline hid_t fuzz_space(fuzz_bytes *bytes)
{
    hsize_t shape[8];
    const unsigned choice = fuzz_take(bytes);
    const int rank = (int)(choice % 8);
    if (choice == 255) return H5Screate(H5S_NULL);
    if (rank == 0) return H5Screate(H5S_SCALAR);
    for (int d = 0; d < rank; ++d) shape[d] = (hsize_t)fuzz_number(bytes);
    return H5Screate_simple(rank, shape, NULL);
}

/* Points of a space; 0 where there are too many to write. libhdf5's own count may have overflowed. */
static inline size_t fuzz_points(hid_t space)
{
    hsize_t shape[8];
    size_t points = 1;
    const int rank = H5Sget_simple_extent_dims(space, shape, NULL);
    for (int d = 0; d < rank; ++d)
        if (__builtin_mul_overflow(points, (size_t)shape[d], &points)) return 0;
    return H5Sget_simple_extent_npoints(space) > 0 && points <= 4096 ? points : 0;
}

/* Some bytes of the input over and over, as many as the space and the type take; NULL: nothing to write. */
static inline void *fuzz_values(fuzz_bytes *bytes, hid_t space, hid_t type)
{
    const size_t size = H5Tget_size(type), points = fuzz_points(space);
    if (points == 0 || size > 4096 || H5Tis_variable_str(type) > 0) return NULL;
    unsigned char *values = malloc(points * size);
    unsigned char pattern[16];
    for (size_t i = 0; i < sizeof pattern; ++i) pattern[i] = (unsigned char)fuzz_take(bytes);
    for (size_t i = 0; i < points * size; ++i) values[i] = pattern[i % sizeof pattern];
    return values;
}

static inline void fuzz_set_attribute(fuzz_bytes *bytes, hid_t file, const fuzz_file *good)
{
    const char *object = fuzz_name(bytes, good->objects), *name = fuzz_name(bytes, good->attributes);
    hid_t owner = H5Oopen(file, object, H5P_DEFAULT), type = fuzz_type(bytes), space = fuzz_space(bytes);
    if (owner >= 0 && space >= 0 &&
        H5Sget_simple_extent_npoints(space) <= 4096) { /* libhdf5 takes memory for all */
        H5Adelete(owner, name);
        hid_t attribute = H5Acreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        void *values = attribute >= 0 ? fuzz_values(bytes, space, type) : NULL;
        if (values != NULL && H5Tget_class(type) != H5T_REFERENCE) H5Awrite(attribute, type, values);
        free(values);
        mot_h5_close(&attribute);
    }
    mot_h5_close(&space);
    mot_h5_close(&type);
    mot_h5_close(&owner);
}

static inline void fuzz_set_integer(fuzz_bytes *bytes, hid_t file, const fuzz_file *good)
{
    const char *object = fuzz_name(bytes, good->objects), *name = fuzz_name(bytes, good->attributes);
    mot_h5_set_int(file, object, name, fuzz_number(bytes));
}

static inline void fuzz_set_text(fuzz_bytes *bytes, hid_t file, const fuzz_file *good)
{
    char text[64];
    const char *object = fuzz_name(bytes, good->objects), *name = fuzz_name(bytes, good->attributes);
    const unsigned length = fuzz_take(bytes) % sizeof text;
    for (unsigned i = 0; i < length; ++i) text[i] = (char)fuzz_take(bytes);
    text[length] = '\0';
    mot_h5_set_text(file, object, name, text);
}

static inline void fuzz_set_dataset(fuzz_bytes *bytes, hid_t file, const fuzz_file *good)
{
    const char *name = fuzz_name(bytes, good->objects);
    hid_t type = fuzz_type(bytes), space = fuzz_space(bytes), list = H5Pcreate(H5P_DATASET_CREATE);
    const unsigned layout = fuzz_take(bytes) % 6;
    hsize_t shape[8], chunk[8];
    const int rank = space >= 0 ? H5Sget_simple_extent_dims(space, shape, NULL) : -1;
    for (int d = 0; d < rank; ++d) chunk[d] = MOT_MAX(MOT_MIN(shape[d], 16), 1);
    if (layout == 1) H5Pset_layout(list, H5D_COMPACT);
    if (layout >= 2 && layout <= 3 && rank > 0) H5Pset_chunk(list, rank, chunk);
    if (layout == 3) H5Pset_deflate(list, 1);
    if (layout == 4) H5Pset_external(list, "/etc/passwd", 0, H5F_UNLIMITED);
    if (layout == 5) H5Pset_virtual(list, space, "/dev/shm/other.h5", "x", space);
    if (strcmp(name, "/") != 0) H5Ldelete(file, name, H5P_DEFAULT);
    hid_t dataset = space >= 0 ? H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT)
                               : H5I_INVALID_HID;
    void *values = dataset >= 0 ? fuzz_values(bytes, space, type) : NULL;
    if (values != NULL && layout < 4 && H5Tget_class(type) != H5T_REFERENCE)
        H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    free(values);
    mot_h5_close(&dataset);
    mot_h5_close(&list);
    mot_h5_close(&space);
    mot_h5_close(&type);
}

static inline void fuzz_set_link(fuzz_bytes *bytes, hid_t file, const fuzz_file *good)
{
    const char *name = fuzz_name(bytes, good->objects), *target = fuzz_name(bytes, good->objects);
    const unsigned kind = fuzz_take(bytes) % 5;
    if (strcmp(name, "/") == 0) return;
    if (kind != 3) H5Ldelete(file, name, H5P_DEFAULT);
    if (kind == 0) H5Lcreate_soft(target, file, name, H5P_DEFAULT, H5P_DEFAULT);
    if (kind == 1) H5Lcreate_hard(file, target, file, name, H5P_DEFAULT, H5P_DEFAULT);
    if (kind == 2) H5Lcreate_external("../../etc/passwd", target, file, name, H5P_DEFAULT, H5P_DEFAULT);
    if (kind == 3) {
        hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        mot_h5_close(&group);
    }
}

static inline void fuzz_remove_attribute(fuzz_bytes *bytes, hid_t file, const fuzz_file *good)
{
    const char *object = fuzz_name(bytes, good->objects);
    H5Adelete_by_name(file, object, fuzz_name(bytes, good->attributes), H5P_DEFAULT);
}

/* The good file as `path`, with the changes of an input; false where libhdf5 cannot complete them. */
static inline bool fuzz_change(const fuzz_file *good, const uint8_t *data, size_t size, const char *path)
{
    static void (*const changes[])(fuzz_bytes *, hid_t, const fuzz_file *) = {
        fuzz_set_integer, fuzz_set_attribute, fuzz_set_text,
        fuzz_set_dataset, fuzz_set_link,      fuzz_remove_attribute};
    fuzz_bytes bytes = {data, data + size};
    fuzz_save(strrchr(path, '/') + 1, good->image, good->size);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    FUZZ_CHECK(file >= 0);
    for (int count = 0; bytes.at < bytes.end && count < 16; ++count)
        changes[fuzz_take(&bytes) % MOT_COUNT(changes)](&bytes, file, good);
    return H5Fclose(file) >= 0;
}

/* With a mark that is right again. */
static inline bool fuzz_seal(const char *path)
{
    hid_t file;
    return mot_h5_edit(&file, path, path) == MOT_OK && mot_h5_seal(&file, path, path) == MOT_OK;
}

static inline void fuzz_keep_good(fuzz_file *good, const char *path)
{
    FUZZ_CHECK(mot_file_read(path, 1 << 24, &good->image, &good->size) == MOT_OK);
}

#endif

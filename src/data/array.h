/* array.h: arrays of numbers or texts as they lie in the files of others: .npy, .npz, IDX, HDF5. */
#ifndef MOT_DATA_ARRAY_H
#define MOT_DATA_ARRAY_H

#include "import.h"

enum { ARRAY_MAX_RANK = 6 };

typedef enum array_kind {
    ARRAY_BOOL,
    ARRAY_UNSIGNED,
    ARRAY_SIGNED,
    ARRAY_FLOAT,
    ARRAY_BYTES,   /* texts of `size` bytes, padded with 0 */
    ARRAY_UNICODE, /* texts of size / 4 characters of 32 bits, padded with 0 */
} array_kind;

typedef struct array {
    char path[512]; /* for sentences */
    array_kind kind;
    size_t size; /* bytes of an element */
    bool big;    /* the first byte is the highest one */
    size_t rank, shape[ARRAY_MAX_RANK], count;
    size_t stride[ARRAY_MAX_RANK]; /* in elements */
    bool plain;                    /* they lie in C order, with nothing between */
    const char *data;              /* of any alignment, in the file's bytes */
    char *owned;                   /* bytes that belong to this array alone; or NULL */
} array;

/* Of rank 1 to ARRAY_MAX_RANK, extents above 0 and below 2^40: count and strides from the shape, in C or Fortran order. */
mot_status mot_array_lay_out(array *a, bool fortran);
/* "float32 [60000, 28, 28]" */
typedef struct array_text {
    char text[160];
} array_text;
array_text mot_array_describe(const array *a);

/* In C order, whatever the order they lie in. As a number; without meaning for texts. Integers above 2^53 are rounded. */
double mot_array_number(const array *a, size_t index);
static inline bool array_is_text(const array *a)
{
    return a->kind == ARRAY_BYTES || a->kind == ARRAY_UNICODE;
}
static inline bool array_is_float(const array *a)
{
    return a->kind == ARRAY_FLOAT;
}
/* The texts of an array [count] in UTF-8: *list and its strings are one block, owned by the caller. */
mot_status mot_array_texts(const array *a, char ***list);
void mot_array_free(array *a);

/* npy.c: what lies in a .npy file. */
mot_status mot_npy_parse(const char *path, const char *bytes, size_t size, array *a);
/* npz.c: member NAME.npy of a .npz; *found is false where there is none. */
mot_status mot_npz_find(const char *path, const char *zip, size_t size, const char *name, array *a, bool *found);
/* How many members it has. */
mot_status mot_npz_count(const char *path, const char *zip, size_t size, size_t *members);
/* The names of its arrays, for a sentence. */
void mot_npz_names(const char *zip, size_t size, char *names, size_t room);

/* import_arrays.c: samples x, labels y and perhaps groups of each split; x decides what they are. */
typedef struct arrays {
    array x, y, group; /* y, group: rank 0 for none */
} arrays;
mot_status mot_import_arrays(const mot_import_options *options, const arrays splits[IMPORT_SPLITS]);

/* array_kinds.c: pictures, texts or vectors, by type and axes or as told; the strides of pictures with their channels at
 * the end become those of planes. */
mot_status mot_array_sample_format(const mot_import_options *options, array *x, mot_sample_format *format);

/* array_ids.c: word ids. Padding goes from both ends, and what is left is moved up where a word has the id 0. */
typedef struct array_ids {
    bool has_pad;
    double pad;
    size_t shift; /* is added to every id */
    size_t vocabulary;
} array_ids;
mot_status mot_array_ids_find(const mot_import_options *options, const array *const x[IMPORT_SPLITS],
                              array_ids *ids);
void mot_array_ids_read(const array *x, const array_ids *ids, size_t sample, int32_t *out);

#endif

/* npz.h: named arrays in a zip of .npy files: as numpy.savez would write them, not packed; and read, of either kind. Not
 * collective. */
#ifndef MOT_NPZ_H
#define MOT_NPZ_H

#include "mot/status.h"
#include "mot/types.h"

enum { MOT_NPZ_RANK = 4 };
typedef struct mot_npz_array {
    const char *name; /* numpy.load(path)[name] */
    char kind;        /* 'i': int32, 'f': float32 */
    int rank;
    size_t shape[MOT_NPZ_RANK];
    const void *data; /* C order */
} mot_npz_array;

typedef struct mot_npz_texts {
    const char *name;
    size_t count;
    char *const *text; /* UTF-8 */
} mot_npz_texts;

/* Writes the arrays and those lists of texts that are not empty, complete or not at all. MOT_ERR_INPUT: more than 4 GiB,
 * which the format has no room for. */
mot_status mot_npz_write(const char *path, size_t count, const mot_npz_array *array, size_t lists,
                         const mot_npz_texts *list);

/* ---- reading ---- */

typedef struct mot_npz mot_npz; /* a file in memory */

/* MOT_ERR_FILE, MOT_ERR_INPUT: it is not there, or no .npz. */
mot_status mot_npz_open(mot_npz **npz, const char *path);
void mot_npz_close(mot_npz **npz);

/* The numbers of the array `name`, which must have this shape, as floats in C order. *found is false, and nothing is
 * written, where there is no such array. MOT_ERR_INPUT: another shape, texts, or what is no finite float. */
mot_status mot_npz_numbers(mot_npz *npz, const char *name, size_t rank, const size_t *shape, float *data, bool *found);
/* Of an array that nobody wants, how many numbers or texts it has; it counts as asked for. *found is false where there is none. */
size_t mot_npz_leave(mot_npz *npz, const char *name, bool *found);
/* MOT_ERR_INPUT names an array that nobody has asked for; `wanted` ends the sentence: what would be. */
mot_status mot_npz_all_read(const mot_npz *npz, const char *wanted);

#endif

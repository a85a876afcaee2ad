/* npz.h: arrays as numpy.savez would write them: a zip of .npy files, not packed. Not collective. */
#ifndef MOT_NPZ_H
#define MOT_NPZ_H

#include "mot/status.h"
#include "mot/types.h"

enum { MOT_NPZ_RANK = 2 };
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

#endif

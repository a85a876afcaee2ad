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

/* Writes the arrays and, unless there are none, a list of texts (UTF-8) called `texts_name`, complete or not at all.
 * MOT_ERR_INPUT: more than 4 GiB, which the format has no room for. */
mot_status mot_npz_write(const char *path, size_t count, const mot_npz_array *array, const char *texts_name,
                         size_t texts, char *const *text);

#endif

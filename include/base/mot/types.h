/* types.h: the integer kinds. A name says whether a number belongs to this rank or to the whole job. */
#ifndef MOT_TYPES_H
#define MOT_TYPES_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t mot_gidx; /* global: a sample's index in its data set, a step, a position in an epoch */
#define MOT_PRI_GIDX PRId64
#define MOT_MPI_GIDX MPI_INT64_T

/* Counts of rows and elements on this rank, and bytes, are size_t. Expert, rank and label are int. */

#define MOT_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MOT_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MOT_MAX(a, b)    ((a) > (b) ? (a) : (b))

/* The first row of part `index` when `total` rows are dealt over `parts` parts; the parts differ by one row at most. */
static inline size_t mot_part_first(size_t total, size_t parts, size_t index)
{
    return total / parts * index + MOT_MIN(index, total % parts);
}

#endif

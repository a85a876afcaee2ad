/* dataset_writer.h: a data set while it is written. Private to src/data. */
#ifndef MOT_DATASET_WRITER_H
#define MOT_DATASET_WRITER_H

#include <limits.h>

#include "dataset_private.h"
#include "mot/digest.h"

/* x has to lie contiguous in the file, and its extent is known only at the end: the samples of a split wait
 * in a nameless file beside the target until then; texts without what pads them. */
typedef struct split {
    int spool; /* -1: the split has no samples */
    size_t samples;
    unsigned char *target; /* [samples, target_bytes]: labels, or numbers */
    int32_t *group;        /* NULL: none */
    uint64_t *first;       /* [samples + 1] of texts: tokens before each; else NULL */
    size_t target_capacity, group_capacity, first_capacity;
    uint64_t at;       /* place of x in the file, once written there, */
    mot_digest digest, padded; /* its checksum, as it lies there and as if all samples were alike long, */
    uint64_t *sum;     /* and that of each sample */
} split;

struct mot_dataset_writer {
    char path[PATH_MAX];
    mot_sample_format format;
    size_t numbers; /* that a target is, each a float; 0: it is a label */
    split splits[DATASET_SPLITS];
    bool lengths; /* texts keep lengths of their own in the file */
};

static inline const int32_t *split_labels(const split *s)
{
    return (const int32_t *)(const void *)s->target;
}

/* dataset_describe.c: all but the samples. */
mot_status mot_dataset_describe(const mot_dataset_writer *writer, hid_t file, const mot_dataset_about *about,
                                int classes, int groups);

#endif

/* dataset_sums.h: mean and deviation of the columns of samples that come in blocks. */
#ifndef MOT_DATASET_SUMS_H
#define MOT_DATASET_SUMS_H

#include "dataset_private.h"

/* The bytes of pictures are summed exactly, in one pass; numbers in two passes, in the order of the samples. */
typedef struct dataset_sums {
    mot_sample_format *format;
    int passes;                                                        /* that are needed: 1 or 2 */
    bool second;                                                       /* pass */
    uint64_t byte[DATASET_MAX_CHANNELS], square[DATASET_MAX_CHANNELS]; /* of pictures, by column */
    double *number; /* [count of the normalization], owned */
} dataset_sums;

/* For `format`, whose normalization has room for what comes out. */
mot_status mot_dataset_sums_begin(dataset_sums *sums, mot_sample_format *format);
void mot_dataset_sums_free(dataset_sums *sums);
void mot_dataset_sums_add(dataset_sums *sums, size_t count, const void *x);
/* After all `samples` were added: the means, and after the last pass the deviations; 1 for a column that is constant. */
void mot_dataset_sums_end_pass(dataset_sums *sums, size_t samples);

#endif

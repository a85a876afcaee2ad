/* dataset_private.h: what reader and writer of a data set file agree on. */
#ifndef MOT_DATASET_PRIVATE_H
#define MOT_DATASET_PRIVATE_H

#include "mot/dataset.h"
#include "mot/h5.h"

#define DATASET_FORMAT "mot-dataset"
enum {
    DATASET_VERSION = 1,
    DATASET_SPLITS = 3,
    DATASET_MAX_NAMES = 1 << 20,  /* classes, groups */
    DATASET_MAX_EXTENT = 1 << 20, /* of one dimension of a sample */
    DATASET_MAX_CHANNELS = 16,
};
static const size_t dataset_max_sample = (size_t)1 << 30; /* bytes */

extern const char *const dataset_split_names[DATASET_SPLITS]; /* train, val, test */
extern const char *const dataset_kind_names[3];

/* The native HDF5 type of an element. */
hid_t dataset_element_type(mot_element element);

/* Every extent in its bounds and of the right element for its kind; sets format->bytes. `where` begins the
 * sentence. */
mot_status dataset_format_check(mot_sample_format *format, const char *where);

/* The first value among `count` samples that no model could take: a word id outside the vocabulary, or a
 * number that is not finite. Sentence: "WHERE: sample N ...". */
mot_status dataset_samples_check(const mot_sample_format *format, const char *where, mot_gidx first,
                                 size_t count, const void *x);

#endif

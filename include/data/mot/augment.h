/* augment.h: augmentation of stored samples in place, before they travel; keyed by the position in the stream, so
 * the same position gives the same sample on any rank. Not collective; never fails. */
#ifndef MOT_AUGMENT_H
#define MOT_AUGMENT_H

#include "mot/dataset.h"

typedef struct mot_augment_config {
    int shift;   /* pictures: by up to this many pixels in each direction, edges filled with 0 */
    bool flip;   /* pictures: horizontally, with probability 1/2 */
    double drop; /* texts: each token becomes the unknown token 1 with this probability */
} mot_augment_config;

/* `scratch` has format->bytes bytes. */
void mot_augment(const mot_augment_config *config, const mot_sample_format *format, uint64_t seed,
                 mot_gidx position, void *sample, void *scratch);

/* Each token of a text becomes the unknown token 1 with probability `drop`; `counter`: a, b and d of MOT_STREAM_DROP. */
void mot_augment_drop(double drop, const mot_sample_format *format, uint64_t seed, const uint32_t counter[3],
                      void *sample);

#endif

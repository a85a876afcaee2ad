/* largest.h: the K experts of a sample with the largest scores, in falling order; of equal ones the lower index first. */
#ifndef MOT_LARGEST_H
#define MOT_LARGEST_H

#include "mot/choose.h"

/* By score [E], which may be anything: what is no number counts as the lowest. */
void mot_largest(size_t E, size_t K, const double *score, int32_t *expert);

/* By logits, bias and `scale` times the noise, as the sum of doubles says. Of most experts the noise need be known to a thousandth
 * to see that they are not among the K, of many it need not be drawn: logarithms and the rest are taken in double only for those that
 * are so close to each other that nothing less tells which is first. */
void mot_largest_noisy(const mot_choice_batch *batch, size_t b, mot_noise noise, double scale, int32_t *expert);

#endif

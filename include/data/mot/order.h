/* order.h: which sample is where in the endless stream of training samples.
 *
 * The stream is epoch after epoch; position p is place p % n of epoch p / n, and an epoch is a permutation of the n
 * samples that is a pure function of (seed, epoch, place): a Feistel network (four rounds, sixteen for fewer than 16384
 * samples, where four leave a bias) over the next power of four with cycle walking (Black and Rogaway 2002), rounds
 * keyed by Philox. O(1) memory, O(1) time, any rank can ask for any position. A batch of B at step s (from 0) is
 * positions s*B .. s*B + B-1. Not collective. */
#ifndef MOT_ORDER_H
#define MOT_ORDER_H

#include "mot/types.h"

/* The sample at `position` of the stream over `samples` > 0 samples. */
mot_gidx mot_order_sample(uint64_t seed, mot_gidx samples, mot_gidx position);

#endif

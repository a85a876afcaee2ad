/* expert_speed.h: how fast an expert's matrix products are on this core now. Not collective. */
#ifndef MOT_EXPERT_SPEED_H
#define MOT_EXPERT_SPEED_H

#include "mot/bare_product.h"
#include "mot/expert.h"

/* What an expert's speed is compared with. */
typedef struct mot_yardstick {
    double flops_per_s; /* 0: never measured */
    mot_bare by;        /* which product was the fastest, of most of the operations */
} mot_yardstick;

/* The kind's own products, as often as learning from a tile takes each of them, with nothing between them, each by the
 * fastest of what bare_product.h has; about 30 ms. *best becomes that, unless it was faster: other programs and the clock of
 * the processor make one measurement too small, and nothing makes it too large. Where memory is short it stays. */
void mot_yardstick_measure(mot_yardstick *best, const mot_expert_kind *kind, const mot_expert_shape *shape);

#endif

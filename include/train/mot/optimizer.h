/* optimizer.h: one update of one unit (the gate, an expert, the tied tensors), as a loop over its table.
 *
 * g is the unit's gradient over the parts that learn, |g| its Euclidean norm over all of them (double, table order).
 *      sgd             m = momentum m + g + decay w;   w -= rate m
 *      normalized_gd   w -= rate g / |g|; nothing where |g| = 0              (Li et al., arXiv 2510.27004)
 *      adamw           Kingma and Ba 2015 with bias correction; decay decoupled (Loshchilov and Hutter 2019)
 * clip > 0 scales g so that |g| <= clip. Weight decay touches the rows that are marked so. Not collective. */
#ifndef MOT_OPTIMIZER_H
#define MOT_OPTIMIZER_H

#include "mot/stage_config.h"

/* Updates the tensors of `parts`; `rate` replaces config->rate (the schedule's value). MOT_ERR_NUMERIC, and nothing
 * changed, when the gradient is not finite; the sentence names unit and tensor. *norm (may be NULL) gets |g|. */
mot_status mot_optimizer_update(const mot_optimizer_config *config, double rate, mot_part_set parts,
                                mot_params *params, double *norm);

/* Whether that would be so: the same sentence, and nothing else done. */
mot_status mot_optimizer_check(mot_part_set parts, const mot_params *params);

/* Forgets momentum and moments: at the beginning of a stage. */
void mot_optimizer_reset(mot_params *params);

#endif

/* claims.h: the claims of Li et al. (arXiv 2510.27004), one after another. Private to src/study. */
#ifndef MOT_CLAIMS_H
#define MOT_CLAIMS_H

#include "study_private.h"

extern const study_claim mot_claim_routing, mot_claim_attention;              /* claims_routing.c */
extern const study_claim mot_claim_maps, mot_claim_alignment;                 /* claims_neurons.c */
extern const study_claim mot_claim_conflict;                                  /* claims_neurons.c */
extern const study_claim mot_claim_rate;                                      /* claims_rate.c */
extern const study_claim mot_claim_plain;                                     /* claims_plain.c */
extern const study_claim mot_claim_floor;                                     /* claims_floor.c */
extern const study_claim mot_claim_experts, mot_claim_growth, mot_claim_data; /* claims_size.c */
extern const study_claim mot_claim_stages;                                    /* claims_stages.c */

/* The calibration setting in three stages: N 4, E 12, D 32, L 8, sigma 0.5. */
extern const char *const mot_claims_calibration;
/* The setting in which the loss falls without end: sigma 0.25, more experts, a fast gate in the last stage. */
extern const char *const mot_claims_rate;

/* Over either of them: one transformer of as many samples, without gate and noise; and the rate that is its own. */
#define CLAIMS_SINGLE                                                                                        \
    "model.experts=1; route.scale=none; route.noise=none; route.noise_steps=0; route.noise_end=0; "
#define CLAIMS_FAST "stages.0.rate=0.25; stages.1.rate=0.25; stages.2.rate=0.25; "
/* Its heads and neurons, with as many parameters as 24 experts. */
#define CLAIMS_HEADS_4 "model.merged.heads=4; model.merged.neurons=166"

/* What the quick form changes in the calibration setting: fewer samples and evaluations. */
const char *mot_claims_quick(const mot_study *study);

/* Seeds of a variant that is only compared with. */
int mot_claims_seeds(const mot_study *study);

/* Variants that several claims look at. */
study_variant *mot_claims_add_calibration(mot_study *study);
study_variant *mot_claims_add_rate(mot_study *study, int N);

#endif

/* ablations.h: what the study of real data trains. Private to src/study. */
#ifndef MOT_ABLATIONS_H
#define MOT_ABLATIONS_H

#include "study_private.h"

enum { SEEDS = 3, SETS = 3 };

typedef struct ablation_set {
    const char *name, *title, *file, *about, *base;
    const char *dense; /* one transformer with as many parameters as the four experts, within 0.1 % */
    const char *first, *early, *late; /* epochs: cap of stage I and II; three-early and three-late */
    const char *shorter;              /* the quick form's stages */
    const char *told;                 /* what a gate can be told: the groups of those that have them */
} ablation_set;

extern const ablation_set mot_ablation_sets[SETS];

enum {
    ONE,
    TWO,
    THREE_STAGES,
    SELF,
    EARLY,
    LATE,
    DENSE_PARAMETERS,
    DENSE_FLOPS,
    SHARED,
    NO_NOISE,
    NO_BALANCE,
    RANDOM,
    ORACLE,
    TOP_2,
    ALL,
    HEADS_1,
    HEADS_8,
    DEPTH_1,
    DEPTH_3,
    WIDE,
    EIGHT,
    VARIANTS
};

typedef struct ablation_variant {
    const char *name, *label, *settings;
    double cost;
    bool in_quick;
} ablation_variant;
extern const ablation_variant mot_ablation_variants[VARIANTS];

bool mot_ablation_planned(const mot_study *study, size_t set, int variant);
/* As mot_study_add. */
study_variant *mot_ablation_add(mot_study *study, size_t set, int variant);

#endif

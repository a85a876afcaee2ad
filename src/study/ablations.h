/* ablations.h: what the study of real data trains. Private to src/study. */
#ifndef MOT_ABLATIONS_H
#define MOT_ABLATIONS_H

#include "study_private.h"

enum { SEEDS = 3, MOST_SEEDS = 5, SETS = 4 };

typedef struct ablation_set {
    const char *name, *title, *file, *about, *base;
    const char *stack;    /* configuration of the rows that are stacks of layers; NULL: the set has no such rows */
    const char *grouped;  /* that of the rows whose classes are grouped; NULL: `base`, after a stage of which they are */
    const char *grouping; /* what those rows set besides */
    const char *half_grouping; /* and the one that is half as wide; NULL: nothing */
    /* One transformer, and one half as wide, with as many FLOPs as an expert and that gate, and the rate it learns best at. */
    const char *flops, *half_flops;
    int best; /* the variant that validation chose, of those whose gate learns */
    bool few; /* only the rows of which `in_few` says so */
    const char *dense; /* one transformer with as many parameters as the four experts, within 0.1 % */
    const char *first, *early, *late; /* epochs: cap of stage I and II; three-early and three-late */
    const char *shorter;              /* the quick form's stages */
    const char *told;                 /* what a gate can be told: the groups of those that have them */
} ablation_set;

extern const ablation_set mot_ablation_sets[SETS];

enum {
    DENSE_FLOPS,
    GROUPED,
    HALF_DENSE,
    HALF_GROUPED,
    ONE,
    STACKED,
    ORACLE,
    RANDOM,
    SHARED,
    DENSE_PARAMETERS,
    TWO,
    THREE_STAGES,
    SELF,
    EARLY,
    LATE,
    NO_NOISE,
    NO_BALANCE,
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
    int seeds;
    bool in_quick, in_few;
} ablation_variant;
extern const ablation_variant mot_ablation_variants[VARIANTS];

bool mot_ablation_planned(const mot_study *study, size_t set, int variant);
/* As mot_study_add. */
study_variant *mot_ablation_add(mot_study *study, size_t set, int variant);

#endif

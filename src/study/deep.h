/* deep.h: the claims about rehearsal where transformers and MoTs learn streams of tasks. Private to src/study. */
#ifndef MOT_DEEP_H
#define MOT_DEEP_H

#include "rehearsal_study.h"

/* ---- deep_plan.c: data, settings, trials ---- */

enum { DEEP_CLINC, DEEP_CIFAR, DEEP_JOINED, DEEP_SETS };
enum { DEEP_CLEAN, DEEP_CHANGED, DEEP_FORMS };
typedef enum deep_model { DEEP_ONE, DEEP_MOT, DEEP_MODELS } deep_model;
enum { DEEP_NONE, DEEP_CONCURRENT, DEEP_SEQUENTIAL, DEEP_HYBRID, DEEP_JOINT, DEEP_STRATEGIES };
extern const char *const mot_deep_strategies[DEEP_STRATEGIES];

typedef struct deep_set {
    const char *name, *brief, *title, *file[2], *about, *base; /* one file, or two */
    const char *changed, *changed_about; /* of tasks, in their order, again and again */
    int steps; /* a task */
    double cost;
} deep_set;
extern const deep_set mot_deep_sets[DEEP_SETS];

/* A trial's stream, model and strategy, and what else is other than usual. */
typedef struct deep_trial {
    int set, form;
    deep_model model;
    int strategy;
    const char *name, *settings; /* of what is other; NULL: nothing is */
    int seeds; /* from DEEP_CHOSEN + 1 on */
} deep_trial;

/* By seed 1 all settings were chosen: it is none of those that are reported. */
enum { DEEP_CHOSEN = 1 };
/* So many seeds, or the few of the quick form. */
int mot_deep_seeds(const mot_study *study, int seeds);

/* Steps of a task. */
int mot_deep_steps(const mot_study *study, int set);
/* As mot_study_add. */
study_variant *mot_deep_add(mot_study *study, const deep_trial *trial);
/* The trials that several claims look at: a strategy on a stream. */
study_variant *mot_deep_usual(mot_study *study, int set, int form, deep_model model, int strategy);
/* Whether the data set's files are there: looked up by the root, known to all. Collective. */
bool mot_deep_find(const mot_study *study, int set);
/* Whether it was, while trials were planned. */
bool mot_deep_planned(const mot_study *study, int set);

/* ---- deep_measure.c: figures over seeds, in points (per cent) ---- */

typedef enum deep_value {
    DEEP_ACC,
    DEEP_FORGETTING,
    DEEP_LEARNING,
    DEEP_UNAIDED,            /* Acc, the task not being known */
    DEEP_UNAIDED_FORGETTING,
    DEEP_NMI,                /* of expert and task */
    DEEP_VALUES
} deep_value;

/* values [seeds]; NaN: the trial failed. */
void mot_deep_values(const study_variant *variant, deep_value which, double *values);

/* A mean over the seeds, with its 95 % interval by Student's t. */
typedef struct deep_mean {
    size_t seeds;
    double mean;
    mot_interval interval;
} deep_mean;
deep_mean mot_deep_mean_of(double *values, size_t count); /* moves the finite ones to the front */
deep_mean mot_deep_mean(const study_variant *variant, deep_value which);
/* Of the differences seed by seed, of as many seeds as both have. */
deep_mean mot_deep_difference(const study_variant *variant, const study_variant *other, deep_value which);
/* Of a claim that should be so in `asked` cases: it holds in `so` of them by the whole interval, and in `not_so` its opposite does. */
study_verdict mot_deep_decide(size_t so, size_t not_so, size_t asked);
/* "71.2 (70.1 to 72.3)"; signed: "+1.2 (...)". */
const char *mot_deep_text(const deep_mean *of, bool sign, char text[96]);

/* Of the cosines of gradients that a hybrid's tasks were compared by, over all seeds: the share of at least `tau`, and the median
 * of their magnitude. */
typedef struct deep_cosines {
    double share, magnitude;
} deep_cosines;
deep_cosines mot_deep_compare(const study_variant *variant, double tau);

/* Of a setting over which something is swept: a line of Acc, and one of forgetting, each with its band. */
enum { DEEP_POINTS = 8 };
typedef struct deep_line {
    size_t count;
    double x[DEEP_POINTS], mean[2][DEEP_POINTS], low[2][DEEP_POINTS], high[2][DEEP_POINTS];
} deep_line;
void mot_deep_line_add(deep_line *line, double x, const study_variant *variant);
mot_series mot_deep_line_series(const deep_line *line, int which, const char *label, int color);
/* Two panels side by side, of Acc and of forgetting. */
mot_status mot_deep_draw(mot_study *study, const char *name, const char *caption, const mot_axis *x, const deep_line *line,
                         const char *const *label, size_t count);

/* Bars of Acc, and of forgetting, each with its interval. */
enum { DEEP_BARS = 40 };
typedef struct deep_bars {
    size_t groups, series;
    const char *const *group, *const *label; /* [groups], [series] */
    double mean[2][DEEP_BARS], low[2][DEEP_BARS], high[2][DEEP_BARS]; /* [groups * series], by group */
} deep_bars;
void mot_deep_bar_set(deep_bars *bars, size_t at, const study_variant *variant);
/* Two panels as above. */
mot_status mot_deep_draw_bars(mot_study *study, const char *name, const char *caption, int width, int height,
                              const deep_bars *bars);

/* ---- claims ---- */

/* deep_sweeps.c: sequential rehearsal of the changed CLINC150 in an order of revisiting. */
enum { DEEP_OLDEST, DEEP_NEWEST, DEEP_DISSIMILAR, DEEP_ORDERS };
study_variant *mot_deep_order(mot_study *study, int order);

extern const rehearsal_claim mot_deep_strategy;                    /* deep_strategy.c */
extern const rehearsal_claim mot_deep_causes;                     /* deep_causes.c */
extern const rehearsal_claim mot_deep_similar, mot_deep_memories;  /* deep_sweeps.c */
extern const rehearsal_claim mot_deep_experts;                     /* deep_experts.c */

#endif

/* stage_config.h: what the configuration says of training. Plain data; the option table has defaults and bounds. */
#ifndef MOT_STAGE_CONFIG_H
#define MOT_STAGE_CONFIG_H

#include "mot/loss.h"
#include "mot/model_config.h"
#include "mot/params.h"

typedef enum mot_optimizer_kind { MOT_SGD, MOT_NORMALIZED_GD, MOT_ADAMW } mot_optimizer_kind;
#define MOT_RATE_AUTO (-1.0) /* a rate that follows from the data (mot_stages_resolve) */
typedef struct mot_optimizer_config {
    mot_optimizer_kind kind;
    double rate, momentum, beta1, beta2, epsilon, weight_decay,
        clip; /* clip: largest gradient norm of a unit; 0: off */
} mot_optimizer_config;

typedef enum mot_schedule_kind {
    MOT_SCHEDULE_CONSTANT,
    MOT_SCHEDULE_LINEAR,
    MOT_SCHEDULE_COSINE,
    MOT_SCHEDULE_AUTO /* cosine, where the stage has a number of steps to fall over */
} mot_schedule_kind;

/* "400 steps", "6 epochs", "loss < 1e-3", "loss plateau 200", "purity plateau 200", "alignment plateau 200", joined by
 * " or ". */
typedef struct mot_until {
    char text[256];
    mot_gidx steps;    /* 0: no such clause; epochs are turned into steps when the data are known */
    double epochs;     /* 0: no such clause */
    double loss_below; /* 0: no such clause */
    mot_gidx loss_plateau, purity_plateau, alignment_plateau; /* window in steps; 0: no such clause */
} mot_until;

/* Which students leave: prune_rules.c. */
typedef enum mot_prune_rule {
    MOT_PRUNE_GROUP,
    MOT_PRUNE_CLUSTER,
    MOT_PRUNE_ORACLE,
    MOT_PRUNE_SINGLE
} mot_prune_rule;

typedef struct mot_stage_config { /* keys train.* (the defaults of every stage) and stages[i].* */
    char name[64];
    mot_part_set train;          /* the parts that learn */
    mot_optimizer_config expert; /* optimizer, rate, momentum, ... : experts and tied parts */
    mot_optimizer_config gate;   /* gate_optimizer, gate_rate, gate_momentum, ...: the gate */
    mot_schedule_kind schedule;
    mot_gidx schedule_steps; /* in which it comes to its end, warm-up included; 0: those of `until` */
    mot_gidx warmup;         /* steps from 0 to the full rate */
    double final_rate;       /* what the schedule ends at, as a fraction of the rate */
    mot_until until;
    int action;              /* row of mot_stage_actions: done at its end */
    struct {                 /* of action = prune */
        mot_prune_rule rule;
        int keep;         /* how many stay; 0: as many as the tolerance leaves */
        double tolerance; /* loss that leaving may cost, of what an expert gives */
        double cosine;    /* from which on directions are of one cluster */
    } prune;
    mot_exploration explore; /* keys route.noise, ..., in a stage noise, ... */
} mot_stage_config;

/* What follows a loss or a gradient that is not finite. */
typedef enum mot_on_nonfinite {
    MOT_NONFINITE_STOP,
    MOT_NONFINITE_SKIP_STEP,
    MOT_NONFINITE_ROLLBACK
} mot_on_nonfinite;

enum { MOT_MAX_STAGES = 16 };

#endif

/* run_course.h: what a run is to do, and how far it is. The same on every rank, but for its clocks. */
#ifndef MOT_RUN_COURSE_H
#define MOT_RUN_COURSE_H

#include "mot/step.h"

/* RUN_PREDICT: as RUN_EVAL, of samples whose labels nobody knows. */
typedef enum run_purpose { RUN_TRAIN, RUN_EVAL, RUN_PREDICT, RUN_BENCH } run_purpose;

/* Experts that are as if they were not there in an evaluation: [layers], each NULL or [E]; see mot_step_task.without. */
typedef struct run_mask {
    bool *layer[MOT_MAX_LAYERS];
} run_mask;
/* run_mask.c: those of "[3]", "[3, 1:2]": experts of the first layer, of another one behind its number, by their numbers in the
 * beginning. MOT_ERR_INPUT where there are no such, too few are left, or nothing is chosen. The same on every rank but for
 * MOT_ERR_MEMORY; what has been made before a failure is released by mot_run_mask_free. */
mot_status mot_run_mask(run_mask *mask, const mot_model *model, const char *text);
void mot_run_mask_free(run_mask *mask);

typedef struct run_course {
    mot_config config;
    run_purpose purpose;
    mot_progress progress;
    bool continued;     /* from a checkpoint */
    bool finished;      /* before this process began, and summed up: nothing of its files changes */
    bool again;         /* this evaluation has been recorded before */
    mot_gidx evaluated; /* step of the last evaluation of this process; -1: none */
    int skipped_on_end; /* steps without an update up to now, in a row */
    run_mask mask;      /* of its evaluations; none in training */
    double called_s;    /* from which stop_after counts */
    double restored_s;  /* when progress.wall_s was the run's */
} run_course;

/* run_parts.c: the mot_precision_rule of the run that its folder holds, by its newest sound checkpoint; -1 without one.
 * Root. */
int mot_run_precision_before(const mot_config *config);

/* run_place.c: the same on every rank. */
bool mot_run_rebalance_due(const run_course *course);

/* run_summary.c: whether summary.json says that the run is done. Root. */
bool mot_run_is_summed_up(const run_course *course);

/* run_time.c. Adds what a step took, the mean over ranks, to the run's. */
void mot_run_count_seconds(run_course *course, const mot_step_result *result);
/* Seconds of the run so far, those of former processes with it, by this rank's clock. */
double mot_run_seconds(const run_course *course);

#endif

/* sweep_study.h: the runs of a sweep (sweep.h), and a table of what came out of runs.
 *
 * The runs are trials as of a study (study.h): each an ordinary run of one rank in FOLDER/trials/SETTINGS-SEED; ranks share them out,
 * what is done is not done again, and one whose loss is not finite is kept as failed. */
#ifndef MOT_SWEEP_STUDY_H
#define MOT_SWEEP_STUDY_H

#include "mot/comm.h"

/* Of a job array: its tasks share the runs out, too. */
typedef struct mot_sweep_part {
    size_t index, count; /* index below count; 1 task has all */
} mot_sweep_part;

/* Trains what the file says, with `count` settings over all. Collective; the same status on every rank. */
mot_status mot_study_sweep(const mot_comm *comm, const char *path, size_t count, const char *const *assignments, mot_sweep_part part);

/* ---- what came out ---- */

typedef struct mot_compare_options {
    size_t count, figures;
    const char *const *path;   /* [count]: run folders, and folders of sweeps */
    const char *const *figure; /* [figures]: keys of summary.json; none: those that one asks for first */
    const char *csv, *json;    /* files; NULL: none */
    bool force;                /* in place of files that are there */
} mot_compare_options;

/* Runs that differ in their seeds alone are one row: median, quartiles and the 95 % interval of the mean, and of the difference to the
 * first row, seed by seed. Runs that are not done, or failed, are named and left out. Not collective. */
mot_status mot_compare(const mot_compare_options *options);

#endif

/* rehearsal_private.h: what the parts of the linear theory of rehearsal share. Private to src/study. */
#ifndef MOT_REHEARSAL_PRIVATE_H
#define MOT_REHEARSAL_PRIVATE_H

#include "mot/rehearsal.h"

/* ---- rehearsal_theory.c ---- */

/* All that the closed forms see of the truths. */
typedef struct rehearsal_geometry {
    int tasks;
    double squared[MOT_REHEARSAL_TASKS];                /* |w_a|^2 */
    double d[MOT_REHEARSAL_TASKS][MOT_REHEARSAL_TASKS]; /* |w_a - w_b|^2 */
} rehearsal_geometry;
void mot_rehearsal_geometry_make(const mot_rehearsal *r, const mot_rehearsal_truths *truths, rehearsal_geometry *geometry);

/* Samples that the memory holds of each old task when task t begins. */
size_t mot_rehearsal_share(const mot_rehearsal *r, int t);
/* The number of the last fit of a task (rehearsal.h, place). */
int mot_rehearsal_last_fit(const uint8_t *place, int t);
/* D [tasks] from before task t to after it. */
void mot_rehearsal_map_task(const mot_rehearsal *r, const rehearsal_geometry *geometry, int t, const uint8_t *place, double *D);

#endif

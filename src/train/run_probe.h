/* run_probe.h: a look inside the experts at every evaluation, where the truth is known: merged experts on the theory's
 * mixture. Included by src/train/run_figures.c and run_probe.c alone.
 *
 * The probe, the first samples of the evaluation split, is made by every rank for itself; an expert's owner looks at the
 * probe's samples that the gate sends to it. What a rank finds stands in rows that are its own, zero elsewhere, so that
 * the sum over ranks is exact; sums over samples are taken by the root in sample order. */
#ifndef MOT_RUN_PROBE_H
#define MOT_RUN_PROBE_H

#include "run_world.h"

typedef struct run_probe {
    size_t classes;             /* N of the mixture */
    const mot_mixture *mixture; /* the evaluation split's */
    mot_loss loss;
    size_t samples;             /* P */
    float *x;                   /* [P, L, D] */
    int32_t *label, *group;     /* [P] */
    int8_t *role;               /* [P, L] */
    int32_t *expert;            /* [P]: first choice in the last evaluation */
    mot_real *weight;           /* [P] */

    /* what was found; complete on the root */
    double *neurons; /* [E, N]: W_i v_n / |W_i| */
    double *gate;    /* [E, N]: theta_i c_n; 0 unless the gate is linear in the tokens' sum or mean */
    double *cosine, *agreement;              /* [E] */
    double *mass;                            /* [P, roles, roles]: attention by kind of query and key */
    double attention[MOT_ROLES * MOT_ROLES]; /* its mean over the samples */

    /* scratch of one expert */
    mot_arena arena;
    double *signal;     /* [D] */
    mot_real *gradient; /* [N, table.count] */
    mot_real **row;     /* [table.rows] */
    mot_real *prob, *scratch;
    size_t *first;
    mot_real *tile_x, *out, *d_out;
} run_probe;

mot_status mot_run_probe_create(const run_world *world, run_probe *probe);
void mot_run_probe_destroy(run_probe *probe);
/* Takes from the first pass of an evaluation where the probe's samples went. Root. */
void mot_run_probe_take(const mot_model *model, run_probe *probe, const mot_step_result *result);
/* Looks. Collective; never fails. */
void mot_run_probe_look(const mot_model *model, run_probe *probe);

#endif

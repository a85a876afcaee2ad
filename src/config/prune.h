/* prune.h: students of a soft-routed mixture, and the rules by which some of them leave (action_prune.c). Private to
 * src/config. */
#ifndef MOT_PRUNE_H
#define MOT_PRUNE_H

#include "mot/stage_config.h"
#include "mot/status.h"
#include "mot/teacher.h"

/* What is known of E students, with o_i the output of one, r = sum_i o_i - y, and means over N samples. */
typedef struct students {
    const mot_stage_config *stage;
    size_t E, D;
    double *w, *v;     /* [E, D]: directions of neurons and of gates */
    double *product;   /* [E, E]: mean of o_i o_j */
    double *with_rest; /* [E]: mean of r o_i */
    double loss;       /* of all: mean of r r / 2 */
    bool *keep;        /* [E]: who stays; all, before a rule has its say */
} students;

/* How many stay. */
size_t mot_prune_kept(const students *s);
/* The loss of those who stay. */
double mot_prune_loss(const students *s);
/* Sets s->keep by the stage's rule; teacher: of rule oracle. Who fails leaves s->keep undefined. Local. */
mot_status mot_prune_choose(students *s, const mot_teacher *teacher);

#endif

/* alignment.h: how far students have come on their way to a teacher, all of whom are neurons of unit length with gates of unit
 * length (hermite.c, gate_spread.c, teacher.h). */
#ifndef MOT_ALIGNMENT_H
#define MOT_ALIGNMENT_H

#include "mot/model.h"
#include "mot/teacher.h"

/* The neurons of all experts as they stand, not their directions: neuron [E, D] on every rank. Collective. */
void mot_gather_neurons(const mot_model *model, double *neuron);
/* Of an expert: neuron and gate v [D] become directions; their lengths. The root. */
void mot_take_directions(const mot_model *model, size_t expert, double *neuron, double *v, double *of_neuron, double *of_v);

/* The mean over the teacher's experts of (|w . w*| + v . v*) / 2, w the direction of the student's neuron that is nearest to his in
 * magnitude and v that of its gate; the same on every rank. Collective; so is a failure, for want of memory. */
mot_status mot_align(const mot_model *model, const mot_teacher *teacher, double *alignment);

#endif

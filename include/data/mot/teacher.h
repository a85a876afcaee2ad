/* teacher.h: a soft-routed mixture of neurons that students learn from: x ~ N(0, I_D), one token of D numbers, and
 *
 *      y = sum_j P_j sigma(w_j . x)        P_j = sigmoid(v_j . x), or the softmax over the v_j . x
 *
 * The 2m vectors v_j, w_j of R^D are orthonormal together, or have all the same cosine; sigma is an activation of neuron.h.
 * Every sample is a pure function of (seed, split, index); targets are found in double and kept as float. */
#ifndef MOT_TEACHER_H
#define MOT_TEACHER_H

#include "mot/neuron.h"
#include "mot/status.h"
#include "mot/types.h"

enum { MOT_TEACHER_MAX_EXPERTS = 1024 };

typedef enum mot_teacher_gate { MOT_TEACHER_SIGMOID, MOT_TEACHER_SOFTMAX } mot_teacher_gate;

typedef struct mot_teacher_config {
    int experts;  /* m >= 1 */
    size_t width; /* D >= 2m */
    mot_neuron_activation activation;
    mot_teacher_gate gate;
    double correlation; /* cosine between any two of the 2m vectors, in [0, 1) */
    uint64_t seed;
} mot_teacher_config;

typedef struct mot_teacher {
    mot_teacher_config config;
    double *v, *w;     /* [m, D], unit vectors: of the gate, of the neurons; one block, owned */
    double *by_number; /* private: the same, as sums over D want it; owned */
} mot_teacher;

mot_status mot_teacher_init(mot_teacher *teacher, const mot_teacher_config *config); /* checks every bound */
void mot_teacher_free(mot_teacher *teacher);
/* y of any x [D]. */
double mot_teacher_value(const mot_teacher *teacher, const float *x);
/* Sample `index` of split `split` (0 train, 1 val, 2 test): x [D] and y. */
void mot_teacher_sample(const mot_teacher *teacher, int split, mot_gidx index, float *x, float *y);

#endif

/* mixture.h: the synthetic N-class mixture of Li et al. (arXiv 2510.27004), docs/mixture notation:
 * orthonormal class signals c_1..c_N and classification signals v_1..v_N in R^D; a sample of class n has L tokens in
 * random order: beta c_n; y alpha v_n; e gamma v_n' (n' != n); L-3 noise tokens N(0, sigma^2/D I); y, e = +-1.
 * Its label is y (signed two-class), its group is n. Every sample is a pure function of (seed, split, index). */
#ifndef MOT_MIXTURE_H
#define MOT_MIXTURE_H

#include "mot/status.h"
#include "mot/types.h"

enum { MOT_MIXTURE_MAX_CLASSES = 64 };

typedef struct mot_mixture_config {
    int classes;                                  /* N >= 2 */
    size_t tokens;                                /* L >= 4 */
    size_t width;                                 /* D >= 2N (3N with vector labels) */
    double alpha[2], beta[2], gamma[2];           /* ranges [lo, hi]; uniform, equal ends: constant */
    double sigma;                                 /* >= 0 */
    double correlation;                           /* cosine between any two signals, in [0, 1) */
    double class_weight[MOT_MIXTURE_MAX_CLASSES]; /* all 0: uniform */
    bool vector_labels;                           /* separate v_{n,+}, v_{n,-} instead of one v_n times y */
    uint64_t seed;
} mot_mixture_config;

/* What a token of a sample is. */
typedef enum mot_role {
    MOT_ROLE_NOISE,
    MOT_ROLE_CLASS,
    MOT_ROLE_SIGNAL,
    MOT_ROLE_DISTRACTOR,
    MOT_ROLES
} mot_role;

typedef struct mot_mixture {
    mot_mixture_config config;
    double *class_signal; /* [N, D], owned */
    double *label_signal; /* [N, D] or [2N, D]: rows n- at 2n, n+ at 2n+1; owned */
    float deviation;      /* of the noise */
} mot_mixture;

mot_status mot_mixture_init(mot_mixture *mixture, const mot_mixture_config *config); /* checks every bound */
void mot_mixture_free(mot_mixture *mixture);
/* Sample `index` of split `split` (0 train, 1 val, 2 test): x [L, D] float, label -1/+1, group n in [0, N).
 * `role` (may be NULL) [L]: what each token is. */
void mot_mixture_sample(const mot_mixture *mixture, int split, mot_gidx index, float *x, int32_t *label,
                        int32_t *group, int8_t *role);

#endif

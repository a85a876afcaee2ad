/* choose.h: from the gate's logits to experts and weights, and back.
 *
 * One code path for top-1, top-K and soft routing (K = E). For a sample with logits h [E]:
 *      p = softmax(h)                                            over all experts
 *      the K experts with the largest h_i + noise_i + bias_i     noise in training only; ties to the lowest index
 *      weight of the k-th, w_k:   prob: p of that expert;   chosen: softmax of h over the chosen;   none: 1/K
 * The controls (gate.h) choose by rules of their own; their logits are all 0, so that p is 1/E, and w_k 1/E, 1/K or 1/K.
 * (Li et al., arXiv 2510.27004: K = 1, noise uniform in [0, lambda], F = p_m f_m.) The chosen stand in order of falling
 * score. Noise and random choices are pure functions of (seed, step, position, expert).
 *
 * Balance (all off at coefficient 0), for a batch of n samples, f_i the share of the n K choices that expert i got:
 *      Switch loss  E sum_i f_i mean_b p_bi     (Fedus et al. 2021, eq. 4-6; f is a constant for the gradient)
 *      z-loss       mean_b (log sum_i exp h_bi)^2                  (Zoph et al. 2022, eq. 5)
 *      bias         b_i += rate sign(mean load - load_i) after a step (Wang et al. 2024, arXiv 2408.15664)
 * reported unscaled. Runs on the coordinator, over the whole batch; not collective; never fails. */
#ifndef MOT_CHOOSE_H
#define MOT_CHOOSE_H

#include "mot/gate.h"

/* The h of an expert that is to get no sample: it is as if it were not there, and the others share the probability that it had, but
 * for less than 1e-30. It is chosen where fewer than K others are left, with no more weight than that. */
#define MOT_LEFT_OUT ((mot_real)-1e30)

typedef struct mot_choice_batch {
    size_t n, E, K;
    const mot_real *h;    /* [n, E] */
    const mot_real *bias; /* [E] */
    const int32_t *group; /* [n] group or label, at least 0, for a gate that is told it; else NULL */
    uint64_t seed;
    mot_gidx step;    /* for noise; -1: evaluation, no noise */
    mot_gidx first;   /* position of sample 0, for choices of an evaluation that depend on it */
    int32_t *expert;  /* [n, K] result: the chosen */
    mot_real *weight; /* [n, K] result */
    mot_real *p;      /* [n, E] result */
} mot_choice_batch;

/* Where sample b stands: in the batch, or in an evaluation in its split, which may be gone through in pieces. */
static inline uint64_t mot_choice_place(const mot_choice_batch *batch, size_t b)
{
    return batch->step >= 0 ? b : (uint64_t)batch->first + b;
}

/* The experts a sample gets when `top_k` (0: all) of E are asked for: all, where there are no more. */
size_t mot_choice_count(const mot_route_config *config, int experts);

/* How sure the gate is: of samples, or their mean, the largest probability, what the next one is below it (all of it, where there is no
 * other), and the entropy of all, in nats. */
typedef struct mot_confidence {
    double top, margin, entropy;
} mot_confidence;

/* Of the samples [from, to) of the batch, as all that follows: a sample has the same results with any others, so several threads may
 * share a batch out. Returns the sums over them. */
mot_confidence mot_choose(const mot_route_config *config, const mot_gate_kind *kind, const mot_choice_batch *batch,
                          size_t from, size_t to);

/* d_h (written) from d_weight; arrays of the whole batch, [n, E] and [n, K]. */
void mot_choose_backward(const mot_route_config *config, const mot_choice_batch *batch, size_t from, size_t to,
                         const mot_real *d_weight, mot_real *d_h);

typedef struct mot_balance {
    double switch_loss, z_loss; /* unscaled */
} mot_balance;

/* share [E]: what experts have of all choices, f_i. */
void mot_balance_shares(const mot_choice_batch *batch, double *share);
/* What the samples add to the z-loss; the gradients of both losses times their coefficients are added to d_h [n, E] (NULL: none). */
double mot_balance_rows(const mot_route_config *config, const mot_choice_batch *batch, const double *share, size_t from,
                        size_t to, mot_real *d_h);
/* importance [E]: sums of p over the batch, here of the experts [from, to); and the Switch loss from all of them. */
void mot_balance_importance(const mot_choice_batch *batch, size_t from, size_t to, double *importance);
double mot_balance_switch_loss(const mot_choice_batch *batch, const double *importance);

/* load [E]: choices an expert got. */
void mot_balance_bias(const mot_route_config *config, size_t E, const int64_t *load, mot_real *bias);

/* The scale of the noise at a step. */
double mot_noise_scale(const mot_route_config *config, mot_gidx step);

/* What a layer explores in a stage: what the stage says, but for what the layer says itself. */
mot_exploration mot_explore(const mot_route_config *layer, const mot_exploration *stage);

#endif

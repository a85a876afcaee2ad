/* likelihood.h: probabilities of K models, mixed by weights: a mixture of likelihoods (Jacobs, Jordan, Nowlan, Hinton 1991, eq. 1.3,
 * with classes in place of Gaussians).
 *
 *      q = sum_k w_k softmax(f_k)          F = log q, outputs by which a loss of logits is taken
 *
 * The weights need not sum to 1: cross-entropy takes F but for a constant. Its gradient by f_k is the posterior of k for the class
 * times what k would have learned alone, so that models compete, where in a sum of outputs they make up for each other's errors.
 * Of numbers that double can tell apart, whatever their size; a weight below 1e-30 counts as that. Not collective; never fails. */
#ifndef MOT_LIKELIHOOD_H
#define MOT_LIKELIHOOD_H

#include "mot/real.h"
#include "mot/types.h"

/* F [C] := log(exp(F) + w softmax(f)); of the first model (`first`) F := log(w softmax(f)). */
void mot_likelihood_add(mot_real *F, bool first, mot_real w, const mot_real *f, size_t C);

/* f [C] := dL/df from d_F = dL/dF and the whole F; returns dL/dw. */
mot_real mot_likelihood_backward(mot_real *f, mot_real w, const mot_real *F, const mot_real *d_F, size_t C);

#endif

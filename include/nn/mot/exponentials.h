/* exponentials.h: what a sum of many exponentials is made of, a cross-entropy's or a gate's, in vectors. */
#ifndef MOT_EXPONENTIALS_H
#define MOT_EXPONENTIALS_H

#include "mot/real.h"
#include "mot/types.h"

/* sum_c exp(out_c - most) in double, each term to 2e-14 of it (and e^-700 where it is smaller), most being the largest of out [C];
 * and the terms themselves, rounded, in e [C], which may be NULL. A NaN among out is one in both. */
double mot_exponentials(mot_real *e, const mot_real *out, size_t C, mot_real most);

/* log sum_i exp(x_i), n >= 1. */
double mot_log_sum_exp(const mot_real *x, size_t n);

#endif
